//! Combining sorted sets and sets: unions, intersections, differences.
//!
//! ```text
//! ZUNION               numkeys key [key ...] [WEIGHTS w [w ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]
//! ZUNIONSTORE     dest numkeys key [key ...] [WEIGHTS w [w ...]] [AGGREGATE SUM | MIN | MAX]
//! ZINTERCARD           numkeys key [key ...] [LIMIT limit]
//! ```
//!
//! ZINTER and ZINTERSTORE are as ZUNION and ZUNIONSTORE; ZDIFF and ZDIFFSTORE have neither weights nor aggregates.
//!
//! A [`request::Request`] is what the arguments ask for, a [`sources::Source`] is a sorted set or a set at one of the keys,
//! and `algorithm.rs` makes records of them, which borrow from the sources until they are replied or stored.

mod algorithm;
mod request;
mod sources;

use net::{Args, Reply};
use storage::types::zset::ZSet;

use super::result::store;
use super::score::write_score;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Begin, Command, Docs, Find, Flag, Flags, Group, KeyFlag, KeySpec};

use algorithm::Combined;
use request::{Operation, Request};

const DESTINATION: KeySpec = KeySpec::one(1, &[KeyFlag::Ow, KeyFlag::Update]);

/// The sources behind their number at `index`.
const fn counted_sources(index: u16) -> KeySpec {
    KeySpec {
        flags: &[KeyFlag::Ro, KeyFlag::Access],
        begin: Begin::Index(index),
        find: Find::Keynum { at: 0, first: 1, step: 1 },
        notes: "",
    }
}

const READ: Flags = Flags::of(&[Flag::Readonly, Flag::Movablekeys]);
const WRITE: Flags = Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Movablekeys]);

const NUMKEYS: Argument = Argument::new("numkeys", ArgumentKind::Integer);
const KEYS: Argument = Argument::key("key").multiple();
const SOURCES: Argument = Argument::new("key", ArgumentKind::Key(1)).multiple();
const WEIGHTS: Argument = Argument::new("weight", ArgumentKind::Integer).after("WEIGHTS").optional().multiple();
const AGGREGATE: Argument = Argument::new(
    "aggregate",
    ArgumentKind::OneOf(&[Argument::word("sum", "SUM"), Argument::word("min", "MIN"), Argument::word("max", "MAX")]),
)
.after("AGGREGATE")
.optional();
const WITHSCORES: Argument = Argument::word("withscores", "WITHSCORES").optional();

const UNION_COMPLEXITY: &str = "O(N)+O(M*log(M)) where N is the number of members in all sources together, and M that in \
                                the result";
const INTER_COMPLEXITY: &str = "O(N*K)+O(M*log(M)) at worst, where N is the number of members in the smallest source, K \
                                that of sources, and M that of members in the result";
const DIFF_COMPLEXITY: &str = "O(N*K)+O(M*log(M)) at worst, where N is the number of members in the first source, K that \
                               of sources, and M that of members in the result";

/// ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]
pub const ZUNION: Command = Command {
    name: "zunion",
    arity: Arity::AtLeast(3),
    flags: READ,
    keys: &[counted_sources(1)],
    docs: Docs {
        summary: "Returns the union of sorted sets.",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: UNION_COMPLEXITY,
        arguments: &[NUMKEYS, KEYS, WEIGHTS, AGGREGATE, WITHSCORES],
        ..Docs::BLANK
    },
    run: Run::Keys(zunion),
    ..Command::BLANK
};

/// ZINTER numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]
pub const ZINTER: Command = Command {
    name: "zinter",
    arity: Arity::AtLeast(3),
    flags: READ,
    keys: &[counted_sources(1)],
    docs: Docs {
        summary: "Returns the intersection of sorted sets.",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: INTER_COMPLEXITY,
        arguments: &[NUMKEYS, KEYS, WEIGHTS, AGGREGATE, WITHSCORES],
        ..Docs::BLANK
    },
    run: Run::Keys(zinter),
    ..Command::BLANK
};

/// ZDIFF numkeys key [key ...] [WITHSCORES]
pub const ZDIFF: Command = Command {
    name: "zdiff",
    arity: Arity::AtLeast(3),
    flags: READ,
    keys: &[counted_sources(1)],
    docs: Docs {
        summary: "Returns what is in the first sorted set and in none of the others.",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: DIFF_COMPLEXITY,
        arguments: &[NUMKEYS, KEYS, WITHSCORES],
        ..Docs::BLANK
    },
    run: Run::Keys(zdiff),
    ..Command::BLANK
};

/// ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]
pub const ZUNIONSTORE: Command = Command {
    name: "zunionstore",
    arity: Arity::AtLeast(4),
    flags: WRITE,
    keys: &[DESTINATION, counted_sources(2)],
    docs: Docs {
        summary: "Stores the union of sorted sets at a key.",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: UNION_COMPLEXITY,
        arguments: &[Argument::key("destination"), NUMKEYS, SOURCES, WEIGHTS, AGGREGATE],
        ..Docs::BLANK
    },
    run: Run::Keys(zunionstore),
    ..Command::BLANK
};

/// ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]
pub const ZINTERSTORE: Command = Command {
    name: "zinterstore",
    arity: Arity::AtLeast(4),
    flags: WRITE,
    keys: &[DESTINATION, counted_sources(2)],
    docs: Docs {
        summary: "Stores the intersection of sorted sets at a key.",
        since: "2.0.0",
        group: Group::SortedSet,
        complexity: INTER_COMPLEXITY,
        arguments: &[Argument::key("destination"), NUMKEYS, SOURCES, WEIGHTS, AGGREGATE],
        ..Docs::BLANK
    },
    run: Run::Keys(zinterstore),
    ..Command::BLANK
};

/// ZDIFFSTORE destination numkeys key [key ...]
pub const ZDIFFSTORE: Command = Command {
    name: "zdiffstore",
    arity: Arity::AtLeast(4),
    flags: WRITE,
    keys: &[DESTINATION, counted_sources(2)],
    docs: Docs {
        summary: "Stores at a key what is in the first sorted set and in none of the others.",
        since: "6.2.0",
        group: Group::SortedSet,
        complexity: DIFF_COMPLEXITY,
        arguments: &[Argument::key("destination"), NUMKEYS, SOURCES],
        ..Docs::BLANK
    },
    run: Run::Keys(zdiffstore),
    ..Command::BLANK
};

/// ZINTERCARD numkeys key [key ...] [LIMIT limit]
pub const ZINTERCARD: Command = Command {
    name: "zintercard",
    arity: Arity::AtLeast(3),
    flags: READ,
    keys: &[counted_sources(1)],
    docs: Docs {
        summary: "Returns the number of members in the intersection of sorted sets.",
        since: "7.0.0",
        group: Group::SortedSet,
        complexity: "O(N*K) at worst, where N is the number of members in the smallest source, and K that of sources",
        arguments: &[NUMKEYS, KEYS, Argument::new("limit", ArgumentKind::Integer).after("LIMIT").optional()],
        ..Docs::BLANK
    },
    run: Run::Keys(zintercard),
    ..Command::BLANK
};

fn zunion(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    write_combined(ctx, args, Operation::Union, reply)
}

fn zinter(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    write_combined(ctx, args, Operation::Intersection, reply)
}

fn zdiff(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    write_combined(ctx, args, Operation::Difference, reply)
}

fn zunionstore(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    store_combined(ctx, args, (Operation::Union, "zunionstore"), reply)
}

fn zinterstore(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    store_combined(ctx, args, (Operation::Intersection, "zinterstore"), reply)
}

fn zdiffstore(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    store_combined(ctx, args, (Operation::Difference, "zdiffstore"), reply)
}

fn zintercard(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let keys = request::keys(args, 1, "zintercard")?;
    let existing = sources::look_up(ctx, &keys)?;
    let limit = request::limit(args.from(2 + keys.len()))?;
    let sources = sources::open(ctx, &keys, &existing);
    reply.integer(algorithm::intersection_len(&sources, limit) as i64);
    Ok(())
}

fn write_combined(ctx: &mut Ctx<'_>, args: &Args<'_>, operation: Operation, reply: &mut Reply<'_>) -> Outcome {
    let keys = request::keys(args, 1, operation.command())?;
    let existing = sources::look_up(ctx, &keys)?;
    let request = Request::parse(args.skip(2 + keys.len()), operation, keys.len(), true)?;
    let combined = combine(ctx, &keys, &existing, &request);
    let pairs = request.with_scores && reply.is_resp3();
    let elements = if request.with_scores && !pairs { combined.len() * 2 } else { combined.len() };
    reply.array(elements);
    for (member, score) in &combined {
        if pairs {
            reply.array(2);
        }
        reply.bulk(member);
        if request.with_scores {
            write_score(*score, reply);
        }
    }
    Ok(())
}

fn store_combined(
    ctx: &mut Ctx<'_>,
    args: &Args<'_>,
    (operation, command): (Operation, &'static str),
    reply: &mut Reply<'_>,
) -> Outcome {
    let keys = request::keys(args, 2, command)?;
    let existing = sources::look_up(ctx, &keys)?;
    let request = Request::parse(args.skip(3 + keys.len()), operation, keys.len(), false)?;
    let combined = combine(ctx, &keys, &existing, &request);
    let mut limits = ctx.shard.limits.zset;
    // What is to be large is so from the start, as in Redis: while it was packed it would lose the signs of zeros.
    if combined.iter().any(|(member, _)| member.len() > limits.packed_member_bytes_max) {
        limits.packed_entries_max = 0;
    }
    let result = ZSet::from_sorted(combined, &limits);
    reply.integer(store(ctx, args.at(1), result, command) as i64);
    Ok(())
}

fn combine<'c>(ctx: &'c Ctx<'_>, keys: &[&[u8]], existing: &[bool], request: &Request) -> Vec<Combined<'c>> {
    let sources = sources::open(ctx, keys, existing);
    let mut combined = match request.operation {
        Operation::Union => algorithm::union(&sources, request),
        Operation::Intersection => algorithm::intersection(&sources, request),
        Operation::Difference => algorithm::difference(&sources),
    };
    algorithm::sort(&mut combined);
    combined
}

/// A number of sources below 1; `command` is the command's name.
fn no_keys(command: &str) -> CommandError {
    CommandError::text(format!("ERR at least 1 input key is needed for '{command}' command"))
}
