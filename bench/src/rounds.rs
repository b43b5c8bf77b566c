//! Rounds of measurements that several servers are put through side by side.
//!
//! How fast a shared machine is changes from minute to minute. So all servers of a round run at once, and each workload
//! goes to one after the other before the next workload begins: what is compared was measured within seconds. A server that
//! is not asked anything costs next to nothing.

use std::collections::HashMap;
use std::io;

use crate::Plan;
use crate::cpu::Cores;
use crate::requests::Cost;
use crate::server::{Candidate, Server};
use crate::table::median;

/// What was measured, by a server's position and a workload's.
pub struct Costs(HashMap<(usize, usize), Vec<Cost>>);

impl Costs {
    /// Every candidate, on its cores, through `workloads` of them, as often as the plan says. `prepare` is called for every
    /// server first; `run` puts one through one workload, with what `prepare` has left for it.
    pub fn measure<T>(
        plan: &Plan,
        candidates: &[(Candidate, Cores)],
        workloads: usize,
        prepare: impl Fn(&Server) -> io::Result<T>,
        run: impl Fn(&Server, &Cores, &T, usize) -> io::Result<Cost>,
    ) -> io::Result<Self> {
        let mut costs: HashMap<_, Vec<Cost>> = HashMap::new();
        for _ in 0..plan.rounds {
            let mut servers = Vec::new();
            for (port, (candidate, cores)) in (plan.port..).zip(candidates) {
                let server = candidate.start(port, &cores.server)?;
                let prepared = prepare(&server)?;
                servers.push((server, cores, prepared));
            }
            for workload in 0..workloads {
                for (index, (server, cores, prepared)) in servers.iter().enumerate() {
                    costs.entry((index, workload)).or_default().push(run(server, cores, prepared, workload)?);
                }
            }
        }
        Ok(Self(costs))
    }

    /// CPU per request, in microseconds: the median of the rounds.
    pub fn cpu_us(&self, server: usize, workload: usize) -> f64 {
        median(self.0[&(server, workload)].iter().map(|cost| cost.cpu_us).collect())
    }

    /// Requests a second: the median of the rounds.
    pub fn throughput(&self, server: usize, workload: usize) -> f64 {
        median(self.0[&(server, workload)].iter().map(|cost| cost.throughput).collect())
    }

    /// CPU per request of one server to that of another: the median of the rounds, and the worst of them.
    pub fn ratio(&self, ours: usize, theirs: usize, workload: usize) -> (f64, f64) {
        let pairs = self.0[&(ours, workload)].iter().zip(&self.0[&(theirs, workload)]);
        let ratios: Vec<f64> = pairs.map(|(ours, theirs)| ours.cpu_us / theirs.cpu_us).collect();
        let worst = ratios.iter().copied().fold(0.0, f64::max);
        (median(ratios), worst)
    }
}

/// All servers of the plan, each alone on one core.
pub fn on_one_core(plan: &Plan) -> io::Result<Vec<(Candidate, Cores)>> {
    plan.candidates().into_iter().map(|candidate| Ok((candidate, Cores::split(1)?))).collect()
}
