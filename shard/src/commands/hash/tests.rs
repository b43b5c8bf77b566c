use std::cell::Cell;

use storage::keyspace::SweptFields;

use crate::config::value::{How, Words};
use crate::exec::testing::{Keyspace, check};

/// Sets a parameter of the configuration.
fn set(parameter: &mut impl Words, words: &[&[u8]]) {
    parameter.read(words, How::Set).expect("it is a value of the parameter");
}

/// Removes what is due, as the core does; tells how many fields.
fn sweep(keyspace: &mut Keyspace) -> usize {
    let removed = Cell::new(0);
    for shard in &mut keyspace.shards {
        for database in &mut shard.databases {
            let mut swept = |fields: SweptFields<'_>| removed.set(removed.get() + fields.names.len());
            while !database.sweep_fields(shard.clock, 16, &mut |_| false, &mut swept) {}
            database.check_invariants();
        }
    }
    removed.get()
}

#[test]
fn fields_expire_one_by_one() {
    check(
        r#"
        HSET h a 1 b 2 c 3 => 3
        HPEXPIRE h 100 FIELDS 2 a z => [1 -2]
        HEXPIRE h 1 FIELDS 1 b => [1]
        OBJECT ENCODING h => "listpackex"
        HPTTL h FIELDS 4 a b c z => [100 1000 -1 -2]
        HTTL h FIELDS 2 a b => [1 1]
        HPEXPIRETIME h FIELDS 2 a c => [1700000000100 -1]
        HEXPIRETIME h FIELDS 1 a => [1700000001]
        TICK 100 => OK
        HGET h a => "1"
        TICK 1 => OK
        HGET h a => nil
        HMGET h a b => [nil "2"]
        HEXISTS h a => 0
        HSTRLEN h a => 0
        HGETALL h => ["b" "2" "c" "3"]
        HKEYS h => ["b" "c"]
        HVALS h => ["2" "3"]
        HRANDFIELD h 5 => ["b" "c"]
        HSCAN h 0 => ["0" ["b" "2" "c" "3"]]
        HTTL h FIELDS 1 a => [-2]
        HPERSIST h FIELDS 3 a b c => [-2 1 -1]
        HTTL h FIELDS 1 b => [-1]
        HLEN h => 2
        "#,
    );
}

#[test]
fn to_write_to_an_expired_field_is_to_add_it() {
    check(
        r#"
        HSET h a 1 b 2 c 3 d 4 e 5 keep x => 6
        HPEXPIRE h 10 FIELDS 5 a b c d e => [1 1 1 1 1]
        TICK 11 => OK
        HLEN h => 6
        HSET h a new => 1
        HSETNX h b new => 1
        HINCRBY h c 1 => 1
        HINCRBYFLOAT h d 0.5 => "0.5"
        HDEL h e => 0
        HLEN h => 5
        HTTL h FIELDS 4 a b c d => [-1 -1 -1 -1]
        "#,
    );
}

#[test]
fn setting_a_field_clears_its_expiry_and_counting_keeps_it() {
    check(
        r#"
        HSET h a 1 b 1 c 1 => 3
        HPEXPIRE h 1000 FIELDS 3 a b c => [1 1 1]
        HSET h a 2 => 0
        HINCRBY h b 1 => 2
        HINCRBYFLOAT h c 1 => "2"
        HPTTL h FIELDS 3 a b c => [-1 1000 1000]
        "#,
    );
}

#[test]
fn conditions_of_hexpire() {
    check(
        r"
        HSET h a 1 b 2 => 2
        HEXPIRE h 100 XX FIELDS 1 a => [0]
        HEXPIRE h 100 GT FIELDS 1 a => [0]
        HEXPIRE h 100 NX FIELDS 1 a => [1]
        HEXPIRE h 200 NX FIELDS 2 a b => [0 1]
        HEXPIRE h 50 GT FIELDS 2 a b => [0 0]
        HEXPIRE h 150 GT FIELDS 2 a b => [1 0]
        HEXPIRE h 150 LT FIELDS 2 a b => [0 1]
        HEXPIRE h 10 xx FIELDS 2 a b => [1 1]
        HTTL h FIELDS 2 a b => [10 10]
        HSET h c 3 => 1
        HEXPIRE h 7 LT FIELDS 1 c => [1]
        HEXPIREAT h 1700000500 FIELDS 1 a => [1]
        HPEXPIREAT h 1700000500001 FIELDS 1 b => [1]
        HTTL h FIELDS 2 a b => [500 501]
        ",
    );
}

