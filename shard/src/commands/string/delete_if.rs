//! Removing a key if its string is what the client expects: Redis's DELEX, and Valkey's DELIFEQ.

use net::{Args, Reply};

use super::compare::{ARGUMENTS, Comparison};
use crate::config::types::events::Events;
use crate::exec::error::wrong_arity;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const NO_STRING: CommandError = CommandError::new("ERR Key should be of string type if conditions are specified");
const BAD_CONDITION: CommandError = CommandError::new("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");

const REMOVES: &[KeyFlag] = &[KeyFlag::Rm, KeyFlag::Delete];
const LOOKS_AND_REMOVES: &[KeyFlag] = &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete];

/// DELEX key [IFEQ value | IFNE value | IFDEQ digest | IFDNE digest]
pub const DELEX: Command = Command {
    name: "delex",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Delete, KeyFlag::VariableFlags])],
    find_keys: Some(used_key),
    docs: Docs {
        summary: "Removes a key if its string, or the digest of it, is what the client says, or is not.",
        since: "8.4.0",
        group: Group::String,
        complexity: "O(1), or O(N) for the digest of a string of length N",
        arguments: &[Argument::key("key"), Argument::new("condition", ArgumentKind::OneOf(&ARGUMENTS)).optional()],
        ..Docs::BLANK
    },
    run: Run::Shard(delex),
    ..Command::BLANK
};

/// DELIFEQ key value
pub const DELIFEQ: Command = Command {
    name: "delifeq",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: &[KeySpec::one(1, LOOKS_AND_REMOVES)],
    docs: Docs {
        summary: "Removes a key if its string is equal to a value.",
        since: "9.0.0",
        group: Group::String,
        complexity: "O(1)",
        arguments: &[Argument::key("key"), Argument::new("value", ArgumentKind::String)],
        ..Docs::BLANK
    },
    run: Run::Shard(delifeq),
    ..Command::BLANK
};

/// Without a condition DELEX does not look at the value.
fn used_key(args: &Args<'_>, visit: &mut dyn FnMut(usize, &'static [KeyFlag])) -> bool {
    visit(1, if args.len() > 2 { LOOKS_AND_REMOVES } else { REMOVES });
    true
}

fn delex(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let condition = match args.len() {
        2 => None,
        4 if ctx.peek(args.at(1)).is_some_and(|entry| entry.value().as_string().is_none()) => return Err(NO_STRING),
        4 => Some(Comparison::parse(args.at(2), args.get(3))?.ok_or(BAD_CONDITION)?),
        _ => return Err(wrong_arity("delex")),
    };
    let removes = match condition {
        None => true,
        Some(condition) => meets(ctx, args.at(1), condition)?,
    };
    remove_if(ctx, args.at(1), removes, reply);
    Ok(())
}

fn delifeq(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let condition = Comparison::parse(b"IFEQ", args.get(2))?.expect("it is one of the words");
    let removes = meets(ctx, args.at(1), condition)?;
    remove_if(ctx, args.at(1), removes, reply);
    Ok(())
}

/// Whether there is a string at `key` that meets the condition.
fn meets(ctx: &mut Ctx<'_>, key: &[u8], condition: Comparison<'_>) -> Result<bool, CommandError> {
    let entry = ctx.write_string(key)?;
    Ok(entry.is_some_and(|entry| condition.holds(entry.value().as_string())))
}

fn remove_if(ctx: &mut Ctx<'_>, key: &[u8], removes: bool, reply: &mut Reply<'_>) {
    let removed = removes && ctx.remove(key);
    if removed {
        ctx.notify(Events::GENERIC, "del", key);
        ctx.changed(1);
        ctx.effect_removed(key);
    }
    reply.integer(i64::from(removed));
}
