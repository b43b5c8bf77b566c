//! Channels: who is told what, and at which place among his own requests.
//!
//! Messages are numbers, each published once. The judge asks for more than that all see one order: a message stands in
//! each subscriber's stream where its point is among the points of the subscriber's own requests.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use shard::mesh::Rules;

use crate::program::{Program, Request, Script, key_on};
use crate::verdict::{holds, run_seed, seeds};

const SEEDS: u64 = 1_000;
const PROGRAMS: u64 = 4_000;
const SCHEDULES: u64 = 4;
const REQUESTS_MAX: usize = 9;

/// Who subscribes and then reads misses nothing that was published behind what he read.
pub fn subscribe_then_read() -> Vec<Program> {
    vec![
        Program::new("SUBSCRIBE and GET against SET and PUBLISH", 2)
            .client(1, "SUBSCRIBE a; GET x@0")
            .client(0, "SET x@0 1; PUBLISH a 1"),
        Program::new("the same, the key at the subscriber's core", 2)
            .client(0, "SUBSCRIBE a; GET x@0")
            .client(1, "SET x@0 1; PUBLISH a 1"),
        Program::new("the same over three cores, in a closed loop", 3)
            .client(2, "SUBSCRIBE a | GET x@0 | GET x@0")
            .client(1, "SET x@0 1; PUBLISH a 1; SET x@0 2; PUBLISH a 2"),
        Program::new("two subscribers, one there from the start", 3)
            .client(2, "SUBSCRIBE a; GET x@0")
            .client(2, "SUBSCRIBE a; GET x@0; GET y@1")
            .client(1, "SET x@0 1; PUBLISH a 1; SET y@1 2; PUBLISH a 2"),
    ]
}

/// A subscriber reads on another shard: messages and replies stand in the order of their points.
pub fn reading_elsewhere() -> Program {
    Program::new("a subscriber reads on another shard", 2)
        .client(0, "SUBSCRIBE a | GET x@1 | GET x@1; GET x@1")
        .client(1, "SET x@1 1; PUBLISH a 1; SET x@1 2; PUBLISH a 2")
}

/// All subscribers see one order, and each publisher's messages in his.
pub fn one_order() -> Vec<Program> {
    vec![
        Program::new("two publishers, two subscribers", 2)
            .client(0, "SUBSCRIBE a")
            .client(1, "SUBSCRIBE a")
            .client(0, "PUBLISH a 1; PUBLISH a 2")
            .client(1, "PUBLISH a 3; PUBLISH a 4"),
        Program::new("two publishers, subscribers on all of three cores", 3)
            .client(0, "SUBSCRIBE a")
            .client(1, "SUBSCRIBE a; GET x@2")
            .client(2, "SUBSCRIBE a")
            .client(0, "PUBLISH a 1; SET x@2 1")
            .client(1, "PUBLISH a 2; PUBLISH a 3"),
        Program::new("two channels in turn", 2)
            .client(0, "SUBSCRIBE a; SUBSCRIBE b")
            .client(1, "PUBLISH a 1; PUBLISH b 2; PUBLISH a 3"),
    ]
}

fn leaving() -> Vec<Program> {
    vec![
        Program::new("UNSUBSCRIBE against PUBLISH", 2)
            .client(0, "SUBSCRIBE a; GET x@1; UNSUBSCRIBE a; GET x@1")
            .client(1, "SET x@1 1; PUBLISH a 1; SET x@1 2; PUBLISH a 2"),
        Program::new("leaving and coming", 2)
            .client(0, "SUBSCRIBE a; UNSUBSCRIBE a; SUBSCRIBE a | UNSUBSCRIBE a")
            .client(0, "SUBSCRIBE a | GET x@1")
            .client(1, "PUBLISH a 1; SET x@1 1; PUBLISH a 2"),
        Program::new("who hears himself", 2)
            .client(0, "PUBLISH a 1; SUBSCRIBE a; PUBLISH a 2; GET x@1; UNSUBSCRIBE a; PUBLISH a 3")
            .client(1, "SUBSCRIBE a; SET x@1 1; PUBLISH a 4"),
    ]
}

fn all() -> Vec<Program> {
    let mut all = subscribe_then_read();
    all.push(reading_elsewhere());
    all.extend(one_order());
    all.extend(leaving());
    all
}

#[test]
fn messages_stand_at_their_points() {
    for program in all() {
        holds(&program, SEEDS);
    }
}

#[test]
fn pushes_put_off_keep_messages_in_order() {
    for program in all() {
        holds(&program.with_put_offs(), SEEDS);
    }
}

fn random(seed: u64) -> Program {
    let mut rng = SmallRng::seed_from_u64(seed ^ 0x0c4a_22e1);
    let shards = rng.random_range(2..=3);
    let mut program = Program::new(&format!("random channels {seed}"), shards);
    program.put_offs = rng.random_ratio(1, 4);
    let keys: Vec<_> = ["x", "y"].iter().zip(0..).map(|(name, shard)| key_on(shards, shard, name)).collect();
    let clients = rng.random_range(2..=4);
    let mut left = rng.random_range(clients..=REQUESTS_MAX);
    let mut next = 1;
    for number in 0..clients {
        let count = rng.random_range(1..=(left - (clients - 1 - number)).min(4));
        left -= count;
        let mut groups = vec![Vec::new()];
        for _ in 0..count {
            if rng.random_ratio(1, 3) && !groups[groups.len() - 1].is_empty() {
                groups.push(Vec::new());
            }
            let channel = if rng.random_ratio(3, 4) { b"a".to_vec() } else { b"b".to_vec() };
            let key = keys[rng.random_range(0..keys.len())].clone();
            let value = next.to_string().into_bytes();
            let words: Vec<Vec<u8>> = match rng.random_range(0..12) {
                0..3 => vec![b"SUBSCRIBE".to_vec(), channel],
                3 => vec![b"UNSUBSCRIBE".to_vec(), channel],
                4..8 => vec![b"PUBLISH".to_vec(), channel, value],
                8..10 => vec![b"SET".to_vec(), key, value],
                _ => vec![b"GET".to_vec(), key],
            };
            next += 1;
            groups.last_mut().expect("there is one").push(Request::Command(words));
        }
        program.clients.push(Script { home: rng.random_range(0..shards), groups, ..Script::default() });
    }
    // Without RESP3 there is no telling what comes behind an UNSUBSCRIBE of nothing.
    program.clients.retain(|client| {
        let is_unsubscribe = |request: &Request| matches!(request, Request::Command(args) if args[0] == b"UNSUBSCRIBE");
        client.subscribes() || !client.groups.iter().flatten().any(is_unsubscribe)
    });
    program
}

#[test]
fn random_programs_on_channels_are_right() {
    for seed in seeds(PROGRAMS * SCHEDULES) {
        if let Err(failure) = run_seed(&random(seed / SCHEDULES), Rules::default(), seed) {
            panic!("{failure}");
        }
    }
}
