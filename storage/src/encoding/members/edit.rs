//! Changing a table: inserting, replacing, removing, freeing.

use super::segment::Segment;
use super::{COUNT_CLASSES, Key, Members, Place};
use crate::encoding::listpack::{Encoded, Item};

/// What became of a member that was to be put into the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was not there before.
    Added,
    /// It was there, and has the new value now.
    Replaced,
}

/// The class of segments with so many members, if they have any.
#[inline]
pub(super) fn count_class(members: usize) -> Option<usize> {
    members.checked_ilog2().map(|class| (class as usize).min(COUNT_CLASSES - 1))
}

impl<const VALUES: bool> Members<VALUES> {
    /// Lets a segment be changed, and keeps the books.
    #[inline]
    pub(super) fn change<T>(&mut self, segment: usize, change: impl FnOnce(&mut Segment<VALUES>) -> T) -> T {
        let segment = self.segments.at_mut(segment);
        let before = (segment.len(), segment.record_bytes(), segment.heap_bytes());
        let result = change(segment);
        let after = (segment.len(), segment.record_bytes(), segment.heap_bytes());
        self.account(before, after);
        result
    }

    /// Brings the books from what segments had before a change to what they have after it.
    #[inline]
    fn account(&mut self, before: (usize, usize, usize), after: (usize, usize, usize)) {
        self.len = self.len + after.0 - before.0;
        self.record_bytes = self.record_bytes + after.1 - before.1;
        self.memory_bytes = self.memory_bytes + after.2 - before.2;
        let (from, to) = (count_class(before.0), count_class(after.0));
        if from != to {
            if let Some(class) = from {
                self.counts[class] -= 1;
            }
            if let Some(class) = to {
                self.counts[class] += 1;
            }
        }
    }

    /// Takes a segment into the books.
    pub(super) fn enter(&mut self, segment: &Segment<VALUES>) {
        self.account((0, 0, 0), (segment.len(), segment.record_bytes(), segment.heap_bytes()));
    }

    /// Takes a segment out of the books.
    pub(super) fn leave(&mut self, segment: &Segment<VALUES>) {
        self.account((segment.len(), segment.record_bytes(), segment.heap_bytes()), (0, 0, 0));
    }

    fn insert_key(&mut self, key: &Key<'_>, value: Option<Encoded<'_>>) {
        self.grow_if_full();
        let number = self.segments.number_of(key.hash);
        let position = key.hash << self.segments.depth(number);
        self.change(number, |segment| segment.insert(key, position, value));
        if self.segments.at(number).wants_buckets() {
            self.rebuild(number);
        }
    }

    /// Sets or clears the expiry of a member.
    pub fn set_expire(&mut self, place: Place, expire_at: Option<i64>) {
        let had = self.segments.at(place.segment).expire_at(place.slot).is_some();
        if !had && expire_at.is_none() {
            return;
        }
        self.volatile = self.volatile - usize::from(had) + usize::from(expire_at.is_some());
        self.change(place.segment, |segment| segment.set_expire(place.slot, expire_at));
        if let Some(at) = expire_at {
            self.segments.note_expiry(place.segment, at);
        }
    }

    /// Removes a member; whether it was there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        let Some(place) = self.find(field) else { return false };
        self.remove_at(place);
        true
    }

    /// Removes the member in a place.
    pub fn remove_at(&mut self, place: Place) {
        self.remove_without_merging(place);
        self.shrink_if_sparse();
    }

    pub(super) fn remove_without_merging(&mut self, place: Place) {
        let volatile = self.segments.at(place.segment).expire_at(place.slot).is_some();
        self.volatile -= usize::from(volatile);
        self.change(place.segment, |segment| segment.remove(place.slot));
    }

    /// Frees about so many members of a table that is not used any more; returns how many are left.
    pub fn free_some(&mut self, budget: usize) -> usize {
        let mut freed = 0;
        while freed < budget && self.segments.len() > 1 {
            let segment = self.segments.pop();
            self.leave(&segment);
            freed += segment.len().max(1);
        }
        if freed < budget && self.segments.len() == 1 {
            *self = Self::default();
        }
        self.len
    }
}

impl Members<false> {
    /// Adds a member; whether it was not there yet.
    pub fn insert(&mut self, member: &[u8]) -> bool {
        self.insert_encoded(Encoded::new(member))
    }

    /// Adds an element of another collection; whether it was not there yet.
    pub fn insert_item(&mut self, member: Item<'_>) -> bool {
        self.insert_encoded(Encoded::item(member))
    }

    fn insert_encoded(&mut self, member: Encoded<'_>) -> bool {
        let key = Key::new(member);
        if self.find_key(&key).is_some() {
            return false;
        }
        self.insert_key(&key, None);
        true
    }
}

impl Members<true> {
    /// Sets a field to a value. If the field was there, its expiry stays as it is: see [`Self::set_expire`].
    pub fn set(&mut self, field: &[u8], value: &[u8]) -> Outcome {
        self.set_encoded(Encoded::new(field), Encoded::new(value))
    }

    /// Sets a field to elements of another collection.
    pub fn set_items(&mut self, field: Item<'_>, value: Item<'_>) -> Outcome {
        self.set_encoded(Encoded::item(field), Encoded::item(value))
    }

    fn set_encoded(&mut self, field: Encoded<'_>, value: Encoded<'_>) -> Outcome {
        let key = Key::new(field);
        if let Some(place) = self.find_key(&key) {
            self.change(place.segment, |segment| segment.set_value(place.slot, value));
            self.grow_if_full();
            return Outcome::Replaced;
        }
        self.insert_key(&key, Some(value));
        Outcome::Added
    }
}
