//! A segment: the members of one stretch of the hash space.
//!
//! Everything about a member's hash comes from the caller as a *position*: the hash without the bits that lead to the
//! segment, so that its upper bits choose the bucket.

use super::chunks::Chunks;
use super::outside::Outside;
use super::record::{self, Part};
use super::slots::Slots;
use super::{INLINE_BYTES_MAX, Key, NEVER, Record};
use crate::encoding::listpack::{Encoded, Item};
use crate::encoding::prefetch::prefetch;

mod rewrite;

pub use rewrite::Gathered;

/// Members of one stretch of the hash space.
#[derive(Clone, Debug)]
pub struct Segment<const VALUES: bool> {
    slots: Slots,
    chunks: Chunks,
    earliest: i64,
    outside: Option<Box<Outside>>,
}

impl<const VALUES: bool> Default for Segment<VALUES> {
    fn default() -> Self {
        Self { slots: Slots::new(&[]), chunks: Chunks::default(), earliest: NEVER, outside: None }
    }
}

/// The tag of a hash: the bits that choose neither segment nor bucket.
pub const fn tag_of(hash: u64) -> u8 {
    hash as u8
}

impl<const VALUES: bool> Segment<VALUES> {
    /// An empty segment for so many members to come.
    pub fn for_members(members: usize) -> Self {
        Self { slots: Slots::for_members(members), ..Self::default() }
    }

    /// The number of members.
    #[inline]
    pub const fn len(&self) -> usize {
        self.slots.len()
    }

    /// A lower bound of the expiries.
    pub const fn earliest(&self) -> i64 {
        self.earliest
    }

    /// Sets the lower bound of the expiries.
    pub const fn set_earliest(&mut self, earliest: i64) {
        self.earliest = earliest;
    }

