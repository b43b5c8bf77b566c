//! Snapshots: what is saved is loaded, here and by Redis, and a file is one point in time whatever goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::client::encode_line;
use crate::support::server::referee;
use crate::support::{Client, Launch, Server, Target, Value, each_target, eventually, targets};

/// Keys of every type, small and large, with and without expiries, in several databases.
fn fill(client: &mut Client) {
    for db in [0, 1, 15] {
        client.must(&format!("SELECT {db}"));
        client.must("SET int 12345");
        client.must("SET negative -7");
        client.must("SET wide 9223372036854775807");
        client.must("SET text hello");
        client.must(&format!("SET long {}", "abc".repeat(5000)));
        client.must("SET expires soon PX 100000000");
        client.must("RPUSH list:small 1 two 3");
        client.must("HSET hash:small f v g 17");
        client.must("SADD set:ints 1 2 3 70000 9999999999");
        client.must("SADD set:small a b c");
        client.must("ZADD zset:small 1 a 2.5 b inf c -inf d");
        client.must("XADD stream 1-1 f v");
        client.must("XADD stream 2-1 f w");
        client.must("XADD stream 3-1 f x");
        client.must("XGROUP CREATE stream group 0");
        client.must("XREADGROUP GROUP group consumer COUNT 2 STREAMS stream >");
        client.must("XDEL stream 1-1");
        for n in 0..600 {
            client.must(&format!("RPUSH list:large element:{n}"));
            client.must(&format!("HSET hash:large field:{n} value:{n}"));
            client.must(&format!("SADD set:large member:{n}"));
            client.must(&format!("ZADD zset:large {n}.5 member:{n}"));
        }
        client.must("PEXPIRE hash:large 100000000");
    }
    client.must("SELECT 0");
}

/// A name for all that is in all databases, expiries aside.
fn digest(server: &Server) -> String {
    server.client().line("DEBUG DIGEST").text()
}

/// The keys of a database with what is known of them.
fn describe(server: &Server, db: u32) -> Vec<String> {
    let mut client = server.client();
    client.must(&format!("SELECT {db}"));
    let mut keys: Vec<String> = client.line("KEYS *").elements().iter().map(Value::text).collect();
    keys.sort();
    let describe = |key: &String| {
        let kind = client.line(&format!("TYPE {key}")).text();
        let encoding = client.line(&format!("OBJECT ENCODING {key}")).text();
        let expire = client.line(&format!("PEXPIRETIME {key}"));
        format!("{key} {kind} {encoding} {expire:?}")
    };
    keys.iter().map(describe).collect()
}

fn restarted(ended: Server, target: Target) -> Server {
    Launch::new(target).after(ended).start()
}

#[test]
fn everything_comes_back_on_any_number_of_shards() {
    for target in targets() {
        let server = Server::start(target);
        fill(&mut server.client());
        let (before, described) = (digest(&server), describe(&server, 15));
        assert_eq!(server.client().line("SAVE").text(), "OK");
        let next = if server.is_tessera() { Target::Tessera(server.shards() % 3 + 1) } else { target };
        let again = restarted(server, next);
        assert_eq!(digest(&again), before);
        assert_eq!(describe(&again, 15), described);
        assert_eq!(again.info("persistence", "rdb_last_load_keys_loaded"), (described.len() * 3).to_string());
        assert_eq!(again.info("persistence", "rdb_changes_since_last_save"), "0");
    }
}

/// The servers of Redis that are here: the one of `PATH`, and the one that `TESSERA_REFEREE_8` names.
fn referees() -> Vec<PathBuf> {
    referee().into_iter().chain(std::env::var_os("TESSERA_REFEREE_8").map(PathBuf::from)).collect()
}

/// The digest that Redis shows of a file, and what it says of keys in database 15.
fn seen_by_redis(program: &Path, server: Server) -> (String, Vec<String>, Server) {
    let redis = Launch::new(Target::Referee).program(program).dir_of(server).start();
    let (digest, described) = (digest(&redis), describe(&redis, 15));
    (digest, described, redis)
}

