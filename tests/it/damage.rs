//! Payloads, RDB files and logs with damage: an error each, or values that can be worked with, and the server lives.
//!
//! `TESSERA_DAMAGED_PAYLOADS`, `TESSERA_DAMAGED_FILES` and `TESSERA_DAMAGED_LOGS` say how many; by default few.

use std::fs;
use std::path::Path;

use storage::log::put_record;

use crate::support::{Client, Random, Server, Target, Value, each_target, number_from_env};

const PAYLOADS: u64 = 1500;
const FILES: u64 = 300;
const LOGS: u64 = 40;

/// Values of all types and encodings.
fn fill(client: &mut Client) -> Vec<String> {
    client.must("SET int 12345");
    client.must("SET text hello");
    client.must(&format!("SET long {}", "abc".repeat(300)));
    client.must("SADD set:ints 1 2 3 70000 9999999999");
    client.must("SADD set:small a b c");
    client.must("XADD stream 1-1 f v g w");
    client.must("XADD stream 2-1 f w");
    client.must("XADD stream 3-1 h x");
    client.must("XGROUP CREATE stream group 0");
    client.must("XREADGROUP GROUP group consumer COUNT 2 STREAMS stream >");
    client.must("XDEL stream 1-1");
    for n in 0..8 {
        client.must(&format!("RPUSH list:small {n} two"));
        client.must(&format!("HSET hash:small f{n} v{n}"));
        client.must(&format!("ZADD zset:small {n}.5 m{n}"));
    }
    for n in 0..200 {
        client.must(&format!("RPUSH list:large element:{n}"));
        client.must(&format!("HSET hash:large field:{n} value:{n}"));
        client.must(&format!("SADD set:large member:{n}"));
        client.must(&format!("ZADD zset:large {n}.5 member:{n}"));
    }
    let keys = client.line("KEYS *");
    let mut keys: Vec<String> = keys.elements().iter().map(Value::text).collect();
    keys.sort();
    keys
}

fn damage(random: &mut Random, payload: &mut Vec<u8>) {
    for _ in 0..=random.below(4) {
        let at = random.below(payload.len() as u64) as usize;
        match random.below(5) {
            0 => payload[at] ^= 1 << random.below(8),
            1 => payload[at] = random.pick(&[0, 1, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xf0, 0xff]),
            2 => payload[at] = random.next() as u8,
            3 => drop(payload.remove(at)),
            _ => payload.insert(at, random.next() as u8),
        }
    }
}

/// Reads and changes whatever is at a key, as a client would who does not know better.
fn work_with(client: &mut Client, key: &str) {
    let commands: &[&str] = match client.line(&format!("TYPE {key}")).text().as_str() {
        "string" => &["GET", "APPEND x", "INCR"],
        "list" => &["LRANGE 0 -1", "LPOS two", "LSET 0 x", "RPOP", "LPUSH y", "LREM 0 two"],
        "set" => &["SMEMBERS", "SISMEMBER a", "SADD new 5", "SPOP", "SRANDMEMBER -5"],
        "hash" => &["HGETALL", "HSET f0 new", "HDEL f1", "HRANDFIELD -5"],
        "zset" => &["ZRANGE 0 -1 WITHSCORES", "ZADD 3 new", "ZPOPMIN", "ZRANK m3"],
        "stream" => &["XRANGE - +", "XINFO STREAM FULL", "XADD * f v", "XTRIM MAXLEN 1", "XPENDING group"],
        _ => &[],
    };
    for command in commands {
        let mut words: Vec<&str> = command.split(' ').collect();
        let place = if words[0] == "XINFO" { 2 } else { 1 };
        words.insert(place, key);
        client.call(&words);
    }
    client.line(&format!("DEBUG DIGEST-VALUE {key}"));
    client.line(&format!("DUMP {key}"));
    client.must(&format!("DEL {key}"));
}

#[test]
fn damaged_payloads_do_no_harm() {
    let count = number_from_env("TESSERA_DAMAGED_PAYLOADS").unwrap_or(PAYLOADS);
    each_target(|server| {
        // A Redis that is told to skip the checksum may die of what follows.
        if !server.is_tessera() {
            return;
        }
        let mut client = server.client();
        let keys = fill(&mut client);
        let before = client.line("DEBUG DIGEST").text();
        client.must("DEBUG SET-SKIP-CHECKSUM-VALIDATION 1");
        let mut random = Random::new(u64::from(server.shards()));
        let mut refused = 0;
        for _ in 0..count {
            let reply = client.line(&format!("DUMP {}", random.pick(&keys)));
            let mut payload = reply.as_bytes().expect("the key is there").to_vec();
            damage(&mut random, &mut payload);
            let restored = client.call(&[b"RESTORE".as_slice(), b"damaged", b"0", &payload, b"REPLACE"]);
            match restored.text().as_str() {
                "OK" => work_with(&mut client, "damaged"),
                error => {
                    assert!(error.starts_with("ERR "), "{error}");
                    refused += 1;
                }
            }
        }
        assert!(refused > 0 && refused < count, "{refused} of {count} were refused");
        assert_eq!(client.line("DEBUG DIGEST").text(), before);
    });
}

