//! Going through a table: all members, a scan step, random members.

use rand::Rng;

use super::edit::count_class;
use super::{COUNT_CLASSES, CURSOR_BITS, Members, Place, Record};

/// Draws that may miss before a member is counted to.
const DRAWS_MAX: usize = 64;

impl<const VALUES: bool> Members<VALUES> {
    /// All members.
    pub fn iter(&self) -> Iter<'_, VALUES> {
        Iter { members: self, segment: 0, slot: 0 }
    }

    /// Visits the members of the bucket at the cursor and returns the next cursor, 0 after the last.
    pub fn scan_step(&self, cursor: u64, mut visit: impl FnMut(Record<'_>)) -> u64 {
        if cursor >> CURSOR_BITS != 0 {
            return 0;
        }
        let position = cursor << (u64::BITS - CURSOR_BITS);
        let (number, next) = self.bucket_at(position);
        let segment = self.segments.at(number);
        let slots = segment.slots();
        for slot in slots.in_bucket(slots.bucket(position << self.segments.depth(number))) {
            visit(segment.record(slot));
        }
        next.map_or(0, |next| next >> (u64::BITS - CURSOR_BITS))
    }

    /// An upper bound of the members in any segment.
    fn segment_members_max(&self) -> usize {
        let class = self.counts.iter().rposition(|&segments| segments > 0).unwrap_or(0);
        if class + 1 < COUNT_CLASSES {
            return (2 << class) - 1;
        }
        // Only hashes that were chosen to collide fill a segment so much.
        (0..self.segments.len()).map(|number| self.segments.at(number).len()).max().unwrap_or(0)
    }

    /// The place of a random member; all are equally likely.
    pub fn random(&self, rng: &mut impl Rng) -> Option<Place> {
        if self.len == 0 {
            return None;
        }
        let bound = self.segment_members_max();
        for _ in 0..DRAWS_MAX {
            let segment = rng.random_range(0..self.segments.len());
            let slot = rng.random_range(0..bound);
            if slot < self.segments.at(segment).len() {
                return Some(Place { segment, slot });
            }
        }
        Some(self.nth(rng.random_range(0..self.len)))
    }

    /// The place of a member by its rank in the order of [`Self::iter`].
    fn nth(&self, rank: usize) -> Place {
        let (mut segment, mut slot) = (0, rank);
        while slot >= self.segments.at(segment).len() {
            slot -= self.segments.at(segment).len();
            segment += 1;
        }
        Place { segment, slot }
    }

    /// Panics if the classes of segments are not what the segments say.
    pub(super) fn check_counts(&self) {
        let mut counts = [0; COUNT_CLASSES];
        for number in 0..self.segments.len() {
            if let Some(class) = count_class(self.segments.at(number).len()) {
                counts[class] += 1;
            }
        }
        assert_eq!(self.counts, counts);
    }
}

/// The members of a table.
#[derive(Clone, Debug)]
pub struct Iter<'a, const VALUES: bool> {
    members: &'a Members<VALUES>,
    segment: usize,
    slot: usize,
}

impl<'a, const VALUES: bool> Iterator for Iter<'a, VALUES> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        while self.segment < self.members.segments.len() {
            let segment = self.members.segments.at(self.segment);
            if self.slot < segment.len() {
                self.slot += 1;
                return Some(segment.record(self.slot - 1));
            }
            self.segment += 1;
            self.slot = 0;
        }
        None
    }
}
