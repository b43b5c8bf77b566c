//! Cuts: places between two neighbours in the order of a ranked set.
//!
//! Everything that looks for a place (a member, the end of a range of scores or of names) is a question to each record,
//! "do you lie before the cut?", whose answer is yes up to the cut and no from there on.

use std::cmp::Ordering;
use std::ops::Range;

/// A place in the order by score and member.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cut<'a> {
    /// Before all records.
    Start,
    /// Behind all records.
    End,
    /// Before all records of a score.
    BeforeScore(f64),
    /// Behind all records of a score.
    AfterScore(f64),
    /// Behind the record of a score and a member, or where it would be.
    AfterRecord(f64, &'a [u8]),
    /// By the member alone, before it. Only of use where all scores are equal.
    BeforeMember(&'a [u8]),
    /// By the member alone, behind it. Only of use where all scores are equal.
    AfterMember(&'a [u8]),
}

impl Cut<'_> {
    /// How many of some records, which are in order, lie before the cut. Gets their scores, and a way to their members.
    ///
    /// Scores are counted rather than bisected: there are some tens of them, a count has no branches to be mispredicted, and
    /// its cache misses overlap.
    #[inline]
    pub fn partition<'m>(
        self,
        scores: &(impl ExactSizeIterator<Item = f64> + Clone),
        member: impl Fn(usize) -> &'m [u8],
    ) -> usize {
        let below = |limit| scores.clone().filter(|&score| score < limit).count();
        let up_to = |limit| scores.clone().filter(|&score| score <= limit).count();
        match self {
            Self::Start => 0,
            Self::End => scores.len(),
            Self::BeforeScore(limit) => below(limit),
            Self::AfterScore(limit) => up_to(limit),
            Self::AfterRecord(limit, name) => bisect(below(limit)..up_to(limit), |index| member(index) <= name),
            Self::BeforeMember(name) => bisect(0..scores.len(), |index| member(index) < name),
            Self::AfterMember(name) => bisect(0..scores.len(), |index| member(index) <= name),
        }
    }

    /// Whether a record lies before the cut.
    pub fn is_behind(self, score: f64, member: &[u8]) -> bool {
        self.partition(&std::iter::once(score), |_| member) == 1
    }
}

/// The first index of a range for which the answer is no.
#[inline]
fn bisect(range: Range<usize>, before: impl Fn(usize) -> bool) -> usize {
    let Range { start: mut low, end: mut high } = range;
    while low < high {
        let middle = low.midpoint(high);
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The order of records: by score, equal ones by member. Both zeros are equal.
pub fn compare(one: (f64, &[u8]), other: (f64, &[u8])) -> Ordering {
    let by_score = one.0.partial_cmp(&other.0).expect("scores are not NaN");
    by_score.then_with(|| one.1.cmp(other.1))
}
