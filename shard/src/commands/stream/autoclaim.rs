//! XAUTOCLAIM: walking over pending entries, and claiming those that have been idle for long.

use net::{Args, Reply};
use storage::types::stream::{Claim, Stream};

use super::claim::{consumer_of, note_created, parse_argument};
use super::error::{INVALID_COUNT, no_key_or_group};
use super::parse::parse_start;
use super::reply::{Elements, put_entry, put_id, put_ids};
use super::told::{Place, tell_claims, tell_consumer};
use crate::commands::parse::is_word;
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{self, Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, KeyFlag, KeySpec};

/// XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]
pub const XAUTOCLAIM: Command = Command {
    name: "xautoclaim",
    arity: Arity::AtLeast(6),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Delete])],
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Gives pending entries that have been idle for some time to another consumer.",
        since: "6.2.0",
        group: spec::Group::Stream,
        complexity: "O(1) if COUNT is small.",
        history: &[(
            "7.0.0",
            "Added an element to the reply array, containing deleted entries the command cleared from the PEL",
        )],
        arguments: &[
            Argument::key("key"),
            Argument::new("group", ArgumentKind::String),
            Argument::new("consumer", ArgumentKind::String),
            Argument::new("min-idle-time", ArgumentKind::String),
            Argument::new("start", ArgumentKind::String),
            Argument::new("count", ArgumentKind::Integer).after("COUNT").optional(),
            Argument::word("justid", "JUSTID").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(xautoclaim),
    ..Command::BLANK
};

/// Entries that a call claims, if nothing else is said.
const COUNT_DEFAULT: usize = 100;
/// So that the ids of all of them, 16 bytes each, can be counted in 63 bits.
const COUNT_MAX: i64 = i64::MAX / 16;

fn parse_options<'a>(mut options: impl Iterator<Item = &'a [u8]>) -> Result<(usize, bool), CommandError> {
    let (mut count, mut just_id) = (COUNT_DEFAULT, false);
    while let Some(word) = options.next() {
        if is_word(word, "JUSTID") {
            just_id = true;
            continue;
        }
        let value = options.next().filter(|_| is_word(word, "COUNT")).ok_or(SYNTAX)?;
        let number = storage::number::parse_i64(value).filter(|number| (1..=COUNT_MAX).contains(number));
        count = number.ok_or(INVALID_COUNT)? as usize;
    }
    Ok((count, just_id))
}

fn xautoclaim(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, group, now) = (args.at(1), args.at(2), ctx.now());
    let idle_min = parse_argument(args.at(4), "min-idle-time", "XAUTOCLAIM")?.max(0);
    let start = parse_start(args.at(5))?;
    let (count, just_id) = parse_options(args.from(6))?;
    let missing = || no_key_or_group(key, group);
    ctx.read_as::<Stream>(key)?.and_then(|stream| stream.group(group)).ok_or_else(missing)?;
    let (resp, mut entries) = (reply.resp(), Elements::default());
    let outcome = ctx.edit_unnoticed(key, |stream: &mut Stream, _| {
        let (consumer, created) = consumer_of(stream, group, args.at(3), now);
        let claim = Claim { consumer, idle_min, delivered: now, deliveries: None, just_id, force: false };
        let result = stream.auto_claim(group, start, count, &claim, now);
        for &id in &result.claimed {
            if just_id {
                entries.put(resp, |reply| put_id(reply, id));
            } else {
                let entry = stream.entry(id).expect("only entries that are there are claimed");
                entries.put(resp, |reply| put_entry(reply, &entry));
            }
        }
        (result, created)
    })?;
    let (result, created) = outcome.expect("the stream was there just now");
    note_created(ctx, key, created);
    ctx.changed(result.claimed.len() + result.deleted.len());
    let place = Place { key, group, consumer: args.at(3) };
    if created {
        tell_consumer(ctx, place);
    }
    tell_claims(ctx, place, &result.claimed);
    tell_claims(ctx, place, &result.deleted);
    reply.array(3);
    put_id(reply, result.next);
    entries.put_array(reply);
    put_ids(reply, &result.deleted);
    Ok(())
}
