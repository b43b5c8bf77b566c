//! Asking for the memory of look-ups that are about to happen, so that their cache misses overlap.
//!
//! A look-up goes from the segment to its slots, and from there to a record. Each of them is asked for in a round of its
//! own, in which the one before has come: so the rounds of several look-ups wait together.

use super::segment::tag_of;
use super::{Members, hash_of};
use crate::encoding::listpack::Encoded;
use crate::encoding::prefetch::{Round, prefetch};

/// The hash by which a table finds a field.
#[inline]
pub fn field_hash(field: &[u8]) -> u64 {
    hash_of(Encoded::new(field).as_item())
}

impl<const VALUES: bool> Members<VALUES> {
    /// Asks for what a look-up of the hash will need: the segment, its slots, the first record with the tag.
    #[inline]
    pub fn prefetch(&self, hash: u64, round: Round) {
        let number = self.segments.number_of(hash);
        let (segment, position) = (self.segments.at(number), hash << self.segments.depth(number));
        match round {
            Round::Part => prefetch(segment),
            Round::Slots => segment.slots().prefetch(position),
            Round::Element => segment.prefetch(tag_of(hash), position),
        }
    }
}
