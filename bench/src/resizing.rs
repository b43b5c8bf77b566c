//! Resident memory while values change their size: at a limit, and after a mass deletion.
//!
//! At the limit, every phase writes values of one size over those of the phase before, of which there are up to a thousand
//! for one. What is asked is how far the process's memory goes above `maxmemory` meanwhile.
//!
//! After the deletion, three quarters of the keys are gone, drawn at random, and values of another size come. What is asked
//! is how much more memory the process keeps than one that has never held anything else.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Client, encode};
use crate::cpu::{self, Cores};
use crate::server::{Candidate, Server};
use crate::table::Table;
use crate::{Plan, say};

const LIMIT_BYTES: usize = 128 << 20;
/// The sizes of values, phase by phase.
const SIZES: [usize; 7] = [1000, 100, 3000, 50, 10_000, 700, 50_000];
/// A phase writes so many times the limit, unless its time is over before.
const WRITTEN: usize = 2;
const PHASE: Duration = Duration::from_millis(1200);
/// Bytes between two looks at the process's memory.
const BATCH_BYTES: usize = 200_000;

/// Keys before and after the deletion, and the bytes of their values.
const BEFORE: (usize, usize) = (400_000, 200);
const AFTER: (usize, usize) = (100_000, 600);
/// Of the keys before, one in so many stays.
const STAYS: u64 = 4;
/// Time for a server to move things together and give pages back.
const SETTLE: Duration = Duration::from_millis(2500);

/// Runs both on each server.
pub fn compare(plan: &Plan) -> io::Result<()> {
    let candidates = plan.candidates();
    at_the_limit(plan, &candidates)?;
    after_deletion(plan, &candidates)
}

fn at_the_limit(plan: &Plan, candidates: &[Candidate]) -> io::Result<()> {
    say(&format!("## Sizes that change at a limit of {} MiB: peak of RSS / limit\n", LIMIT_BYTES >> 20))?;
    let sizes = SIZES.iter().map(|bytes| format!("{bytes} B"));
    let mut table = Table::new(std::iter::once("server".to_owned()).chain(sizes).collect());
    let limit = LIMIT_BYTES.to_string();
    for candidate in candidates {
        let args = ["--maxmemory", &limit, "--maxmemory-policy", "allkeys-lru"];
        let server = candidate.with_args(&args).start(plan.port, &Cores::split(1)?.server)?;
        let mut client = Client::connect(server.port)?;
        let mut row = vec![candidate.name.clone()];
        for (phase, bytes) in SIZES.into_iter().enumerate() {
            let peak = write_phase(&server, &mut client, phase, bytes)?;
            row.push(format!("{:.3}", peak as f64 / LIMIT_BYTES as f64));
        }
        table.row(row);
    }
    say(&table.to_string())
}

/// Writes new keys with values of one size; the most that was resident.
fn write_phase(server: &Server, client: &mut Client, phase: usize, bytes: usize) -> io::Result<u64> {
    let (value, began) = ("v".repeat(bytes), Instant::now());
    let (mut peak, mut written) = (0, 0);
    let batch = (BATCH_BYTES / bytes).clamp(1, 1000);
    while written * bytes < WRITTEN * LIMIT_BYTES && began.elapsed() < PHASE {
        client.fill(batch, |number, request| {
            encode(request, &["SET", &format!("{phase}:{}", written + number), &value]);
        })?;
        written += batch;
        peak = peak.max(cpu::rss_bytes(server.pid())?);
    }
    Ok(peak)
}

fn after_deletion(plan: &Plan, candidates: &[Candidate]) -> io::Result<()> {
    say(&format!(
        "## {} keys of {} bytes, three quarters of them deleted, and {} of {} bytes: RSS in MiB\n",
        BEFORE.0, BEFORE.1, AFTER.0, AFTER.1
    ))?;
    let header = ["server", "before the deletion", "in the end", "the same, filled afresh", "ratio"];
    let mut table = Table::new(header.map(str::to_owned).to_vec());
    for candidate in candidates {
        let (peak, end) = fill(plan, candidate, true)?;
        let (_, fresh) = fill(plan, candidate, false)?;
        let figures = [peak, end, fresh].map(|bytes| format!("{:.1}", bytes as f64 / f64::from(1 << 20)));
        let ratio = format!("{:.3}", end as f64 / fresh as f64);
        table.row(std::iter::once(candidate.name.clone()).chain(figures).chain([ratio]).collect());
    }
    say(&table.to_string())
}

/// Fills a server by way of a deletion, or with what is left in the end; what is resident at first, and in the end.
fn fill(plan: &Plan, candidate: &Candidate, deletes: bool) -> io::Result<(u64, u64)> {
    let server = candidate.start(plan.port, &Cores::split(1)?.server)?;
    let mut client = Client::connect(server.port)?;
    let stays: Vec<usize> = (0..BEFORE.0).filter(|&number| is_lucky(number)).collect();
    let goes: Vec<usize> = (0..BEFORE.0).filter(|&number| !is_lucky(number)).collect();
    let value = "v".repeat(BEFORE.1);
    let key = |number: usize| format!("before:{number:09}");
    if deletes {
        client.fill(BEFORE.0, |number, request| encode(request, &["SET", &key(number), &value]))?;
    } else {
        client.fill(stays.len(), |number, request| encode(request, &["SET", &key(stays[number]), &value]))?;
    }
    let first = cpu::rss_bytes(server.pid())?;
    if deletes {
        client.fill(goes.len(), |number, request| encode(request, &["DEL", &key(goes[number])]))?;
    }
    let value = "v".repeat(AFTER.1);
    client.fill(AFTER.0, |number, request| encode(request, &["SET", &format!("after:{number:09}"), &value]))?;
    thread::sleep(SETTLE);
    Ok((first, cpu::rss_bytes(server.pid())?))
}

/// Whether a key is one of those that stay: a hash of its number says so.
const fn is_lucky(number: usize) -> bool {
    let mixed = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40 & (STAYS - 1) == 0
}

const _: () = assert!(STAYS.is_power_of_two());