    /// Bytes of memory behind the segment.
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        let outside = self.outside.as_ref().map_or(0, |outside| outside.heap_bytes());
        self.slots.heap_bytes() + self.chunks.heap_bytes() + outside
    }

    /// Bytes of all records.
    #[inline]
    pub const fn record_bytes(&self) -> usize {
        self.chunks.live_bytes()
    }

    /// The slots, to be looked at.
    pub const fn slots(&self) -> &Slots {
        &self.slots
    }

    /// The bytes from a slot's record on.
    #[inline]
    fn bytes(&self, slot: usize) -> &[u8] {
        self.chunks.at(self.slots.offset(slot))
    }

    /// The member in a slot.
    #[inline]
    pub fn record(&self, slot: usize) -> Record<'_> {
        record::read::<VALUES>(self.bytes(slot), self.outside.as_deref())
    }

    /// The field in a slot.
    pub fn field(&self, slot: usize) -> Item<'_> {
        let bytes = self.bytes(slot);
        record::item(&bytes[record::field_start(bytes)..], self.outside.as_deref())
    }

    /// When the member in a slot expires.
    pub fn expire_at(&self, slot: usize) -> Option<i64> {
        record::expire_at(self.bytes(slot))
    }

    /// The slot of a field.
    #[inline]
    pub fn find(&self, key: &Key<'_>, position: u64) -> Option<usize> {
        let mut hits = self.slots.with_tag(self.slots.bucket(position), tag_of(key.hash));
        hits.find(|&slot| self.is_at(slot, &key.encoded))
    }

    /// Asks for the first record with a tag in the bucket for a position.
    #[inline]
    pub fn prefetch(&self, tag: u8, position: u64) {
        if let Some(slot) = self.slots.with_tag(self.slots.bucket(position), tag).next() {
            prefetch(&self.bytes(slot)[0]);
        }
    }

    #[inline]
    fn is_at(&self, slot: usize, encoded: &Encoded<'_>) -> bool {
        let bytes = self.bytes(slot);
        let field = &bytes[record::field_start(bytes)..];
        if record::outside_number(field).is_none() {
            return encoded.begins(field);
        }
        record::item(field, self.outside.as_deref()) == encoded.as_item()
    }

    /// An element to be put into a record; a long one gets a buffer.
    #[inline]
    fn part<'a>(&mut self, element: Encoded<'a>) -> Part<'a> {
        match element.as_item() {
            Item::Bytes(bytes) if bytes.len() > INLINE_BYTES_MAX => {
                Part::Outside(self.outside.get_or_insert_default().put(bytes.into()))
            }
            _ => Part::Inline(element),
        }
    }

    /// Frees the buffer of the element at an offset, if it has one.
    fn free_outside(&mut self, offset: usize) {
        let Some(number) = record::outside_number(self.chunks.at(offset)) else { return };
        let outside = self.outside.as_mut().expect("a record outside has a buffer");
        drop(outside.take(number));
        if outside.is_empty() {
            self.outside = None;
        }
    }

    /// Takes bytes for a record; offsets of others may change.
    #[inline]
    fn append(&mut self, len: usize) -> usize {
        if self.chunks.is_full_for(len) && self.chunks.is_worn() {
            self.rewrite();
        }
        self.chunks.append(len, 0)
    }

    /// Inserts a member that is not there yet. The value is left out in a table without values.
    pub fn insert(&mut self, key: &Key<'_>, position: u64, value: Option<Encoded<'_>>) {
        let field = self.part(key.encoded);
        let value = value.map(|value| self.part(value));
        debug_assert_eq!(value.is_some(), VALUES);
        let offset = self.append(field.len() + value.as_ref().map_or(0, Part::len));
        let record = self.chunks.at_mut(offset);
        field.write(record);
        if let Some(value) = value {
            value.write(&mut record[field.len()..]);
        }
        self.slots.insert(self.slots.bucket(position), tag_of(key.hash), offset);
    }

    /// Removes the member in a slot. Slots behind it move up.
    pub fn remove(&mut self, slot: usize) {
        let offset = self.slots.offset(slot);
        let bytes = self.chunks.at(offset);
        let field = record::field_start(bytes);
        let (value, len) = record::value_range::<VALUES>(bytes);
        self.free_outside(offset + field);
        if VALUES {
            self.free_outside(offset + value);
        }
        self.slots.remove(slot);
        self.chunks.bury(offset, len);
        self.tidy_if_sparse();
    }

    fn tidy_if_sparse(&mut self) {
        if self.chunks.is_sparse() {
            self.rewrite();
        }
    }

    /// Gives the member in a slot another value.
    pub fn set_value(&mut self, slot: usize, value: Encoded<'_>) {
        let offset = self.slots.offset(slot);
        let (value_start, old_len) = record::value_range::<VALUES>(self.chunks.at(offset));
        self.free_outside(offset + value_start);
        let value = self.part(value);
        let len = value_start + value.len();
        if len <= old_len {
            value.write(&mut self.chunks.at_mut(offset)[value_start..]);
            self.chunks.bury(offset + len, old_len - len);
            self.tidy_if_sparse();
            return;
        }
        let new = self.append(len);
        let old = self.slots.offset(slot);
        self.chunks.copy(old, new, value_start);
        value.write(&mut self.chunks.at_mut(new)[value_start..]);
        self.slots.set_offset(slot, new);
        self.chunks.bury(old, old_len);
    }

    /// Sets or clears the expiry of the member in a slot.
    pub fn set_expire(&mut self, slot: usize, expire_at: Option<i64>) {
        let offset = self.slots.offset(slot);
        let (_, old_len) = record::value_range::<VALUES>(self.chunks.at(offset));
        let old_prefix = record::field_start(self.chunks.at(offset));
        self.earliest = self.earliest.min(expire_at.unwrap_or(NEVER));
        match expire_at {
            None if old_prefix > 0 => {
                self.slots.set_offset(slot, offset + old_prefix);
                self.chunks.bury(offset, old_prefix);
                self.tidy_if_sparse();
            }
            None => {}
            Some(at) if old_prefix > 0 => record::write_expiry(at, self.chunks.at_mut(offset)),
            Some(at) => {
                let new = self.append(record::EXPIRY_BYTES + old_len);
                let old = self.slots.offset(slot);
                record::write_expiry(at, self.chunks.at_mut(new));
                self.chunks.copy(old, new + record::EXPIRY_BYTES, old_len);
                self.slots.set_offset(slot, new);
                self.chunks.bury(old, old_len);
            }
        }
    }

    /// Panics if the segment contradicts itself.
    pub fn check_bytes(&self) {
        let (mut records, mut outside) = (Vec::new(), 0);
        for slot in 0..self.len() {
            let bytes = self.bytes(slot);
            let (value, len) = record::value_range::<VALUES>(bytes);
            records.push((self.slots.offset(slot), len));
            outside += usize::from(record::outside_number(&bytes[record::field_start(bytes)..]).is_some());
            outside += usize::from(VALUES && record::outside_number(&bytes[value..]).is_some());
        }
        self.chunks.check_invariants(&mut records);
        self.slots.check_invariants();
        assert_eq!(self.outside.as_ref().map_or(0, |buffers| buffers.len()), outside, "buffers are in use");
    }
}
