//! XDEL, XDELEX and XACKDEL: removing single entries.

use net::{Args, Reply};
use storage::types::stream::{DeleteOutcome, References, Stream, StreamId};

use super::error::{INVALID_NUMIDS, NUMIDS_MISMATCH};
use super::parse::parse_ids;
use super::trim::{REFERENCES, references};
use crate::commands::parse::is_word;
use crate::config::types::events::Events;
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run, Tools};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// XDEL key id [id ...]
pub const XDEL: Command = Command {
    name: "xdel",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Delete])],
    docs: Docs {
        summary: "Removes entries from a stream and tells how many there were.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(1) for each entry, regardless of the length of the stream.",
        arguments: &[Argument::key("key"), Argument::new("id", ArgumentKind::String).multiple()],
        ..Docs::BLANK
    },
    run: Run::Shard(xdel),
    ..Command::BLANK
};

const IDS: Argument = Argument::new(
    "ids",
    ArgumentKind::Block(&[
        Argument::new("numids", ArgumentKind::Integer),
        Argument::new("id", ArgumentKind::String).multiple(),
    ]),
)
.after("IDS");

/// XDELEX key [KEEPREF | DELREF | ACKED] IDS numids id [id ...]
pub const XDELEX: Command = Command {
    name: "xdelex",
    arity: Arity::AtLeast(5),
    docs: Docs {
        summary: "Removes entries from a stream, as far as the groups that refer to them allow.",
        since: "8.2.0",
        arguments: &[Argument::key("key"), REFERENCES, IDS],
        ..XDEL.docs
    },
    run: Run::Shard(xdelex),
    ..XDEL
};

/// XACKDEL key group [KEEPREF | DELREF | ACKED] IDS numids id [id ...]
pub const XACKDEL: Command = Command {
    name: "xackdel",
    arity: Arity::AtLeast(6),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Update, KeyFlag::Delete])],
    docs: Docs {
        summary: "Acknowledges entries for a group, and removes them as far as other groups allow.",
        since: "8.2.0",
        arguments: &[Argument::key("key"), Argument::new("group", ArgumentKind::String), REFERENCES, IDS],
        ..XDEL.docs
    },
    run: Run::Shard(xackdel),
    ..XDEL
};

fn xdel(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let key = args.at(1);
    if ctx.peek_as::<Stream>(key)?.is_none() {
        reply.integer(0);
        return Ok(());
    }
    let ids = parse_ids(args.from(2))?;
    let delete = |stream: &mut Stream, _: &mut Tools<'_>| ids.iter().filter(|&&id| stream.delete(id)).count();
    let deleted = ctx.edit_unsignalled(key, delete)?.unwrap_or(0);
    note_deleted(ctx, key, deleted, deleted);
    reply.integer(deleted as i64);
    Ok(())
}

/// What XDELEX and XACKDEL are told. Ids are read only where there is something to delete them from.
struct Request<'a> {
    references: References,
    ids: Args<'a>,
}

impl<'a> Request<'a> {
    /// Reads the arguments from `at` on: one word at most on references, and ids, in any order. The last ids count.
    fn parse(args: &Args<'a>, mut at: usize) -> Result<Request<'a>, CommandError> {
        let (mut given, mut ids) = (None, None);
        while let Some(word) = args.get(at) {
            if let Some(references) = references(word).filter(|_| given.is_none()) {
                given = Some(references);
                at += 1;
                continue;
            }
            let count = args.get(at + 1).filter(|_| is_word(word, "IDS")).ok_or(SYNTAX)?;
            let count = storage::number::parse_i64(count).and_then(|count| usize::try_from(count).ok());
            let count = count.filter(|&count| count > 0).ok_or(INVALID_NUMIDS)?;
            let rest = args.skip(at + 2);
            if count > rest.len() {
                return Err(NUMIDS_MISMATCH);
            }
            ids = Some(rest.first(count));
            at += 2 + count;
        }
        Ok(Request { references: given.unwrap_or(References::Keep), ids: ids.ok_or(SYNTAX)? })
    }
}

fn xdelex(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let key = args.at(1);
    // A key of another type is told before anything else that is wrong.
    let is_there = ctx.peek_as::<Stream>(key)?.is_some();
    let request = Request::parse(args, 2)?;
    let outcomes = if is_there {
        let ids = parse_ids(request.ids.from(0))?;
        delete_each(ctx, key, &ids, |stream, id| stream.delete_with(id, request.references))?
    } else {
        None
    };
    put_outcomes(ctx, key, outcomes, request.ids.len(), reply);
    Ok(())
}

fn xackdel(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, group) = (args.at(1), args.at(2));
    let is_there = ctx.peek_as::<Stream>(key)?.is_some_and(|stream| stream.group(group).is_some());
    let request = Request::parse(args, 3)?;
    let outcomes = if is_there {
        let ids = parse_ids(request.ids.from(0))?;
        delete_each(ctx, key, &ids, |stream, id| stream.acknowledge_and_delete(group, id, request.references))?
    } else {
        None
    };
    put_outcomes(ctx, key, outcomes, request.ids.len(), reply);
    Ok(())
}

/// Tells each id to `delete`. To those who watch the stream that is a change if an entry has gone by it, not if references
/// alone have.
fn delete_each(
    ctx: &mut Ctx<'_>,
    key: &[u8],
    ids: &[StreamId],
    mut delete: impl FnMut(&mut Stream, StreamId) -> DeleteOutcome,
) -> Result<Option<Vec<DeleteOutcome>>, CommandError> {
    let deleted = ctx.edit_unnoticed(key, |stream: &mut Stream, _| -> (Vec<DeleteOutcome>, bool) {
        let before = stream.len();
        let outcomes = ids.iter().map(|&id| delete(stream, id)).collect();
        (outcomes, stream.len() < before)
    })?;
    let Some((outcomes, is_shorter)) = deleted else { return Ok(None) };
    if is_shorter {
        ctx.tell_changed(key);
    }
    Ok(Some(outcomes))
}

/// Writes what became of each id. Without a key, no id was there.
fn put_outcomes(
    ctx: &mut Ctx<'_>,
    key: &[u8],
    outcomes: Option<Vec<DeleteOutcome>>,
    ids: usize,
    reply: &mut Reply<'_>,
) {
    let outcomes = outcomes.unwrap_or_else(|| vec![DeleteOutcome::Missing; ids]);
    let deleted = outcomes.iter().filter(|&&outcome| outcome == DeleteOutcome::Deleted).count();
    // An entry that stays may have been acknowledged all the same.
    let touched = outcomes.iter().filter(|&&outcome| outcome != DeleteOutcome::Missing).count();
    reply.array(outcomes.len());
    for outcome in outcomes {
        reply.integer(match outcome {
            DeleteOutcome::Missing => -1,
            DeleteOutcome::Deleted => 1,
            DeleteOutcome::Referenced => 2,
        });
    }
    note_deleted(ctx, key, deleted, touched);
}

fn note_deleted(ctx: &mut Ctx<'_>, key: &[u8], deleted: usize, touched: usize) {
    if deleted > 0 {
        ctx.notify(Events::STREAM, "xdel", key);
    }
    ctx.changed(touched);
}