#[test]
fn a_time_in_the_past_removes_fields_and_the_last_one_the_key() {
    check(
        r#"
        HSET h a 1 b 2 c 3 => 3
        HEXPIRE h 0 FIELDS 2 a z => [2 -2]
        HPEXPIREAT h 1 GT FIELDS 1 b => [0]
        HEXPIREAT h 1 FIELDS 1 b => [2]
        HLEN h => 1
        HGETEX h PXAT 1 FIELDS 1 c => ["3"]
        EXISTS h => 0
        HSETEX new EXAT 1 FIELDS 2 a 1 b 2 => 1
        EXISTS new => 0
        "#,
    );
}

#[test]
fn errors_of_hexpire_and_its_kin() {
    check(
        r"
        HSET h a 1 => 1
        SET s text => OK
        HEXPIRE s x FIELDS 1 a => -WRONGTYPE Operation against a key holding the wrong kind of value
        HTTL s FIELDS 1 a => -WRONGTYPE Operation against a key holding the wrong kind of value
        HPERSIST s NO 1 a => -WRONGTYPE Operation against a key holding the wrong kind of value
        HEXPIRE h x FIELDS 1 a => -ERR value is not an integer or out of range
        HEXPIRE h -1 FIELDS 1 a => -ERR invalid expire time, must be >= 0
        HEXPIRE h 70368744178 FIELDS 1 a => -ERR invalid expire time in 'hexpire' command
        HPEXPIREAT h 70368744177664 FIELDS 1 a => -ERR invalid expire time in 'hpexpireat' command
        HPEXPIREAT h 70368744177663 FIELDS 1 a => [1]
        HPEXPIRE h 9223372036854775807 FIELDS 1 a => -ERR invalid expire time in 'hpexpire' command
        HEXPIRE h 1 FIELD 1 a => -ERR Mandatory argument FIELDS is missing or not at the right position
        HEXPIRE h 1 NX XX FIELDS 1 a => -ERR Mandatory argument FIELDS is missing or not at the right position
        HEXPIRE h 1 FIELDS 0 a => -ERR Parameter `numFields` should be greater than 0
        HEXPIRE h 1 FIELDS x a => -ERR Parameter `numFields` should be greater than 0
        HEXPIRE h 1 FIELDS 2 a => -ERR The `numfields` parameter must match the number of arguments
        HEXPIRE h 1 FIELDS 1 a b => -ERR The `numfields` parameter must match the number of arguments
        HEXPIRE h 1 FIELDS 1 => -ERR wrong number of arguments for 'hexpire' command
        HTTL h NO 1 a => -ERR Mandatory argument FIELDS is missing or not at the right position
        HTTL h FIELDS 0 a => -ERR Number of fields must be a positive integer
        HPERSIST h FIELDS -1 a => -ERR Number of fields must be a positive integer
        HPERSIST h FIELDS 2 a => -ERR The `numfields` parameter must match the number of arguments
        HEXPIRE missing 1 FIELDS 2 a b => [-2 -2]
        HTTL missing FIELDS 2 a b => [-2 -2]
        HPERSIST missing FIELDS 1 a => [-2]
        ",
    );
}

#[test]
fn hgetdel_returns_and_removes() {
    check(
        r#"
        HSET h a 1 b 2 c 3 => 3
        HGETDEL h FIELDS 3 a z a => ["1" nil nil]
        HPEXPIRE h 10 FIELDS 1 b => [1]
        TICK 11 => OK
        HGETDEL h FIELDS 2 b c => [nil "3"]
        EXISTS h => 0
        HGETDEL h FIELDS 1 a => [nil]
        SET s text => OK
        HGETDEL s FIELDS 1 a => -WRONGTYPE Operation against a key holding the wrong kind of value
        HGETDEL h FIELD 1 a => -ERR Mandatory argument FIELDS is missing or not at the right position
        HGETDEL h FIELDS 0 a => -ERR Number of fields must be a positive integer
        HGETDEL h FIELDS 2 a => -ERR The `numfields` parameter must match the number of arguments
        HGETDEL h FIELDS 1 => -ERR wrong number of arguments for 'hgetdel' command
        "#,
    );
}

