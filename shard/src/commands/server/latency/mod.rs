//! LATENCY: what held the server up.
//!
//! Two sources: the events that `latency-monitor-threshold` lets cores record (HISTORY, LATEST, GRAPH, DOCTOR, RESET), and
//! the latencies of commands that `latency-tracking` keeps (HISTOGRAM, in `histogram.rs`). A command that ran on another
//! shard than its client's counts where it ran.

mod doctor;
mod graph;
mod histogram;

use net::{Args, Reply};

use super::{ADMIN, shares_of, unchecked};
use crate::commands::help;
use crate::core::{Core, SessionCtx};
use crate::exec::{CommandError, EverywhereCall, Outcome, Run, Share};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Group};
use crate::stats::latency::{LatencyEvent, LatencyLog};

/// LATENCY subcommand
pub const LATENCY: Command = Command {
    name: "latency",
    arity: Arity::AtLeast(2),
    docs: Docs {
        summary: "Commands about latency.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "Depends on subcommand.",
        ..Docs::BLANK
    },
    subcommands: &[DOCTOR, GRAPH, histogram::HISTOGRAM, HISTORY, LATEST, RESET, help::command(Group::Server, "2.8.13")],
    run: Run::Container,
    ..Command::BLANK
};

const TIPS: &[&str] = &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"];

/// The subcommands that look at the events of all cores differ in what they make of them.
type Merge = fn(&mut SessionCtx<'_>, &Args<'_>, Vec<Share>, &mut Reply<'_>) -> Outcome;

const fn events(merge: Merge) -> Run {
    Run::Everywhere { check: unchecked, share: |core, _| Box::new(core.latency.clone()), merge }
}

fn merged(shares: Vec<Share>) -> LatencyLog {
    let mut all = LatencyLog::default();
    shares_of::<LatencyLog>(shares).for_each(|log| all.merge(&log));
    all
}

const fn looking(name: &'static str, summary: &'static str, merge: Merge) -> Command {
    Command {
        name,
        arity: Arity::Exactly(2),
        flags: ADMIN,
        tips: TIPS,
        docs: Docs { summary, since: "2.8.13", group: Group::Server, ..Docs::BLANK },
        run: events(merge),
        ..Command::BLANK
    }
}

const fn with_event(command: &Command) -> Command {
    const EVENT: &[Argument] = &[Argument::new("event", ArgumentKind::String)];
    let docs = Docs { arguments: EVENT, ..command.docs };
    Command { arity: Arity::Exactly(3), docs, ..*command }
}

const LATEST: Command = looking("latest", "Answers the last and the worst latency of every event.", latest);

fn latest(_: &mut SessionCtx<'_>, _: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let log = merged(shares);
    let series = LatencyEvent::ALL.map(|event| (event, log.of(event)));
    let last = series.iter().filter_map(|(event, series)| Some((event, series, series.samples().back()?)));
    let rows: Vec<_> = last.collect();
    reply.array(rows.len());
    for (event, series, sample) in rows {
        reply.array(4);
        reply.bulk(event.name().as_bytes());
        reply.integer(sample.second);
        reply.integer(sample.millis as i64);
        reply.integer(series.worst_millis() as i64);
    }
    Ok(())
}

const HISTORY: Command =
    with_event(&looking("history", "Answers the samples of an event: times and latencies.", history));

fn history(_: &mut SessionCtx<'_>, args: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let log = merged(shares);
    let samples = LatencyEvent::named(args.at(2)).map(|event| log.of(event).samples());
    reply.array(samples.map_or(0, std::collections::VecDeque::len));
    for sample in samples.into_iter().flatten() {
        reply.array(2);
        reply.integer(sample.second);
        reply.integer(sample.millis as i64);
    }
    Ok(())
}

const GRAPH: Command = with_event(&looking("graph", "Draws the samples of an event.", draw));

fn draw(ctx: &mut SessionCtx<'_>, args: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let log = merged(shares);
    let event = LatencyEvent::named(args.at(2)).filter(|event| !log.of(*event).is_empty());
    let Some(event) = event else {
        return Err(CommandError::bytes([b"ERR No samples available for event '", args.at(2), b"'"].concat()));
    };
    let text = graph::draw(event.name(), log.of(event), ctx.now().0 / 1000);
    reply.verbatim("txt", text.as_bytes());
    Ok(())
}

const DOCTOR: Command = looking("doctor", "Explains what was slow, and what can be done about it.", explain);

fn explain(ctx: &mut SessionCtx<'_>, _: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    reply.verbatim("txt", doctor::report(&merged(shares), &ctx.config()).as_bytes());
    Ok(())
}

const RESET: Command = Command {
    name: "reset",
    arity: Arity::AtLeast(2),
    flags: ADMIN,
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    docs: Docs {
        summary: "Forgets the samples of the events named, or of all.",
        since: "2.8.13",
        group: Group::Server,
        arguments: &[Argument::new("event", ArgumentKind::String).optional().multiple()],
        ..Docs::BLANK
    },
    run: Run::Everywhere { check: unchecked, share: reset, merge: merge_reset },
    ..Command::BLANK
};

/// Which of the events it had samples of: an event that two cores had seen is still one.
type Had = [bool; LatencyEvent::ALL.len()];

fn reset(core: &mut Core, call: &EverywhereCall<'_>) -> Share {
    let all = call.args.len() == 2;
    let is_named = |event: LatencyEvent| call.args.from(2).any(|name| LatencyEvent::named(name) == Some(event));
    let had: Had = LatencyEvent::ALL.map(|event| (all || is_named(event)) && core.latency.reset(event));
    Box::new(had)
}

fn merge_reset(_: &mut SessionCtx<'_>, _: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let shares: Vec<Had> = shares_of(shares).collect();
    let forgotten = (0..LatencyEvent::ALL.len()).filter(|&event| shares.iter().any(|had| had[event]));
    reply.integer(forgotten.count() as i64);
    Ok(())
}

#[cfg(test)]
mod tests;
