//! What the referee does not know: the same with keys on several shards, and changes counted once.

use storage::types::hash::{FieldExpiry, Hash};
use storage::types::list::{End, List, ListLimits};
use storage::types::set::{Set, SetLimits};
use storage::types::zset::{ZSet, ZSetLimits};

use crate::exec::testing::Keyspace;

fn list(keyspace: &mut Keyspace, key: &str, elements: &str) {
    let mut list = List::default();
    list.push(End::Tail, elements.split(' ').map(str::as_bytes), ListLimits::default());
    keyspace.ctx(key.as_bytes()).store_collection(key.as_bytes(), list);
}

fn set(keyspace: &mut Keyspace, key: &str, members: &str) {
    let mut set = Set::default();
    for member in members.split(' ') {
        set.insert(member.as_bytes(), &SetLimits::default());
    }
    keyspace.ctx(key.as_bytes()).store_collection(key.as_bytes(), set);
}

fn sorted_set(keyspace: &mut Keyspace, key: &str, members: &[(&str, f64)]) {
    let mut set = ZSet::default();
    for (member, score) in members {
        set.insert(member.as_bytes(), *score, &ZSetLimits::default());
    }
    keyspace.ctx(key.as_bytes()).store_collection(key.as_bytes(), set);
}

fn hash(keyspace: &mut Keyspace, key: &str, field: &str, value: &str) {
    let mut hash = Hash::default();
    let limits = keyspace.shards[0].limits.hash;
    hash.set(field.as_bytes(), value.as_bytes(), FieldExpiry::Clear, &limits);
    keyspace.ctx(key.as_bytes()).store_collection(key.as_bytes(), hash);
}

/// Runs a script with one shard and with three, once `fill` has been called.
fn check(fill: impl Fn(&mut Keyspace), script: &str) {
    for shards in [1, 3] {
        let mut keyspace = Keyspace::new(shards);
        fill(&mut keyspace);
        keyspace.check(script);
    }
}

#[test]
fn elements_are_sorted_by_number_and_by_bytes() {
    check(
        |keyspace| {
            list(keyspace, "l", "10 9 2.5 -1 inf 30");
            list(keyspace, "words", "b a c aa");
            sorted_set(keyspace, "z", &[("x", 3.0), ("y", 1.0), ("w", 2.0)]);
        },
        r#"
        SORT l => ["-1" "2.5" "9" "10" "30" "inf"]
        SORT l DESC LIMIT 1 2 => ["30" "10"]
        SORT l LIMIT 4 100 => ["30" "inf"]
        SORT l LIMIT -3 2 => ["-1" "2.5"]
        SORT l LIMIT 2 -5 => ["9" "10" "30" "inf"]
        SORT l LIMIT 9 1 => []
        SORT l ALPHA => ["-1" "10" "2.5" "30" "9" "inf"]
        SORT words => -ERR One or more scores can't be converted into double
        SORT words ALPHA DESC => ["c" "b" "aa" "a"]
        SORT words BY nosort => ["b" "a" "c" "aa"]
        SORT words BY nosort DESC LIMIT 0 3 => ["aa" "c" "a"]
        SORT z BY nosort => ["y" "w" "x"]
        SORT z BY nosort DESC LIMIT 0 2 => ["x" "w"]
        SORT z BY nosort LIMIT 5 10 => []
        SORT missing => []
        SORT_RO l LIMIT 0 1 => ["-1"]
        SORT_RO l STORE x => -ERR syntax error
        SORT l LIMIT 1 => -ERR syntax error
        SORT l LIMIT 1 x => -ERR value is not an integer or out of range
        SORT l BY => -ERR syntax error
        SET s text => OK
        SORT s => -WRONGTYPE Operation against a key holding the wrong kind of value
        SORT s BY w_* => -WRONGTYPE Operation against a key holding the wrong kind of value
        "#,
    );
}

#[test]
fn keys_of_patterns_are_found_on_every_shard() {
    check(
        |keyspace| {
            list(keyspace, "ids", "1 2 3 4 5");
            for (id, weight) in [("1", "50"), ("2", "40"), ("3", "30"), ("4", "20")] {
                hash(keyspace, &format!("o_{id}"), "w", weight);
            }
        },
        r#"
        MSET w_1 5 w_2 4 w_3 3 w_4 2 w_5 1 n_1 one n_2 two n_3 three n_5 five => OK
        SORT ids BY w_* => ["5" "4" "3" "2" "1"]
        SORT ids BY w_* DESC LIMIT 1 2 => ["2" "3"]
        SORT ids BY w_* LIMIT 0 2 GET # GET n_* => ["5" "five" "4" nil]
        SORT ids BY o_*->w => ["5" "4" "3" "2" "1"]
        SORT ids BY nosort GET o_*->w => ["50" "40" "30" "20" nil]
        SORT ids BY nosort GET w_*->w LIMIT 0 1 => [nil]
        SORT ids BY nosort GET n_* GET constant LIMIT 0 1 => ["one" nil]
        SORT ids BY n_* ALPHA => ["4" "5" "1" "3" "2"]
        SORT ids BY n_* => -ERR One or more scores can't be converted into double
        SORT ids BY w_* GET n_* STORE out => 5
        SORT out BY nosort => ["five" "" "three" "two" "one"]
        TYPE out => list
        SORT missing BY w_* STORE out => 0
        EXISTS out => 0
        SORT missing BY w_* GET n_* => []
        "#,
    );
}

#[test]
fn a_set_is_stored_in_order_whatever_the_client_said() {
    check(
        |keyspace| set(keyspace, "s", "c a b"),
        r#"
        SORT s BY nosort STORE out => 3
        SORT out BY nosort => ["a" "b" "c"]
        SORT s STORE out => -ERR One or more scores can't be converted into double
        SORT s ALPHA STORE s => 3
        TYPE s => list
        "#,
    );
}

#[test]
fn rows_stored_are_changes_counted() {
    for shards in [1, 3] {
        let mut keyspace = Keyspace::new(shards);
        list(&mut keyspace, "l", "2 1 3");
        keyspace.check("SORT l GET x_* GET # STORE out => 6\nSORT missing STORE out => 0\nSORT missing STORE out => 0");
        assert_eq!(keyspace.counter(|counters| counters.dirty), 6 + 1);
    }
}
