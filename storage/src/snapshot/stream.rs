//! Streams in RDB.
//!
//! ```text
//! number of blocks, and of each
//!     a string of 16 bytes: the id that its ids are relative to, big-endian
//!     a string: its listpack, see `types/stream/listpack.rs`
//! number of entries
//! last id                                                            an id: milliseconds and number, two lengths
//! first id · largest deleted id · entries ever added                 types 19 and 21
//! number of groups, and of each
//!     name · last delivered id
//!     entries read                                                   types 19 and 21; 2^64-1 if that is not known
//!     number of pending entries, and of each
//!         id (16 bytes, big-endian) · when delivered (8 bytes, little-endian) · how often
//!     number of consumers, and of each
//!         name · when last seen (8 bytes)
//!         when last active (8 bytes; -1: never)                      type 21
//!         number of its pending entries, and of each its id (16 bytes)
//! ```
//!
//! Type 15 is that of Redis 5, 19 that of Redis 7.0, 21 that of Redis 7.2. A stream is written as type 21 only if a
//! consumer was not active when it was last seen, which type 19 cannot tell: readers of that take the one for the other.

use super::{Malformed, Reader, TYPE_STREAM_2, TYPE_STREAM_3, Writer};
use crate::keyspace::UnixMillis;
use crate::types::stream::{BadAssignment, Consumer, Group, Stream, StreamCounters, StreamId};

const BAD_LISTPACK: &str = "Stream listpack integrity check failed.";
const BAD_COUNTERS: &str = "Stream counters contradict the entries";
const DUPLICATE_GROUP: &str = "Duplicate consumer group name detected";
const DUPLICATE_PENDING: &str = "Duplicated global PEL entry loading stream consumer group";
const DUPLICATE_CONSUMER: &str = "Duplicate stream consumer detected";
const UNKNOWN_PENDING: &str = "Consumer entry not found in group global PEL";
const TAKEN_PENDING: &str = "Stream consumer PEL entry already has a consumer assigned";
const PENDING_OF_NOBODY: &str = "NACK entry without consumer";

/// In the place of a number of entries that is not known.
const ENTRIES_READ_UNKNOWN: u64 = u64::MAX;

/// In the place of a time at which nothing happened yet.
const NEVER: UnixMillis = UnixMillis(-1);

/// How much a version of the format tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Detail {
    /// Type 15.
    Entries,
    /// Type 19.
    Counters,
    /// Type 21.
    ActiveTimes,
}

/// The type that a stream is written as.
pub(super) fn stream_type(stream: &Stream) -> u8 {
    let is_told_by_seen = |consumer: &Consumer| consumer.active() == Some(consumer.seen());
    let all = stream.groups().all(|(_, group)| group.consumers().all(|(_, consumer)| is_told_by_seen(consumer)));
    if all { TYPE_STREAM_2 } else { TYPE_STREAM_3 }
}

impl Writer {
    fn put_stream_id(&mut self, id: StreamId) {
        self.put_length(id.ms);
        self.put_length(id.seq);
    }

    pub(super) fn put_stream(&mut self, stream: &Stream) {
        let with_active_times = stream_type(stream) == TYPE_STREAM_3;
        self.put_length(stream.block_count() as u64);
        let mut listpack = Vec::new();
        for block in stream.blocks() {
            block.write_listpack(&mut listpack);
            self.put_bytes(&block.id().to_bytes());
            self.put_bytes(&listpack);
        }
        self.put_length(stream.len());
        self.put_stream_id(stream.last_id());
        self.put_stream_id(stream.first_id());
        self.put_stream_id(stream.max_deleted_id());
        self.put_length(stream.entries_added());
        self.put_length(stream.groups().len() as u64);
        for (name, group) in stream.groups() {
            self.put_bytes(name);
            self.put_group(group, with_active_times);
        }
    }