/// A damaged file is loaded up to the damage, on top of what there is, by a server that goes on.
#[test]
fn damaged_rdb_files_do_no_harm() {
    let count = number_from_env("TESSERA_DAMAGED_FILES").unwrap_or(FILES);
    let server = Server::start(Target::Tessera(2));
    let mut client = server.client();
    fill(&mut client);
    client.must("DEBUG SET-SKIP-CHECKSUM-VALIDATION 1");
    client.must("SAVE");
    let path = server.dir().join("dump.rdb");
    let sound = fs::read(&path).expect("it was saved");
    let mut random = Random::new(7);
    let mut refused = 0;
    for _ in 0..count {
        client.must("FLUSHALL");
        let mut bytes = sound.clone();
        damage(&mut random, &mut bytes);
        fs::write(&path, bytes).expect("the directory is ours");
        match client.line("DEBUG RELOAD NOSAVE NOFLUSH MERGE") {
            Value::Error(_) => refused += 1,
            reply => assert_eq!(reply, Value::ok()),
        }
        client.line("DEBUG DIGEST");
        let keys = client.line("KEYS *");
        for key in keys.elements().iter().take(3).filter_map(|key| std::str::from_utf8(key.as_bytes()?).ok()) {
            // So that it is a word of a line.
            if !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()) {
                work_with(&mut client, key);
            }
        }
    }
    assert!(refused > 0 && refused < count, "{refused} of {count} were refused");
    fs::write(&path, sound).expect("the directory is ours");
    client.must("FLUSHALL");
    assert_eq!(client.line("DEBUG RELOAD NOSAVE"), Value::ok(), "a sound file is loaded all the same");
}

/// A log with what [`fill`] makes, and more that logs have.
fn log() -> Vec<u8> {
    let mut log = Vec::new();
    let lines = [
        "SELECT 0",
        "SET int 12345",
        "SET text hello PXAT 99999999999999",
        "RPUSH list a b c",
        "SADD set 1 2 3 x",
        "MULTI",
        "HSET hash f v g w",
        "ZADD zset 1.5 a 2 b",
        "EXEC",
        "XADD stream 1-1 f v",
        "SELECT 3",
        "XGROUP CREATE stream group 0 MKSTREAM",
        "SETRANGE text 3 there",
        "LMOVE list other LEFT RIGHT",
        "RENAME int number",
        "PEXPIREAT list 99999999999999",
        "SWAPDB 0 3",
        "MSET a 1 b 2 c 3",
        "DEL a b",
        "FLUSHDB",
    ];
    for line in lines.iter().cycle().take(10 * lines.len()) {
        put_record(&mut log, line.split(' ').map(str::as_bytes).collect::<Vec<_>>().into_iter());
    }
    log
}

fn put_log(directory: &Path, log: &[u8]) {
    let directory = directory.join("appendonlydir");
    fs::create_dir_all(&directory).expect("the directory is ours");
    fs::write(directory.join("appendonly.aof.1.incr.aof"), log).expect("the directory is ours");
    fs::write(directory.join("appendonly.aof.manifest"), "file appendonly.aof.1.incr.aof seq 1 type i\n")
        .expect("the directory is ours");
}

/// A damaged log is loaded, or the server ends with the reason, as at its start.
#[test]
fn damaged_logs_do_no_harm() {
    let count = number_from_env("TESSERA_DAMAGED_LOGS").unwrap_or(LOGS);
    let mut random = Random::new(8);
    let mut server = Server::start(Target::Tessera(3));
    let (mut refused, sound) = (0, log());
    for _ in 0..count {
        let mut bytes = sound.clone();
        damage(&mut random, &mut bytes);
        put_log(server.dir(), &bytes);
        let mut client = server.client();
        // The server may be gone before its answer is out.
        if client.try_read_after("DEBUG LOADAOF") == Some(Value::ok()) {
            continue;
        }
        assert_eq!(server.wait().code(), Some(1), "{}", server.log());
        assert!(server.log().contains("reading the append only file"), "{}", server.log());
        refused += 1;
        server = Server::start(Target::Tessera(3));
    }
    assert!(refused > 0 && refused < count, "{refused} of {count} were refused");
}
