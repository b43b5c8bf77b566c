//! XINFO STREAM FULL: a stream with its groups, their consumers, and all that is pending.

use net::{Args, Reply};
use storage::types::stream::{Consumer, ConsumerId, Group, Stream, StreamId};

use super::info::{STREAM_COUNTERS, put_progress, put_stream_counters};
use super::reply::{put_entries, put_id};
use crate::commands::parse::{is_word, parse_i64};
use crate::exec::CommandError;
use crate::exec::error::wrong_subcommand_arity;

/// Entries, and pending ones of each group and consumer, that are told if nothing else is said.
const COUNT_DEFAULT: usize = 10;

/// How much is to be told.
#[derive(Clone, Copy, Debug)]
pub(super) struct FullOptions {
    count_max: usize,
}

impl FullOptions {
    /// Reads what stands behind the key; none if there is nothing.
    pub(super) fn parse(args: &Args<'_>) -> Result<Option<FullOptions>, CommandError> {
        let wrong = || wrong_subcommand_arity(args.at(1), "xinfo");
        let count = match args.len() {
            3 => return Ok(None),
            4 if is_word(args.at(3), "FULL") => COUNT_DEFAULT as i64,
            6 if is_word(args.at(3), "FULL") && is_word(args.at(4), "COUNT") => parse_i64(args.at(5))?,
            _ => return Err(wrong()),
        };
        let count_max = match count {
            0 => usize::MAX,
            _ => usize::try_from(count).unwrap_or(COUNT_DEFAULT),
        };
        Ok(Some(FullOptions { count_max }))
    }
}

pub(super) fn put_stream_full(stream: &Stream, options: FullOptions, reply: &mut Reply<'_>) {
    reply.map(STREAM_COUNTERS + 2);
    put_stream_counters(stream, reply);
    reply.bulk(b"entries");
    put_entries(reply, stream.range(StreamId::MIN, StreamId::MAX).take(options.count_max));
    reply.bulk(b"groups");
    reply.array(stream.groups().len());
    for (name, group) in stream.groups() {
        put_group(stream, name, group, options, reply);
    }
}

fn put_group(stream: &Stream, name: &[u8], group: &Group, options: FullOptions, reply: &mut Reply<'_>) {
    reply.map(7);
    reply.bulk(b"name");
    reply.bulk(name);
    reply.bulk(b"last-delivered-id");
    put_id(reply, group.last_id());
    put_progress(stream, group, reply);
    reply.bulk(b"pel-count");
    reply.integer(group.pending_len() as i64);
    reply.bulk(b"pending");
    reply.array(group.pending_len().min(options.count_max));
    for pending in group.pending_range(StreamId::MIN, StreamId::MAX).take(options.count_max) {
        reply.array(4);
        put_id(reply, pending.id);
        reply.bulk(group.consumer(pending.consumer).name());
        reply.integer(pending.delivered.0);
        reply.integer(i64::from(pending.deliveries));
    }
    reply.bulk(b"consumers");
    reply.array(group.consumers().len());
    for (id, consumer) in group.consumers() {
        put_consumer(group, id, consumer, options, reply);
    }
}

fn put_consumer(group: &Group, id: ConsumerId, consumer: &Consumer, options: FullOptions, reply: &mut Reply<'_>) {
    reply.map(5);
    reply.bulk(b"name");
    reply.bulk(consumer.name());
    reply.bulk(b"seen-time");
    reply.integer(consumer.seen().0);
    reply.bulk(b"active-time");
    reply.integer(consumer.active().map_or(-1, |at| at.0));
    reply.bulk(b"pel-count");
    reply.integer(consumer.pending_len() as i64);
    reply.bulk(b"pending");
    reply.array(consumer.pending_len().min(options.count_max));
    for pending in group.consumer_pending_range(id, StreamId::MIN, StreamId::MAX).take(options.count_max) {
        reply.array(3);
        put_id(reply, pending.id);
        reply.integer(pending.delivered.0);
        reply.integer(i64::from(pending.deliveries));
    }
}
