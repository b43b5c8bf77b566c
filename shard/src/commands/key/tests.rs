use hashbrown::HashSet;

use super::scan::Cursor;
use crate::config::MemoryShare;
use crate::config::types::choices::MaxmemoryPolicy;
use crate::exec::testing::{Keyspace, check, show};
use crate::ids::SHARDS_MAX;

#[test]
fn keys_are_looked_at_and_removed() {
    check(
        r"
        MSET a 1 b 2 c 3 => OK
        EXISTS a b c d a => 4
        TOUCH a d c => 2
        TYPE a => string
        TYPE d => none
        DEL a d a => 1
        UNLINK b c a => 2
        DBSIZE => 0
        ",
    );
}

#[test]
fn conditions_of_expire_follow_redis() {
    check(
        r"
        SET a 1 => OK
        EXPIRE missing 10 => 0
        EXPIRE a 100 XX => 0
        EXPIRE a 100 GT => 0
        EXPIRE a 100 LT XX => 0
        EXPIRE a 100 LT LT => 1
        EXPIRE a 50 NX => 0
        EXPIRE a 100 GT => 0
        EXPIRE a 101 GT XX => 1
        EXPIRE a 101 LT => 0
        PEXPIRE a 100500 LT => 1
        TTL a => 101
        PTTL a => 100500
        EXPIRETIME a => 1700000101
        PEXPIRETIME a => 1700000100500
        EXPIREAT a 1700000200 => 1
        TTL a => 200
        PEXPIREAT a 1700000000001 => 1
        PTTL a => 1
        TICK 1 => OK
        PTTL a => 0
        EXISTS a => 1
        TICK 1 => OK
        PTTL a => -2
        EXPIRETIME a => -2
        SET a 1 => OK
        TTL a => -1
        PERSIST a => 0
        EXPIRE a 10 => 1
        PERSIST a => 1
        PERSIST missing => 0
        EXPIRE a 10 foo => -ERR Unsupported option foo
        EXPIRE a 10 NX XX => -ERR NX and XX, GT or LT options at the same time are not compatible
        EXPIRE a 10 GT LT => -ERR GT and LT options at the same time are not compatible
        EXPIRE a 10 GT NX LT => -ERR NX and XX, GT or LT options at the same time are not compatible
        EXPIRE a x => -ERR value is not an integer or out of range
        EXPIRE a 9223372036854775807 => -ERR invalid expire time in 'expire' command
        PEXPIRE a 9223372036854775807 => -ERR invalid expire time in 'pexpire' command
        EXPIRE a -9223372036854775807 => -ERR invalid expire time in 'expire' command
        PEXPIREAT a 9223372036854775807 => 1
        EXPIRE a -9223372036854775 => 1
        EXISTS a => 0
        SET a 1 => OK
        PEXPIRE a 0 => 1
        EXISTS a => 0
        ",
    );
}

#[test]
fn renaming_takes_all_that_belongs_to_a_key() {
    check(
        r#"
        RENAME a b => -ERR no such key
        RENAME a a => -ERR no such key
        RENAMENX a b => -ERR no such key
        SET a 1 EX 100 => OK
        RENAME a a => OK
        RENAMENX a a => 0
        SET b 2 => OK
        RENAME a b => OK
        EXISTS a => 0
        GET b => "1"
        TTL b => 100
        SET c 3 => OK
        RENAMENX b c => 0
        MGET b c => ["1" "3"]
        TTL b => 100
        RENAMENX b d => 1
        RENAMENX d e => 1
        RENAMENX e f => 1
        TTL f => 100
        SET c 3 PX 1 => OK
        TICK 2 => OK
        RENAMENX f c => 1
        GET c => "1"
        DBSIZE => 1
        "#,
    );
}

