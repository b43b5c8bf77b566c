//! Records of a sorted set, one by one.

use std::iter::FusedIterator;

use super::Item;
use super::packed::PackedRecords;
use crate::encoding::ranked;

/// A member and its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record<'a> {
    /// The member.
    pub member: Item<'a>,
    /// The score, which is not NaN.
    pub score: f64,
}

impl<'a> From<(&'a [u8], f64)> for Record<'a> {
    fn from((member, score): (&'a [u8], f64)) -> Self {
        Self { member: Item::Bytes(member), score }
    }
}

/// Records in the order of their ranks, from both ends.
#[derive(Clone, Debug)]
pub struct Records<'a>(pub(super) Repr<'a>);

#[derive(Clone, Debug)]
pub(super) enum Repr<'a> {
    Packed(PackedRecords<'a>),
    Large(ranked::Records<'a>),
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    #[inline]
    fn next(&mut self) -> Option<Record<'a>> {
        match &mut self.0 {
            Repr::Packed(records) => records.next(),
            Repr::Large(records) => records.next().map(Record::from),
        }
    }

    fn nth(&mut self, count: usize) -> Option<Record<'a>> {
        match &mut self.0 {
            Repr::Packed(records) => records.nth(count),
            Repr::Large(records) => records.nth(count).map(Record::from),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Repr::Packed(records) => records.size_hint(),
            Repr::Large(records) => records.size_hint(),
        }
    }
}

impl DoubleEndedIterator for Records<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Repr::Packed(records) => records.next_back(),
            Repr::Large(records) => records.next_back().map(Record::from),
        }
    }

    fn nth_back(&mut self, count: usize) -> Option<Self::Item> {
        match &mut self.0 {
            Repr::Packed(records) => records.nth_back(count),
            Repr::Large(records) => records.nth_back(count).map(Record::from),
        }
    }
}

impl ExactSizeIterator for Records<'_> {}

impl FusedIterator for Records<'_> {}