/// What names an encoding that differs between versions of Redis.
fn without_encodings(described: &[String]) -> Vec<String> {
    described
        .iter()
        .map(|line| line.split(' ').enumerate().filter(|(at, _)| *at != 2).map(|(_, word)| word).collect())
        .collect()
}

#[test]
fn redis_reads_what_is_written_here_and_the_other_way_round() {
    for program in referees() {
        for shards in [1, 3] {
            let server = Server::start(Target::Tessera(shards));
            fill(&mut server.client());
            let (before, described) = (digest(&server), without_encodings(&describe(&server, 15)));
            assert_eq!(server.client().line("SAVE").text(), "OK");
            let (seen, redis_described, redis) = seen_by_redis(&program, server);
            assert_eq!(seen, before);
            assert_eq!(without_encodings(&redis_described), described);
            redis.client().must("SET from redis");
            redis.client().must("LPUSH list:large first");
            let changed = digest(&redis);
            assert_eq!(redis.client().line("SAVE").text(), "OK");
            let again = restarted(redis, Target::Tessera(4 - shards));
            assert_eq!(digest(&again), changed);
            assert_eq!(without_encodings(&describe(&again, 15)), described);
        }
    }
}

#[test]
fn a_reload_changes_nothing() {
    each_target(|server| {
        let mut client = server.client();
        fill(&mut client);
        let (before, described) = (digest(server), describe(server, 15));
        assert_eq!(client.line("DEBUG RELOAD").text(), "OK");
        assert_eq!((digest(server), describe(server, 15)), (before, described));
        client.must("SET new 1");
        client.must("DEL text");
        assert_eq!(client.line("DEBUG RELOAD NOSAVE NOFLUSH MERGE").text(), "OK");
        assert_eq!(client.line("MGET new text"), Value::Array(vec![Value::bulk("1"), Value::bulk("hello")]));
        assert_eq!(client.line("DEBUG RELOAD NOSAVE").text(), "OK");
        assert_eq!(client.line("GET new"), Value::Null);
        assert!(client.line("DEBUG RELOAD AGAIN").error().contains("only supports the MERGE, NOFLUSH and NOSAVE"));
        assert_eq!(client.line("PING").text(), "PONG");
    });
}

#[test]
fn what_is_pipelined_around_a_save_is_on_its_side_of_it() {
    each_target(|server| {
        let mut client = server.client();
        let mut request = Vec::new();
        for n in 0..50 {
            encode_line(&mut request, &format!("SET before:{n} 1"));
        }
        encode_line(&mut request, "SAVE");
        for n in 0..50 {
            encode_line(&mut request, &format!("SET after:{n} 1"));
        }
        client.raw(&request);
        for _ in 0..101 {
            assert_eq!(client.read().text(), "OK");
        }
        assert_eq!(client.line("DBSIZE"), Value::Integer(100));
        assert_eq!(client.line("DEBUG RELOAD NOSAVE").text(), "OK");
        assert_eq!(client.line("DBSIZE"), Value::Integer(50));
        assert_eq!(client.line("EXISTS after:0 after:49"), Value::Integer(0));
    });
}

/// Writes as fast as it can until it is told to end: pairs that are always equal, and counters of which each is never
/// ahead of the one before.
fn storm(server: &Server, number: usize, ends: &Arc<AtomicBool>) -> thread::JoinHandle<()> {
    let (port, ends) = (server.port(), Arc::clone(ends));
    thread::spawn(move || {
        let mut client = Client::connect(port);
        let mut round = 0_u64;
        while !ends.load(Ordering::Relaxed) {
            round += 1;
            let mut request = Vec::new();
            for pair in 0..20 {
                let text = format!("MSET left:{number}:{pair} {round} right:{number}:{pair} {round}");
                encode_line(&mut request, &text);
            }
            for counter in 0..20 {
                encode_line(&mut request, &format!("INCR counter:{number}:{counter}"));
            }
            encode_line(&mut request, &format!("LPUSH list:{number} {round}"));
            encode_line(&mut request, &format!("INCR pushed:{number}"));
            encode_line(&mut request, &format!("DEL gone:{number}:{}", round - 1));
            encode_line(&mut request, &format!("SET gone:{number}:{round} 1"));
            client.raw(&request);
            for _ in 0..44 {
                client.read();
            }
        }
    })
}

