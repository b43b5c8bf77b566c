//! Setting and removing fields.

use net::{Args, Reply};
use storage::types::hash::{FieldExpiry, Hash};

use crate::config::types::events::Events;
use crate::exec::error::wrong_arity;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const FLAGS: Flags = Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Fast]);

const UPDATES: &[KeySpec] = &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Update])];

const PAIRS: &[Argument] = &[
    Argument::key("key"),
    Argument::new(
        "field_value",
        ArgumentKind::Block(&[
            Argument::new("field", ArgumentKind::String),
            Argument::new("value", ArgumentKind::String),
        ]),
    )
    .multiple(),
];

/// HSET key field value [field value ...]
pub const HSET: Command = Command {
    name: "hset",
    arity: Arity::AtLeast(4),
    flags: FLAGS,
    keys: UPDATES,
    docs: Docs {
        summary: "Sets fields of a hash and tells how many are new.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(N) where N is the number of fields set",
        history: &[("4.0.0", "Several fields with values.")],
        arguments: PAIRS,
        ..Docs::BLANK
    },
    run: Run::Shard(hset),
    ..Command::BLANK
};

/// HMSET key field value [field value ...]
pub const HMSET: Command = Command {
    name: "hmset",
    arity: Arity::AtLeast(4),
    flags: FLAGS,
    keys: UPDATES,
    docs: Docs {
        summary: "Sets fields of a hash.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(N) where N is the number of fields set",
        deprecated: Some(("4.0.0", "`HSET` with several fields and values")),
        arguments: PAIRS,
        ..Docs::BLANK
    },
    run: Run::Shard(hmset),
    ..Command::BLANK
};

/// HSETNX key field value
pub const HSETNX: Command = Command {
    name: "hsetnx",
    arity: Arity::Exactly(4),
    flags: FLAGS,
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Insert])],
    docs: Docs {
        summary: "Sets a field of a hash if the hash does not have it.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(1)",
        arguments: &[
            Argument::key("key"),
            Argument::new("field", ArgumentKind::String),
            Argument::new("value", ArgumentKind::String),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(hsetnx),
    ..Command::BLANK
};

/// HDEL key field [field ...]
pub const HDEL: Command = Command {
    name: "hdel",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Delete])],
    docs: Docs {
        summary: "Removes fields from a hash and tells how many there were.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: "O(N) where N is the number of fields to remove",
        history: &[("2.4.0", "Several fields.")],
        arguments: &[Argument::key("key"), Argument::new("field", ArgumentKind::String).multiple()],
        ..Docs::BLANK
    },
    run: Run::Shard(hdel),
    ..Command::BLANK
};

fn hset(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let added = set_pairs(ctx, args, "hset")?;
    reply.integer(added as i64);
    Ok(())
}

fn hmset(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    set_pairs(ctx, args, "hmset")?;
    reply.ok();
    Ok(())
}

/// Sets `key field value ...`; returns how many fields are new.
fn set_pairs(ctx: &mut Ctx<'_>, args: &Args<'_>, command: &str) -> Result<usize, CommandError> {
    if args.len() % 2 == 1 {
        return Err(wrong_arity(command));
    }
    let key = args.at(1);
    let added = ctx.edit_or_create(key, |hash: &mut Hash, tools| {
        let limits = &tools.limits.hash;
        hash.prepare(args.from(2).map(<[u8]>::len), limits);
        let mut added = 0;
        for place in (2..args.len()).step_by(2) {
            hash.remove_if_expired(args.at(place), tools.judged_at);
            added += usize::from(hash.set(args.at(place), args.at(place + 1), FieldExpiry::Clear, limits));
        }
        added
    })?;
    ctx.notify(Events::HASH, "hset", key);
    ctx.changed((args.len() - 2) / 2);
    Ok(added)
}

fn hsetnx(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, field, value) = (args.at(1), args.at(2), args.at(3));
    let added = ctx.edit_or_create(key, |hash: &mut Hash, tools| {
        hash.remove_if_expired(field, tools.judged_at);
        !hash.as_ref().contains(field) && hash.set(field, value, FieldExpiry::Clear, &tools.limits.hash)
    })?;
    if added {
        ctx.notify(Events::HASH, "hset", key);
        ctx.changed(1);
    }
    reply.integer(i64::from(added));
    Ok(())
}

fn hdel(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let key = args.at(1);
    let removed = ctx.edit(key, |hash: &mut Hash, tools| {
        let present = |hash: &mut Hash, field| !hash.remove_if_expired(field, tools.judged_at) && hash.remove(field);
        let removed = args.from(2).filter(|field| present(hash, field)).count();
        (removed, hash.as_ref().is_empty())
    })?;
    let (removed, gone) = removed.unwrap_or((0, false));
    tell_removed(ctx, key, removed, gone);
    ctx.changed(removed);
    reply.integer(removed as i64);
    Ok(())
}

/// Tells that fields were removed by a client, and whether that was the end of the hash.
pub(super) fn tell_removed(ctx: &mut Ctx<'_>, key: &[u8], removed: usize, gone: bool) {
    if removed > 0 {
        ctx.notify(Events::HASH, "hdel", key);
    }
    if gone {
        ctx.notify(Events::GENERIC, "del", key);
    }
}
