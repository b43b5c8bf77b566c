//! The segments of a table, in chunks, and the arithmetic of linear hashing.
//!
//! With n segments and L = floor(log2 n), those below n - 2^L and from 2^L on were split in this round: L + 1 bits of the
//! hash lead to them. All others wait for their turn, and L bits do. The next to split is number n - 2^L.

use super::NEVER;
use super::segment::Segment;

/// Segments in a chunk: their memory is had in pieces, so that it never has to be moved as a whole.
const CHUNK: usize = 256;

#[derive(Clone, Debug)]
struct Chunk<const VALUES: bool> {
    segments: Vec<Segment<VALUES>>,
    /// A lower bound of the expiries.
    earliest: i64,
}

/// An array of at least one segment.
#[derive(Clone, Debug)]
pub struct Segments<const VALUES: bool> {
    chunks: Vec<Chunk<VALUES>>,
    len: usize,
}

impl<const VALUES: bool> Segments<VALUES> {
    /// An array with one segment.
    pub fn new(first: Segment<VALUES>) -> Self {
        let mut segments = Self { chunks: Vec::with_capacity(1), len: 0 };
        segments.push(first);
        segments
    }

    /// The number of segments.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Bytes of memory of the array itself.
    pub fn heap_bytes(&self) -> usize {
        let full = (self.chunks.len() - 1) * CHUNK;
        let last = self.chunks.last().map_or(0, |chunk| chunk.segments.capacity());
        self.chunks.capacity() * size_of::<Chunk<VALUES>>() + (full + last) * size_of::<Segment<VALUES>>()
    }

    /// The segment of that number.
    #[inline]
    pub fn at(&self, number: usize) -> &Segment<VALUES> {
        &self.chunks[number / CHUNK].segments[number % CHUNK]
    }

    /// The segment of that number, to be changed.
    #[inline]
    pub fn at_mut(&mut self, number: usize) -> &mut Segment<VALUES> {
        &mut self.chunks[number / CHUNK].segments[number % CHUNK]
    }

    /// Appends a segment.
    pub fn push(&mut self, segment: Segment<VALUES>) {
        if self.len.is_multiple_of(CHUNK) {
            let capacity = if self.len == 0 { 1 } else { CHUNK };
            self.chunks.push(Chunk { segments: Vec::with_capacity(capacity), earliest: NEVER });
        }
        let chunk = self.chunks.last_mut().expect("there is a chunk with room");
        chunk.earliest = chunk.earliest.min(segment.earliest());
        chunk.segments.push(segment);
        self.len += 1;
    }

    /// Takes the last segment off.
    pub fn pop(&mut self) -> Segment<VALUES> {
        let chunk = self.chunks.last_mut().expect("there is a segment");
        let segment = chunk.segments.pop().expect("the last chunk has a segment");
        if chunk.segments.is_empty() {
            self.chunks.pop();
        }
        self.len -= 1;
        segment
    }

    /// The number of chunks.
    pub fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// The numbers of the segments in a chunk.
    pub fn in_chunk(&self, chunk: usize) -> std::ops::Range<usize> {
        chunk * CHUNK..chunk * CHUNK + self.chunks[chunk].segments.len()
    }

    /// The lower bound of the expiries in a chunk.
    pub fn earliest(&self, chunk: usize) -> i64 {
        self.chunks[chunk].earliest
    }

    /// Makes the lower bound of a chunk as good as those of its segments.
    pub fn renew_earliest(&mut self, chunk: usize) {
        let chunk = &mut self.chunks[chunk];
        chunk.earliest = chunk.segments.iter().map(Segment::earliest).min().unwrap_or(NEVER);
    }

    /// Notes that a segment has a record that expires so early.
    pub fn note_expiry(&mut self, number: usize, expire_at: i64) {
        let earliest = &mut self.chunks[number / CHUNK].earliest;
        *earliest = (*earliest).min(expire_at);
    }

    const fn level(&self) -> u32 {
        self.len.ilog2()
    }

    /// The number of the segment for a hash.
    #[inline]
    pub const fn number_of(&self, hash: u64) -> usize {
        let level = self.level();
        let reversed = hash.reverse_bits() as usize;
        let number = reversed & ((2 << level) - 1);
        if number < self.len { number } else { reversed & ((1 << level) - 1) }
    }

    /// How many bits of the hash lead to a segment.
    #[inline]
    pub const fn depth(&self, number: usize) -> u32 {
        let level = self.level();
        level + (number < self.len - (1 << level) || number >= 1 << level) as u32
    }

    /// The first position of the hash space that belongs to a segment.
    pub const fn start(number: usize) -> u64 {
        (number as u64).reverse_bits()
    }

    /// The segment that splits next.
    pub const fn next_to_split(&self) -> usize {
        self.len - (1 << self.level())
    }
}
