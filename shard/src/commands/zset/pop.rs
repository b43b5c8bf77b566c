//! Taking members from an end: ZPOPMIN, ZPOPMAX, ZMPOP.

use net::{Args, Reply};
use storage::types::zset::{Record, ZSet};

use super::remove::tell_removed;
use super::score::{write_member, write_score, write_scored};
use crate::commands::parse::{is_word, parse_i64};
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Begin, Command, Docs, Find, Flag, Flags, Group, KeyFlag, KeySpec};

/// What popping does with a key.
pub(super) const POP: &[KeyFlag] = &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete];

/// The arguments of ZPOPMIN and ZPOPMAX.
const POP_ARGUMENTS: &[Argument] = &[Argument::key("key"), Argument::new("count", ArgumentKind::Integer).optional()];

/// What popping costs.
const POP_COMPLEXITY: &str =
    "O(log(N)*M) where N is the number of members in the sorted set and M the number of those removed";

/// ZPOPMIN key [count]
pub const ZPOPMIN: Command = Command {
    name: "zpopmin",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: &[KeySpec::one(1, POP)],
    docs: Docs {
        summary: "Removes and returns the members with the lowest scores.",
        since: "5.0.0",
        group: Group::SortedSet,
        complexity: POP_COMPLEXITY,
        arguments: POP_ARGUMENTS,
        ..Docs::BLANK
    },
    run: Run::Shard(zpopmin),
    ..Command::BLANK
};

/// ZPOPMAX key [count]
pub const ZPOPMAX: Command = Command {
    name: "zpopmax",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: &[KeySpec::one(1, POP)],
    docs: Docs {
        summary: "Removes and returns the members with the highest scores.",
        since: "5.0.0",
        group: Group::SortedSet,
        complexity: POP_COMPLEXITY,
        arguments: POP_ARGUMENTS,
        ..Docs::BLANK
    },
    run: Run::Shard(zpopmax),
    ..Command::BLANK
};

/// ZMPOP numkeys key [key ...] MIN | MAX [COUNT count]
pub const ZMPOP: Command = Command {
    name: "zmpop",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Write, Flag::Movablekeys]),
    keys: &[KeySpec { flags: POP, begin: Begin::Index(1), find: Find::Keynum { at: 0, first: 1, step: 1 }, notes: "" }],
    docs: Docs {
        summary: "Removes and returns members from an end of the first sorted set that is there.",
        since: "7.0.0",
        group: Group::SortedSet,
        complexity: MPOP_COMPLEXITY,
        arguments: &[Argument::new("numkeys", ArgumentKind::Integer), Argument::key("key").multiple(), WHERE, COUNT],
        ..Docs::BLANK
    },
    run: Run::Keys(zmpop),
    ..Command::BLANK
};

/// What popping from the first of several costs.
pub(super) const MPOP_COMPLEXITY: &str = "O(K) + O(M*log(N)) where K is the number of keys, N the number of members in \
                                          the sorted set, and M the number of those removed";
pub(super) const WHERE: Argument =
    Argument::new("where", ArgumentKind::OneOf(&[Argument::word("min", "MIN"), Argument::word("max", "MAX")]));
pub(super) const COUNT: Argument = Argument::new("count", ArgumentKind::Integer).after("COUNT").optional();

/// The number of members to pop is negative, or none.
const NOT_POSITIVE: CommandError = CommandError::new("ERR value is out of range, must be positive");
/// ZMPOP of no keys.
const NO_KEYS: CommandError = CommandError::new("ERR numkeys should be greater than 0");
/// ZMPOP of no members.
const NO_COUNT: CommandError = CommandError::new("ERR count should be greater than 0");

/// An end of a sorted set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Where the scores are lowest.
    Min,
    /// Where they are highest.
    Max,
}

/// How popped members are replied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Members and scores by turns.
    Flat,
    /// Pairs.
    Pairs,
    /// The key, and pairs.
    KeyAndPairs,
    /// The key, and the one member with its score.
    KeyAndOne,
}

fn zpopmin(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    pop_one_key(ctx, args, End::Min, reply)
}

fn zpopmax(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    pop_one_key(ctx, args, End::Max, reply)
}

fn pop_one_key(ctx: &mut Ctx<'_>, args: &Args<'_>, end: End, reply: &mut Reply<'_>) -> Outcome {
    if args.len() > 3 {
        return Err(SYNTAX);
    }
    let count = match args.get(2) {
        None => None,
        Some(count) => {
            let count = parse_i64(count).ok().and_then(|count| usize::try_from(count).ok());
            Some(count.ok_or(NOT_POSITIVE)?)
        }
    };
    let form = if reply.is_resp3() && count.is_some() { Form::Pairs } else { Form::Flat };
    let count = count.unwrap_or(1);
    if ctx.peek_as::<ZSet>(args.at(1))?.is_none() || count == 0 {
        reply.array(0);
        return Ok(());
    }
    pop(ctx, args.at(1), Pop { end, count }, form, reply)
}

