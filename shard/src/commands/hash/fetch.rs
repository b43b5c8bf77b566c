//! Reading fields and changing them in one.

use net::{Args, Reply};
use storage::UnixMillis;
use storage::types::hash::Hash;

use super::fields::{self, Condition, Expired, FIELD_COUNT, FIELDS, TIMES};
use super::persist::{Persisted, persist_field};
use super::read::value_of;
use super::write::tell_removed;
use crate::commands::parse::{Time, is_word};
use crate::config::types::events::Events;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const FLAGS: Flags = Flags::of(&[Flag::Write, Flag::Fast]);

/// HGETDEL key FIELDS numfields field [field ...]
pub const HGETDEL: Command = Command {
    name: "hgetdel",
    arity: Arity::AtLeast(5),
    flags: FLAGS,
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete])],
    docs: Docs {
        summary: "Returns the values of fields of a hash and removes the fields.",
        since: "8.0.0",
        group: Group::Hash,
        complexity: "O(N) where N is the number of fields",
        arguments: &[Argument::key("key"), FIELDS],
        ..Docs::BLANK
    },
    run: Run::Shard(hgetdel),
    ..Command::BLANK
};

/// HGETEX key [EX seconds | PX milliseconds | EXAT time | PXAT time | PERSIST] FIELDS numfields field [field ...]
pub const HGETEX: Command = Command {
    name: "hgetex",
    arity: Arity::AtLeast(5),
    flags: FLAGS,
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Update])
        .noting("RW and UPDATE for the expiries that it may change")],
    docs: Docs {
        summary: "Returns the values of fields of a hash and sets or removes the fields' expiry.",
        since: "8.0.0",
        group: Group::Hash,
        complexity: "O(N) where N is the number of fields",
        arguments: &[
            Argument::key("key"),
            Argument::new(
                "expiration",
                ArgumentKind::OneOf(&[
                    Argument::new("seconds", ArgumentKind::Integer).after("EX"),
                    Argument::new("milliseconds", ArgumentKind::Integer).after("PX"),
                    Argument::new("unix-time-seconds", ArgumentKind::UnixTime).after("EXAT"),
                    Argument::new("unix-time-milliseconds", ArgumentKind::UnixTime).after("PXAT"),
                    Argument::word("persist", "PERSIST"),
                ]),
            )
            .optional(),
            FIELDS,
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(hgetex),
    ..Command::BLANK
};

fn hgetdel(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, now) = (args.at(1), ctx.judged_at());
    ctx.peek_as::<Hash>(key)?;
    let fields = fields::parse(args, 2, FIELD_COUNT)?;
    reply.array(fields.len());
    let mut removed = 0;
    let gone = ctx.edit(key, |hash: &mut Hash, _| {
        for field in fields.from(0) {
            hash.remove_if_expired(field, now);
            value_of(Some(hash.as_ref()), field, reply);
            removed += usize::from(hash.remove(field));
        }
        hash.as_ref().is_empty()
    })?;
    if gone.is_none() {
        fields.from(0).for_each(|_| reply.null());
    }
    tell_removed(ctx, key, removed, gone == Some(true));
    ctx.changed(removed);
    if removed > 0 {
        fields::tell_removed_fields(ctx, key, &fields.from(0).collect::<Vec<_>>());
    }
    Ok(())
}

/// What becomes of the expiry of the fields that HGETEX reads.
#[derive(Clone, Copy)]
enum Lifetime {
    Keep,
    Persist,
    Until(UnixMillis),
}

impl Lifetime {
    /// Reads it from argument 2 on; also tells where the fields begin behind it.
    fn parse(args: &Args<'_>, now: UnixMillis) -> Result<(Lifetime, usize), CommandError> {
        if is_word(args.at(2), "PERSIST") {
            return Ok((Lifetime::Persist, 3));
        }
        let Some(&(_, unit, since)) = TIMES.iter().find(|(word, _, _)| is_word(args.at(2), word)) else {
            return Ok((Lifetime::Keep, 2));
        };
        let at = fields::deadline(Time { number: args.at(3), unit, since }, now, "hgetex")?;
        Ok((Lifetime::Until(at), 4))
    }
}

fn hgetex(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, now) = (args.at(1), ctx.judged_at());
    ctx.peek_as::<Hash>(key)?;
    let (lifetime, place) = Lifetime::parse(args, ctx.now())?;
    let fields = fields::parse(args, place, FIELD_COUNT)?;
    reply.array(fields.len());
    let (mut changed, mut removed) = (0, 0);
    let gone = fields::edit(ctx, key, |hash, _| {
        for field in fields.from(0) {
            value_of(Some(hash.as_ref().live_at(now)), field, reply);
            match lifetime {
                Lifetime::Keep => {}
                Lifetime::Persist => {
                    changed += usize::from(persist_field(hash, field, now) == Persisted::Cleared);
                }
                Lifetime::Until(at) => match fields::expire_field(hash, field, at, Condition::Always, now) {
                    Expired::Set => changed += 1,
                    Expired::Removed => removed += 1,
                    Expired::Missing | Expired::Refused => {}
                },
            }
        }
        hash.as_ref().is_empty()
    })?;
    if gone.is_none() {
        fields.from(0).for_each(|_| reply.null());
    }
    if changed > 0 {
        let event = if matches!(lifetime, Lifetime::Persist) { "hpersist" } else { "hexpire" };
        ctx.notify(Events::HASH, event, key);
    }
    tell_removed(ctx, key, removed, gone == Some(true));
    ctx.changed(changed + removed);
    if changed + removed > 0 {
        let fields: Vec<&[u8]> = fields.from(0).collect();
        match lifetime {
            Lifetime::Keep => {}
            Lifetime::Persist => fields::tell_fields(ctx, key, &["HPERSIST".into(), key.into()], &fields),
            Lifetime::Until(_) if removed > 0 => fields::tell_removed_fields(ctx, key, &fields),
            Lifetime::Until(at) => fields::tell_expiring(ctx, key, at, &fields),
        }
    }
    Ok(())
}
