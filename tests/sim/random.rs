//! Random programs: two to four clients, up to a dozen commands over two to four shards, any interleaving.
//!
//! Keys are few and commands over several of them many, so that requests meet. A third of the programs has keys with a
//! deadline and a clock that goes on, a third has pushes put off; a few have big values, memory that runs out, pauses,
//! clients who talk, clients who leave and others who get their slot.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shard::mesh::{Rule, Rules};

use crate::program::{Bytes, Event, FirstKey, Program, Request, START_MILLIS, Script, key_on};
use crate::verdict::{run_seed, seeds};

/// Programs in the usual run; each is tried under [`SCHEDULES`] schedules.
const PROGRAMS: u64 = 10_000;

const SCHEDULES: u64 = 4;

/// Requests of one program.
const REQUESTS_MAX: usize = 12;

/// A big value does not travel in the batch's own bytes.
const BIG_VALUE_BYTES: usize = 66_000;

/// The deadline of keys that have one.
const DEADLINE: i64 = START_MILLIS + 10;

struct Generator {
    rng: SmallRng,
    keys: Vec<Bytes>,
    first: Vec<FirstKey>,
    deadlines: bool,
    big: bool,
    next_value: u32,
}

/// The program of `seed`.
pub fn program(seed: u64) -> Program {
    let mut rng = SmallRng::seed_from_u64(seed ^ 0x7e55_e7a0);
    let shards = rng.random_range(2..=4);
    let mut program = Program::new(&format!("random program {seed}"), shards);
    let count = rng.random_range(2..=4);
    let names = ["x", "y", "z", "w"];
    let mut keys: Vec<Bytes> = Vec::new();
    for name in &names[..count] {
        // The first two are on two shards, or there would be nothing to order.
        let shard = if keys.len() < 2 { keys.len() as u16 } else { rng.random_range(0..shards) as u16 };
        keys.push(key_on(shards, shard, name));
    }
    let deadlines = rng.random_ratio(1, 3);
    program.put_offs = rng.random_ratio(1, 3);
    let big = rng.random_ratio(1, 40);
    let mut generator = Generator { rng, keys, first: Vec::new(), deadlines, big, next_value: 10 };
    generator.first_keys(&mut program);
    generator.clients(&mut program);
    if generator.deadlines {
        let steps = generator.rng.random_range(1..=2);
        for _ in 0..steps {
            // The longer one makes the sweeper due.
            let millis = if generator.one_in(2) { 11 } else { 1100 };
            program.events.push(Event::Advance(millis));
        }
    }
    generator.oddities(&mut program);
    program
}

impl Generator {
    fn first_keys(&mut self, program: &mut Program) {
        for key in self.keys.clone() {
            if self.rng.random_bool(0.6) {
                let expire_at = (self.deadlines && self.rng.random_bool(0.6)).then_some(DEADLINE);
                program.first.push(FirstKey { key, value: self.value(), expire_at });
            }
        }
        self.first.clone_from(&program.first);
    }

    fn clients(&mut self, program: &mut Program) {
        let clients = self.rng.random_range(2..=4);
        let mut left = self.rng.random_range(clients..=REQUESTS_MAX);
        for number in 0..clients {
            let others = clients - 1 - number;
            let most = (left - others).min(5);
            let count = self.rng.random_range(1..=most);
            left -= count;
            let mut groups = vec![Vec::new()];
            for _ in 0..count {
                if self.rng.random_ratio(1, 3) && !groups[groups.len() - 1].is_empty() {
                    groups.push(Vec::new());
                }
                let request = self.request();
                groups.last_mut().expect("there is one").push(request);
            }
            program.clients.push(Script {
                home: self.rng.random_range(0..program.shards),
                groups,
                ..Script::default()
            });
        }
    }

    /// Things that happen seldom: memory runs out, a client goes away, another gets its place, two talk.
    fn oddities(&mut self, program: &mut Program) {
        let clients = program.clients.len();
        let (moody, leaving, talking) = (self.one_in(8), self.one_in(6), self.one_in(6));
        if moody {
            let (early, late) = (Event::OverMemory(true), Event::OverMemory(false));
            program.events.extend([early, late, early]);
        }
        if leaving {
            let leaver = self.rng.random_range(0..clients);
            program.events.insert(0, Event::Close(leaver));
            if self.rng.random_bool(0.7) {
                let heir = (leaver + 1) % clients;
                program.clients[heir].home = program.clients[leaver].home;
                program.clients[heir].takes_slot_of = Some(leaver);
            }
        } else if talking {
            program.clients[clients - 1].hears_from = Some(0);
        }
    }

    fn one_in(&mut self, times: u32) -> bool {
        self.rng.random_ratio(1, times)
    }

