//! Append-only files that this server writes: whatever wrote to it, what is loaded from them is the same data set, here and
//! by Redis.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::replay::{digest, ended, write};
use crate::support::client::encode_line;
use crate::support::server::referee;
use crate::support::{Client, Launch, Server, Target, Value, eventually, targets};

/// What `write` does not do: commands for all keys, waits, times, libraries.
fn write_more(client: &mut Client, server: &Server) {
    let mut waiting = server.client();
    waiting.send(&["BLMOVE", "source:of:moves", "target:of:moves", "LEFT", "RIGHT", "0"]);
    eventually("the wait", || server.info("clients", "blocked_clients") == "1");
    client.must("RPUSH source:of:moves a b");
    assert_eq!(waiting.read().text(), "a");
    client.must("SET gone:soon x PX 1");
    client.must("HSET fields a 1 b 2");
    client.must("HPEXPIRE fields 1 FIELDS 1 a");
    client.must("SELECT 7");
    client.must("SET flushed:db x");
    client.must("FLUSHDB");
    client.must("SET kept:in:seven x");
    client.must("SWAPDB 7 8");
    client.must("SELECT 0");
    client.call(&["FUNCTION", "LOAD", "#!lua name=one\nredis.register_function('one', function() return 1 end)"]);
    client.call(&["FUNCTION", "LOAD", "#!lua name=two\nredis.register_function('two', function() return 2 end)"]);
    client.must("FUNCTION DELETE two");
    let long = "for i = 1, 30000 do redis.call('incr', KEYS[1]) end return redis.call('get', KEYS[1])";
    assert_eq!(client.call(&["EVAL", long, "1", "counted:by:script"]).text(), "30000");
    client.must("MULTI");
    client.must("INCR one:of:two");
    client.must("INCR two:of:two");
    client.must("EXEC");
    eventually("the sweep", || client.line("EXISTS gone:soon").integer() == 0);
}

fn libraries(server: &Server) -> String {
    format!("{:?}", server.client().line("FUNCTION LIST"))
}

/// Fills a server with writes of all kinds, from several clients.
fn fill(server: &Server) {
    let mut client = server.client();
    client.must("SET before:all x");
    client.must("FLUSHALL");
    write(&mut client, 1);
    write_more(&mut client, server);
}

#[test]
fn what_was_written_is_loaded_again() {
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        for how in ["everysec", "always", "no"] {
            let server = Launch::new(target).args(&["--appendonly", "yes", "--appendfsync", how]).start();
            fill(&server);
            let (before, functions) = (digest(&server), libraries(&server));
            server.client().must("DEBUG LOADAOF");
            assert_eq!(digest(&server), before, "{target:?}, {how}: DEBUG LOADAOF");
            server.client().must("SET behind:the:load x");
            let before = digest(&server);
            let server = Launch::new(target).args(&["--appendonly", "yes"]).after(ended(server)).start();
            assert_eq!(digest(&server), before, "{target:?}, {how}: a new start");
            assert_eq!(libraries(&server), functions);
        }
    }
}

#[test]
fn any_number_of_shards_goes_on_with_the_files() {
    let mut server = Launch::new(Target::Tessera(2)).args(&["--appendonly", "yes"]).start();
    for shards in [4, 1, 3] {
        fill(&server);
        server.client().must(&format!("SET shards {shards}"));
        let before = digest(&server);
        server = Launch::new(Target::Tessera(shards)).args(&["--appendonly", "yes"]).after(ended(server)).start();
        assert_eq!(digest(&server), before, "{shards} shards");
    }
}

#[test]
fn redis_loads_what_was_written() {
    let Some(program) = referee() else { return };
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        let server = Launch::new(target).args(&["--appendonly", "yes"]).start();
        let mut client = server.client();
        // Of fields that expire this Redis knows nothing.
        write(&mut client, 1);
        client.must("SWAPDB 0 9");
        write(&mut client, 2);
        client.must("BGREWRITEAOF");
        write(&mut client, 3);
        eventually("the rewrite", || server.info("persistence", "aof_rewrite_in_progress") == "0");
        assert_eq!(server.info("persistence", "aof_last_bgrewrite_status"), "ok");
        client.must("SWAPDB 9 2");
        let before = digest(&server);
        let server = ended(server);
        let redis = Launch::new(Target::Referee).program(&program).args(&["--appendonly", "yes"]).after(server).start();
        assert_eq!(digest(&redis), before, "{target:?}");
    }
}

