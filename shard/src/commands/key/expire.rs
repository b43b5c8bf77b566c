//! Setting and removing the time at which a key expires.

use net::{Args, Reply};
use storage::UnixMillis;

use crate::commands::parse::{Since, Time, Unit, is_word};
use crate::config::types::events::Events;
use crate::exec::error::{EXPIRE_GT_AND_LT, EXPIRE_NX_AND_OTHERS, unsupported_option};
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Categories, Category, Command, Docs, Flag, Flags, KeyFlag, KeySpec};

const FLAGS: Flags = Flags::of(&[Flag::Write, Flag::Fast]);

const KEYS: &[KeySpec] = &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Update])];

const HISTORY: &[(&str, &str)] = &[("7.0.0", "Options `NX`, `XX`, `GT` and `LT`.")];

const CONDITION: Argument = Argument::new(
    "condition",
    ArgumentKind::OneOf(&[
        Argument::word("nx", "NX"),
        Argument::word("xx", "XX"),
        Argument::word("gt", "GT"),
        Argument::word("lt", "LT"),
    ]),
)
.since("7.0.0")
.optional();

/// EXPIRE key seconds [NX | XX | GT | LT]
pub const EXPIRE: Command = Command {
    name: "expire",
    arity: Arity::AtLeast(3),
    flags: FLAGS,
    categories: Categories::of(&[Category::Keyspace]),
    keys: KEYS,
    docs: Docs {
        summary: "Makes a key expire after some seconds.",
        since: "1.0.0",
        complexity: "O(1)",
        history: HISTORY,
        arguments: &[Argument::key("key"), Argument::new("seconds", ArgumentKind::Integer), CONDITION],
        ..Docs::BLANK
    },
    run: Run::Shard(expire),
    ..Command::BLANK
};

/// PEXPIRE key milliseconds [NX | XX | GT | LT]
pub const PEXPIRE: Command = Command {
    name: "pexpire",
    arity: Arity::AtLeast(3),
    flags: FLAGS,
    categories: Categories::of(&[Category::Keyspace]),
    keys: KEYS,
    docs: Docs {
        summary: "Makes a key expire after some milliseconds.",
        since: "2.6.0",
        complexity: "O(1)",
        history: HISTORY,
        arguments: &[Argument::key("key"), Argument::new("milliseconds", ArgumentKind::Integer), CONDITION],
        ..Docs::BLANK
    },
    run: Run::Shard(pexpire),
    ..Command::BLANK
};

/// EXPIREAT key unix-time-seconds [NX | XX | GT | LT]
pub const EXPIREAT: Command = Command {
    name: "expireat",
    arity: Arity::AtLeast(3),
    flags: FLAGS,
    categories: Categories::of(&[Category::Keyspace]),
    keys: KEYS,
    docs: Docs {
        summary: "Makes a key expire at a point in time, in seconds since 1970.",
        since: "1.2.0",
        complexity: "O(1)",
        history: HISTORY,
        arguments: &[Argument::key("key"), Argument::new("unix-time-seconds", ArgumentKind::UnixTime), CONDITION],
        ..Docs::BLANK
    },
    run: Run::Shard(expireat),
    ..Command::BLANK
};

/// PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]
pub const PEXPIREAT: Command = Command {
    name: "pexpireat",
    arity: Arity::AtLeast(3),
    flags: FLAGS,
    categories: Categories::of(&[Category::Keyspace]),
    keys: KEYS,
    docs: Docs {
        summary: "Makes a key expire at a point in time, in milliseconds since 1970.",
        since: "2.6.0",
        complexity: "O(1)",
        history: HISTORY,
        arguments: &[Argument::key("key"), Argument::new("unix-time-milliseconds", ArgumentKind::UnixTime), CONDITION],
        ..Docs::BLANK
    },
    run: Run::Shard(pexpireat),
    ..Command::BLANK
};

