//! What a long list costs: memory, and the slowest call of each kind.
//!
//! usage: `cargo run --release -p storage --example lists -- [ELEMENTS]`

#![allow(clippy::print_stdout, reason = "a measuring tool talks to its terminal")]

use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use storage::types::list::{End, List, ListLimits, Side};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const ELEMENT_BYTES: usize = 20;

/// Bytes of this process in memory.
fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()));
    pages.expect("Linux tells the resident pages") * 4096
}

/// Runs a call many times; prints how long it takes on the whole, and how long the slowest ones take. On a machine that is
/// busy otherwise the very slowest say more about the machine.
fn measure(what: &str, runs: usize, mut call: impl FnMut()) {
    let mut times: Vec<Duration> = Vec::with_capacity(runs);
    for _ in 0..runs {
        let start = Instant::now();
        call();
        times.push(start.elapsed());
    }
    times.sort_unstable();
    let [median, slow, slowest] = [runs / 2, runs * 999 / 1_000, runs - 1].map(|index| times[index]);
    println!("{what:30} median {median:>9.1?}   99.9 % {slow:>9.1?}   slowest {slowest:>9.1?}");
}

fn main() {
    let count: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10_000_000);
    let limits = ListLimits::default();
    let mut rng = SmallRng::seed_from_u64(1);
    let element = [b'x'; ELEMENT_BYTES];
    let mut list = List::new();
    let before = resident_bytes();
    for _ in 0..count {
        list.push(End::Tail, std::iter::once(&element[..]), limits);
    }
    let resident = (resident_bytes() - before) as f64 / count as f64;
    let counted = list.heap_bytes() as f64 / count as f64;
    println!("{count} elements of {ELEMENT_BYTES} bytes: {resident:.2} bytes each resident, {counted:.2} counted");

    let mut index = || rng.random_range(0..count as i64);
    measure("element by index", 20_000, || assert!(list.as_ref().element(index()).is_some()));
    measure("set by index", 20_000, || assert!(list.set(index(), b"another element here", limits)));
    measure("push at the tail", count / 10, || list.push(End::Tail, std::iter::once(&element[..]), limits));
    measure("push and pop at the head", 20_000, || {
        list.push(End::Head, std::iter::once(&element[..]), limits);
        assert!(list.pop(End::Head, limits).is_some());
    });
    list.push(End::Head, [&b"pivot"[..]].into_iter(), limits);
    measure("insertion near the head", 20_000, || assert!(list.insert(b"pivot", Side::After, &element, limits)));
    measure("100 elements from anywhere", 20_000, || {
        let mut walk = list.as_ref().walk(End::Head, index() as usize);
        let bytes: usize = (0..100).map_while(|_| walk.next().map(storage::types::list::Item::len)).sum();
        assert!(bytes > 0);
    });
    let mut cut_off = None;
    measure("trim to the middle tenth", 1, || {
        cut_off = list.trim(count / 20 * 9..count / 20 * 11, limits);
    });
    let mut cut_off = cut_off.expect("the list is large");
    let nodes = cut_off.node_count();
    measure("freeing 100 nodes", nodes / 100, || assert!(!cut_off.free_some(100) || cut_off.is_empty()));
    println!("{nodes} nodes were cut off; {} elements are left", list.as_ref().len());
}
