//! The commands that ZRANGE replaces: each fixes what the range is of, and the direction.

use net::{Args, Reply};

use super::super::READ_KEY;
use super::{By, LIMIT, Syntax, WITHSCORES, write_range};
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group};

/// What all of them cost.
const COMPLEXITY: &str =
    "O(log(N)+M) where N is the number of members in the sorted set and M the number of those returned";

const MIN_SCORE: Argument = Argument::new("min", ArgumentKind::Double);
const MAX_SCORE: Argument = Argument::new("max", ArgumentKind::Double);
const MIN_MEMBER: Argument = Argument::new("min", ArgumentKind::String);
const MAX_MEMBER: Argument = Argument::new("max", ArgumentKind::String);

/// ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]
pub const ZRANGEBYSCORE: Command = Command {
    name: "zrangebyscore",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Readonly]),
    keys: READ_KEY,
    docs: Docs {
        summary: "Returns members of a sorted set within a range of scores.",
        since: "1.0.5",
        group: Group::SortedSet,
        complexity: COMPLEXITY,
        deprecated: Some(("6.2.0", "`ZRANGE` with the `BYSCORE` argument")),
        history: &[("2.0.0", "Option `WITHSCORES`.")],
        arguments: &[Argument::key("key"), MIN_SCORE, MAX_SCORE, WITHSCORES.since("2.0.0"), LIMIT],
        ..Docs::BLANK
    },
    run: Run::Shard(zrangebyscore),
    ..Command::BLANK
};

/// ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]
pub const ZREVRANGEBYSCORE: Command = Command {
    name: "zrevrangebyscore",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Readonly]),
    keys: READ_KEY,
    docs: Docs {
        summary: "Returns members of a sorted set within a range of scores, the highest first.",
        since: "2.2.0",
        group: Group::SortedSet,
        complexity: COMPLEXITY,
        deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` and `BYSCORE` arguments")),
        history: &[("2.1.6", "`min` and `max` can be exclusive.")],
        arguments: &[Argument::key("key"), MAX_SCORE, MIN_SCORE, WITHSCORES, LIMIT],
        ..Docs::BLANK
    },
    run: Run::Shard(zrevrangebyscore),
    ..Command::BLANK
};

/// ZRANGEBYLEX key min max [LIMIT offset count]
pub const ZRANGEBYLEX: Command = Command {
    name: "zrangebylex",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Readonly]),
    keys: READ_KEY,
    docs: Docs {
        summary: "Returns a range of members of a sorted set whose scores are all equal.",
        since: "2.8.9",
        group: Group::SortedSet,
        complexity: COMPLEXITY,
        deprecated: Some(("6.2.0", "`ZRANGE` with the `BYLEX` argument")),
        arguments: &[Argument::key("key"), MIN_MEMBER, MAX_MEMBER, LIMIT],
        ..Docs::BLANK
    },
    run: Run::Shard(zrangebylex),
    ..Command::BLANK
};

/// ZREVRANGEBYLEX key max min [LIMIT offset count]
pub const ZREVRANGEBYLEX: Command = Command {
    name: "zrevrangebylex",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Readonly]),
    keys: READ_KEY,
    docs: Docs {
        summary: "Returns a range of members of a sorted set whose scores are all equal, the highest first.",
        since: "2.8.9",
        group: Group::SortedSet,
        complexity: COMPLEXITY,
        deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` and `BYLEX` arguments")),
        arguments: &[Argument::key("key"), MAX_MEMBER, MIN_MEMBER, LIMIT],
        ..Docs::BLANK
    },
    run: Run::Shard(zrevrangebylex),
    ..Command::BLANK
};

/// ZREVRANGE key start stop [WITHSCORES]
pub const ZREVRANGE: Command = Command {
    name: "zrevrange",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Readonly]),
    keys: READ_KEY,
    docs: Docs {
        summary: "Returns members of a sorted set within a range of ranks, the highest score first.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: COMPLEXITY,
        deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` argument")),
        arguments: &[
            Argument::key("key"),
            Argument::new("start", ArgumentKind::Integer),
            Argument::new("stop", ArgumentKind::Integer),
            WITHSCORES,
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(zrevrange),
    ..Command::BLANK
};

const fn fixed(by: By, reverse: bool) -> Syntax {
    Syntax { source: 1, by: Some(by), reverse: Some(reverse), scores: true }
}

fn zrangebyscore(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    write_range(ctx, args, fixed(By::Score, false), reply)
}

fn zrevrangebyscore(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    write_range(ctx, args, fixed(By::Score, true), reply)
}

fn zrangebylex(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    write_range(ctx, args, fixed(By::Member, false), reply)
}

fn zrevrangebylex(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    write_range(ctx, args, fixed(By::Member, true), reply)
}

fn zrevrange(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    write_range(ctx, args, fixed(By::Rank, true), reply)
}
