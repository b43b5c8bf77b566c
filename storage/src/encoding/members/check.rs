//! What holds for every table at any time.

use super::segment::{Segment, tag_of};
use super::{Key, Members, hash_of};
use crate::encoding::listpack::Encoded;

impl<const VALUES: bool> Members<VALUES> {
    /// Panics if the table contradicts itself.
    pub fn check_invariants(&self) {
        let (mut len, mut volatile, mut record_bytes, mut memory_bytes) = (0, 0, 0, 0);
        for number in 0..self.segments.len() {
            let (segment, depth) = (self.segments.at(number), self.segments.depth(number));
            segment.check_invariants(depth);
            for slot in 0..segment.len() {
                let record = segment.record(slot);
                let key = Key::new(Encoded::item(record.field));
                assert_eq!(self.segments.number_of(key.hash), number, "the segment of a member");
                assert_eq!(segment.find(&key, key.hash << depth), Some(slot), "a member is found where it is");
                volatile += usize::from(record.expire_at.is_some());
            }
            len += segment.len();
            record_bytes += segment.record_bytes();
            memory_bytes += segment.heap_bytes();
        }
        assert_eq!((len, volatile), (self.len, self.volatile));
        assert_eq!((record_bytes, memory_bytes), (self.record_bytes, self.memory_bytes));
        self.check_counts();
        for chunk in 0..self.segments.chunks() {
            let earliest = self.segments.in_chunk(chunk).map(|number| self.segments.at(number).earliest()).min();
            assert!(earliest.is_some_and(|earliest| self.segments.earliest(chunk) <= earliest), "earliest of a chunk");
        }
    }
}

impl<const VALUES: bool> Segment<VALUES> {
    /// Panics if the segment contradicts itself or the hashes of its members.
    pub fn check_invariants(&self, depth: u32) {
        for slot in 0..self.len() {
            let hash = hash_of(self.field(slot));
            let slots = self.slots();
            assert!(slots.in_bucket(slots.bucket(hash << depth)).contains(&slot), "the bucket of a member");
            assert_eq!(slots.tag(slot), tag_of(hash), "the tag of a member");
            assert!(self.expire_at(slot).is_none_or(|at| at >= self.earliest()), "earliest of a segment");
        }
        self.check_bytes();
    }
}
