use std::collections::BTreeSet;

use net::Resp;
use storage::types::set::Set;

use crate::config::types::events::Events;
use crate::config::value::{How, Words};
use crate::exec::Ctx;
use crate::exec::testing::{Keyspace, check, show};

/// Puts a set at a key, on the shard that owns it.
fn put_set(keyspace: &mut Keyspace, key: &[u8], members: &[&str]) {
    let db = keyspace.db;
    let shard = keyspace.shards.iter_mut().find(|shard| shard.owns(key)).expect("a key has a shard");
    let mut set = Set::default();
    for member in members {
        set.insert(member.as_bytes(), &shard.limits.set);
    }
    Ctx { shard, db, no_touch: false }.store_collection(key, set);
}

/// The events since the last call, as `event key`.
fn events(keyspace: &mut Keyspace) -> Vec<String> {
    let events = keyspace.shards.iter_mut().flat_map(|shard| shard.events.drain(..));
    events
        .map(|event| {
            let is_generic = event.class == Events::GENERIC;
            assert_eq!(is_generic, event.event == "del", "only removals of keys are of no type");
            assert!(is_generic || event.class == Events::ZSET);
            format!("{} {}", event.event, String::from_utf8_lossy(&event.key))
        })
        .collect()
}

#[test]
fn ranks_come_with_scores() {
    check(
        r#"
        ZADD key 1 a 2.5 b => 2
        ZRANK key b WITHSCORE => [1 "2.5"]
        ZREVRANK key b withscore => [0 "2.5"]
        ZRANK key missing WITHSCORE => nil
        ZRANK missing b WITHSCORE => nil
        ZREVRANK key a BOGUS => -ERR syntax error
        ZRANK key a WITHSCORE more => -ERR wrong number of arguments for 'zrank' command
        "#,
    );
}