#[test]
fn a_log_is_turned_on_and_off_and_on() {
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        let server = Launch::new(target).start();
        let mut client = server.client();
        write(&mut client, 1);
        let on = |client: &mut Client| {
            client.must("CONFIG SET appendonly yes");
            write(client, 2);
            eventually("the base", || {
                let rewrites = server.info("persistence", "aof_rewrites");
                rewrites != "0" && server.info("persistence", "aof_rewrite_in_progress") == "0"
            });
            write(client, 3);
        };
        on(&mut client);
        client.must("CONFIG SET appendonly no");
        client.must("SET not:in:the:log x");
        client.must("CONFIG RESETSTAT");
        client.must("CONFIG SET appendonly yes");
        eventually("the second base", || server.info("persistence", "aof_rewrites") == "2");
        client.must("INCR behind:the:base");
        let before = digest(&server);
        let server = Launch::new(target).args(&["--appendonly", "yes"]).after(ended(server)).start();
        assert_eq!(digest(&server), before, "{target:?}");
    }
}

#[test]
fn a_rewrite_ends_with_its_log() {
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        let server = Launch::new(target).args(&["--appendonly", "yes"]).start();
        let mut client = server.client();
        for number in 0..100 {
            client.must(&format!("SET key:{number} x"));
        }
        client.must("CONFIG SET rdb-key-save-delay 2000000");
        client.must("BGREWRITEAOF");
        let is_rewriting = || server.info("persistence", "aof_rewrite_in_progress") == "1";
        eventually("the rewrite", is_rewriting);
        client.must("CONFIG SET appendonly no");
        eventually("its end", || !is_rewriting());
        assert_eq!(server.info("persistence", "aof_last_bgrewrite_status"), "ok", "{target:?}: nothing has failed");
        client.must("CONFIG SET rdb-key-save-delay 0");
        client.must("CONFIG SET appendonly yes");
        eventually("the base", || server.info("persistence", "aof_rewrites") == "1" && !is_rewriting());
        let before = digest(&server);
        let server = Launch::new(target).args(&["--appendonly", "yes"]).after(ended(server)).start();
        assert_eq!(digest(&server), before, "{target:?}");
    }
}

#[test]
fn a_killed_server_has_lost_nothing_that_it_has_acknowledged() {
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        let mut server = Launch::new(target).args(&["--appendonly", "yes"]).start();
        let mut writers = Vec::new();
        for writer in 0..4 {
            let mut client = server.client();
            writers.push(thread::spawn(move || {
                let mut acknowledged = 0_u64;
                // Until the server is gone.
                loop {
                    let mut command = Vec::new();
                    encode_line(&mut command, &format!("MSET a:{writer} {acknowledged} b:{writer} {acknowledged}"));
                    let Ok(reply) = client.try_raw(&command).and_then(|()| client.try_read()) else {
                        return acknowledged;
                    };
                    assert_eq!(reply, Value::ok());
                    acknowledged += 1;
                }
            }));
        }
        thread::sleep(Duration::from_millis(400));
        server.signal(9);
        server.wait();
        let acknowledged: Vec<u64> = writers.into_iter().map(|writer| writer.join().expect("a writer ends")).collect();
        let server = Launch::new(target).args(&["--appendonly", "yes"]).after(server).start();
        let mut client = server.client();
        for (writer, count) in acknowledged.into_iter().enumerate() {
            assert!(count > 0, "a writer was served");
            let (a, b) =
                (client.line(&format!("GET a:{writer}")).text(), client.line(&format!("GET b:{writer}")).text());
            assert_eq!(a, b, "{target:?}: an MSET is there wholly or not");
            let found: u64 = a.parse().expect("a number was written");
            assert!(found + 1 >= count, "{target:?}: {found} is there, {count} were acknowledged");
        }
    }
}

#[test]
fn files_grow_and_are_written_anew() {
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        let server = Launch::new(target)
            .args(&[
                "--appendonly",
                "yes",
                "--auto-aof-rewrite-percentage",
                "100",
                "--auto-aof-rewrite-min-size",
                "200kb",
            ])
            .start();
        let mut client = server.client();
        let value = "x".repeat(1000);
        for n in 0..1000 {
            client.call(&["SET", &format!("key:{}", n % 10), &value]);
        }
        eventually("a rewrite by itself", || server.info("persistence", "aof_rewrites") != "0");
        eventually("its end", || server.info("persistence", "aof_rewrite_in_progress") == "0");
        let before = digest(&server);
        let names = fs::read_dir(server.dir().join("appendonlydir")).expect("there is a directory").count();
        assert!(names <= 2 + 2 * 4, "{names} files: what is not needed is removed");
        let server = Launch::new(target).args(&["--appendonly", "yes"]).after(ended(server)).start();
        assert_eq!(digest(&server), before);
    }
}

