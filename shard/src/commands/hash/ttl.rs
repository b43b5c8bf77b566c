//! When fields expire.

use net::{Args, Reply};
use storage::UnixMillis;
use storage::types::hash::Hash;

use super::fields::{self, FIELD_COUNT, FIELDS};
use super::read::read;
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const FLAGS: Flags = Flags::of(&[Flag::Readonly, Flag::Fast]);

const KEYS: &[KeySpec] = &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])];

const COMPLEXITY: &str = "O(N) where N is the number of fields";

const ARGUMENTS: &[Argument] = &[Argument::key("key"), FIELDS];

/// HTTL key FIELDS numfields field [field ...]
pub const HTTL: Command = Command {
    name: "httl",
    arity: Arity::AtLeast(5),
    flags: FLAGS,
    keys: KEYS,
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Returns in how many seconds fields of a hash expire.",
        since: "7.4.0",
        group: Group::Hash,
        complexity: COMPLEXITY,
        arguments: ARGUMENTS,
        ..Docs::BLANK
    },
    run: Run::Shard(httl),
    ..Command::BLANK
};

/// HPTTL key FIELDS numfields field [field ...]
pub const HPTTL: Command = Command {
    name: "hpttl",
    arity: Arity::AtLeast(5),
    flags: FLAGS,
    keys: KEYS,
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Returns in how many milliseconds fields of a hash expire.",
        since: "7.4.0",
        group: Group::Hash,
        complexity: COMPLEXITY,
        arguments: ARGUMENTS,
        ..Docs::BLANK
    },
    run: Run::Shard(hpttl),
    ..Command::BLANK
};

/// HEXPIRETIME key FIELDS numfields field [field ...]
pub const HEXPIRETIME: Command = Command {
    name: "hexpiretime",
    arity: Arity::AtLeast(5),
    flags: FLAGS,
    keys: KEYS,
    docs: Docs {
        summary: "Returns when fields of a hash expire, in seconds since 1970.",
        since: "7.4.0",
        group: Group::Hash,
        complexity: COMPLEXITY,
        arguments: ARGUMENTS,
        ..Docs::BLANK
    },
    run: Run::Shard(hexpiretime),
    ..Command::BLANK
};

/// HPEXPIRETIME key FIELDS numfields field [field ...]
pub const HPEXPIRETIME: Command = Command {
    name: "hpexpiretime",
    arity: Arity::AtLeast(5),
    flags: FLAGS,
    keys: KEYS,
    docs: Docs {
        summary: "Returns when fields of a hash expire, in milliseconds since 1970.",
        since: "7.4.0",
        group: Group::Hash,
        complexity: COMPLEXITY,
        arguments: ARGUMENTS,
        ..Docs::BLANK
    },
    run: Run::Shard(hpexpiretime),
    ..Command::BLANK
};

/// There is no such field.
const NO_FIELD: i64 = -2;

/// The field does not expire.
const NO_EXPIRY: i64 = -1;

fn httl(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let now = ctx.now();
    tell(ctx, args, |at| in_seconds(at.0 - now.0), reply)
}

fn hpttl(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let now = ctx.now();
    tell(ctx, args, |at| at.0 - now.0, reply)
}

fn hexpiretime(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    tell(ctx, args, |at| in_seconds(at.0), reply)
}

fn hpexpiretime(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    tell(ctx, args, |at| at.0, reply)
}

/// Rounded up, other than with keys: a field that is there has a second left.
const fn in_seconds(millis: i64) -> i64 {
    (millis + 999) / 1000
}

/// Tells of each field what `measure` makes of its expiry.
fn tell(ctx: &mut Ctx<'_>, args: &Args<'_>, measure: impl Fn(UnixMillis) -> i64, reply: &mut Reply<'_>) -> Outcome {
    ctx.peek_as::<Hash>(args.at(1))?;
    let fields = fields::parse(args, 2, FIELD_COUNT)?;
    let hash = read(ctx, args.at(1))?;
    reply.array(fields.len());
    for field in fields.from(0) {
        reply.integer(match hash.and_then(|hash| hash.field(field)).map(|found| found.expire_at) {
            None => NO_FIELD,
            Some(None) => NO_EXPIRY,
            Some(Some(at)) => measure(at),
        });
    }
    Ok(())
}
