//! Streams from outside: RESTORE and RDB files. Nothing that arrives here is believed.

use super::groups::Lent;
use super::listpack::read_block;
use super::{ConsumerId, Pending, Stream, StreamId};
use crate::keyspace::UnixMillis;

/// What was read is no stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// A pending entry cannot be a consumer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadAssignment {
    /// It is not pending in the group.
    Unknown,
    /// It is another consumer's.
    Taken,
}

/// The counters that RDB has behind the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamCounters {
    /// Number of entries.
    pub len: u64,
    /// The last id that was added.
    pub last_id: StreamId,
    /// The largest id that was deleted other than by trimming. Old files do not have it: [`StreamId::MIN`].
    pub max_deleted_id: StreamId,
    /// How many entries were ever added. Old files do not have it: the number of entries.
    pub entries_added: u64,
}

/// A group that is being read: first everything that is pending, then the consumers, each with its part of it.
#[derive(Debug)]
pub struct GroupLoader<'a> {
    group: Lent<'a>,
    assigned: usize,
}

/// What a record has in the place of its consumer until that is read.
const NOBODY: ConsumerId = ConsumerId(u32::MAX);

impl Stream {
    /// Adds a block: a listpack under the id that its ids are relative to. Blocks come in their order.
    pub fn load_block(&mut self, id: StreamId, listpack: &[u8]) -> Result<(), Malformed> {
        let Some(block) = read_block(id, listpack)? else { return Ok(()) };
        if self.blocks.last().is_some_and(|last| last.last() >= block.master()) {
            return Err(Malformed);
        }
        self.len += u64::from(block.live());
        self.block_bytes += block.heap_bytes();
        self.last_id = block.last();
        self.entries_added = self.len;
        self.blocks.push(block);
        Ok(())
    }

    /// Sets the counters when all blocks are there.
    pub fn load_counters(&mut self, counters: StreamCounters) -> Result<(), Malformed> {
        let StreamCounters { len, last_id, max_deleted_id, entries_added } = counters;
        if len != self.len || last_id < self.last_id || entries_added < len || i64::try_from(entries_added).is_err() {
            return Err(Malformed);
        }
        (self.last_id, self.max_deleted_id, self.entries_added) = (last_id, max_deleted_id, entries_added);
        Ok(())
    }

    /// Adds a group, for which the rest is to follow.
    pub fn load_group(
        &mut self,
        name: &[u8],
        last_id: StreamId,
        entries_read: Option<u64>,
    ) -> Result<GroupLoader<'_>, Malformed> {
        if entries_read.is_some_and(|read| i64::try_from(read).is_err())
            || !self.create_group(name, last_id, entries_read)
        {
            return Err(Malformed);
        }
        let group = self.groups.lend(name).expect("it was just created");
        Ok(GroupLoader { group, assigned: 0 })
    }
}

impl GroupLoader<'_> {
    /// Adds a pending entry.
    pub fn pending(&mut self, id: StreamId, delivered: UnixMillis, deliveries: u64) -> Result<(), Malformed> {
        let deliveries = u32::try_from(deliveries).unwrap_or(u32::MAX);
        let new = Pending { id, delivered, deliveries, consumer: NOBODY };
        let new = self.group.edit(|group| group.pending.insert(new));
        if new { Ok(()) } else { Err(Malformed) }
    }

    /// Adds a consumer.
    pub fn consumer(
        &mut self,
        name: &[u8],
        seen: UnixMillis,
        active: Option<UnixMillis>,
    ) -> Result<ConsumerId, Malformed> {
        self.group.edit(|group| {
            let id = group.create_consumer(name, seen).ok_or(Malformed)?;
            group.consumer_mut(id).active = active;
            Ok(id)
        })
    }

    /// Says that a pending entry is that consumer's.
    pub fn assign(&mut self, consumer: ConsumerId, id: StreamId) -> Result<(), BadAssignment> {
        self.group.edit(|group| {
            let position = group.pending.find(id).ok_or(BadAssignment::Unknown)?;
            let before = group.pending.edit(position, |pending| std::mem::replace(&mut pending.consumer, consumer));
            if before != NOBODY {
                return Err(BadAssignment::Taken);
            }
            group.make_pending_of(consumer, id);
            Ok(())
        })?;
        self.assigned += 1;
        Ok(())
    }

    /// Ends the group: every pending entry must be somebody's.
    pub fn finish(self) -> Result<(), Malformed> {
        if self.assigned == self.group.group().pending.len() { Ok(()) } else { Err(Malformed) }
    }
}
