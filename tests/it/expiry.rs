//! Keys disappear at their time: when touched, and without being touched.

use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::encode_line;
use crate::support::slots::key_on;
use crate::support::{Launch, Target, Value, each_target, eventually, targets};

#[test]
fn an_expired_key_is_gone_for_every_command() {
    each_target(|server| {
        let mut client = server.client();
        client.must("DEBUG SET-ACTIVE-EXPIRE 0");
        for n in 0..4 {
            client.must(&format!("SET key:{n} value PX 30"));
        }
        thread::sleep(Duration::from_millis(50));
        assert_eq!(client.line("DBSIZE"), Value::Integer(4));
        assert_eq!(client.line("GET key:0"), Value::Null);
        assert_eq!(client.line("EXISTS key:1 key:1"), Value::Integer(0));
        assert_eq!(client.line("RENAME key:2 other").error(), "ERR no such key");
        assert_eq!(client.line("KEYS *"), Value::Array(Vec::new()));
        assert_eq!(client.line("SCAN 0 COUNT 1000").elements()[1], Value::Array(Vec::new()));
        assert_eq!(client.line("RANDOMKEY"), Value::Null);
        eventually("all four to be counted as expired", || server.info("stats", "expired_keys") == "4");
        client.must("DEBUG SET-ACTIVE-EXPIRE 1");
    });
}

#[test]
fn nothing_expires_during_a_pause() {
    each_target(|server| {
        let mut client = server.client();
        for n in 0..8 {
            client.must(&format!("SET key:{n} value PX 100"));
        }
        client.must("CLIENT PAUSE 100000 WRITE");
        thread::sleep(Duration::from_millis(400));
        assert_eq!(client.line("GET key:0"), Value::Null, "who reads does not see it");
        assert_eq!(client.line("MGET key:1 key:2 key:3"), Value::Array(vec![Value::Null; 3]));
        assert_eq!(client.line("EXISTS key:4 key:5"), Value::Integer(0));
        assert_eq!(client.line("TTL key:6"), Value::Integer(-2));
        assert_eq!(client.line("KEYS *"), Value::Array(Vec::new()));
        assert_eq!(client.line("SCAN 0 COUNT 1000").elements()[1], Value::Array(Vec::new()));
        assert_eq!(client.line("DBSIZE"), Value::Integer(8), "but it is there");
        assert_eq!(server.info("stats", "expired_keys"), "0");
        client.must("CLIENT UNPAUSE");
        eventually("all to leave", || client.line("DBSIZE") == Value::Integer(0));
        assert_eq!(server.info("stats", "expired_keys"), "8");
    });
}

#[test]
fn expired_keys_leave_by_themselves() {
    each_target(|server| {
        let mut client = server.client();
        let mut request = Vec::new();
        // Redis samples, and is content while fewer than a tenth of the keys with an expiry have expired.
        let (later, expires) = if server.is_tessera() { (" EX 1000", 20_000) } else { ("", 0) };
        for n in 0..20_000 {
            encode_line(&mut request, &format!("SET gone:{n} value PX {}", 50 + n % 200));
            encode_line(&mut request, &format!("SET kept:{n} value{later}"));
        }
        client.raw(&request);
        client.read_many(40_000);
        let started = Instant::now();
        eventually("only what is kept", || client.line("DBSIZE") == Value::Integer(20_000));
        assert!(started.elapsed() < Duration::from_secs(10), "expiry took {:?}", started.elapsed());
        let keyspace = client.must("INFO keyspace").text();
        assert!(keyspace.contains(&format!("db0:keys=20000,expires={expires},avg_ttl=")), "{keyspace}");
        assert_eq!(server.info("stats", "expired_keys"), "20000");
    });
}

