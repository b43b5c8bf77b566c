//! Small programs, each against one way of getting the order wrong.
//!
//! Every one is explored under many seeds, and the smallest under all schedules with few switches. A key `x@0` is one
//! that shard 0 owns. Most came out of a model checker as the shortest programs that a weaker rule gets wrong; the
//! mutants of `mutants.rs` show that they still do.

use crate::program::{Event, Program, START_MILLIS};
use crate::verdict::{holds, holds_exhaustively};

const SEEDS: u64 = 500;

/// Message passing: whoever sees the second write sees the first. The reader asks one by one.
pub fn message_passing_closed_loop() -> Vec<Program> {
    vec![
        Program::new("message passing, reader at home of x", 2)
            .client(1, "SET x@0 1; SET y@1 1")
            .client(0, "GET y@1 | GET x@0"),
        Program::new("message passing, homes swapped", 2)
            .client(0, "SET x@0 1; SET y@1 1")
            .client(1, "GET y@1 | GET x@0"),
        Program::new("remote then local write, seen in a closed loop", 2)
            .client(0, "SET y@1 1; SET x@0 1")
            .client(1, "GET x@0 | GET y@1"),
    ]
}

/// Message passing, the reader pipelining.
pub fn message_passing_pipelined() -> Vec<Program> {
    vec![
        Program::new("message passing, pipelined reader at home of x", 2)
            .client(1, "SET x@0 1; SET y@1 1")
            .client(0, "GET y@1; GET x@0"),
        Program::new("message passing, pipelined reader on a third core", 3)
            .client(0, "SET x@0 1; SET y@1 1")
            .client(2, "GET y@1; GET x@0"),
        Program::new("message passing over eight keys, backwards", 4)
            .client(0, "SET a@0 1; SET b@1 1; SET c@2 1; SET d@3 1")
            .client(2, "GET d@3; GET c@2; GET b@1; GET a@0"),
    ]
}

/// Store buffering: two pipelines that write and read crosswise cannot both miss. How people make flags and locks.
pub fn store_buffering() -> Program {
    Program::new("store buffering", 2).client(0, "SET y@1 1; GET x@0").client(1, "SET x@0 1; GET y@1")
}

/// Message passing over two clients who talk: one reads y, and when it has its answer another reads x.
pub fn clients_who_talk() -> Program {
    Program::new("message passing over two clients who talk", 2)
        .client(1, "SET x@0 1; SET y@1 1")
        .client(1, "GET y@1")
        .client(0, "GET x@0")
        .after(1)
}

/// MSET over two shards against pipelined readers: both keys change at one point.
pub fn mset_is_one_point() -> Vec<Program> {
    vec![
        Program::new("MSET seen by a pipeline", 2).client(0, "MSET x@0 1 y@1 1").client(1, "GET x@0; GET y@1"),
        Program::new("MSET seen by a pipeline on a third core", 3)
            .client(0, "MSET x@0 1 y@1 1")
            .client(2, "GET x@0; GET y@1"),
        Program::new("MSET seen in a closed loop", 2).client(0, "MSET x@0 1 y@1 1").client(1, "GET x@0 | GET y@1"),
        Program::new("MSET, MSET, MGET", 2)
            .client(0, "MSET x@0 1 y@1 1")
            .client(1, "MSET y@1 2 x@0 2")
            .client(0, "MGET x@0 y@1"),
        Program::new("GET y, MSET, GET x against a writer", 2)
            .client(0, "GET y@1; MSET x@0 1 y@1 1; GET x@0")
            .client(1, "SET x@0 5; SET y@1 5"),
        Program::new("MSET from both sides", 2).client(0, "MSET x@0 1 y@1 1").client(1, "MSET x@0 2 y@1 2"),
        Program::new("MSET over four shards", 4)
            .client(0, "MSET a@0 1 b@1 1 c@2 1 d@3 1")
            .client(3, "MSET d@3 2 c@2 2 b@1 2 a@0 2")
            .client(1, "MGET a@0 b@1 c@2 d@3")
            .client(2, "GET d@3; GET a@0"),
    ]
}