/// PERSIST key
pub const PERSIST: Command = Command {
    name: "persist",
    arity: Arity::Exactly(2),
    flags: FLAGS,
    categories: Categories::of(&[Category::Keyspace]),
    keys: KEYS,
    docs: Docs {
        summary: "Makes a key not expire.",
        since: "2.2.0",
        complexity: "O(1)",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(persist),
    ..Command::BLANK
};

fn expire(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    expire_at(ctx, args, "expire", Unit::Seconds, Since::Now, reply)
}

fn pexpire(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    expire_at(ctx, args, "pexpire", Unit::Milliseconds, Since::Now, reply)
}

fn expireat(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    expire_at(ctx, args, "expireat", Unit::Seconds, Since::Epoch, reply)
}

fn pexpireat(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    expire_at(ctx, args, "pexpireat", Unit::Milliseconds, Since::Epoch, reply)
}

/// Which expiries may be replaced.
#[derive(Clone, Copy, Debug, Default)]
struct Conditions {
    /// None at all.
    nx: bool,
    /// Some.
    xx: bool,
    /// An earlier one.
    gt: bool,
    /// A later one, or none.
    lt: bool,
}

impl Conditions {
    fn parse<'a>(words: impl Iterator<Item = &'a [u8]>) -> Result<Conditions, CommandError> {
        let mut conditions = Conditions::default();
        for word in words {
            let named = [
                ("NX", &mut conditions.nx),
                ("XX", &mut conditions.xx),
                ("GT", &mut conditions.gt),
                ("LT", &mut conditions.lt),
            ];
            let (_, flag) =
                named.into_iter().find(|(name, _)| is_word(word, name)).ok_or_else(|| unsupported_option(word))?;
            *flag = true;
        }
        match conditions {
            Conditions { nx: true, xx, gt, lt } if xx || gt || lt => Err(EXPIRE_NX_AND_OTHERS),
            Conditions { gt: true, lt: true, .. } => Err(EXPIRE_GT_AND_LT),
            _ => Ok(conditions),
        }
    }

    /// Whether `new` may come in place of `old`. No expiry is later than any other.
    fn admit(self, old: Option<UnixMillis>, new: UnixMillis) -> bool {
        !(self.nx && old.is_some()
            || self.xx && old.is_none()
            || self.gt && old.is_none_or(|old| new <= old)
            || self.lt && old.is_some_and(|old| new >= old))
    }
}

fn expire_at(
    ctx: &mut Ctx<'_>,
    args: &Args<'_>,
    command: &str,
    unit: Unit,
    since: Since,
    reply: &mut Reply<'_>,
) -> Outcome {
    let key = args.at(1);
    let (now, judged_at) = (ctx.now(), ctx.judged_at());
    let conditions = Conditions::parse(args.from(3))?;
    let deadline = Time { number: args.at(2), unit, since }.deadline_or_past(now, command)?;
    let admitted = match ctx.write(key) {
        Some(mut entry) if conditions.admit(entry.expire_at(), deadline) => {
            if deadline > judged_at {
                entry.set_expire(Some(deadline));
                ctx.notify(Events::GENERIC, "expire", key);
                ctx.effect(key, &["PEXPIREAT".into(), key.into(), deadline.0.into()]);
            } else {
                ctx.remove(key);
                ctx.notify(Events::GENERIC, "del", key);
                ctx.effect_removed(key);
            }
            ctx.changed(1);
            true
        }
        _ => false,
    };
    reply.integer(i64::from(admitted));
    Ok(())
}

fn persist(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let persisted = match ctx.write(args.at(1)) {
        Some(mut entry) if entry.expire_at().is_some() => {
            entry.set_expire(None);
            ctx.notify(Events::GENERIC, "persist", args.at(1));
            ctx.changed(1);
            true
        }
        _ => false,
    };
    reply.integer(i64::from(persisted));
    Ok(())
}
