//! A cache at its limit: how many requests it answers, how much memory it takes, and what its writes wait for.
//!
//! Every server gets the same `maxmemory` and the same traces: keys by Zipf's law with exponent 0.99 out of ten times what
//! fits, and the same with scans in between, over keys that nobody asks for twice. A client asks for keys and stores those
//! that are missing. Peers compare with ten samples; what they hold against the limit is what they have handed out, while
//! Tessera counts its resident memory.
//!
//! The latency of SET is that of one client that sends one command at a time, of a kilobyte each, to a server with room and
//! then to the same at its limit.

use std::io;
use std::time::Instant;

use crate::client::{Client, encode};
use crate::cpu::{self, Cores};
use crate::server::{Candidate, Server};
use crate::table::Table;
use crate::{Plan, say};

const LIMIT_BYTES: usize = 128 << 20;
const VALUE_BYTES: usize = 1000;
/// Ten times what fits, about.
const KEYS: usize = 10 * LIMIT_BYTES / VALUE_BYTES;
/// Keys asked for in one batch.
const BATCH: usize = 50;
const POLICIES: [&str; 2] = ["allkeys-lru", "allkeys-lfu"];
/// SETs whose latency is measured.
const TIMED: usize = 30_000;

/// Runs each trace on each server, then the writes.
pub fn compare(plan: &Plan) -> io::Result<()> {
    let candidates = plan.candidates();
    let requests = if plan.quick { 500_000 } else { 1_200_000 };
    say(&format!(
        "## A cache of {} MiB, {KEYS} keys of {VALUE_BYTES} bytes, {requests} requests\n",
        LIMIT_BYTES >> 20
    ))?;
    let mut header = vec!["trace".to_owned(), "policy".to_owned()];
    for candidate in &candidates {
        header.extend([format!("{} hits", candidate.name), "RSS / limit".to_owned()]);
    }
    let mut table = Table::new(header);
    let zipf = Zipf::new(KEYS);
    for polluted in [false, true] {
        for policy in POLICIES {
            let mut row =
                vec![if polluted { "Zipf 0.99 and scans" } else { "Zipf 0.99" }.to_owned(), policy.to_owned()];
            for candidate in &candidates {
                let outcome = replay(plan, candidate, policy, Trace::new(&zipf, polluted), requests)?;
                row.extend([
                    format!("{:.2} %", outcome.hits * 100.0),
                    format!("{:.3}", outcome.rss_peak_bytes as f64 / LIMIT_BYTES as f64),
                ]);
            }
            table.row(row);
        }
    }
    say(&table.to_string())?;
    writes(plan, &candidates)
}

struct Outcome {
    /// The share of requests that were answered, the first half apart.
    hits: f64,
    rss_peak_bytes: u64,
}

fn start(plan: &Plan, candidate: &Candidate, policy: &str) -> io::Result<Server> {
    let limit = LIMIT_BYTES.to_string();
    let args = ["--maxmemory", &limit, "--maxmemory-policy", policy, "--maxmemory-samples", "10"];
    candidate.with_args(&args).start(plan.port, &Cores::split(1)?.server)
}

fn replay(
    plan: &Plan,
    candidate: &Candidate,
    policy: &str,
    mut trace: Trace<'_>,
    requests: usize,
) -> io::Result<Outcome> {
    let server = start(plan, candidate, policy)?;
    let mut client = Client::connect(server.port)?;
    let value = "v".repeat(VALUE_BYTES);
    let (mut hits, mut asked, mut rss_peak_bytes) = (0, 0, 0);
    let (mut keys, mut request) = (Vec::with_capacity(BATCH), Vec::new());
    for number in 0..requests / BATCH {
        keys.clear();
        keys.extend((0..BATCH).map(|_| format!("key:{:012}", trace.next())));
        request.clear();
        for key in &keys {
            encode(&mut request, &["GET", key]);
        }
        let found = client.are_found(&request, BATCH)?;
        if number * BATCH >= requests / 2 {
            hits += found.iter().filter(|&&hit| hit).count();
            asked += BATCH;
        }
        let missing: Vec<&String> = keys.iter().zip(&found).filter(|(_, hit)| !**hit).map(|(key, _)| key).collect();
        client.fill(missing.len(), |index, request| encode(request, &["SET", missing[index], &value]))?;
        if number % 1000 == 0 {
            rss_peak_bytes = rss_peak_bytes.max(cpu::rss_bytes(server.pid())?);
        }
    }
    Ok(Outcome { hits: hits as f64 / asked as f64, rss_peak_bytes })
}

