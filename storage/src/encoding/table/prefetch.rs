//! Asking for the memory of lookups that are about to happen, so that their cache misses overlap.
//!
//! A lookup touches the line of its hash, then the block that a tag of the line points to. Both are asked for ahead in two
//! rounds: the lines of several hashes, then, when those have come, the blocks.

use super::{Table, block_at};
use crate::encoding::block::BlockRef;
use crate::encoding::prefetch::prefetch;
use crate::encoding::slab::Handle;

impl Table {
    /// Asks for the line of a hash.
    #[inline]
    pub fn prefetch_line(&self, hash: u64) {
        if self.directory.is_empty() {
            return;
        }
        let segment = &self.segments[self.segment_of(hash)];
        prefetch(segment.line(segment.home(segment.position(hash))));
    }

    /// The block that a lookup of the hash will look at first, which may be that of another key.
    #[inline]
    fn first_handle(&self, hash: u64) -> Option<Handle> {
        if self.entries == 0 {
            return None;
        }
        let segment = &self.segments[self.segment_of(hash)];
        let position = segment.position(hash);
        let line = segment.line(segment.home(position));
        line.matches(position as u8).next().map(|slot| line.handle(slot))
    }

    /// Asks for the block that a lookup of the hash will look at first.
    #[inline]
    pub fn prefetch_block(&self, hash: u64) {
        if let Some(handle) = self.first_handle(hash) {
            // SAFETY: handles in slots are live.
            unsafe { self.slab.prefetch(handle) };
        }
    }

    /// The block that a lookup of the hash will look at first, which may be that of another key.
    #[inline]
    pub fn first_block(&self, hash: u64) -> Option<BlockRef<'_>> {
        self.first_handle(hash).map(|handle| block_at(&self.slab, handle))
    }
}
