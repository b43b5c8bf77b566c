//! Random programs of commands that read keys of some shards and write one of another: SMOVE, SINTERSTORE and its like,
//! SORT with STORE, BITOP, COPY. Keys of one kind are few, so that what is stored is soon read again.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shard::config::types::choices::AppendFsync;
use shard::mesh::{Rule, Rules};

use crate::program::{Bytes, Program, Request, Script, key_on};
use crate::verdict::{run_seed, seeds};

/// Programs in the usual run; each is tried under [`SCHEDULES`] schedules.
const PROGRAMS: u64 = 2_000;

const SCHEDULES: u64 = 3;

/// One program in so many has append-only files.
const LOGGED_ONE_IN: u32 = 8;

/// Requests of one program.
const REQUESTS_MAX: usize = 9;

/// A mutant that lives longer than this many seeds has not been caught.
const MUTANT_SEEDS: u64 = 4_000;

struct Generator {
    rng: SmallRng,
    sets: Vec<Bytes>,
    lists: Vec<Bytes>,
    strings: Vec<Bytes>,
}

impl Generator {
    /// Three keys of those, in any order.
    fn three(&mut self, of: fn(&Self) -> &Vec<Bytes>) -> [Bytes; 3] {
        let first = self.rng.random_range(0..3);
        let step = self.rng.random_range(1..3);
        [0, 1, 2].map(|place| of(self)[(first + place * step) % 3].clone())
    }

    /// One of few letters.
    fn letter(&mut self) -> Bytes {
        vec![b'a' + self.rng.random_range(0..4)]
    }

    fn command(&mut self) -> Vec<Bytes> {
        let word = |word: &str| word.as_bytes().to_vec();
        let [set, set2, set3] = self.three(|generator| &generator.sets);
        let [list, list2, _] = self.three(|generator| &generator.lists);
        let [string, string2, string3] = self.three(|generator| &generator.strings);
        match self.rng.random_range(0..24) {
            0..4 => vec![word("SADD"), set, self.letter()],
            4 => vec![word("SREM"), set, self.letter()],
            5..8 => vec![word("SMOVE"), set, set2, self.letter()],
            8 => vec![word("SINTERSTORE"), set, set2, set3],
            9 => vec![word("SUNIONSTORE"), set, set2, set3],
            10 => vec![word("SDIFFSTORE"), set, set2, set3],
            11 => vec![word("SCARD"), set],
            12 => vec![word("SISMEMBER"), set, self.letter()],
            13..16 => vec![word("RPUSH"), list, self.letter()],
            16..18 => vec![word("SORT"), list, word("ALPHA"), word("STORE"), list2],
            18 => vec![word("SORT"), list, word("ALPHA")],
            19..21 => vec![word("SET"), string, [self.letter(), self.letter()].concat()],
            21 => {
                vec![word("BITOP"), word(["OR", "AND", "XOR"][self.rng.random_range(0..3)]), string, string2, string3]
            }
            22 => vec![word("GET"), string],
            _ => vec![word("COPY"), set, set2, word("REPLACE")],
        }
    }

    fn request(&mut self) -> Request {
        if self.rng.random_ratio(1, 8) {
            let count = self.rng.random_range(1..=3);
            return Request::Multi((0..count).map(|_| self.command()).collect());
        }
        Request::Command(self.command())
    }
}

fn program(seed: u64) -> Program {
    let mut rng = SmallRng::seed_from_u64(seed ^ 0x5354_4f52);
    let shards = rng.random_range(2..=3);
    let mut program = Program::new(&format!("random stores {seed}"), shards);
    program.put_offs = rng.random_ratio(1, 4);
    program.log = rng.random_ratio(1, LOGGED_ONE_IN).then_some(AppendFsync::Always);
    let named = |names: [&str; 3]| -> Vec<Bytes> {
        names.iter().enumerate().map(|(i, name)| key_on(shards, (i % shards) as u16, name)).collect()
    };
    let (sets, lists, strings) = (named(["s", "t", "u"]), named(["p", "q", "r"]), named(["a", "b", "c"]));
    let mut generator = Generator { rng, sets, lists, strings };
    let clients = generator.rng.random_range(2..=3);
    for _ in 0..clients {
        let home = generator.rng.random_range(0..shards);
        let requests = generator.rng.random_range(2..=REQUESTS_MAX / clients);
        let mut groups: Vec<Vec<Request>> = vec![Vec::new()];
        for _ in 0..requests {
            if generator.rng.random_bool(0.3) && !groups[groups.len() - 1].is_empty() {
                groups.push(Vec::new());
            }
            let request = generator.request();
            groups.last_mut().expect("there is one").push(request);
        }
        program.clients.push(Script { home, groups, ..Script::default() });
    }
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
