//! Cuts: places between two neighbours in the order of a ranked set.
//!
//! Everything that looks for a place (a member, the end of a range of scores or of names) is a question to each record,
//! "do you lie before the cut?", whose answer is yes up to the cut and no from there on.

use std::cmp::Ordering;

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
    /// Whether a record lies before the cut.
    #[inline]
    pub fn is_behind<'m>(self, score: f64, member: impl FnOnce() -> &'m [u8]) -> bool {
        match self {
            Self::Start => false,
            Self::End => true,
            Self::BeforeScore(limit) => score < limit,
            Self::AfterScore(limit) => score <= limit,
            Self::AfterRecord(limit, name) => score < limit || (score == limit && member() <= name),
            Self::BeforeMember(name) => member() < name,
            Self::AfterMember(name) => member() <= name,
        }
    }
}

/// The order of records: by score, equal ones by member. Both zeros are equal.
pub fn compare(one: (f64, &[u8]), other: (f64, &[u8])) -> Ordering {
    let by_score = one.0.partial_cmp(&other.0).expect("scores are not NaN");
    by_score.then_with(|| one.1.cmp(other.1))
}
