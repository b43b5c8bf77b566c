//! Emptied buffers of a core, for the next connection in need of one.
//!
//! An idle connection holds no buffer, so a busy one would allocate and free one at each request. Handing the last one on
//! costs a few instructions, and its memory is still in the cache.

use crate::limits::{SPARE_VECTOR_BYTES, SPARE_VECTORS};

/// Buffers without content.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    buffers: Vec<Vec<u8>>,
}

impl Spare {
    /// An empty buffer.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.buffers.pop().unwrap_or_default()
    }

    /// Frees all that is kept.
    pub(crate) fn clear(&mut self) {
        self.buffers = Vec::new();
    }

    /// Keeps a buffer, unless there are enough or it is large.
    pub(crate) fn put(&mut self, mut buffer: Vec<u8>) {
        let capacity = buffer.capacity();
        if (1..=SPARE_VECTOR_BYTES).contains(&capacity) && self.buffers.len() < SPARE_VECTORS {
            buffer.clear();
            self.buffers.push(buffer);
        }
    }
}