/// Reads of one pipeline must not be merged across each other.
pub fn reads_in_one_pipeline() -> Program {
    Program::new("GET x, GET y, GET w against SET w, SET y", 3)
        .client(1, "SET w@0 1; SET y@1 1")
        .client(2, "GET x@0; GET y@1; GET w@0")
}

/// A push that is put off holds what follows on its connection.
pub fn put_off() -> Vec<Program> {
    vec![
        Program::new("MSET put off, GET behind it", 2)
            .client(0, "MSET x@0 1 y@1 1; GET x@0; GET y@1")
            .client(1, "MSET x@0 2 y@1 2")
            .with_put_offs(),
        Program::new("store buffering with pushes put off", 2)
            .client(0, "SET y@1 1; GET x@0")
            .client(1, "SET x@0 1; GET y@1")
            .with_put_offs(),
        Program::new("COPY against COPY with pushes put off", 2)
            .with("x@0", "1")
            .with("y@1", "2")
            .client(0, "COPY x@0 y@1 REPLACE; GET x@0")
            .client(1, "COPY y@1 x@0 REPLACE; GET y@1")
            .with_put_offs(),
    ]
}

/// Commands behind a multi-hop one on some of their keys.
pub fn waiting() -> Vec<Program> {
    vec![
        Program::new("RENAME a b, SET b behind a lock on a", 2)
            .with("a@0", "1")
            .with("b@0", "2")
            .client(1, "COPY a@0 y@1 REPLACE")
            .client(1, "RENAME a@0 b@0; SET b@0 9"),
        Program::new("COPY, then pipelined writes to both keys", 2)
            .with("x@0", "1")
            .client(0, "COPY x@0 y@1 REPLACE; SET x@0 7; SET y@1 8")
            .client(1, "GET y@1 | GET x@0"),
        Program::new("DBSIZE behind a lock", 2)
            .with("x@0", "1")
            .client(0, "COPY x@0 y@1; SET x@0 2; SET z@0 3")
            .client(1, "DBSIZE; SET w@1 4")
            .client(0, "DEL x@0 y@1 | DBSIZE"),
        Program::new("MSET waits on one of its shards", 3)
            .with("a@0", "1")
            .client(1, "COPY a@0 y@1 REPLACE")
            .client(2, "MSET a@0 5 z@2 5")
            .client(0, "GET z@2; GET a@0"),
    ]
}

/// Multi-hop commands against each other: none gets stuck, and each is at one point.
pub fn multi_hop() -> Vec<Program> {
    vec![
        Program::new("COPY x y against COPY y x", 2)
            .with("x@0", "1")
            .with("y@1", "2")
            .client(0, "COPY x@0 y@1 REPLACE")
            .client(1, "COPY y@1 x@0 REPLACE"),
        Program::new("COPY against MSET", 2)
            .client(0, "COPY x@0 y@1 REPLACE")
            .client(1, "MSET x@0 1 y@1 2")
            .client(0, "MGET x@0 y@1"),
        Program::new("RENAME in a circle", 3)
            .with("x@0", "1")
            .client(0, "RENAME x@0 y@1")
            .client(1, "RENAME y@1 z@2")
            .client(2, "RENAME z@2 x@0")
            .client(0, "EXISTS x@0 y@1 z@2"),
        Program::new("MSETNX against MSETNX", 2)
            .client(0, "MSETNX x@0 1 y@1 1 | MGET x@0 y@1")
            .client(1, "MSETNX y@1 2 x@0 2 | MGET y@1 x@0"),
        Program::new("RENAMENX for one place", 3)
            .with("x@0", "1")
            .with("y@1", "2")
            .client(0, "RENAMENX x@0 z@2; GET z@2")
            .client(1, "RENAMENX y@1 z@2; GET z@2"),
    ]
}

/// A transaction against a BLMOVE that is served: whatever takes locks takes them by its push.
pub fn served_move() -> Program {
    Program::new("a transaction against a served move", 2)
        .with("x@0", "1")
        .client(0, "move x@0 y@1")
        .client(1, "move y@1 x@0")
        .client(1, "MGET x@0 y@1")
}

