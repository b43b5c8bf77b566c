use crate::exec::testing::{Keyspace, check};

#[test]
fn strings_are_set_and_read() {
    check(
        r#"
        GET a => nil
        SET a 1 => OK
        GET a => "1"
        SET a "" => OK
        GET a => ""
        STRLEN a => 0
        SET a -9223372036854775808 => OK
        STRLEN a => 20
        STRLEN missing => 0
        GETSET a new => "-9223372036854775808"
        GETSET fresh x => nil
        SETNX a other => 0
        SETNX b other => 1
        MGET a b missing fresh a => ["new" "other" nil "x" "new"]
        GETDEL a => "new"
        GETDEL a => nil
        "#,
    );
}

#[test]
fn options_of_set_follow_redis() {
    check(
        r#"
        SET a 1 XX => nil
        SET a 1 NX GET => nil
        GET a => "1"
        SET a 2 NX GET => "1"
        SET a 2 NX => nil
        SET a 2 XX GET => "1"
        GET a => "2"
        SET a 1 NX NX => nil
        SET a 1 NX XX => -ERR syntax error
        SET a 1 EX 10 EX 20 => OK
        TTL a => 20
        SET a 2 KEEPTTL KEEPTTL => OK
        TTL a => 20
        SET a 3 => OK
        TTL a => -1
        SET a 1 PX 1500 => OK
        PTTL a => 1500
        TTL a => 2
        SET a 1 EX 10 PX 5 => -ERR syntax error
        SET a 1 EX 10 KEEPTTL => -ERR syntax error
        SET a 1 KEEPTTL EX 10 => -ERR syntax error
        SET a 1 PERSIST => -ERR syntax error
        SET a 1 EX => -ERR syntax error
        SET a 1 EX 0 => -ERR invalid expire time in 'set' command
        SET a 1 EX 9223372036854775 => -ERR invalid expire time in 'set' command
        SET a 1 EX x => -ERR value is not an integer or out of range
        SET a 1 EXAT 1 => OK
        DBSIZE => 1
        GET a => nil
        DBSIZE => 0
        SETEX a 10 v => OK
        TTL a => 10
        PSETEX a 10 v => OK
        PTTL a => 10
        SETEX a 0 v => -ERR invalid expire time in 'setex' command
        PSETEX a -1 v => -ERR invalid expire time in 'psetex' command
        "#,
    );
}

#[test]
fn strings_are_compared_before_they_are_replaced() {
    check(
        r#"
        SET a new IFEQ old => nil
        EXISTS a => 0
        SET a one IFNE old => OK
        SET a two IFEQ one GET => "one"
        SET a three IFEQ one GET => "two"
        GET a => "two"
        SET a 7 IFNE two => nil
        SET a 7 IFEQ two EX 10 => OK
        SET a 8 IFEQ 7 KEEPTTL => OK
        TTL a => 10
        SET a x NX IFEQ 8 => -ERR syntax error
        SET a x IFEQ 8 XX => -ERR syntax error
        SET a x IFEQ 8 IFEQ 8 => -ERR syntax error
        SET a x IFEQ => -ERR syntax error
        SET b "" => OK
        DIGEST b => "2d06800538d394c2"
        DIGEST missing => nil
        SET b x IFDEQ 2D06800538D394C2 => OK
        SET b y IFDEQ 2d06800538d394c2 => nil
        SET b y IFDNE 2d06800538d394c2 => OK
        SET b y IFDEQ 12 => -ERR Digest must be exactly 16 hexadecimal characters
        "#,
    );
}

