//! `maxmemory` and `maxmemory-clients`: what goes, who hears of it, and what is refused.

use std::time::Duration;

use crate::support::client::{Protocol, encode_line};
use crate::support::process::rss_bytes;
use crate::support::slots::key_on;
use crate::support::{Client, Launch, Server, Target, Value, each_target, eventually, targets};

const OOM: &str = "OOM command not allowed when used memory > 'maxmemory'.";

fn tesseras() -> Vec<Target> {
    targets().into_iter().filter(|target| matches!(target, Target::Tessera(_))).collect()
}

fn number(server: &Server, section: &str, field: &str) -> u64 {
    server.info(section, field).parse().unwrap_or_else(|_| panic!("{field} is a number"))
}

/// Sets the limit to so many bytes more than are in use, once what was removed before is freed.
fn limit_to(server: &Server, more: u64, policy: &str) -> u64 {
    eventually("the memory of what is gone to be free", || number(server, "memory", "lazyfree_pending_objects") == 0);
    let limit = number(server, "memory", "used_memory") + more;
    server.client().must(&format!("CONFIG SET maxmemory {limit} maxmemory-policy {policy}"));
    limit
}

/// Sets `count` keys called `name:number` to values of so many bytes; `tail` ends each command.
fn fill(client: &mut Client, name: &str, count: usize, bytes: usize, tail: &str) -> usize {
    let value = "v".repeat(bytes);
    let mut refused = 0;
    for first in (0..count).step_by(500) {
        let last = (first + 500).min(count);
        let mut request = Vec::new();
        (first..last).for_each(|n| encode_line(&mut request, &format!("SET {name}:{n} {value}{tail}")));
        client.raw(&request);
        refused += client.read_many(last - first).iter().filter(|reply| reply.is_error()).count();
    }
    refused
}

#[test]
fn every_policy_keeps_the_limit() {
    let policies = ["allkeys-lru", "allkeys-lfu", "allkeys-random"];
    let volatile = ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"];
    each_target(|server| {
        let mut client = server.client();
        for policy in policies.into_iter().chain(volatile) {
            client.must("CONFIG SET maxmemory 0");
            client.must("FLUSHALL");
            let limit = limit_to(server, 4 << 20, policy);
            let tail = if policies.contains(&policy) { "" } else { " EX 1000" };
            let refused = fill(&mut client, "key", 20_000, 1000, tail);
            assert_eq!(refused, 0, "{policy}");
            eventually("memory to be below the limit", || {
                number(server, "memory", "used_memory") <= limit + (64 << 10)
            });
            let left = client.must("DBSIZE").integer();
            assert!((500..5_000).contains(&left), "{policy}: {left} keys are left");
        }
    });
}

#[test]
fn room_that_a_question_travels_in_is_not_in_use() {
    // A batch between two cores has the room of the fullest one before, whatever it carries now.
    let server = Server::start(Target::Tessera(4));
    let mut clients: Vec<Client> = (0..8).map(|_| server.client()).collect();
    for round in 0..3 {
        fill(&mut clients[round], "key", 8000, 1000, "");
        let in_use = |stats: &Value| stats.field("total.allocated").expect("it is there").integer();
        let used: Vec<i64> = clients.iter_mut().map(|client| in_use(&client.must("MEMORY STATS"))).collect();
        let [least, most] = [used.iter().min(), used.iter().max()].map(|bytes| *bytes.expect("there are clients"));
        assert!(most - least < 48 << 10, "in use, as each client is told: {used:?}");
    }
}

#[test]
fn only_keys_with_an_expiry_go_if_the_policy_says_so() {
    each_target(|server| {
        let mut client = server.client();
        fill(&mut client, "kept", 1000, 100, "");
        limit_to(server, 2 << 20, "volatile-lru");
        assert_eq!(fill(&mut client, "gone", 10_000, 1000, " EX 1000"), 0);
        assert!(fill(&mut client, "more", 10_000, 1000, "") > 5_000, "what cannot go is refused in the end");
        let kept: Vec<String> = (0..1000).map(|n| format!("kept:{n}")).collect();
        assert_eq!(client.line(&format!("EXISTS {}", kept.join(" "))), Value::Integer(1000));
        // The buffers of the commands before are gone now, and leave some room.
        let value = "v".repeat(1000);
        let mut last = (0..20_000).map(|n| client.line(&format!("SET last:{n} {value}")));
        assert!(last.any(|reply| reply.is_error() && reply.error() == OOM));
        let expires = client.must("INFO keyspace").text();
        assert!(expires.contains("expires=0"), "{expires}");
    });
}

