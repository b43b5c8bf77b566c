//! A segment: the members of one stretch of the hash space, in a page.
//!
//! Everything about a member's hash comes from the caller as a *position*: the hash without the bits that lead to the
//! segment, so that its upper bits choose the bucket.

use super::outside::Outside;
use super::page::Geometry;
use super::record::{self, Part};
use super::{INLINE_BYTES_MAX, Key, NEVER, Record};
use crate::encoding::listpack::{Encoded, Item};

mod rewrite;

pub use rewrite::Gathered;

/// Members of one stretch of the hash space.
#[derive(Clone, Debug)]
pub struct Segment<const VALUES: bool> {
    page: Box<[u8]>,
    /// Where the free bytes begin.
    data_end: u32,
    /// Bytes of holes between the records.
    dead: u32,
    count: u32,
    geometry: Geometry,
    earliest: i64,
    outside: Option<Box<Outside>>,
}

impl<const VALUES: bool> Default for Segment<VALUES> {
    fn default() -> Self {
        let (geometry, page_bytes) = Geometry::fit(0, 0, 0);
        Self::with_page(geometry, page_bytes)
    }
}

/// The tag of a hash: the bits that choose neither segment nor bucket.
pub const fn tag_of(hash: u64) -> u8 {
    hash as u8
}

impl<const VALUES: bool> Segment<VALUES> {
    /// A segment without members.
    pub fn with_page(geometry: Geometry, page_bytes: usize) -> Self {
        Self {
            page: vec![0; page_bytes].into_boxed_slice(),
            data_end: geometry.ends_bytes() as u32,
            dead: 0,
            count: 0,
            geometry,
            earliest: NEVER,
            outside: None,
        }
    }

    /// The number of members.
    #[inline]
    pub const fn len(&self) -> usize {
        self.count as usize
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
        self.page.len() + self.outside.as_ref().map_or(0, |outside| outside.heap_bytes())
    }

    /// Bytes of all records, without holes.
    #[inline]
    pub const fn record_bytes(&self) -> usize {
        self.data_end as usize - self.geometry.ends_bytes() - self.dead as usize
    }

    /// How the page is divided.
    pub const fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// The tag of the member in a slot.
    pub fn tag(&self, slot: usize) -> u8 {
        self.page[self.slot_start(slot)]
    }

    #[inline]
    fn slot_start(&self, slot: usize) -> usize {
        debug_assert!(slot < self.len());
        self.geometry.slot_start(&self.page, self.len(), slot)
    }

    /// The offset of a slot's record.
    #[inline]
    fn offset(&self, slot: usize) -> usize {
        self.geometry.offset(&self.page, self.slot_start(slot))
    }

