//! The slots of a segment: for each member its tag and the offset of its record, grouped by bucket.
//!
//! ```text
//! ┌──────┬──────┬─────────┬──────┬──────┬───────┬──────┐     end     how many slots a bucket and those before it have
//! │ end  │ end  │ …       │ slot │ slot │ …     │ free │     slot    tag (1 byte), offset
//! └──────┴──────┴─────────┴──────┴──────┴───────┴──────┘     ends and offsets have two bytes, or four when wide
//! ```

use std::ops::Range;

use crate::encoding::prefetch::prefetch;

/// The first offset that needs four bytes.
const NARROW_OFFSETS: usize = 1 << 16;

/// Slots that a bucket should have at most, on average.
const BUCKET_SLOTS: usize = 6;
const BUCKET_BITS_MAX: u8 = 6;

/// Memory for slots is had in steps of so many bytes; few different sizes let the allocator use each again.
const STEP_BYTES: usize = 256;

/// Slots grouped by bucket.
#[derive(Clone, Debug)]
pub struct Slots {
    bytes: Box<[u8]>,
    count: u32,
    bucket_bits: u8,
    wide: bool,
}

/// A member to be entered.
#[derive(Clone, Copy, Debug)]
pub struct NewSlot {
    /// The hash, without the bits that lead to the segment.
    pub position: u64,
    /// The tag.
    pub tag: u8,
    /// The offset of the record.
    pub offset: usize,
}

/// The number of bits that tell the buckets of so many members apart.
pub const fn bucket_bits(members: usize) -> u8 {
    let buckets = members / BUCKET_SLOTS;
    let bits = if buckets < 2 { 0 } else { buckets.ilog2() as u8 };
    if bits < BUCKET_BITS_MAX { bits } else { BUCKET_BITS_MAX }
}

/// Bytes to be had from the allocator for so many bytes of ends and slots.
const fn allocation_bytes(bytes: usize) -> usize {
    if bytes <= STEP_BYTES { bytes.next_multiple_of(32) } else { bytes.next_multiple_of(STEP_BYTES) }
}

impl Slots {
    /// The slots of these members.
    pub fn new(members: &[NewSlot]) -> Self {
        let wide = members.iter().any(|member| member.offset >= NARROW_OFFSETS);
        let bucket_bits = bucket_bits(members.len());
        let mut slots = Self { bytes: Box::default(), count: members.len() as u32, bucket_bits, wide };
        slots.bytes = vec![0; allocation_bytes(slots.slot_start(members.len()))].into_boxed_slice();
        let mut next = [0; 1 << BUCKET_BITS_MAX];
        for member in members {
            next[slots.bucket(member.position)] += 1;
        }
        let mut end = 0;
        for (bucket, count) in next.iter_mut().enumerate().take(1 << bucket_bits) {
            end += *count;
            slots.set_number(bucket * slots.number_bytes(), end);
            *count = end - *count;
        }
        for member in members {
            let slot = &mut next[slots.bucket(member.position)];
            let start = slots.slot_start(*slot);
            *slot += 1;
            slots.bytes[start] = member.tag;
            slots.set_number(start + 1, member.offset);
        }
        slots
    }

    /// No slots, in as many buckets as so many members will want.
    pub fn for_members(members: usize) -> Self {
        let mut slots = Self { bytes: Box::default(), count: 0, bucket_bits: bucket_bits(members), wide: false };
        slots.bytes = vec![0; allocation_bytes(slots.slot_start(0))].into_boxed_slice();
        slots
    }

    /// The number of slots.
    #[inline]
    pub const fn len(&self) -> usize {
        self.count as usize
    }

    /// Bytes of memory.
    #[inline]
    pub const fn heap_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The number of bits that choose the bucket.
    pub const fn bucket_bits(&self) -> u8 {
        self.bucket_bits
    }

    /// Whether offsets have four bytes.
    #[cfg(test)]
    pub const fn is_wide(&self) -> bool {
        self.wide
    }

    #[inline]
    const fn number_bytes(&self) -> usize {
        if self.wide { 4 } else { 2 }
    }

    /// Bytes of one slot.
    #[inline]
    const fn stride(&self) -> usize {
        1 + self.number_bytes()
    }

    #[inline]
    const fn slot_start(&self, slot: usize) -> usize {
        (self.number_bytes() << self.bucket_bits) + slot * self.stride()
    }

    #[inline]
    fn number(&self, at: usize) -> usize {
        let bytes = &self.bytes;
        if self.wide {
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
        } else {
            usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
        }
    }

    #[inline]
    fn set_number(&mut self, at: usize, number: usize) {
        if self.wide {
            let number = u32::try_from(number).expect("a segment has less than 4 GiB");
            self.bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        } else {
            debug_assert!(number < NARROW_OFFSETS);
            self.bytes[at..at + 2].copy_from_slice(&(number as u16).to_le_bytes());
        }
    }

    /// The bucket for a position, which is a hash without the bits that lead to the segment.
    #[inline]
    pub const fn bucket(&self, position: u64) -> usize {
        (position >> 1 >> (63 - self.bucket_bits)) as usize
    }

