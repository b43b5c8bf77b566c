//! Targets that do not behave: what others are served meanwhile, and how it ends.

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::slots::key_on;
use crate::support::{Client, Launch, Random, Server, Target, Value, each_target, eventually, targets};

use super::fake::{Fake, answer};
use super::{Within, error_of, is_there, many, migrate, migrate_within, send_migrate, spread};

const READING: &str = "IOERR error or timeout reading to target instance";
const WRITING: &str = "IOERR error or timeout writing to target instance";

#[test]
fn other_keys_are_served_while_a_target_is_silent() {
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        let source = Server::start(target);
        let fake = Fake::silent();
        let keys = spread(&source, 3);
        let (mut from, mut other) = (source.client(), source.client());
        for key in &keys {
            from.must(&format!("SET {key} v"));
        }
        let began = Instant::now();
        send_migrate(&mut from, fake.port, &["", "0", "1500", "KEYS", &keys[0], &keys[1], &keys[2]]);
        eventually("the target to be reached", || fake.connections() == 1);
        let mut served = 0;
        while began.elapsed() < Duration::from_secs(1) {
            let asked = Instant::now();
            for shard in 0..source.shards() {
                let key = key_on("other", shard, source.shards());
                other.must(&format!("INCR {key}"));
                served += 1;
            }
            assert_eq!(source.info("keyspace", "db0").split(',').next().map(|keys| keys.len() > 5), Some(true));
            assert!(asked.elapsed() < Duration::from_millis(700), "{:?}", asked.elapsed());
        }
        assert!(served > 20, "{served}");
        assert_eq!(error_of(&from.read()), READING);
        assert!(began.elapsed() >= Duration::from_millis(1400));
        assert!(keys.iter().all(|key| is_there(&mut from, key)));
    }
}

#[test]
fn keys_are_counted_while_they_are_on_their_way() {
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        let source = Server::start(target);
        let fake = Fake::silent();
        let keys = spread(&source, 4);
        let mut from = source.client();
        for key in &keys {
            from.must(&format!("SET {key} v"));
        }
        send_migrate(
            &mut from,
            fake.port,
            &many(&keys, &[]).iter().map(|word| if *word == "5000" { "800" } else { word }).collect::<Vec<_>>(),
        );
        eventually("the target to be reached", || fake.connections() == 1);
        assert!(source.info("keyspace", "db0").starts_with("keys=4,"), "nothing has left yet");
        assert_eq!(error_of(&from.read()), READING);
    }
}

/// A write to a key that is on its way waits, and is lost in no case: it goes to the key that stayed, or to a new one.
#[test]
fn a_write_waits_for_the_end() {
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        for within in Within::ALL {
            for (answer, stays) in [("+OK\r\n+OK\r\n", false), ("+OK\r\n-OOM no\r\n", true)] {
                let source = Server::start(target);
                let fake = Fake::late("", answer, Duration::from_millis(400));
                let (mut from, mut other) = (source.client(), source.client());
                from.must("APPEND k a");
                migrate_within(&mut from, within, fake.port, "k", &["0", "5000"]);
                eventually("the target to be reached", || fake.connections() == 1);
                thread::sleep(Duration::from_millis(50));
                let asked = Instant::now();
                let length = other.must("APPEND k b");
                assert!(asked.elapsed() > Duration::from_millis(100), "{within:?}: it is held meanwhile");
                assert_eq!(length, Value::Integer(if stays { 2 } else { 1 }), "{within:?}");
                let reply = within.reply(&mut from);
                assert_eq!(reply.is_error(), stays, "{within:?}: {reply}");
                assert_eq!(from.must("EXISTS behind-multi"), Value::Integer(i64::from(within != Within::Nothing)));
            }
        }
    }
}

#[test]
fn what_was_taken_is_deleted_whatever_comes_behind() {
    each_target(|source| {
        // The answers to SELECT and to the first of three.
        for (text, error) in [
            ("+OK\r\n+OK\r\n", READING),
            ("+OK\r\n+OK\r\n-OOM no room\r\n", "ERR Target instance replied with error: OOM no room"),
        ] {
            let fake = Fake::answering(text);
            let mut from = source.client();
            let keys = spread(source, 3);
            for key in &keys {
                from.must(&format!("SET {key} v"));
            }
            let reply = migrate(&mut from, fake.port, &["", "0", "300", "KEYS", &keys[0], &keys[1], &keys[2]]);
            assert_eq!(error_of(&reply), error);
            let left: Vec<bool> = keys.iter().map(|key| is_there(&mut from, key)).collect();
            assert_eq!(left, [false, true, true]);
            assert_eq!(fake.connections(), 1);
        }
    });
}

