//! Random programs of commands that read keys of some shards and write one of another: SMOVE, SINTERSTORE and its like,
//! SORT with STORE, BITOP, PFMERGE, COPY. Keys of one kind are few, so that what is stored is soon read again.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shard::config::types::choices::AppendFsync;
use shard::mesh::{Rule, Rules};

use crate::dealing::{Dealer, named, words};
use crate::program::{Bytes, Program, Request};
use crate::verdict::{first_failure, holds, run_seed, seeds};

/// Programs in the usual run; each is tried under [`SCHEDULES`] schedules.
const PROGRAMS: u64 = 2_000;

const SCHEDULES: u64 = 3;

/// One program in so many has append-only files.
const LOGGED_ONE_IN: u32 = 8;

/// Requests of one program.
const REQUESTS_MAX: usize = 9;

/// Seeds for each of the small programs.
const SEEDS: u64 = 300;

/// A mutant that lives longer than this many seeds has not been caught.
const MUTANT_SEEDS: u64 = 4_000;

/// Keys of each kind, on one shard after the other.
struct Kinds {
    sets: Vec<Bytes>,
    lists: Vec<Bytes>,
    strings: Vec<Bytes>,
    sketches: Vec<Bytes>,
}

/// Three keys of those, in any order.
fn three(dealer: &mut Dealer, keys: &[Bytes]) -> [Bytes; 3] {
    let first = dealer.rng.random_range(0..3);
    let step = dealer.rng.random_range(1..3);
    [0, 1, 2].map(|place| keys[(first + place * step) % 3].clone())
}

/// One of few letters.
fn letter(dealer: &mut Dealer) -> Bytes {
    vec![b'a' + dealer.rng.random_range(0..4)]
}

impl Kinds {
    fn command(&self, dealer: &mut Dealer) -> Vec<Bytes> {
        let [set, set2, set3] = three(dealer, &self.sets);
        let [list, list2, _] = three(dealer, &self.lists);
        let [string, string2, string3] = three(dealer, &self.strings);
        let alpha = b"ALPHA".to_vec();
        match dealer.rng.random_range(0..31) {
            0..4 => words("SADD", [set, letter(dealer)]),
            4 => words("SREM", [set, letter(dealer)]),
            5..8 => words("SMOVE", [set, set2, letter(dealer)]),
            8 => words("SINTERSTORE", [set, set2, set3]),
            9 => words("SUNIONSTORE", [set, set2, set3]),
            10 => words("SDIFFSTORE", [set, set2, set3]),
            11 => words("SCARD", [set]),
            12 => words("SISMEMBER", [set, letter(dealer)]),
            13..16 => words("RPUSH", [list, letter(dealer)]),
            16..18 => words("SORT", [list, alpha, b"STORE".to_vec(), list2]),
            18 => words("SORT", [list, alpha]),
            19..21 => words("SET", [string, [letter(dealer), letter(dealer)].concat()]),
            21 => {
                let operation = ["OR", "AND", "XOR"][dealer.rng.random_range(0..3)].as_bytes().to_vec();
                words("BITOP", [operation, string, string2, string3])
            }
            22 => words("GET", [string]),
            23 => words("COPY", [set, set2, b"REPLACE".to_vec()]),
            _ => self.on_sketches(dealer),
        }
    }

    fn on_sketches(&self, dealer: &mut Dealer) -> Vec<Bytes> {
        let [sketch, sketch2, sketch3] = three(dealer, &self.sketches);
        match dealer.rng.random_range(0..7) {
            0..3 => words("PFADD", [sketch, letter(dealer)]),
            3 => words("PFCOUNT", [sketch]),
            4 => words("PFCOUNT", [sketch, sketch2]),
            5 => words("PFMERGE", [sketch, sketch2]),
            _ => words("PFMERGE", [sketch, sketch2, sketch3]),
        }
    }

    fn request(&self, dealer: &mut Dealer) -> Request {
        if dealer.rng.random_ratio(1, 8) {
            return Request::Multi(dealer.several(|dealer| self.command(dealer)));
        }
        Request::Command(self.command(dealer))
    }
}

fn program(seed: u64) -> Program {
    let mut rng = SmallRng::seed_from_u64(seed ^ 0x5354_4f52);
    let shards = rng.random_range(2..=3);
    let mut program = Program::new(&format!("random stores {seed}"), shards);
    program.put_offs = rng.random_ratio(1, 4);
    program.log = rng.random_ratio(1, LOGGED_ONE_IN).then_some(AppendFsync::Always);
    let named = |names| named(shards, names);
    let (sets, lists) = (named(&["s", "t", "u"]), named(&["p", "q", "r"]));
    let kinds = Kinds { sets, lists, strings: named(&["a", "b", "c"]), sketches: named(&["h", "i", "j"]) };
    Dealer::new(rng, &program).deal(&mut program, REQUESTS_MAX, |dealer| kinds.request(dealer));
    program
}

#[test]
fn random_stores_are_right() {
    for seed in seeds(PROGRAMS * SCHEDULES) {
        if let Err(failure) = run_seed(&program(seed / SCHEDULES), Rules::default(), seed) {
            panic!("{failure}");
        }
    }
}

#[test]
fn random_stores_notice_broken_rules() {
    for rule in [Rule::PushIsAtomic, Rule::LocksPlacedByPush] {
        let fails = |seed: u64| run_seed(&program(seed / SCHEDULES), Rules::without(rule), seed).is_err();
        assert!((0..MUTANT_SEEDS).any(fails), "random stores do not notice that {rule:?} is broken");
    }
}

/// A sketch that is merged is read, and another one written, at one point.
fn merging() -> Vec<Program> {
    vec![
        Program::new("PFMERGE beside PFADD", 2)
            .client(0, "PFADD h@0 a; PFADD i@1 b; PFMERGE j@0 h@0 i@1 | PFCOUNT j@0")
            .client(1, "PFADD i@1 c; PFADD h@0 d | PFCOUNT h@0 i@1"),
        Program::new("PFMERGE into one that is merged elsewhere", 3)
            .client(0, "PFADD h@0 a; PFMERGE i@1 h@0; PFCOUNT h@0")
            .client(2, "PFADD i@1 b; PFMERGE h@0 i@1; PFCOUNT i@1")
            .client(1, "PFCOUNT h@0 i@1"),
    ]
}

#[test]
fn a_merge_is_one_point() {
    for program in merging() {
        holds(&program, SEEDS);
        holds(&program.with_put_offs(), SEEDS);
    }
}

#[test]
fn a_merge_whose_keys_are_asked_for_one_by_one_is_caught() {
    for rule in [Rule::PushIsAtomic, Rule::LocksPlacedByPush] {
        let notices = |program: &Program| first_failure(program, rule, MUTANT_SEEDS).is_some();
        assert!(merging().iter().any(notices), "nobody notices that {rule:?} is broken");
    }
}
