//! Random programs on a server with append-only files.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shard::config::types::choices::AppendFsync::{self, Always, Everysec};
use shard::mesh::{Rule, Rules};

use super::MUTANT_SEEDS;
use crate::dealing::{Dealer, named, words};
use crate::program::{Bytes, Event, Program, Request};
use crate::verdict::{run_seed, seeds};

/// Random programs in the usual run; each is tried under [`SCHEDULES`] schedules.
const PROGRAMS: u64 = 400;

const SCHEDULES: u64 = 3;

/// Requests of one program.
const REQUESTS_MAX: usize = 9;

struct Kinds {
    lists: Vec<Bytes>,
}

impl Kinds {
    fn command(&self, dealer: &mut Dealer) -> Vec<Bytes> {
        let list = self.lists[dealer.rng.random_range(0..self.lists.len())].clone();
        match dealer.rng.random_range(0..28) {
            0..6 => dealer.set(),
            6..11 => words("GET", [dealer.key()]),
            11 => dealer.on_two("MGET"),
            12..15 => dealer.set_two(),
            15 => words("DEL", [dealer.key(), dealer.key()]),
            16..18 => words("INCR", [dealer.key()]),
            18 => words("COPY", [dealer.keys[0].clone(), dealer.keys[1].clone(), b"REPLACE".to_vec()]),
            19 => words("RENAME", [dealer.keys[1].clone(), dealer.keys[0].clone()]),
            20..22 => words("LPUSH", [list, vec![b'a' + dealer.rng.random_range(0..26)]]),
            22 => words("RPOP", [list]),
            23 => {
                let ends = ["LEFT", "RIGHT"].map(|word| word.as_bytes().to_vec());
                [words("LMOVE", [self.lists[0].clone(), self.lists[1].clone()]), ends.to_vec()].concat()
            }
            24..26 => words("PUBLISH", [b"a".to_vec(), dealer.value()]),
            26 => words("DBSIZE", []),
            _ => words("FLUSHALL", []),
        }
    }

    /// Commands of a transaction or a script. None of them is one whose error would end the script, or that is told of at
    /// another point.
    fn commands(&self, dealer: &mut Dealer) -> Vec<Vec<Bytes>> {
        let mut commands = dealer.several(|dealer| self.command(dealer));
        commands.retain(|command| ![&b"RENAME"[..], b"PUBLISH"].contains(&command[0].as_slice()));
        if commands.is_empty() { self.commands(dealer) } else { commands }
    }

    fn request(&self, dealer: &mut Dealer) -> Request {
        match dealer.rng.random_range(0..12) {
            0..2 => Request::Multi(self.commands(dealer)),
            2 => Request::Eval { commands: self.commands(dealer), declared: true },
            3 => Request::Eval { commands: self.commands(dealer), declared: false },
            _ => Request::Command(self.command(dealer)),
        }
    }
}

fn random(seed: u64) -> Program {
    let mut rng = SmallRng::seed_from_u64(seed ^ 0x4c4f_4753);
    let shards = rng.random_range(1..=3);
    let fsync: AppendFsync = if rng.random_bool(0.6) { Always } else { Everysec };
    let mut program = Program::new(&format!("random logs {seed}"), shards).with_log(fsync);
    program.put_offs = rng.random_ratio(1, 4);
    program.gives_way = rng.random_ratio(1, 4);
    program.evictions = if rng.random_ratio(1, 4) { 2 } else { 0 };
    let kinds = Kinds { lists: named(shards, &["p", "q"]) };
    let mut dealer = Dealer::new(rng, &program);
    dealer.deal(&mut program, REQUESTS_MAX, |dealer| kinds.request(dealer));
    for client in &mut program.clients {
        if dealer.rng.random_ratio(1, 4) {
            client.groups[0].insert(0, Request::Command(words("SUBSCRIBE", [b"a".to_vec()])));
        }
    }
    if fsync == Everysec {
        program.events.push(Event::Advance(1100));
    }
    program
}

#[test]
fn random_programs_leave_what_was_shown() {
    for seed in seeds(PROGRAMS * SCHEDULES) {
        if let Err(failure) = run_seed(&random(seed / SCHEDULES), Rules::default(), seed) {
            panic!("{failure}");
        }
    }
}

/// What the random programs do not see broken, they cannot guard.
#[test]
fn random_programs_notice_every_broken_rule_of_the_log() {
    let rules = [
        Rule::RepliesWaitForTheirEpoch,
        Rule::MessagesWaitForTheirEpoch,
        Rule::BarrierIsOnePoint,
        Rule::MessagesWaitForChangesBefore,
    ];
    for rule in rules {
        let fails = |seed: u64| run_seed(&random(seed / SCHEDULES), Rules::without(rule), seed).is_err();
        assert!((0..MUTANT_SEEDS).any(fails), "random programs do not notice that {rule:?} is broken");
    }
}