/// CLIENT PAUSE holds commands back, and lets them go in their order.
pub fn pauses() -> Vec<Program> {
    vec![
        Program::new("a pause ends in the tick in which it began", 2)
            .client(0, "SET y@1 1; GET x@0")
            .client(1, "SET x@0 1; GET y@1")
            .client(1, "CLIENT PAUSE 100000 ALL; CLIENT UNPAUSE"),
        Program::new("a pause of writes that ends by itself", 2)
            .client(0, "SET y@1 1; SET x@0 1; GET y@1")
            .client(1, "CLIENT PAUSE 5 WRITE; GET x@0; MSET x@0 2 y@1 2; GET y@1")
            .event(Event::Advance(6)),
    ]
}

/// Two keys with one deadline on two shards: an MGET sees both or neither, the sweeper running.
pub fn one_deadline() -> Vec<Program> {
    let deadline = START_MILLIS + 50;
    vec![
        Program::new("MGET of two keys with one deadline", 2)
            .with_expiring("x@0", "1", deadline)
            .with_expiring("y@1", "1", deadline)
            .client(0, "MGET x@0 y@1 | MGET x@0 y@1")
            .client(1, "MGET y@1 x@0")
            .event(Event::Advance(51)),
        Program::new("a deadline while one of the keys is locked", 3)
            .with_expiring("x@0", "1", deadline)
            .with_expiring("y@1", "1", deadline)
            .client(2, "COPY x@0 z@2 REPLACE")
            .client(1, "MGET y@1 x@0; GET z@2")
            .client(0, "GET y@1 | GET x@0")
            .event(Event::Advance(51)),
        Program::new("the sweeper and a key that is waited for", 2)
            .with_expiring("x@0", "1", deadline)
            .with_expiring("y@1", "1", deadline)
            .client(1, "COPY x@0 z@1 REPLACE; MGET y@1 x@0; GET z@1")
            .client(0, "GET v@1 | GET v@1")
            .event(Event::Advance(1100)),
        Program::new("a deadline moved on while the sweeper runs", 2)
            .with("x@0", "1")
            .with("y@1", "1")
            .client(0, "PEXPIREAT x@0 1700000000050; PEXPIREAT y@1 1700000000050; MGET x@0 y@1")
            .client(1, "PEXPIREAT y@1 1700000009000 | MGET x@0 y@1 | EXISTS x@0 y@1")
            .event(Event::Advance(51))
            .event(Event::Advance(500)),
    ]
}

/// EXEC with a watched key on another shard.
pub fn watched_elsewhere() -> Vec<Program> {
    vec![
        Program::new("EXEC with a watched key elsewhere", 2)
            .with("w@0", "1")
            .client(1, "exec w@0 1 y@1 5")
            .client(0, "SET w@0 2 | GET y@1 | GET y@1"),
        Program::new("two transactions that watch each other's key", 2)
            .with("x@0", "1")
            .with("y@1", "1")
            .client(0, "exec x@0 1 y@1 2")
            .client(1, "exec y@1 1 x@0 2"),
    ]
}

/// Two publishers, subscribers on all cores: one order for all, and in order with writes.
pub fn publishers() -> Vec<Program> {
    vec![
        Program::new("two publishers, two cores", 2)
            .client(0, "publish 1; publish 2")
            .client(1, "publish 3; publish 4"),
        Program::new("a write before each message", 3)
            .client(0, "SET x@1 1; publish 1")
            .client(2, "SET x@1 2; publish 2; GET x@1")
            .client(1, "publish 3 | GET x@1"),
    ]
}

