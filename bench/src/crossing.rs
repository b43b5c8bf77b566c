//! Transactions and scripts with keys of two shards: how many a second, how long keys stand locked for them, and how long
//! a script that locks everything is under way.
//!
//! Keys are locked from the place of a transaction in each shard's queue to its end. The time that they are so is what the
//! shards say of it (`INFO shards`: `holds`, `held_us`). Many transactions hold keys at once, each its own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Client, encode};
use crate::cpu::Cores;
use crate::requests::Cost;
use crate::server::{Candidate, Server};
use crate::table::{Table, median};
use crate::volley::Volley;
use crate::{Plan, say};

const SHARDS: usize = 2;
/// Hash tags of which, among two shards, each belongs to another: their slots are 12,182 and 5,061.
const TAGS: [&str; SHARDS] = ["foo", "bar"];

const DECLARED: &str = "redis.call('INCR', KEYS[1]) redis.call('INCR', KEYS[2]) return 1";
/// Which keys it touches, only its run tells.
const UNDECLARED: &str = "redis.call('INCR', ARGV[1] .. ':a') redis.call('INCR', ARGV[2] .. ':a') return 1";

const OPERATIONS: usize = 60_000;
const SAMPLES: usize = 3_000;
/// How much smaller all is with `--quick`.
const QUICK: usize = 5;
/// Clients that load the server while a script is watched.
const LOADING: usize = 8;

