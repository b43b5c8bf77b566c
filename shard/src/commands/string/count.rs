//! Counting with 64-bit integers.

use net::{Args, Reply};
use storage::{Expiry, Key, StringRef, StringValue};

use crate::commands::parse::parse_i64;
use crate::config::types::events::Events;
use crate::exec::error::{DECREMENT_OVERFLOW, NOT_AN_INTEGER, OVERFLOW};
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const COUNTS: &[KeySpec] = &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Update])];

const FLAGS: Flags = Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Fast]);

/// INCR key
pub const INCR: Command = Command {
    name: "incr",
    arity: Arity::Exactly(2),
    flags: FLAGS,
    keys: COUNTS,
    docs: Docs {
        summary: "Adds one to the integer stored at a key; a missing key counts as 0.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(incr),
    ..Command::BLANK
};

/// DECR key
pub const DECR: Command = Command {
    name: "decr",
    arity: Arity::Exactly(2),
    flags: FLAGS,
    keys: COUNTS,
    docs: Docs {
        summary: "Takes one from the integer stored at a key; a missing key counts as 0.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(decr),
    ..Command::BLANK
};

/// INCRBY key increment
pub const INCRBY: Command = Command {
    name: "incrby",
    arity: Arity::Exactly(3),
    flags: FLAGS,
    keys: COUNTS,
    docs: Docs {
        summary: "Adds to the integer stored at a key; a missing key counts as 0.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        arguments: &[Argument::key("key"), Argument::new("increment", ArgumentKind::Integer)],
        ..Docs::BLANK
    },
    run: Run::Shard(incr_by),
    ..Command::BLANK
};

/// DECRBY key decrement
pub const DECRBY: Command = Command {
    name: "decrby",
    arity: Arity::Exactly(3),
    flags: FLAGS,
    keys: COUNTS,
    docs: Docs {
        summary: "Takes from the integer stored at a key; a missing key counts as 0.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        arguments: &[Argument::key("key"), Argument::new("decrement", ArgumentKind::Integer)],
        ..Docs::BLANK
    },
    run: Run::Shard(decr_by),
    ..Command::BLANK
};

fn incr(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    add(ctx, args.at(1), 1, reply)
}

fn decr(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    add(ctx, args.at(1), -1, reply)
}

fn incr_by(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    add(ctx, args.at(1), parse_i64(args.at(2))?, reply)
}

fn decr_by(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let increment = parse_i64(args.at(2))?.checked_neg().ok_or(DECREMENT_OVERFLOW)?;
    add(ctx, args.at(1), increment, reply)
}

fn add(ctx: &mut Ctx<'_>, key: &[u8], increment: i64, reply: &mut Reply<'_>) -> Outcome {
    let key = Key::new(key);
    let sum = if let Some(mut entry) = ctx.write_string(key)? {
        let old = entry.value().as_string().and_then(StringRef::as_int).ok_or(NOT_AN_INTEGER)?;
        let sum = old.checked_add(increment).ok_or(OVERFLOW)?;
        entry.set_int(sum);
        sum
    } else {
        ctx.set_string(key, StringValue::Int(increment), Expiry::Clear);
        increment
    };
    ctx.notify(Events::STRING, "incrby", key.bytes());
    ctx.changed(1);
    reply.integer(sum);
    Ok(())
}
