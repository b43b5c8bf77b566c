//! The slab: blocks for entries, in fine size classes, each named by a 32-bit handle.
//!
//! ```text
//! handle    31 ............... 12 11 ........ 0        address = base(page) + slot * block_bytes(page)
//!           page number           slot
//!
//! addresses[page]   63 ........ 16 15 ......... 0
//!                   base           block_bytes         all that a look-up reads of a page
//! ```
//!
//! A slab belongs to one database of one shard: no synchronisation, and emptying the database drops whole pages. Pages
//! are of one class each, taken from the global allocator, and returned when their last block dies.
//!
//! The first pages of a class are small, 4 KiB, and those that come after grow with what the class holds, up to 64 KiB:
//! a few keys of many sizes would else take a large page for each size, most of it empty. A class has some ten pages
//! that are smaller than the largest, so their numbers do not count.
//!
//! A handle names 2^20 pages of up to 4,096 blocks. The first half of them are of 64 KiB (together 32 GiB), those that
//! come after are four times as large. At the limit, 160 GiB of blocks in one database of one shard (long strings are
//! elsewhere), the process ends as it does when memory is exhausted.
//!
//! # Fragmentation
//!
//! Pages with room are kept in lists by how full they are (in quarters), and new blocks go to the fullest, so that sparse
//! pages drain. [`Slab::sparse_page`] names a page that is worth evacuating: its class has enough room elsewhere. The
//! table moves the blocks, since it alone can find who refers to a block (through the key's hash).
//!
//! # Safety
//!
//! A handle is live from [`Slab::allocate`] until it is passed to [`Slab::free`]. Functions that take one are unsafe
//! because they trust it to be live in this very slab.

use class::{CLASSES, Class};
use page::Page;

pub mod class;
pub mod page;
#[cfg(test)]
mod tests;

const NONE: u32 = u32::MAX;
const SLOT_BITS: u32 = class::PAGE_SLOTS_MAX.ilog2();
const SLOT_MASK: u32 = (1 << SLOT_BITS) - 1;
const PAGES_MAX: usize = 1 << (32 - SLOT_BITS);
const SIZE_BITS: u32 = 16;

const PAGE_BYTES: usize = 64 * 1024;
/// The first pages of a class.
const PAGE_BYTES_MIN: usize = 4 * 1024;
/// Pages with numbers from here on are larger.
const LARGE_PAGES_FROM: usize = PAGES_MAX / 2;
const LARGE_PAGE_BYTES: usize = 256 * 1024;
/// A new page is about this part of what its class has already.
const PAGE_SHARE: usize = 4;

const _: () = assert!(PAGE_BYTES_MIN >= class::BLOCK_BYTES_MAX, "a page holds a block of any class");

/// Lines of the processor's cache, in bytes.
const CACHE_LINE_BYTES: usize = 64;
/// So much of a block is asked for ahead of its use; the processor itself goes on with a longer one.
const PREFETCHED_BYTES: usize = 4 * CACHE_LINE_BYTES;

/// Lists of a class: pages less than a quarter full, less than half, less than three quarters, and the rest with room.
const QUARTERS: usize = 4;

/// The name of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub struct Handle(u32);

impl Handle {
    /// What fills slots that hold no handle.
    pub const UNUSED: Self = Self(0);

    const fn new(page: u32, slot: usize) -> Self {
        Self(page << SLOT_BITS | slot as u32)
    }

    const fn page(self) -> usize {
        (self.0 >> SLOT_BITS) as usize
    }

    const fn slot(self) -> usize {
        (self.0 & SLOT_MASK) as usize
    }
}

/// An allocator of small blocks.
#[derive(Debug, Default)]
pub struct Slab {
    /// Base address and block size of each page, 0 for a number not in use.
    addresses: Vec<u64>,
    pages: Vec<Option<Page>>,
    /// Page numbers not in use.
    vacant: Vec<u32>,
    /// One for each class; empty as long as nothing was ever allocated.
    classes: Vec<ClassPages>,
    /// The page being evacuated, which is in no list.
    evacuating: Option<u32>,
    block_bytes: usize,
    page_bytes: usize,
}

#[derive(Clone, Debug)]
struct ClassPages {
    /// The page that serves allocations; it is in no list.
    current: u32,
    /// First pages of the lists of pages with room.
    room: [u32; QUARTERS],
    /// Free slots in all pages of the class, except one being evacuated.
    free_slots: usize,
    /// Bytes of all pages of the class.
    page_bytes: usize,
}

