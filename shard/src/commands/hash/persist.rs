//! Taking the expiry of fields away.

use net::{Args, Reply};
use storage::UnixMillis;
use storage::types::hash::Hash;

use super::fields::{self, FIELD_COUNT, FIELDS};
use crate::config::types::events::Events;
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// HPERSIST key FIELDS numfields field [field ...]
pub const HPERSIST: Command = Command {
    name: "hpersist",
    arity: Arity::AtLeast(5),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Update])],
    docs: Docs {
        summary: "Makes fields of a hash not expire.",
        since: "7.4.0",
        group: Group::Hash,
        complexity: "O(N) where N is the number of fields",
        arguments: &[Argument::key("key"), FIELDS],
        ..Docs::BLANK
    },
    run: Run::Shard(hpersist),
    ..Command::BLANK
};

/// What became of the expiry of a field. The numbers are those of the reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub(super) enum Persisted {
    /// There is no such field.
    Missing = -2,
    /// The field had none.
    HadNone = -1,
    /// It is gone.
    Cleared = 1,
}

/// Makes a field not expire.
pub(super) fn persist_field(hash: &mut Hash, field: &[u8], now: UnixMillis) -> Persisted {
    hash.remove_if_expired(field, now);
    match hash.as_ref().field(field).map(|found| found.expire_at) {
        None => Persisted::Missing,
        Some(None) => Persisted::HadNone,
        Some(Some(_)) => {
            hash.set_field_expire(field, None);
            Persisted::Cleared
        }
    }
}

fn hpersist(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, now) = (args.at(1), ctx.judged_at());
    ctx.peek_as::<Hash>(key)?;
    let fields = fields::parse(args, 2, FIELD_COUNT)?;
    reply.array(fields.len());
    let mut cleared = 0;
    let there = ctx.edit(key, |hash: &mut Hash, _| {
        for field in fields.from(0) {
            let outcome = persist_field(hash, field, now);
            cleared += usize::from(outcome == Persisted::Cleared);
            reply.integer(outcome as i64);
        }
    })?;
    if there.is_none() {
        fields.from(0).for_each(|_| reply.integer(Persisted::Missing as i64));
    }
    if cleared > 0 {
        ctx.notify(Events::HASH, "hpersist", key);
        ctx.changed(1);
    }
    Ok(())
}