/// Latencies of SET with room and without.
fn writes(plan: &Plan, candidates: &[Candidate]) -> io::Result<()> {
    say(&format!("## SET of {VALUE_BYTES} bytes, one client, {TIMED} commands each, microseconds\n"))?;
    let header = ["server", "p50 with room", "p99", "p50 at the limit", "p99", "p99, limit / room"];
    let mut table = Table::new(header.map(str::to_owned).to_vec());
    for candidate in candidates {
        let server = start(plan, candidate, "allkeys-lru")?;
        let mut client = Client::connect(server.port)?;
        let value = "v".repeat(VALUE_BYTES);
        let room = timed(&mut client, 0, &value)?;
        client.fill(LIMIT_BYTES / VALUE_BYTES * 2, |number, request| {
            encode(request, &["SET", &format!("fill:{number:012}"), &value]);
        })?;
        let full = timed(&mut client, TIMED, &value)?;
        let ratio = full.1 / room.1;
        let figures = [room.0, room.1, full.0, full.1].map(|micros| format!("{micros:.1}"));
        table.row(std::iter::once(candidate.name.clone()).chain(figures).chain([format!("{ratio:.2}")]).collect());
    }
    say(&table.to_string())
}

/// The 50th and 99th percentiles of the latencies of [`TIMED`] SETs of keys from `first` on.
fn timed(client: &mut Client, first: usize, value: &str) -> io::Result<(f64, f64)> {
    let mut micros = Vec::with_capacity(TIMED);
    for number in first..first + TIMED {
        let key = format!("timed:{number:012}");
        let asked = Instant::now();
        client.call(&["SET", &key, value])?;
        micros.push(asked.elapsed().as_secs_f64() * 1e6);
    }
    micros.sort_unstable_by(f64::total_cmp);
    Ok((micros[TIMED / 2], micros[TIMED / 100 * 99]))
}

/// Keys by how often they are asked for: key `i` is the `i`th of the most wanted.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(keys: usize) -> Self {
        let mut sum = 0.0;
        let weights = (1..=keys).map(|rank| {
            sum += (rank as f64).powf(-0.99);
            sum
        });
        let mut sums: Vec<f64> = weights.collect();
        for part in &mut sums {
            *part /= sum;
        }
        Self(sums)
    }
}

/// The same keys in the same order for every server.
struct Trace<'a> {
    zipf: &'a Zipf,
    state: u64,
    polluted: bool,
    number: usize,
    scanned: usize,
}

impl<'a> Trace<'a> {
    /// A scan of so many keys begins after so many requests.
    const SCAN: usize = 40_000;
    const SCAN_EVERY: usize = 200_000;

    const fn new(zipf: &'a Zipf, polluted: bool) -> Self {
        Self { zipf, state: 0x2545_f491_4f6c_dd1d, polluted, number: 0, scanned: KEYS }
    }

    fn next(&mut self) -> usize {
        self.number += 1;
        if self.polluted && self.number % Self::SCAN_EVERY < Self::SCAN {
            self.scanned += 1;
            return self.scanned;
        }
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let point = (self.state >> 11) as f64 / (1_u64 << 53) as f64;
        self.zipf.0.partition_point(|&part| part < point)
    }
}