#[test]
fn copies_are_values_of_their_own() {
    check(
        r#"
        COPY a b => 0
        SET a 1 EX 100 => OK
        COPY a b => 1
        TTL b => 100
        SET b 2 => OK
        COPY a b => 0
        COPY a c DB 1 => 1
        COPY a a DB 1 => 1
        COPY a b replace db 1 => 1
        COPY a b REPLACE => 1
        GET b => "1"
        APPEND b x => 2
        GET a => "1"
        COPY a a => -ERR source and destination objects are the same
        COPY a a DB 0 => -ERR source and destination objects are the same
        COPY a b DB 16 => -ERR DB index is out of range
        COPY a b DB x => -ERR value is not an integer or out of range
        COPY a b DB => -ERR syntax error
        COPY a b foo => -ERR syntax error
        SELECT 1 => OK
        MGET a b c => ["1" "1" "1"]
        TTL c => 100
        COPY missing b REPLACE => 0
        GET b => "1"
        "#,
    );
}

#[test]
fn databases_are_apart() {
    check(
        r#"
        SET a 1 EX 100 => OK
        MOVE a 1 => 1
        MOVE a 1 => 0
        EXISTS a => 0
        SET a 2 => OK
        MOVE a 1 => 0
        MOVE a 0 => -ERR source and destination objects are the same
        MOVE a 16 => -ERR DB index is out of range
        MOVE a -1 => -ERR DB index is out of range
        MOVE a 2147483648 => -ERR value is out of range, value must between -2147483648 and 2147483647
        MOVE a x => -ERR value is not an integer or out of range
        SELECT 1 => OK
        TTL a => 100
        SWAPDB 0 1 => OK
        GET a => "2"
        SWAPDB a 1 => -ERR invalid first DB index
        SWAPDB 1 99999999999 => -ERR invalid second DB index
        SWAPDB 16 1 => -ERR DB index is out of range
        SWAPDB 1 1 => OK
        FLUSHDB => OK
        DBSIZE => 0
        SELECT 0 => OK
        DBSIZE => 1
        FLUSHALL foo => -ERR syntax error
        FLUSHDB SYNC ASYNC => -ERR syntax error
        FLUSHALL ASYNC => OK
        DBSIZE => 0
        "#,
    );
}

#[test]
fn keys_and_randomkey_pass_by_what_is_gone() {
    check(
        r#"
        RANDOMKEY => nil
        KEYS * => []
        SET one 1 => OK
        SET two 2 PX 10 => OK
        KEYS t?o => ["two"]
        KEYS x* => []
        TICK 11 => OK
        KEYS * => ["one"]
        DBSIZE => 2
        RANDOMKEY => "one"
        "#,
    );
}

#[test]
fn randomkey_is_fair_between_shards() {
    let mut keyspace = Keyspace::new(3);
    // Hash tags put ten keys on one shard for every one on another.
    for key in 0..10 {
        keyspace.run(&format!("SET {{a}}{key} 1"));
    }
    let other = (0..1000).map(|tag| format!("{{{tag}}}")).find(|tag| {
        let slots = crate::slot::SlotMap::new(3);
        slots.owner(tag.as_bytes()) != slots.owner(b"{a}")
    });
    let other = other.expect("there are such tags");
    keyspace.run(&format!("SET {other} 1"));
    let drawn = (0..1100).filter(|_| keyspace.run("RANDOMKEY") == format!("\"{other}\"")).count();
    assert!((50..200).contains(&drawn), "{drawn} of 1100");
}

#[test]
fn scan_returns_every_key_on_any_number_of_shards() {
    for shards in [1, 2, 3, 16] {
        let mut keyspace = Keyspace::new(shards);
        for key in 0..500 {
            keyspace.run(&format!("SET key:{key} 1"));
        }
        for count in [1, 10, 1000] {
            let (mut seen, mut cursor, mut calls) = (HashSet::new(), "0".to_owned(), 0);
            loop {
                let reply = keyspace.run(&format!("SCAN {cursor} COUNT {count}"));
                let mut words = reply.split(['[', ']', ' ', '"']).filter(|word| !word.is_empty());
                cursor = words.next().expect("a cursor").to_owned();
                seen.extend(words.map(str::to_owned));
                calls += 1;
                if cursor == "0" {
                    break;
                }
            }
            assert_eq!(seen.len(), 500);
            assert!(calls <= 501 + shards && calls >= 500 / (count + 100), "{calls} calls with COUNT {count}");
        }
    }
}

