//! DEBUG OBJECT and HTSTATS: how keys lie in memory. DEBUG STRINGMATCH-LEN: which of them a pattern means.

use std::fmt::Write as _;

use net::{Args, Reply};
use storage::glob::{Case, glob_match};
use storage::number::parse_i64;
use storage::{TableStats, Value, snapshot};

use super::{Word, shares_of};
use crate::core::{Core, SessionCtx};
use crate::exec::error::{NO_SUCH_KEY, NOT_AN_INTEGER};
use crate::exec::{CommandError, Ctx, EverywhereCall, Merge, Outcome, Run, Share};

/// Bytes that DUMP adds to a value: its type, a version and a checksum.
const DUMP_FRAME_BYTES: usize = 1 + 2 + 8;

/// The references that Redis counts for the small integers that it shares among keys.
const SHARED_REFERENCES: u32 = i32::MAX as u32;

pub(super) const OBJECT: Word = Word {
    name: "OBJECT",
    usage: "<key>",
    summary: "Tells how the key's value is stored.",
    arguments: 3..=3,
    run: Run::AllShards { part: object, merge: Merge::With(only_answer) },
};

/// The shard that owns the key answers, the others say nothing.
fn object(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, now) = (args.at(2), ctx.now());
    if !ctx.shard.owns(key) {
        return Ok(());
    }
    // As it lies in memory, even if its time is past.
    let entry = ctx.shard.databases[ctx.db.index()].find(key).ok_or(NO_SUCH_KEY)?;
    let value = entry.value();
    let references = if is_small_integer(value) { SHARED_REFERENCES } else { 1 };
    let text = format!(
        "Value at:{:p} refcount:{references} encoding:{} serializedlength:{} lru:{} lru_seconds_idle:{}",
        entry.key().as_ptr(),
        value.encoding_name(),
        snapshot::dump(value).len() - DUMP_FRAME_BYTES,
        entry.access().bits(),
        entry.access().idle_millis(now) / 1000,
    );
    reply.simple(&text);
    Ok(())
}

fn is_small_integer(value: Value<'_>) -> bool {
    value.as_string().and_then(storage::StringRef::stored_int).is_some_and(|number| (0..10_000).contains(&number))
}

/// The answer of the one part that has any.
pub(super) fn only_answer(_: &Args<'_>, parts: &[&[u8]], reply: &mut Reply<'_>) -> Outcome {
    for part in parts {
        reply.raw(part);
    }
    Ok(())
}

pub(super) const STRINGMATCH_LEN: Word = Word {
    name: "STRINGMATCH-LEN",
    usage: "<pattern> <string>",
    summary: "Replies with 1 if the pattern matches the whole string, else with 0.",
    arguments: 4..=4,
    run: Run::Session(matches),
};

fn matches(_: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    reply.integer(i64::from(glob_match(args.at(2), args.at(3), Case::Sensitive)));
    Ok(())
}

pub(super) const HTSTATS: Word = Word {
    name: "HTSTATS",
    usage: "<dbid>",
    summary: "Tells the shape of the hash tables of a database, all shards together.",
    arguments: 3..=3,
    run: Run::Everywhere { check: check_db, share: table, merge: write_tables },
};

fn check_db(ctx: &mut SessionCtx<'_>, args: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    let db = parse_i64(args.at(2)).ok_or(NOT_AN_INTEGER)?;
    let databases = ctx.core.shard.databases.len();
    if usize::try_from(db).is_ok_and(|db| db < databases) {
        return Ok(());
    }
    Err(CommandError::new("ERR Out of range database"))
}

fn table(core: &mut Core, call: &EverywhereCall<'_>) -> Share {
    let db = parse_i64(call.args.at(2)).expect("it was checked before it was sent") as usize;
    let database = &core.shard.databases[db];
    Box::new((database.stats(), database.expires()))
}

fn write_tables(_: &mut SessionCtx<'_>, _: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let shares: Vec<(TableStats, usize)> = shares_of(shares).collect();
    let mut all = TableStats::default();
    for (stats, _) in &shares {
        all.entries += stats.entries;
        all.slots += stats.slots;
        all.segments += stats.segments;
        let lines = &mut all.lines_to_find;
        lines.resize(lines.len().max(stats.lines_to_find.len()), 0);
        lines.iter_mut().zip(&stats.lines_to_find).for_each(|(sum, more)| *sum += more);
    }
    let expires = shares.iter().map(|(_, expires)| expires).sum();
    reply.verbatim("txt", describe(&all, expires).as_bytes());
    Ok(())
}

/// Expiries stand in the entries, so their table is this one.
pub(super) fn describe(stats: &TableStats, expires: usize) -> String {
    let TableStats { entries, slots, segments, lines_to_find } = stats;
    let mut text = format!(
        "[Dictionary HT]\nHash table 0 stats (main hash table):\n table size: {slots}\n number of elements: {entries}\n \
         segments: {segments}\n"
    );
    if *entries > 0 {
        text.push_str(" Cache lines read to find an element:\n");
    }
    for (lines, count) in lines_to_find.iter().enumerate().filter(|(_, count)| **count > 0) {
        let share = *count as f64 * 100.0 / *entries as f64;
        writeln!(text, "   {}: {count} ({share:.2}%)", lines + 1).expect("a String takes any text");
    }
    writeln!(text, "[Expires HT]\n number of elements: {expires}").expect("a String takes any text");
    text
}
