//! Groups of consumers.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::StreamId;
use super::pending::{Pending, PendingSummary};
use super::sorted::Sorted;
use crate::keyspace::UnixMillis;

/// Names a consumer within its group, until it is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsumerId(pub(super) u32);

/// A consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    name: Arc<[u8]>,
    pub(super) seen: UnixMillis,
    pub(super) active: Option<UnixMillis>,
    pub(super) pending: Sorted<StreamId>,
}

impl Consumer {
    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// When it last tried to read or claim anything.
    pub const fn seen(&self) -> UnixMillis {
        self.seen
    }

    /// When it last got anything.
    pub const fn active(&self) -> Option<UnixMillis> {
        self.active
    }

    /// How many entries it has pending.
    pub const fn pending_len(&self) -> usize {
        self.pending.len()
    }

    fn bytes(&self) -> usize {
        BYTES_PER_CONSUMER + self.name.len() + self.pending.heap_bytes()
    }
}

// A name is in one heap block with its two counters, and in a node of the tree besides.
const BYTES_PER_CONSUMER: usize = size_of::<Consumer>() + 2 * size_of::<usize>() + 32;

/// A group of consumers.
#[derive(Debug)]
pub struct Group {
    pub(super) last_id: StreamId,
    pub(super) entries_read: Option<u64>,
    pub(super) pending: Sorted<Pending>,
    /// Consumers by their ids; gaps are filled again.
    consumers: Vec<Option<Box<Consumer>>>,
    gaps: Vec<ConsumerId>,
    names: BTreeMap<Arc<[u8]>, ConsumerId>,
    /// Bytes of memory of all consumers.
    consumer_bytes: usize,
}

impl Group {
    pub(super) const fn new(last_id: StreamId, entries_read: Option<u64>) -> Self {
        Self {
            last_id,
            entries_read,
            pending: Sorted::new(),
            consumers: Vec::new(),
            gaps: Vec::new(),
            names: BTreeMap::new(),
            consumer_bytes: 0,
        }
    }

    /// The last id that was delivered.
    pub const fn last_id(&self) -> StreamId {
        self.last_id
    }

    /// How many of the entries that were ever added are behind the group, if that is known.
    pub const fn entries_read(&self) -> Option<u64> {
        self.entries_read
    }

    /// XGROUP SETID: what is behind `last_id` is delivered next.
    pub fn set_last_id(&mut self, last_id: StreamId, entries_read: Option<u64>) {
        (self.last_id, self.entries_read) = (last_id, entries_read);
    }

    /// XCLAIM LASTID: moves the last id forwards, never back.
    pub fn advance_last_id(&mut self, last_id: StreamId) {
        self.last_id = self.last_id.max(last_id);
    }