#[test]
fn garbage_is_no_yes() {
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        let source = Server::start(target);
        let mut from = source.client();
        for text in ["HTTP/1.1 400 Bad Request\r\n\r\n", "+OK\r\n$2\r\nOK\r\n", "+OK\r\n\0\0\0\r\n", "\r\n\r\n"] {
            let fake = Fake::answering(text);
            from.must("SET k v");
            assert_eq!(error_of(&migrate(&mut from, fake.port, &["k", "0", "5000"])), READING, "{text}");
            assert!(is_there(&mut from, "k"));
        }
        let fake = Fake::new(|mut stream, _| while stream.write_all(&[b'-'; 4096]).is_ok() {});
        assert_eq!(error_of(&migrate(&mut from, fake.port, &["k", "0", "5000"])), READING);
        assert_eq!(source.info("stats", "migrate_cached_sockets"), "0");
    }
}

#[test]
fn whoever_closes_is_asked_once_more() {
    each_target(|source| {
        let mut from = source.client();
        from.must("SET k v");
        let never = Fake::new(|mut stream, _| answer(&mut stream, ""));
        assert_eq!(error_of(&migrate(&mut from, never.port, &["k", "0", "5000"])), READING);
        assert_eq!(never.connections(), 2);
        let then = Fake::new(|mut stream, number| answer(&mut stream, if number == 0 { "" } else { "+OK\r\n+OK\r\n" }));
        assert_eq!(migrate(&mut from, then.port, &["k", "0", "5000"]), Value::ok());
        assert_eq!(then.connections(), 2);
        from.must("SET k v");
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("there are ports");
        let port = nobody.local_addr().expect("it is bound").port();
        drop(nobody);
        assert_eq!(error_of(&migrate(&mut from, port, &["k", "0", "5000"])), WRITING);
        assert!(is_there(&mut from, "k"));
    });
}

#[test]
fn a_kept_socket_that_is_broken_is_replaced() {
    each_target(|source| {
        // Whatever it is asked first it grants, and then it is gone.
        let fake = Fake::new(|mut stream, _| answer(&mut stream, "+OK\r\n+OK\r\n"));
        let mut from = source.client();
        for round in 1..=3 {
            from.must("SET k v");
            assert_eq!(migrate(&mut from, fake.port, &["k", "0", "5000"]), Value::ok());
            assert_eq!(fake.connections(), round);
        }
    });
}

#[test]
fn a_client_that_leaves_leaves_nothing_undone() {
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        for within in Within::ALL {
            for kills in [false, true] {
                let source = Server::start(target);
                let fake = Fake::late("", "+OK\r\n+OK\r\n", Duration::from_millis(300));
                let (mut from, mut other) = (source.client(), source.client());
                from.must("SET k v");
                let address = from.address();
                migrate_within(&mut from, within, fake.port, "k", &["0", "5000"]);
                eventually("the target to be reached", || fake.connections() == 1);
                if kills {
                    assert_eq!(other.must(&format!("CLIENT KILL ADDR {address}")), Value::Integer(1));
                    assert!(from.is_closed());
                } else {
                    drop(from);
                }
                assert_eq!(other.must("EXISTS k"), Value::Integer(0), "{within:?}: the target has it");
            }
        }
    }
}

#[test]
fn a_server_that_ends_waits_for_no_target() {
    for shards in [1, 4] {
        for within in Within::ALL {
            for (appends, saves) in [("yes", false), ("no", true), ("no", false)] {
                let mut launch = Launch::new(Target::Tessera(shards)).args(&["--appendonly", appends]);
                if saves {
                    launch = launch.args(&["--save", "3600 1"]);
                }
                let mut source = launch.start();
                let keys = spread(&source, 3);
                let (mut from, mut other) = (source.client(), source.client());
                for key in &keys {
                    from.must(&format!("SET {key} v"));
                }
                // The first is taken.
                let fake = Fake::answering("+OK\r\n+OK\r\n");
                migrate_within(&mut from, within, fake.port, "", &["0", "60000", "KEYS", &keys[0], &keys[1], &keys[2]]);
                eventually("the target to be reached", || fake.connections() == 1);
                thread::sleep(Duration::from_millis(100));
                other.send(&["GET", &keys[0]]);
                let asked = Instant::now();
                source.signal(15);
                assert!(source.wait().success(), "{}", source.log());
                assert!(asked.elapsed() < Duration::from_secs(8), "{:?}", asked.elapsed());
                if appends == "yes" || saves {
                    let launch = Launch::new(Target::Tessera(shards)).args(&["--appendonly", appends]);
                    let again = launch.dir_of(source).start();
                    let mut client = again.client();
                    let left: Vec<bool> = keys.iter().map(|key| is_there(&mut client, key)).collect();
                    assert_eq!(left, [false, true, true], "{within:?} on {shards}, appendonly {appends}");
                }
            }
        }
    }
}