#[test]
fn a_base_of_commands_is_the_same_data_here_and_in_redis() {
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        let args = ["--appendonly", "yes", "--aof-use-rdb-preamble", "no"];
        let server = Launch::new(target).args(&args).start();
        let mut client = server.client();
        write(&mut client, 1);
        client.must("XGROUP CREATE stream:1 group 0");
        client.must("XREADGROUP GROUP group c COUNT 5 STREAMS stream:1 >");
        client.must("XACK stream:1 group 1-2");
        client.must("XDEL stream:1 1-3");
        client.must("XADD emptied 5-1 a b");
        client.must("XDEL emptied 5-1");
        client.must("BGREWRITEAOF");
        eventually("the rewrite", || server.info("persistence", "aof_rewrite_in_progress") == "0");
        assert_eq!(server.info("persistence", "aof_last_bgrewrite_status"), "ok");
        let streams = |server: &Server| {
            let mut client = server.client();
            ["stream:1", "emptied"].map(|key| format!("{:?}", client.line(&format!("XINFO STREAM {key} FULL"))))
        };
        let before = (digest(&server), libraries(&server));
        let entries = streams(&server);
        let directory = server.dir().join("appendonlydir");
        let base = fs::read(directory.join("appendonly.aof.2.base.aof")).expect("the base is named for its kind");
        assert!(base.starts_with(b"*2\r\n$6\r\nSELECT\r\n"), "{target:?}");
        let server = Launch::new(target).args(&args).after(ended(server)).start();
        assert_eq!((digest(&server), libraries(&server)), before, "{target:?}");
        assert_eq!(streams(&server)[1], entries[1], "{target:?}: a stream without entries");
        let Some(program) = referee() else { continue };
        let server = ended(server);
        let redis = Launch::new(Target::Referee).program(&program).args(&args).after(server).start();
        assert_eq!(digest(&redis), before.0, "{target:?}");
    }
}

#[test]
fn a_base_of_commands_keeps_times_of_fields() {
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        let args = ["--appendonly", "yes", "--aof-use-rdb-preamble", "no"];
        let server = Launch::new(target).args(&args).start();
        let mut client = server.client();
        client.must("HSET hash a 1 b 2 c 3");
        client.must("HPEXPIRE hash 1000000 FIELDS 1 b");
        client.must("PEXPIRE hash 2000000");
        client.must("BGREWRITEAOF");
        eventually("the rewrite", || server.info("persistence", "aof_rewrite_in_progress") == "0");
        let times = |server: &Server| {
            let mut client = server.client();
            ["HPEXPIRETIME hash FIELDS 3 a b c", "PEXPIRETIME hash"].map(|line| client.line(line))
        };
        let before = times(&server);
        let server = Launch::new(target).args(&args).after(ended(server)).start();
        assert_eq!(times(&server), before, "{target:?}");
    }
}

#[test]
fn what_is_not_written_yet_is_not_shown() {
    const SLEEP: Duration = Duration::from_millis(400);
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        for how in ["always", "everysec"] {
            let server = Launch::new(target).args(&["--appendonly", "yes", "--appendfsync", how]).start();
            let (mut writer, mut reader) = (server.client(), server.client());
            writer.must("DEBUG AOF-FLUSH-SLEEP 400000");
            let began = Instant::now();
            writer.send(&["SET", "key", "x"]);
            let mut seen = Value::Null;
            while seen == Value::Null {
                seen = reader.line("GET key");
            }
            assert_eq!(seen.text(), "x");
            assert!(began.elapsed() >= SLEEP, "{target:?}, {how}: it was shown before it was written");
            assert_eq!(writer.read(), Value::ok());
            writer.must("DEBUG AOF-FLUSH-SLEEP 0");
            assert_eq!(writer.line("DEBUG AOF-FLUSH-SLEEP x").error(), "ERR value is not an integer or out of range");
            let server = Launch::new(target).args(&["--appendonly", "yes"]).after(ended(server)).start();
            assert_eq!(server.client().line("GET key").text(), "x");
        }
    }
}
