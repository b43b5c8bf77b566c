//! Telling when a key expires.

use net::{Args, Reply};

use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, Arity, Categories, Category, Command, Docs, Flag, Flags, KeyFlag, KeySpec};

const FLAGS: Flags = Flags::of(&[Flag::Readonly, Flag::Fast]);

const KEYS: &[KeySpec] = &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])];

const HISTORY: &[(&str, &str)] = &[("2.8.0", "Replies -2 for a missing key.")];

/// TTL key
pub const TTL: Command = Command {
    name: "ttl",
    arity: Arity::Exactly(2),
    flags: FLAGS,
    categories: Categories::of(&[Category::Keyspace]),
    keys: KEYS,
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Tells how many seconds a key has to live.",
        since: "1.0.0",
        complexity: "O(1)",
        history: HISTORY,
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(ttl),
    ..Command::BLANK
};

/// PTTL key
pub const PTTL: Command = Command {
    name: "pttl",
    arity: Arity::Exactly(2),
    flags: FLAGS,
    categories: Categories::of(&[Category::Keyspace]),
    keys: KEYS,
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Tells how many milliseconds a key has to live.",
        since: "2.6.0",
        complexity: "O(1)",
        history: HISTORY,
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(pttl),
    ..Command::BLANK
};

/// EXPIRETIME key
pub const EXPIRETIME: Command = Command {
    name: "expiretime",
    arity: Arity::Exactly(2),
    flags: FLAGS,
    categories: Categories::of(&[Category::Keyspace]),
    keys: KEYS,
    docs: Docs {
        summary: "Tells when a key expires, in seconds since 1970.",
        since: "7.0.0",
        complexity: "O(1)",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(expiretime),
    ..Command::BLANK
};

/// PEXPIRETIME key
pub const PEXPIRETIME: Command = Command {
    name: "pexpiretime",
    arity: Arity::Exactly(2),
    flags: FLAGS,
    categories: Categories::of(&[Category::Keyspace]),
    keys: KEYS,
    docs: Docs {
        summary: "Tells when a key expires, in milliseconds since 1970.",
        since: "7.0.0",
        complexity: "O(1)",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(pexpiretime),
    ..Command::BLANK
};

/// The reply for a key that is not there.
const MISSING: i64 = -2;

/// The reply for a key that does not expire.
const PERSISTENT: i64 = -1;

fn ttl(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let now = ctx.now().0;
    answer(ctx, args, reply, |at| seconds(time_left(at, now)))
}

fn pttl(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let now = ctx.now().0;
    answer(ctx, args, reply, |at| time_left(at, now))
}

fn expiretime(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    answer(ctx, args, reply, seconds)
}

fn pexpiretime(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    answer(ctx, args, reply, |at| at)
}

/// Replies with what `tell` makes of the time at which the key expires, in milliseconds since 1970.
fn answer(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>, tell: impl FnOnce(i64) -> i64) -> Outcome {
    reply.integer(match ctx.look(args.at(1)).map(|entry| entry.expire_at()) {
        None => MISSING,
        Some(None) => PERSISTENT,
        Some(Some(at)) => tell(at.0),
    });
    Ok(())
}

/// A key in its last millisecond has none left.
fn time_left(at: i64, now: i64) -> i64 {
    at.saturating_sub(now).max(0)
}

/// To the nearest second.
fn seconds(millis: i64) -> i64 {
    millis.saturating_add(500) / 1000
}
