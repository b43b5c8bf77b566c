//! CPU per request and throughput: Tessera against others on one core, and two shards against one.

use std::io;

use crate::cpu::Cores;
use crate::requests::{self, Workload};
use crate::rounds::{self, Costs};
use crate::server::Candidate;
use crate::table::Table;
use crate::{Plan, say};

const TESTS: [&str; 5] = ["ping_mbulk", "get", "set", "mset", "incr"];
const PIPELINES: [usize; 3] = [1, 16, 64];

/// Every command at every pipeline depth, on every server in turn on the first core.
pub fn compare_on_one_core(plan: &Plan) -> io::Result<()> {
    let candidates = rounds::on_one_core(plan)?;
    let workloads: Vec<Workload> =
        PIPELINES.iter().flat_map(|&pipeline| TESTS.map(|test| Workload { test, pipeline })).collect();
    let costs = measure(plan, &candidates, &workloads)?;
    say("## CPU per request and throughput, one core, 50 clients, 64 B values, 100,000 random keys\n")?;
    let mut header = vec!["command".to_owned(), "pipeline".to_owned()];
    for (index, (candidate, _)) in candidates.iter().enumerate() {
        header.extend([format!("{} us", candidate.name), "req/s".to_owned()]);
        if index > 0 && plan.tessera.is_some() {
            header.push(format!("CPU, Tessera / {}", candidate.name));
        }
    }
    let mut table = Table::new(header);
    for (position, workload) in workloads.iter().enumerate() {
        let mut row = vec![workload.command(), workload.pipeline.to_string()];
        for index in 0..candidates.len() {
            row.extend(figures(&costs, index, position));
            if index > 0 && plan.tessera.is_some() {
                row.push(format!("{:.2}", costs.ratio(0, index, position).0));
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
    let candidates: io::Result<Vec<_>> =
        [1, 2].into_iter().map(|shards| Ok((tessera.with_shards(shards), Cores::of_several(shards, 2)?))).collect();
    let costs = measure(plan, &candidates?, &workloads)?;
    say("## Two shards against one, random keys, CPU of all cores together\n")?;
    let header = ["command", "pipeline", "1 shard us", "req/s", "2 shards us", "req/s", "CPU, 2 shards / 1"];
    let mut table = Table::new(header.map(str::to_owned).to_vec());
    for (position, workload) in workloads.iter().enumerate() {
        let mut row = vec![workload.command(), workload.pipeline.to_string()];
        (0..2).for_each(|index| row.extend(figures(&costs, index, position)));
        row.push(format!("{:.2}", costs.ratio(1, 0, position).0));
        table.row(row);
    }
    say(&table.to_string())
}

fn measure(plan: &Plan, candidates: &[(Candidate, Cores)], workloads: &[Workload]) -> io::Result<Costs> {
    Costs::measure(plan, candidates, workloads.len(), requests::fill, |server, cores, (), position| {
        workloads[position].run(server, cores, plan.quick)
    })
}

fn figures(costs: &Costs, server: usize, workload: usize) -> [String; 2] {
    [format!("{:.2}", costs.cpu_us(server, workload)), format!("{:.0}", costs.throughput(server, workload))]
}
