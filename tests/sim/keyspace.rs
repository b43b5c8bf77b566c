//! Programs beside what the server does to the keyspace by itself: a snapshot, which is to have what there was at the
//! point at which it was asked for; and eviction, which is to be as if somebody had removed the key.
//!
//! An eviction is an operation of nobody's in the history, at the step at which it happened. Transactions and scripts see
//! none in their middle, and a watched key that is evicted has changed.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shard::mesh::{Rule, Rules};

use crate::dealing::{Dealer, words};
use crate::program::{Bytes, Program, Request};
use crate::verdict::{first_failure, holds, run_seed, seeds};

const SEEDS: u64 = 150;

/// Random programs in the usual run; each is tried under [`SCHEDULES`] schedules.
const PROGRAMS: u64 = 900;

const SCHEDULES: u64 = 3;

/// Requests of one program.
const REQUESTS_MAX: usize = 8;

/// A mutant that lives longer than this many seeds has not been caught.
const MUTANT_SEEDS: u64 = 4000;

fn beside_a_snapshot() -> Vec<Program> {
    let programs = vec![
        Program::new("a snapshot beside MSET", 2)
            .with("x@0", "1")
            .client(0, "SET y@1 1; BGSAVE; SET x@0 2; SET y@1 2")
            .client(1, "MSET x@0 5 y@1 5 | MSET x@0 6 y@1 6"),
        Program::new("a snapshot beside pipelines", 3)
            .client(2, "SET x@0 1; SET y@1 1; SET x@0 2; SET y@1 2")
            .client(0, "BGSAVE; SET z@2 1")
            .client(1, "GET y@1; SET z@2 2"),
        Program::new("a snapshot and what is written behind its reply", 2)
            .client(0, "SET x@0 1 | BGSAVE | SET x@0 2; SET y@1 2")
            .client(1, "SET y@1 1; SET x@0 3"),
        Program::new("a snapshot beside transactions and renaming", 3)
            .with("x@0", "1")
            .client(0, "multi SET x@0 2, SET y@1 2 | RENAME x@0 z@2")
            .client(1, "BGSAVE; MSET y@1 7 z@2 7")
            .client(2, "COPY x@0 w@1; DEL x@0 y@1"),
        Program::new("a snapshot beside scripts that give way", 2)
            .client(0, "eval SET x@0 1, SET y@0 1; eval SET x@0 2, SET z@1 2")
            .client(1, "BGSAVE; evalany SET x@0 3, SET z@1 3")
            .with_giving_way(),
        Program::new("a snapshot beside FLUSHDB", 2)
            .with("x@0", "1")
            .client(0, "MSET x@0 2 y@1 2; FLUSHDB; SET x@0 3")
            .client(1, "BGSAVE; SET y@1 5"),
    ];
    programs.into_iter().map(Program::saving).collect()
}

fn beside_eviction() -> Vec<Program> {
    let programs = vec![
        Program::new("eviction between the reads of a transaction", 2)
            .with("x@0", "1")
            .with("y@1", "1")
            .client(0, "multi GET x@0, GET y@1, GET x@0, GET y@1")
            .client(1, "multi GET y@1, SET x@0 2, GET y@1"),
        Program::new("eviction between hops", 2)
            .with("x@0", "1")
            .with("y@1", "2")
            .client(0, "RENAME x@0 y@1; COPY y@1 x@0")
            .client(1, "move x@0 y@1; GET y@1"),
        Program::new("eviction of watched keys", 2)
            .with("x@0", "1")
            .client(1, "WATCH x@0; GET x@0 | multi SET y@1 1, GET x@0")
            .client(0, "WATCH y@1 | multi SET x@0 7, GET y@1"),
        Program::new("eviction under scripts that give way", 2)
            .with("x@0", "1")
            .with("y@1", "1")
            .client(0, "eval GET x@0, GET y@1, GET x@0; evalany GET y@1, GET x@0, GET y@1")
            .client(1, "eval GET y@1, GET y@1, GET y@1; GET x@0")
            .with_giving_way(),
    ];
    programs.into_iter().map(|program| program.evicting(3)).collect()
}

#[test]
fn a_snapshot_is_one_point() {
    for program in beside_a_snapshot() {
        holds(&program, SEEDS);
        holds(&program.with_put_offs(), SEEDS);
    }
}

#[test]
fn a_cut_pushed_part_by_part_is_caught() {
    for program in &beside_a_snapshot()[..2] {
        let failure = first_failure(program, Rule::PushIsAtomic, MUTANT_SEEDS);
        assert!(failure.is_some(), "{}: nobody notices a cut in pieces", program.name);
    }
}

#[test]
fn an_eviction_is_a_removal() {
    for program in beside_eviction() {
        holds(&program, SEEDS);
        holds(&program.with_put_offs(), SEEDS);
    }
}

#[test]
fn evicting_what_is_claimed_is_caught() {
    for program in [&beside_eviction()[1], &beside_eviction()[3]] {
        let failure = first_failure(program, Rule::SweepSkipsClaimed, MUTANT_SEEDS);
        assert!(failure.is_some(), "{}: nobody notices that what is claimed is evicted", program.name);
    }
}

fn command(dealer: &mut Dealer) -> Vec<Bytes> {
    match dealer.rng.random_range(0..16) {
        0..4 => dealer.set(),
        4..8 => words("GET", [dealer.key()]),
        8 => dealer.on_two("MGET"),
        9..11 => dealer.set_two(),
        11 => words("DEL", [dealer.key(), dealer.key()]),
        12 => words("INCR", [dealer.key()]),
        13 => words("COPY", [dealer.keys[0].clone(), dealer.keys[1].clone(), b"REPLACE".to_vec()]),
        14 => words("DBSIZE", []),
        _ => words("FLUSHDB", []),
    }
}

fn request(dealer: &mut Dealer) -> Request {
    let count = dealer.rng.random_range(1..=3);
    let commands = |dealer: &mut Dealer| (0..count).map(|_| command(dealer)).collect();
    match dealer.rng.random_range(0..8) {
        0..2 => Request::Multi(commands(dealer)),
        2..4 => Request::Eval { commands: commands(dealer), declared: dealer.rng.random_bool(0.5) },
        4 => Request::Command(words("WATCH", [dealer.key()])),
        5 => Request::Command(words("RENAME", [dealer.keys[0].clone(), dealer.keys[2].clone()])),
        _ => Request::Command(command(dealer)),
    }
}

fn random(seed: u64) -> Program {
    let mut rng = SmallRng::seed_from_u64(seed ^ 0x5245_4442);
    let shards = rng.random_range(2..=3);
    let mut program = Program::new(&format!("random keyspaces {seed}"), shards);
    program.put_offs = rng.random_ratio(1, 4);
    program.gives_way = rng.random_ratio(1, 3);
    let saves = rng.random_bool(0.5);
    let mut dealer = Dealer::new(rng, &program);
    dealer.deal(&mut program, REQUESTS_MAX, request);
    if saves {
        let last = &mut program.clients.last_mut().expect("there are two").groups;
        let group = dealer.rng.random_range(0..last.len());
        let place = dealer.rng.random_range(0..=last[group].len());
        last[group].insert(place, Request::Command(words("BGSAVE", [])));
        return program.saving();
    }
    let evictions = dealer.rng.random_range(1..=3);
    program.evicting(evictions)
}

#[test]
fn random_programs_beside_snapshots_and_eviction_are_right() {
    for seed in seeds(PROGRAMS * SCHEDULES) {
        if let Err(failure) = run_seed(&random(seed / SCHEDULES), Rules::default(), seed) {
            panic!("{failure}");
        }
    }
}