#[test]
fn hgetex_returns_and_changes_the_expiry() {
    check(
        r#"
        HSET h a 1 b 2 => 2
        HGETEX h FIELDS 2 a z => ["1" nil]
        HTTL h FIELDS 1 a => [-1]
        HGETEX h EX 10 FIELDS 2 a z => ["1" nil]
        HTTL h FIELDS 1 a => [10]
        HGETEX h PX 1500 FIELDS 1 a => ["1"]
        HPTTL h FIELDS 1 a => [1500]
        HGETEX h EXAT 1700000020 FIELDS 1 a => ["1"]
        HTTL h FIELDS 1 a => [20]
        HGETEX h PXAT 1700000000300 FIELDS 1 a => ["1"]
        HPTTL h FIELDS 1 a => [300]
        HGETEX h FIELDS 1 a => ["1"]
        HPTTL h FIELDS 1 a => [300]
        HGETEX h PERSIST FIELDS 2 a b => ["1" "2"]
        HTTL h FIELDS 1 a => [-1]
        HGETEX missing EX 10 FIELDS 2 a b => [nil nil]
        EXISTS missing => 0
        HGETEX h EX x FIELDS 1 a => -ERR value is not an integer or out of range
        HGETEX h EX -1 FIELDS 1 a => -ERR invalid expire time, must be >= 0
        HGETEX h EX 70368744178 FIELDS 1 a => -ERR invalid expire time in 'hgetex' command
        HGETEX h EX 1 PERSIST FIELDS 1 a => -ERR Mandatory argument FIELDS is missing or not at the right position
        HGETEX h FIELDS 0 a => -ERR Number of fields must be a positive integer
        HGETEX h FIELDS 3 a b => -ERR The `numfields` parameter must match the number of arguments
        HGETEX h PERSIST FIELDS 1 => -ERR The `numfields` parameter must match the number of arguments
        HGETEX h EX 10 FIELDS => -ERR Number of fields must be a positive integer
        "#,
    );
}

#[test]
fn hsetex_sets_under_conditions() {
    check(
        r#"
        HSETEX h FXX FIELDS 1 a 1 => 0
        EXISTS h => 0
        HSETEX h FNX EX 10 FIELDS 2 a 1 b 2 => 1
        HTTL h FIELDS 2 a b => [10 10]
        HSETEX h FNX FIELDS 2 c 3 a 9 => 0
        HSETEX h FXX FIELDS 2 c 3 a 9 => 0
        HMGET h a c => ["1" nil]
        HSETEX h FXX KEEPTTL FIELDS 2 a 5 b 6 => 1
        HTTL h FIELDS 2 a b => [10 10]
        HSETEX h FIELDS 1 a 7 => 1
        HTTL h FIELDS 2 a b => [-1 10]
        HSETEX h PX 1500 FXX FIELDS 1 a 7 => 1
        HSETEX h PXAT 1700000000300 FIELDS 1 c 7 => 1
        HSETEX h EXAT 1700000100 FIELDS 1 d 7 => 1
        HPTTL h FIELDS 3 a c d => [1500 300 100000]
        TICK 301 => OK
        HSETEX h FXX FIELDS 1 c 8 => 0
        HSETEX h FNX FIELDS 1 c 8 => 1
        HGETALL h => ["a" "7" "b" "6" "d" "7" "c" "8"]
        HSETEX h KEEPTTL FIELDS 1 e 1 => 1
        SET s text => OK
        HSETEX s FIELDS 1 a 1 => -WRONGTYPE Operation against a key holding the wrong kind of value
        HSETEX h FXX FNX FIELDS 1 a 1 => -ERR Only one of FXX or FNX arguments can be specified
        HSETEX h EX 1 KEEPTTL FIELDS 1 a 1 => -ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified
        HSETEX h EX 1 PX 1 FIELDS 1 a 1 => -ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified
        HSETEX h EX -1 FIELDS 1 a 1 => -ERR invalid expire time, must be >= 0
        HSETEX h EX x FIELDS 1 a 1 => -ERR value is not an integer or out of range
        HSETEX h FXX FXX KEEPTTL EX => -ERR Only one of FXX or FNX arguments can be specified
        HSETEX h FXX KEEPTTL KEEPTTL EX => -ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified
        HSETEX h BOGUS FIELDS 1 a 1 => -ERR unknown argument: BOGUS
        HSETEX h FIELDS 0 a 1 => -ERR invalid number of fields
        HSETEX h FIELDS x a 1 => -ERR invalid number of fields
        HSETEX h FIELDS 2 a 1 b => -ERR wrong number of arguments for 'hsetex' command
        HSETEX h FIELDS 1 a 1 b 2 => -ERR wrong number of arguments for 'hsetex' command
        HSETEX h FNX KEEPTTL FIELDS 1 => -ERR wrong number of arguments for 'hsetex' command
        HSETEX h FNX PX 1 EX => -ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified
        HSETEX h FNX KEEPTTL FNX EX => -ERR Only one of FXX or FNX arguments can be specified
        "#,
    );
}