    fn put_group(&mut self, group: &Group, with_active_times: bool) {
        self.put_stream_id(group.last_id());
        self.put_length(group.entries_read().unwrap_or(ENTRIES_READ_UNKNOWN));
        self.put_length(group.pending_len() as u64);
        for pending in group.pending_range(StreamId::MIN, StreamId::MAX) {
            self.put(&pending.id.to_bytes());
            self.put(&pending.delivered.0.to_le_bytes());
            self.put_length(u64::from(pending.deliveries));
        }
        self.put_length(group.consumers().len() as u64);
        for (id, consumer) in group.consumers() {
            self.put_bytes(consumer.name());
            self.put(&consumer.seen().0.to_le_bytes());
            if with_active_times {
                self.put(&consumer.active().unwrap_or(NEVER).0.to_le_bytes());
            }
            self.put_length(consumer.pending_len() as u64);
            for pending in group.consumer_pending_range(id, StreamId::MIN, StreamId::MAX) {
                self.put(&pending.id.to_bytes());
            }
        }
    }
}

impl Reader<'_> {
    fn stream_id(&mut self) -> Result<StreamId, Malformed> {
        Ok(StreamId::new(self.length()?, self.length()?))
    }

    fn raw_stream_id(&mut self) -> Result<StreamId, Malformed> {
        Ok(StreamId::from_bytes(self.array()?))
    }

    fn millis(&mut self) -> Result<UnixMillis, Malformed> {
        Ok(UnixMillis(i64::from_le_bytes(self.array()?)))
    }

    pub(super) fn stream(&mut self, detail: Detail) -> Result<Stream, Malformed> {
        let mut stream = Stream::new();
        for _ in 0..self.length()? {
            let id = StreamId::from_bytes((*self.text()?).try_into().map_err(|_| Malformed)?);
            let listpack = self.text()?;
            self.blame(BAD_LISTPACK, stream.load_block(id, &listpack))?;
        }
        let len = self.length()?;
        let mut counters =
            StreamCounters { len, last_id: self.stream_id()?, max_deleted_id: StreamId::MIN, entries_added: len };
        if detail >= Detail::Counters {
            // The first id follows from the entries.
            self.stream_id()?;
            counters.max_deleted_id = self.stream_id()?;
            counters.entries_added = self.length()?;
        }
        self.blame(BAD_COUNTERS, stream.load_counters(counters))?;
        for _ in 0..self.length()? {
            self.group(&mut stream, detail)?;
        }
        Ok(stream)
    }

    fn group(&mut self, stream: &mut Stream, detail: Detail) -> Result<(), Malformed> {
        let name = self.text()?;
        let last_id = self.stream_id()?;
        let entries_read = if detail >= Detail::Counters {
            Some(self.length()?).filter(|&read| read != ENTRIES_READ_UNKNOWN)
        } else {
            stream.entries_read_at(last_id)
        };
        let group = stream.load_group(&name, last_id, entries_read);
        let mut group = self.blame(DUPLICATE_GROUP, group)?;
        for _ in 0..self.length()? {
            let (id, delivered) = (self.raw_stream_id()?, self.millis()?);
            let deliveries = self.length()?;
            self.blame(DUPLICATE_PENDING, group.pending(id, delivered, deliveries))?;
        }
        for _ in 0..self.length()? {
            let name = self.text()?;
            let seen = self.millis()?;
            let active = if detail >= Detail::ActiveTimes { self.millis()? } else { seen };
            let active = Some(active).filter(|&active| active != NEVER);
            let consumer = self.blame(DUPLICATE_CONSUMER, group.consumer(&name, seen, active))?;
            for _ in 0..self.length()? {
                let id = self.raw_stream_id()?;
                let assigned = group.assign(consumer, id);
                let fault = if assigned == Err(BadAssignment::Taken) { TAKEN_PENDING } else { UNKNOWN_PENDING };
                self.blame(fault, assigned)?;
            }
        }
        self.blame(PENDING_OF_NOBODY, group.finish())
    }
}
