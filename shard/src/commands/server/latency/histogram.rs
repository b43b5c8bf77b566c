//! LATENCY HISTOGRAM: how long commands took, as cumulative counts.

use net::{Args, Reply};

use super::TIPS;
use crate::commands::server::{ADMIN, shares_of, unchecked};
use crate::core::{Core, SessionCtx};
use crate::exec::{EverywhereCall, Outcome, Run, Share};
use crate::spec::{Argument, ArgumentKind, Arity, Command, CommandId, CommandTable, Docs, Group};
use crate::stats::Histogram;

/// LATENCY HISTOGRAM \[command...\]
pub const HISTOGRAM: Command = Command {
    name: "histogram",
    arity: Arity::AtLeast(2),
    flags: ADMIN,
    tips: TIPS,
    docs: Docs {
        summary: "Answers how many calls of each command took no longer than so many microseconds.",
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of commands with latency information being retrieved.",
        arguments: &[Argument::new("command", ArgumentKind::String).optional().multiple()],
        ..Docs::BLANK
    },
    run: Run::Everywhere { check: unchecked, share, merge },
    ..Command::BLANK
};

/// The commands asked for: those named, and of one that has subcommands all of these. No name is all of them.
fn wanted(args: &Args<'_>) -> Vec<CommandId> {
    let table = CommandTable::global();
    if args.len() == 2 {
        return table.rows().iter().map(|row| row.id).collect();
    }
    let mut wanted = Vec::new();
    for row in args.from(2).filter_map(|name| table.find_full(name)) {
        let within = table.rows().iter().filter(|below| below.parent == Some(row.id));
        wanted.extend(std::iter::once(row.id).chain(within.map(|below| below.id)));
    }
    wanted
}

type Histograms = Vec<Option<Box<Histogram>>>;

fn share(core: &mut Core, call: &EverywhereCall<'_>) -> Share {
    let histograms: Histograms =
        wanted(&call.args).into_iter().map(|id| core.stats.commands[id.index()].latency.clone()).collect();
    Box::new(histograms)
}

fn merge(_: &mut SessionCtx<'_>, args: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let wanted = wanted(args);
    let mut all: Histograms = vec![None; wanted.len()];
    for share in shares_of::<Histograms>(shares) {
        for (sum, histogram) in all.iter_mut().zip(share) {
            if let Some(histogram) = histogram {
                sum.get_or_insert_default().add(&histogram);
            }
        }
    }
    let rows: Vec<_> = wanted.into_iter().zip(all).filter_map(|(id, sum)| Some((id, sum?))).collect();
    reply.map(rows.len());
    for (id, histogram) in rows {
        reply.bulk(CommandTable::global().row(id).full_name.as_bytes());
        reply.map(2);
        reply.bulk(b"calls");
        reply.integer(histogram.total() as i64);
        reply.bulk(b"histogram_usec");
        let buckets = histogram.cumulative_micros();
        reply.map(buckets.len());
        for (micros, calls) in buckets {
            reply.integer(micros as i64);
            reply.integer(calls as i64);
        }
    }
    Ok(())
}
