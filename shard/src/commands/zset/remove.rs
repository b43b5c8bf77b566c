//! Removing members, one by one and by ranges.

use std::ops::Range;

use net::{Args, Reply};
use storage::types::zset::{ZSet, ZSetRef};
use storage::{Discarded, OwnedValue};

use super::SHRINK_KEY;
use super::bound::{parse_members, parse_scores};
use super::range::rank_range;
use crate::commands::parse::parse_i64;
use crate::config::types::events::Events;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group};

/// ZREM key member [member ...]
pub const ZREM: Command = Command {
    name: "zrem",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: SHRINK_KEY,
    docs: Docs {
        summary: "Removes members from a sorted set.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(M*log(N)) where N is the number of members in the sorted set and M the number of those to remove",
        history: &[("2.4.0", "Several members at once.")],
        arguments: &[Argument::key("key"), Argument::new("member", ArgumentKind::String).multiple()],
        ..Docs::BLANK
    },
    run: Run::Shard(zrem),
    ..Command::BLANK
};

/// What removing a range costs.
const RANGE_COMPLEXITY: &str =
    "O(log(N)+M) where N is the number of members in the sorted set and M the number of those removed";

/// ZREMRANGEBYRANK key start stop
pub const ZREMRANGEBYRANK: Command = Command {
    name: "zremrangebyrank",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Write]),
    keys: SHRINK_KEY,
    docs: Docs {
        summary: "Removes the members of a range of ranks from a sorted set.",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: RANGE_COMPLEXITY,
        arguments: &[
            Argument::key("key"),
            Argument::new("start", ArgumentKind::Integer),
            Argument::new("stop", ArgumentKind::Integer),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(zremrangebyrank),
    ..Command::BLANK
};

/// ZREMRANGEBYSCORE key min max
pub const ZREMRANGEBYSCORE: Command = Command {
    name: "zremrangebyscore",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Write]),
    keys: SHRINK_KEY,
    docs: Docs {
        summary: "Removes the members of a range of scores from a sorted set.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: RANGE_COMPLEXITY,
        arguments: &[
            Argument::key("key"),
            Argument::new("min", ArgumentKind::Double),
            Argument::new("max", ArgumentKind::Double),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(zremrangebyscore),
    ..Command::BLANK
};

/// ZREMRANGEBYLEX key min max
pub const ZREMRANGEBYLEX: Command = Command {
    name: "zremrangebylex",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Write]),
    keys: SHRINK_KEY,
    docs: Docs {
        summary: "Removes a range of members from a sorted set whose scores are all equal.",
        since: "2.8.9",
        group: Group::SortedSet,
        complexity: RANGE_COMPLEXITY,
        arguments: &[
            Argument::key("key"),
            Argument::new("min", ArgumentKind::String),
            Argument::new("max", ArgumentKind::String),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(zremrangebylex),
    ..Command::BLANK
};

fn zrem(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let key = args.at(1);
    let remove = |set: &mut ZSet| args.from(2).filter(|member| set.remove(member).is_some()).count();
    let removed = ctx.edit(key, |set, _| remove(set))?.unwrap_or(0);
    tell_removed(ctx, key, removed, "zrem");
    reply.integer(removed as i64);
    Ok(())
}

fn zremrangebyrank(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (start, stop) = (parse_i64(args.at(2))?, parse_i64(args.at(3))?);
    let removed = remove_ranks(ctx, args.at(1), "zremrangebyrank", |set| rank_range(start, stop, set.len()))?;
    reply.integer(removed as i64);
    Ok(())
}

fn zremrangebyscore(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let range = parse_scores(args.at(2), args.at(3))?;
    let removed = remove_ranks(ctx, args.at(1), "zremrangebyscore", |set| set.score_ranks(range))?;
    reply.integer(removed as i64);
    Ok(())
}

fn zremrangebylex(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let range = parse_members(args.at(2), args.at(3))?;
    let removed = remove_ranks(ctx, args.at(1), "zremrangebylex", |set| set.member_ranks(range))?;
    reply.integer(removed as i64);
    Ok(())
}

fn remove_ranks(
    ctx: &mut Ctx<'_>,
    key: &[u8],
    event: &'static str,
    ranks_of: impl FnOnce(ZSetRef<'_>) -> Range<usize>,
) -> Result<usize, CommandError> {
    let removed = ctx.edit(key, |set: &mut ZSet, _| {
        let ranks = ranks_of(set.as_ref());
        let count = ranks.len();
        (count, if count > 0 { set.cut_ranks(ranks) } else { None })
    })?;
    let (removed, cut_off) = removed.unwrap_or((0, None));
    ctx.discard(cut_off.and_then(|set| Discarded::from_value(OwnedValue::SortedSet(set))));
    tell_removed(ctx, key, removed, event);
    Ok(removed)
}

/// Counts and tells that members were removed, and the key too if there are no more.
pub(super) fn tell_removed(ctx: &mut Ctx<'_>, key: &[u8], removed: usize, event: &'static str) {
    if removed > 0 {
        ctx.changed(removed);
        ctx.notify(Events::ZSET, event, key);
        if !ctx.exists(key) {
            ctx.notify(Events::GENERIC, "del", key);
        }
    }
}
