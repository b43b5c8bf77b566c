//! What buffers, pages and bursts leave behind, and whether CLIENT LIST says so.

use std::time::{Duration, Instant};

use crate::support::client::encode_line;
use crate::support::process::{processors_of_threads, rss_bytes};
use crate::support::slots::key_on;
use crate::support::{Server, Target, Value, each_target, eventually, targets};

/// The number in field `name` of a line of CLIENT LIST.
fn field(line: &str, name: &str) -> usize {
    let prefix = format!("{name}=");
    let text = line.split(' ').find_map(|part| part.strip_prefix(&prefix)).expect("the line has the field");
    text.parse().expect("it is a number")
}

/// The line of the client called `name`.
fn line_of(server: &Server, name: &str) -> String {
    let list = server.client().must("CLIENT LIST").text();
    list.lines().find(|line| line.contains(&format!(" name={name} "))).expect("the client is there").to_owned()
}

fn used_memory(server: &Server) -> usize {
    server.info("memory", "used_memory").parse().expect("it is a number")
}

fn tesseras() -> Vec<Target> {
    targets().into_iter().filter(|target| matches!(target, Target::Tessera(_))).collect()
}

#[test]
fn memory_goes_back_to_the_system_after_a_burst() {
    for target in tesseras() {
        let server = Server::start(target);
        let mut client = server.client();
        let before = rss_bytes(server.pid());
        let value = "v".repeat(2000);
        for round in 0..50 {
            let mut request = Vec::new();
            (0..1000).for_each(|n| encode_line(&mut request, &format!("SET key:{round}:{n} {value}")));
            client.raw(&request);
            client.read_many(1000);
        }
        let full = rss_bytes(server.pid());
        assert!(full > before + (90 << 20), "{before} {full}");
        client.must("FLUSHALL");
        eventually("most of it to be given back", || rss_bytes(server.pid()) < before + (30 << 20));
    }
}

/// On a core's processor they would take turns with it.
#[test]
fn the_allocators_threads_run_on_any_processor() {
    for target in tesseras() {
        let server = Server::start(target);
        let all = processors_of_threads(server.pid(), "snapshots");
        assert_eq!(all.len(), 1, "a thread that is not pinned");
        let are_there = || {
            let of_threads = processors_of_threads(server.pid(), "jemalloc_bg_thd");
            assert!(of_threads.iter().all(|of_thread| *of_thread == all[0]), "{of_threads:?} {all:?}");
            !of_threads.is_empty()
        };
        eventually("the allocator's threads", are_there);
        server.client().must("CONFIG SET jemalloc-bg-thread no");
        eventually("no such threads", || !are_there());
        server.client().must("CONFIG SET jemalloc-bg-thread yes");
        eventually("the allocator's threads", are_there);
    }
}

#[test]
fn the_last_pages_of_a_small_burst_are_given_back() {
    for target in tesseras() {
        let server = Server::start(target);
        let mut client = server.client();
        let mut burst = || {
            let value = "v".repeat(2000);
            let mut request = Vec::new();
            (0..1500).for_each(|n| encode_line(&mut request, &format!("SET key:{n} {value}")));
            client.raw(&request);
            client.read_many(1500);
            client.must("FLUSHALL");
        };
        burst();
        server.client().must("MEMORY PURGE");
        let before = rss_bytes(server.pid());
        burst();
        let began = Instant::now();
        eventually("its three megabytes to be given back", || rss_bytes(server.pid()) < before + (1 << 20));
        assert!(
            began.elapsed() < Duration::from_secs(4),
            "{:?}: half a second after the last command",
            began.elapsed()
        );
    }
}

#[test]
fn entries_move_out_of_sparse_pages() {
    for target in tesseras() {
        let server = Server::start(target);
        let mut client = server.client();
        let empty = used_memory(&server);
        for round in 0..100 {
            let mut request = Vec::new();
            (0..1000).for_each(|n| encode_line(&mut request, &format!("SET key:{round}{n:03} {n:0100}")));
            client.raw(&request);
            client.read_many(1000);
        }
        let full = used_memory(&server) - empty;
        // Nine of ten, evenly spread: no page becomes empty by itself.
        for round in 0..100 {
            let keys: Vec<String> = (0..1000).filter(|n| n % 10 != 0).map(|n| format!("key:{round}{n:03}")).collect();
            client.must(&format!("DEL {}", keys.join(" ")));
        }
        assert_eq!(client.line("DBSIZE"), Value::Integer(10_000));
        eventually("the pages to be returned", || used_memory(&server).saturating_sub(empty) < full / 3);
        assert_eq!(client.line("GET key:42010"), Value::bulk(format!("{:0100}", 10)));
    }
}

