//! Writing records anew: to close holes, to split and to merge.

use super::{Chunks, Outside, Segment, Slots, tag_of};
use crate::encoding::members::slots::{NewSlot, bucket_bits};
use crate::encoding::members::{hash_of, record};

/// A record that is going to be written into another segment.
#[derive(Clone, Copy, Debug)]
struct Moving {
    hash: u64,
    source: usize,
    offset: usize,
    len: usize,
}

/// What is left of a segment that is taken apart.
#[derive(Debug)]
struct Source {
    chunks: Chunks,
    outside: Option<Box<Outside>>,
}

/// The members of segments that are taken apart.
#[derive(Debug, Default)]
pub struct Gathered {
    sources: Vec<Source>,
    records: Vec<Moving>,
}

impl Gathered {
    /// Takes a segment apart.
    pub fn add<const VALUES: bool>(&mut self, segment: Segment<VALUES>) {
        self.records.reserve(segment.len());
        for slot in 0..segment.len() {
            let offset = segment.slots.offset(slot);
            let (_, len) = record::value_range::<VALUES>(segment.chunks.at(offset));
            self.records.push(Moving { hash: hash_of(segment.field(slot)), source: self.sources.len(), offset, len });
        }
        self.sources.push(Source { chunks: segment.chunks, outside: segment.outside });
    }

    /// Makes a segment of those members for whose hash `belongs` holds; `depth` bits of the hash lead to it.
    pub fn build<const VALUES: bool>(&mut self, depth: u32, belongs: impl Fn(u64) -> bool) -> Segment<VALUES> {
        let records: Vec<Moving> = self.records.iter().copied().filter(|moving| belongs(moving.hash)).collect();
        let mut segment = Segment::default();
        let mut left = records.iter().map(|moving| moving.len).sum();
        let mut new_slots = Vec::with_capacity(records.len());
        for moving in records {
            left -= moving.len;
            let offset = self.append(&mut segment, moving, left);
            new_slots.push(NewSlot { position: moving.hash << depth, tag: tag_of(moving.hash), offset });
        }
        segment.slots = Slots::new(&new_slots);
        segment
    }

    /// Brings a record and its buffers into a segment; `left` bytes of records are to follow.
    fn append<const VALUES: bool>(&mut self, segment: &mut Segment<VALUES>, moving: Moving, left: usize) -> usize {
        let Source { chunks, outside } = &mut self.sources[moving.source];
        let offset = segment.chunks.append(moving.len, left);
        let target = &mut segment.chunks.at_mut(offset)[..moving.len];
        target.copy_from_slice(&chunks.at(moving.offset)[..moving.len]);
        if let Some(outside) = outside {
            record::renumber_outside::<VALUES>(target, |number| {
                segment.outside.get_or_insert_default().put(outside.take(number))
            });
        }
        if let Some(at) = record::expire_at(target) {
            segment.earliest = segment.earliest.min(at);
        }
        offset
    }
}

impl<const VALUES: bool> Segment<VALUES> {
    /// Whether the segment has so many more members than when it was built that it should have more buckets.
    #[inline]
    pub fn wants_buckets(&self) -> bool {
        bucket_bits(self.len()) > self.slots.bucket_bits()
    }

    /// Writes all records anew, without holes.
    #[cold]
    pub(super) fn rewrite(&mut self) {
        let old = std::mem::take(&mut self.chunks);
        let mut left = old.live_bytes();
        for slot in 0..self.len() {
            let bytes = old.at(self.slots.offset(slot));
            let (_, len) = record::value_range::<VALUES>(bytes);
            left -= len;
            let offset = self.chunks.append(len, left);
            self.chunks.at_mut(offset)[..len].copy_from_slice(&bytes[..len]);
            self.slots.set_offset(slot, offset);
        }
    }
}
