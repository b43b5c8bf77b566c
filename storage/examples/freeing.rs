//! How long the steps take in which big collections are freed: the longest is what other clients may have to wait for.
//!
//! `cargo run --release -p storage --example freeing [members]`

#![allow(clippy::print_stdout, reason = "it is its purpose")]

use std::time::{Duration, Instant};

use storage::types::hash::{FieldExpiry, Hash};
use storage::types::list::{End, List};
use storage::types::set::Set;
use storage::types::zset::ZSet;
use storage::{Access, Database, Expiry, Limits, OwnedValue};

/// As the server does between two looks at the clock.
const ITEMS_PER_STEP: usize = 64;

fn main() {
    let members = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(1_000_000);
    let limits = Limits::default();
    let name = |number: usize| format!("member:{number}").into_bytes();
    let (mut set, mut hash, mut zset, mut list) = (Set::default(), Hash::default(), ZSet::default(), List::default());
    for number in 0..members {
        set.insert(&name(number), &limits.set);
        hash.set(&name(number), b"value", FieldExpiry::Clear, &limits.hash);
        zset.insert(&name(number), number as f64, &limits.zset);
        list.push(End::Tail, std::iter::once(name(number).as_slice()), limits.list);
    }
    measure("set", OwnedValue::Set(set));
    measure("hash", OwnedValue::Hash(hash));
    measure("zset", OwnedValue::SortedSet(zset));
    measure("list", OwnedValue::List(list));
}

fn measure(what: &str, value: OwnedValue) {
    let mut database = Database::new();
    let nothing = database.set_value(b"key".as_slice(), value, Expiry::Clear, Access::from_bits(0));
    assert!(nothing.is_none(), "the key is new");
    let began = Instant::now();
    let discarded = database.unlink(b"key".as_slice()).expect("the key is there");
    let unlinked = began.elapsed();
    let mut steps: Vec<Duration> = Vec::new();
    let began_all = Instant::now();
    let mut discarded = discarded.expect("it is big");
    loop {
        let began = Instant::now();
        let done = discarded.free_step(ITEMS_PER_STEP);
        steps.push(began.elapsed());
        if done {
            break;
        }
    }
    let all = began_all.elapsed();
    steps.sort_unstable();
    // On a machine that does other things, the very longest is the time slice of somebody else.
    let (most, longest) = (steps[steps.len() * 999 / 1000], steps[steps.len() - 1]);
    let steps = steps.len();
    println!(
        "{what:5} unlink {unlinked:>8.1?}   {steps:>6} steps in {all:>7.1?}, 99.9 % within {most:>7.1?}, the longest {longest:>7.1?}"
    );
}