/// Memory runs out in the middle: a command is refused whole or not at all.
pub fn full_shard() -> Vec<Program> {
    let moody = |program: Program| {
        [true, false, true, false].into_iter().fold(program, |program, over| program.event(Event::OverMemory(over)))
    };
    vec![
        moody(Program::new("MSET when memory runs out", 2).client(0, "MSET x@0 1 y@1 1 | MGET x@0 y@1")),
        moody(
            Program::new("MSET against MSET when memory runs out", 3)
                .client(0, "MSET x@0 1 y@1 1; MSET x@0 2 y@1 2")
                .client(2, "MSET y@1 3 x@0 3 | MGET x@0 y@1"),
        ),
    ]
}

/// A connection is closed with a reply under way, and its slot has a new one.
pub fn reused_slot() -> Vec<Program> {
    vec![
        Program::new("a slot is reused with a reply under way", 2)
            .with("x@1", "old")
            .with("y@1", "new")
            .client(0, "GET x@1")
            .client(0, "GET y@1 | GET y@1")
            .in_the_slot_of(0)
            .event(Event::Close(0)),
        Program::new("a slot is reused with plans and parts under way", 3)
            .with("x@1", "old")
            .with("y@2", "new")
            .client(0, "MGET x@1 y@2; COPY x@1 z@2; SET x@1 3")
            .client(0, "MGET y@2 x@1; GET z@2 | GET y@2")
            .in_the_slot_of(0)
            .event(Event::Close(0)),
    ]
}

/// All of them.
pub fn all() -> Vec<Program> {
    let single = [store_buffering(), clients_who_talk(), reads_in_one_pipeline(), served_move()];
    let many = [
        message_passing_closed_loop(),
        message_passing_pipelined(),
        mset_is_one_point(),
        put_off(),
        waiting(),
        multi_hop(),
        pauses(),
        one_deadline(),
        watched_elsewhere(),
        publishers(),
        full_shard(),
        reused_slot(),
    ];
    single.into_iter().chain(many.into_iter().flatten()).collect()
}

fn all_hold(programs: &[Program]) {
    for program in programs {
        holds(program, SEEDS);
    }
}

#[test]
fn whoever_sees_the_second_write_sees_the_first() {
    all_hold(&message_passing_closed_loop());
    all_hold(&message_passing_pipelined());
    all_hold(&[clients_who_talk()]);
}

#[test]
fn crossing_pipelines_do_not_both_miss() {
    all_hold(&[store_buffering()]);
}

#[test]
fn a_command_over_shards_has_one_point() {
    all_hold(&mset_is_one_point());
    all_hold(&[reads_in_one_pipeline()]);
}

#[test]
fn what_is_put_off_holds_what_follows() {
    all_hold(&put_off());
}

#[test]
fn who_waits_keeps_its_place() {
    all_hold(&waiting());
}

#[test]
fn commands_in_hops_do_not_get_stuck() {
    all_hold(&multi_hop());
    all_hold(&[served_move()]);
}

#[test]
fn what_a_pause_held_back_keeps_its_order() {
    all_hold(&pauses());
}

#[test]
fn keys_with_one_deadline_go_together() {
    all_hold(&one_deadline());
}

#[test]
fn a_watched_key_elsewhere_is_watched() {
    all_hold(&watched_elsewhere());
}

#[test]
fn messages_have_one_order() {
    all_hold(&publishers());
}

#[test]
fn a_command_is_refused_whole_or_not_at_all() {
    all_hold(&full_shard());
}

#[test]
fn replies_find_their_own_client() {
    all_hold(&reused_slot());
}

#[test]
fn pushes_put_off_change_nothing() {
    let put_off: Vec<Program> = all().into_iter().map(Program::with_put_offs).collect();
    all_hold(&put_off);
}

#[test]
fn every_schedule_with_few_switches_is_right() {
    let smallest = [
        (store_buffering(), 2),
        (mset_is_one_point().swap_remove(0), 1),
        (message_passing_pipelined().swap_remove(0), 1),
        (multi_hop().swap_remove(0), 1),
        (watched_elsewhere().swap_remove(1), 1),
    ];
    for (program, stops) in &smallest {
        let schedules = holds_exhaustively(program, *stops);
        assert!(schedules > 1000, "{}: only {schedules} schedules were there to try", program.name);
    }
}
