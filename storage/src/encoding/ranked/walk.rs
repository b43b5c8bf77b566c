//! Walking a ranked set: records by rank in both directions, and the scan.

use std::iter::FusedIterator;
use std::ops::Range;

use super::leaf::Leaf;
use super::{Place, Ranked, hash_of, tag_of};

impl Ranked {
    /// The records of a range of ranks, in order, from both ends.
    pub fn records(&self, ranks: Range<usize>) -> Records<'_> {
        let end = ranks.end.min(self.len());
        Records { set: self, ranks: ranks.start.min(end)..end, front: None, back: None }
    }

    /// Visits some members from the cursor on, at least `count` if the part of the index they are in has as many, and
    /// returns the cursor to go on with, 0 after the last. What is there during a whole scan is visited.
    pub fn scan(&self, cursor: u64, count: usize, mut visit: impl FnMut(&[u8], f64)) -> u64 {
        // Members of one leaf and one hash have equal entries, each of which leads to all of them.
        let mut before = None;
        self.index.scan(cursor, count, |hash, number| {
            if before.replace((hash, number)) == Some((hash, number)) {
                return;
            }
            let leaf = &self.leaves[number];
            for index in leaf.with_tag(tag_of(hash)) {
                let member = leaf.member(index, &self.outside);
                if hash_of(member) == hash {
                    visit(member, leaf.score(index));
                }
            }
        })
    }
}

/// Records in the order of their ranks. Each end is looked for when it is first needed.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    set: &'a Ranked,
    ranks: Range<usize>,
    /// The next record from the front.
    front: Option<(&'a Leaf, Place)>,
    /// The place behind the next record from the back.
    back: Option<(&'a Leaf, Place)>,
}

impl<'a> Records<'a> {
    fn leaf(&self, number: u32) -> &'a Leaf {
        &self.set.leaves[number]
    }

    fn record(&self, leaf: &'a Leaf, index: usize) -> (&'a [u8], f64) {
        (leaf.member(index, &self.set.outside), leaf.score(index))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = (&'a [u8], f64);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let rank = self.ranks.next()?;
        let (mut leaf, mut place) = self.front.unwrap_or_else(|| {
            let place = self.set.descend_to_rank(rank).1;
            (self.leaf(place.leaf), place)
        });
        if place.index == leaf.len() {
            place = Place { leaf: leaf.next, index: 0 };
            leaf = self.leaf(place.leaf);
        }
        let record = self.record(leaf, place.index);
        place.index += 1;
        self.front = Some((leaf, place));
        Some(record)
    }

    fn nth(&mut self, count: usize) -> Option<Self::Item> {
        if count > 0 {
            self.front = None;
            self.ranks.start = self.ranks.start.saturating_add(count).min(self.ranks.end);
        }
        self.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ranks.size_hint()
    }
}

impl DoubleEndedIterator for Records<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let rank = self.ranks.next_back()?;
        let (mut leaf, mut place) = self.back.unwrap_or_else(|| {
            let place = self.set.descend_to_rank(rank).1;
            (self.leaf(place.leaf), Place { index: place.index + 1, ..place })
        });
        if place.index == 0 {
            let number = leaf.previous;
            leaf = self.leaf(number);
            place = Place { leaf: number, index: leaf.len() };
        }
        place.index -= 1;
        self.back = Some((leaf, place));
        Some(self.record(leaf, place.index))
    }

    fn nth_back(&mut self, count: usize) -> Option<Self::Item> {
        if count > 0 {
            self.back = None;
            self.ranks.end = self.ranks.end.saturating_sub(count).max(self.ranks.start);
        }
        self.next_back()
    }
}

impl ExactSizeIterator for Records<'_> {}

impl FusedIterator for Records<'_> {}
