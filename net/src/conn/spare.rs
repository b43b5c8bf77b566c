//! Emptied buffers of a core, for the next connection in need of one.
//!
//! An idle connection holds no buffer, so a busy one would allocate and free one at each request. Handing the last one on
//! costs a few instructions, and its memory is still in the cache.

use crate::limits::{SPARE_BYTES, SPARE_VECTOR_BYTES, SPARE_VECTORS};

/// Buffers without content.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    buffers: Vec<Vec<u8>>,
    /// What they take together.
    bytes: usize,
}

impl Spare {
    /// An empty buffer.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let buffer = self.buffers.pop().unwrap_or_default();
        self.bytes -= buffer.capacity();
        buffer
    }

    /// Frees all that is kept.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Keeps a buffer, unless there are enough or it is large. What is kept counts as memory in use, and is no more than
    /// what a few clients take.
    pub(crate) fn put(&mut self, mut buffer: Vec<u8>) {
        let capacity = buffer.capacity();
        let fits = self.bytes == 0 || self.bytes + capacity <= SPARE_BYTES;
        let fits = fits && self.buffers.len() < SPARE_VECTORS;
        if (1..=SPARE_VECTOR_BYTES).contains(&capacity) && fits {
            buffer.clear();
            self.bytes += capacity;
            self.buffers.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_in_number_and_in_bytes() {
        let mut spare = Spare::default();
        (0..SPARE_VECTORS + 5).for_each(|_| spare.put(Vec::with_capacity(16)));
        assert_eq!(spare.buffers.len(), SPARE_VECTORS);
        spare.clear();
        (0..10).for_each(|_| spare.put(Vec::with_capacity(SPARE_BYTES / 4)));
        assert_eq!((spare.buffers.len(), spare.bytes), (4, SPARE_BYTES));
        assert_eq!(spare.take().capacity(), SPARE_BYTES / 4);
        spare.put(Vec::with_capacity(SPARE_BYTES / 8));
        assert_eq!((spare.buffers.len(), spare.bytes), (4, SPARE_BYTES / 4 * 3 + SPARE_BYTES / 8));
        spare.put(Vec::new());
        assert_eq!(spare.buffers.len(), 4, "there is nothing in it to keep");
        spare.clear();
        (0..2).for_each(|_| spare.put(Vec::with_capacity(SPARE_VECTOR_BYTES)));
        assert_eq!(spare.buffers.len(), 1, "a large one stands alone");
    }
}
