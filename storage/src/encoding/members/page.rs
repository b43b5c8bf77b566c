//! The page of a segment: the geometry of ends, records and slots.

/// Bytes of a page from which on offsets need four bytes.
const NARROW_BYTES_MAX: usize = 1 << 16;

/// Slots that a bucket should have at most, on average.
const BUCKET_SLOTS: usize = 6;
const BUCKET_BITS_MAX: u8 = 6;

/// The number of bits that tell the buckets of so many members apart.
pub const fn bucket_bits(members: usize) -> u8 {
    let buckets = members / BUCKET_SLOTS;
    let bits = if buckets < 2 { 0 } else { buckets.ilog2() as u8 };
    if bits < BUCKET_BITS_MAX { bits } else { BUCKET_BITS_MAX }
}

/// How the bytes of a page are divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Bits that choose the bucket.
    pub bucket_bits: u8,
    /// Whether offsets and ends have four bytes.
    pub wide: bool,
}

impl Geometry {
    /// The bytes of a page with so many slots and bytes of records, of one of the allocator's sizes; and its geometry.
    pub fn fit(bucket_bits: u8, slots: usize, record_bytes: usize) -> (Self, usize) {
        let narrow = Self { bucket_bits, wide: false };
        let bytes = allocation_size(narrow.overhead(slots) + record_bytes);
        if bytes <= NARROW_BYTES_MAX {
            return (narrow, bytes);
        }
        let wide = Self { bucket_bits, wide: true };
        (wide, allocation_size(wide.overhead(slots) + record_bytes))
    }

    /// Bytes of ends and slots.
    pub const fn overhead(self, slots: usize) -> usize {
        self.ends_bytes() + slots * self.slot_bytes()
    }

    const fn end_bytes(self) -> usize {
        if self.wide { 4 } else { 2 }
    }

    /// Bytes of a slot.
    #[inline]
    pub const fn slot_bytes(self) -> usize {
        if self.wide { 5 } else { 3 }
    }

    /// Bytes of the ends, which is where records begin.
    #[inline]
    pub const fn ends_bytes(self) -> usize {
        self.end_bytes() << self.bucket_bits
    }

    /// The bucket for a position, which is a hash without the bits that lead to the segment.
    #[inline]
    pub const fn bucket(self, position: u64) -> usize {
        (position >> 1 >> (63 - self.bucket_bits)) as usize
    }

    /// The end of a bucket.
    #[inline]
    pub fn end(self, page: &[u8], bucket: usize) -> usize {
        read_number(page, bucket * self.end_bytes(), self.wide)
    }

    /// The slots of a bucket.
    #[inline]
    pub fn slots(self, page: &[u8], bucket: usize) -> std::ops::Range<usize> {
        let start = if bucket == 0 { 0 } else { self.end(page, bucket - 1) };
        start..self.end(page, bucket)
    }

    /// Sets the end of a bucket.
    pub fn set_end(self, page: &mut [u8], bucket: usize, end: usize) {
        write_number(page, bucket * self.end_bytes(), self.wide, end);
    }

    /// Moves the ends of a bucket and all behind it.
    #[inline]
    pub fn move_ends(self, page: &mut [u8], bucket: usize, by: i16) {
        let ends = &mut page[bucket * self.end_bytes()..self.ends_bytes()];
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

    /// Where a slot lies in a page that has `count` of them.
    #[inline]
    pub const fn slot_start(self, page: &[u8], count: usize, slot: usize) -> usize {
        page.len() - (count - slot) * self.slot_bytes()
    }

    /// The offset in the slot at `start`.
    #[inline]
    pub fn offset(self, page: &[u8], start: usize) -> usize {
        read_number(page, start + 1, self.wide)
    }

    /// Writes the offset of the slot at `start`.
    #[inline]
    pub fn set_offset(self, page: &mut [u8], start: usize, offset: usize) {
        write_number(page, start + 1, self.wide, offset);
    }
}

#[inline]
fn read_number(page: &[u8], at: usize, wide: bool) -> usize {
    if wide {
        u32::from_le_bytes([page[at], page[at + 1], page[at + 2], page[at + 3]]) as usize
    } else {
        usize::from(u16::from_le_bytes([page[at], page[at + 1]]))
    }
}

#[inline]
fn write_number(page: &mut [u8], at: usize, wide: bool, number: usize) {
    if wide {
        let number = u32::try_from(number).expect("a page has less than 4 GiB");
        page[at..at + 4].copy_from_slice(&number.to_le_bytes());
    } else {
        debug_assert!(number < NARROW_BYTES_MAX);
        page[at..at + 2].copy_from_slice(&(number as u16).to_le_bytes());
    }
}

/// The next size that an allocator does not have to round up: multiples of 16, from 128 on four to each power of two.
pub const fn allocation_size(bytes: usize) -> usize {
    if bytes <= 128 {
        return bytes.next_multiple_of(16);
    }
    let step = 1 << ((bytes - 1).ilog2() - 2);
    bytes.next_multiple_of(step)
}