impl ClassPages {
    const EMPTY: Self = Self { current: NONE, room: [NONE; QUARTERS], free_slots: 0, page_bytes: 0 };

    /// The size of the next page.
    fn next_page_bytes(&self) -> usize {
        (self.page_bytes / PAGE_SHARE).next_power_of_two().clamp(PAGE_BYTES_MIN, PAGE_BYTES)
    }
}

impl Slab {
    /// Bytes of live blocks, rounded up to their classes.
    pub const fn block_bytes(&self) -> usize {
        self.block_bytes
    }

    /// Bytes of pages, touched or not.
    pub const fn page_bytes(&self) -> usize {
        self.page_bytes
    }

    /// Bytes of the slab's own books.
    pub fn overhead_bytes(&self) -> usize {
        self.addresses.capacity() * size_of::<u64>()
            + self.pages.capacity() * size_of::<Option<Page>>()
            + self.vacant.capacity() * size_of::<u32>()
            + self.classes.capacity() * size_of::<ClassPages>()
    }

    /// Allocates a block of at least `bytes` bytes, which are at most [`class::BLOCK_BYTES_MAX`]. All its bytes are
    /// initialised, but to nothing in particular.
    #[inline]
    pub fn allocate(&mut self, bytes: usize) -> Handle {
        let class = Class::of(bytes);
        self.block_bytes += class.block_bytes();
        if let Some(state) = self.classes.get_mut(class.index())
            && let Some(Some(page)) = self.pages.get_mut(state.current as usize)
        {
            let handle = Handle::new(state.current, page.take());
            state.free_slots -= 1;
            if page.is_full() {
                state.current = NONE;
            }
            return handle;
        }
        self.allocate_from_next_page(class)
    }

    #[cold]
    fn allocate_from_next_page(&mut self, class: Class) -> Handle {
        if self.classes.is_empty() {
            self.classes = vec![ClassPages::EMPTY; CLASSES];
        }
        let fullest = self.classes[class.index()].room.iter().rev().copied().find(|&page| page != NONE);
        let number = match fullest {
            Some(number) => {
                self.unlink(number);
                number
            }
            None => self.add_page(class),
        };
        let state = &mut self.classes[class.index()];
        let page = self.pages[number as usize].as_mut().expect("a listed page exists");
        let handle = Handle::new(number, page.take());
        state.free_slots -= 1;
        state.current = if page.is_full() { NONE } else { number };
        handle
    }

    fn add_page(&mut self, class: Class) -> u32 {
        let number = self.vacant.pop().map_or(self.pages.len(), |number| number as usize);
        let state = &mut self.classes[class.index()];
        let bytes = if number < LARGE_PAGES_FROM { state.next_page_bytes() } else { LARGE_PAGE_BYTES };
        let page = Page::new(class, bytes);
        let base = page.base().as_ptr().expose_provenance() as u64;
        assert!(base >> (64 - SIZE_BITS) == 0, "addresses of a process have 48 bits");
        let address = base << SIZE_BITS | class.block_bytes() as u64;
        self.page_bytes += bytes;
        state.page_bytes += bytes;
        state.free_slots += page.slots();
        if number < self.pages.len() {
            self.addresses[number] = address;
            self.pages[number] = Some(page);
        } else {
            assert!(number < PAGES_MAX, "a database on one shard can hold 2^20 pages of entries");
            self.addresses.push(address);
            self.pages.push(Some(page));
        }
        number as u32
    }

    fn drop_page(&mut self, number: u32) {
        let page = self.pages[number as usize].take().expect("a page is dropped once");
        debug_assert_eq!(page.used(), 0);
        self.page_bytes -= page.bytes();
        self.classes[page.class().index()].page_bytes -= page.bytes();
        self.addresses[number as usize] = 0;
        self.vacant.push(number);
    }

