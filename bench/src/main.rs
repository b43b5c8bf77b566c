//! Tessera beside `redis-server`, on the same cores in the same run.
//!
//! Absolute figures of a virtual machine vary by a fifth from one hour to the next; ratios from one run vary less. So every
//! server is measured in turn, round after round, where it can be workload by workload, and a table gives the median of
//! the rounds with the ratio to Tessera beside it.
//!
//! | section | what it measures |
//! |---|---|
//! | `cpu` | CPU time of the server's process per request and requests per second, one core, by `redis-benchmark` |
//! | `shards` | the same for Tessera with two shards on two cores against one shard on one |
//! | `density` | bytes of resident memory per key for five kinds of strings |
//! | `collections` | CPU time per request of commands on lists, hashes, sets, sorted sets and streams, small and large |
//! | `growth` | the longest wait of a second client while a collection grows to 10 million elements, and is deleted |
//! | `transactions` | CPU time per transaction, script and published message; two shards: how long keys stand locked |
//! | `eviction` | a cache at its limit: hit ratio, resident memory, latency of writes |
//! | `resizing` | resident memory while the sizes of values change, at a limit and after a mass deletion |
//! | `saving` | BGSAVE and BGREWRITEAOF under writes: latency of reads, memory, time; time to load |
//! | `log` | SET without an append-only file, with `everysec`, and with `always` |
//! | `idle` | CPU and memory of idle connections |
//!
//! Nothing else should run on the machine. Servers listen on loopback ports from `--port` on, keep what they write in a
//! folder of temporary files, and are killed when their part is over.

mod client;
mod collections;
mod cpu;
mod crossing;
mod density;
mod eviction;
mod growth;
mod idle;
mod load;
mod log;
mod requests;
mod resizing;
mod rounds;
mod saving;
mod server;
mod table;
mod transactions;
mod volley;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, ValueEnum};

use server::Candidate;

/// Measures Tessera beside redis-server.
#[derive(Parser)]
#[command(name = "bench", version)]
struct Args {
    /// Fewer requests, keys and rounds: a look, not a measurement.
    #[arg(long)]
    quick: bool,
    /// Rounds, of which the median is shown.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Sections to run; all of them by default.
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Section>,
    /// Another server that takes redis-server's command line; may be repeated.
    #[arg(long)]
    peer: Vec<PathBuf>,
    /// Tessera's program; built by cargo if not given.
    #[arg(long)]
    server: Option<PathBuf>,
    /// Leave Tessera out: what do the others need here?
    #[arg(long)]
    peers_only: bool,
    /// The first port that servers may use.
    #[arg(long, default_value_t = 21_400)]
    port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Section {
    Cpu,
    Shards,
    Collections,
    Growth,
    Transactions,
    Density,
    Eviction,
    Resizing,
    Saving,
    Log,
    Idle,
}

/// What a run measures, and with how much effort.
struct Plan {
    tessera: Option<Candidate>,
    peers: Vec<Candidate>,
    rounds: usize,
    quick: bool,
    port: u16,
}

impl Plan {
    /// All servers, Tessera with one shard first.
    fn candidates(&self) -> Vec<Candidate> {
        self.tessera.iter().map(|tessera| tessera.with_shards(1)).chain(self.peers.iter().cloned()).collect()
    }
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do if standard error is closed as well.
            let _ = writeln!(io::stderr(), "bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> io::Result<()> {
    let plan = plan(args)?;
    let started = Instant::now();
    let wants = |section: Section| args.only.is_empty() || args.only.contains(&section);
    say(&format!("{}, {} rounds, on {}\n", names(&plan), plan.rounds, cpu::machine()))?;
    if wants(Section::Cpu) {
        load::compare_on_one_core(&plan)?;
    }
    if wants(Section::Shards) && plan.tessera.is_some() {
        load::compare_shards(&plan)?;
    }
    if wants(Section::Collections) {
        collections::compare(&plan)?;
    }
    if wants(Section::Growth) {
        growth::compare(&plan)?;
    }
    if wants(Section::Transactions) {
        transactions::compare(&plan)?;
        crossing::compare(&plan)?;
    }
    if wants(Section::Density) {
        density::compare(&plan)?;
    }
    if wants(Section::Eviction) {
        eviction::compare(&plan)?;
    }
    if wants(Section::Resizing) {
        resizing::compare(&plan)?;
    }
    if wants(Section::Saving) {
        saving::compare(&plan)?;
    }
    if wants(Section::Log) {
        log::compare(&plan)?;
    }
    if wants(Section::Idle) {
        idle::compare(&plan)?;
    }
    say(&format!("Took {:.0} s.", started.elapsed().as_secs_f64()))
}

fn plan(args: &Args) -> io::Result<Plan> {
    let tessera = if args.peers_only {
        None
    } else {
        let program = args.server.clone().map_or_else(server::build_tessera, Ok)?;
        Some(Candidate::tessera(program))
    };
    let mut peers: Vec<Candidate> = server::redis_in_path().into_iter().map(Candidate::redis).collect();
    peers.extend(args.peer.iter().cloned().map(Candidate::redis));
    let rounds = if args.quick { 1 } else { args.rounds.max(1) };
    Ok(Plan { tessera, peers, rounds, quick: args.quick, port: args.port })
}

fn names(plan: &Plan) -> String {
    let names: Vec<String> = plan.candidates().iter().map(|candidate| candidate.name.clone()).collect();
    names.join(" beside ")
}

/// Prints a line; progress is seen while the run goes on.
fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
