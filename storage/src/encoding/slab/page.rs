//! One page: an array of equal blocks, with a list of the free ones threaded through their first two bytes.
//!
//! ```text
//! ┌───────┬───────┬───────┬───────┬───────┬ ─ ─ ─ ─ ─ ─ ─
//! │ live  │ free ─┼─►     │ live  │ free  │ never used          slots below `fresh` were handed out at least once;
//! └───────┴───────┴───────┴───────┴───────┴ ─ ─ ─ ─ ─ ─ ─       the memory above is not touched, hence not resident
//! ```

use std::alloc::{self, Layout};
use std::ptr::NonNull;

use super::class::{Class, PAGE_SLOTS_MAX};

/// Pages begin where a page of the kernel begins, so that none of theirs is shared by two of ours.
const ALIGNMENT: usize = 4096;

const LIST_END: u16 = u16::MAX;

/// A page of blocks of one class. It owns its memory.
#[derive(Debug)]
pub struct Page {
    base: NonNull<u8>,
    bytes: u32,
    class: Class,
    /// First slot of the free list.
    free: u16,
    /// Number of slots that were handed out at least once.
    fresh: u16,
    /// Number of live blocks.
    used: u16,
    /// Number of slots.
    slots: u16,
    /// Neighbours in the list of pages of the same class that are about equally full.
    pub previous: u32,
    /// See `previous`.
    pub next: u32,
}

// SAFETY: a page is the only owner of its memory and has no thread affinity.
unsafe impl Send for Page {}

/// Which slots of a page are live.
pub struct LiveSlots([u64; PAGE_SLOTS_MAX / 64]);

impl LiveSlots {
    /// Whether the slot is live.
    pub const fn contains(&self, slot: usize) -> bool {
        self.0[slot / 64] >> (slot % 64) & 1 == 1
    }
}

impl Page {
    /// A new page without live blocks. Its memory is taken from the global allocator and not touched.
    pub fn new(class: Class, bytes: usize) -> Self {
        assert!(class.slots_in(bytes) > 0);
        let layout = Self::layout(bytes);
        // SAFETY: the size is not zero, since a block fits.
        let base = unsafe { alloc::alloc(layout) };
        let Some(base) = NonNull::new(base) else { alloc::handle_alloc_error(layout) };
        Self {
            base,
            bytes: bytes as u32,
            class,
            free: LIST_END,
            fresh: 0,
            used: 0,
            slots: class.slots_in(bytes) as u16,
            previous: u32::MAX,
            next: u32::MAX,
        }
    }

    fn layout(bytes: usize) -> Layout {
        Layout::from_size_align(bytes, ALIGNMENT).expect("page sizes are small constants")
    }

    /// The size of the page.
    pub const fn bytes(&self) -> usize {
        self.bytes as usize
    }

    /// The address of the first block.
    pub const fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The class of its blocks.
    pub const fn class(&self) -> Class {
        self.class
    }

    /// Number of live blocks.
    pub const fn used(&self) -> usize {
        self.used as usize
    }

    /// Number of slots.
    pub const fn slots(&self) -> usize {
        self.slots as usize
    }

    /// Whether no slot is free.
    pub const fn is_full(&self) -> bool {
        self.used == self.slots
    }

    /// How full it is, in quarters: 0 to 3, and 4 if no slot is free.
    pub const fn quarter(&self) -> usize {
        (self.used as usize * 4) / self.slots as usize
    }

    fn slot_address(&self, slot: usize) -> NonNull<u8> {
        debug_assert!(slot < self.slots());
        // SAFETY: a slot below `slots` lies within the page's allocation.
        unsafe { self.base.add(slot * self.class.block_bytes()) }
    }

    /// Takes a free slot of a page that is not full. Its bytes are initialised, but to nothing in particular.
    #[inline]
    pub fn take(&mut self) -> usize {
        debug_assert!(!self.is_full());
        self.used += 1;
        if self.free != LIST_END {
            let slot = self.free as usize;
            // SAFETY: the first two bytes of a free slot hold the link that `give_back` wrote.
            self.free = unsafe { self.slot_address(slot).cast::<u16>().read_unaligned() };
            return slot;
        }
        let slot = self.fresh as usize;
        self.fresh += 1;
        // SAFETY: the slot lies in the page and nobody else has it. This initialises memory handed out the first time.
        unsafe { self.slot_address(slot).write_bytes(0, self.class.block_bytes()) };
        slot
    }

    /// Returns a live slot.
    #[inline]
    pub fn give_back(&mut self, slot: usize) {
        debug_assert!(slot < self.fresh as usize && self.used > 0);
        self.used -= 1;
        if self.used == 0 {
            self.free = LIST_END;
            self.fresh = 0;
            return;
        }
        // SAFETY: the slot lies in the page, is at least 8 bytes long, and its block is dead.
        unsafe { self.slot_address(slot).cast::<u16>().write_unaligned(self.free) };
        self.free = slot as u16;
    }

    /// Which slots are live, found by walking the free list.
    pub fn live_slots(&self) -> LiveSlots {
        let mut live = LiveSlots([0; PAGE_SLOTS_MAX / 64]);
        for slot in 0..self.fresh as usize {
            live.0[slot / 64] |= 1 << (slot % 64);
        }
        let mut free = self.free;
        while free != LIST_END {
            live.0[free as usize / 64] &= !(1 << (free % 64));
            // SAFETY: as in `take`, a slot of the free list begins with a link.
            free = unsafe { self.slot_address(free as usize).cast::<u16>().read_unaligned() };
        }
        live
    }

    /// Panics if the free list contradicts the counters.
    pub fn check_invariants(&self) {
        let live = self.live_slots();
        let count: u32 = live.0.iter().map(|word| word.count_ones()).sum();
        assert_eq!(count, u32::from(self.used), "live slots of a page");
        assert!(self.used <= self.fresh && self.fresh <= self.slots, "fill levels of a page");
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: the memory was allocated in `new` with this very layout, and blocks in it are dead or leaked.
        unsafe { alloc::dealloc(self.base.as_ptr(), Self::layout(self.bytes())) };
    }
}