#[test]
fn options_of_scan_follow_redis() {
    check(
        r"
        SCAN abc => -ERR invalid cursor
        SCAN 0 COUNT 0 => -ERR syntax error
        SCAN 0 COUNT x => -ERR value is not an integer or out of range
        SCAN 0 MATCH => -ERR syntax error
        SCAN 0 FOO 1 => -ERR syntax error
        ",
    );
    let mut keyspace = Keyspace::new(1);
    keyspace.check(
        r#"
        MSET aa 1 ab 2 => OK
        SET b 3 PX 10 => OK
        SCAN 0 MATCH b* => ["0" ["b"]]
        SCAN "" TYPE STRING MATCH ?b => ["0" ["ab"]]
        SCAN 0 TYPE list => ["0" []]
        TICK 11 => OK
        SCAN 0 MATCH b* => ["0" []]
        DBSIZE => 2
        "#,
    );
}

#[test]
fn cursors_hold_any_shard() {
    for shards in [1, 2, 3, SHARDS_MAX] {
        for shard in [0, shards - 1] {
            for position in [0, 1, (1 << super::scan::CURSOR_BITS) - 1] {
                let cursor = Cursor { shard, position };
                assert_eq!(Cursor::decode(cursor.encode(shards), shards), cursor);
            }
        }
        let last = Cursor { shard: shards - 1, position: 1 };
        assert_eq!(last.then(0, shards).encode(shards), 0);
    }
    // A client may send anything.
    Cursor::decode(u64::MAX, 3);
}

#[test]
fn objects_tell_of_themselves() {
    check(
        r#"
        OBJECT ENCODING missing => nil
        OBJECT FREQ missing => nil
        SET a 9999 => OK
        OBJECT ENCODING a => "int"
        OBJECT REFCOUNT a => 2147483647
        SET a 10000 => OK
        OBJECT REFCOUNT a => 1
        SET a abc => OK
        OBJECT ENCODING a => "embstr"
        OBJECT IDLETIME a => 0
        TICK 5000 => OK
        OBJECT IDLETIME a => 5
        EXISTS a => 1
        TTL a => -1
        OBJECT IDLETIME a => 5
        TOUCH a => 1
        OBJECT IDLETIME a => 0
        OBJECT foo => -ERR unknown subcommand 'foo'. Try OBJECT HELP.
        OBJECT ENCODING => -ERR wrong number of arguments for 'object|encoding' command
        "#,
    );
    let no_freq = "An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
                   switching between policies at runtime LRU and LFU data will take some time to adjust.";
    check(&format!("SET a 1 => OK\n OBJECT FREQ a => -ERR {no_freq}"));
}

#[test]
fn how_often_a_key_is_used_outlives_its_value() {
    let mut keyspace = Keyspace::new(1);
    keyspace.configure(|config| {
        config.maxmemory_policy = MaxmemoryPolicy::AllkeysLfu;
        config.maxmemory = MemoryShare::Bytes(1 << 30);
        config.lfu_log_factor = 0;
    });
    keyspace.check(
        r#"
        SET a 1 => OK
        OBJECT FREQ a => 5
        OBJECT REFCOUNT a => 1
        SET a 2 => OK
        OBJECT FREQ a => 6
        SET a 3 XX => OK
        OBJECT FREQ a => 7
        SET a 3 NX => nil
        OBJECT FREQ a => 8
        INCR a => 4
        OBJECT FREQ a => 9
        INCRBYFLOAT a 1 => "5"
        OBJECT FREQ a => 10
        GET a => "5"
        OBJECT FREQ a => 11
        OBJECT IDLETIME missing => nil
        COPY a b => 1
        OBJECT FREQ b => 5
        RENAME a c => OK
        "#,
    );
    let no_idle = "An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching \
                   between policies at runtime LRU and LFU data will take some time to adjust.";
    keyspace.check(&format!("OBJECT IDLETIME b => -ERR {no_idle}"));
}

