//! Buffers: heap memory that a block owns by holding the raw parts of a `Vec`.
//!
//! A block is plain bytes and may be copied when an entry moves, so ownership of the buffer follows one rule: the raw
//! parts are owned by the one live block that holds them, or by whoever just took them out of a block that dies.

use std::mem::ManuallyDrop;

/// Bytes that the raw parts of a buffer take in a block.
pub const BUFFER_PARTS_BYTES: usize = 24;

/// The raw parts of a buffer, as they lie in a block: address, length and capacity.
#[derive(Clone, Copy, Debug)]
pub struct BufferParts([u8; BUFFER_PARTS_BYTES]);

impl BufferParts {
    /// Takes a vector apart. It leaks unless [`Self::into_vec`] puts it together again.
    pub fn new(vec: Vec<u8>) -> Self {
        let mut vec = ManuallyDrop::new(vec);
        let mut parts = [0; BUFFER_PARTS_BYTES];
        parts[..8].copy_from_slice(&(vec.as_mut_ptr().expose_provenance() as u64).to_ne_bytes());
        parts[8..16].copy_from_slice(&(vec.len() as u64).to_ne_bytes());
        parts[16..].copy_from_slice(&(vec.capacity() as u64).to_ne_bytes());
        Self(parts)
    }

    /// Reads parts from the beginning of `bytes`.
    pub fn read(bytes: &[u8]) -> Self {
        Self(*bytes.first_chunk().expect("a block that has a buffer holds all its parts"))
    }

    /// The parts as bytes.
    pub const fn as_bytes(&self) -> &[u8; BUFFER_PARTS_BYTES] {
        &self.0
    }

    fn word(&self, index: usize) -> usize {
        let bytes = self.0[index * 8..index * 8 + 8].try_into().expect("a word has eight bytes");
        u64::from_ne_bytes(bytes) as usize
    }

    /// The length of the buffer's contents.
    pub fn len(&self) -> usize {
        self.word(1)
    }

    /// The bytes that the buffer takes.
    pub fn capacity(&self) -> usize {
        self.word(2)
    }

    /// The contents.
    ///
    /// # Safety
    ///
    /// The parts came from [`Self::new`], the buffer was not taken since, and is neither changed nor taken during `'a`.
    pub unsafe fn as_slice<'a>(&self) -> &'a [u8] {
        let start = std::ptr::with_exposed_provenance::<u8>(self.word(0));
        // SAFETY: the parts are those of a vector that is alive and not changed meanwhile.
        unsafe { std::slice::from_raw_parts(start, self.len()) }
    }

    /// The contents, to be changed.
    ///
    /// # Safety
    ///
    /// As for [`Self::as_slice`], and nobody else looks at the contents during `'a`.
    pub unsafe fn as_mut_slice<'a>(&self) -> &'a mut [u8] {
        let start = std::ptr::with_exposed_provenance_mut::<u8>(self.word(0));
        // SAFETY: the parts are those of a vector that is alive and that nobody else uses meanwhile.
        unsafe { std::slice::from_raw_parts_mut(start, self.len()) }
    }

    /// The vector again.
    ///
    /// # Safety
    ///
    /// The parts came from [`Self::new`], and nobody else puts the vector together from a copy of them.
    pub unsafe fn into_vec(self) -> Vec<u8> {
        let start = std::ptr::with_exposed_provenance_mut::<u8>(self.word(0));
        // SAFETY: the parts are those of a vector that was taken apart, and are used this one time.
        unsafe { Vec::from_raw_parts(start, self.len(), self.capacity()) }
    }
}
