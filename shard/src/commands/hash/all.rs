//! All fields of a hash, all values, or both.

use net::{Args, Reply};
use storage::UnixMillis;
use storage::types::hash::HashRef;

use super::read::read;
use crate::commands::item::bulk_item;
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const FLAGS: Flags = Flags::of(&[Flag::Readonly]);

const KEYS: &[KeySpec] = &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])];

const TIPS: &[&str] = &["nondeterministic_output_order"];

const COMPLEXITY: &str = "O(N) where N is the number of fields";

/// HGETALL key
pub const HGETALL: Command = Command {
    name: "hgetall",
    arity: Arity::Exactly(2),
    flags: FLAGS,
    keys: KEYS,
    tips: TIPS,
    docs: Docs {
        summary: "Returns all fields of a hash with their values.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: COMPLEXITY,
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(hgetall),
    ..Command::BLANK
};

/// HKEYS key
pub const HKEYS: Command = Command {
    name: "hkeys",
    arity: Arity::Exactly(2),
    flags: FLAGS,
    keys: KEYS,
    tips: TIPS,
    docs: Docs {
        summary: "Returns the names of all fields of a hash.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: COMPLEXITY,
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(hkeys),
    ..Command::BLANK
};

/// HVALS key
pub const HVALS: Command = Command {
    name: "hvals",
    arity: Arity::Exactly(2),
    flags: FLAGS,
    keys: KEYS,
    tips: TIPS,
    docs: Docs {
        summary: "Returns the values of all fields of a hash.",
        since: "2.0.0",
        group: Group::Hash,
        complexity: COMPLEXITY,
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(hvals),
    ..Command::BLANK
};

/// How many fields a reader sees. They are counted only if some may be hidden.
pub(super) fn visible(hash: HashRef<'_>, now: UnixMillis) -> usize {
    let hides = hash.next_field_expire().is_some_and(|at| at.is_past(now));
    if hides { hash.iter().count() } else { hash.len() }
}

fn hgetall(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let now = ctx.now();
    let hash = read(ctx, args.at(1))?;
    reply.map(hash.map_or(0, |hash| visible(hash, now)));
    for field in hash.into_iter().flat_map(HashRef::iter) {
        bulk_item(reply, field.name);
        bulk_item(reply, field.value);
    }
    Ok(())
}

fn hkeys(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let now = ctx.now();
    let hash = read(ctx, args.at(1))?;
    reply.array(hash.map_or(0, |hash| visible(hash, now)));
    hash.into_iter().flat_map(HashRef::iter).for_each(|field| bulk_item(reply, field.name));
    Ok(())
}

fn hvals(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let now = ctx.now();
    let hash = read(ctx, args.at(1))?;
    reply.array(hash.map_or(0, |hash| visible(hash, now)));
    hash.into_iter().flat_map(HashRef::iter).for_each(|field| bulk_item(reply, field.value));
    Ok(())
}