#[test]
fn keys_are_removed_by_comparison() {
    check(
        r"
        MSET a 1 b 2 c 3 => OK
        DELEX a IFEQ 2 => 0
        DELEX a IFNE 1 => 0
        DELEX a IFEQ 1 => 1
        DELEX a IFNE 1 => 0
        DELEX b IFDEQ 2d06800538d394c2 => 0
        DELEX b IFDNE 2d06800538d394c2 => 1
        DELEX c => 1
        DELEX c => 0
        DELEX c IFEQ => -ERR wrong number of arguments for 'delex' command
        DELEX c IFXX 1 => -ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE
        RPUSH list 1 => 1
        DELEX list IFEQ 1 => -ERR Key should be of string type if conditions are specified
        DELEX list => 1
        SET d 1 => OK
        DELIFEQ d 2 => 0
        DELIFEQ d 1 => 1
        DELIFEQ d 1 => 0
        ",
    );
}

#[test]
fn many_strings_are_stored_with_one_expiry() {
    check(
        r#"
        MSETEX 2 a 1 b 2 EX 10 => 1
        TTL a => 10
        TTL b => 10
        MSETEX 2 a x c 3 NX => 0
        EXISTS c => 0
        MSETEX 2 a x c 3 XX => 0
        GET a => "1"
        MSETEX 2 a x b y XX KEEPTTL => 1
        TTL a => 10
        MSETEX 3 a 1 c 2 d 3 => 1
        MGET a c d => ["1" "2" "3"]
        TTL a => -1
        MSETEX 0 a 1 => -ERR invalid numkeys value
        MSETEX x a 1 => -ERR invalid numkeys value
        MSETEX 2 a 1 b => -ERR wrong number of key-value pairs
        MSETEX 1 a 1 GET => -ERR syntax error
        MSETEX 1 a 1 IFEQ 1 => -ERR syntax error
        MSETEX 1 a 1 NX XX => -ERR syntax error
        MSETEX 1 a 1 EX 0 => -ERR invalid expire time in 'msetex' command
        "#,
    );
}

#[test]
fn an_expired_key_leaves_nothing_to_keep() {
    check(
        r#"
        SET a 1 PX 100 => OK
        TICK 100 => OK
        GET a => "1"
        TICK 1 => OK
        SET a 2 KEEPTTL => OK
        TTL a => -1
        SET a 1 PX 100 => OK
        TICK 101 => OK
        SET a 2 XX => nil
        SETRANGE a 2 x => 3
        GET a => "\x00\x00x"
        TTL a => -1
        "#,
    );
}

#[test]
fn getex_changes_the_expiry_alone() {
    check(
        r#"
        SET a 1 => OK
        GETEX a => "1"
        GETEX a EX 10 EX 20 => "1"
        TTL a => 20
        GETEX a PERSIST PERSIST => "1"
        TTL a => -1
        GETEX a PXAT 1700000000500 => "1"
        PTTL a => 500
        GETEX missing EX abc => nil
        GETEX a EX abc => -ERR value is not an integer or out of range
        GETEX a EX 0 => -ERR invalid expire time in 'getex' command
        GETEX a KEEPTTL => -ERR syntax error
        GETEX a NX => -ERR syntax error
        GETEX a EX 1 PERSIST => -ERR syntax error
        GETEX a EXAT 1 => "1"
        EXISTS a => 0
        "#,
    );
}

#[test]
fn parts_of_strings_are_read_and_written() {
    check(
        r#"
        SET a "Hello World" => OK
        GETRANGE a 0 4 => "Hello"
        GETRANGE a -5 -1 => "World"
        SUBSTR a -100 100 => "Hello World"
        GETRANGE a 5 3 => ""
        GETRANGE a -1 -5 => ""
        GETRANGE a 100 200 => ""
        GETRANGE a 9223372036854775807 -9223372036854775808 => ""
        GETRANGE a x 1 => -ERR value is not an integer or out of range
        GETRANGE missing 0 -1 => ""
        SETRANGE a 6 Redis => 11
        GET a => "Hello Redis"
        SETRANGE a 0 "" => 11
        SETRANGE missing 5 "" => 0
        EXISTS missing => 0
        SETRANGE b 3 x => 4
        GET b => "\x00\x00\x00x"
        OBJECT ENCODING b => "raw"
        SETRANGE a -1 x => -ERR offset is out of range
        SETRANGE a 536870912 x => -ERR string exceeds maximum allowed size (proto-max-bulk-len)
        APPEND n 12 => 2
        OBJECT ENCODING n => "int"
        APPEND n 3 => 3
        OBJECT ENCODING n => "raw"
        INCR n => 124
        OBJECT ENCODING n => "int"
        APPEND n "" => 3
        "#,
    );
}

