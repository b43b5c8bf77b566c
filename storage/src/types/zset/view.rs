//! Reading a sorted set.

use std::ops::Range;

use rand::Rng;

use super::packed::Packed;
use super::records::{Record, Records, Repr};
use super::{LargeZSet, MemberRange, ScoreRange, ZSet, ZSetEncoding};
use crate::encoding::ranked::Cut;

/// A view of a sorted set.
#[derive(Clone, Copy, Debug)]
pub enum ZSetRef<'a> {
    /// The bytes of a packed one, well-formed.
    Packed(&'a [u8]),
    /// A large one.
    Large(&'a LargeZSet),
}

impl<'a> ZSetRef<'a> {
    /// What OBJECT ENCODING calls it.
    pub const fn encoding(self) -> ZSetEncoding {
        match self {
            Self::Packed(_) => ZSetEncoding::Listpack,
            Self::Large(_) => ZSetEncoding::Skiplist,
        }
    }

    /// Number of members.
    pub fn len(self) -> usize {
        match self {
            Self::Packed(bytes) => Packed::new(bytes).len(),
            Self::Large(set) => set.len(),
        }
    }

    /// Whether it has no members.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The score of a member.
    pub fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Self::Packed(bytes) => Packed::new(bytes).score(member),
            Self::Large(set) => set.score(member),
        }
    }

    /// The rank and the score of a member. The lowest rank is 0; that from the other end is `len() - 1 - rank`.
    pub fn rank(self, member: &[u8]) -> Option<(usize, f64)> {
        match self {
            Self::Packed(bytes) => Packed::new(bytes).rank(member),
            Self::Large(set) => set.rank(member),
        }
    }

    /// The records of a range of ranks, in order, from both ends.
    pub fn range(self, ranks: Range<usize>) -> Records<'a> {
        Records(match self {
            Self::Packed(bytes) => Repr::Packed(Packed::new(bytes).records(ranks)),
            Self::Large(set) => Repr::Large(set.records(ranks)),
        })
    }

    /// All records, in order, from both ends.
    pub fn iter(self) -> Records<'a> {
        self.range(0..self.len())
    }

    /// The ranks of the records whose score is in a range.
    pub fn score_ranks(self, range: ScoreRange) -> Range<usize> {
        self.ranks_between(range.cuts())
    }

    /// The ranks of the records whose member is in a range, provided that all scores are equal.
    pub fn member_ranks(self, range: MemberRange<'_>) -> Range<usize> {
        self.ranks_between(range.cuts())
    }

    fn ranks_between(self, (start, end): (Cut<'_>, Cut<'_>)) -> Range<usize> {
        let rank_of_cut = |cut| match self {
            Self::Packed(bytes) => Packed::new(bytes).rank_of_cut(cut),
            Self::Large(set) => set.rank_of_cut(cut),
        };
        let start = rank_of_cut(start);
        start..rank_of_cut(end).max(start)
    }

    /// A random record; all are equally likely.
    pub fn random(self, rng: &mut impl Rng) -> Option<Record<'a>> {
        let rank = rng.random_range(0..self.len().max(1));
        self.range(rank..rank + 1).next()
    }

    /// So many random records, no two of them the same, or all if there are not more. They are in order.
    pub fn random_distinct(self, rng: &mut impl Rng, count: usize) -> impl Iterator<Item = Record<'a>> {
        let len = self.len();
        let mut ranks =
            if count < len { rand::seq::index::sample(rng, len, count).into_vec() } else { (0..len).collect() };
        ranks.sort_unstable();
        let mut records = self.iter();
        let mut passed = 0;
        ranks.into_iter().map(move |rank| {
            let record = records.nth(rank - passed).expect("ranks are below the length");
            passed = rank + 1;
            record
        })
    }

    /// A step of ZSCAN: visits some records, about `count`, and returns the cursor to go on with; 0 starts and ends. What is
    /// there during a whole scan is visited. A packed set is visited in one step, as in Redis.
    pub fn scan(self, cursor: u64, count: usize, mut visit: impl FnMut(Record<'_>)) -> u64 {
        match self {
            Self::Packed(_) => {
                self.iter().for_each(visit);
                0
            }
            Self::Large(set) => set.scan(cursor, count, |member, score| visit((member, score).into())),
        }
    }

    /// A copy that does not borrow.
    pub fn to_owned(self) -> ZSet {
        match self {
            Self::Packed(bytes) => ZSet::Packed(bytes.to_vec()),
            Self::Large(set) => ZSet::Large(Box::new(set.clone())),
        }
    }
}

/// Sorted sets are equal when their records are, whatever their encoding.
impl PartialEq for ZSetRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}
