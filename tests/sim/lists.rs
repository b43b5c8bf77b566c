//! Random programs on lists: pushes, moves over shards, and clients that wait.
//!
//! Elements are single letters, each pushed once, so that one that is lost, or taken twice, is seen. A client waits for
//! a second; the clock goes on only when nothing else can happen, so whoever gets nothing must have found nothing to the
//! last.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shard::mesh::Rules;

use crate::program::{Bytes, Event, Program, Request, Script, key_on};
use crate::verdict::{holds, run_seed, seeds};

/// How long a client waits, in milliseconds; in the text of a command, one second.
pub const TIMEOUT_MILLIS: i64 = 1000;

const PROGRAMS: u64 = 8_000;
const SCHEDULES: u64 = 4;
const REQUESTS_MAX: usize = 9;

/// Whether a request may wait.
pub fn waits(request: &Request) -> bool {
    let Request::Command(args) = request else { return false };
    [&b"BLPOP"[..], b"BRPOP", b"BLMOVE"].iter().any(|name| args[0].eq_ignore_ascii_case(name))
}

struct Generator {
    rng: SmallRng,
    keys: Vec<Bytes>,
    letters: std::ops::RangeInclusive<u8>,
}

fn program(seed: u64) -> Program {
    let mut rng = SmallRng::seed_from_u64(seed ^ 0x1157_5eed);
    let shards = rng.random_range(2..=4);
    let mut program = Program::new(&format!("random lists {seed}"), shards);
    program.put_offs = rng.random_ratio(1, 4);
    let keys = ["p", "q", "r"][..rng.random_range(2..=3)].iter().enumerate();
    let keys = keys.map(|(place, name)| key_on(shards, (place % shards) as u16, name)).collect();
    let mut generator = Generator { rng, keys, letters: b'a'..=b'z' };
    let clients = generator.rng.random_range(2..=4);
    let mut left = generator.rng.random_range(clients..=REQUESTS_MAX);
    for number in 0..clients {
        let count = generator.rng.random_range(1..=(left - (clients - 1 - number)).min(3));
        left -= count;
        let mut groups = vec![Vec::new()];
        for _ in 0..count {
            if generator.rng.random() && !groups[groups.len() - 1].is_empty() {
                groups.push(Vec::new());
            }
            let request = generator.request();
            groups.last_mut().expect("there is one").push(request);
        }
        program.clients.push(Script { home: generator.rng.random_range(0..shards), groups, ..Script::default() });
    }
    if generator.rng.random_ratio(1, 8) {
        program.events.push(Event::Close(generator.rng.random_range(0..clients)));
    }
    program
}

impl Generator {
    fn two(&mut self) -> [Bytes; 2] {
        let first = self.rng.random_range(0..self.keys.len());
        let second = (first + self.rng.random_range(1..self.keys.len())) % self.keys.len();
        [self.keys[first].clone(), self.keys[second].clone()]
    }

    fn end(&mut self) -> Bytes {
        if self.rng.random() { b"LEFT".to_vec() } else { b"RIGHT".to_vec() }
    }

    fn request(&mut self) -> Request {
        let [one, other] = self.two();
        let second = b"1".to_vec();
        let (name, args): (&str, Vec<Bytes>) = match self.rng.random_range(0..20) {
            0..7 => {
                let letter = vec![self.letters.next().expect("a program is shorter than the alphabet")];
                (if self.rng.random() { "LPUSH" } else { "RPUSH" }, vec![one, letter])
            }
            7..9 => (if self.rng.random() { "LPOP" } else { "RPOP" }, vec![one]),
            9..11 => ("LMOVE", vec![one, other, self.end(), self.end()]),
            11..14 => (if self.rng.random() { "BLPOP" } else { "BRPOP" }, vec![one, other, second]),
            14..16 => ("BLPOP", vec![one, second]),
            16..18 => ("BLMOVE", vec![one, other, self.end(), self.end(), second]),
            18 => ("RENAME", vec![one, other]),
            _ => ("LRANGE", vec![one, b"0".to_vec(), b"-1".to_vec()]),
        };
        Request::Command(std::iter::once(name.as_bytes().to_vec()).chain(args).collect())
    }
}

#[test]
fn random_lists_are_right() {
    for seed in seeds(PROGRAMS * SCHEDULES) {
        if let Err(failure) = run_seed(&program(seed / SCHEDULES), Rules::default(), seed) {
            panic!("{failure}");
        }
    }
}

#[test]
fn an_element_for_two_keys_is_taken_once() {
    let both = |program: Program| program.client(1, "RPUSH p@0 a").client(0, "RPUSH q@1 b");
    holds(&both(Program::new("pushes to both keys of a client that waits", 2).client(0, "BLPOP p@0 q@1 1")), 500);
    holds(&both(Program::new("the same, waiting from a third core", 3).client(2, "BLPOP q@1 p@0 1")), 500);
    let two =
        Program::new("two clients wait for two keys", 2).client(0, "BLPOP p@0 q@1 1").client(1, "BLPOP q@1 p@0 1");
    holds(&both(two), 500);
}

#[test]
fn a_chain_of_moves_arrives() {
    let chain = Program::new("a chain of waiting moves over three shards", 3)
        .client(0, "BLMOVE p@0 q@1 LEFT RIGHT 1")
        .client(1, "BLMOVE q@1 r@2 LEFT RIGHT 1")
        .client(2, "BLPOP r@2 1")
        .client(1, "RPUSH p@0 a");
    holds(&chain, 2_000);
}
