use crate::config::types::events::Events;
use crate::exec::testing::{Keyspace, check};

#[test]
fn lists_are_pushed_and_popped_at_both_ends() {
    check(
        r#"
        RPUSH l b c => 2
        LPUSH l a 0 => 4
        LRANGE l 0 -1 => ["0" "a" "b" "c"]
        LPOP l => "0"
        RPOP l 2 => ["c" "b"]
        LPOP l 0 => []
        LPOP l 5 => ["a"]
        EXISTS l => 0
        LPOP l => nil
        LPOP l 5 => nil
        LPUSHX l a => 0
        LMPOP 3 x y z LEFT => nil
        RPUSH z 1 2 3 => 3
        LMPOP 3 x y z RIGHT COUNT 2 => ["z" ["3" "2"]]
        LMOVE z y LEFT LEFT => "1"
        LMOVE y y LEFT RIGHT => "1"
        RPOPLPUSH z y => nil
        KEYS * => ["y"]
        "#,
    );
}

#[test]
fn a_rotated_list_keeps_its_expiry() {
    check(
        r#"
        RPUSH l a => 1
        EXPIRE l 100 => 1
        LMOVE l l LEFT RIGHT => "a"
        TTL l => 100
        LPOP l => "a"
        RPUSH l a => 1
        TTL l => -1
        "#,
    );
}

#[test]
fn who_finds_nothing_waits() {
    check(
        r#"
        BLPOP a b c 0 => (waits)
        BLMPOP 1.5 2 a b LEFT => (waits)
        BLMOVE a b LEFT RIGHT 0 => (waits)
        BRPOPLPUSH a b 0.001 => (waits)
        RPUSH b 1 2 3 4 => 4
        BLPOP a b c 0 => ["b" "1"]
        BLMPOP 1.5 2 a b RIGHT COUNT 2 => ["b" ["4" "3"]]
        BLMOVE b a LEFT RIGHT 0 => "2"
        SET s x => OK
        BLPOP s a 0 => -WRONGTYPE Operation against a key holding the wrong kind of value
        BLPOP a s 0 => ["a" "2"]
        BLPOP a 9223372036854775 => -ERR timeout is out of range
        "#,
    );
}

#[test]
fn every_change_counts_once() {
    let mut keyspace = Keyspace::new(3);
    let mut changes = 0;
    for (command, more) in [
        ("RPUSH a 1 2 3 4 5 6", 6),
        ("LPUSHX missing 1", 0),
        ("RPUSHX a 7", 1),
        ("LPOP a", 1),
        ("LPOP a 0", 0),
        ("RPOP a 2", 2),
        ("LPOP missing 3", 0),
        ("LSET a 0 x", 1),
        ("LSET a 100 x", 0),
        ("LINSERT a BEFORE x y", 1),
        ("LINSERT a BEFORE zzz y", 0),
        ("LREM a 0 zzz", 0),
        ("LREM a 0 x", 1),
        ("LMOVE a b LEFT LEFT", 1),
        ("LMOVE a a LEFT RIGHT", 1),
        ("LMPOP 2 missing a LEFT COUNT 2", 2),
        ("LTRIM a 0 -1", 0),
        ("LTRIM a 1 0", 1),
        ("LTRIM a 1 0", 0),
        ("BLPOP b 0", 1),
        ("BLPOP b 0", 0),
    ] {
        keyspace.run(command);
        assert_eq!(keyspace.counter(|counters| counters.dirty), changes + more, "{command}");
        changes += more;
    }
}

#[test]
fn events_come_in_the_order_of_redis() {
    for shards in [1, 3] {
        let mut keyspace = Keyspace::new(shards);
        keyspace.configure(|config| {
            config.notify_keyspace_events =
                [Events::LIST, Events::GENERIC, Events::KEYEVENT].into_iter().fold(Events::default(), Events::with);
        });
        // Events are ordered on each shard: those of a move belong to two keys.
        for (command, source, target) in [
            ("RPUSH {a} 1 2 3", "rpush", ""),
            ("LPOP {a}", "lpop", ""),
            ("LPOP {a} 0", "", ""),
            ("LMOVE {a} b LEFT RIGHT", "lpop", "rpush"),
            ("RPOPLPUSH {a} b", "rpop del", "lpush"),
            ("RPUSH {a} x y x", "rpush", ""),
            ("LMOVE {a} {a} LEFT RIGHT", "rpush lpop", ""),
            ("LREM {a} 1 x", "lrem", ""),
            ("LREM {a} 1 zzz", "", ""),
            ("LTRIM {a} 0 5", "ltrim", ""),
            ("LSET {a} 0 x", "lset", ""),
            ("LINSERT {a} AFTER x y", "linsert", ""),
            ("LREM {a} 0 x", "lrem", ""),
            ("LMPOP 2 missing {a} RIGHT COUNT 10", "rpop del", ""),
            ("RPUSH {a} x", "rpush", ""),
            ("LREM {a} 0 x", "lrem del", ""),
            ("RPUSH {a} x", "rpush", ""),
            ("LTRIM {a} 1 0", "ltrim del", ""),
            ("BLPOP missing b 0", "", "lpop"),
            ("BLMPOP 0 1 b RIGHT COUNT 9", "", "rpop del"),
        ] {
            keyspace.run(command);
            let events: Vec<_> = keyspace.shards.iter_mut().flat_map(|shard| shard.events.drain(..)).collect();
            let of = |key: &str| {
                let own = events.iter().filter(|event| event.key == key.as_bytes());
                own.map(|event| event.event).collect::<Vec<_>>().join(" ")
            };
            assert_eq!((of("{a}").as_str(), of("b").as_str()), (source, target), "{command} with {shards} shards");
        }
    }
}

#[test]
fn what_is_trimmed_off_a_long_list_is_freed_between_commands() {
    let mut keyspace = Keyspace::new(1);
    let element = "x".repeat(1000);
    for _ in 0..10 {
        keyspace.run(&format!("RPUSH l {}", [element.as_str(); 100].join(" ")));
    }
    keyspace.run("LTRIM l 0 9");
    assert_eq!(keyspace.run("LLEN l"), "10");
    let garbage: usize = keyspace.shards[0].garbage.bytes();
    assert!(garbage > 900_000, "{garbage} bytes");
}