#[test]
fn few_keys_of_many_sizes_take_little() {
    for target in tesseras() {
        let server = Server::start(target);
        let mut client = server.client();
        client.must("PING");
        let empty = used_memory(&server);
        let mut request = Vec::new();
        (0..10_000).for_each(|n| encode_line(&mut request, &format!("SET key:{n} {}", "A".repeat(n * 7919 % 1024))));
        client.raw(&request);
        client.read_many(10_000);
        let written = 10_000 * (8 + 512);
        eventually("half of the memory to be data", || used_memory(&server) - empty < written * 2);
    }
}

#[test]
fn a_connection_that_rests_holds_little() {
    for target in tesseras() {
        let server = Server::start(target);
        let shards = server.shards();
        let keys: Vec<String> = (0..4).map(|n| key_on("key", n % shards, shards)).collect();
        let mut clients: Vec<_> = (0..20).map(|_| server.client()).collect();
        clients[0]
            .must(&format!("MSET {}", keys.iter().map(|key| format!("{key} value")).collect::<Vec<_>>().join(" ")));
        let mut request = Vec::new();
        for _ in 0..2000 {
            encode_line(&mut request, &format!("MGET {}", keys.join(" ")));
            encode_line(&mut request, &format!("GET {}", keys[0]));
        }
        for client in &mut clients {
            client.raw(&request);
        }
        for client in &mut clients {
            client.read_many(4000);
        }
        let list = server.client().must("CLIENT LIST").text();
        for line in list.lines().filter(|line| line.contains(" cmd=get ")) {
            assert!(field(line, "tot-mem") < 4096, "{line}");
            assert_eq!((field(line, "qbuf"), field(line, "qbuf-free"), field(line, "omem")), (0, 0, 0), "{line}");
        }
    }
}

#[test]
fn what_a_large_collection_takes_is_told_within_a_tenth() {
    let element = |n: usize| format!("{:08x}{n:08}", n.wrapping_mul(2_654_435_761) & 0xffff_ffff);
    let kinds: [(&str, &dyn Fn(usize) -> String); 5] = [
        ("list", &|n| format!("RPUSH list {}", element(n))),
        ("set", &|n| format!("SADD set {}", element(n))),
        ("hash", &|n| format!("HSET hash {} {}", element(n), element(n + 1))),
        ("zset", &|n| format!("ZADD zset {n}.5 {}", element(n))),
        ("stream", &|n| format!("XADD stream 1-{} field {}", n + 1, element(n))),
    ];
    let server = Server::start(Target::Tessera(1));
    let mut client = server.client();
    let settled = |server: &Server| {
        // What buffers and batches took is gone when nothing was asked for a while.
        std::thread::sleep(std::time::Duration::from_millis(400));
        used_memory(server)
    };
    for (key, command) in kinds {
        let mut write = || {
            for first in (0..60_000).step_by(1000) {
                let mut request = Vec::new();
                (first..first + 1000).for_each(|n| encode_line(&mut request, &command(n)));
                client.raw(&request);
                assert!(client.read_many(1000).iter().all(|reply| !reply.is_error()));
            }
        };
        // Once before, for what is kept of the first of anything.
        write();
        server.client().must("FLUSHALL");
        let before = settled(&server);
        write();
        let taken = settled(&server) - before;
        let told = server.client().must(&format!("MEMORY USAGE {key}")).integer() as usize;
        assert!((taken * 9 / 10..=taken * 11 / 10).contains(&told), "{key}: {told} are told, {taken} are taken");
        server.client().must("FLUSHALL");
        eventually("all of it to be free", || used_memory(&server) < before + taken / 10);
    }
}

#[test]
fn replies_that_were_sent_do_not_add_up() {
    for target in tesseras() {
        let server = Server::start(target);
        let mut client = server.client();
        client.must("INFO");
        let before = used_memory(&server);
        let longest = (0..100).map(|_| client.must("INFO").text().len()).max().expect("there are some");
        let after = used_memory(&server);
        assert!(
            after < before + 40 * longest,
            "{before} bytes in use became {after} by a hundred replies of {longest}"
        );
    }
}

