//! Letting single fields expire.

use net::{Args, Reply};
use storage::types::hash::Hash;

use super::fields::{self, Condition, Expired, FIELDS};
use super::write::tell_removed;
use crate::commands::parse::{Since, Time, Unit, is_word};
use crate::config::types::events::Events;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const FLAGS: Flags = Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Fast]);

const KEYS: &[KeySpec] = &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Update])];

const COMPLEXITY: &str = "O(N) where N is the number of fields";

const CONDITION: Argument = Argument::new(
    "condition",
    ArgumentKind::OneOf(&[
        Argument::word("nx", "NX"),
        Argument::word("xx", "XX"),
        Argument::word("gt", "GT"),
        Argument::word("lt", "LT"),
    ]),
)
.optional();

const FIELD_COUNT: CommandError = CommandError::new("ERR Parameter `numFields` should be greater than 0");

/// HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
pub const HEXPIRE: Command = Command {
    name: "hexpire",
    arity: Arity::AtLeast(6),
    flags: FLAGS,
    keys: KEYS,
    docs: Docs {
        summary: "Makes fields of a hash expire after some seconds.",
        since: "7.4.0",
        group: Group::Hash,
        complexity: COMPLEXITY,
        arguments: &[Argument::key("key"), Argument::new("seconds", ArgumentKind::Integer), CONDITION, FIELDS],
        ..Docs::BLANK
    },
    run: Run::Shard(hexpire),
    ..Command::BLANK
};

/// HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
pub const HPEXPIRE: Command = Command {
    name: "hpexpire",
    arity: Arity::AtLeast(6),
    flags: FLAGS,
    keys: KEYS,
    docs: Docs {
        summary: "Makes fields of a hash expire after some milliseconds.",
        since: "7.4.0",
        group: Group::Hash,
        complexity: COMPLEXITY,
        arguments: &[Argument::key("key"), Argument::new("milliseconds", ArgumentKind::Integer), CONDITION, FIELDS],
        ..Docs::BLANK
    },
    run: Run::Shard(hpexpire),
    ..Command::BLANK
};

/// HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
pub const HEXPIREAT: Command = Command {
    name: "hexpireat",
    arity: Arity::AtLeast(6),
    flags: FLAGS,
    keys: KEYS,
    docs: Docs {
        summary: "Makes fields of a hash expire at a point in time, in seconds since 1970.",
        since: "7.4.0",
        group: Group::Hash,
        complexity: COMPLEXITY,
        arguments: &[
            Argument::key("key"),
            Argument::new("unix-time-seconds", ArgumentKind::UnixTime),
            CONDITION,
            FIELDS,
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(hexpireat),
    ..Command::BLANK
};

/// HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
pub const HPEXPIREAT: Command = Command {
    name: "hpexpireat",
    arity: Arity::AtLeast(6),
    flags: FLAGS,
    keys: KEYS,
    docs: Docs {
        summary: "Makes fields of a hash expire at a point in time, in milliseconds since 1970.",
        since: "7.4.0",
        group: Group::Hash,
        complexity: COMPLEXITY,
        arguments: &[
            Argument::key("key"),
            Argument::new("unix-time-milliseconds", ArgumentKind::UnixTime),
            CONDITION,
            FIELDS,
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(hpexpireat),
    ..Command::BLANK
};

fn hexpire(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    expire(ctx, args, ("hexpire", Unit::Seconds, Since::Now), reply)
}

fn hpexpire(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    expire(ctx, args, ("hpexpire", Unit::Milliseconds, Since::Now), reply)
}

fn hexpireat(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    expire(ctx, args, ("hexpireat", Unit::Seconds, Since::Epoch), reply)
}

fn hpexpireat(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    expire(ctx, args, ("hpexpireat", Unit::Milliseconds, Since::Epoch), reply)
}

/// The condition at argument 3, and where the fields begin behind it.
fn condition(args: &Args<'_>) -> (Condition, usize) {
    let words = [("NX", Condition::Nx), ("XX", Condition::Xx), ("GT", Condition::Gt), ("LT", Condition::Lt)];
    let found = words.into_iter().find(|(word, _)| is_word(args.at(3), word));
    found.map_or((Condition::Always, 3), |(_, condition)| (condition, 4))
}

fn expire(
    ctx: &mut Ctx<'_>,
    args: &Args<'_>,
    (command, unit, since): (&str, Unit, Since),
    reply: &mut Reply<'_>,
) -> Outcome {
    let (key, now, judged_at) = (args.at(1), ctx.now(), ctx.judged_at());
    // That the key holds something else is said before what the arguments lack.
    ctx.peek_as::<Hash>(key)?;
    let at = fields::deadline(Time { number: args.at(2), unit, since }, now, command)?;
    let (condition, place) = condition(args);
    let fields = fields::parse(args, place, FIELD_COUNT)?;
    reply.array(fields.len());
    let (mut set, mut removed) = (Vec::new(), Vec::new());
    let gone = fields::edit(ctx, key, |hash, _| {
        for field in fields.from(0) {
            let outcome = fields::expire_field(hash, field, at, condition, judged_at);
            match outcome {
                Expired::Set => set.push(field),
                Expired::Removed => removed.push(field),
                Expired::Missing | Expired::Refused => {}
            }
            reply.integer(outcome as i64);
        }
        hash.as_ref().is_empty()
    })?;
    if gone.is_none() {
        fields.from(0).for_each(|_| reply.integer(Expired::Missing as i64));
    }
    if !set.is_empty() {
        ctx.notify(Events::HASH, "hexpire", key);
    }
    tell_removed(ctx, key, removed.len(), gone == Some(true));
    ctx.changed(set.len() + removed.len());
    fields::tell_expiring(ctx, key, at, &set);
    fields::tell_removed_fields(ctx, key, &removed);
    Ok(())
}
