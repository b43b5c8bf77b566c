//! Clients that keep copies of what they have read, and are told when it changes.
//!
//! What such a client may rely on: when a writer has its reply, and the client then asks for anything, it is told of the
//! change before it is answered. So a copy that it looks at behind that answer is not out of date. The judge asks for this
//! of every client that tracks, besides that a serial order explains the replies.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shard::mesh::Rules;

use crate::client::{Heard, Op};
use crate::program::{Bytes, Program, Request, Script, key_on};
use crate::verdict::{holds, run_seed, seeds};

const SEEDS: u64 = 500;
const PROGRAMS: u64 = 1_500;
const SCHEDULES: u64 = 4;

/// A client reads, another writes and is answered, the first asks for something.
pub fn copies() -> Vec<Program> {
    vec![
        Program::new("a copy of another core's key", 2)
            .client(0, "SET x@0 1")
            .client(1, "CLIENT TRACKING ON; GET x@0 | GET y@1")
            .after_in(1, 0),
        Program::new("the writer on a third core", 3)
            .client(2, "SET x@0 1 | SET x@0 2")
            .client(1, "CLIENT TRACKING ON; GET x@0 | GET y@1 | GET x@0; GET y@1")
            .after_in(1, 0),
        Program::new("written by a transaction over shards", 2)
            .client(0, "multi SET x@0 1, SET y@1 1")
            .client(1, "CLIENT TRACKING ON; GET x@0; GET y@1 | GET z@1")
            .after_in(1, 0),
        Program::new("written by scripts", 3)
            .client(0, "eval SET x@0 1, SET y@1 1; evalany SET x@0 2")
            .client(2, "CLIENT TRACKING ON; MGET x@0 y@1 | GET z@2")
            .after_in(1, 0),
        Program::new("copied and renamed over", 2)
            .with("a@1", "1")
            .client(1, "RENAME a@1 x@0")
            .client(1, "CLIENT TRACKING ON; GET x@0; GET a@1 | GET y@1")
            .after_in(1, 0),
    ]
}

/// Whether every client that tracks was told in time of what it had read.
pub fn are_told(program: &Program, history: &[Op], invalid: &[Vec<Heard>]) -> bool {
    let mut tracking = program.clients.iter().enumerate().filter(|(_, client)| client.tracks());
    tracking.all(|(client, _)| {
        let own: Vec<&Op> = history.iter().filter(|op| op.client == client).collect();
        own.iter().enumerate().all(|(place, read)| {
            let Some(answered) = read.answered.filter(|_| is_read(&read.request)) else { return true };
            read.request.keys().into_iter().all(|key| {
                let writes = history.iter().filter(|op| op.client != client && op.sent.0 > answered.0);
                let Some(written) = writes.filter(|op| changes(op, key)).filter_map(|op| op.answered).min() else {
                    return true;
                };
                // The first that was asked behind the writer's reply.
                let asked = own.iter().position(|op| op.sent.0 > written.0 && op.answered.is_some());
                asked.is_none_or(|asked| {
                    let in_time = |told: &Heard| told.behind > place && told.behind <= asked;
                    invalid[client].iter().any(|told| in_time(told) && contains(&told.frame, key))
                })
            })
        })
    })
}

fn is_read(request: &Request) -> bool {
    matches!(request, Request::Command(args) if [&b"GET"[..], b"MGET"].contains(&args[0].as_slice()))
}

/// Whether a request certainly changes `key`: it sets it, and nothing else could have done so at the same time.
fn changes(op: &Op, key: &Bytes) -> bool {
    let sets = |args: &Vec<Bytes>| args[0] == b"SET" && args[1] == *key;
    match &op.request {
        Request::Command(args) => sets(args) && op.reply == b"+OK\r\n",
        Request::Multi(commands) => op.reply.starts_with(b"*") && op.reply != b"*-1\r\n" && commands.iter().any(sets),
        Request::Eval { commands, .. } => commands.iter().any(sets),
        _ => false,
    }
}

fn contains(frame: &[u8], key: &[u8]) -> bool {
    let mut element = format!("\r\n${}\r\n", key.len()).into_bytes();
    element.extend_from_slice(key);
    element.extend_from_slice(b"\r\n");
    frame.windows(element.len()).any(|part| part == element)
}

#[test]
fn no_copy_is_used_behind_the_writers_reply() {
    for program in copies() {
        holds(&program, SEEDS);
        holds(&program.with_put_offs(), SEEDS);
    }
}

/// A client that tracks and reads in several groups, and writers of all kinds.
fn random(seed: u64) -> Program {
    let mut rng = SmallRng::seed_from_u64(seed ^ 0x7452_4143);
    let shards = rng.random_range(2..=3);
    let mut program = Program::new(&format!("random copies {seed}"), shards);
    program.put_offs = rng.random_ratio(1, 4);
    let keys: Vec<Bytes> = ["x", "y"].iter().zip(0..).map(|(name, shard)| key_on(shards, shard, name)).collect();
    let tracking = ["CLIENT", "TRACKING", "ON"].map(|word| word.as_bytes().to_vec()).to_vec();
    let mut value = 10;
    for number in 0..rng.random_range(2..=3) {
        let is_reader = number == 0;
        let mut groups = vec![if is_reader { vec![Request::Command(tracking.clone())] } else { Vec::new() }];
        for _ in 0..rng.random_range(2..=4) {
            if rng.random_bool(0.6) && !groups[groups.len() - 1].is_empty() {
                groups.push(Vec::new());
            }
            let key = keys[rng.random_range(0..keys.len())].clone();
            value += 1;
            let set = vec![b"SET".to_vec(), key.clone(), value.to_string().into_bytes()];
            let request = match rng.random_range(0..6) {
                _ if is_reader => Request::Command(vec![b"GET".to_vec(), key]),
                0 => Request::Multi(vec![set]),
                1 => Request::Eval { commands: vec![set], declared: rng.random_bool(0.5) },
                2 => Request::Multi(vec![set, vec![b"GET".to_vec(), keys[0].clone()]]),
                _ => Request::Command(set),
            };
            groups.last_mut().expect("there is one").push(request);
        }
        program.clients.push(Script { home: rng.random_range(0..shards), groups, ..Script::default() });
    }
    program
}

#[test]
fn random_copies_are_right() {
    for seed in seeds(PROGRAMS * SCHEDULES) {
        if let Err(failure) = run_seed(&random(seed / SCHEDULES), Rules::default(), seed) {
            panic!("{failure}");
        }
    }
}
