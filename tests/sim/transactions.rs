//! Transactions: small programs and random ones, of the commands themselves.
//!
//! `multi A, B` in a program's text is MULTI, the commands A and B, and EXEC, sent at once; its reply is that of EXEC. The
//! oracle knows what each client watches, and that a change of it makes the client's next transaction fail.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shard::mesh::{Rule, Rules};

use crate::dealing::{Dealer, words};
use crate::program::{Bytes, Program, Request};
use crate::verdict::{holds, run_seed, seeds};

const SEEDS: u64 = 500;

/// Programs in the usual run; each is tried under [`SCHEDULES`] schedules.
const PROGRAMS: u64 = 4_000;

const SCHEDULES: u64 = 4;

/// Requests of one program.
const REQUESTS_MAX: usize = 9;

/// What is watched changes on one shard, what is written on another: an EXEC that succeeds stands before the change, so it
/// is not seen behind what the same client did after the change.
pub fn watched_on_another_shard() -> Vec<Program> {
    vec![
        Program::new("watched here, written there", 2)
            .client(1, "WATCH x@0 | multi SET y@1 1")
            .client(1, "SET x@0 5; SET y@1 7"),
        Program::new("watched there, written here", 3)
            .client(0, "WATCH x@0 | multi SET y@1 1")
            .client(2, "SET x@0 5; SET y@1 7"),
    ]
}

fn whole_keyspaces() -> Vec<Program> {
    vec![
        Program::new("all keys at once", 2)
            .with("x@0", "1")
            .client(0, "multi DBSIZE, SET x@0 2, FLUSHALL, SET y@1 3, DBSIZE")
            .client(1, "SET x@0 5; GET y@1 | MGET x@0 y@1"),
        Program::new("two who take everything", 3)
            .client(0, "multi DBSIZE, SET x@0 2, DBSIZE")
            .client(1, "multi DBSIZE, SET y@1 2, DBSIZE")
            .client(2, "WATCH x@0 y@1; multi SET z@2 1, DBSIZE | MGET x@0 y@1 z@2"),
    ]
}

#[test]
fn watched_keys_on_other_shards() {
    for program in &watched_on_another_shard() {
        holds(program, SEEDS);
    }
}

#[test]
fn transactions_that_spoil_each_other() {
    let crosswise =
        Program::new("crosswise", 2).client(0, "WATCH x@0 | multi SET y@1 1").client(1, "WATCH y@1 | multi SET x@0 1");
    holds(&crosswise, SEEDS);
    let one_key = Program::new("two who count", 2)
        .with("x@0", "1")
        .client(0, "WATCH x@0; GET x@0 | multi SET x@0 2, GET y@1")
        .client(1, "WATCH x@0; GET x@0 | multi SET x@0 3, SET y@1 4");
    holds(&one_key, SEEDS);
}

#[test]
fn transactions_that_take_everything() {
    for program in &whole_keyspaces() {
        holds(program, SEEDS);
    }
}

#[test]
fn a_watched_key_that_is_not_claimed_is_noticed() {
    for program in &watched_on_another_shard() {
        let fails = |seed: u64| run_seed(program, Rules::without(Rule::WatchedKeysAreLocked), seed).is_err();
        assert!((0..20_000).any(fails), "nobody notices in {program}");
    }
}

fn command(dealer: &mut Dealer) -> Vec<Bytes> {
    match dealer.rng.random_range(0..20) {
        0..6 => dealer.set(),
        6..11 => words("GET", [dealer.key()]),
        11..13 => dealer.on_two("MGET"),
        13..15 => dealer.set_two(),
        15 => words("DEL", [dealer.key()]),
        16 => words("INCR", [dealer.key()]),
        17 => dealer.on_two("COPY"),
        18 => words("DBSIZE", []),
        _ => words("FLUSHALL", []),
    }
}

fn request(dealer: &mut Dealer) -> Request {
    match dealer.rng.random_range(0..8) {
        0..4 => Request::Multi(dealer.several(command)),
        4..6 => Request::Command(words("WATCH", [dealer.key()])),
        _ => Request::Command(command(dealer)),
    }
}

/// The program of `seed`.
fn program(seed: u64) -> Program {
    let mut rng = SmallRng::seed_from_u64(seed ^ 0x4d55_4c54);
    let shards = rng.random_range(2..=3);
    let mut program = Program::new(&format!("random transactions {seed}"), shards);
    program.put_offs = rng.random_ratio(1, 4);
    Dealer::new(rng, &program).deal(&mut program, REQUESTS_MAX, request);
    program
}

#[test]
fn random_transactions_are_right() {
    for seed in seeds(PROGRAMS * SCHEDULES) {
        let program = program(seed / SCHEDULES);
        if let Err(failure) = run_seed(&program, Rules::default(), seed) {
            panic!("{failure}");
        }
    }
}
