//! What the append-only file costs: SET without one, with one that is synced once a second, and with one that is synced
//! before any reply.
//!
//! The servers of a row run one after the other on the same disk, which is that of the temporary files. Only Tessera says
//! how often it syncs.

use std::collections::HashMap;
use std::io;

use crate::client::Client;
use crate::cpu::Cores;
use crate::requests::{Cost, Workload};
use crate::server::{Candidate, Server};
use crate::table::{Table, median};
use crate::{Plan, say};

/// No log, and logs that are synced at different times.
const POLICIES: [&[&str]; 3] =
    [&[], &["--appendonly", "yes", "--appendfsync", "everysec"], &["--appendonly", "yes", "--appendfsync", "always"]];
const PIPELINES: [usize; 2] = [1, 16];
const SHARDS: usize = 2;

/// With a policy at a depth of pipeline.
#[derive(Clone, Copy)]
struct Outcome {
    cost: Cost,
    /// Requests that one sync serves, if the server counts its syncs.
    per_sync: Option<f64>,
}

/// All servers with all policies, round after round.
pub fn compare(plan: &Plan) -> io::Result<()> {
    let tessera = plan.tessera.iter().flat_map(|tessera| [1, SHARDS].map(|shards| tessera.with_shards(shards)));
    let candidates: Vec<Candidate> = tessera.chain(plan.peers.iter().cloned()).collect();
    let mut outcomes: HashMap<(usize, usize, usize), Vec<Outcome>> = HashMap::new();
    for _ in 0..plan.rounds {
        for (index, candidate) in candidates.iter().enumerate() {
            for (policy, options) in POLICIES.iter().enumerate() {
                let server =
                    candidate.with_args(options).start(plan.port, &Cores::of_several(SHARDS, SHARDS)?.server)?;
                for (depth, pipeline) in PIPELINES.into_iter().enumerate() {
                    let outcome = measure(plan, &server, pipeline)?;
                    outcomes.entry((index, policy, depth)).or_default().push(outcome);
                }
            }
        }
    }
    say("## SET with an append-only file, 50 clients, 64 B values\n")?;
    let mut header: Vec<String> =
        ["server", "pipeline", "none, req/s", "us", "everysec", "us", "of none", "always", "us", "SETs a sync"]
            .map(str::to_owned)
            .to_vec();
    header.extend(plan.peers.iter().map(|peer| format!("always, of {}", peer.name)));
    let mut table = Table::new(header);
    let of = |index: usize, policy: usize, depth: usize, figure: fn(&Outcome) -> f64| {
        median(outcomes[&(index, policy, depth)].iter().map(figure).collect())
    };
    let throughput = |outcome: &Outcome| outcome.cost.throughput;
    for (depth, pipeline) in PIPELINES.into_iter().enumerate() {
        for (index, candidate) in candidates.iter().enumerate() {
            let mut row = vec![candidate.name.clone(), pipeline.to_string()];
            for policy in 0..POLICIES.len() {
                row.push(format!("{:.0}", of(index, policy, depth, throughput)));
                row.push(format!("{:.2}", of(index, policy, depth, |outcome| outcome.cost.cpu_us)));
                if policy == 1 {
                    let ratio = of(index, 1, depth, throughput) / of(index, 0, depth, throughput);
                    row.push(format!("{ratio:.2}"));
                }
            }
            let counts: Vec<f64> = outcomes[&(index, 2, depth)].iter().filter_map(|outcome| outcome.per_sync).collect();
            row.push(if counts.is_empty() { "-".to_owned() } else { format!("{:.0}", median(counts)) });
            for peer in candidates.len() - plan.peers.len()..candidates.len() {
                row.push(format!("{:.2}", of(index, 2, depth, throughput) / of(peer, 2, depth, throughput)));
            }
            table.row(row);
        }
    }
    say(&table.to_string())
}

fn measure(plan: &Plan, server: &Server, pipeline: usize) -> io::Result<Outcome> {
    let workload = Workload { test: "set", pipeline };
    let before = syncs(server)?;
    let cost = workload.run(server, &Cores::of_several(SHARDS, SHARDS)?, plan.quick)?;
    let per_sync = syncs(server)?.zip(before).and_then(|(after, before)| {
        let count = after - before;
        (count > 0).then(|| workload.requests(plan.quick) as f64 / count as f64)
    });
    Ok(Outcome { cost, per_sync })
}

/// How many syncs the server has done, if it says so.
fn syncs(server: &Server) -> io::Result<Option<u64>> {
    let info = Client::connect(server.port)?.text(&["INFO", "persistence"])?;
    Ok(info.lines().find_map(|line| line.strip_prefix("aof_fsyncs:")?.trim().parse().ok()))
}