#[test]
fn nothing_is_evicted_and_writes_are_refused_without_a_policy() {
    each_target(|server| {
        let mut client = server.client();
        client.must("SET key value");
        client.must("CONFIG SET maxmemory 1");
        assert_eq!(client.line("SET key other").error(), OOM);
        assert_eq!(client.line("MSET a 1 b 2 c 3 d 4").error(), OOM);
        assert_eq!(client.line("GET key"), Value::bulk("value"));
        assert!(client.line("EVAL \"return redis.call('set','a','1')\" 1 a").is_error());
        assert_eq!(client.line("MULTI"), Value::ok());
        assert_eq!(client.line("SET key other").error(), OOM);
        assert!(client.line("EXEC").error().starts_with("EXECABORT"));
        assert_eq!(client.line("DEL key"), Value::Integer(1), "what frees memory goes through");
        client.must("CONFIG SET maxmemory 0");
        assert_eq!(client.line("SET key other"), Value::ok());
        assert_eq!(number(server, "stats", "evicted_keys"), 0);
        assert_eq!(number(server, "stats", "current_eviction_exceeded_time"), 0);
    });
}

#[test]
fn those_used_lately_stay() {
    // Uses are known by the second, so some must pass. On one shard: of a limit so small the shards that happen to run
    // exceed the high mark at once on a busy machine, and the order is that of each alone.
    let server = Server::start(Target::Tessera(1));
    let mut client = server.client();
    fill(&mut client, "old", 3000, 1000, "");
    std::thread::sleep(Duration::from_millis(2100));
    let used: Vec<String> = (0..500).map(|n| format!("old:{n}")).collect();
    client.must(&format!("MGET {}", used.join(" ")));
    limit_to(&server, 200_000, "allkeys-lru");
    fill(&mut client, "new", 1500, 1000, "");
    let left = client.must(&format!("EXISTS {}", used.join(" "))).integer();
    assert!(left > 480, "{left} of 500 keys that were used are left");
    assert!(number(&server, "stats", "evicted_keys") > 1000);
}

#[test]
fn a_shard_keeps_what_was_used_while_another_has_what_was_not() {
    let server = Server::start(Target::Tessera(2));
    let (cold, hot) = (key_on("cold", 0, 2), key_on("hot", 1, 2));
    let mut client = server.client();
    // So many that a core may be kept waiting for its turn while the other one writes.
    fill(&mut client, &format!("{{{cold}}}"), 30_000, 1000, "");
    std::thread::sleep(Duration::from_secs(3));
    fill(&mut client, &format!("{{{hot}}}"), 2000, 1000, "");
    limit_to(&server, 0, "allkeys-lru");
    let value = "v".repeat(1000);
    for first in (0..5000).step_by(20) {
        let mut request = Vec::new();
        (first..first + 20).for_each(|n| encode_line(&mut request, &format!("SET {{{hot}}}:new:{n} {value}")));
        client.raw(&request);
        assert!(client.read_many(20).iter().all(|reply| !reply.is_error()));
    }
    let kept: Vec<String> = (0..2000).map(|n| format!("{{{hot}}}:{n}")).collect();
    let kept = client.must(&format!("EXISTS {}", kept.join(" "))).integer();
    let new: Vec<String> = (0..5000).map(|n| format!("{{{hot}}}:new:{n}")).collect();
    let new = client.must(&format!("EXISTS {}", new.join(" "))).integer();
    assert!(kept > 1950 && new > 4900, "{kept} of 2000 keys and {new} of 5000 are left of the shard that was used");
}

#[test]
fn a_policy_counts_from_the_next_command_on() {
    each_target(|server| {
        let mut client = server.client();
        fill(&mut client, "key", 2000, 1000, "");
        // Far below what is in use: buffers come and go.
        let limit = number(server, "memory", "used_memory") - 1_000_000;
        client.must(&format!("CONFIG SET maxmemory {limit}"));
        assert_eq!(client.line("SET other value").error(), OOM);
        let mut request = Vec::new();
        encode_line(&mut request, "CONFIG SET maxmemory-policy allkeys-lru");
        (0..20).for_each(|n| encode_line(&mut request, &format!("SET other:{n} value")));
        client.raw(&request);
        assert_eq!(client.read_many(21), vec![Value::ok(); 21], "there are keys that may go");
    });
}