    /// The bytes from a slot's record on.
    #[inline]
    fn bytes(&self, slot: usize) -> &[u8] {
        &self.page[self.offset(slot)..]
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

    /// The slots of the bucket for a position.
    #[inline]
    pub fn slots_at(&self, position: u64) -> std::ops::Range<usize> {
        self.geometry.slots(&self.page, self.geometry.bucket(position))
    }

    /// The slot of a field.
    #[inline]
    pub fn find(&self, key: &Key<'_>, position: u64) -> Option<usize> {
        let tag = tag_of(key.hash);
        let slots = self.slots_at(position);
        let (slot_bytes, first) = (self.geometry.slot_bytes(), slots.start);
        let start = self.geometry.slot_start(&self.page, self.len(), first);
        let bytes = &self.page[start..start + slots.len() * slot_bytes];
        let mut hits = bytes.chunks_exact(slot_bytes).enumerate().filter(|(_, slot)| slot[0] == tag);
        hits.find(|&(index, _)| self.is_at(first + index, &key.encoded)).map(|(index, _)| first + index)
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
        let Some(number) = record::outside_number(&self.page[offset..]) else { return };
        let outside = self.outside.as_mut().expect("a record outside has a buffer");
        drop(outside.take(number));
        if outside.is_empty() {
            self.outside = None;
        }
    }

    /// Bytes of the page that neither records nor slots nor ends have.
    #[inline]
    fn free_bytes(&self) -> usize {
        self.page.len() - self.len() * self.geometry.slot_bytes() - self.data_end as usize
    }

    /// Whether one more record of so many bytes needs a larger or a tidier page.
    #[inline]
    const fn is_full_for(free_bytes: usize, slot_bytes: usize, record_bytes: usize) -> bool {
        free_bytes < slot_bytes + record_bytes
    }

    /// Inserts a member that is not there yet. The value is left out in a table without values.
    pub fn insert(&mut self, key: &Key<'_>, position: u64, value: Option<Encoded<'_>>, expire_at: Option<i64>) {
        let field = self.part(key.encoded);
        let value = value.map(|value| self.part(value));
        debug_assert_eq!(value.is_some(), VALUES);
        let expiry_len = record::expiry_len(expire_at);
        let len = expiry_len + field.len() + value.as_ref().map_or(0, Part::len);
        if Self::is_full_for(self.free_bytes(), self.geometry.slot_bytes(), len) {
            self.make_room(len, 1);
        }
        let start = self.data_end as usize;
        let record = &mut self.page[start..start + len];
        if let Some(at) = expire_at {
            record::write_expiry(at, record);
            self.earliest = self.earliest.min(at);
        }
        field.write(&mut record[expiry_len..]);
        if let Some(value) = value {
            value.write(&mut record[expiry_len + field.len()..]);
        }
        self.data_end += len as u32;
        self.insert_slot(position, tag_of(key.hash), start);
    }

    fn insert_slot(&mut self, position: u64, tag: u8, offset: usize) {
        let (geometry, count) = (self.geometry, self.len());
        let bucket = geometry.bucket(position);
        let slot = geometry.end(&self.page, bucket);
        geometry.move_ends(&mut self.page, bucket, 1);
        let (first, behind) = (geometry.slot_start(&self.page, count, 0), geometry.slot_start(&self.page, count, slot));
        self.page.copy_within(first..behind, first - geometry.slot_bytes());
        self.count += 1;
        let start = behind - geometry.slot_bytes();
        self.page[start] = tag;
        geometry.set_offset(&mut self.page, start, offset);
    }

    /// Removes the member in a slot. Slots behind it move up.
    pub fn remove(&mut self, slot: usize) {
        let offset = self.offset(slot);
        let field = offset + record::field_start(&self.page[offset..]);
        let (value, end) = record::value_range::<VALUES>(&self.page[offset..]);
        self.free_outside(field);
        if VALUES {
            self.free_outside(offset + value);
        }
        let (geometry, count) = (self.geometry, self.len());
        let bucket = (0..1 << geometry.bucket_bits).find(|&bucket| geometry.end(&self.page, bucket) > slot);
        geometry.move_ends(&mut self.page, bucket.expect("each slot is in a bucket"), -1);
        let (first, start) = (geometry.slot_start(&self.page, count, 0), self.slot_start(slot));
        self.page.copy_within(first..start, first + geometry.slot_bytes());
        self.count -= 1;
        self.bury(offset, end);
        self.tidy_if_sparse();
    }

    /// Notes that bytes of records are dead.
    fn bury(&mut self, offset: usize, len: usize) {
        if offset + len == self.data_end as usize {
            self.data_end -= len as u32;
        } else {
            self.dead += len as u32;
        }
    }

    fn tidy_if_sparse(&mut self) {
        let used = self.geometry.overhead(self.len()) + self.record_bytes();
        if used * 8 < self.page.len() * 5 && self.page.len() > 64 {
            self.rewrite(0, 0);
        }
    }

    /// Gives the member in a slot another value.
    pub fn set_value(&mut self, slot: usize, value: Encoded<'_>) {
        let offset = self.offset(slot);
        let (value_start, old_len) = record::value_range::<VALUES>(&self.page[offset..]);
        self.free_outside(offset + value_start);
        let value = self.part(value);
        let len = value_start + value.len();
        let offset = self.relocate(slot, old_len, len, |page, from, to| {
            page.copy_within(from..from + value_start, to);
        });
        value.write(&mut self.page[offset + value_start..]);
    }

    /// Sets or clears the expiry of the member in a slot.
    pub fn set_expire(&mut self, slot: usize, expire_at: Option<i64>) {
        let offset = self.offset(slot);
        let (_, old_len) = record::value_range::<VALUES>(&self.page[offset..]);
        let old_prefix = record::field_start(&self.page[offset..]);
        let prefix = record::expiry_len(expire_at);
        let len = old_len - old_prefix + prefix;
        if prefix < old_prefix {
            let (geometry, start) = (self.geometry, self.slot_start(slot));
            geometry.set_offset(&mut self.page, start, offset + old_prefix);
            self.dead += old_prefix as u32;
            return;
        }
        let offset = self.relocate(slot, old_len, len, |page, from, to| {
            page.copy_within(from + old_prefix..from + old_len, to + prefix);
        });
        if let Some(at) = expire_at {
            record::write_expiry(at, &mut self.page[offset..]);
            self.earliest = self.earliest.min(at);
        }
    }

    /// Gives the record of a slot another length; returns its offset. If it needs another place, `copy` brings there what
    /// is to be kept.
    fn relocate(&mut self, slot: usize, old_len: usize, len: usize, copy: impl Fn(&mut [u8], usize, usize)) -> usize {
        if len <= old_len {
            let offset = self.offset(slot);
            self.bury(offset + len, old_len - len);
            return offset;
        }
        if Self::is_full_for(self.free_bytes(), 0, len) {
            self.make_room(len, 0);
        }
        let (from, to) = (self.offset(slot), self.data_end as usize);
        copy(&mut self.page, from, to);
        self.data_end += len as u32;
        self.dead += old_len as u32;
        let (geometry, start) = (self.geometry, self.slot_start(slot));
        geometry.set_offset(&mut self.page, start, to);
        to
    }
}

impl<const VALUES: bool> Segment<VALUES> {
    /// Panics if the bytes of the page contradict the books.
    pub fn check_bytes(&self) {
        let geometry = self.geometry;
        let (mut expected, mut outside) = (Vec::new(), 0);
        for slot in 0..self.len() {
            let bytes = self.bytes(slot);
            let (value, len) = record::value_range::<VALUES>(bytes);
            expected.push((self.offset(slot), len));
            outside += usize::from(record::outside_number(&bytes[record::field_start(bytes)..]).is_some());
            outside += usize::from(VALUES && record::outside_number(&bytes[value..]).is_some());
        }
        expected.sort_unstable();
        assert!(expected.first().is_none_or(|&(start, _)| start >= geometry.ends_bytes()), "records behind the ends");
        assert!(expected.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0), "records do not overlap");
        assert!(expected.last().is_none_or(|&(start, len)| start + len <= self.data_end as usize));
        assert_eq!(expected.iter().map(|&(_, len)| len).sum::<usize>(), self.record_bytes());
        assert_eq!(geometry.end(&self.page, (1 << geometry.bucket_bits) - 1), self.len(), "the last bucket ends them");
        assert!(self.data_end as usize + self.len() * geometry.slot_bytes() <= self.page.len());
        assert_eq!(self.outside.as_ref().map_or(0, |buffers| buffers.len()), outside, "buffers are in use");
    }
}