#[test]
fn every_change_counts_once() {
    let mut keyspace = Keyspace::new(3);
    let mut changes = 0;
    for (command, more) in [
        ("MSET a 1 b 2 c 3 d 4 e 5", 5),
        ("DEL a b x", 2),
        ("UNLINK x", 0),
        ("EXPIRE c 10", 1),
        ("EXPIRE c 10 NX", 0),
        ("EXPIRE c -1", 1),
        ("PERSIST d", 0),
        ("RENAME d f", 1),
        ("RENAMENX e f", 0),
        ("RENAMENX e g", 1),
        ("RENAME g g", 0),
        ("COPY f h", 1),
        ("COPY f g", 0),
        ("COPY f g REPLACE", 1),
        ("MOVE f 1", 1),
        ("MOVE f 1", 0),
        ("SWAPDB 2 3", 1),
        ("FLUSHDB", 2),
        ("FLUSHALL", 1),
        ("FLUSHALL", 0),
    ] {
        keyspace.run(command);
        changes += more;
        assert_eq!(keyspace.counter(|counters| counters.dirty), changes, "{command}");
    }
}

/// The reply of RESTORE to the key `copy`.
fn restore(keyspace: &mut Keyspace, ttl: &str, payload: &[u8], options: &[&str]) -> String {
    let mut words: Vec<&[u8]> = vec![b"RESTORE", b"copy", ttl.as_bytes(), payload];
    words.extend(options.iter().map(|option| option.as_bytes()));
    show(&keyspace.call(&words))
}

#[test]
fn what_was_dumped_is_restored() {
    let mut keyspace = Keyspace::new(3);
    for (key, value) in [("number", "12345"), ("short", "abc"), ("long", &"x".repeat(5000)), ("empty", "")] {
        keyspace.call(&[b"SET", key.as_bytes(), value.as_bytes()]);
        let dumped = keyspace.call(&[b"DUMP", key.as_bytes()]);
        let start = dumped.iter().position(|byte| *byte == b'\n').expect("a bulk string has a head") + 1;
        let payload = &dumped[start..dumped.len() - 2];
        let mut damaged = payload.to_vec();
        *damaged.last_mut().expect("it ends with a check sum") ^= 1;
        let space = &mut keyspace;
        assert_eq!(restore(space, "0", payload, &["REPLACE"]), "OK");
        assert_eq!(restore(space, "0", payload, &[]), "-BUSYKEY Target key name already exists.");
        assert_eq!(restore(space, "1500", payload, &["replace"]), "OK");
        let refused = restore(space, "0", &damaged, &["REPLACE"]);
        assert_eq!(refused, "-ERR DUMP payload version or checksum are wrong");
        assert_eq!(space.run("PTTL copy"), "1500");
        assert_eq!(space.call(&[b"GET", b"copy"]), space.call(&[b"GET", key.as_bytes()]));
        assert_eq!(restore(space, "1", payload, &["REPLACE", "ABSTTL"]), "OK");
        assert_eq!(space.run("EXISTS copy"), "0");
        assert_eq!(restore(space, "0", payload, &["IDLETIME", "100"]), "OK");
        assert_eq!(space.run("OBJECT IDLETIME copy"), "100");
    }
}

#[test]
fn options_of_restore_follow_redis() {
    check(
        r#"
        DUMP missing => nil
        SET a 1 => OK
        RESTORE a 0 x => -BUSYKEY Target key name already exists.
        RESTORE k -1 x => -ERR Invalid TTL value, must be >= 0
        RESTORE k x x => -ERR value is not an integer or out of range
        RESTORE k 0 x IDLETIME -1 => -ERR Invalid IDLETIME value, must be >= 0
        RESTORE k 0 x FREQ 256 => -ERR Invalid FREQ value, must be >= 0 and <= 255
        RESTORE k 0 x FREQ 1 IDLETIME 1 => -ERR syntax error
        RESTORE k 0 x FREQ => -ERR syntax error
        RESTORE k 0 "" => -ERR DUMP payload version or checksum are wrong
        "#,
    );
}
