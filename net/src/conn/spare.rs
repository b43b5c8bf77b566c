//! Emptied buffers of a core, for the next connection in need of one.
//!
//! An idle connection holds no buffer, so a busy one would allocate and free one at each request. Handing the last one on
//! costs a few instructions, and its memory is still in the cache. A tick with more busy connections than there are
//! buffers makes new ones, of the size that was needed of late, so that they do not grow piece by piece.

use crate::limits::{SPARE_BYTES, SPARE_VECTOR_BYTES, SPARE_VECTORS};
use crate::size::allocated;

/// The most that is allocated ahead of its use.
const EXPECTED_BYTES_MAX: usize = 4096;
/// So much of what is expected is dropped with each shorter content.
const EXPECTED_SHARE: usize = 16;

/// Buffers without content.
#[derive(Debug, Default)]
pub(crate) struct Spare {
    buffers: Vec<Vec<u8>>,
    /// What they take together of memory.
    bytes: usize,
    /// How long the content of buffers is: at once as long as a longer one, and less by and by.
    expected: usize,
}

impl Spare {
    /// An empty buffer.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let Some(buffer) = self.buffers.pop() else { return Vec::with_capacity(self.expected) };
        self.bytes -= allocated(buffer.capacity());
        buffer
    }

    /// What is kept takes so many bytes of memory.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Frees all that is kept.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Keeps a buffer, unless there are enough or it is large. What is kept counts as memory in use, and is no more than
    /// what a few clients take.
    pub(crate) fn put(&mut self, mut buffer: Vec<u8>) {
        let (capacity, bytes) = (buffer.capacity(), allocated(buffer.capacity()));
        let len = buffer.len().min(EXPECTED_BYTES_MAX);
        self.expected = len.max(self.expected - self.expected.div_ceil(EXPECTED_SHARE));
        let fits = self.bytes == 0 || self.bytes + bytes <= SPARE_BYTES;
        let fits = fits && self.buffers.len() < SPARE_VECTORS;
        if (1..=SPARE_VECTOR_BYTES).contains(&capacity) && fits {
            buffer.clear();
            self.bytes += bytes;
            self.buffers.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_buffer_is_as_large_as_contents_of_late() {
        let mut spare = Spare::default();
        assert_eq!(spare.take().capacity(), 0);
        spare.put(vec![0; 1000]);
        let kept = spare.take();
        assert_eq!((kept.is_empty(), spare.take().capacity()), (true, 1000));
        spare.put(vec![0; 1 << 20]);
        assert_eq!(spare.take().capacity(), EXPECTED_BYTES_MAX);
        (0..200).for_each(|_| spare.put(Vec::new()));
        assert_eq!(spare.take().capacity(), 0, "nothing was in them for long");
    }

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