#[test]
fn nothing_behind_a_migration_is_run_before_its_reply() {
    each_target(|source| {
        let fake = Fake::late("", "+OK\r\n+OK\r\n", Duration::from_millis(300));
        let (mut from, mut other) = (source.client(), source.client());
        from.must("SET k v");
        send_migrate(&mut from, fake.port, &["k", "0", "5000"]);
        from.send(&["SET", "behind", "1"]);
        eventually("the target to be reached", || fake.connections() == 1);
        if source.is_tessera() {
            assert_eq!(other.must("EXISTS behind"), Value::Integer(0));
        }
        assert_eq!((from.read(), from.read()), (Value::ok(), Value::ok()));
    });
}

#[test]
fn a_large_value_holds_nobody_up() {
    const BYTES: usize = 64 << 20;
    for shards in [1, 4] {
        let source = Server::start(Target::Tessera(shards));
        let mut from = source.client();
        from.set_patience(Duration::from_secs(120));
        // A slow reader: it takes some megabytes at a time, with pauses.
        let fake = Fake::new(|mut stream, _| {
            let (mut sink, mut read, mut paused) = (vec![0; 1 << 20], 0, 0);
            while read < BYTES {
                match stream.read(&mut sink) {
                    Ok(0) | Err(_) => return,
                    Ok(more) => read += more,
                }
                if read / (16 << 20) > paused {
                    paused += 1;
                    thread::sleep(Duration::from_millis(100));
                }
            }
            thread::sleep(Duration::from_millis(100));
            let _ = stream.write_all(b"+OK\r\n+OK\r\n");
            while stream.read(&mut sink).is_ok_and(|read| read > 0) {}
        });
        // Nothing that could be compressed.
        from.call(&[&b"SET"[..], b"large", &Random::new(1).bytes(BYTES)]);
        send_migrate(&mut from, fake.port, &["large", "0", "20000"]);
        eventually("the target to be reached", || fake.connections() == 1);
        let mut other: Vec<Client> = (0..shards).map(|_| source.client()).collect();
        let (began, mut slowest) = (Instant::now(), Duration::ZERO);
        while began.elapsed() < Duration::from_millis(600) {
            for (shard, client) in other.iter_mut().enumerate() {
                let asked = Instant::now();
                client.must(&format!("INCR {}", key_on("n", shard as u16, shards)));
                slowest = slowest.max(asked.elapsed());
            }
        }
        assert!(slowest < Duration::from_millis(500), "{slowest:?}");
        assert_eq!(from.read(), Value::ok());
        assert!(!is_there(&mut from, "large"));
    }
}

#[test]
fn a_script_that_waits_keeps_others_waiting_and_says_so() {
    for shards in [1, 4] {
        let source = Launch::new(Target::Tessera(shards)).args(&["--busy-reply-threshold", "300"]).start();
        let fake = Fake::late("", "+OK\r\n+OK\r\n", Duration::from_millis(1500));
        let (mut from, mut other) = (source.client(), source.client());
        from.must("SET k v");
        migrate_within(&mut from, Within::Script, fake.port, "k", &["0", "5000"]);
        eventually("the target to be reached", || fake.connections() == 1);
        thread::sleep(Duration::from_millis(700));
        assert!(error_of(&other.line("GET k")).starts_with("BUSY"));
        assert!(error_of(&other.line("SCRIPT KILL")).starts_with("UNKILLABLE"));
        assert_eq!(Within::Script.reply(&mut from), Value::ok());
        assert_eq!(other.must("EXISTS k"), Value::Integer(0));
    }
}