#[test]
fn a_large_value_does_not_come_before_the_small_ones_in_its_place_are_gone() {
    for target in tesseras() {
        let server = Server::start(target);
        let mut client = server.client();
        let limit = limit_to(&server, 10 << 20, "allkeys-lru");
        let small = "v".repeat(20);
        for first in (0..200_000).step_by(1000) {
            let mut request = Vec::new();
            (first..first + 1000).for_each(|n| encode_line(&mut request, &format!("SET small:{n} {small}")));
            client.raw(&request);
            client.read_many(1000);
        }
        let large = "v".repeat(50_000);
        for round in 0..20 {
            let mut request = Vec::new();
            (0..20).for_each(|n| encode_line(&mut request, &format!("SET large:{round}:{n} {large}")));
            client.raw(&request);
            assert!(client.read_many(20).iter().all(|reply| !reply.is_error()));
            let used = number(&server, "memory", "used_memory");
            // What is on its way, in sockets' buffers and between cores, comes on top.
            assert!(used < limit + (3 << 20), "{used} bytes are used of {limit} in round {round}");
        }
    }
}

#[test]
fn whoever_wants_to_know_hears_of_an_eviction() {
    each_target(|server| {
        let shards = server.shards();
        let key = key_on("key", shards - 1, shards);
        let mut listener = server.client();
        listener.must("CONFIG SET notify-keyspace-events Ee");
        listener.line("SUBSCRIBE __keyevent@0__:evicted");
        let mut watcher = server.client();
        watcher.must(&format!("SET {key} value"));
        watcher.must(&format!("WATCH {key}"));
        let mut tracker = server.client();
        tracker.hello(Protocol::Resp3);
        tracker.must("CLIENT TRACKING ON");
        tracker.must(&format!("GET {key}"));
        server.client().must("CONFIG SET maxmemory 1 maxmemory-policy allkeys-lru");
        assert_eq!(listener.read().elements()[2], Value::bulk(&key));
        assert_eq!(tracker.read().elements()[0], Value::bulk("invalidate"));
        server.client().must("CONFIG SET maxmemory 0");
        watcher.must("MULTI");
        watcher.must("PING");
        assert_eq!(watcher.line("EXEC"), Value::NullArray, "a watched key is gone");
        assert_eq!(number(server, "stats", "evicted_keys"), 1);
    });
}

#[test]
fn one_shard_may_use_what_others_leave() {
    for target in tesseras() {
        let server = Server::start(target);
        let limit = limit_to(&server, 8 << 20, "allkeys-lru");
        let mut client = server.client();
        // All on one shard.
        let value = "v".repeat(1000);
        for first in (0..20_000).step_by(500) {
            let mut request = Vec::new();
            (first..first + 500).for_each(|n| encode_line(&mut request, &format!("SET {{hot}}:{n} {value}")));
            client.raw(&request);
            assert!(client.read_many(500).iter().all(|reply| !reply.is_error()));
        }
        let left = client.must("DBSIZE").integer();
        assert!(left > 6_000, "{left} keys of the one shard take the whole limit of {limit}");
    }
}

#[test]
fn resident_memory_stays_at_the_limit_while_sizes_change() {
    const LIMIT: u64 = 100 << 20;
    for target in tesseras() {
        let limit = LIMIT.to_string();
        let server = Launch::new(target).args(&["--maxmemory", &limit, "--maxmemory-policy", "allkeys-lru"]).start();
        let mut client = server.client();
        for (phase, bytes, count) in [(0, 1000, 120_000), (1, 50, 300_000), (2, 10_000, 10_000), (3, 700, 100_000)] {
            let value = "v".repeat(bytes);
            for first in (0..count).step_by(100) {
                let mut request = Vec::new();
                (first..first + 100).for_each(|n| encode_line(&mut request, &format!("SET {phase}:{n} {value}")));
                client.raw(&request);
                assert!(client.read_many(100).iter().all(|reply| !reply.is_error()));
                let resident = rss_bytes(server.pid());
                assert!(resident < LIMIT + LIMIT / 6, "{resident} bytes are resident in phase {phase}");
            }
        }
    }
}

#[test]
fn replies_on_their_way_cost_no_keys() {
    for target in tesseras() {
        let server = Server::start(target);
        let mut client = server.client();
        fill(&mut client, "key", 50, 100_000, "");
        limit_to(&server, 1 << 20, "allkeys-lru");
        // Larger together than what is left, but each is taken before the next is asked for.
        let keys: Vec<String> = (0..50).map(|n| format!("key:{n}")).collect();
        for _ in 0..10 {
            let values = client.must(&format!("MGET {}", keys.join(" ")));
            let is_whole = |value: &Value| value.as_bytes().is_some_and(|value| value.len() == 100_000);
            assert!(values.elements().iter().all(is_whole), "{target:?}");
        }
        assert_eq!(number(&server, "stats", "evicted_keys"), 0, "{target:?}");
    }
}

