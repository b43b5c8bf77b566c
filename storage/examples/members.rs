//! Bytes of resident memory for each member of one large hash or set, all in, and the time of one operation.
//!
//! usage: `cargo run --release -p storage --example members [-- COUNT...]`
//!
//! Each row fills a fresh collection in a child process and reports the growth of the resident set.

#![allow(clippy::print_stdout, reason = "a measuring tool talks to its terminal")]

use std::process::Command;
use std::time::Instant;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use storage::UnixMillis;
use storage::types::hash::{FieldExpiry, Hash, HashLimits};
use storage::types::set::{Set, SetLimits};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const ROWS: [&str; 6] = ["set", "set-int", "hash", "hash-ttl", "hash-100", "small"];

/// Members of each set in the row `small`.
const SMALL_MEMBERS: usize = 200;

fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages = text.split_whitespace().nth(1).and_then(|field| field.parse::<usize>().ok());
    pages.expect("its second field is a number") * 4096
}

fn member(number: usize) -> String {
    format!("member:{number:09}")
}

/// Runs something `count` times and returns nanoseconds for each.
fn time(count: usize, mut run: impl FnMut(usize)) -> f64 {
    let start = Instant::now();
    (0..count).for_each(&mut run);
    start.elapsed().as_nanos() as f64 / count as f64
}

fn report(row: &str, count: usize, grown: usize, counted: usize, times: &[(&str, f64)]) {
    let per = |bytes: usize| bytes as f64 / count as f64;
    print!("{row:<9} {count:>9}  {:6.2} B resident, {:6.2} B counted ", per(grown), per(counted));
    times.iter().for_each(|(name, nanos)| print!("  {name} {nanos:.0} ns"));
    println!();
}

fn measure_set(row: &str, count: usize, before: usize) {
    let text = |number: usize| if row == "set-int" { (10_000_000 + number * 7).to_string() } else { member(number) };
    let (mut rng, limits) = (SmallRng::seed_from_u64(1), SetLimits::default());
    let mut set = Set::for_members(b"m", 1, &limits);
    let insert = time(count, |number| assert!(set.insert(text(number).as_bytes(), &limits)));
    let (grown, counted) = (resident_bytes() - before, set.heap_bytes());
    let find = time(count, |_| assert!(set.as_ref().contains(text(rng.random_range(0..count)).as_bytes())));
    let draw = time(count, |_| assert!(set.as_ref().random(&mut rng).is_some()));
    let copy = time(count, |number| drop(std::hint::black_box(text(number))));
    let pop = time(count, |_| set.pop(1, &mut rng, |_| ()));
    report(
        row,
        count,
        grown,
        counted,
        &[("insert", insert), ("find", find), ("draw", draw), ("pop", pop), ("text", copy)],
    );
}

fn measure_hash(row: &str, count: usize, before: usize) {
    let (mut rng, limits) = (SmallRng::seed_from_u64(1), HashLimits::default());
    let mut hash = Hash::default();
    let value = [b'v'; 100];
    let value = if row == "hash-100" { &value[..] } else { &value[..16] };
    let insert = time(count, |number| {
        assert!(hash.set(member(number).as_bytes(), value, FieldExpiry::Clear, &limits));
    });
    if row == "hash-ttl" {
        for number in 0..count {
            hash.set_field_expire(member(number).as_bytes(), Some(UnixMillis(1 + number as i64)));
        }
    }
    let (grown, counted) = (resident_bytes() - before, hash.heap_bytes());
    let find = time(count, |_| assert!(hash.as_ref().contains(member(rng.random_range(0..count)).as_bytes())));
    let replace = time(count, |number| {
        let field = member(rng.random_range(0..count));
        hash.set(field.as_bytes(), &value[..10 + number % 6], FieldExpiry::Clear, &limits);
    });
    let after_replace = hash.heap_bytes();
    let remove = time(count, |number| assert!(hash.remove(member(number).as_bytes())));
    report(row, count, grown, counted, &[("insert", insert), ("find", find), ("replace", replace), ("remove", remove)]);
    println!("          after replacing values {:.2} B counted", after_replace as f64 / count as f64);
}

fn measure_small(count: usize, before: usize) {
    let limits = SetLimits::default();
    let mut sets = Vec::with_capacity(count / SMALL_MEMBERS);
    for number in 0..count / SMALL_MEMBERS {
        let mut set = Set::for_members(b"m", 1, &limits);
        for index in 0..SMALL_MEMBERS {
            set.insert(member(number * SMALL_MEMBERS + index).as_bytes(), &limits);
        }
        sets.push(set);
    }
    let counted = sets.iter().map(Set::heap_bytes).sum();
    report("small", count, resident_bytes() - before, counted, &[]);
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, row, count] = arguments.as_slice()
        && flag == "--row"
    {
        let count = count.parse().expect("a count is a number");
        let before = resident_bytes();
        match row.as_str() {
            "small" => measure_small(count, before),
            "set" | "set-int" => measure_set(row, count, before),
            _ => measure_hash(row, count, before),
        }
        return;
    }
    let program = std::env::current_exe().expect("a program knows its path");
    let default = ["1000000", "1300000", "1700000"].map(String::from).to_vec();
    for row in ROWS {
        for count in if arguments.is_empty() { &default } else { &arguments } {
            let status = Command::new(&program).args(["--row", row, count]).status();
            assert!(status.expect("it can start itself").success());
        }
    }
}
