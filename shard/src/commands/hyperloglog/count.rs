//! Adding elements, counting them, and uniting HyperLogLogs.

use net::{Args, Reply};
use storage::types::hyperloglog::{self, Error, Union};
use storage::{Expiry, Key, OwnedString, StringValue};

use super::value;
use crate::config::types::events::Events;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// PFADD key [element ...]
pub const PFADD: Command = Command {
    name: "pfadd",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Insert])],
    docs: Docs {
        summary: "Adds elements to the HyperLogLog stored at a key, which is made if there is none.",
        since: "2.8.9",
        group: Group::Hyperloglog,
        complexity: "O(1) for each element",
        arguments: &[Argument::key("key"), Argument::new("element", ArgumentKind::String).optional().multiple()],
        ..Docs::BLANK
    },
    run: Run::Shard(pfadd),
    ..Command::BLANK
};

/// PFCOUNT key [key ...]
pub const PFCOUNT: Command = Command {
    name: "pfcount",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Readonly, Flag::HeldWithWrites]),
    keys: &[KeySpec::all_from(1, 1, &[KeyFlag::Rw, KeyFlag::Access])
        .noting("RW because the result may be kept in the value of the key")],
    docs: Docs {
        summary: "Tells about how many different elements were added to the HyperLogLogs stored at keys.",
        since: "2.8.9",
        group: Group::Hyperloglog,
        complexity: "O(1) for one key, little if it did not change since the last time; O(N) for N keys, with much more \
                     to do for each",
        arguments: &[Argument::key("key").multiple()],
        ..Docs::BLANK
    },
    run: Run::Keys(pfcount),
    ..Command::BLANK
};

/// PFMERGE destkey [sourcekey ...]
pub const PFMERGE: Command = Command {
    name: "pfmerge",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[
        KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Insert]),
        KeySpec::all_from(2, 1, &[KeyFlag::Ro, KeyFlag::Access]),
    ],
    docs: Docs {
        summary: "Adds to the HyperLogLog stored at a key all elements of others.",
        since: "2.8.9",
        group: Group::Hyperloglog,
        complexity: "O(N) where N is the number of keys, with much to do for each",
        arguments: &[Argument::key("destkey"), Argument::new("sourcekey", ArgumentKind::Key(1)).multiple()],
        ..Docs::BLANK
    },
    run: Run::Keys(pfmerge),
    ..Command::BLANK
};

fn pfadd(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let key = Key::new(args.at(1));
    let sparse_bytes_max = sparse_bytes_max(ctx);
    let add = |bytes: &mut Vec<u8>| {
        hyperloglog::encoding(bytes)?;
        let mut changes = 0;
        for element in args.from(2) {
            changes += usize::from(hyperloglog::add(bytes, element, sparse_bytes_max)?);
        }
        Ok(changes)
    };
    let changes = if let Some(changes) = value::edit(ctx, key, add)? {
        changes
    } else {
        let mut bytes = hyperloglog::create();
        let changes = add(&mut bytes).map_err(value::told)?;
        // To be made is a change, too: what a reader finds in the header is stale from the beginning.
        hyperloglog::forget_cardinality(&mut bytes);
        store(ctx, key, bytes);
        changes + 1
    };
    if changes > 0 {
        ctx.notify(Events::STRING, "pfadd", key.bytes());
        ctx.changed(changes);
    }
    reply.integer(i64::from(changes > 0));
    Ok(())
}

fn pfcount(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let count = if args.len() == 2 { count_one(ctx, args.at(1))? } else { unite(ctx, args)?.cardinality() };
    reply.integer(count as i64);
    Ok(())
}

/// The cardinality at one key, which is kept there if it had to be computed.
fn count_one(ctx: &mut Ctx<'_>, key: &[u8]) -> Result<u64, CommandError> {
    let count = value::read(ctx, key, |bytes| match hyperloglog::cached_cardinality(bytes)? {
        Some(cached) => Ok((cached, true)),
        None => Ok((hyperloglog::cardinality(bytes)?, false)),
    })?;
    match count {
        None => Ok(0),
        Some((count, true)) => Ok(count),
        Some((count, false)) => {
            let mut entry = ctx.peek_mut(key).expect("it was read just now");
            hyperloglog::cache_cardinality(entry.string_mut(0, std::iter::once(0..hyperloglog::HEADER_BYTES)), count)
                .map_err(value::told)?;
            ctx.changed(1);
            Ok(count)
        }
    }
}

fn pfmerge(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let key = Key::new(args.at(1));
    let union = unite(ctx, args)?;
    let sparse_bytes_max = sparse_bytes_max(ctx);
    let write = |bytes: &mut Vec<u8>| union.write_to(bytes, sparse_bytes_max);
    if value::edit(ctx, key, write)?.is_none() {
        let mut bytes = hyperloglog::create();
        write(&mut bytes).map_err(value::told)?;
        store(ctx, key, bytes);
    }
    ctx.notify(Events::STRING, "pfadd", key.bytes());
    ctx.changed(1);
    reply.ok();
    Ok(())
}

/// The union at all keys; those that are not there add nothing.
fn unite(ctx: &mut Ctx<'_>, args: &Args<'_>) -> Result<Union, CommandError> {
    let mut union = Union::new();
    for key in args.from(1) {
        value::read(ctx, key, |bytes| -> Result<(), Error> { union.include(bytes) })?;
    }
    Ok(union)
}

fn store(ctx: &mut Ctx<'_>, key: Key<'_>, bytes: Vec<u8>) {
    ctx.set_string(key, StringValue::Owned(OwnedString::Bytes { bytes, modified: true }), Expiry::Clear);
}

fn sparse_bytes_max(ctx: &Ctx<'_>) -> usize {
    ctx.config().hll_sparse_max_bytes as usize
}