/// A file that was saved during a storm of `writers` is a point in time.
fn check_point_in_time(client: &mut Client, writers: usize) {
    let mut number = |key: &str| match client.line(&format!("GET {key}")) {
        Value::Null => 0,
        value => value.text().parse::<u64>().expect("a number"),
    };
    for writer in 0..writers {
        for pair in 0..20 {
            let (left, right) = (number(&format!("left:{writer}:{pair}")), number(&format!("right:{writer}:{pair}")));
            assert_eq!(left, right, "a command on two keys is there wholly or not at all");
        }
        let counters: Vec<u64> = (0..20).map(|counter| number(&format!("counter:{writer}:{counter}"))).collect();
        assert!(counters.is_sorted_by(|a, b| a >= b), "what was sent first is there first: {counters:?}");
        assert!(counters[0] <= counters[19] + 1);
    }
    for writer in 0..writers {
        let pushed = client.line(&format!("GET pushed:{writer}"));
        let pushed = if pushed == Value::Null { 0 } else { pushed.text().parse::<i64>().expect("a number") };
        let Value::Integer(len) = client.line(&format!("LLEN list:{writer}")) else { panic!("a length") };
        assert!(len == pushed || len == pushed + 1, "{len} elements, {pushed} pushes");
        let gone = client.line(&format!("KEYS gone:{writer}:*")).elements().len();
        assert!(gone <= 1, "the one goes before the next comes");
    }
}

#[test]
fn a_snapshot_under_a_storm_is_a_point_in_time() {
    const WRITERS: usize = 3;
    each_target(|server| {
        let mut client = server.client();
        client.must("DEBUG POPULATE 200000 filler 50");
        let ends = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..WRITERS).map(|number| storm(server, number, &ends)).collect();
        for _ in 0..3 {
            thread::sleep(Duration::from_millis(100));
            let saves = server.info("persistence", "rdb_last_save_time");
            assert_eq!(client.line("BGSAVE").text(), "Background saving started");
            if client.line("BGSAVE").is_error() {
                assert_eq!(server.info("persistence", "rdb_last_save_time"), saves);
            }
            eventually("the snapshot to end", || server.info("persistence", "rdb_bgsave_in_progress") == "0");
            assert_eq!(server.info("persistence", "rdb_last_bgsave_status"), "ok");
            let dir = server.dir().join("copy");
            fs::create_dir(&dir).expect("the directory is ours");
            fs::copy(server.dir().join("dump.rdb"), dir.join("dump.rdb")).expect("it was saved");
            let loaded = Launch::new(server.target()).dir(dir).start();
            check_point_in_time(&mut loaded.client(), WRITERS);
            assert_eq!(loaded.client().line("EXISTS filler:0 filler:199999"), Value::Integer(2));
        }
        ends.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.join().expect("a writer that did not panic");
        }
    });
}

#[test]
fn swapped_and_emptied_databases_do_not_mix_into_a_snapshot() {
    for shards in [1, 2] {
        let server = Server::start(Target::Tessera(shards));
        let mut client = server.client();
        client.must("DEBUG POPULATE 3000 zero 10");
        client.must("SELECT 1");
        client.must("DEBUG POPULATE 3000 one 10");
        client.must("SELECT 0");
        // Slow enough for what follows to happen meanwhile.
        client.must("CONFIG SET rdb-key-save-delay 50");
        assert_eq!(client.line("BGSAVE").text(), "Background saving started");
        client.must("SWAPDB 0 1");
        client.must("FLUSHDB");
        client.must("SET zero:1 changed");
        client.must("SWAPDB 1 2");
        assert_eq!(server.info("persistence", "rdb_bgsave_in_progress"), "1", "it is under way still");
        eventually("the snapshot to end", || server.info("persistence", "rdb_bgsave_in_progress") == "0");
        let again = restarted(server, Target::Tessera(3 - shards));
        let mut client = again.client();
        assert_eq!(client.line("DBSIZE"), Value::Integer(3000));
        assert_eq!(client.line("EXISTS zero:0 zero:1 zero:2999"), Value::Integer(3));
        client.must("SELECT 1");
        assert_eq!(client.line("DBSIZE"), Value::Integer(3000));
        assert_eq!(client.line("EXISTS one:0 one:2999"), Value::Integer(2));
    }
}

