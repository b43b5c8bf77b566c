//! Scripts: small programs and random ones, with keys that are declared and keys that are not.
//!
//! `eval A, B` in a program's text is a script that calls A and B on keys from its `KEYS`, and returns both replies;
//! `evalany A, B` is one that has its keys from its arguments, so that it must hold all shards. Either is one point, also if
//! it takes long and gives way in the middle.

use std::fmt::Write as _;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shard::mesh::{Rule, Rules};

use crate::program::{Bytes, Program, Request, Script, key_on, keys_of_command};
use crate::verdict::{holds, run_seed, seeds};

const SEEDS: u64 = 300;

/// Programs in the usual run; each is tried under [`SCHEDULES`] schedules.
const PROGRAMS: u64 = 1_500;

const SCHEDULES: u64 = 4;

/// Requests of one program.
const REQUESTS_MAX: usize = 8;

/// The words of EVAL for a script of these commands.
pub fn eval(commands: &[Vec<Bytes>], declared: bool) -> Vec<Bytes> {
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    let mut calls = Vec::new();
    for args in commands {
        let own = keys_of_command(args);
        let mut call = format!("redis.call('{}'", args[0].escape_ascii());
        for word in &args[1..] {
            let is_key = own.iter().any(|key| std::ptr::eq(*key, word));
            let (list, name) = if is_key && declared { (&mut keys, "KEYS") } else { (&mut values, "ARGV") };
            list.push(word.clone());
            write!(call, ", {name}[{}]", list.len()).expect("a string takes what is written");
        }
        calls.push(call + ")");
    }
    let script = format!("return {{{}}}", calls.join(", "));
    let head = [b"EVAL".to_vec(), script.into_bytes(), keys.len().to_string().into_bytes()];
    head.into_iter().chain(keys).chain(values).collect()
}

/// Scripts against each other and against commands.
fn small() -> Vec<Program> {
    vec![
        Program::new("a declared script is one point", 2)
            .client(0, "eval SET x@0 1, SET y@1 1")
            .client(1, "GET x@0; GET y@1"),
        Program::new("an undeclared script is one point", 3)
            .client(0, "evalany SET x@0 1, SET y@1 1")
            .client(2, "GET x@0; GET y@1"),
        Program::new("both from both sides", 2)
            .client(0, "eval SET x@0 1, GET y@1; GET x@0")
            .client(1, "evalany SET y@1 2, GET x@0; GET y@1"),
        Program::new("two who take everything", 2)
            .client(0, "evalany SET x@0 1, DBSIZE; GET y@1")
            .client(1, "evalany SET y@1 2, DBSIZE; GET x@0"),
        Program::new("a script between what is watched and EXEC", 2)
            .client(0, "WATCH x@0 | multi SET y@1 1")
            .client(1, "eval SET x@0 5, SET y@1 7")
            .client(1, "evalany GET x@0, GET y@1"),
        Program::new("counting by scripts and by commands", 2)
            .client(0, "eval INCR x@0, INCR y@1; INCR x@0")
            .client(1, "evalany INCR y@1, INCR x@0; INCR y@1")
            .client(1, "MGET x@0 y@1"),
        Program::new("a script that asks every core in the middle", 3)
            .client(0, "evalany SET x@0 1, PUBSUB NUMPAT, SET y@1 1")
            .client(1, "GET y@1; GET x@0"),
        Program::new("two who ask every core", 2)
            .client(0, "evalany INCR x@0, PUBSUB NUMPAT, INCR y@1; GET y@1")
            .client(1, "evalany INCR y@1, PUBSUB NUMPAT, GET x@0")
            .client(1, "MGET x@0 y@1"),
        Program::new("behind a script on some of its keys", 3)
            .with("x@0", "1")
            .client(1, "eval COPY x@0 y@1 REPLACE, GET y@1; SET x@0 7; SET y@1 8")
            .client(2, "GET y@1 | GET x@0"),
    ]
}

#[test]
fn scripts_have_one_point() {
    for program in small() {
        holds(&program, SEEDS);
        holds(&program.with_put_offs(), SEEDS);
    }
}

/// What the small programs guard: without these rules one of them goes wrong.
#[test]
fn scripts_notice_broken_rules() {
    for rule in [Rule::PushIsAtomic, Rule::LocksPlacedByPush, Rule::InPlaceOnlyWhileNothingPushed] {
        let fails = |seed: u64| small().iter().any(|program| run_seed(program, Rules::without(rule), seed).is_err());
        assert!((0..3_000).any(fails), "no script notices that {rule:?} is broken");
    }
}

