//! The ends of ranges, by score and by member.

use crate::encoding::ranked::Cut;

/// An end of a range of scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreBound {
    /// The score; infinite where the range has no end.
    pub score: f64,
    /// Whether the range ends just before it.
    pub exclusive: bool,
}

/// A range of scores, as ZRANGEBYSCORE takes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreRange {
    /// The lower end.
    pub min: ScoreBound,
    /// The upper end.
    pub max: ScoreBound,
}

impl ScoreRange {
    /// The places where it begins and ends; the end may be before the beginning.
    pub(super) const fn cuts(self) -> (Cut<'static>, Cut<'static>) {
        let Self { min, max } = self;
        (
            if min.exclusive { Cut::AfterScore(min.score) } else { Cut::BeforeScore(min.score) },
            if max.exclusive { Cut::BeforeScore(max.score) } else { Cut::AfterScore(max.score) },
        )
    }
}

/// An end of a range of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberBound<'a> {
    /// `-`: before all members.
    Lowest,
    /// `+`: behind all members.
    Highest,
    /// `[member`.
    Inclusive(&'a [u8]),
    /// `(member`.
    Exclusive(&'a [u8]),
}

/// A range of members, as ZRANGEBYLEX takes it. It is of use where all scores are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberRange<'a> {
    /// The lower end.
    pub min: MemberBound<'a>,
    /// The upper end.
    pub max: MemberBound<'a>,
}

impl<'a> MemberRange<'a> {
    /// The places where it begins and ends; the end may be before the beginning.
    pub(super) const fn cuts(self) -> (Cut<'a>, Cut<'a>) {
        let start = match self.min {
            MemberBound::Lowest => Cut::Start,
            MemberBound::Highest => Cut::End,
            MemberBound::Inclusive(member) => Cut::BeforeMember(member),
            MemberBound::Exclusive(member) => Cut::AfterMember(member),
        };
        let end = match self.max {
            MemberBound::Lowest => Cut::Start,
            MemberBound::Highest => Cut::End,
            MemberBound::Inclusive(member) => Cut::AfterMember(member),
            MemberBound::Exclusive(member) => Cut::BeforeMember(member),
        };
        (start, end)
    }
}
