//! Streams: rules of single parts, a model for the whole, and bytes from outside.

use super::*;
use crate::keyspace::UnixMillis;

mod entries;
mod groups;
mod ids;
mod lag;
mod model;
mod outside;
mod sorted;

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

type Text = Vec<u8>;

fn id(ms: u64, seq: u64) -> StreamId {
    StreamId::new(ms, seq)
}

fn texts(entry: &Entry<'_>) -> Vec<(Text, Text)> {
    entry.fields().map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
}

fn pairs(fields: &[(Text, Text)]) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
    fields.iter().map(|(name, value)| (&**name, &**value))
}

fn add_with(stream: &mut Stream, id: StreamId, fields: &[(&str, &str)], limits: StreamLimits) {
    let fields = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    assert_eq!(stream.append(NewId::Exact(id), fields, NOW, limits), Ok(id));
}

fn add(stream: &mut Stream, id: StreamId, fields: &[(&str, &str)]) {
    add_with(stream, id, fields, StreamLimits::default());
}

/// A stream of entries 1-0, 2-0 and so on, each with the field `n`.
fn counted(len: u64) -> Stream {
    let mut stream = Stream::new();
    for number in 1..=len {
        add(&mut stream, id(number, 0), &[("n", &number.to_string())]);
    }
    stream
}

fn ids(stream: &Stream) -> Vec<u64> {
    stream.range(StreamId::MIN, StreamId::MAX).map(|entry| entry.id.ms).collect()
}

/// The stream as it is after it was written to RDB and read again.
fn reload(stream: &Stream) -> Stream {
    let mut copy = Stream::new();
    let mut listpack = Vec::new();
    for block in stream.blocks() {
        block.write_listpack(&mut listpack);
        copy.load_block(block.id(), &listpack).unwrap();
    }
    let counters = StreamCounters {
        len: stream.len(),
        last_id: stream.last_id(),
        max_deleted_id: stream.max_deleted_id(),
        entries_added: stream.entries_added(),
    };
    copy.load_counters(counters).unwrap();
    for (name, group) in stream.groups() {
        let mut loader = copy.load_group(name, group.last_id(), group.entries_read()).unwrap();
        for pending in group.pending_range(StreamId::MIN, StreamId::MAX) {
            loader.pending(pending.id, pending.delivered, pending.deliveries.into()).unwrap();
        }
        for (id, consumer) in group.consumers() {
            let copied = loader.consumer(consumer.name(), consumer.seen(), consumer.active()).unwrap();
            for pending in group.consumer_pending_range(id, StreamId::MIN, StreamId::MAX) {
                loader.assign(copied, pending.id).unwrap();
            }
        }
        loader.finish().unwrap();
    }
    copy
}
