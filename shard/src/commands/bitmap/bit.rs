//! One bit: reading and writing it. And what every writer of bits does to a string first.

use std::ops::Range;

use net::{Args, Reply};
use storage::number::{INTEGER_TEXT_BYTES_MAX, parse_i64};
use storage::types::bitmap;
use storage::{Expiry, Key, StringRef, StringValue};

use crate::config::types::events::Events;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const BAD_OFFSET: CommandError = CommandError::new("ERR bit offset is not an integer or out of range");
const BAD_BIT: CommandError = CommandError::new("ERR bit is not an integer or out of range");

/// GETBIT key offset
pub const GETBIT: Command = Command {
    name: "getbit",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])],
    docs: Docs {
        summary: "Returns one bit of the string stored at a key.",
        since: "2.2.0",
        group: Group::Bitmap,
        complexity: "O(1)",
        arguments: &[Argument::key("key"), Argument::new("offset", ArgumentKind::Integer)],
        ..Docs::BLANK
    },
    run: Run::Shard(getbit),
    ..Command::BLANK
};

/// SETBIT key offset value
pub const SETBIT: Command = Command {
    name: "setbit",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Update])],
    docs: Docs {
        summary: "Sets or clears one bit of the string stored at a key, and returns what it was.",
        since: "2.2.0",
        group: Group::Bitmap,
        complexity: "O(1)",
        arguments: &[
            Argument::key("key"),
            Argument::new("offset", ArgumentKind::Integer),
            Argument::new("value", ArgumentKind::Integer),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(setbit),
    ..Command::BLANK
};

fn getbit(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let offset = parse_offset(args.at(2), None, ctx.config().proto_max_bulk_len)?;
    let mut scratch = [0; INTEGER_TEXT_BYTES_MAX];
    let string = ctx.read_string(args.at(1))?;
    let bytes = string.map_or(&[][..], |string| string.as_bytes(&mut scratch));
    reply.integer(i64::from(bitmap::bit(bytes, offset)));
    Ok(())
}

fn setbit(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let key = Key::new(args.at(1));
    let offset = parse_offset(args.at(2), None, ctx.config().proto_max_bulk_len)?;
    let value = match parse_i64(args.at(3)) {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(BAD_BIT),
    };
    let byte = offset as usize / 8;
    let (before, changed) = write_bits(ctx, key, offset / 8 + 1, std::iter::once(byte..byte + 1), |bytes| {
        let before = bitmap::set_bit(bytes, offset, value);
        (before, before != value)
    })?;
    if changed {
        told_change(ctx, key, 1);
    }
    reply.integer(i64::from(before));
    Ok(())
}

/// The bit that an argument means; with a width, `#n` is the n-th field of so many bits. The byte of the bit is within
/// `bytes_max`.
pub(super) fn parse_offset(arg: &[u8], field_bits: Option<u64>, bytes_max: u64) -> Result<u64, CommandError> {
    let (digits, width) = match (arg.strip_prefix(b"#"), field_bits) {
        (Some(index), Some(width)) => (index, width),
        _ => (arg, 1),
    };
    let number = parse_i64(digits).and_then(|number| u64::try_from(number).ok()).ok_or(BAD_OFFSET)?;
    let offset = number.checked_mul(width).ok_or(BAD_OFFSET)?;
    if offset >> 3 < bytes_max { Ok(offset) } else { Err(BAD_OFFSET) }
}

/// Lets `write` change the string at `key`, which is made if there is none, and long enough for `bytes_min`. `write` changes
/// bytes in `changes` only, and says whether it did; so does this, to whom a string that became longer is changed, too.
pub(super) fn write_bits<R>(
    ctx: &mut Ctx<'_>,
    key: Key<'_>,
    bytes_min: u64,
    changes: impl IntoIterator<Item = Range<usize>>,
    write: impl FnOnce(&mut [u8]) -> (R, bool),
) -> Result<(R, bool), CommandError> {
    let bytes_min = bytes_min as usize;
    if ctx.write_string(key)?.is_none() {
        ctx.set_string(key, StringValue::Raw(b""), Expiry::Clear);
    }
    let mut entry = ctx.peek_mut(key).expect("it was there, or was stored just now without an expiry");
    let grown = entry.value().as_string().map_or(0, StringRef::len) < bytes_min;
    let (result, changed) = write(entry.string_mut(bytes_min, changes));
    Ok((result, changed || grown))
}

/// So many bits or fields were changed.
pub(super) fn told_change(ctx: &mut Ctx<'_>, key: Key<'_>, changes: usize) {
    ctx.notify(Events::STRING, "setbit", key.bytes());
    ctx.changed(changes);
}