#[test]
fn keys_with_one_deadline_disappear_together() {
    // One command never sees some keys of a deadline and not the others, on however many shards they live.
    each_target(|server| {
        let shards = server.shards();
        let keys: Vec<String> = (0..8).map(|n| key_on(&format!("k{n}"), n % shards, shards)).collect();
        let mget = format!("MGET {}", keys.join(" "));
        let mut client = server.client();
        for round in 0..15 {
            let time = client.must("TIME");
            let part = |index: usize| time.elements()[index].text().parse::<u64>().unwrap();
            let deadline = part(0) * 1000 + part(1) / 1000 + 30 + round;
            for key in &keys {
                client.must(&format!("SET {key} value PXAT {deadline}"));
            }
            loop {
                let reply = client.line(&mget);
                let alive = reply.elements().iter().filter(|value| **value != Value::Null).count();
                assert!(alive == 0 || alive == 8, "{alive} of 8 keys are alive: {reply}");
                if alive == 0 {
                    break;
                }
            }
        }
    });
}

#[test]
fn an_expiry_can_be_moved_and_removed() {
    each_target(|server| {
        let mut client = server.client();
        for n in 0..1000 {
            client.send(&["SET", &format!("key:{n}"), "value", "PX", "100"]);
            match n % 4 {
                0 => client.send(&["PERSIST", &format!("key:{n}")]),
                1 => client.send(&["PEXPIRE", &format!("key:{n}"), "100000"]),
                2 => client.send(&["SET", &format!("key:{n}"), "new"]),
                _ => client.send(&["APPEND", &format!("key:{n}"), "x"]),
            }
        }
        client.read_many(2000);
        eventually("a quarter to expire", || client.line("DBSIZE") == Value::Integer(750));
        thread::sleep(Duration::from_millis(300));
        assert_eq!(client.line("DBSIZE"), Value::Integer(750));
    });
}

#[test]
fn flushed_and_swapped_databases_take_their_expiries_along() {
    each_target(|server| {
        let mut client = server.client();
        client.must("SET key zero PX 200");
        client.must("SELECT 1");
        client.must("SET key one");
        client.must("SWAPDB 0 1");
        assert_eq!(client.line("GET key"), Value::bulk("zero"));
        eventually("the key to expire in database 1", || client.line("DBSIZE") == Value::Integer(0));
        client.must("SELECT 0");
        assert_eq!(client.line("GET key"), Value::bulk("one"));
        assert_eq!(client.line("TTL key"), Value::Integer(-1));
    });
}

/// Commands that change a hash find fields whose time is past before the sweep does: whoever follows the hash by its events
/// hears of these fields, too. Redis up to 7.2 has no such fields.
#[test]
fn fields_that_a_command_finds_past_their_time_are_told_of() {
    let changes = [
        "HSETNX h a 1",
        "HINCRBY h a 2",
        "HSETEX h FNX FIELDS 1 a 2",
        "HGETDEL h FIELDS 1 a",
        "HPERSIST h FIELDS 1 a",
        "HEXPIRE h 100 FIELDS 1 a",
        "HDEL h a b",
    ];
    for target in targets().into_iter().filter(|target| *target != Target::Referee) {
        let server = Launch::new(target).args(&["--enable-debug-command", "yes"]).start();
        let (mut client, mut follower) = (server.client(), server.client());
        client.must("DEBUG SET-ACTIVE-EXPIRE 0");
        client.must("CONFIG SET notify-keyspace-events Kh");
        follower.must("SUBSCRIBE __keyspace@0__:h");
        for change in changes {
            client.line("DEL h");
            client.must("HSET h a 5 b 6 c 7");
            client.must("HPEXPIRE h 10 FIELDS 2 a b");
            thread::sleep(Duration::from_millis(30));
            client.must(change);
            client.must("PUBLISH __keyspace@0__:h end");
            let mut next = || follower.read().elements()[2].text();
            let events: Vec<String> = std::iter::from_fn(|| Some(next()).filter(|event| event != "end")).collect();
            assert_eq!(events[..3], ["hset", "hexpire", "hexpired"], "{change}: {events:?}");
        }
    }
}
