//! What a snapshot, or a new append-only file, costs those who work meanwhile: BGSAVE and BGREWRITEAOF of a million keys
//! under writes at a fixed rate; and how long the server takes to load what they leave.
//!
//! A thread writes keys that are there already, so many a second in small pipelines, whatever the server does; another
//! asks for one key at a time, and notes how long each answer takes. The same load runs before the snapshot and during it.
//! Server and load share the machine's cores, where there are no others: who saves at the cost of clients shows in the
//! percentiles.
//!
//! Memory is what the process has beyond what it had before, or what the server tells of its child.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::client::{Client, encode};
use crate::cpu::{self, Cores};
use crate::server::{Candidate, Server};
use crate::table::{Table, median};
use crate::{Plan, say};

const KEYS: usize = 1_000_000;
const KEYS_QUICK: usize = 300_000;
const VALUE_BYTES: usize = 1024;
/// Writes a second.
const RATE: usize = 30_000;
/// Writes are due in portions, one each so often.
const PORTION: Duration = Duration::from_millis(1);
/// Connections that write.
const WRITERS: usize = 10;
/// Between two requests of the reader.
const READ_PAUSE: Duration = Duration::from_micros(200);
/// The load runs for so long before anything is measured, and then without a snapshot.
const WARM_UP: Duration = Duration::from_secs(3);
const QUIET: Duration = Duration::from_secs(5);
/// Between two looks at the snapshot.
const LOOK: Duration = Duration::from_millis(20);

/// What is written in the background.
#[derive(Clone, Copy)]
struct What {
    command: &'static str,
    options: &'static [&'static str],
    /// The field of `INFO persistence` that says whether it is being written.
    under_way: &'static str,
    /// The one that says what a child has copied.
    copied: &'static str,
}

const SNAPSHOT: What =
    What { command: "BGSAVE", options: &[], under_way: "rdb_bgsave_in_progress:", copied: "rdb_last_cow_size:" };

const REWRITE: What = What {
    command: "BGREWRITEAOF",
    options: &["--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"],
    under_way: "aof_rewrite_in_progress:",
    copied: "aof_last_cow_size:",
};

/// Both on each server.
pub fn compare(plan: &Plan) -> io::Result<()> {
    compare_one(plan, SNAPSHOT)?;
    compare_one(plan, REWRITE)
}

fn compare_one(plan: &Plan, what: What) -> io::Result<()> {
    let keys = if plan.quick { KEYS_QUICK } else { KEYS };
    let title = format!("{} of {keys} keys of {VALUE_BYTES} bytes under {RATE} writes a second", what.command);
    say(&format!("## {title}, GET in ms\n"))?;
    let header =
        ["server", "p50", "p99", "longest", "p50 saving", "p99 saving", "longest", "s", "more MiB", "%", "s to load"];
    let mut table = Table::new(header.map(str::to_owned).to_vec());
    let tessera = plan.tessera.iter().flat_map(|tessera| [tessera.with_shards(1), tessera.with_shards(2)]);
    for candidate in tessera.chain(plan.peers.iter().cloned()) {
        let candidate = candidate.with_args(what.options);
        let outcomes =
            (0..plan.rounds).map(|_| measure(plan, &candidate, what, keys)).collect::<io::Result<Vec<Outcome>>>()?;
        let median = |figure: fn(&Outcome) -> f64| median(outcomes.iter().map(figure).collect());
        let figures: [fn(&Outcome) -> f64; 10] = [
            |outcome| outcome.before.p50,
            |outcome| outcome.before.p99,
            |outcome| outcome.before.longest,
            |outcome| outcome.saving.p50,
            |outcome| outcome.saving.p99,
            |outcome| outcome.saving.longest,
            |outcome| outcome.seconds,
            |outcome| outcome.more_bytes as f64 / f64::from(1 << 20),
            |outcome| outcome.more_bytes as f64 * 100.0 / outcome.rss_bytes as f64,
            |outcome| outcome.load_seconds,
        ];
        let row = std::iter::once(candidate.name.clone());
        table.row(row.chain(figures.map(|figure| format!("{:.2}", median(figure)))).collect());
    }
    say(&table.to_string())
}

struct Outcome {
    before: Waits,
    saving: Waits,
    seconds: f64,
    rss_bytes: u64,
    more_bytes: u64,
    load_seconds: f64,
}

/// Milliseconds.
struct Waits {
    p50: f64,
    p99: f64,
    longest: f64,
}