#[test]
fn counting_stays_within_64_bits() {
    check(
        r#"
        INCR a => 1
        DECR a => 0
        INCRBY a 9223372036854775807 => 9223372036854775807
        INCR a => -ERR increment or decrement would overflow
        GET a => "9223372036854775807"
        DECRBY a -1 => -ERR increment or decrement would overflow
        DECRBY a -9223372036854775808 => -ERR decrement would overflow
        SET a " 1" => OK
        INCR a => -ERR value is not an integer or out of range
        INCRBY b +1 => -ERR value is not an integer or out of range
        EXISTS b => 0
        SET c 5 EX 100 => OK
        INCR c => 6
        INCRBYFLOAT c 0.5 => "6.5"
        TTL c => 100
        INCRBYFLOAT c 0.5 => "7"
        OBJECT ENCODING c => "embstr"
        INCR c => 8
        INCRBYFLOAT c inf => -ERR increment would produce NaN or Infinity
        INCRBYFLOAT c " 1" => -ERR value is not a valid float
        INCRBYFLOAT d 3.0e3 => "3000"
        INCRBYFLOAT d -1e-1 => "2999.89999999999999991"
        "#,
    );
}

#[test]
fn many_keys_are_set_all_or_none() {
    check(
        r#"
        MSET a 1 b 2 c 3 a 4 => OK
        MGET a b c => ["4" "2" "3"]
        MSET a 1 b => -ERR wrong number of arguments for 'mset' command
        MSETNX x 1 y 2 c 3 => 0
        EXISTS x y => 0
        MSETNX x 1 y 2 z 3 x 4 => 1
        MGET x y z => ["4" "2" "3"]
        MSETNX p 1 q => -ERR wrong number of arguments for 'msetnx' command
        MSETNX => -ERR wrong number of arguments for 'msetnx' command
        DBSIZE => 6
        "#,
    );
}

#[test]
fn every_change_counts_once() {
    let mut keyspace = Keyspace::new(3);
    let mut changes = 0;
    for (command, more) in [
        ("SET a 1", 1),
        ("SET a 1 NX", 0),
        ("MSET a 1 b 2 a 3", 3),
        ("MSETNX p 1 q 2 r 3", 3),
        ("MSETNX p 1 s 2", 0),
        ("APPEND a x", 1),
        ("SETRANGE a 0 \"\"", 0),
        ("GETEX a", 0),
        ("GETEX a PERSIST", 0),
        ("GETEX a EX 10", 1),
        ("GETEX a PERSIST", 1),
        ("GETDEL a", 1),
        ("GETDEL a", 0),
        ("INCR n", 1),
        ("INCRBYFLOAT n 1", 1),
    ] {
        keyspace.run(command);
        changes += more;
        assert_eq!(keyspace.counter(|counters| counters.dirty), changes, "{command}");
    }
}

#[test]
fn reading_counts_hits_and_misses_and_writing_does_not() {
    let mut keyspace = Keyspace::new(1);
    for command in ["SET a 1", "SET a 2 XX", "INCR n", "APPEND s x", "MSETNX a 1", "SETNX a 1", "EXPIRE a 1"] {
        keyspace.run(command);
    }
    assert_eq!(keyspace.counter(|counters| counters.hits + counters.misses), 0);
    for command in ["GET a", "MGET a n missing", "STRLEN a", "TTL a", "EXISTS a missing", "TYPE a", "SET a 1 GET"] {
        keyspace.run(command);
    }
    assert_eq!(keyspace.counter(|counters| counters.hits), 8);
    assert_eq!(keyspace.counter(|counters| counters.misses), 2);
}
