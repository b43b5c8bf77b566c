//! Programs that migrate keys: a migration is, for whoever looks at this server, the removal of what it names, at one point,
//! however long the other server takes, and whatever else wants the keys meanwhile.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shard::mesh::{Rule, Rules};

use crate::dealing::{Dealer, words};
use crate::program::{Bytes, Program, Request};
use crate::verdict::{first_failure, holds, run_seed, seeds};

const SEEDS: u64 = 400;

/// Random programs in the usual run; each is tried under [`SCHEDULES`] schedules.
const PROGRAMS: u64 = 1500;

const SCHEDULES: u64 = 4;

/// Requests of one program.
const REQUESTS_MAX: usize = 8;

/// A mutant that lives longer than this many seeds has not been caught.
const MUTANT_SEEDS: u64 = 4000;

const ONE: &str = "MIGRATE 127.0.0.1 1";
/// Behind it stands the empty key.
const SEVERAL: &str = "MIGRATE 127.0.0.1 1  0 1000 KEYS";

fn within_a_transaction() -> Program {
    Program::new("a migration within a transaction on one shard", 2)
        .with("x@0", "1")
        .client(1, &format!("multi SET y@0 1, {ONE} x@0 0 1000, SET z@0 1"))
        .client(0, "MGET x@0 y@0 z@0 | MGET x@0 y@0 z@0 | INCR x@0")
}

fn programs() -> Vec<Program> {
    vec![
        Program::new("a key that is written meanwhile", 2)
            .with("x@0", "1")
            .client(0, &format!("{ONE} x@0 0 1000"))
            .client(1, "INCR x@0 | INCR x@0"),
        Program::new("a key from elsewhere", 2)
            .with("x@0", "1")
            .client(1, &format!("{ONE} x@0 0 1000 | {ONE} x@0 0 1000"))
            .client(0, "INCR x@0 | INCR x@0"),
        Program::new("keys of several shards", 3)
            .with("x@0", "1")
            .with("y@1", "1")
            .client(2, &format!("{SEVERAL} x@0 y@1 z@2; GET x@0"))
            .client(0, "MSET x@0 5 z@2 5 | MGET x@0 y@1 z@2")
            .client(1, "INCR y@1 | MGET x@0 y@1 z@2"),
        Program::new("migrations crosswise", 2)
            .with("x@0", "1")
            .with("y@1", "1")
            .client(0, &format!("{SEVERAL} x@0 y@1; SET x@0 2"))
            .client(1, &format!("{SEVERAL} y@1 x@0 | RENAME x@0 y@1")),
        Program::new("a migration within a transaction", 2)
            .with("x@0", "1")
            .client(0, &format!("multi SET y@1 1, {ONE} x@0 0 1000, SET z@0 1, {ONE} y@1 0 1000"))
            .client(1, "MGET x@0 y@1 z@0 | MGET x@0 y@1 z@0 | INCR x@0"),
        within_a_transaction(),
        Program::new("a watched key goes", 2)
            .with("x@0", "1")
            .client(1, "WATCH x@0 | multi SET y@1 1")
            .client(0, &format!("{ONE} x@0 0 1000; GET y@1")),
        Program::new("all keys meanwhile", 2)
            .with("x@0", "1")
            .client(0, &format!("{ONE} x@0 0 1000; {ONE} y@1 0 1000"))
            .client(1, "DBSIZE; SET y@1 1 | FLUSHALL | DBSIZE"),
        Program::new("a client that leaves", 2)
            .with("x@0", "1")
            .client(1, &format!("{ONE} x@0 0 1000"))
            .client(0, "GET x@0 | SET x@0 2 | GET x@0")
            .event(crate::program::Event::Close(0)),
    ]
}

#[test]
fn a_migration_is_at_one_point() {
    for program in &programs() {
        holds(program, SEEDS);
    }
}

#[test]
fn a_migration_that_lets_go_of_its_keys_is_caught() {
    let failure = first_failure(&within_a_transaction(), Rule::GivingWayKeepsClaims, MUTANT_SEEDS);
    assert!(failure.is_some(), "nobody notices that what is on its way may be changed");
}

fn migration(dealer: &mut Dealer) -> Vec<Bytes> {
    let text = if dealer.rng.random_bool(0.5) { format!("{ONE}  0 1000") } else { SEVERAL.to_owned() };
    let mut words: Vec<Bytes> = text.split(' ').map(|word| word.as_bytes().to_vec()).collect();
    if words.len() == 6 {
        words[3] = dealer.key();
    } else {
        // No key twice: the other server would have it by then.
        let count = dealer.rng.random_range(1..=dealer.keys.len());
        words.extend(dealer.keys[..count].iter().cloned());
    }
    words
}

fn command(dealer: &mut Dealer) -> Vec<Bytes> {
    match dealer.rng.random_range(0..16) {
        0..4 => migration(dealer),
        4..7 => dealer.set(),
        7..9 => dealer.set_two(),
        9..12 => words("GET", [dealer.key()]),
        12 => dealer.on_two("MGET"),
        13 => words("INCR", [dealer.key()]),
        14 => words("DEL", [dealer.key(), dealer.key()]),
        _ => words("DBSIZE", []),
    }
}

fn request(dealer: &mut Dealer) -> Request {
    match dealer.rng.random_range(0..8) {
        0 => Request::Multi(dealer.several(command)),
        1 => Request::Eval { commands: dealer.several(command), declared: dealer.rng.random_bool(0.5) },
        2 => Request::Command(words("WATCH", [dealer.key()])),
        3 => Request::Command(words("RENAME", [dealer.keys[0].clone(), dealer.keys[2].clone()])),
        _ => Request::Command(command(dealer)),
    }
}

fn random(seed: u64) -> Program {
    let mut rng = SmallRng::seed_from_u64(seed ^ 0x4d49_4752);
    let mut program = Program::new(&format!("random migrations {seed}"), rng.random_range(2..=3));
    program.put_offs = rng.random_ratio(1, 4);
    program.gives_way = rng.random_ratio(1, 3);
    let mut dealer = Dealer::new(rng, &program);
    dealer.deal(&mut program, REQUESTS_MAX, request);
    program
}

#[test]
fn random_migrations_are_removals() {
    for seed in seeds(PROGRAMS * SCHEDULES) {
        if let Err(failure) = run_seed(&random(seed / SCHEDULES), Rules::default(), seed) {
            panic!("{failure}");
        }
    }
}
