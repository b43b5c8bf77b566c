//! ZRANGESTORE: a range becomes a sorted set of its own.

use net::{Args, Reply};
use storage::types::zset::{ZSet, ZSetLimits, ZSetRef};

use super::super::result::store;
use super::super::score::member_text;
use super::{LIMIT, Query, REV, SORT_BY, Syntax};
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]
pub const ZRANGESTORE: Command = Command {
    name: "zrangestore",
    arity: Arity::AtLeast(5),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ow, KeyFlag::Update]), KeySpec::one(2, &[KeyFlag::Ro, KeyFlag::Access])],
    docs: Docs {
        summary: "Stores a range of members of a sorted set at another key.",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) where N is the number of members in the sorted set and M the number of those stored",
        arguments: &[
            Argument::key("dst"),
            Argument::new("src", ArgumentKind::Key(1)),
            Argument::new("min", ArgumentKind::String),
            Argument::new("max", ArgumentKind::String),
            SORT_BY,
            REV,
            LIMIT,
        ],
        ..Docs::BLANK
    },
    run: Run::Keys(zrangestore),
    ..Command::BLANK
};

fn zrangestore(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let query = Query::parse(args, Syntax { source: 2, by: None, reverse: None, scores: false })?;
    let limits = ctx.shard.limits.zset;
    let set = ctx.read_as::<ZSet>(args.at(2))?;
    let result = set.map(|set| copy_range(set, &query, &limits)).unwrap_or_default();
    reply.integer(store(ctx, args.at(1), result, "zrangestore") as i64);
    Ok(())
}

fn copy_range(set: ZSetRef<'_>, query: &Query<'_>, limits: &ZSetLimits) -> ZSet {
    let records = set.range(query.ranks(set));
    ZSet::from_sorted(records.map(|record| (member_text(record.member), record.score)), limits)
}
