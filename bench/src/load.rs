//! CPU per request and throughput: Tessera against others on one core, and two shards against one.

use std::collections::HashMap;
use std::io;

use crate::cpu::Cores;
use crate::requests::{self, Cost, Workload};
use crate::server::Candidate;
use crate::table::{Table, median};
use crate::{Plan, say};

const TESTS: [&str; 5] = ["ping_mbulk", "get", "set", "mset", "incr"];
const PIPELINES: [usize; 3] = [1, 16, 64];

/// Costs by server's position and workload's position, one per round.
type Costs = HashMap<(usize, usize), Vec<Cost>>;

/// Every server in turn on the first core, every command at every pipeline depth.
pub fn compare_on_one_core(plan: &Plan) -> io::Result<()> {
    let candidates = plan.candidates();
    let workloads: Vec<Workload> =
        PIPELINES.iter().flat_map(|&pipeline| TESTS.map(|test| Workload { test, pipeline })).collect();
    let cores = Cores::split(1)?;
    let mut costs = Costs::new();
    for _ in 0..plan.rounds {
        for (index, candidate) in candidates.iter().enumerate() {
            measure(plan, candidate, &cores, &workloads, |workload, cost| {
                costs.entry((index, workload)).or_default().push(cost);
            })?;
        }
    }
    say("## CPU per request and throughput, one core, 50 clients, 64 B values, 100,000 random keys\n")?;
    let mut header = vec!["command".to_owned(), "pipeline".to_owned()];
    for (index, candidate) in candidates.iter().enumerate() {
        header.extend([format!("{} us", candidate.name), "req/s".to_owned()]);
        if index > 0 && plan.tessera.is_some() {
            header.push(format!("CPU, Tessera / {}", candidate.name));
        }
    }
    let mut table = Table::new(header);
    for (position, workload) in workloads.iter().enumerate() {
        let mut row = vec![workload.command(), workload.pipeline.to_string()];
        for index in 0..candidates.len() {
            let (cpu_us, throughput) = medians(&costs[&(index, position)]);
            row.extend([format!("{cpu_us:.2}"), format!("{throughput:.0}")]);
            if index > 0 && plan.tessera.is_some() {
                row.push(format!("{:.2}", medians(&costs[&(0, position)]).0 / cpu_us));
            }
        }
        table.row(row);
    }
    say(&table.to_string())
}

/// Tessera with one shard on one core and with two on two, total CPU per request.
pub fn compare_shards(plan: &Plan) -> io::Result<()> {
    let Some(tessera) = &plan.tessera else { return Ok(()) };
    let tests = ["get", "set", "mset"];
    let workloads: Vec<Workload> =
        [1, 16].iter().flat_map(|&pipeline| tests.map(|test| Workload { test, pipeline })).collect();
    let mut costs = Costs::new();
    for _ in 0..plan.rounds {
        for (index, shards) in [1, 2].into_iter().enumerate() {
            let cores = Cores::of_several(shards, 2)?;
            measure(plan, &tessera.with_shards(shards), &cores, &workloads, |workload, cost| {
                costs.entry((index, workload)).or_default().push(cost);
            })?;
        }
    }
    say("## Two shards against one, random keys, CPU of all cores together\n")?;
    let header = ["command", "pipeline", "1 shard us", "req/s", "2 shards us", "req/s", "CPU, 2 shards / 1"];
    let mut table = Table::new(header.map(str::to_owned).to_vec());
    for (position, workload) in workloads.iter().enumerate() {
        let (one, two) = (medians(&costs[&(0, position)]), medians(&costs[&(1, position)]));
        table.row(vec![
            workload.command(),
            workload.pipeline.to_string(),
            format!("{:.2}", one.0),
            format!("{:.0}", one.1),
            format!("{:.2}", two.0),
            format!("{:.0}", two.1),
            format!("{:.2}", two.0 / one.0),
        ]);
    }
    say(&table.to_string())
}

fn measure(
    plan: &Plan,
    candidate: &Candidate,
    cores: &Cores,
    workloads: &[Workload],
    mut take: impl FnMut(usize, Cost),
) -> io::Result<()> {
    let server = candidate.start(plan.port, &cores.server)?;
    requests::fill(&server)?;
    for (position, workload) in workloads.iter().enumerate() {
        take(position, workload.run(&server, cores, plan.quick)?);
    }
    Ok(())
}

/// Median CPU per request and median throughput.
fn medians(costs: &[Cost]) -> (f64, f64) {
    let cpu_us = median(costs.iter().map(|cost| cost.cpu_us).collect());
    (cpu_us, median(costs.iter().map(|cost| cost.throughput).collect()))
}