    /// A number of its own, or that with much behind it.
    fn value(&mut self) -> Bytes {
        self.next_value += 1;
        let mut value = self.next_value.to_string().into_bytes();
        if self.big && self.one_in(3) {
            value.resize(BIG_VALUE_BYTES, b'-');
        }
        value
    }

    fn key(&mut self) -> Bytes {
        self.keys[self.rng.random_range(0..self.keys.len())].clone()
    }

    /// Two or more different keys.
    fn several(&mut self) -> Vec<Bytes> {
        let count = self.rng.random_range(2..=self.keys.len());
        let mut keys = self.keys.clone();
        for i in 0..count {
            let other = self.rng.random_range(i..keys.len());
            keys.swap(i, other);
        }
        keys.truncate(count);
        keys
    }

    fn pairs(&mut self) -> Vec<Bytes> {
        self.several().into_iter().flat_map(|key| [key, self.value()]).collect()
    }

    fn request(&mut self) -> Request {
        let (name, args): (&str, Vec<Bytes>) = match self.rng.random_range(0..100) {
            0..16 => ("SET", vec![self.key(), self.value()]),
            16..38 => ("GET", vec![self.key()]),
            38..50 => ("MSET", self.pairs()),
            50..60 => ("MGET", self.several()),
            60..64 => ("INCR", vec![self.key()]),
            64..69 => ("DEL", self.several()),
            69..72 => ("EXISTS", self.several()),
            72..80 => {
                let mut args = self.several();
                args.truncate(2);
                if self.rng.random_bool(0.7) {
                    args.push(b"REPLACE".to_vec());
                }
                ("COPY", args)
            }
            80..88 => {
                let name = if self.rng.random_bool(0.7) { "RENAME" } else { "RENAMENX" };
                (name, self.several().into_iter().take(2).collect())
            }
            88..92 => ("MSETNX", self.pairs()),
            92..94 if self.deadlines => {
                let at = DEADLINE + 11 * self.rng.random_range(0..2);
                ("PEXPIREAT", vec![self.key(), at.to_string().into_bytes()])
            }
            92 => ("CLIENT", vec![b"UNPAUSE".to_vec()]),
            93 if self.rng.random_bool(0.4) => {
                let kind = if self.rng.random_bool(0.5) { "ALL" } else { "WRITE" };
                ("CLIENT", ["PAUSE", "5", kind].map(|word| word.as_bytes().to_vec()).to_vec())
            }
            93 => (if self.rng.random_bool(0.8) { "DBSIZE" } else { "FLUSHDB" }, Vec::new()),
            _ => return self.planned(),
        };
        Request::Command(std::iter::once(name.as_bytes().to_vec()).chain(args).collect())
    }

    fn planned(&mut self) -> Request {
        let keys = self.several();
        match self.rng.random_range(0..3) {
            0 => {
                let first = self.first.iter().find(|first| first.key == keys[0]);
                let seen = first.filter(|_| self.rng.random_bool(0.7)).map(|first| first.value.clone());
                Request::Exec { watched: keys[0].clone(), seen, key: keys[1].clone(), value: self.value() }
            }
            1 => Request::Move { from: keys[0].clone(), to: keys[1].clone() },
            _ => {
                self.next_value += 1;
                Request::Publish(self.next_value)
            }
        }
    }
}

#[test]
fn random_programs_are_right() {
    for seed in seeds(PROGRAMS * SCHEDULES) {
        let program = program(seed / SCHEDULES);
        if let Err(failure) = run_seed(&program, Rules::default(), seed) {
            panic!("{failure}");
        }
    }
}

/// Random programs notice every broken rule within so many seeds.
const MUTANT_SEEDS: u64 = 12_000;

/// Not only the programs made for them notice broken rules: what the random ones do not see, they cannot guard.
#[test]
fn random_programs_notice_every_broken_rule() {
    let rules = [
        Rule::InPlaceOnlyWhileNothingPushed,
        Rule::PushIsAtomic,
        Rule::CollectBeforeTail,
        Rule::PutOffHoldsConnection,
        Rule::WaitingKeepsAllPlaces,
        Rule::OwnPartThroughInbox,
        Rule::LocksPlacedByPush,
        Rule::TimeTravelsWithBatch,
        Rule::WaitingKeepsItsTime,
        Rule::SweepSkipsClaimed,
        Rule::WatchedKeysAreLocked,
        Rule::PartsCannotRefuse,
        Rule::GenerationsAreChecked,
        Rule::ReadsAreNotMerged,
    ];
    for rule in rules {
        let fails = |seed: u64| run_seed(&program(seed / SCHEDULES), Rules::without(rule), seed).is_err();
        assert!((0..MUTANT_SEEDS).any(fails), "random programs do not notice that {rule:?} is broken");
    }
}