fn measure(plan: &Plan, candidate: &Candidate, what: What, keys: usize) -> io::Result<Outcome> {
    let cores = Cores::of_several(2, 2)?.server;
    let mut server = candidate.start(plan.port, &cores)?;
    let values = Arc::new(Values::new());
    Client::connect(server.port)?.fill(keys, |number, request| put_set(request, number, &values))?;
    let ended = Arc::new(AtomicBool::new(false));
    let writer = {
        let (ended, port) = (Arc::clone(&ended), server.port);
        thread::spawn(move || write(port, keys, &values, &ended))
    };
    let reader = {
        let (ended, port) = (Arc::clone(&ended), server.port);
        thread::spawn(move || read(port, keys, &ended))
    };
    thread::sleep(WARM_UP);
    let quiet_from = Instant::now();
    thread::sleep(QUIET);
    let saving_from = Instant::now();
    let saved = save(&server, what);
    let saving_to = Instant::now();
    ended.store(true, Ordering::Relaxed);
    let answers = join(reader)?;
    join(writer)?;
    let (rss_bytes, more_bytes) = saved?;
    let load_seconds = server.restart(&cores)?.as_secs_f64();
    Ok(Outcome {
        before: Waits::between(&answers, quiet_from, saving_from),
        saving: Waits::between(&answers, saving_from, saving_to),
        seconds: (saving_to - saving_from).as_secs_f64(),
        rss_bytes,
        more_bytes,
        load_seconds,
    })
}

fn join<T>(thread: JoinHandle<io::Result<T>>) -> io::Result<T> {
    thread.join().map_err(|_| io::Error::other("a thread of the load panicked"))?
}

/// Has the server save; resident memory before, and how much more it was at most.
fn save(server: &Server, what: What) -> io::Result<(u64, u64)> {
    let mut client = Client::connect(server.port)?;
    let before = cpu::rss_bytes(server.pid())?;
    let mut most = before;
    client.call(&[what.command])?;
    // What a child has copied is memory of its own.
    let mut has_child = false;
    loop {
        thread::sleep(LOOK);
        most = most.max(cpu::rss_bytes(server.pid())?);
        has_child |= cpu::has_child(server.pid())?;
        let info = client.text(&["INFO", "persistence"])?;
        let figure = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
        if figure(what.under_way) == Some(0) {
            let copied = if has_child { figure(what.copied).unwrap_or(0) } else { 0 };
            return Ok((before, copied + most - before));
        }
    }
}

/// Values that cannot be compressed: pieces of one random text.
struct Values(Vec<u8>);

impl Values {
    fn new() -> Self {
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        Self((0..VALUE_BYTES << 8).map(|_| b' ' + (random.next() % 95) as u8).collect())
    }

    fn of(&self, number: usize) -> &[u8] {
        let from = number.wrapping_mul(VALUE_BYTES / 8 + 1) % (self.0.len() - VALUE_BYTES);
        &self.0[from..from + VALUE_BYTES]
    }
}

/// Numbers in no order.
struct Random(u64);

impl Random {
    const fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize
    }
}

fn key(number: usize) -> String {
    format!("key:{number:012}")
}

fn put_set(request: &mut Vec<u8>, number: usize, values: &Values) {
    encode(request, &[b"SET".as_slice(), key(number).as_bytes(), values.of(number)]);
}

/// Writes [`RATE`] keys a second, until it is told to end. What was not written in time is made up for.
fn write(port: u16, keys: usize, values: &Values, ended: &AtomicBool) -> io::Result<()> {
    let mut clients = (0..WRITERS).map(|_| Client::connect(port)).collect::<io::Result<Vec<Client>>>()?;
    let (mut random, mut request, began) = (Random(1), Vec::new(), Instant::now());
    let portion = RATE / (Duration::from_secs(1).as_nanos() / PORTION.as_nanos()) as usize / WRITERS;
    for turn in 1.. {
        if ended.load(Ordering::Relaxed) {
            break;
        }
        for client in &mut clients {
            request.clear();
            (0..portion).for_each(|_| put_set(&mut request, random.next() % keys, values));
            client.send(&request)?;
        }
        clients.iter_mut().try_for_each(|client| client.skip_replies(portion).map(drop))?;
        thread::sleep((began + PORTION * turn).saturating_duration_since(Instant::now()));
    }
    Ok(())
}

/// Asks for one key after the other; when each was asked for, and how long the answer took.
fn read(port: u16, keys: usize, ended: &AtomicBool) -> io::Result<Vec<(Instant, Duration)>> {
    let mut client = Client::connect(port)?;
    let (mut random, mut answers) = (Random(2), Vec::new());
    while !ended.load(Ordering::Relaxed) {
        let key = key(random.next() % keys);
        let asked = Instant::now();
        client.call(&["GET", &key])?;
        answers.push((asked, asked.elapsed()));
        thread::sleep(READ_PAUSE);
    }
    Ok(answers)
}

impl Waits {
    fn between(answers: &[(Instant, Duration)], from: Instant, to: Instant) -> Self {
        let within = answers.iter().filter(|(asked, _)| (from..to).contains(asked));
        let mut millis: Vec<f64> = within.map(|(_, waited)| waited.as_secs_f64() * 1000.0).collect();
        millis.sort_unstable_by(f64::total_cmp);
        let at = |percent: usize| millis.get(millis.len() * percent / 100).or(millis.last()).copied().unwrap_or(0.0);
        Self { p50: at(50), p99: at(99), longest: at(100) }
    }
}