    /// Frees a block.
    ///
    /// # Safety
    ///
    /// The handle is live; it is dead afterwards.
    #[inline]
    pub unsafe fn free(&mut self, handle: Handle) {
        let number = handle.page() as u32;
        let page = self.pages[handle.page()].as_mut().expect("a live handle is in a page");
        let class = page.class();
        let before = page.quarter();
        page.give_back(handle.slot());
        let after = page.quarter();
        let (empty, slots) = (page.used() == 0, page.slots());
        self.block_bytes -= class.block_bytes();
        if self.evacuating == Some(number) {
            if empty {
                self.evacuating = None;
                self.drop_page(number);
            }
            return;
        }
        let state = &mut self.classes[class.index()];
        state.free_slots += 1;
        if state.current == number {
            return;
        }
        if empty {
            state.free_slots -= slots;
            if before < QUARTERS {
                self.unlink_from(number, before);
            }
            self.drop_page(number);
        } else if before != after {
            if before < QUARTERS {
                self.unlink_from(number, before);
            }
            self.link(number);
        }
    }

    fn page(&self, number: u32) -> &Page {
        self.pages[number as usize].as_ref().expect("page numbers in lists are in use")
    }

    fn page_mut(&mut self, number: u32) -> &mut Page {
        self.pages[number as usize].as_mut().expect("page numbers in lists are in use")
    }

    /// Puts a page with room into the list of its quarter.
    fn link(&mut self, number: u32) {
        let page = self.page(number);
        let (class, quarter) = (page.class().index(), page.quarter());
        let next = std::mem::replace(&mut self.classes[class].room[quarter], number);
        if next != NONE {
            self.page_mut(next).previous = number;
        }
        let page = self.page_mut(number);
        page.previous = NONE;
        page.next = next;
    }

    fn unlink(&mut self, number: u32) {
        let quarter = self.page(number).quarter();
        self.unlink_from(number, quarter);
    }

    fn unlink_from(&mut self, number: u32, quarter: usize) {
        let page = self.page(number);
        let (class, previous, next) = (page.class().index(), page.previous, page.next);
        if previous == NONE {
            self.classes[class].room[quarter] = next;
        } else {
            self.page_mut(previous).next = next;
        }
        if next != NONE {
            self.page_mut(next).previous = previous;
        }
    }

    /// The address of a block and its size.
    ///
    /// # Safety
    ///
    /// The handle is live.
    #[inline]
    unsafe fn locate(&self, handle: Handle) -> (*mut u8, usize) {
        debug_assert!(handle.page() < self.addresses.len());
        // SAFETY: a live handle's page number is in use, so it is below the length.
        let address = unsafe { *self.addresses.get_unchecked(handle.page()) };
        let block_bytes = (address & ((1 << SIZE_BITS) - 1)) as usize;
        let base = std::ptr::with_exposed_provenance_mut::<u8>((address >> SIZE_BITS) as usize);
        // SAFETY: the slot of a live handle lies within the page.
        (unsafe { base.add(handle.slot() * block_bytes) }, block_bytes)
    }

    /// The bytes of a block, up to the size of its class.
    ///
    /// # Safety
    ///
    /// The handle is live.
    #[inline]
    pub unsafe fn block(&self, handle: Handle) -> &[u8] {
        // SAFETY: the handle is live.
        let (start, len) = unsafe { self.locate(handle) };
        // SAFETY: a live block is initialised memory of that length, and is changed only through `&mut self`.
        unsafe { std::slice::from_raw_parts(start, len) }
    }

    /// The bytes of a block, to be changed.
    ///
    /// # Safety
    ///
    /// The handle is live.
    #[inline]
    pub unsafe fn block_mut(&mut self, handle: Handle) -> &mut [u8] {
        // SAFETY: the handle is live.
        let (start, len) = unsafe { self.locate(handle) };
        // SAFETY: as in `block`; the exclusive borrow of the slab makes this the only reference into it.
        unsafe { std::slice::from_raw_parts_mut(start, len) }
    }

    /// The bytes of two different blocks: one to read from, one to write to.
    ///
    /// # Safety
    ///
    /// Both handles are live.
    #[inline]
    pub unsafe fn block_pair(&mut self, from: Handle, to: Handle) -> (&[u8], &mut [u8]) {
        assert_ne!(from, to);
        // SAFETY: the handle is live.
        let (source, source_len) = unsafe { self.locate(from) };
        // SAFETY: the handle is live.
        let (target, target_len) = unsafe { self.locate(to) };
        // SAFETY: different live blocks do not overlap, and the slab is borrowed exclusively.
        unsafe { (std::slice::from_raw_parts(source, source_len), std::slice::from_raw_parts_mut(target, target_len)) }
    }

