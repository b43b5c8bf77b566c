use crate::exec::testing::{Keyspace, check};

#[test]
fn elements_are_counted_and_united() {
    check(
        r"
        PFADD a => 1
        PFADD a => 0
        PFCOUNT a => 0
        PFADD a x y z => 1
        PFADD a x y z => 0
        PFCOUNT a => 3
        PFADD b z 1 2 => 1
        PFCOUNT a b missing => 5
        PFMERGE c a b => OK
        PFCOUNT c => 5
        PFMERGE c => OK
        PFCOUNT c => 5
        PFMERGE d => OK
        PFCOUNT d => 0
        PFCOUNT missing => 0
        ",
    );
}

#[test]
fn strings_that_are_none_stay_as_they_are() {
    check(
        r#"
        SET number 12 => OK
        PFADD number x => -WRONGTYPE Key is not a valid HyperLogLog string value.
        OBJECT ENCODING number => "int"
        SET text HYLLtext => OK
        PFADD text x => -WRONGTYPE Key is not a valid HyperLogLog string value.
        PFCOUNT text => -WRONGTYPE Key is not a valid HyperLogLog string value.
        PFCOUNT missing text => -WRONGTYPE Key is not a valid HyperLogLog string value.
        PFMERGE new text => -WRONGTYPE Key is not a valid HyperLogLog string value.
        EXISTS new => 0
        OBJECT ENCODING text => "embstr"
        PFADD good x => 1
        APPEND good more => 24
        PFCOUNT good => -INVALIDOBJ Corrupted HLL object detected
        "#,
    );
}

#[test]
fn a_count_is_kept_and_counts_as_a_change() {
    let mut keyspace = Keyspace::new(1);
    keyspace.check("PFADD a x => 1");
    let changes = |keyspace: &Keyspace| keyspace.counter(|counters| counters.dirty);
    assert_eq!(changes(&keyspace), 2, "the key and the element");
    keyspace.check("PFCOUNT a => 1");
    assert_eq!(changes(&keyspace), 3);
    keyspace.check("PFCOUNT a => 1");
    assert_eq!(changes(&keyspace), 3, "the second time there is nothing to keep");
}

#[test]
fn the_machine_counts_right() {
    check("PFSELFTEST => OK");
}

#[test]
fn registers_are_shown() {
    check(
        r#"
        PFDEBUG ENCODING a => -ERR The specified key does not exist
        PFADD a a b => 1
        PFDEBUG ENCODING a => sparse
        PFDEBUG DECODE a => "Z:12711 v:2,1 Z:3068 v:1,1 Z:603"
        PFDEBUG TODENSE a => 1
        PFDEBUG TODENSE a => 0
        PFDEBUG ENCODING a => dense
        PFDEBUG DECODE a => -ERR HLL encoding is not sparse
        PFDEBUG other a => -ERR Unknown PFDEBUG subcommand 'other'
        "#,
    );
}