/// What is popped.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pop {
    /// From where.
    pub(super) end: End,
    /// How many, if there are so many.
    pub(super) count: usize,
}

/// Pops from the sorted set at `key`, which is there, and replies.
pub(super) fn pop(ctx: &mut Ctx<'_>, key: &[u8], pop: Pop, form: Form, reply: &mut Reply<'_>) -> Outcome {
    match form {
        Form::Flat | Form::Pairs => {}
        Form::KeyAndPairs => {
            reply.array(2);
            reply.bulk(key);
        }
        Form::KeyAndOne => {
            reply.array(3);
            reply.bulk(key);
        }
    }
    let popped = ctx.edit(key, |set: &mut ZSet, _| take(set, pop, form, reply))?;
    let event = match pop.end {
        End::Min => "zpopmin",
        End::Max => "zpopmax",
    };
    tell_removed(ctx, key, popped.unwrap_or(0), event);
    let name = match pop.end {
        End::Min => "ZPOPMIN",
        End::Max => "ZPOPMAX",
    };
    match form {
        Form::Flat | Form::Pairs => {}
        Form::KeyAndPairs => ctx.effect(key, &[name.into(), key.into(), (pop.count as i64).into()]),
        Form::KeyAndOne => ctx.effect(key, &[name.into(), key.into()]),
    }
    Ok(())
}

/// Replies the records, then removes them.
fn take(set: &mut ZSet, pop: Pop, form: Form, reply: &mut Reply<'_>) -> usize {
    let len = set.as_ref().len();
    let count = pop.count.min(len);
    let ranks = match pop.end {
        End::Min => 0..count,
        End::Max => len - count..len,
    };
    let records = set.as_ref().range(ranks.clone());
    match (pop.end, form) {
        (End::Min, Form::KeyAndOne) => records.for_each(|record| write_one(record, reply)),
        (End::Max, Form::KeyAndOne) => records.rev().for_each(|record| write_one(record, reply)),
        (End::Min, _) => write_scored(records, form != Form::Flat, reply),
        (End::Max, _) => write_scored(records.rev(), form != Form::Flat, reply),
    }
    set.remove_ranks(ranks, |_| {});
    count
}

fn write_one(record: Record<'_>, reply: &mut Reply<'_>) {
    write_member(record, reply);
    write_score(record.score, reply);
}

/// `numkeys key [key ...] MIN | MAX [COUNT count]`: what ZMPOP and BZMPOP have in common.
pub(super) struct ManyKeys<'a> {
    /// The keys, in the order in which they are looked at.
    pub(super) keys: Vec<&'a [u8]>,
    /// What is popped from the first that is there.
    pub(super) pop: Pop,
}

impl<'a> ManyKeys<'a> {
    /// Reads it from what stands behind the command's name and its timeout.
    pub(super) fn parse(args: &Args<'a>) -> Result<ManyKeys<'a>, CommandError> {
        let positive = |arg: &[u8], error| {
            parse_i64(arg).ok().and_then(|n| usize::try_from(n).ok()).filter(|&n| n > 0).ok_or(error)
        };
        let keys = positive(args.at(0), NO_KEYS)?;
        let end = match keys.checked_add(1).and_then(|place| args.get(place)).ok_or(SYNTAX)? {
            word if is_word(word, "MIN") => End::Min,
            word if is_word(word, "MAX") => End::Max,
            _ => return Err(SYNTAX),
        };
        let mut count = None;
        let mut options = args.from(keys + 2);
        while let Some(word) = options.next() {
            match options.next() {
                Some(number) if count.is_none() && is_word(word, "COUNT") => {
                    count = Some(positive(number, NO_COUNT)?);
                }
                _ => return Err(SYNTAX),
            }
        }
        Ok(ManyKeys { keys: args.from(1).take(keys).collect(), pop: Pop { end, count: count.unwrap_or(1) } })
    }
}

fn zmpop(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let ManyKeys { keys, pop: what } = ManyKeys::parse(&args.skip(1))?;
    for key in keys {
        if ctx.peek_as::<ZSet>(key)?.is_some() {
            return pop(ctx, key, what, Form::KeyAndPairs, reply);
        }
    }
    reply.null_array();
    Ok(())
}