#[test]
fn flushall_ends_a_snapshot_in_the_background() {
    each_target(|server| {
        let mut client = server.client();
        client.must("DEBUG POPULATE 5000");
        client.must("CONFIG SET rdb-key-save-delay 1000");
        client.must("BGSAVE");
        client.must("FLUSHALL");
        eventually("the snapshot to be dropped", || server.info("persistence", "rdb_bgsave_in_progress") == "0");
        assert!(!server.dir().join("dump.rdb").exists());
        assert_eq!(server.info("persistence", "rdb_last_bgsave_status"), "ok", "that is no failure");
        client.must("CONFIG SET rdb-key-save-delay 0");
        client.must("SET x 1");
        assert_eq!(client.line("SAVE").text(), "OK");
        assert_eq!(server.info("persistence", "rdb_changes_since_last_save"), "0");
    });
}

#[test]
fn what_was_emptied_does_not_come_back() {
    for target in targets() {
        let server = Launch::new(target).args(&["--save", "3600 1000000"]).start();
        let mut client = server.client();
        client.must("DEBUG POPULATE 1000");
        assert_eq!(client.line("SAVE").text(), "OK");
        client.must("FLUSHALL");
        eventually("that to be saved", || server.info("persistence", "rdb_changes_since_last_save") == "0");
        client.must("FLUSHALL");
        assert_eq!(client.line("SAVE").text(), "OK", "it waits for the other one, and is not refused");
        client.must("FLUSHALL");
        assert_eq!(client.line("BGSAVE").text(), "Background saving started");
        server.signal(libc::SIGKILL);
        let again = Launch::new(target).dir_of(server).start();
        assert_eq!(again.client().line("DBSIZE"), Value::Integer(0));
    }
}

#[test]
fn a_server_that_is_killed_while_it_saves_leaves_the_file_before() {
    for target in targets() {
        let server = Server::start(target);
        let mut client = server.client();
        client.must("DEBUG POPULATE 1000");
        assert_eq!(client.line("SAVE").text(), "OK");
        let before = fs::read(server.dir().join("dump.rdb")).expect("it was saved");
        client.must("DEBUG POPULATE 2000 more");
        client.must("CONFIG SET rdb-key-save-delay 1000");
        client.must("BGSAVE");
        thread::sleep(Duration::from_millis(50));
        server.signal(libc::SIGKILL);
        let mut server = server;
        server.wait();
        assert!(fs::read(server.dir().join("dump.rdb")).expect("it is there") == before);
        let again = restarted(server, target);
        assert_eq!(again.client().line("DBSIZE"), Value::Integer(1000));
    }
}

/// While no snapshot can be written: a transaction, of which `queued` has one open from before, and scripts.
fn refuses_writes_by_detours(client: &mut Client, queued: &mut Client) {
    assert!(queued.line("EXEC").error().starts_with("EXECABORT Transaction discarded because of: MISCONF "));
    client.must("MULTI");
    assert!(client.line("SET small 2").error().starts_with("MISCONF "));
    assert_eq!(client.line("EXEC").error(), "EXECABORT Transaction discarded because of previous errors.");
    let mut eval = |script: &str| client.call(&["EVAL", script, "1", "small"]);
    assert!(eval("return redis.call('set', KEYS[1], 2)").error().starts_with("MISCONF "));
    assert!(eval("#!lua\nreturn 1").error().starts_with("MISCONF "), "it says that it may write");
    assert_eq!(eval("#!lua flags=no-writes\nreturn redis.call('get', KEYS[1])").text(), "1");
    assert_eq!(eval("return redis.call('get', KEYS[1])").text(), "1");
}

