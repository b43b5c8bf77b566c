//! SLOWLOG: the commands that took longer than `slowlog-log-slower-than`.
//!
//! Every core keeps the slow commands of its own clients, at most `slowlog-max-len` of them. Numbers come from one count, so
//! the newest of all cores are those with the highest numbers.

use net::{Args, Reply};
use storage::number::parse_i64;

use super::{ok, shares_of, unchecked};
use crate::commands::help;
use crate::core::{Core, SessionCtx, SlowEntry};
use crate::exec::error::wrong_subcommand_arity;
use crate::exec::{CommandError, EverywhereCall, Outcome, Run, Share};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group};

const BAD_COUNT: CommandError = CommandError::new("ERR count should be greater than or equal to -1");

/// Entries that GET answers unless it is told a number.
const ENTRIES_DEFAULT: usize = 10;

const FLAGS: Flags = Flags::of(&[Flag::Admin, Flag::Loading, Flag::Stale]);

/// SLOWLOG subcommand
pub const SLOWLOG: Command = Command {
    name: "slowlog",
    arity: Arity::AtLeast(2),
    docs: Docs {
        summary: "Commands about the slow log.",
        since: "2.2.12",
        group: Group::Server,
        complexity: "Depends on subcommand.",
        ..Docs::BLANK
    },
    subcommands: &[GET, LEN, RESET, help::command(Group::Server, "6.2.0")],
    run: Run::Container,
    ..Command::BLANK
};

const GET: Command = Command {
    name: "get",
    arity: Arity::AtLeast(2),
    flags: FLAGS,
    tips: &["request_policy:all_nodes", "nondeterministic_output"],
    docs: Docs {
        summary: "Answers the newest entries of the slow log: number, time, microseconds, arguments, address, name.",
        since: "2.2.12",
        group: Group::Server,
        complexity: "O(N) where N is the number of entries returned",
        history: &[("4.0.0", "Tells the client's address and name.")],
        arguments: &[Argument::new("count", ArgumentKind::Integer).optional()],
        ..Docs::BLANK
    },
    run: Run::Everywhere { check, share, merge },
    ..Command::BLANK
};

/// How many entries are asked for.
fn wanted(args: &Args<'_>) -> Result<usize, CommandError> {
    if args.len() > 3 {
        return Err(wrong_subcommand_arity(args.at(1), "slowlog"));
    }
    match args.get(2).map(parse_i64) {
        None => Ok(ENTRIES_DEFAULT),
        Some(Some(-1)) => Ok(usize::MAX),
        Some(Some(count)) if count >= 0 => Ok(count as usize),
        Some(_) => Err(BAD_COUNT),
    }
}

fn check(_: &mut SessionCtx<'_>, args: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    wanted(args).map(drop)
}

fn share(core: &mut Core, call: &EverywhereCall<'_>) -> Share {
    let count = wanted(&call.args).expect("the arguments were checked before they were sent");
    let entries: Vec<SlowEntry> = core.slowlog.iter().take(count).cloned().collect();
    Box::new(entries)
}

fn merge(ctx: &mut SessionCtx<'_>, args: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let kept = ctx.config().slowlog_max_len as usize;
    let mut entries: Vec<SlowEntry> = shares_of::<Vec<SlowEntry>>(shares).flatten().collect();
    entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.id));
    entries.truncate(wanted(args)?.min(kept));
    reply.array(entries.len());
    for entry in entries {
        reply.array(6);
        reply.integer(entry.id as i64);
        reply.integer(entry.at.0 / 1000);
        reply.integer(entry.micros as i64);
        reply.array(entry.args.len());
        entry.args.iter().for_each(|arg| reply.bulk(arg));
        reply.bulk(entry.address.as_bytes());
        reply.bulk(&entry.name);
    }
    Ok(())
}

const LEN: Command = Command {
    name: "len",
    arity: Arity::Exactly(2),
    flags: FLAGS,
    tips: &["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
    docs: Docs {
        summary: "Answers how many entries the slow log has.",
        since: "2.2.12",
        group: Group::Server,
        ..Docs::BLANK
    },
    run: Run::Everywhere { check: unchecked, share: |core, _| Box::new(core.slowlog.len()), merge: merge_len },
    ..Command::BLANK
};

fn merge_len(ctx: &mut SessionCtx<'_>, _: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let all: usize = shares_of::<usize>(shares).sum();
    reply.integer(all.min(ctx.config().slowlog_max_len as usize) as i64);
    Ok(())
}

const RESET: Command = Command {
    name: "reset",
    arity: Arity::Exactly(2),
    flags: FLAGS,
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    docs: Docs {
        summary: "Empties the slow log.",
        since: "2.2.12",
        group: Group::Server,
        complexity: "O(N) where N is the number of entries in the slow log",
        ..Docs::BLANK
    },
    run: Run::Everywhere { check: unchecked, share: reset, merge: ok },
    ..Command::BLANK
};

fn reset(core: &mut Core, _: &EverywhereCall<'_>) -> Share {
    core.slowlog.clear();
    Box::new(())
}
