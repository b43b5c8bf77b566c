//! OBJECT: what the server knows of a key besides its value.

use net::{Args, Reply};
use storage::keyspace::LfuSettings;
use storage::{Entry, Value};

use crate::commands::help;
use crate::config::Config;
use crate::exec::error::{NO_FREQUENCIES, NO_IDLE_TIMES};
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, Arity, Categories, Category, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const KEYSPACE: Categories = Categories::of(&[Category::Keyspace]);

/// OBJECT subcommand
pub const OBJECT: Command = Command {
    name: "object",
    arity: Arity::AtLeast(2),
    docs: Docs {
        summary: "Commands that tell what the server knows of a key besides its value.",
        since: "2.2.3",
        complexity: "Depends on the subcommand.",
        ..Docs::BLANK
    },
    subcommands: &[
        ENCODING,
        FREQ,
        Command { categories: KEYSPACE, ..help::command(Group::Generic, "6.2.0") },
        IDLETIME,
        REFCOUNT,
    ],
    run: Run::Container,
    ..Command::BLANK
};

/// What the subcommands about a key have in common.
const ABOUT_KEY: Command = Command {
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Readonly]),
    categories: KEYSPACE,
    keys: &[KeySpec::one(2, &[KeyFlag::Ro])],
    tips: &["nondeterministic_output"],
    ..Command::BLANK
};

const ABOUT_KEY_DOCS: Docs =
    Docs { since: "2.2.3", complexity: "O(1)", arguments: &[Argument::key("key")], ..Docs::BLANK };

const ENCODING: Command = Command {
    name: "encoding",
    docs: Docs { summary: "Names the form in which the value of a key is kept.", ..ABOUT_KEY_DOCS },
    run: Run::Shard(encoding),
    ..ABOUT_KEY
};

const FREQ: Command = Command {
    name: "freq",
    docs: Docs {
        summary: "Tells how often a key is used, on a logarithmic scale up to 255.",
        since: "4.0.0",
        ..ABOUT_KEY_DOCS
    },
    run: Run::Shard(freq),
    ..ABOUT_KEY
};

const IDLETIME: Command = Command {
    name: "idletime",
    docs: Docs { summary: "Tells for how many seconds a key has not been used.", ..ABOUT_KEY_DOCS },
    run: Run::Shard(idletime),
    ..ABOUT_KEY
};

const REFCOUNT: Command = Command {
    name: "refcount",
    docs: Docs { summary: "Tells how many references there are to the value of a key.", ..ABOUT_KEY_DOCS },
    run: Run::Shard(refcount),
    ..ABOUT_KEY
};

/// References to a small integer, which Redis keeps once for all keys.
const SHARED_REFERENCES: i64 = i32::MAX as i64;

/// How many integers, from nought on, Redis shares.
const SHARED_INTEGERS: i64 = 10_000;

/// The key's entry, or null is the reply.
fn look<'c>(ctx: &'c mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Option<Entry<'c>> {
    let entry = ctx.inspect(args.at(2));
    if entry.is_none() {
        reply.null();
    }
    entry
}

fn encoding(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    if let Some(entry) = look(ctx, args, reply) {
        reply.bulk(entry.value().encoding_name().as_bytes());
    }
    Ok(())
}

fn freq(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (now, config) = (ctx.now(), ctx.config());
    let settings = LfuSettings { log_factor: config.lfu_log_factor, decay_minutes: config.lfu_decay_time };
    let tracked = config.maxmemory_policy.is_lfu();
    let Some(entry) = look(ctx, args, reply) else { return Ok(()) };
    check(tracked, NO_FREQUENCIES)?;
    reply.integer(i64::from(entry.access().frequency(now, settings)));
    Ok(())
}

fn idletime(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (now, tracked) = (ctx.now(), !ctx.config().maxmemory_policy.is_lfu());
    let Some(entry) = look(ctx, args, reply) else { return Ok(()) };
    check(tracked, NO_IDLE_TIMES)?;
    reply.integer((entry.access().idle_millis(now) / 1000) as i64);
    Ok(())
}

/// A missing key is answered with null whatever the policy tracks, so this is looked at behind the key.
fn check(tracked: bool, error: CommandError) -> Outcome {
    if tracked { Ok(()) } else { Err(error) }
}

fn refcount(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let shares = shares_integers(ctx.config());
    let Some(entry) = look(ctx, args, reply) else { return Ok(()) };
    let number = match entry.value() {
        Value::String(string) => string.stored_int(),
        _ => None,
    };
    let shared = shares && number.is_some_and(|number| (0..SHARED_INTEGERS).contains(&number));
    reply.integer(if shared { SHARED_REFERENCES } else { 1 });
    Ok(())
}

/// A shared value could not say when it was used for which key, so it depends on the policy.
fn shares_integers(config: &Config) -> bool {
    let policy = config.maxmemory_policy;
    config.maxmemory_bytes() == 0 || !(policy.is_lru() || policy.is_lfu())
}
