//! Storing strings.

use net::{Args, Reply};
use storage::{Expiry, Key};

use super::compare::ARGUMENTS;
use super::options::{Condition, Options, Syntax};
use super::read::get_key;
use crate::commands::parse::{Since, Time, Unit, is_word};
use crate::config::types::events::Events;
use crate::exec::error::WRONG_TYPE;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::journal::Word;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// SET key value [NX | XX | IFEQ value | IFNE value | IFDEQ digest | IFDNE digest] [GET] [EX seconds | PX milliseconds | EXAT time | PXAT time | KEEPTTL]
pub const SET: Command = Command {
    name: "set",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Update, KeyFlag::VariableFlags])
        .noting("RW and ACCESS for the option `GET` and for comparisons")],
    find_keys: Some(used_key),
    docs: Docs {
        summary: "Stores a string at a key, whatever was there before.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        history: &[
            ("2.6.12", "Options `EX`, `PX`, `NX` and `XX`."),
            ("6.0.0", "Option `KEEPTTL`."),
            ("6.2.0", "Options `GET`, `EXAT` and `PXAT`."),
            ("7.0.0", "`NX` and `GET` go together."),
            ("8.4.0", "Options `IFEQ`, `IFNE`, `IFDEQ` and `IFDNE`."),
        ],
        arguments: &[
            Argument::key("key"),
            Argument::new("value", ArgumentKind::String),
            Argument::new(
                "condition",
                ArgumentKind::OneOf(&[
                    Argument::word("nx", "NX"),
                    Argument::word("xx", "XX"),
                    ARGUMENTS[0],
                    ARGUMENTS[1],
                    ARGUMENTS[2],
                    ARGUMENTS[3],
                ]),
            )
            .since("2.6.12")
            .optional(),
            Argument::word("get", "GET").since("6.2.0").optional(),
            Argument::new(
                "expiration",
                ArgumentKind::OneOf(&[
                    Argument::new("seconds", ArgumentKind::Integer).after("EX").since("2.6.12"),
                    Argument::new("milliseconds", ArgumentKind::Integer).after("PX").since("2.6.12"),
                    Argument::new("unix-time-seconds", ArgumentKind::UnixTime).after("EXAT").since("6.2.0"),
                    Argument::new("unix-time-milliseconds", ArgumentKind::UnixTime).after("PXAT").since("6.2.0"),
                    Argument::word("keepttl", "KEEPTTL").since("6.0.0"),
                ]),
            )
            .optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(set),
    ..Command::BLANK
};

/// SETNX key value
pub const SETNX: Command = Command {
    name: "setnx",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ow, KeyFlag::Insert])],
    docs: Docs {
        summary: "Stores a string at a key if there is no such key.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        arguments: &[Argument::key("key"), Argument::new("value", ArgumentKind::String)],
        ..Docs::BLANK
    },
    run: Run::Shard(setnx),
    ..Command::BLANK
};

/// SETEX key seconds value
pub const SETEX: Command = Command {
    name: "setex",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ow, KeyFlag::Update])],
    docs: Docs {
        summary: "Stores a string at a key that expires after some seconds.",
        since: "2.0.0",
        group: Group::String,
        complexity: "O(1)",
        arguments: &[
            Argument::key("key"),
            Argument::new("seconds", ArgumentKind::Integer),
            Argument::new("value", ArgumentKind::String),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(setex),
    ..Command::BLANK
};

/// PSETEX key milliseconds value
pub const PSETEX: Command = Command {
    name: "psetex",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ow, KeyFlag::Update])],
    docs: Docs {
        summary: "Stores a string at a key that expires after some milliseconds.",
        since: "2.6.0",
        group: Group::String,
        complexity: "O(1)",
        arguments: &[
            Argument::key("key"),
            Argument::new("milliseconds", ArgumentKind::Integer),
            Argument::new("value", ArgumentKind::String),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(psetex),
    ..Command::BLANK
};

/// GETSET key value
pub const GETSET: Command = Command {
    name: "getset",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Update])],
    docs: Docs {
        summary: "Stores a string at a key and returns the one that was there.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        deprecated: Some(("6.2.0", "`SET` with the `!GET` argument")),
        arguments: &[Argument::key("key"), Argument::new("value", ArgumentKind::String)],
        ..Docs::BLANK
    },
    run: Run::Shard(getset),
    ..Command::BLANK
};