#[test]
fn unfinished_input_is_told() {
    each_target(|server| {
        let mut client = server.client();
        client.must("CLIENT SETNAME slow");
        let start = format!("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$1000000\r\n{}", "x".repeat(100_000));
        client.raw(start.as_bytes());
        eventually("all of it to be in the buffer", || field(&line_of(server, "slow"), "tot-mem") > 1_000_000);
        let line = line_of(server, "slow");
        assert!(field(&line, "qbuf") + field(&line, "qbuf-free") >= 100_000, "{line}");
        client.raw(format!("{}\r\n", "x".repeat(900_000)).as_bytes());
        assert_eq!(client.read(), Value::ok());
        eventually("the buffer to be gone", || field(&line_of(server, "slow"), "tot-mem") < 100_000);
    });
}

#[test]
fn a_list_of_clients_knows_what_they_sent_before_it() {
    each_target(|server| {
        let mut asking = server.client();
        for round in 0..40 {
            let mut client = server.client();
            let name = format!("sender{round}");
            client.must(&format!("CLIENT SETNAME {name}"));
            client.raw(format!("*2\r\n$4\r\nECHO\r\n$200000\r\n{}", "x".repeat(20_000)).as_bytes());
            let list = asking.must("CLIENT LIST").text();
            let line = list.lines().find(|line| line.contains(&name)).expect("it is connected");
            assert!(field(line, "tot-mem") > 200_000, "round {round}: {line}");
        }
    });
}

#[test]
fn output_that_nobody_reads_is_told() {
    each_target(|server| {
        let mut client = server.client();
        client.must("CLIENT SETNAME deaf");
        client.must(&format!("SET big {}", "x".repeat(1 << 20)));
        let mut request = Vec::new();
        (0..30).for_each(|_| encode_line(&mut request, "GET big"));
        client.raw(&request);
        eventually("output to pile up", || field(&line_of(server, "deaf"), "omem") > 10 << 20);
        let line = line_of(server, "deaf");
        assert!(field(&line, "tot-mem") > field(&line, "omem") && field(&line, "oll") > 0, "{line}");
        client.read_many(30);
        eventually("it to be gone", || field(&line_of(server, "deaf"), "omem") == 0);
    });
}

#[test]
fn plans_do_not_touch_if_the_client_wants_it_so() {
    for target in tesseras() {
        let server = Server::start(target);
        let shards = server.shards();
        let (from, to) = (key_on("from", 0, shards), key_on("to", shards - 1, shards));
        let mut client = server.client();
        client.must("SET origin value");
        let dump = client.must("DUMP origin");
        let payload = dump.as_bytes().expect("a payload");
        client.call(&[b"RESTORE".as_slice(), from.as_bytes(), b"0", payload, b"IDLETIME", b"1000"]);
        client.must("CLIENT NO-TOUCH ON");
        assert_eq!(client.line(&format!("COPY {from} {to}")), Value::Integer(1));
        assert!(client.must(&format!("OBJECT IDLETIME {from}")).integer() >= 1000);
        client.must("CLIENT NO-TOUCH OFF");
        assert_eq!(client.line(&format!("COPY {from} {to} REPLACE")), Value::Integer(1));
        assert!(client.must(&format!("OBJECT IDLETIME {from}")).integer() < 1000);
    }
}

#[test]
fn checksums_are_skipped_on_every_shard() {
    each_target(|server| {
        let mut client = server.client();
        client.must("SET origin value");
        let dump = client.must("DUMP origin");
        let mut payload = dump.as_bytes().expect("a payload").to_vec();
        *payload.last_mut().expect("it has a checksum") ^= 1;
        for n in 0..8 {
            let key = format!("key:{n}");
            let restore = [b"RESTORE".as_slice(), key.as_bytes(), b"0", &payload];
            assert!(client.call(&restore).is_error());
            client.must("DEBUG SET-SKIP-CHECKSUM-VALIDATION 1");
            assert_eq!(client.call(&restore), Value::ok());
            client.must("DEBUG SET-SKIP-CHECKSUM-VALIDATION 0");
        }
        assert_eq!(client.line("GET key:7"), Value::bulk("value"));
    });
}
