//! Looking at single fields.

use net::{Args, Reply};
use storage::types::hash::{Hash, HashRef};

use crate::commands::item::bulk_item;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const FLAGS: Flags = Flags::of(&[Flag::Readonly, Flag::Fast]);

/// The value of a field is returned.
const READS: &[KeySpec] = &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])];

/// Something is told about fields, but not their values.
const LOOKS: &[KeySpec] = &[KeySpec::one(1, &[KeyFlag::Ro])];

const FIELD: Argument = Argument::new("field", ArgumentKind::String);

/// HGET key field
pub const HGET: Command = Command {
    name: "hget",
    arity: Arity::Exactly(3),
    flags: FLAGS,
    keys: READS,
    docs: Docs {
        summary: "Returns the value of a field of a hash.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(1)",
        arguments: &[Argument::key("key"), FIELD],
        ..Docs::BLANK
    },
    run: Run::Shard(hget),
    ..Command::BLANK
};

/// HMGET key field [field ...]
pub const HMGET: Command = Command {
    name: "hmget",
    arity: Arity::AtLeast(3),
    flags: FLAGS,
    keys: READS,
    docs: Docs {
        summary: "Returns the values of some fields of a hash.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(N) where N is the number of fields asked for",
        arguments: &[Argument::key("key"), FIELD.multiple()],
        ..Docs::BLANK
    },
    run: Run::Shard(hmget),
    ..Command::BLANK
};

/// HEXISTS key field
pub const HEXISTS: Command = Command {
    name: "hexists",
    arity: Arity::Exactly(3),
    flags: FLAGS,
    keys: LOOKS,
    docs: Docs {
        summary: "Tells whether a hash has a field.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(1)",
        arguments: &[Argument::key("key"), FIELD],
        ..Docs::BLANK
    },
    run: Run::Shard(hexists),
    ..Command::BLANK
};

/// HLEN key
pub const HLEN: Command = Command {
    name: "hlen",
    arity: Arity::Exactly(2),
    flags: FLAGS,
    keys: LOOKS,
    docs: Docs {
        summary: "Returns how many fields a hash has.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(1)",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(hlen),
    ..Command::BLANK
};

/// HSTRLEN key field
pub const HSTRLEN: Command = Command {
    name: "hstrlen",
    arity: Arity::Exactly(3),
    flags: FLAGS,
    keys: LOOKS,
    docs: Docs {
        summary: "Returns the length of the value of a field of a hash.",
        since: "3.2.0",
        group: Group::Hash,
        complexity: "O(1)",
        arguments: &[Argument::key("key"), FIELD],
        ..Docs::BLANK
    },
    run: Run::Shard(hstrlen),
    ..Command::BLANK
};

/// The hash at `key` for reading, without the fields that are expired.
pub(super) fn read<'c>(ctx: &'c mut Ctx<'_>, key: &[u8]) -> Result<Option<HashRef<'c>>, CommandError> {
    let now = ctx.now();
    Ok(ctx.read_as::<Hash>(key)?.map(|hash| hash.live_at(now)))
}

/// Replies with the value of a field, or with a null.
pub(super) fn value_of(hash: Option<HashRef<'_>>, field: &[u8], reply: &mut Reply<'_>) {
    match hash.and_then(|hash| hash.get(field)) {
        Some(value) => bulk_item(reply, value),
        None => reply.null(),
    }
}

fn hget(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    value_of(read(ctx, args.at(1))?, args.at(2), reply);
    Ok(())
}

fn hmget(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let hash = read(ctx, args.at(1))?;
    let fields = args.from(2);
    reply.array(fields.len());
    fields.for_each(|field| value_of(hash, field, reply));
    Ok(())
}

fn hexists(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let there = read(ctx, args.at(1))?.is_some_and(|hash| hash.contains(args.at(2)));
    reply.integer(i64::from(there));
    Ok(())
}

fn hlen(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let len = read(ctx, args.at(1))?.map_or(0, HashRef::len);
    reply.integer(len as i64);
    Ok(())
}

fn hstrlen(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let value = read(ctx, args.at(1))?.and_then(|hash| hash.get(args.at(2)));
    reply.integer(value.map_or(0, |value| value.len() as i64));
    Ok(())
}