/// SET overwrites its key; with `GET`, or to compare it, it also reads it.
fn used_key(args: &Args<'_>, visit: &mut dyn FnMut(usize, &'static [KeyFlag])) -> bool {
    const READING: [&str; 5] = ["GET", "IFEQ", "IFNE", "IFDEQ", "IFDNE"];
    let reads = args.from(3).any(|word| READING.iter().any(|name| is_word(word, name)));
    let flags: &[KeyFlag] =
        if reads { &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Update] } else { &[KeyFlag::Ow, KeyFlag::Update] };
    visit(1, flags);
    true
}

fn set(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, value) = (Key::new(args.at(1)), args.at(2));
    if args.len() == 3 {
        store(ctx, key, value, Expiry::Clear);
        reply.ok();
        return Ok(());
    }
    let options = Options::parse(args.from(3), Syntax::Set)?;
    let expiry = options.lifetime.expiry(ctx.now(), "set")?;
    if options.get {
        get_key(ctx, args.at(1), reply)?;
    }
    let stored = store_if(ctx, key, value, options.condition, expiry)?;
    let is_compared = matches!(options.condition, Condition::Compared(_));
    if stored && (options.get || is_compared || matches!(expiry, Expiry::At(_))) {
        tell_set(ctx, key.bytes(), value, expiry);
    }
    match (options.get, stored) {
        (true, _) => {}
        (false, true) => reply.ok(),
        (false, false) => reply.null(),
    }
    Ok(())
}

fn setnx(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let stored = store_if(ctx, Key::new(args.at(1)), args.at(2), Condition::Absent, Expiry::Clear)?;
    reply.integer(i64::from(stored));
    Ok(())
}

fn setex(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    store_for(ctx, args, Unit::Seconds, "setex", reply)
}

fn psetex(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    store_for(ctx, args, Unit::Milliseconds, "psetex", reply)
}

fn store_for(ctx: &mut Ctx<'_>, args: &Args<'_>, unit: Unit, command: &str, reply: &mut Reply<'_>) -> Outcome {
    let time = Time { number: args.at(2), unit, since: Since::Now };
    let deadline = time.deadline(ctx.now(), command)?;
    store(ctx, Key::new(args.at(1)), args.at(3), Expiry::At(deadline));
    tell_set(ctx, args.at(1), args.at(3), Expiry::At(deadline));
    reply.ok();
    Ok(())
}

fn getset(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    get_key(ctx, args.at(1), reply)?;
    store(ctx, Key::new(args.at(1)), args.at(2), Expiry::Clear);
    tell_set(ctx, args.at(1), args.at(2), Expiry::Clear);
    Ok(())
}

/// Stores if the condition holds; says whether it did. To be looked at is a use of the key, too.
fn store_if(
    ctx: &mut Ctx<'_>,
    key: Key<'_>,
    value: &[u8],
    condition: Condition<'_>,
    expiry: Expiry,
) -> Result<bool, CommandError> {
    let holds = match condition {
        Condition::Always => true,
        Condition::Absent => !ctx.exists(key),
        Condition::Present => ctx.exists(key),
        Condition::Compared(comparison) => match ctx.peek(key) {
            None => comparison.holds(None),
            Some(entry) => comparison.holds(Some(entry.value().as_string().ok_or(WRONG_TYPE)?)),
        },
    };
    if holds {
        store(ctx, key, value, expiry);
    } else {
        ctx.touch(key);
    }
    Ok(holds)
}

/// Tells that a string was stored, in the words of a SET without conditions.
pub(super) fn tell_set(ctx: &mut Ctx<'_>, key: &[u8], value: &[u8], expiry: Expiry) {
    let set: [Word<'_>; 3] = ["SET".into(), key.into(), value.into()];
    match expiry {
        Expiry::Clear => ctx.effect(key, &set),
        Expiry::Keep => ctx.effect(key, &[set[0], set[1], set[2], "KEEPTTL".into()]),
        Expiry::At(at) => ctx.effect(key, &[set[0], set[1], set[2], "PXAT".into(), at.0.into()]),
    }
}

/// Stores a string and counts the change.
pub(super) fn store(ctx: &mut Ctx<'_>, key: Key<'_>, value: &[u8], expiry: Expiry) {
    ctx.set_string(key, value.into(), expiry);
    ctx.notify(Events::STRING, "set", key.bytes());
    if matches!(expiry, Expiry::At(_)) {
        ctx.notify(Events::GENERIC, "expire", key.bytes());
    }
    ctx.changed(1);
}
