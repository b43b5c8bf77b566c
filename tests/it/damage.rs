//! Payloads with damage: an error each, or a value that can be worked with, and the server lives.
//!
//! `TESSERA_DAMAGED_PAYLOADS` says how many; by default few.

use crate::support::{Client, Random, Value, each_target, number_from_env};

const PAYLOADS: u64 = 1500;

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
