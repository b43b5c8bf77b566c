//! Changing a part of a string in place.

use net::{Args, Reply};
use storage::{Expiry, Key, OwnedString, StringRef, StringValue};

use crate::commands::parse::parse_i64;
use crate::config::types::events::Events;
use crate::exec::error::{OFFSET_OUT_OF_RANGE, STRING_TOO_LONG};
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// APPEND key value
pub const APPEND: Command = Command {
    name: "append",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Insert])],
    docs: Docs {
        summary: "Appends to the string stored at a key, which is made if there is none.",
        since: "2.0.0",
        group: Group::String,
        complexity: "O(1) amortized, if what is appended is short: a string that grows has room to spare",
        arguments: &[Argument::key("key"), Argument::new("value", ArgumentKind::String)],
        ..Docs::BLANK
    },
    run: Run::Shard(append),
    ..Command::BLANK
};

/// SETRANGE key offset value
pub const SETRANGE: Command = Command {
    name: "setrange",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Update])],
    docs: Docs {
        summary: "Overwrites the string stored at a key from an offset on; zero bytes fill a gap.",
        since: "2.2.0",
        group: Group::String,
        complexity: "O(M) where M is the length of the value, if the string has not to grow",
        arguments: &[
            Argument::key("key"),
            Argument::new("offset", ArgumentKind::Integer),
            Argument::new("value", ArgumentKind::String),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(set_range),
    ..Command::BLANK
};

fn append(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, value) = (Key::new(args.at(1)), args.at(2));
    let bytes_max = ctx.config().proto_max_bulk_len;
    let len = if let Some(mut entry) = ctx.write_string(key)? {
        let len = entry.value().as_string().map_or(0, StringRef::len);
        check_len(len, value.len(), bytes_max)?;
        entry.append(value)
    } else {
        ctx.set_string(key, value.into(), Expiry::Clear);
        value.len()
    };
    ctx.notify(Events::STRING, "append", key.bytes());
    ctx.changed(1);
    reply.integer(len as i64);
    Ok(())
}

fn set_range(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, value) = (Key::new(args.at(1)), args.at(3));
    let offset = usize::try_from(parse_i64(args.at(2))?).map_err(|_| OFFSET_OUT_OF_RANGE)?;
    let bytes_max = ctx.config().proto_max_bulk_len;
    let len = match ctx.write_string(key)? {
        Some(entry) if value.is_empty() => {
            let len = entry.value().as_string().map_or(0, StringRef::len);
            reply.integer(len as i64);
            return Ok(());
        }
        None if value.is_empty() => {
            reply.integer(0);
            return Ok(());
        }
        Some(mut entry) => {
            check_len(offset, value.len(), bytes_max)?;
            entry.set_range(offset, value)
        }
        None => {
            check_len(offset, value.len(), bytes_max)?;
            // What is appended later gets room to grow; a new string is as long as it is.
            let mut bytes = Vec::with_capacity(offset + value.len());
            bytes.resize(offset, 0);
            bytes.extend_from_slice(value);
            let len = bytes.len();
            ctx.set_string(key, StringValue::Owned(OwnedString::Bytes { bytes, modified: true }), Expiry::Clear);
            len
        }
    };
    ctx.notify(Events::STRING, "setrange", key.bytes());
    ctx.changed(1);
    reply.integer(len as i64);
    Ok(())
}

/// A string of two parts with these lengths must not be longer than `proto-max-bulk-len`.
fn check_len(len: usize, more: usize, bytes_max: u64) -> Result<(), CommandError> {
    match len.checked_add(more) {
        Some(total) if total as u64 <= bytes_max => Ok(()),
        _ => Err(STRING_TOO_LONG),
    }
}