    /// Asks the processor to load a block, of a long one the beginning.
    ///
    /// # Safety
    ///
    /// The handle is live.
    #[inline]
    pub unsafe fn prefetch(&self, handle: Handle) {
        // SAFETY: the handle is live.
        let (start, len) = unsafe { self.locate(handle) };
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // A block begins anywhere in a line: its last byte tells how many lines it lies in.
            let last = start.wrapping_add(len.min(PREFETCHED_BYTES) - 1).addr() / CACHE_LINE_BYTES;
            for line in 0..=last - start.addr() / CACHE_LINE_BYTES {
                let address = start.wrapping_add(line * CACHE_LINE_BYTES).cast_const().cast::<i8>();
                // SAFETY: a prefetch has no effect that a program can see, whatever the address.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(address) };
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (start, len);
    }

    /// The live blocks of the page to be evacuated next, at most `max`. Empty: no page is worth it now.
    ///
    /// While a page is evacuated no new blocks go there; it is dropped with its last block.
    pub fn evacuees(&mut self, max: usize) -> Vec<Handle> {
        if self.evacuating.is_none() {
            let Some(number) = self.sparse_page() else { return Vec::new() };
            self.unlink(number);
            let page = self.page(number);
            let (class, free) = (page.class().index(), page.slots() - page.used());
            self.classes[class].free_slots -= free;
            self.evacuating = Some(number);
        }
        let number = self.evacuating.expect("it was just set");
        let page = self.page(number);
        let live = page.live_slots();
        (0..page.slots()).filter(|&slot| live.contains(slot)).take(max).map(|slot| Handle::new(number, slot)).collect()
    }

    /// A page at most three quarters full whose blocks would fit, twice over, into other pages of its class.
    fn sparse_page(&self) -> Option<u32> {
        let fits = |&number: &u32| {
            number != NONE && {
                let page = self.page(number);
                let elsewhere = self.classes[page.class().index()].free_slots - (page.slots() - page.used());
                elsewhere >= page.used() * 2
            }
        };
        (0..QUARTERS - 1).find_map(|quarter| self.classes.iter().map(|class| class.room[quarter]).find(fits))
    }

    /// The class size of a block.
    ///
    /// # Safety
    ///
    /// The handle is live.
    #[inline]
    pub unsafe fn capacity(&self, handle: Handle) -> usize {
        // SAFETY: the handle is live.
        unsafe { self.locate(handle) }.1
    }

    /// Drops all pages of a slab whose blocks are dead, at most `max` of them; whether none is left.
    ///
    /// # Safety
    ///
    /// No handle is live.
    pub unsafe fn drop_pages(&mut self, max: usize) -> bool {
        for _ in 0..max {
            match self.pages.pop() {
                Some(page) => self.page_bytes -= page.map_or(0, |page| page.bytes()),
                None => break,
            }
        }
        self.pages.is_empty()
    }

    /// Panics if the books contradict the pages.
    pub fn check_invariants(&self) {
        let (mut block_bytes, mut page_bytes) = (0, 0);
        let mut free_slots = vec![0; CLASSES];
        let mut class_bytes = vec![0; CLASSES];
        for (number, page) in self.pages.iter().enumerate() {
            let Some(page) = page else {
                assert_eq!(self.addresses[number], 0);
                continue;
            };
            page.check_invariants();
            block_bytes += page.used() * page.class().block_bytes();
            page_bytes += page.bytes();
            class_bytes[page.class().index()] += page.bytes();
            if self.evacuating != Some(number as u32) {
                free_slots[page.class().index()] += page.slots() - page.used();
            }
        }
        assert_eq!((block_bytes, page_bytes), (self.block_bytes, self.page_bytes));
        for (index, class) in self.classes.iter().enumerate() {
            assert_eq!((class.free_slots, class.page_bytes), (free_slots[index], class_bytes[index]));
            self.check_lists(index, class);
        }
    }

    fn check_lists(&self, index: usize, class: &ClassPages) {
        for (quarter, &first) in class.room.iter().enumerate() {
            let (mut number, mut previous) = (first, NONE);
            while number != NONE {
                let page = self.page(number);
                assert_eq!((page.class().index(), page.quarter(), page.previous), (index, quarter, previous));
                assert!(number != class.current && self.evacuating != Some(number));
                (previous, number) = (number, page.next);
            }
        }
    }
}
