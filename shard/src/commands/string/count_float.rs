//! Counting with fractions.

use net::{Args, Reply};
use storage::number::{INTEGER_TEXT_BYTES_MAX, LongDouble};
use storage::{Key, StringValue};

use crate::config::types::events::Events;
use crate::exec::error::{NAN_OR_INFINITY, NOT_A_FLOAT};
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// INCRBYFLOAT key increment
pub const INCRBYFLOAT: Command = Command {
    name: "incrbyfloat",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Update])],
    docs: Docs {
        summary: "Adds to the floating-point number stored at a key; a missing key counts as 0.",
        since: "2.6.0",
        group: Group::String,
        complexity: "O(1)",
        arguments: &[Argument::key("key"), Argument::new("increment", ArgumentKind::Double)],
        ..Docs::BLANK
    },
    run: Run::Shard(incr_by_float),
    ..Command::BLANK
};

fn incr_by_float(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let key = Key::new(args.at(1));
    let old = match ctx.write_string(key)? {
        Some(entry) => {
            let string = entry.value().as_string().ok_or(NOT_A_FLOAT)?;
            LongDouble::parse(string.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX])).ok_or(NOT_A_FLOAT)?
        }
        None => LongDouble::ZERO,
    };
    let increment = LongDouble::parse(args.at(2)).ok_or(NOT_A_FLOAT)?;
    let text = old.checked_add(increment).ok_or(NAN_OR_INFINITY)?.to_text();
    ctx.replace_string(key, StringValue::Text(&text));
    ctx.notify(Events::STRING, "incrbyfloat", key.bytes());
    ctx.changed(1);
    ctx.effect(key.bytes(), &["SET".into(), key.bytes().into(), (&text[..]).into(), "KEEPTTL".into()]);
    reply.bulk(&text);
    Ok(())
}
