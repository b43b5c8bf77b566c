//! XSETID: the counters of a stream, as a replica or a snapshot sets them.

use net::{Args, Reply};
use storage::types::stream::{SetIdError, Stream, StreamId};

use super::error::{ADDED_BELOW_LENGTH, BELOW_GIVEN_MAX_DELETED, BELOW_MAX_DELETED, BELOW_TOP, NEGATIVE_ENTRIES_ADDED};
use super::parse::parse_id;
use crate::commands::parse::{is_word, parse_i64};
use crate::config::types::events::Events;
use crate::exec::error::{NO_SUCH_KEY, SYNTAX};
use crate::exec::{CommandError, Ctx, Outcome, Run, Tools};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]
pub const XSETID: Command = Command {
    name: "xsetid",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Update])],
    docs: Docs {
        summary: "Sets the last id of a stream and its counters, for internal use.",
        since: "5.0.0",
        group: Group::Stream,
        history: &[("7.0.0", "Added the `entries_added` and `max_deleted_entry_id` arguments.")],
        arguments: &[
            Argument::key("key"),
            Argument::new("last-id", ArgumentKind::String),
            Argument::new("entries_added", ArgumentKind::Integer).after("ENTRIESADDED").since("7.0.0").optional(),
            Argument::new("max_deleted_entry_id", ArgumentKind::String).after("MAXDELETEDID").since("7.0.0").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(xsetid),
    ..Command::BLANK
};

fn xsetid(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let last_id = parse_id(args.at(2))?;
    let (mut entries_added, mut max_deleted_id) = (None, None);
    let mut options = args.from(3);
    while let Some(word) = options.next() {
        let value = options.next().ok_or(SYNTAX)?;
        if is_word(word, "ENTRIESADDED") {
            entries_added = Some(u64::try_from(parse_i64(value)?).map_err(|_| NEGATIVE_ENTRIES_ADDED)?);
        } else if is_word(word, "MAXDELETEDID") {
            let id = parse_id(value)?;
            if last_id < id {
                return Err(BELOW_GIVEN_MAX_DELETED);
            }
            max_deleted_id = Some(id).filter(|&id| id != StreamId::MIN);
        } else {
            return Err(SYNTAX);
        }
    }
    let key = args.at(1);
    let set = |stream: &mut Stream, _: &mut Tools<'_>| stream.set_last_id(last_id, entries_added, max_deleted_id);
    ctx.edit_unnoticed(key, set)?.ok_or(NO_SUCH_KEY)?.map_err(set_id_error)?;
    reply.ok();
    ctx.signal(key);
    ctx.changed(1);
    ctx.notify(Events::STREAM, "xsetid", key);
    Ok(())
}

const fn set_id_error(error: SetIdError) -> CommandError {
    match error {
        SetIdError::BelowMaxDeleted => BELOW_MAX_DELETED,
        SetIdError::BelowTop => BELOW_TOP,
        SetIdError::AddedBelowLength => ADDED_BELOW_LENGTH,
    }
}
