//! Counting in fields. The expiry of a field stays.

use net::{Args, Reply};
use storage::number::{INTEGER_TEXT_BYTES_MAX, LongDouble, write_i64};
use storage::types::hash::{FieldExpiry, Hash};

use super::fields::tell_expiring;
use crate::commands::parse::parse_i64;
use crate::config::types::events::Events;
use crate::exec::error::{NAN_OR_INFINITY, NOT_A_FLOAT, OVERFLOW};
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const FLAGS: Flags = Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Fast]);

const COUNTS: &[KeySpec] = &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Update])];

/// A field holds something else than an integer.
const FIELD_NOT_AN_INTEGER: CommandError = CommandError::new("ERR hash value is not an integer");
/// A field holds something else than a number.
const FIELD_NOT_A_FLOAT: CommandError = CommandError::new("ERR hash value is not a float");
/// An increment is no finite number.
const INCREMENT_NOT_FINITE: CommandError = CommandError::new("ERR value is NaN or Infinity");

/// HINCRBY key field increment
pub const HINCRBY: Command = Command {
    name: "hincrby",
    arity: Arity::Exactly(4),
    flags: FLAGS,
    keys: COUNTS,
    docs: Docs {
        summary: "Adds to the integer in a field of a hash; a missing field counts as 0.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(1)",
        arguments: &[
            Argument::key("key"),
            Argument::new("field", ArgumentKind::String),
            Argument::new("increment", ArgumentKind::Integer),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(hincrby),
    ..Command::BLANK
};

/// HINCRBYFLOAT key field increment
pub const HINCRBYFLOAT: Command = Command {
    name: "hincrbyfloat",
    arity: Arity::Exactly(4),
    flags: FLAGS,
    keys: COUNTS,
    docs: Docs {
        summary: "Adds to the floating-point number in a field of a hash; a missing field counts as 0.",
        since: "2.6.0",
        group: Group::Hash,
        complexity: "O(1)",
        arguments: &[
            Argument::key("key"),
            Argument::new("field", ArgumentKind::String),
            Argument::new("increment", ArgumentKind::Double),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(hincrbyfloat),
    ..Command::BLANK
};

fn hincrby(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, field, increment) = (args.at(1), args.at(2), parse_i64(args.at(3))?);
    let sum = ctx.edit_or_create(key, |hash: &mut Hash, tools| {
        hash.remove_if_expired(field, tools.judged_at);
        let old = match hash.as_ref().get(field) {
            Some(value) => value.as_int().ok_or(FIELD_NOT_AN_INTEGER)?,
            None => 0,
        };
        let sum = old.checked_add(increment).ok_or(OVERFLOW)?;
        let mut text = [0; INTEGER_TEXT_BYTES_MAX];
        hash.set(field, write_i64(sum, &mut text), FieldExpiry::Keep, &tools.limits.hash);
        Ok(sum)
    })??;
    ctx.notify(Events::HASH, "hincrby", key);
    ctx.changed(1);
    reply.integer(sum);
    Ok(())
}

fn hincrbyfloat(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, field) = (args.at(1), args.at(2));
    let increment = LongDouble::parse(args.at(3)).ok_or(NOT_A_FLOAT)?;
    if increment.is_infinite() {
        return Err(INCREMENT_NOT_FINITE);
    }
    let (text, expire_at) = ctx.edit_or_create(key, |hash: &mut Hash, tools| {
        hash.remove_if_expired(field, tools.judged_at);
        let old = match hash.as_ref().get(field) {
            Some(value) => {
                let text = &mut [0; INTEGER_TEXT_BYTES_MAX];
                LongDouble::parse(value.as_bytes(text)).ok_or(FIELD_NOT_A_FLOAT)?
            }
            None => LongDouble::ZERO,
        };
        let text = old.checked_add(increment).ok_or(NAN_OR_INFINITY)?.to_text();
        hash.set(field, &text, FieldExpiry::Keep, &tools.limits.hash);
        Ok((text, hash.as_ref().field(field).and_then(|field| field.expire_at)))
    })??;
    ctx.notify(Events::HASH, "hincrbyfloat", key);
    ctx.changed(1);
    ctx.effect(key, &["HSET".into(), key.into(), field.into(), (&text[..]).into()]);
    if let Some(at) = expire_at {
        // HSET takes the expiry away.
        tell_expiring(ctx, key, at, &[field]);
    }
    reply.bulk(&text);
    Ok(())
}
