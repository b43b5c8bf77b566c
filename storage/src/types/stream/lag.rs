//! How far a group is behind.
//!
//! Nobody counts the entries between two ids. But if the entries have no gaps, their numbers follow from the count of all
//! that were ever added: the last one has that number, the first one is as far before it as the stream is long. XDEL makes
//! gaps; all of them are at or before the largest deleted id (the *tombstone*). Trimming makes none, since it takes entries
//! away in front. So a group counts what it reads as long as there is no tombstone ahead of it; it takes up the count
//! anew where a number is certain; and where neither helps, the answer is that it is not known.

use super::{Group, Stream, StreamId};

/// The counters of a stream, as they are while a group reads it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counters {
    len: u64,
    first_id: StreamId,
    last_id: StreamId,
    max_deleted_id: StreamId,
    entries_added: u64,
}

impl Stream {
    pub(super) fn counters(&self) -> Counters {
        Counters {
            len: self.len,
            first_id: self.first_id(),
            last_id: self.last_id,
            max_deleted_id: self.max_deleted_id,
            entries_added: self.entries_added,
        }
    }

    /// How many entries the group has still to deliver, if that is known. Negative if it was told to have read more than
    /// were added.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        self.counters().lag(group)
    }

    /// How many of the entries that were ever added have ids up to this one, if that is certain. Groups from files that do
    /// not tell what they have read get this.
    pub fn entries_read_at(&self, id: StreamId) -> Option<u64> {
        self.counters().entries_read_at(id)
    }
}

impl Counters {
    fn lag(&self, group: &Group) -> Option<i64> {
        if self.entries_added == 0 || self.len == 0 {
            return Some(0);
        }
        if group.last_id < self.first_id && self.max_deleted_id < self.first_id {
            return Some(self.len as i64);
        }
        let counted = group.entries_read.filter(|_| !self.has_tombstone_from(group.last_id));
        let read = counted.or_else(|| self.entries_read_at(group.last_id))?;
        // A group may have been told any number, and counts on from there: it wraps around, as in Redis.
        Some((self.entries_added as i64).wrapping_sub(read as i64))
    }

    /// What the group has read once it has read this entry, too.
    pub fn entries_read_after(&self, group: &Group, id: StreamId) -> Option<u64> {
        match group.entries_read {
            Some(read) if group.last_id >= self.first_id && !self.has_tombstone_from(group.last_id) => {
                Some(read.wrapping_add(1))
            }
            _ => self.entries_read_at(id),
        }
    }

    /// Whether an entry with this id or a larger one was deleted, with others still around it.
    fn has_tombstone_from(&self, id: StreamId) -> bool {
        self.len > 0
            && self.max_deleted_id != StreamId::MIN
            && self.first_id <= self.max_deleted_id
            && id <= self.max_deleted_id
    }

    fn entries_read_at(&self, id: StreamId) -> Option<u64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        if self.len == 0 && id <= self.last_id {
            return Some(self.entries_added);
        }
        if id != StreamId::MIN && id < self.max_deleted_id {
            return None;
        }
        if id >= self.last_id {
            return (id == self.last_id).then_some(self.entries_added);
        }
        if self.max_deleted_id >= self.first_id && self.max_deleted_id != StreamId::MIN {
            return None;
        }
        let before_first = self.entries_added - self.len;
        match id.cmp(&self.first_id) {
            std::cmp::Ordering::Less => Some(before_first),
            std::cmp::Ordering::Equal => Some(before_first + 1),
            std::cmp::Ordering::Greater => None,
        }
    }
}
