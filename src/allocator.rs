//! The allocator: jemalloc, with the alignment that Rust asks for.
//!
//! jemalloc is built with size classes every 8 bytes below 64 (`LG_QUANTUM` 3), for the sake of short strings. Its binding
//! takes every class to be aligned to 16 bytes all the same, as with jemalloc's own classes, and asks for no alignment up to
//! that. Blocks of 24, 40 and 56 bytes are aligned to 8 only: a hash table of four slots of 8 bytes is one, and is read by
//! instructions that want 16. So whatever wants 16 bytes of alignment gets a size that is a multiple of it, and with it a
//! class whose blocks are aligned.

#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout};

use tikv_jemallocator::Jemalloc;

/// jemalloc for Rust.
pub struct Allocator;

/// The layout by which jemalloc is asked for `layout`: the same one for the same layout, whatever is done with the block.
#[inline]
fn asked(layout: Layout) -> Layout {
    if layout.align() < 16 { layout } else { layout.pad_to_align() }
}

// SAFETY: every call goes to jemalloc with a layout that is at least as large and as aligned as the one asked for, and that
// depends on it alone, so a block is freed by the layout by which it was allocated.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's layout is not empty, so this one is not.
        unsafe { Jemalloc.alloc(asked(layout)) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { Jemalloc.alloc_zeroed(asked(layout)) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block was allocated by this layout.
        unsafe { Jemalloc.dealloc(block, asked(layout)) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let align = layout.align();
        let size = if align < 16 { size } else { size.next_multiple_of(align) };
        // SAFETY: the block was allocated by this layout, and the caller's size is legal with this alignment.
        unsafe { Jemalloc.realloc(block, asked(layout), size) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_aligned_as_asked_for() {
        for size in 1..=512 {
            for align in [1, 8, 16, 32, 64] {
                let layout = Layout::from_size_align(size, align).expect("it is small");
                // SAFETY: the layout is not empty.
                let blocks: Vec<*mut u8> = (0..8).map(|_| unsafe { Allocator.alloc(layout) }).collect();
                for block in blocks {
                    assert!(!block.is_null() && block.addr().is_multiple_of(align), "{size} bytes at {block:?}");
                    // SAFETY: the block was allocated by this layout.
                    let grown = unsafe { Allocator.realloc(block, layout, size + 8) };
                    assert!(!grown.is_null() && grown.addr().is_multiple_of(align), "{size} bytes at {grown:?}");
                    let layout = Layout::from_size_align(size + 8, align).expect("it is small");
                    // SAFETY: the block has this layout since it grew.
                    unsafe { Allocator.dealloc(grown, layout) };
                }
            }
        }
    }
}