    #[inline]
    fn end(&self, bucket: usize) -> usize {
        self.number(bucket * self.number_bytes())
    }

    /// The slots of a bucket.
    #[inline]
    pub fn in_bucket(&self, bucket: usize) -> Range<usize> {
        let start = if bucket == 0 { 0 } else { self.end(bucket - 1) };
        start..self.end(bucket)
    }

    /// Asks for the end of the bucket for a position, and for where its slots are if all buckets are alike.
    #[inline]
    pub fn prefetch(&self, position: u64) {
        let bucket = self.bucket(position);
        prefetch(&self.bytes[bucket * self.number_bytes()]);
        let before = (self.len() * bucket) >> self.bucket_bits;
        if let Some(slot) = self.bytes.get(self.slot_start(before)) {
            prefetch(slot);
        }
    }

    /// The tag in a slot.
    pub fn tag(&self, slot: usize) -> u8 {
        self.bytes[self.slot_start(slot)]
    }

    /// The offset in a slot.
    #[inline]
    pub fn offset(&self, slot: usize) -> usize {
        debug_assert!(slot < self.len());
        self.number(self.slot_start(slot) + 1)
    }

    /// The slots of a bucket that have a tag.
    #[inline]
    pub fn with_tag(&self, bucket: usize, tag: u8) -> impl Iterator<Item = usize> + '_ {
        let slots = self.in_bucket(bucket);
        let bytes = &self.bytes[self.slot_start(slots.start)..self.slot_start(slots.end)];
        let tags = bytes.iter().step_by(self.stride());
        slots.zip(tags).filter(move |&(_, &found)| found == tag).map(|(slot, _)| slot)
    }

    /// Sets the offset in a slot.
    pub fn set_offset(&mut self, slot: usize, offset: usize) {
        if offset >= NARROW_OFFSETS && !self.wide {
            self.widen();
        }
        self.set_number(self.slot_start(slot) + 1, offset);
    }

    #[cold]
    fn widen(&mut self) {
        let mut wide = Self { bytes: Box::default(), wide: true, ..*self };
        wide.bytes = vec![0; allocation_bytes(wide.slot_start(self.len()))].into_boxed_slice();
        for bucket in 0..1 << self.bucket_bits {
            wide.set_number(bucket * wide.number_bytes(), self.end(bucket));
        }
        for slot in 0..self.len() {
            let start = wide.slot_start(slot);
            wide.bytes[start] = self.tag(slot);
            wide.set_number(start + 1, self.offset(slot));
        }
        *self = wide;
    }

    /// Adds a slot to a bucket.
    pub fn insert(&mut self, bucket: usize, tag: u8, offset: usize) {
        if offset >= NARROW_OFFSETS && !self.wide {
            self.widen();
        }
        let (slot, behind) = (self.end(bucket), self.slot_start(self.len()));
        if behind + self.stride() > self.bytes.len() {
            self.resize(behind + self.stride());
        }
        let start = self.slot_start(slot);
        self.bytes.copy_within(start..behind, start + self.stride());
        self.bytes[start] = tag;
        self.set_number(start + 1, offset);
        self.count += 1;
        self.move_ends(bucket, 1);
    }

    /// Removes a slot; those behind it move up.
    pub fn remove(&mut self, slot: usize) {
        let bucket = (0..1 << self.bucket_bits).find(|&bucket| self.end(bucket) > slot);
        let (next, behind) = (self.slot_start(slot + 1), self.slot_start(self.len()));
        self.bytes.copy_within(next..behind, next - self.stride());
        self.count -= 1;
        self.move_ends(bucket.expect("each slot is in a bucket"), -1);
        let used = self.slot_start(self.len());
        if used + 2 * STEP_BYTES < self.bytes.len() {
            self.resize(used);
        }
    }

    #[cold]
    fn resize(&mut self, bytes: usize) {
        let mut resized = vec![0; allocation_bytes(bytes)].into_boxed_slice();
        let kept = self.slot_start(self.len());
        resized[..kept].copy_from_slice(&self.bytes[..kept]);
        self.bytes = resized;
    }

    /// Moves the ends of a bucket and all behind it.
    #[inline]
    fn move_ends(&mut self, bucket: usize, by: i16) {
        let range = bucket * self.number_bytes()..self.number_bytes() << self.bucket_bits;
        let ends = &mut self.bytes[range];
        if self.wide {
            for end in ends.as_chunks_mut::<4>().0 {
                *end = u32::from_le_bytes(*end).wrapping_add_signed(i32::from(by)).to_le_bytes();
            }
        } else {
            for end in ends.as_chunks_mut::<2>().0 {
                *end = u16::from_le_bytes(*end).wrapping_add_signed(by).to_le_bytes();
            }
        }
    }

    /// Panics if the ends contradict the number of slots.
    pub fn check_invariants(&self) {
        let ends: Vec<usize> = (0..1 << self.bucket_bits).map(|bucket| self.end(bucket)).collect();
        assert!(ends.is_sorted() && ends.last() == Some(&self.len()), "the last bucket ends the slots");
        assert!(self.slot_start(self.len()) <= self.bytes.len());
    }
}
