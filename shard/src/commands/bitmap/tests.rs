use crate::exec::testing::{Keyspace, check};

#[test]
fn bits_are_read_and_written() {
    check(
        r#"
        GETBIT a 100 => 0
        SETBIT a 7 1 => 0
        GET a => "\x01"
        SETBIT a 7 0 => 1
        SETBIT a 17 1 => 0
        STRLEN a => 3
        GETBIT a 17 => 1
        SET n 12 => OK
        GETBIT n 2 => 1
        SETBIT n 7 1 => 1
        OBJECT ENCODING n => "raw"
        SETBIT a x 1 => -ERR bit offset is not an integer or out of range
        SETBIT a -1 1 => -ERR bit offset is not an integer or out of range
        SETBIT a 4294967296 1 => -ERR bit offset is not an integer or out of range
        SETBIT a 1 2 => -ERR bit is not an integer or out of range
        "#,
    );
}

#[test]
fn operations_of_later_versions_combine_bits() {
    check(
        r#"
        SET x "\xf0" => OK
        SET y "\xcc" => OK
        SET z "\xaa" => OK
        BITOP DIFF d x y z => 1
        GET d => "\x10"
        BITOP DIFF1 d x y z => 1
        GET d => "\x0e"
        BITOP ANDOR d x y z => 1
        GET d => "\xe0"
        BITOP ONE d x y z => 1
        GET d => "\x16"
        BITOP ONE d x => 1
        GET d => "\xf0"
        BITOP DIFF d x => -ERR BITOP DIFF must be called with at least two source keys.
        BITOP diff1 d x => -ERR BITOP DIFF1 must be called with at least two source keys.
        BITOP ANDOR d x => -ERR BITOP ANDOR must be called with at least two source keys.
        BITOP NOT d x y => -ERR BITOP NOT must be called with a single source key.
        BITOP NAND d x y => -ERR syntax error
        "#,
    );
}

#[test]
fn an_empty_result_removes_the_target() {
    check(
        r"
        SET d old => OK
        BITOP AND d missing gone => 0
        EXISTS d => 0
        SET x abc PX 10 => OK
        TICK 11 => OK
        SET d old => OK
        BITOP OR d x => 0
        EXISTS d => 0
        ",
    );
}

#[test]
fn only_what_changes_something_is_a_change() {
    let mut keyspace = Keyspace::new(1);
    let changes = |keyspace: &Keyspace| keyspace.counter(|counters| counters.dirty);
    for (command, changed) in [
        ("SETBIT a 7 1 => 0", 1),
        ("SETBIT a 7 1 => 1", 0),
        ("SETBIT a 8 0 => 0", 1),
        ("BITFIELD a SET u8 0 1 => [1]", 0),
        ("BITFIELD a SET u8 0 2 INCRBY u8 0 1 GET u8 0 => [1 3 3]", 2),
        ("BITFIELD a SET u8 16 0 => [0]", 1),
        ("BITFIELD a OVERFLOW FAIL SET u8 0 300 => [nil]", 0),
    ] {
        let before = changes(&keyspace);
        keyspace.check(command);
        assert_eq!(changes(&keyspace) - before, changed, "{command}");
    }
}
