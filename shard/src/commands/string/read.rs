//! Reading strings.

use std::ops::Range;

use net::{Args, Reply};
use storage::StringRef;
use storage::number::INTEGER_TEXT_BYTES_MAX;

use crate::commands::parse::parse_i64;
use crate::exec::{Ctx, Merge, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const READ: &[KeyFlag] = &[KeyFlag::Ro, KeyFlag::Access];

/// GET key
pub const GET: Command = Command {
    name: "get",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    keys: &[KeySpec::one(1, READ)],
    docs: Docs {
        summary: "Returns the string stored at a key.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(get),
    ..Command::BLANK
};

/// MGET key [key ...]
pub const MGET: Command = Command {
    name: "mget",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    keys: &[KeySpec::all_from(1, 1, READ)],
    tips: &["request_policy:multi_shard"],
    docs: Docs {
        summary: "Returns the strings stored at several keys, all at one point in time.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(N) where N is the number of keys",
        arguments: &[Argument::key("key").multiple()],
        ..Docs::BLANK
    },
    run: Run::Split { part: mget, merge: Merge::ByKey },
    ..Command::BLANK
};

const RANGE_ARGUMENTS: &[Argument] =
    &[Argument::key("key"), Argument::new("start", ArgumentKind::Integer), Argument::new("end", ArgumentKind::Integer)];

const RANGE_COMPLEXITY: &str = "O(N) where N is the length of the part that is returned";

/// GETRANGE key start end
pub const GETRANGE: Command = Command {
    name: "getrange",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::one(1, READ)],
    docs: Docs {
        summary: "Returns a part of the string stored at a key.",
        since: "2.4.0",
        group: Group::String,
        complexity: RANGE_COMPLEXITY,
        arguments: RANGE_ARGUMENTS,
        ..Docs::BLANK
    },
    run: Run::Shard(get_range),
    ..Command::BLANK
};

/// SUBSTR key start end
pub const SUBSTR: Command = Command {
    name: "substr",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::one(1, READ)],
    docs: Docs {
        summary: "Returns a part of the string stored at a key.",
        since: "1.0.0",
        group: Group::String,
        complexity: RANGE_COMPLEXITY,
        deprecated: Some(("2.0.0", "`GETRANGE`")),
        arguments: RANGE_ARGUMENTS,
        ..Docs::BLANK
    },
    run: Run::Shard(get_range),
    ..Command::BLANK
};

/// STRLEN key
pub const STRLEN: Command = Command {
    name: "strlen",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro])],
    docs: Docs {
        summary: "Returns the length of the string stored at a key.",
        since: "2.2.0",
        group: Group::String,
        complexity: "O(1)",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(strlen),
    ..Command::BLANK
};

fn get(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    get_key(ctx, args.at(1), reply)
}

/// Replies with the string at `key`, or null; an error if something else is there.
pub(super) fn get_key(ctx: &mut Ctx<'_>, key: &[u8], reply: &mut Reply<'_>) -> Outcome {
    match ctx.read_string(key)? {
        Some(string) => reply.bulk(string.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX])),
        None => reply.null(),
    }
    Ok(())
}

fn mget(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    reply.array(args.len() - 1);
    for key in args.from(1) {
        match ctx.read(key).and_then(|entry| entry.value().as_string()) {
            Some(string) => reply.bulk(string.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX])),
            None => reply.null(),
        }
    }
    Ok(())
}

fn get_range(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (start, end) = (parse_i64(args.at(2))?, parse_i64(args.at(3))?);
    match ctx.read_string(args.at(1))? {
        Some(string) => {
            let mut scratch = [0; INTEGER_TEXT_BYTES_MAX];
            let bytes = string.as_bytes(&mut scratch);
            reply.bulk(&bytes[range(start, end, bytes.len())]);
        }
        None => reply.bulk(b""),
    }
    Ok(())
}

/// The bytes from `start` to `end`, the last one included; negative numbers count from the end.
fn range(start: i64, end: i64, len: usize) -> Range<usize> {
    let from_either_end = |index: i64| if index < 0 { (len as i64 + index).max(0) } else { index };
    if start < 0 && end < 0 && start > end {
        return 0..0;
    }
    let start = from_either_end(start);
    let end = from_either_end(end).min(len as i64 - 1);
    if start > end { 0..0 } else { start as usize..end as usize + 1 }
}

fn strlen(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let len = ctx.read_string(args.at(1))?.map_or(0, StringRef::len);
    reply.integer(len as i64);
    Ok(())
}
