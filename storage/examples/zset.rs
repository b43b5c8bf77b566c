//! Bytes and nanoseconds of one large sorted set: members of 16 bytes, scores as a benchmark draws them.
//!
//! usage: `cargo run --release -p storage --example zset [-- COUNT...]`
//!
//! Each row fills a fresh set in a child process and reports the growth of the resident set beside the time of operations.

#![allow(clippy::print_stdout, reason = "a measuring tool talks to its terminal")]

use std::hint::black_box;
use std::process::Command;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use storage::types::zset::{ScoreBound, ScoreRange, ZSet, ZSetLimits};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How the scores of a row are drawn.
const ROWS: [&str; 4] = ["random", "ordered", "equal", "churn"];

const LOOKUPS: usize = 300_000;

fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages = text.split_whitespace().nth(1).and_then(|field| field.parse::<usize>().ok());
    pages.expect("its second field is a number") * 4096
}

/// The time for which this thread has run: what others do to the machine does not count.
fn running_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux has it");
    let nanos = text.split_whitespace().next().and_then(|field| field.parse().ok());
    Duration::from_nanos(nanos.expect("its first field is a number"))
}

/// Each number below 2^29 in the place of another one.
const fn scatter(number: usize) -> usize {
    const MASK: usize = (1 << 29) - 1;
    let mixed = number.wrapping_mul(0x9e37_79b1) & MASK;
    ((mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca6b) & MASK) ^ 0x5bd1
}

/// The members of a row, in order or not.
fn name(row: &str, number: usize) -> [u8; 16] {
    let mut member = *b"member:000000000";
    let mut rest = if row == "ordered" { number } else { scatter(number) };
    for digit in member.iter_mut().rev().take(9) {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    member
}

fn fill(row: &str, count: usize, rng: &mut SmallRng) -> ZSet {
    let mut set = ZSet::default();
    let (limits, start) = (ZSetLimits::default(), running_time());
    for number in 0..count {
        let score = match row {
            "ordered" => number as f64,
            "equal" => 0.0,
            _ => rng.random_range(0.0..1e6),
        };
        set.insert(&name(row, number), score, &limits);
    }
    println!("{row:<8} {count:>9} members  insert {:.0} ns", nanos(start, count));
    set
}

fn nanos(start: Duration, count: usize) -> f64 {
    running_time().saturating_sub(start).as_secs_f64() * 1e9 / count as f64
}

fn time(name: &str, mut operation: impl FnMut()) {
    let start = running_time();
    (0..LOOKUPS).for_each(|_| operation());
    print!("  {name} {:.0} ns", nanos(start, LOOKUPS));
}

fn measure(row: &str, set: &mut ZSet, count: usize, rng: &mut SmallRng) {
    let mut picks = rng.clone();
    let mut pick = move || name(row, picks.random_range(0..count));
    time("score", || {
        black_box(set.as_ref().score(&pick()));
    });
    time("rank", || {
        black_box(set.as_ref().rank(&pick()));
    });
    time("10 by score", || {
        let min = ScoreBound { score: rng.random_range(0.0..1e6), exclusive: false };
        let max = ScoreBound { score: min.score + 20.0, exclusive: true };
        let ranks = set.as_ref().score_ranks(ScoreRange { min, max });
        black_box(set.as_ref().range(ranks).take(10).map(|record| record.score).sum::<f64>());
    });
    time("10 by rank", || {
        let rank = rng.random_range(0..count);
        black_box(set.as_ref().range(rank..rank + 10).map(|record| record.score).sum::<f64>());
    });
    time("update", || {
        black_box(set.update(&pick(), rng.random_range(0.0..1e6)));
    });
    time("remove and insert", || {
        let member = pick();
        if let Some(score) = set.remove(&member) {
            set.insert(&member, score, &ZSetLimits::default());
        }
    });
    println!();
}

fn run(row: &str, count: usize) {
    let mut rng = SmallRng::seed_from_u64(7);
    // What the program itself needs is in memory before the measurement.
    drop(fill("warm up", 2_000, &mut rng));
    let before = resident_bytes();
    let mut set = fill(row, count, &mut rng);
    let report = |set: &ZSet| {
        println!(
            "  {:.2} bytes a member resident, {:.2} by its own books",
            (resident_bytes() - before) as f64 / set.as_ref().len() as f64,
            set.heap_bytes() as f64 / set.as_ref().len() as f64
        );
    };
    report(&set);
    if row == "churn" {
        // Half of the members go at random; what is left should not keep the memory of all.
        for number in (0..count).filter(|_| rng.random()) {
            set.remove(&name(row, number));
        }
        report(&set);
    } else {
        measure(row, &mut set, count, &mut rng);
    }
    let start = running_time();
    while set.free_some(1_000) > 0 {}
    println!("  freed at {:.0} ns a member", nanos(start, count));
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, row, count] = arguments.as_slice()
        && flag == "--row"
    {
        run(row, count.parse().expect("a count is a number"));
        return;
    }
    let program = std::env::current_exe().expect("a program knows its path");
    let default = vec![String::from("1000000")];
    for row in ROWS {
        for count in if arguments.is_empty() { &default } else { &arguments } {
            let status = Command::new(&program).args(["--row", row, count]).status();
            assert!(status.expect("it can start itself").success());
        }
    }
}