#[test]
fn a_full_disk_is_an_error_and_loses_nothing() {
    for shards in [1, 2] {
        let server = Launch::new(Target::Tessera(shards)).args(&["--save", "3600 1"]).start();
        let mut client = server.client();
        client.must("SET small 1");
        assert_eq!(client.line("SAVE").text(), "OK");
        let before = fs::read(server.dir().join("dump.rdb")).expect("it was saved");
        let mut queued = server.client();
        queued.must("MULTI");
        queued.must("SET small 2");
        client.must("DEBUG POPULATE 20000 big 100");
        crate::support::process::limit_file_size(server.pid(), 100_000);
        assert_eq!(client.line("SAVE").error(), "ERR");
        client.must("BGSAVE");
        eventually("the snapshot to fail", || server.info("persistence", "rdb_last_bgsave_status") == "err");
        eventually("the snapshot to end", || server.info("persistence", "rdb_bgsave_in_progress") == "0");
        assert!(fs::read(server.dir().join("dump.rdb")).expect("it is there") == before);
        let left: Vec<_> =
            fs::read_dir(server.dir()).expect("a directory").flatten().map(|file| file.file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("temp-")), "{left:?}");
        assert!(client.line("SET x 1").error().starts_with("MISCONF "));
        assert!(client.line("PING").error().starts_with("MISCONF "));
        assert_eq!(client.line("GET small").text(), "1");
        refuses_writes_by_detours(&mut client, &mut queued);
        assert!(client.line("SHUTDOWN").error().contains("Errors trying to SHUTDOWN"));
        crate::support::process::limit_file_size(server.pid(), libc::RLIM_INFINITY);
        client.must("BGSAVE");
        eventually("the snapshot to succeed", || server.info("persistence", "rdb_last_bgsave_status") == "ok");
        assert_eq!(client.line("SET x 1").text(), "OK");
        assert_eq!(client.line("DEBUG RELOAD NOSAVE").text(), "OK");
        assert_eq!(client.line("DBSIZE"), Value::Integer(20001));
    }
}

#[test]
fn a_server_that_is_told_to_end_saves_first() {
    for (how, saves) in [("SHUTDOWN", true), ("SHUTDOWN NOSAVE", false), ("SHUTDOWN SAVE", true), ("SIGTERM", true)] {
        let target = Target::Tessera(2);
        let mut server = Launch::new(target).args(&["--save", "3600 1000000"]).start();
        let mut client = server.client();
        let mut request = Vec::new();
        for n in 0..100 {
            encode_line(&mut request, &format!("SET key:{n} 1"));
        }
        if how == "SIGTERM" {
            client.raw(&request);
            (0..100).for_each(|_| drop(client.read()));
            server.signal(libc::SIGTERM);
        } else {
            encode_line(&mut request, how);
            client.raw(&request);
        }
        assert_eq!(server.wait().code(), Some(0), "{how}");
        let again = restarted(server, target);
        assert_eq!(again.client().line("DBSIZE"), Value::Integer(if saves { 100 } else { 0 }), "{how}");
    }
}

#[test]
fn a_save_point_saves() {
    each_target(|server| {
        let mut client = server.client();
        client.call(&["CONFIG", "SET", "save", "1 3"]);
        client.must("MSET a 1 b 2 c 3 d 4");
        eventually("the save point to save", || server.info("persistence", "rdb_changes_since_last_save") == "0");
        assert!(server.dir().join("dump.rdb").exists());
        client.call(&["CONFIG", "SET", "save", ""]);
    });
}

#[test]
fn where_a_snapshot_goes_can_be_changed() {
    for target in targets() {
        let server = Launch::new(target).args(&["--enable-protected-configs", "yes"]).start();
        let mut client = server.client();
        client.must("SET a 1");
        let dir = server.dir().join("elsewhere");
        fs::create_dir(&dir).expect("the directory is ours");
        let name = dir.to_str().expect("a name of ours");
        client.must(&format!("CONFIG SET dir {name} dbfilename other.rdb rdbcompression no"));
        assert_eq!(client.line("SAVE").text(), "OK");
        assert!(dir.join("other.rdb").exists() && !server.dir().join("dump.rdb").exists());
        assert_eq!(client.line("DEBUG RELOAD NOSAVE").text(), "OK");
        assert_eq!(client.line("GET a").text(), "1");
    }
}

