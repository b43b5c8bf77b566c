//! Asking for the memory of lookups that are about to happen, so that their cache misses overlap.
//!
//! A lookup touches the line of its hash, then the block that a tag of the line points to. Both are asked for ahead in two
//! rounds: the lines of several hashes, then, when those have come, the blocks.

use super::Table;

impl Table {
    /// Asks for the line of a hash.
    #[inline]
    pub fn prefetch_line(&self, hash: u64) {
        if self.directory.is_empty() {
            return;
        }
        let segment = &self.segments[self.segment_of(hash)];
        let line = segment.line(segment.home(segment.position(hash)));
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a prefetch has no effect that a program can see, whatever the address.
        unsafe {
            std::arch::x86_64::_mm_prefetch(std::ptr::from_ref(line).cast::<i8>(), std::arch::x86_64::_MM_HINT_T0);
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = line;
    }

    /// Asks for the block that a lookup of the hash will look at first.
    #[inline]
    pub fn prefetch_block(&self, hash: u64) {
        if self.entries == 0 {
            return;
        }
        let segment = &self.segments[self.segment_of(hash)];
        let position = segment.position(hash);
        let line = segment.line(segment.home(position));
        if let Some(slot) = line.matches(position as u8).next() {
            // SAFETY: handles in slots are live.
            unsafe { self.slab.prefetch(line.handle(slot)) };
        }
    }
}
