//! The query buffer: input of one connection that must wait.
//!
//! Bytes are appended at the end and consumed at the front. It grows by doubling, or at once to the exact size when a
//! command says how long it will be; consumed bytes are squeezed out when room is needed and they are at least as many
//! as the bytes to move. So each byte is moved a bounded number of times, however the input arrives. When most of a large
//! buffer has become of no use, what is left moves into a smaller one.

use std::collections::TryReserveError;

use super::spare::Spare;
use crate::limits::SPARE_VECTOR_BYTES;

/// A large buffer of which so little is needed, one part in so many, is too large.
const OVERSIZED: usize = 4;

/// The buffer. Empty, it holds no memory.
#[derive(Debug, Default)]
pub(crate) struct Query {
    bytes: Vec<u8>,
    /// Bytes at the front that are consumed.
    head: usize,
}

impl Query {
    /// Bytes not consumed.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.head
    }

    /// Whether all is consumed.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory held.
    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// The bytes not consumed.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.bytes[self.head..]
    }

    /// Appends `piece`. `expected` is the length that the query will come to have, as far as is known.
    pub(crate) fn append(&mut self, piece: &[u8], expected: usize, spare: &mut Spare) -> Result<(), TryReserveError> {
        if self.bytes.capacity() == 0 {
            self.bytes = spare.take();
        }
        if self.bytes.capacity() - self.bytes.len() < piece.len() || expected > self.bytes.capacity() {
            self.make_room(expected.max(self.len() + piece.len()))?;
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }

    /// Makes the buffer hold `total` unread bytes.
    #[cold]
    fn make_room(&mut self, total: usize) -> Result<(), TryReserveError> {
        let unread = self.len();
        let capacity = self.bytes.capacity();
        if total > capacity || self.head >= unread {
            self.bytes.drain(..self.head);
            self.head = 0;
        }
        let additional = total - unread;
        if total > capacity.saturating_mul(2) {
            self.bytes.try_reserve_exact(additional)
        } else {
            self.bytes.try_reserve(additional)
        }
    }

    /// Hands the buffer out with room for `missing` more bytes; `None` if there is no memory for them. Until it is put back
    /// this is empty.
    pub(crate) fn lend(&mut self, missing: usize) -> Option<Vec<u8>> {
        self.bytes.drain(..self.head);
        self.head = 0;
        self.bytes.try_reserve(missing).ok()?;
        Some(std::mem::take(&mut self.bytes))
    }

    /// Takes a lent buffer back.
    pub(crate) fn put_back(&mut self, bytes: Vec<u8>) {
        assert!(self.bytes.capacity() == 0, "nothing was added while the buffer was lent");
        self.bytes = bytes;
    }

    /// The first `count` bytes are done with.
    pub(crate) fn consume(&mut self, count: usize, spare: &mut Spare) {
        self.head += count;
        debug_assert!(self.head <= self.bytes.len());
        if self.head == self.bytes.len() {
            self.clear(spare);
        }
    }

    /// Moves what is left into a smaller buffer, if most of this one is of no use for the next `expected` bytes: a client
    /// that is never quite done would keep what a burst took.
    pub(crate) fn fit(&mut self, expected: usize, spare: &mut Spare) {
        let wanted = expected.max(self.len());
        if self.capacity() <= SPARE_VECTOR_BYTES || wanted > self.capacity() / OVERSIZED {
            return;
        }
        let mut smaller = spare.take();
        // Without memory for it, it stays as it is.
        if smaller.try_reserve(wanted).is_ok() {
            smaller.extend_from_slice(self.unread());
            *self = Self { bytes: smaller, head: 0 };
        }
    }

    /// Drops everything and the memory.
    pub(crate) fn clear(&mut self, spare: &mut Spare) {
        self.head = 0;
        spare.put(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests;