/// Scripts that give way after each of their commands, while others of the same core and of other cores go on.
fn long() -> Vec<Program> {
    let own = [
        Program::new("a long script on its own core, and a client there", 2)
            .client(0, "eval SET x@0 1, SET z@0 1, GET x@0")
            .client(0, "GET x@0; GET z@0 | MGET x@0 z@0"),
        Program::new("two long scripts of one core on one key", 2)
            .client(0, "eval INCR x@0, INCR x@0")
            .client(0, "eval INCR x@0, INCR x@0; GET x@0")
            .client(1, "INCR x@0"),
        Program::new("a long script in a transaction", 2)
            .client(0, "multi INCR x@0, INCR x@0 | eval INCR x@0, INCR y@1, GET x@0")
            .client(1, "evalany INCR x@0, GET y@1; INCR x@0"),
    ];
    small().into_iter().chain(own).map(Program::with_giving_way).collect()
}

#[test]
fn scripts_that_give_way_have_one_point() {
    for program in long() {
        holds(&program, SEEDS);
        holds(&program.with_put_offs(), SEEDS);
    }
}

#[test]
fn scripts_that_give_way_notice_broken_rules() {
    for rule in [Rule::GivingWayKeepsClaims, Rule::PushIsAtomic, Rule::LocksPlacedByPush] {
        let fails = |seed: u64| long().iter().any(|program| run_seed(program, Rules::without(rule), seed).is_err());
        assert!((0..3_000).any(fails), "no script that gives way notices that {rule:?} is broken");
    }
}

struct Generator {
    rng: SmallRng,
    keys: Vec<Bytes>,
    next_value: u32,
}

impl Generator {
    fn key(&mut self) -> Bytes {
        let place = self.rng.random_range(0..self.keys.len());
        self.keys[place].clone()
    }

    fn value(&mut self) -> Bytes {
        self.next_value += 1;
        self.next_value.to_string().into_bytes()
    }

    fn command(&mut self) -> Vec<Bytes> {
        match self.rng.random_range(0..19) {
            0..6 => vec![b"SET".to_vec(), self.key(), self.value()],
            6..11 => vec![b"GET".to_vec(), self.key()],
            11 => vec![b"MGET".to_vec(), self.keys[0].clone(), self.keys[1].clone()],
            12 => vec![b"MSET".to_vec(), self.keys[1].clone(), self.value(), self.keys[0].clone(), self.value()],
            13 => vec![b"DEL".to_vec(), self.key()],
            14..16 => vec![b"INCR".to_vec(), self.key()],
            16 => vec![b"COPY".to_vec(), self.keys[0].clone(), self.keys[1].clone()],
            17 => vec![b"DBSIZE".to_vec()],
            _ => vec![b"PUBSUB".to_vec(), b"NUMPAT".to_vec()],
        }
    }

    fn commands(&mut self) -> Vec<Vec<Bytes>> {
        let count = self.rng.random_range(1..=3);
        (0..count).map(|_| self.command()).collect()
    }

    fn request(&mut self) -> Request {
        match self.rng.random_range(0..10) {
            0..4 => Request::Eval { commands: self.commands(), declared: true },
            4..6 => Request::Eval { commands: self.commands(), declared: false },
            6 => Request::Multi(self.commands()),
            7 => Request::Command(vec![b"WATCH".to_vec(), self.key()]),
            _ => Request::Command(self.command()),
        }
    }
}

/// The program of `seed`.
fn program(seed: u64) -> Program {
    let mut rng = SmallRng::seed_from_u64(seed ^ 0x4556_414c);
    let shards = rng.random_range(2..=3);
    let mut program = Program::new(&format!("random scripts {seed}"), shards);
    program.put_offs = rng.random_ratio(1, 4);
    program.gives_way = rng.random_ratio(1, 3);
    let keys = ["x", "y", "z"].iter().enumerate().map(|(i, name)| key_on(shards, (i % shards) as u16, name)).collect();
    let mut generator = Generator { rng, keys, next_value: 10 };
    let clients = generator.rng.random_range(2..=3);
    for _ in 0..clients {
        let home = generator.rng.random_range(0..shards);
        let requests = generator.rng.random_range(1..=REQUESTS_MAX / clients);
        let mut groups: Vec<Vec<Request>> = vec![Vec::new()];
        for _ in 0..requests {
            if generator.rng.random_bool(0.4) {
                groups.push(Vec::new());
            }
            let request = generator.request();
            groups.last_mut().expect("there is one").push(request);
        }
        groups.retain(|group| !group.is_empty());
        program.clients.push(Script { home, groups, ..Script::default() });
    }
    program
}

#[test]
fn random_scripts_are_right() {
    for seed in seeds(PROGRAMS * SCHEDULES) {
        let program = program(seed / SCHEDULES);
        if let Err(failure) = run_seed(&program, Rules::default(), seed) {
            panic!("{failure}");
        }
    }
}