#[test]
fn commands_on_their_way_cost_no_keys() {
    each_target(|server| {
        let mut client = server.client();
        fill(&mut client, "key", 1000, 1000, "");
        limit_to(server, 1 << 20, "allkeys-lru");
        // Many times what is left, and none of it stays.
        let value = "w".repeat(1000);
        let mut request = Vec::new();
        (0..8000).for_each(|n| encode_line(&mut request, &format!("SET key:{} {value} NX", n % 1000)));
        for _ in 0..5 {
            client.raw(&request);
            assert!(client.read_many(8000).iter().all(|reply| *reply == Value::Null), "all keys are there");
        }
        assert_eq!(number(server, "stats", "evicted_keys"), 0);
    });
}

#[test]
fn news_of_evicted_keys_evicts_no_more() {
    each_target(|server| {
        let mut clients: Vec<Client> = (0..10).map(|_| server.client()).collect();
        for client in &mut clients {
            client.hello(Protocol::Resp3);
            client.must("CLIENT TRACKING ON");
        }
        let mut control = server.client();
        let keys: Vec<String> = (0..300).map(|n| format!("{n}:{}", "x".repeat(1000))).collect();
        for key in &keys {
            control.must(&format!("SET {key} value"));
            for client in &mut clients {
                client.must(&format!("GET {key}"));
            }
        }
        // What buffers and batches took is gone when nothing was asked for a while.
        std::thread::sleep(Duration::from_millis(1100));
        let limit = number(server, "memory", "used_memory") - 40_000;
        control.must(&format!("CONFIG SET maxmemory {limit} maxmemory-policy allkeys-lru"));
        // Nothing is asked meanwhile: what the answers take, on each shard, was not there when the limit was chosen.
        std::thread::sleep(Duration::from_millis(500));
        let evicted = number(server, "stats", "evicted_keys");
        // A kilobyte of each is its name, another one the name in the table of those who have read it.
        assert!((10..=50).contains(&evicted), "each of {evicted} keys of a kilobyte was told to ten clients");
    });
}

#[test]
fn a_share_of_the_machine_is_a_limit() {
    for target in tesseras() {
        let server = Launch::new(target).args(&["--maxmemory", "50%"]).start();
        let mut client = server.client();
        assert_eq!(client.must("CONFIG GET maxmemory").elements()[1].text(), "50%");
        let bytes = number(&server, "memory", "maxmemory");
        let machine = number(&server, "memory", "total_system_memory");
        assert!(bytes > 16 << 20 && bytes <= machine / 2, "{bytes} of {machine}");
        client.must("CONFIG SET maxmemory 1gb");
        assert_eq!(client.must("CONFIG GET maxmemory").elements()[1].text(), "1073741824");
    }
}

#[test]
fn the_largest_clients_are_closed_first() {
    each_target(|server| {
        let mut control = server.client();
        control.must("CLIENT NO-EVICT ON");
        let mut clients: Vec<Client> = [100, 3000, 200, 2000, 300, 1000]
            .into_iter()
            .map(|kilobytes| {
                let mut client = server.client();
                client.must(&format!("CLIENT SETNAME size:{kilobytes}"));
                let bytes = kilobytes * 1000;
                client.raw(format!("*2\r\n$3\r\nGET\r\n${bytes}\r\n{}", "x".repeat(bytes / 2)).as_bytes());
                client
            })
            .collect();
        let mut list = || control.must("CLIENT LIST").text();
        eventually("all of them to be read", || {
            let text = list();
            text.lines().filter(|line| line.contains("name=size:")).all(|line| {
                let memory = line.split("tot-mem=").nth(1).expect("it has the field");
                let bytes: usize = memory.split(' ').next().expect("it has a value").parse().expect("it is a number");
                bytes > 90_000
            })
        });
        server.client().must("CONFIG SET maxmemory-clients 2500000");
        let is_there = |text: &str, size: usize| text.contains(&format!("name=size:{size} "));
        eventually("the two largest to be closed", || {
            let text = list();
            !is_there(&text, 3000) && !is_there(&text, 2000)
        });
        let text = list();
        assert!([100, 200, 300, 1000].into_iter().all(|size| is_there(&text, size)), "{text}");
        assert!(clients[1].is_closed() && clients[3].is_closed());
        assert_eq!(number(server, "stats", "evicted_clients"), 2);
    });
}
