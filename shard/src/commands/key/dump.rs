//! Values as bytes that another server can take in: DUMP and RESTORE.

use net::{Args, Reply};
use storage::snapshot::{RestoreError, dump as dump_value, restore as restore_value};
use storage::{Access, Detached, Key, UnixMillis};

use crate::commands::parse::{is_word, parse_i64};
use crate::config::types::events::Events;
use crate::exec::error::{BUSY_KEY, DUMP_CHECKSUM, DUMP_FORMAT, INVALID_FREQ, INVALID_IDLETIME, INVALID_TTL, SYNTAX};
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::journal::Word;
use crate::spec::{Argument, ArgumentKind, Arity, Categories, Category, Command, Docs, Flag, Flags, KeyFlag, KeySpec};

/// DUMP key
pub const DUMP: Command = Command {
    name: "dump",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Readonly]),
    categories: Categories::of(&[Category::Keyspace]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])],
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Returns what is stored at a key as bytes that RESTORE takes.",
        since: "2.6.0",
        complexity: "O(N*M) where N is the number of elements in the value and M their average size",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(dump),
    ..Command::BLANK
};

/// RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]
pub const RESTORE: Command = Command {
    name: "restore",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    categories: Categories::of(&[Category::Keyspace, Category::Dangerous]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ow, KeyFlag::Update])],
    docs: Docs {
        summary: "Makes a key of what DUMP returned.",
        since: "2.6.0",
        complexity: "O(N*M) where N is the number of elements in the value and M their average size; \
                     O(N*M*log(N)) for a sorted set",
        history: &[
            ("3.0.0", "Option `REPLACE`."),
            ("5.0.0", "Option `ABSTTL`."),
            ("5.0.0", "Options `IDLETIME` and `FREQ`."),
        ],
        arguments: &[
            Argument::key("key"),
            Argument::new("ttl", ArgumentKind::Integer),
            Argument::new("serialized-value", ArgumentKind::String),
            Argument::word("replace", "REPLACE").since("3.0.0").optional(),
            Argument::word("absttl", "ABSTTL").since("5.0.0").optional(),
            Argument::new("seconds", ArgumentKind::Integer).after("IDLETIME").since("5.0.0").optional(),
            Argument::new("frequency", ArgumentKind::Integer).after("FREQ").since("5.0.0").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(restore),
    ..Command::BLANK
};

fn dump(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    match ctx.read(args.at(1)) {
        Some(entry) => reply.bulk(&dump_value(entry.value())),
        None => reply.null(),
    }
    Ok(())
}

/// The options of RESTORE.
#[derive(Default)]
struct Options {
    replace: bool,
    absolute: bool,
    idle_seconds: Option<i64>,
    frequency: Option<u8>,
}

impl Options {
    fn parse<'a>(mut words: impl Iterator<Item = &'a [u8]>) -> Result<Options, CommandError> {
        let mut options = Options::default();
        while let Some(word) = words.next() {
            if is_word(word, "REPLACE") {
                options.replace = true;
            } else if is_word(word, "ABSTTL") {
                options.absolute = true;
            } else if is_word(word, "IDLETIME") && options.frequency.is_none() {
                let seconds = parse_i64(words.next().ok_or(SYNTAX)?)?;
                options.idle_seconds = Some(seconds).filter(|&seconds| seconds >= 0);
                options.idle_seconds.ok_or(INVALID_IDLETIME)?;
            } else if is_word(word, "FREQ") && options.idle_seconds.is_none() {
                let frequency = parse_i64(words.next().ok_or(SYNTAX)?)?;
                options.frequency = Some(u8::try_from(frequency).map_err(|_| INVALID_FREQ)?);
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(options)
    }

    /// The access bits of the new key: as asked for, if the policy keeps that kind.
    fn access(&self, ctx: &Ctx<'_>) -> Access {
        let (now, lfu) = (ctx.now(), ctx.config().maxmemory_policy.is_lfu());
        match (self.frequency, self.idle_seconds) {
            (Some(frequency), _) if lfu => Access::lfu(now, frequency),
            // The clock of access bits goes round: what was idle longer than that is as idle as can be.
            (_, Some(seconds)) if !lfu => Access::lru_idle(now, seconds.min(IDLE_SECONDS_MAX) as u32),
            _ => ctx.new_access(),
        }
    }
}

/// The longest time that access bits tell.
const IDLE_SECONDS_MAX: i64 = (1 << 24) - 1;

fn restore(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let options = Options::parse(args.from(4))?;
    let key = Key::new(args.at(1));
    if !options.replace && ctx.write(key).is_some() {
        return Err(BUSY_KEY);
    }
    let ttl = parse_i64(args.at(2))?;
    if ttl < 0 {
        return Err(INVALID_TTL);
    }
    let value = restore_value(args.at(3), ctx.shard.check_sums, &ctx.shard.limits).map_err(|error| match error {
        RestoreError::VersionOrChecksum => DUMP_CHECKSUM,
        RestoreError::BadFormat { offset, fault } => {
            tracing::warn!("Internal error in RDB reading offset {offset} -> {fault}");
            DUMP_FORMAT
        }
    })?;
    let replaced = options.replace && ctx.remove(key);
    // A time beyond all times wraps around and is past, as in Redis.
    let at = if options.absolute { ttl } else { ttl.wrapping_add(ctx.now().0) };
    let expire_at = (ttl != 0).then_some(UnixMillis(at));
    if expire_at.is_some_and(|at| at <= ctx.judged_at()) {
        if replaced {
            ctx.notify(Events::GENERIC, "del", key.bytes());
        }
        ctx.changed(usize::from(replaced));
        if replaced {
            ctx.effect_removed(key.bytes());
        }
    } else {
        let access = options.access(ctx);
        ctx.put(key, Detached { value, expire_at, access });
        ctx.notify(Events::NEW, "new", key.bytes());
        ctx.notify(Events::GENERIC, "restore", key.bytes());
        ctx.changed(1);
        if expire_at.is_some() && !options.absolute {
            tell_restored(ctx, args, at);
        }
    }
    reply.ok();
    Ok(())
}

/// Tells what was restored, with the time at which it expires in place of the time until then.
fn tell_restored(ctx: &mut Ctx<'_>, args: &Args<'_>, at: i64) {
    let mut words: Vec<Word<'_>> = args.from(0).map(Word::from).collect();
    words[2] = at.into();
    words.push("ABSTTL".into());
    ctx.effect(args.at(1), &words);
}
