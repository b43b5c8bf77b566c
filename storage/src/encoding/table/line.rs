//! One line of the table: 64 bytes, one cache line, twelve slots.
//!
//! ```text
//!  0 .......... 11  12 ..... 15  16 ................................ 63
//! ┌───────────────┬────────────┬──────────────────────────────────────┐
//! │ 12 tags       │ state      │ 12 handles of 4 bytes                │
//! └───────────────┴────────────┴──────────────────────────────────────┘
//!
//! tag      8 bits of the key's hash
//! state    bits 0-11   slots in use
//!          bits 12-23  slots whose entry has an expiry
//!          bits 24-31  how many entries passed over this line because it was full; sticks at 255
//! ```
//!
//! A look-up compares all tags at once. If none matches and no entry ever passed over the line, the key is not there:
//! one cache line answers. The pass counter takes the place of tombstones: a removal counts the lines down again that its
//! entry had passed over.

use super::super::slab::Handle;

/// Slots of a line.
pub const LINE_SLOTS: usize = 12;

const SLOTS_MASK: u32 = (1 << LINE_SLOTS) - 1;
const VOLATILE_SHIFT: u32 = 12;
const PASSED_SHIFT: u32 = 24;
const PASSED_MAX: u32 = 255;

/// A line. See the module's documentation.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Line {
    tags: [u8; LINE_SLOTS],
    state: u32,
    handles: [Handle; LINE_SLOTS],
}

const _: () = assert!(size_of::<Line>() == 64);

/// A set of slots of one line, to be gone through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slots(u32);

impl Slots {
    /// No slot.
    pub const NONE: Self = Self(0);
}

impl Iterator for Slots {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let slot = self.0.trailing_zeros() as usize;
        self.0 &= self.0 - 1;
        Some(slot)
    }
}

impl Line {
    /// A line with nothing in it.
    pub const EMPTY: Self = Self { tags: [0; LINE_SLOTS], state: 0, handles: [Handle::UNUSED; LINE_SLOTS] };

    /// The slots in use.
    #[inline]
    pub const fn used(&self) -> Slots {
        Slots(self.state & SLOTS_MASK)
    }

    /// How many slots are in use.
    pub const fn len(&self) -> usize {
        (self.state & SLOTS_MASK).count_ones() as usize
    }

    /// The slots whose entry has an expiry.
    pub const fn volatile(&self) -> Slots {
        Slots(self.state >> VOLATILE_SHIFT & SLOTS_MASK)
    }

    /// Whether the slot is in use.
    pub const fn holds(&self, slot: usize) -> bool {
        self.state >> slot & 1 == 1
    }

    /// Whether the slot's entry has an expiry.
    pub const fn is_volatile(&self, slot: usize) -> bool {
        self.state >> (VOLATILE_SHIFT + slot as u32) & 1 == 1
    }

    /// Notes whether the slot's entry has an expiry.
    pub const fn set_volatile(&mut self, slot: usize, volatile: bool) {
        let bit = 1 << (VOLATILE_SHIFT + slot as u32);
        self.state = if volatile { self.state | bit } else { self.state & !bit };
    }

    /// Whether entries may have passed over this line.
    #[inline]
    pub const fn was_passed(&self) -> bool {
        self.state >> PASSED_SHIFT != 0
    }

    /// How many entries passed over this line, and whether that number is exact.
    pub const fn passed(&self) -> (usize, bool) {
        let passed = self.state >> PASSED_SHIFT;
        (passed as usize, passed < PASSED_MAX)
    }

    /// Notes that one more entry passed over this line.
    pub const fn pass(&mut self) {
        if self.state >> PASSED_SHIFT < PASSED_MAX {
            self.state += 1 << PASSED_SHIFT;
        }
    }

    /// Notes that an entry that had passed over this line is gone.
    pub const fn unpass(&mut self) {
        let passed = self.state >> PASSED_SHIFT;
        debug_assert!(passed > 0);
        if passed < PASSED_MAX {
            self.state -= 1 << PASSED_SHIFT;
        }
    }

    /// The slots in use that carry this tag.
    #[inline]
    pub fn matches(&self, tag: u8) -> Slots {
        Slots(self.tag_bits(tag) & self.state & SLOTS_MASK)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn tag_bits(&self, tag: u8) -> u32 {
        use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_load_si128, _mm_movemask_epi8, _mm_set1_epi8};
        // SAFETY: SSE2 is part of x86-64; a line is aligned to 64 bytes, and its first 16 are initialised.
        unsafe {
            let tags = _mm_load_si128(std::ptr::from_ref(self).cast());
            _mm_movemask_epi8(_mm_cmpeq_epi8(tags, _mm_set1_epi8(tag as i8))) as u32
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[inline]
    fn tag_bits(&self, tag: u8) -> u32 {
        self.tags.iter().rev().fold(0, |bits, &other| bits << 1 | u32::from(other == tag))
    }

    /// The lowest slot that is not in use.
    #[inline]
    pub const fn vacant(&self) -> Option<usize> {
        let slot = (!self.state).trailing_zeros() as usize;
        if slot < LINE_SLOTS { Some(slot) } else { None }
    }

    /// The tag of a slot in use.
    pub const fn tag(&self, slot: usize) -> u8 {
        self.tags[slot]
    }

    /// The handle of a slot in use.
    #[inline]
    pub const fn handle(&self, slot: usize) -> Handle {
        self.handles[slot]
    }

    /// Replaces the handle of a slot in use.
    pub const fn set_handle(&mut self, slot: usize, handle: Handle) {
        self.handles[slot] = handle;
    }

    /// Fills a slot that is not in use.
    #[inline]
    pub const fn fill(&mut self, slot: usize, tag: u8, handle: Handle, volatile: bool) {
        debug_assert!(!self.holds(slot));
        self.tags[slot] = tag;
        self.handles[slot] = handle;
        self.state |= 1 << slot;
        self.set_volatile(slot, volatile);
    }

    /// Empties a slot.
    pub const fn empty(&mut self, slot: usize) {
        debug_assert!(self.holds(slot));
        self.state &= !(1 << slot | 1 << (VOLATILE_SHIFT + slot as u32));
    }
}