/// What is sent.
#[derive(Clone, Copy)]
enum What {
    /// Two commands as one, on keys of these tags.
    Exec([&'static str; 2]),
    /// A script, and whether it declares its keys.
    Eval(bool),
}

const ROWS: [(&str, What); 4] = [
    ("EXEC, 2 keys of one shard", What::Exec([TAGS[0], TAGS[0]])),
    ("EXEC, 2 keys of two shards", What::Exec(TAGS)),
    ("EVAL, 2 keys of two shards, declared", What::Eval(true)),
    ("EVAL, the same undeclared: all locked", What::Eval(false)),
];

impl What {
    fn write(self, number: usize, request: &mut Vec<u8>) {
        let keys = |tags: [&str; 2]| [format!("{{{}}}:{number}:1", tags[0]), format!("{{{}}}:{number}:2", tags[1])];
        match self {
            What::Exec(tags) => {
                let [first, second] = keys(tags);
                for words in [&["MULTI"][..], &["SET", &first, "1"], &["SET", &second, "1"], &["EXEC"]] {
                    encode(request, words);
                }
            }
            What::Eval(true) => {
                let [first, second] = keys(TAGS);
                encode(request, &["EVAL", DECLARED, "2", &first, &second]);
            }
            What::Eval(false) => {
                let [first, second] = keys(TAGS);
                encode(request, &["EVAL", UNDECLARED, "0", &first, &second]);
            }
        }
    }

    fn replies(self) -> usize {
        if let What::Exec(_) = self { 4 } else { 1 }
    }
}

/// How long keys were locked, as all shards say together.
#[derive(Clone, Copy)]
struct Holds {
    count: f64,
    micros: f64,
}

impl Holds {
    fn of(server: &Server) -> io::Result<Holds> {
        let info = Client::connect(server.port)?.text(&["INFO", "shards"])?;
        let sum = |name: &str| -> f64 {
            let fields =
                info.split([',', ':', '\r', '\n']).filter_map(|field| field.strip_prefix(name)?.strip_prefix('='));
            fields.filter_map(|number| number.parse::<f64>().ok()).sum()
        };
        Ok(Holds { count: sum("holds"), micros: sum("held_us") })
    }
}

/// Tessera with two shards; with its peers beside it where that has a meaning.
pub fn compare(plan: &Plan) -> io::Result<()> {
    if let Some(tessera) = &plan.tessera {
        crossing(plan, &tessera.with_shards(SHARDS))?;
    }
    alone_and_under_load(plan)
}

fn crossing(plan: &Plan, tessera: &Candidate) -> io::Result<()> {
    say("## Two shards: transactions and scripts, and how long keys are locked for them\n")?;
    let header = ["operation", "us of CPU", "op/s", "us locked", "locked at once, of a shard"];
    let mut table = Table::new(header.map(str::to_owned).to_vec());
    let cores = Cores::of_several(SHARDS, SHARDS)?;
    let server = tessera.start(plan.port, &cores.server)?;
    let operations = if plan.quick { OPERATIONS / QUICK } else { OPERATIONS };
    for (name, what) in ROWS {
        let mut costs: Vec<Cost> = Vec::new();
        let (mut held, mut at_once) = (Vec::new(), Vec::new());
        for _ in 0..plan.rounds {
            let before = Holds::of(&server)?;
            let started = Instant::now();
            let write = |number: usize, request: &mut Vec<u8>| what.write(number, request);
            let volley = Volley { write: &write, replies: what.replies(), batch: 1, operations, heard: None };
            costs.push(volley.run(&server, &cores)?);
            let (after, elapsed) = (Holds::of(&server)?, started.elapsed());
            let micros = after.micros - before.micros;
            held.push(micros / (after.count - before.count).max(1.0));
            at_once.push(micros / 1e6 / elapsed.as_secs_f64() / SHARDS as f64);
        }
        table.row(vec![
            name.to_owned(),
            format!("{:.2}", median(costs.iter().map(|cost| cost.cpu_us).collect())),
            format!("{:.0}", median(costs.iter().map(|cost| cost.throughput).collect())),
            format!("{:.1}", median(held)),
            format!("{:.1}", median(at_once)),
        ]);
    }
    say(&table.to_string())
}

/// A script that locks all shards, one call after the other: how long it takes, alone and beside others.
fn alone_and_under_load(plan: &Plan) -> io::Result<()> {
    say(&format!(
        "## A script that may touch any key, us from call to reply; and beside {LOADING} clients with SETs\n"
    ))?;
    let header = ["server", "median", "99 %", "under load, median", "99 %"];
    let mut table = Table::new(header.map(str::to_owned).to_vec());
    let tessera = plan.tessera.iter().flat_map(|tessera| [1, SHARDS].map(|shards| tessera.with_shards(shards)));
    for candidate in tessera.chain(plan.peers.iter().cloned()) {
        let cores = Cores::of_several(SHARDS, SHARDS)?;
        let server = candidate.start(plan.port, &cores.server)?;
        let samples = if plan.quick { SAMPLES / QUICK } else { SAMPLES };
        let alone = latencies(&server, samples)?;
        let load = Load::start(server.port);
        let loaded = latencies(&server, samples)?;
        load.end()?;
        let cell = |waits: &[Duration], percent: usize| {
            format!("{:.0}", waits[(waits.len() - 1) * percent / 100].as_secs_f64() * 1e6)
        };
        let cells =
            [(&alone, 50), (&alone, 99), (&loaded, 50), (&loaded, 99)].map(|(waits, percent)| cell(waits, percent));
        let mut row = vec![candidate.name.clone()];
        row.extend(cells);
        table.row(row);
    }
    say(&table.to_string())
}

/// In order of length.
fn latencies(server: &Server, samples: usize) -> io::Result<Vec<Duration>> {
    let mut client = Client::connect(server.port)?;
    let keys = TAGS.map(|tag| format!("{{{tag}}}"));
    let mut waits = Vec::with_capacity(samples);
    for _ in 0..samples {
        let asked = Instant::now();
        client.call(&["EVAL", UNDECLARED, "0", &keys[0], &keys[1]])?;
        waits.push(asked.elapsed());
    }
    waits.sort_unstable();
    Ok(waits)
}

/// Clients of one thread that set keys of all shards.
struct Load {
    ended: Arc<AtomicBool>,
    thread: thread::JoinHandle<io::Result<()>>,
}

impl Load {
    fn start(port: u16) -> Load {
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        let thread = thread::spawn(move || {
            let mut clients = (0..LOADING).map(|_| Client::connect(port)).collect::<io::Result<Vec<_>>>()?;
            for round in 0_usize.. {
                if seen.load(Ordering::Relaxed) {
                    break;
                }
                for (number, client) in clients.iter_mut().enumerate() {
                    let mut request = Vec::new();
                    encode(&mut request, &["SET", &format!("{{{}}}:{number}:{}", TAGS[round % 2], round % 1000), "1"]);
                    client.send(&request)?;
                }
                clients.iter_mut().try_for_each(|client| client.skip_replies(1).map(drop))?;
            }
            Ok(())
        });
        Load { ended, thread }
    }

    fn end(self) -> io::Result<()> {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| io::Error::other("the loading thread panicked"))?
    }
}