#[test]
fn sets_are_sources_of_score_one() {
    for shards in [1, 3] {
        let mut keyspace = Keyspace::new(shards);
        put_set(&mut keyspace, b"letters", &["x", "y", "longer than an integer"]);
        put_set(&mut keyspace, b"numbers", &["1", "2", "30"]);
        keyspace.check(
            r#"
            ZADD key 5 x 6 2 7 30 => 3
            ZUNION 2 key letters WITHSCORES => ["longer than an integer" "1" "y" "1" "2" "6" "x" "6" "30" "7"]
            ZINTER 2 key letters WITHSCORES => ["x" "6"]
            ZINTER 2 key numbers WEIGHTS 1 10 WITHSCORES => ["2" "16" "30" "17"]
            ZINTER 2 letters key AGGREGATE MIN WITHSCORES => ["x" "1"]
            ZINTER 2 letters numbers => []
            ZUNION 1 numbers WEIGHTS 0.5 WITHSCORES => ["1" "0.5" "2" "0.5" "30" "0.5"]
            ZDIFF 2 numbers key WITHSCORES => ["1" "1"]
            ZDIFF 2 key numbers WITHSCORES => ["x" "5"]
            ZINTERCARD 2 key numbers => 2
            ZINTERCARD 2 key numbers LIMIT 1 => 1
            ZUNIONSTORE letters 2 letters key => 5
            TYPE letters => zset
            ZINTERSTORE to 2 numbers numbers => 3
            ZRANGE to 0 -1 WITHSCORES => ["1" "2" "2" "2" "30" "2"]
            ZADD numbers 1 a => -WRONGTYPE Operation against a key holding the wrong kind of value
            ZRANGE numbers 0 -1 => -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }
}

#[test]
fn changes_are_counted_as_redis_counts_them() {
    let mut keyspace = Keyspace::new(3);
    let mut changes = 0;
    for (command, more) in [
        ("ZADD key 1 a 2 b 3 c 4 d", 4),
        ("ZADD key 1 a", 0),
        ("ZADD key 2 a 9 e", 2),
        ("ZADD key NX 3 a", 0),
        ("ZADD key XX 3 missing", 0),
        ("ZADD key INCR 0 a", 0),
        ("ZINCRBY key 1 a", 1),
        ("ZREM key a missing", 1),
        ("ZREM key missing", 0),
        ("ZPOPMIN key", 1),
        ("ZPOPMAX key 0", 0),
        ("ZADD key 1 a 2 b", 2),
        ("ZREMRANGEBYRANK key 0 1", 2),
        ("ZREMRANGEBYSCORE key 100 200", 0),
        ("ZRANGESTORE to key 0 -1", 1),
        ("ZRANGESTORE to missing 0 -1", 1),
        ("ZRANGESTORE to missing 0 -1", 0),
        ("ZUNIONSTORE to 2 key key", 1),
        ("ZDIFFSTORE to 2 key key", 1),
        ("ZINTERSTORE to 2 key missing", 0),
        ("ZMPOP 2 missing key MAX COUNT 2", 2),
        ("ZMPOP 1 missing MAX", 0),
    ] {
        keyspace.run(command);
        changes += more;
        assert_eq!(keyspace.counter(|counters| counters.dirty), changes, "{command}");
    }
}

#[test]
fn events_tell_what_happened() {
    for shards in [1, 3] {
        let mut keyspace = Keyspace::new(shards);
        keyspace.configure(|config| config.notify_keyspace_events.read(&[b"KEA"], How::Set).unwrap());
        for (command, told) in [
            ("ZADD key 1 a 2 b 3 c 4 d", &["zadd key"][..]),
            ("ZADD key 1 a", &[]),
            ("ZINCRBY key 1 a", &["zincr key"]),
            ("ZADD key INCR 0 a", &[]),
            ("ZREM key a", &["zrem key"]),
            ("ZREM key a", &[]),
            ("ZPOPMIN key 1", &["zpopmin key"]),
            ("ZPOPMAX key", &["zpopmax key"]),
            ("ZUNIONSTORE to 1 key", &["zunionstore to"]),
            ("ZRANGESTORE to key 0 -1", &["zrangestore to"]),
            ("ZINTERSTORE to 2 key to", &["zinterstore to"]),
            ("ZDIFFSTORE to 2 key key", &["del to"]),
            ("ZDIFFSTORE to 2 key key", &[]),
            ("ZDIFFSTORE to 2 key missing", &["zdiffstore to"]),
            ("ZREMRANGEBYRANK to 0 -1", &["zremrangebyrank to", "del to"]),
            ("ZMPOP 2 to key MIN", &["zpopmin key", "del key"]),
            ("BZPOPMAX to key 1", &[]),
            ("ZADD key 1 a 2 b 3 c", &["zadd key"]),
            ("BZPOPMAX to key 1", &["zpopmax key"]),
            ("ZREMRANGEBYSCORE key 1 1", &["zremrangebyscore key"]),
            ("ZREMRANGEBYLEX key - +", &["zremrangebylex key", "del key"]),
        ] {
            keyspace.run(command);
            assert_eq!(events(&mut keyspace), told, "{command}");
        }
    }
}

#[test]
fn popping_waits_for_the_first_key() {
    check(
        r#"
        BZPOPMIN a b 0 => (waits)
        BZMPOP 0 2 a b MAX => (waits)
        ZADD b 1 x 2 y 3 z => 3
        BZPOPMIN a b 0 => ["b" "x" "1"]
        BZPOPMAX a b 0 => ["b" "z" "3"]
        SET a string => OK
        BZPOPMIN a b 0 => -WRONGTYPE Operation against a key holding the wrong kind of value
        BZMPOP 0.5 2 b a MIN COUNT 5 => ["b" [["y" "2"]]]
        BZPOPMIN b 1e-3 => (waits)
        BZPOPMIN b inf => -ERR timeout is out of range
        BZPOPMIN b -inf => -ERR timeout is negative
        BZPOPMIN b 9223372036854775 => -ERR timeout is out of range
        "#,
    );
}

#[test]
fn members_with_scores_are_pairs_in_resp3() {
    let mut keyspace = Keyspace::new(1);
    keyspace.run("ZADD key 1.5 a");
    keyspace.resp = Resp::V3;
    for command in ["ZRANGE key 0 -1 WITHSCORES", "ZUNION 1 key WITHSCORES", "ZRANDMEMBER key -1 WITHSCORES"] {
        let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        assert_eq!(keyspace.call(&words), b"*1\r\n*2\r\n$1\r\na\r\n,1.5\r\n", "{command}");
    }
    assert_eq!(keyspace.call(&[b"ZPOPMIN", b"key"]), b"*2\r\n$1\r\na\r\n,1.5\r\n");
    keyspace.run("ZADD key 1.5 a");
    assert_eq!(keyspace.call(&[b"ZPOPMAX", b"key", b"1"]), b"*1\r\n*2\r\n$1\r\na\r\n,1.5\r\n");
}

/// Members 0 to `count` - 1, each with itself as its score.
fn fill(keyspace: &mut Keyspace, count: usize) {
    for member in 0..count {
        keyspace.run(&format!("ZADD key {member} {member}"));
    }
}

#[test]
fn random_members_are_as_many_as_asked_for() {
    for members in [10, 500] {
        let mut keyspace = Keyspace::new(1);
        fill(&mut keyspace, members);
        let draw = |keyspace: &mut Keyspace, count: i64| -> Vec<usize> {
            let reply = keyspace.run(&format!("ZRANDMEMBER key {count}"));
            reply
                .split(['[', ']', '"', ' '])
                .filter(|word| !word.is_empty())
                .map(|word| word.parse().unwrap())
                .collect()
        };
        for count in [1, 5, members / 2, members, members + 10] {
            let drawn = draw(&mut keyspace, count as i64);
            let distinct: BTreeSet<_> = drawn.iter().collect();
            assert_eq!(drawn.len(), count.min(members), "as many as there are");
            assert_eq!(distinct.len(), drawn.len(), "each once");
        }
        let drawn = draw(&mut keyspace, -20 * members as i64);
        assert_eq!(drawn.len(), 20 * members);
        let distinct: BTreeSet<_> = drawn.iter().collect();
        assert!(distinct.len() > members * 9 / 10, "all are likely: {} of {members}", distinct.len());
        assert_eq!(draw(&mut keyspace, -3).len(), 3);
    }
}

#[test]
fn a_scan_of_many_members_finds_each() {
    let mut keyspace = Keyspace::new(1);
    fill(&mut keyspace, 1000);
    let (mut cursor, mut found, mut calls) = ("0".to_owned(), BTreeSet::new(), 0);
    loop {
        let reply = show(&keyspace.call(&[b"ZSCAN", b"key", cursor.as_bytes(), b"COUNT", b"50"]));
        let words: Vec<&str> = reply.split(['[', ']', '"', ' ']).filter(|word| !word.is_empty()).collect();
        for pair in words[1..].chunks(2) {
            assert_eq!(pair[0], pair[1], "each member has its score");
            found.insert(pair[0].to_owned());
        }
        words[0].clone_into(&mut cursor);
        calls += 1;
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(found.len(), 1000);
    assert!(calls > 5, "a call finds about as many as it is asked for, and took {calls} calls");
}

#[test]
fn reading_counts_hits_and_misses_and_writing_does_not() {
    let mut keyspace = Keyspace::new(3);
    for command in ["ZADD key 1 a 2 b", "ZREM key b", "ZINCRBY key 1 a", "ZPOPMIN missing", "BZPOPMIN missing 1"] {
        keyspace.run(command);
    }
    assert_eq!(keyspace.counter(|counters| counters.hits + counters.misses), 0);
    for command in ["ZCARD key", "ZRANGE missing 0 -1", "ZUNION 3 key key missing", "ZRANGESTORE to key 0 -1"] {
        keyspace.run(command);
    }
    assert_eq!(keyspace.counter(|counters| counters.hits), 4);
    assert_eq!(keyspace.counter(|counters| counters.misses), 2);
}

#[test]
fn digests_do_not_depend_on_the_encoding() {
    let digest = |members_max: usize| {
        let mut keyspace = Keyspace::new(1);
        keyspace.shards[0].limits.zset.packed_entries_max = members_max;
        keyspace.run("ZADD key 1.5 a 2 12 -inf c");
        keyspace.run("DEBUG DIGEST-VALUE key missing")
    };
    assert_eq!(digest(128), digest(1));
    assert!(!digest(128).starts_with("[0000"), "there is something to digest");
}