#[test]
fn what_nobody_touches_is_swept_wherever_it_went() {
    for shards in [1, 3] {
        let mut keyspace = Keyspace::new(shards);
        keyspace.check(
            r#"
            HSET h a 1 b 2 => 2
            HSETEX x PX 10 FIELDS 1 a 1 => 1
            HPEXPIRE h 10 FIELDS 1 a => [1]
            HSET g a 1 b 2 => 2
            HGETEX g PX 10 FIELDS 2 a b => ["1" "2"]
            HPEXPIRE g 5 FIELDS 1 b => [1]
            RENAME h {other}h => OK
            COPY {other}h copied => 1
            COPY g g DB 1 => 1
            MOVE x 2 => 1
            "#,
        );
        keyspace.tick(6);
        assert_eq!(sweep(&mut keyspace), 2, "field b of both hashes g");
        keyspace.tick(5);
        assert_eq!(sweep(&mut keyspace), 5);
        keyspace.check(
            r"
            EXISTS {other}h copied g => 2
            HLEN copied => 1
            SELECT 1 => OK
            DBSIZE => 0
            SELECT 2 => OK
            DBSIZE => 0
            ",
        );
        let watches = keyspace.shards.iter().flat_map(|shard| &shard.databases).any(storage::Database::watches_fields);
        assert!(!watches, "nothing is left to look at");
    }
}

#[test]
fn a_large_hash_is_as_a_small_one() {
    for shards in [1, 3] {
        let mut keyspace = Keyspace::new(shards);
        for field in 0..1000 {
            keyspace.run(&format!("HSET h f{field} {field}"));
        }
        for field in 0..900 {
            keyspace.run(&format!("HPEXPIRE h {} FIELDS 1 f{field}", 10 + field));
        }
        keyspace.tick(510);
        keyspace.check("HLEN h => 1000\nHMGET h f499 f500 => [nil \"500\"]");
        assert_eq!(keyspace.run("HKEYS h").split_whitespace().count(), 500);
        assert_eq!(keyspace.run("HRANDFIELD h 2000").split_whitespace().count(), 500);
        assert_eq!(sweep(&mut keyspace), 500);
        keyspace.check("HLEN h => 500\nOBJECT ENCODING h => \"hashtable\"");
        keyspace.tick(1000);
        assert_eq!(sweep(&mut keyspace), 400);
        keyspace.check("HLEN h => 100");
    }
}

#[test]
fn a_reply_that_nobody_will_read_is_not_finished() {
    let mut keyspace = Keyspace::new(1);
    keyspace.run("HSET h a b");
    keyspace.run("SADD s a");
    keyspace.configure(|config| {
        set(&mut config.client_output_buffer_limit, &[b"normal", b"100000", b"0", b"0"]);
    });
    for command in ["HRANDFIELD h -9999999", "SRANDMEMBER s -9999999"] {
        let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        assert!(keyspace.call(&words).len() < 10_000_000, "{command}");
    }
}

#[test]
fn every_change_counts_and_is_told() {
    let mut keyspace = Keyspace::new(1);
    keyspace.configure(|config| set(&mut config.notify_keyspace_events, &[b"KEA"]));
    for (command, changes, events) in [
        ("HSET h a 1 b 2", 2, &["hset"][..]),
        ("HSETNX h a 1", 0, &[]),
        ("HSETNX h c 1", 1, &["hset"]),
        ("HINCRBY h a 1", 1, &["hincrby"]),
        ("HINCRBYFLOAT h a 1", 1, &["hincrbyfloat"]),
        ("HDEL h z", 0, &[]),
        ("HDEL h c a", 2, &["hdel"]),
        ("HEXPIRE h 10 FIELDS 2 b z", 1, &["hexpire"]),
        ("HEXPIRE h 10 NX FIELDS 1 b", 0, &[]),
        ("HPERSIST h FIELDS 1 b", 1, &["hpersist"]),
        ("HPERSIST h FIELDS 1 b", 0, &[]),
        ("HGETEX h FIELDS 1 b", 0, &[]),
        ("HGETEX h EX 10 FIELDS 1 b", 1, &["hexpire"]),
        ("HGETEX h PERSIST FIELDS 1 b", 1, &["hpersist"]),
        ("HSETEX h EX 10 FIELDS 2 b 1 c 2", 2, &["hset", "hexpire"]),
        ("HSETEX h FNX FIELDS 1 b 1", 0, &[]),
        ("HGETDEL h FIELDS 2 b z", 1, &["hdel"]),
        ("HEXPIRE h 0 FIELDS 1 c", 1, &["hdel", "del"]),
        ("HSET h a 1", 1, &["hset"]),
        ("HDEL h a", 1, &["hdel", "del"]),
        ("HSETEX h EXAT 1 FIELDS 1 a 1", 1, &["hset", "hdel", "del"]),
    ] {
        let before = keyspace.counter(|counters| counters.dirty);
        keyspace.run(command);
        assert_eq!(keyspace.counter(|counters| counters.dirty) - before, changes, "{command}");
        let told: Vec<&str> = keyspace.shards[0].events.drain(..).map(|event| event.event).collect();
        assert_eq!(told, events, "{command}");
    }
}
