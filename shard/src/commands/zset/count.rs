//! Counting the members of a range.

use net::{Args, Reply};
use storage::types::zset::ZSet;

use super::READ_KEY;
use super::bound::{parse_members, parse_scores};
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group};

/// ZCOUNT key min max
pub const ZCOUNT: Command = Command {
    name: "zcount",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    keys: READ_KEY,
    docs: Docs {
        summary: "Returns how many members of a sorted set have a score within a range.",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) where N is the number of members in the sorted set",
        arguments: &[
            Argument::key("key"),
            Argument::new("min", ArgumentKind::Double),
            Argument::new("max", ArgumentKind::Double),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(zcount),
    ..Command::BLANK
};

/// ZLEXCOUNT key min max
pub const ZLEXCOUNT: Command = Command {
    name: "zlexcount",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    keys: READ_KEY,
    docs: Docs {
        summary: "Returns how many members are within a range, in a sorted set whose scores are all equal.",
        since: "2.8.9",
        group: Group::SortedSet,
        complexity: "O(log(N)) where N is the number of members in the sorted set",
        arguments: &[
            Argument::key("key"),
            Argument::new("min", ArgumentKind::String),
            Argument::new("max", ArgumentKind::String),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(zlexcount),
    ..Command::BLANK
};

fn zcount(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let range = parse_scores(args.at(2), args.at(3))?;
    let set = ctx.read_as::<ZSet>(args.at(1))?;
    reply.integer(set.map_or(0, |set| set.score_ranks(range).len() as i64));
    Ok(())
}

fn zlexcount(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let range = parse_members(args.at(2), args.at(3))?;
    let set = ctx.read_as::<ZSet>(args.at(1))?;
    reply.integer(set.map_or(0, |set| set.member_ranks(range).len() as i64));
    Ok(())
}
