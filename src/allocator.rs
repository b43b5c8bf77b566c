//! The allocator: jemalloc, whose small sizes are 8 bytes apart.
//!
//! With sizes of 24, 40 and 56 bytes (`JEMALLOC_SYS_WITH_LG_QUANTUM`) a block is aligned to 8 bytes and no more, while its
//! binding for Rust takes 16 for granted, as they are with jemalloc's own settings. A hash table of few small items is such
//! a block that must be aligned to 16: reading it would end the process. So what is to be aligned to 16 is asked for in
//! multiples of 16, and a block of such a size is aligned so.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};

use tikv_jemallocator::Jemalloc;

/// From here on blocks are not aligned by themselves.
const ALIGNED_BYTES: usize = 16;

/// jemalloc, with blocks aligned as they are asked for.
pub struct Allocator;

/// The layout to ask jemalloc for: the same one whenever the block is handed back or resized.
const fn padded(layout: Layout) -> Layout {
    if layout.align() < ALIGNED_BYTES {
        return layout;
    }
    match Layout::from_size_align(layout.size().next_multiple_of(ALIGNED_BYTES), layout.align()) {
        Ok(padded) => padded,
        // As large as the address space: jemalloc refuses it as it is.
        Err(_) => layout,
    }
}

// SAFETY: every call is handed on to jemalloc with the block that it is about, and with a layout that is at least as large,
// aligned alike, and the same in all calls about one block.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the padded layout is of no size only if this one is, which the caller excludes.
        unsafe { Jemalloc.alloc(padded(layout)) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { Jemalloc.alloc_zeroed(padded(layout)) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block was allocated with this padded layout.
        unsafe { Jemalloc.dealloc(block, padded(layout)) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let size = if layout.align() < ALIGNED_BYTES { size } else { size.next_multiple_of(ALIGNED_BYTES) };
        // SAFETY: the block was allocated with this padded layout, and the new size is padded alike.
        unsafe { Jemalloc.realloc(block, padded(layout), size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_aligned_is() {
        for size in 1..=512 {
            let layout = Layout::from_size_align(size, ALIGNED_BYTES).expect("a small layout");
            // SAFETY: the layout has a size, and the block is handed back with it.
            let blocks: Vec<*mut u8> = (0..8).map(|_| unsafe { Allocator.alloc(layout) }).collect();
            assert!(blocks.iter().all(|block| block.addr().is_multiple_of(ALIGNED_BYTES)), "{size} bytes");
            // SAFETY: each was allocated above with this layout.
            blocks.into_iter().for_each(|block| unsafe { Allocator.dealloc(block, layout) });
        }
    }
}
