//! XACK and XPENDING: what a group has delivered and nobody has acknowledged yet.

use net::{Args, Reply};
use storage::UnixMillis;
use storage::types::stream::{Group, Pending, Stream, StreamId};

use super::error::no_key_or_group;
use super::parse::{parse_count, parse_end, parse_ids, parse_start};
use super::reply::{Elements, put_id};
use crate::commands::parse::{is_word, parse_i64};
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{self, Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, KeyFlag, KeySpec};

/// XACK key group id [id ...]
pub const XACK: Command = Command {
    name: "xack",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Update])],
    docs: Docs {
        summary: "Acknowledges entries for a group, and tells how many of them were pending.",
        since: "5.0.0",
        group: spec::Group::Stream,
        complexity: "O(1) for each id.",
        arguments: &[
            Argument::key("key"),
            Argument::new("group", ArgumentKind::String),
            Argument::new("id", ArgumentKind::String).multiple(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(xack),
    ..Command::BLANK
};

/// XPENDING key group [[IDLE min-idle-time] start end count [consumer]]
pub const XPENDING: Command = Command {
    name: "xpending",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])],
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Tells what entries of a group are pending, in short or one by one.",
        since: "5.0.0",
        group: spec::Group::Stream,
        complexity: "O(N) with N being the number of entries returned, or looked at with `IDLE`; in short, O(N) with N \
                     being the number of consumers.",
        history: &[("6.2.0", "Added the `IDLE` option and exclusive range intervals.")],
        arguments: &[
            Argument::key("key"),
            Argument::new("group", ArgumentKind::String),
            Argument::new(
                "filters",
                ArgumentKind::Block(&[
                    Argument::new("min-idle-time", ArgumentKind::Integer).after("IDLE").since("6.2.0").optional(),
                    Argument::new("start", ArgumentKind::String),
                    Argument::new("end", ArgumentKind::String),
                    Argument::new("count", ArgumentKind::Integer),
                    Argument::new("consumer", ArgumentKind::String).optional(),
                ]),
            )
            .optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(xpending),
    ..Command::BLANK
};

fn xack(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (key, group) = (args.at(1), args.at(2));
    if ctx.read_as::<Stream>(key)?.is_none_or(|stream| stream.group(group).is_none()) {
        reply.integer(0);
        return Ok(());
    }
    let ids = parse_ids(args.from(3))?;
    let acknowledged = ctx.edit_unnoticed(key, |stream: &mut Stream, _| {
        stream.edit_group(group, |group| ids.iter().filter(|&&id| group.acknowledge(id)).count())
    })?;
    let acknowledged = acknowledged.flatten().unwrap_or(0);
    ctx.changed(acknowledged);
    reply.integer(acknowledged as i64);
    Ok(())
}

/// Which pending entries are to be told one by one.
struct Filter<'a> {
    idle_min: i64,
    start: StreamId,
    end: StreamId,
    count: usize,
    consumer: Option<&'a [u8]>,
}

impl<'a> Filter<'a> {
    /// Reads it; none if there are no arguments for it.
    fn parse(args: &Args<'a>) -> Result<Option<Filter<'a>>, CommandError> {
        if args.len() == 3 {
            return Ok(None);
        }
        if !(6..=9).contains(&args.len()) {
            return Err(SYNTAX);
        }
        let (mut at, mut idle_min) = (3, 0);
        if is_word(args.at(3), "IDLE") {
            idle_min = parse_i64(args.at(4))?;
            at = 5;
            if args.len() < 8 {
                return Err(SYNTAX);
            }
        }
        let count = parse_count(args.at(at + 2))?;
        let (start, end) = (parse_start(args.at(at))?, parse_end(args.at(at + 1))?);
        Ok(Some(Filter { idle_min, start, end, count, consumer: args.get(at + 3) }))
    }
}

fn xpending(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let filter = Filter::parse(args)?;
    let (key, name, now) = (args.at(1), args.at(2), ctx.now());
    let stream = ctx.read_as::<Stream>(key)?;
    let group = stream.and_then(|stream| stream.group(name)).ok_or_else(|| no_key_or_group(key, name))?;
    match filter {
        None => put_summary(group, reply),
        Some(filter) => put_filtered(group, &filter, now, reply),
    }
    Ok(())
}

/// `[count, smallest id, largest id, [[consumer, count] ...]]`
fn put_summary(group: &Group, reply: &mut Reply<'_>) {
    let summary = group.pending_summary();
    reply.array(4);
    reply.integer(summary.len as i64);
    let Some((first, last)) = summary.bounds else {
        reply.null();
        reply.null();
        reply.null_array();
        return;
    };
    put_id(reply, first);
    put_id(reply, last);
    let mut consumers = Elements::default();
    for (_, consumer) in group.consumers().filter(|(_, consumer)| consumer.pending_len() > 0) {
        consumers.put(reply.resp(), |reply| {
            reply.array(2);
            reply.bulk(consumer.name());
            reply.bulk_integer(consumer.pending_len() as i64);
        });
    }
    consumers.put_array(reply);
}

/// `[[id, consumer, milliseconds idle, deliveries] ...]`
fn put_filtered(group: &Group, filter: &Filter<'_>, now: UnixMillis, reply: &mut Reply<'_>) {
    let mut elements = Elements::default();
    let resp = reply.resp();
    let mut put = |pending: Pending| {
        elements.put(resp, |reply| {
            reply.array(4);
            put_id(reply, pending.id);
            reply.bulk(group.consumer(pending.consumer).name());
            reply.integer(pending.idle(now));
            reply.integer(i64::from(pending.deliveries));
        });
    };
    let is_idle = |pending: &Pending| pending.idle(now) >= filter.idle_min;
    let (start, end) = (filter.start, filter.end);
    match filter.consumer {
        None => group.pending_range(start, end).filter(is_idle).take(filter.count).for_each(&mut put),
        Some(name) => {
            if let Some(consumer) = group.find_consumer(name) {
                let pending = group.consumer_pending_range(consumer, start, end);
                pending.filter(is_idle).take(filter.count).for_each(&mut put);
            }
        }
    }
    elements.put_array(reply);
}
