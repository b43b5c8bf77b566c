//! PUBSUB: what is subscribed to. Every core tells of its own clients, all at one point.

use std::collections::BTreeSet;
use std::sync::Arc;

use net::{Args, Reply};
use storage::glob::{Case, glob_match};

use crate::commands::help;
use crate::core::{Core, SessionCtx};
use crate::exec::error::wrong_subcommand_arity;
use crate::exec::{EverywhereCall, Outcome, Run, Share};
use crate::pubsub::Kind;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group};

const FLAGS: Flags = Flags::of(&[Flag::Pubsub, Flag::Loading, Flag::Stale]);

/// PUBSUB subcommand
pub const PUBSUB: Command = Command {
    name: "pubsub",
    arity: Arity::AtLeast(2),
    docs: Docs {
        summary: "Commands that tell of subscriptions.",
        since: "2.8.0",
        group: Group::Pubsub,
        complexity: "Depends on subcommand.",
        ..Docs::BLANK
    },
    subcommands: &[CHANNELS, NUMPAT, NUMSUB, SHARDCHANNELS, SHARDNUMSUB, help::command(Group::Pubsub, "6.2.0")],
    run: Run::Container,
    ..Command::BLANK
};

/// What all of them have in common.
const fn subcommand(name: &'static str, arity: Arity, docs: Docs, run: Run) -> Command {
    Command { name, arity, flags: FLAGS, docs: Docs { group: Group::Pubsub, ..docs }, run, ..Command::BLANK }
}

const CHANNELS: Command = subcommand(
    "channels",
    Arity::AtLeast(2),
    Docs {
        summary: "Lists the channels that have subscribers: all, or those that match the pattern.",
        since: "2.8.0",
        complexity: "O(N) where N is the number of channels that have subscribers",
        arguments: &[Argument::new("pattern", ArgumentKind::Pattern).optional()],
        ..Docs::BLANK
    },
    Run::Everywhere { check: check_list, share: |core, call| list(core, call, Kind::Channel), merge: merge_list },
);

const SHARDCHANNELS: Command = subcommand(
    "shardchannels",
    Arity::AtLeast(2),
    Docs {
        summary: "Lists the shard channels that have subscribers: all, or those that match the pattern.",
        since: "7.0.0",
        complexity: "O(N) where N is the number of shard channels that have subscribers",
        arguments: &[Argument::new("pattern", ArgumentKind::Pattern).optional()],
        ..Docs::BLANK
    },
    Run::Everywhere { check: check_list, share: |core, call| list(core, call, Kind::ShardChannel), merge: merge_list },
);

const NUMPAT: Command = subcommand(
    "numpat",
    Arity::Exactly(2),
    Docs {
        summary: "Counts the patterns that clients have subscribed to; one that several clients have counts once.",
        since: "2.8.0",
        complexity: "O(N) where N is the number of patterns",
        ..Docs::BLANK
    },
    Run::Everywhere {
        check: |_, _, _| Ok(()),
        share: |core, call| list(core, call, Kind::Pattern),
        merge: |_, _, shares, reply| {
            reply.integer(joined(shares).len() as i64);
            Ok(())
        },
    },
);

const NUMSUB: Command = subcommand(
    "numsub",
    Arity::AtLeast(2),
    Docs {
        summary: "Counts the subscribers of each of the channels; patterns do not count.",
        since: "2.8.0",
        complexity: "O(N) where N is the number of channels asked for",
        arguments: &[Argument::new("channel", ArgumentKind::String).multiple().optional()],
        ..Docs::BLANK
    },
    Run::Everywhere {
        check: |_, _, _| Ok(()),
        share: |core, call| count(core, call, Kind::Channel),
        merge: merge_counts,
    },
);

const SHARDNUMSUB: Command = subcommand(
    "shardnumsub",
    Arity::AtLeast(2),
    Docs {
        summary: "Counts the subscribers of each of the shard channels.",
        since: "7.0.0",
        complexity: "O(N) where N is the number of shard channels asked for",
        arguments: &[Argument::new("shardchannel", ArgumentKind::String).multiple().optional()],
        ..Docs::BLANK
    },
    Run::Everywhere {
        check: |_, _, _| Ok(()),
        share: |core, call| count(core, call, Kind::ShardChannel),
        merge: merge_counts,
    },
);

fn check_list(_: &mut SessionCtx<'_>, args: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    if args.len() > 3 { Err(wrong_subcommand_arity(args.at(1), "pubsub")) } else { Ok(()) }
}

type Names = Vec<Arc<[u8]>>;

/// The names that have subscribers on this core, as far as they match.
fn list(core: &mut Core, call: &EverywhereCall<'_>, kind: Kind) -> Share {
    let pattern = call.args.get(2);
    let matches = |name: &[u8]| pattern.is_none_or(|pattern| glob_match(pattern, name, Case::Sensitive));
    let names = core.subscribers.names(kind).map(|(name, _)| name);
    Box::new(names.filter(|name| matches(name)).cloned().collect::<Names>())
}

fn joined(shares: Vec<Share>) -> BTreeSet<Arc<[u8]>> {
    shares.into_iter().flat_map(|share| *share.downcast::<Names>().expect("each core answers with names")).collect()
}

fn merge_list(_: &mut SessionCtx<'_>, _: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let names = joined(shares);
    reply.array(names.len());
    for name in &names {
        reply.bulk(name);
    }
    Ok(())
}

type Counts = Vec<usize>;

fn count(core: &mut Core, call: &EverywhereCall<'_>, kind: Kind) -> Share {
    Box::new(call.args.from(2).map(|name| core.subscribers.count(kind, name)).collect::<Counts>())
}

fn merge_counts(_: &mut SessionCtx<'_>, args: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let mut sums = vec![0; args.len() - 2];
    for share in shares {
        let counts = share.downcast::<Counts>().expect("each core answers with counts");
        sums.iter_mut().zip(*counts).for_each(|(sum, count)| *sum += count);
    }
    reply.array(2 * sums.len());
    for (name, sum) in args.from(2).zip(sums) {
        reply.bulk(name);
        reply.integer(sum as i64);
    }
    Ok(())
}