/// Starts on a file with these bytes, which cannot be loaded; what the server prints.
fn refused(target: Target, bytes: &[u8]) -> String {
    let server = Server::start(target);
    fs::write(server.dir().join("dump.rdb"), bytes).expect("the directory is ours");
    let failure = Launch::new(target).after(server).try_start().map(|_| ()).expect_err("the file is damaged");
    assert_eq!(failure.status.code(), Some(1));
    failure.output
}

#[test]
fn a_damaged_file_is_refused_with_the_place() {
    for shards in [1, 2] {
        let target = Target::Tessera(shards);
        let server = Server::start(target);
        server.client().must("MSET a 1 b 2 c 3");
        assert_eq!(server.client().line("SAVE").text(), "OK");
        let good = fs::read(server.dir().join("dump.rdb")).expect("it was saved");
        drop(server);
        let end = good.len();
        let mut wrong_sum = good.clone();
        wrong_sum[end - 3] ^= 1;
        let output = refused(target, &wrong_sum);
        assert!(output.contains(&format!("reading offset {end} ->")) && output.contains("RDB CRC error"), "{output}");
        let output = refused(target, &good[..end - 12]);
        assert!(output.contains(&format!("reading offset {} -> Unexpected EOF", end - 12)), "{output}");
        assert!(refused(target, b"REDIS0099").contains("Can't handle RDB format version 99"));
        assert!(refused(target, b"not a snapshot").contains("Wrong signature"));
        let too_many = b"REDIS0010\xfe\x10\x00\x01k\x01v\xff\0\0\0\0\0\0\0\0";
        assert!(refused(target, too_many).contains("more than 16 databases"));
        let twice = b"REDIS0010\xfe\x00\x00\x01k\x01v\x00\x01k\x01v\xff\0\0\0\0\0\0\0\0";
        assert!(refused(target, twice).contains("duplicated key 'k' in DB 0"));
    }
}

fn is_loading(reply: &Value) -> bool {
    reply.is_error() && reply.error() == "LOADING Redis is loading the dataset in memory"
}

#[test]
fn clients_are_told_while_a_file_is_loading() {
    for shards in [1, 2] {
        let target = Target::Tessera(shards);
        let server = Server::start(target);
        server.client().must("DEBUG POPULATE 20000");
        assert_eq!(server.client().line("SAVE").text(), "OK");
        let port = server.port();
        // The old server is gone from here on.
        let launch = Launch::new(target).args(&["--key-load-delay", "50"]).after(server);
        let starting = thread::spawn(move || launch.start());
        let mut client = None;
        // The kernel takes its time to close the sockets of the server before.
        eventually("the server to answer", || {
            client = Client::try_connect(port).ok();
            let Some(client) = &mut client else { return false };
            client.try_raw(b"PING\r\n").is_ok() && client.try_read().is_ok_and(|reply| is_loading(&reply))
        });
        let mut client = client.expect("it was looked at");
        assert!(client.line("SET a 1").error().starts_with("LOADING "));
        let info = client.line("INFO persistence").text();
        assert!(info.contains("loading:1\r\n") && info.contains("loading_total_bytes:"), "{info}");
        let server = starting.join().expect("it starts");
        assert_eq!(client.line("DBSIZE"), Value::Integer(20_000));
        assert_eq!(server.info("persistence", "loading"), "0");
    }
}

#[test]
fn what_has_expired_is_not_loaded() {
    for target in targets() {
        let server = Server::start(target);
        let mut client = server.client();
        client.must("DEBUG SET-ACTIVE-EXPIRE 0");
        for n in 0..20 {
            client.must(&format!("SET short:{n} 1 PX 10"));
            client.must(&format!("SET long:{n} 1 PX 10000000"));
        }
        thread::sleep(Duration::from_millis(30));
        assert_eq!(client.line("SAVE").text(), "OK");
        let again = restarted(server, target);
        assert_eq!(again.client().line("DBSIZE"), Value::Integer(20));
        assert_eq!(again.info("persistence", "rdb_last_load_keys_expired"), "20");
    }
}