    /// The consumers, in the order of their names.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = (ConsumerId, &Consumer)> {
        self.names.values().map(|&id| (id, self.consumer(id)))
    }

    /// The consumer of this name.
    pub fn find_consumer(&self, name: &[u8]) -> Option<ConsumerId> {
        self.names.get(name).copied()
    }

    /// A consumer.
    pub fn consumer(&self, id: ConsumerId) -> &Consumer {
        self.consumers.get(id.0 as usize).and_then(Option::as_deref).expect("ids of removed consumers are not used")
    }

    /// Changes which entries a consumer has pending.
    pub(super) fn edit_pending_of(&mut self, id: ConsumerId, change: impl FnOnce(&mut Sorted<StreamId>)) {
        let pending = &mut self.consumer_mut(id).pending;
        let before = pending.heap_bytes();
        change(pending);
        let after = pending.heap_bytes();
        self.consumer_bytes = self.consumer_bytes - before + after;
    }

    pub(super) fn consumer_mut(&mut self, id: ConsumerId) -> &mut Consumer {
        let consumer = self.consumers.get_mut(id.0 as usize).and_then(Option::as_deref_mut);
        consumer.expect("ids of removed consumers are not used")
    }

    /// Creates a consumer; none if there is one of this name.
    pub fn create_consumer(&mut self, name: &[u8], now: UnixMillis) -> Option<ConsumerId> {
        if self.names.contains_key(name) {
            return None;
        }
        let name: Arc<[u8]> = name.into();
        let consumer = Consumer { name: name.clone(), seen: now, active: None, pending: Sorted::new() };
        let id = self.gaps.pop().unwrap_or_else(|| {
            self.consumers.push(None);
            ConsumerId(u32::try_from(self.consumers.len() - 1).expect("four billion consumers do not fit into memory"))
        });
        self.consumer_bytes += consumer.bytes();
        self.consumers[id.0 as usize] = Some(Box::new(consumer));
        self.names.insert(name, id);
        Some(id)
    }

    /// Removes a consumer with all that it has pending; returns how much that was.
    pub fn remove_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let id = self.names.remove(name)?;
        let consumer = self.consumers[id.0 as usize].take().expect("it has a name");
        self.consumer_bytes -= consumer.bytes();
        self.gaps.push(id);
        let count = consumer.pending.len();
        if count > self.pending.len() / 16 {
            self.pending.retain(|pending| pending.consumer != id);
        } else {
            for &id in consumer.pending.iter() {
                self.pending.remove_key(id);
            }
        }
        Some(count)
    }

    /// Notes that a consumer is there (every XREADGROUP, XCLAIM and XAUTOCLAIM).
    pub fn note_seen(&mut self, id: ConsumerId, now: UnixMillis) {
        self.consumer_mut(id).seen = now;
    }

    /// How many entries are pending.
    pub const fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// What is known of a pending entry.
    pub fn pending(&self, id: StreamId) -> Option<Pending> {
        self.pending.get(id).copied()
    }

    /// XPENDING in short. The consumers' parts are in [`Self::consumers`].
    pub fn pending_summary(&self) -> PendingSummary {
        let bounds = self.pending.first().zip(self.pending.last()).map(|(first, last)| (first.id, last.id));
        PendingSummary { len: self.pending.len(), bounds }
    }

    /// The pending entries whose ids are within these bounds, both included.
    pub fn pending_range(&self, start: StreamId, end: StreamId) -> impl Iterator<Item = Pending> {
        self.pending.iter_from(self.pending.lower_bound(start)).take_while(move |pending| pending.id <= end).copied()
    }

    /// The same of one consumer.
    pub fn consumer_pending_range(
        &self,
        consumer: ConsumerId,
        start: StreamId,
        end: StreamId,
    ) -> impl Iterator<Item = Pending> {
        let ids = &self.consumer(consumer).pending;
        let ids = ids.iter_from(ids.lower_bound(start)).take_while(move |&&id| id <= end);
        ids.map(|&id| *self.pending.get(id).expect("a consumer's pending ids are the group's too"))
    }

    /// Up to `count` pending entries that nothing has happened to for `idle_min` milliseconds, the longest idle first.
    pub fn longest_idle(&mut self, idle_min: i64, count: usize, now: UnixMillis) -> Vec<Pending> {
        self.pending.oldest(UnixMillis(now.0.saturating_sub(idle_min)), count)
    }

    /// XACK: an entry is pending no more. False if it was not.
    pub fn acknowledge(&mut self, id: StreamId) -> bool {
        let Some(pending) = self.pending.remove_key(id) else { return false };
        self.edit_pending_of(pending.consumer, |ids| {
            ids.remove_key(id);
        });
        true
    }

    /// Makes an entry pending, or changes what is known of it, whoever had it before.
    pub(super) fn assign(&mut self, new: Pending) {
        let Some(position) = self.pending.find(new.id) else {
            self.pending.insert(new);
            self.make_pending_of(new.consumer, new.id);
            return;
        };
        let old = self.pending.edit(position, |pending| std::mem::replace(pending, new));
        if old.consumer != new.consumer {
            self.edit_pending_of(old.consumer, |ids| {
                ids.remove_key(new.id);
            });
            self.make_pending_of(new.consumer, new.id);
        }
    }

    /// Adds an entry to those that a consumer has pending.
    pub(super) fn make_pending_of(&mut self, consumer: ConsumerId, id: StreamId) {
        self.edit_pending_of(consumer, |ids| {
            ids.insert(id);
        });
    }

    /// Bytes of memory, all in.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.pending.heap_bytes()
            + self.consumers.capacity() * size_of::<usize>()
            + self.consumer_bytes
    }

    /// Frees up to about `budget` records of a group of no more use; returns how many. There is nothing left to free when
    /// it returns less than `budget`.
    pub fn free_some(&mut self, budget: usize) -> usize {
        let mut freed = self.pending.free_some(budget);
        while freed < budget {
            let Some(last) = self.consumers.last_mut() else { break };
            if let Some(consumer) = last {
                let before = consumer.pending.heap_bytes();
                freed += consumer.pending.free_some(budget - freed);
                self.consumer_bytes = self.consumer_bytes - before + consumer.pending.heap_bytes();
            }
            if freed < budget {
                if let Some(consumer) = self.consumers.pop().flatten() {
                    self.consumer_bytes -= consumer.bytes();
                    self.names.remove(&consumer.name);
                }
                freed += 1;
            }
        }
        freed
    }

    /// Checks that both sides agree on what is pending.
    pub fn check_invariants(&self) {
        self.pending.check_invariants();
        assert_eq!(self.names.len() + self.gaps.len(), self.consumers.len());
        assert_eq!(self.consumer_bytes, self.consumers.iter().flatten().map(|consumer| consumer.bytes()).sum());
        let mut count = 0;
        for (id, consumer) in self.consumers() {
            consumer.pending.check_invariants();
            count += consumer.pending.len();
            assert_eq!(self.find_consumer(consumer.name()), Some(id));
            assert!(consumer.pending.iter().all(|&entry| self.pending(entry).is_some_and(|one| one.consumer == id)));
        }
        assert_eq!(count, self.pending.len());
    }
}

impl Clone for Group {
    fn clone(&self) -> Self {
        let consumers = self.consumers.clone();
        // The copies have no room to spare, so they may be smaller.
        let consumer_bytes = consumers.iter().flatten().map(|consumer| consumer.bytes()).sum();
        Self {
            pending: self.pending.clone(),
            consumers,
            gaps: self.gaps.clone(),
            names: self.names.clone(),
            consumer_bytes,
            ..*self
        }
    }
}

/// Groups are equal when their counters, consumers and pending entries are; the numbers of consumers do not count.
impl PartialEq for Group {
    fn eq(&self, other: &Self) -> bool {
        let pending = |group: &Self, one: &Pending| {
            (one.id, one.delivered, one.deliveries, group.consumer(one.consumer).name.clone())
        };
        (self.last_id, self.entries_read) == (other.last_id, other.entries_read)
            && self.consumers().map(|(_, one)| one).eq(other.consumers().map(|(_, one)| one))
            && self.pending.iter().map(|one| pending(self, one)).eq(other.pending.iter().map(|one| pending(other, one)))
    }
}

impl Eq for Group {}
