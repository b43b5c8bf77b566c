//! DEBUG HTSTATS-KEY, LISTPACK and QUICKLIST: how the elements of one collection lie in memory.
//!
//! The first answers with what it found. The others reply that they have printed it, as Redis does; where the server
//! prints is its log.

use std::fmt::Write as _;

use net::{Args, Reply};
use storage::{HashShape, Value};

use super::inspect::only_answer;
use super::{Word, is_on};
use crate::exec::error::NO_SUCH_KEY;
use crate::exec::{CommandError, Ctx, Merge, Outcome, Run};

const NO_HASH_TABLE: CommandError =
    CommandError::new("ERR The value stored at the specified key is not represented using an hash table");
const NO_LISTPACK: CommandError = CommandError::new("ERR Not a listpack encoded object.");
const NO_QUICKLIST: CommandError = CommandError::new("ERR Not a quicklist encoded object.");

pub(super) const HTSTATS_KEY: Word = Word {
    name: "HTSTATS-KEY",
    usage: "<key>",
    summary: "Tells the shape of the hash table behind the key's value.",
    arguments: 3..=3,
    run: Run::AllShards { part: table, merge: Merge::With(only_answer) },
};

pub(super) const LISTPACK: Word = Word {
    name: "LISTPACK",
    usage: "<key>",
    summary: "Logs the elements of the listpack that the key's value is.",
    arguments: 3..=3,
    run: Run::AllShards { part: listpack, merge: Merge::With(only_answer) },
};

pub(super) const QUICKLIST: Word = Word {
    name: "QUICKLIST",
    usage: "<key> [<0|1>]",
    summary: "Logs the nodes of the list, with 1 their elements, too.",
    arguments: 3..=4,
    run: Run::AllShards { part: quicklist, merge: Merge::With(only_answer) },
};

/// What `tell` makes of the key's value, as it lies in memory, even if its time is past. On other shards than the key's
/// nothing is told.
fn told<T>(
    ctx: &Ctx<'_>,
    args: &Args<'_>,
    otherwise: CommandError,
    tell: impl FnOnce(Value<'_>) -> Option<T>,
) -> Result<Option<T>, CommandError> {
    let key = args.at(2);
    if !ctx.shard.owns(key) {
        return Ok(None);
    }
    let entry = ctx.shard.databases[ctx.db.index()].find(key).ok_or(NO_SUCH_KEY)?;
    tell(entry.value()).map(Some).ok_or(otherwise)
}

#[expect(clippy::redundant_closure_for_method_calls, reason = "the method is of one lifetime of the value")]
fn table(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    if let Some(shape) = told(ctx, args, NO_HASH_TABLE, |value| value.hash_shape())? {
        reply.verbatim("txt", describe(&shape).as_bytes());
    }
    Ok(())
}

#[expect(clippy::redundant_closure_for_method_calls, reason = "the method is of one lifetime of the value")]
fn listpack(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    if let Some(text) = told(ctx, args, NO_LISTPACK, |value| value.describe_listpack())? {
        tracing::warn!("DEBUG LISTPACK: {text}");
        reply.simple("Listpack structure printed on stdout");
    }
    Ok(())
}

fn quicklist(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let elements = args.get(3).is_some_and(is_on);
    if let Some(text) = told(ctx, args, NO_QUICKLIST, |value| value.describe_nodes(elements))? {
        tracing::warn!("DEBUG QUICKLIST: {text}");
        reply.simple("Quicklist structure printed on stdout");
    }
    Ok(())
}

/// A table has no chains: the members for which a search begins at one place lie side by side. They are counted as the
/// length of a chain would be.
pub(super) fn describe(shape: &HashShape) -> String {
    let HashShape { members, segments, places } = shape;
    let size: usize = places.iter().sum();
    let used: usize = places.iter().skip(1).sum();
    let average = |count: usize| if count == 0 { 0.0 } else { *members as f64 / count as f64 };
    let mut text = format!(
        "Hash table 0 stats (main hash table):\n table size: {size}\n number of elements: {members}\n segments: \
         {segments}\n different slots: {used}\n max chain length: {}\n avg chain length (counted): {:.2}\n avg chain \
         length (computed): {:.2}\n Chain length distribution:\n",
        places.len().saturating_sub(1),
        average(used),
        average(used),
    );
    for (length, count) in places.iter().enumerate().filter(|(_, count)| **count > 0) {
        let share = *count as f64 * 100.0 / size as f64;
        writeln!(text, "   {length}: {count} ({share:.2}%)").expect("a String takes any text");
    }
    text
}
