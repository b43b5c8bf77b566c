//! Packed sorted sets: a listpack of members and scores by turns, in order, byte for byte as Redis writes it.

use std::cmp::Ordering;
use std::iter::FusedIterator;
use std::ops::Range;

use super::Record;
use crate::encoding::listpack::{self, Cursor, Item, Listpack};
use crate::encoding::ranked::Cut;
use crate::number::{INTEGER_TEXT_BYTES_MAX, format_f64, parse_f64};

/// Scores up to this magnitude are integer elements if they are integral.
const INTEGER_SCORE_MAX: f64 = (1_u64 << 62) as f64;

/// A view of a packed sorted set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed<'a> {
    elements: Listpack<'a>,
}

/// The score that an element stands for, if it stands for one.
pub(super) fn score_of(item: Item<'_>) -> Option<f64> {
    match item {
        Item::Int(number) => Some(number as f64),
        Item::Bytes(text) => parse_f64(text),
    }
}

/// The order of two records.
pub(super) fn compare(one: Record<'_>, other: Record<'_>) -> Ordering {
    compare_with(one, other.score, other.member.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX]))
}

/// The order of a record and another, whose member is given as bytes.
fn compare_with(record: Record<'_>, score: f64, member: &[u8]) -> Ordering {
    let by_score = record.score.partial_cmp(&score).expect("scores are not NaN");
    by_score.then_with(|| record.member.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX]).cmp(member))
}

impl<'a> Packed<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { elements: Listpack::new(bytes) }
    }

    pub(super) fn len(self) -> usize {
        self.elements.len() / 2
    }

    /// The place of a member.
    fn find(self, member: &[u8]) -> Option<Cursor> {
        self.elements.find(member, self.elements.first()?, 1)
    }

    /// The record whose member is in a place, and the place of its score.
    fn record(self, member: Cursor) -> (Record<'a>, Cursor) {
        let score_at = self.elements.next(member).expect("each member has a score behind it");
        let score = score_of(self.elements.at(score_at)).expect("what follows a member is a score");
        (Record { member: self.elements.at(member), score }, score_at)
    }

    pub(super) fn score(self, member: &[u8]) -> Option<f64> {
        Some(self.record(self.find(member)?).0.score)
    }

    pub(super) fn rank(self, member: &[u8]) -> Option<(usize, f64)> {
        let place = self.find(member)?;
        let rank = self.elements.cursors().take_while(|&cursor| cursor < place).count() / 2;
        Some((rank, self.record(place).0.score))
    }

    /// The number of records before a cut.
    pub(super) fn rank_of_cut(self, cut: Cut<'_>) -> usize {
        let is_behind = |record: &Record<'_>| {
            let mut buffer = [0; INTEGER_TEXT_BYTES_MAX];
            cut.is_behind(record.score, record.member.as_bytes(&mut buffer))
        };
        self.records(0..self.len()).take_while(is_behind).count()
    }

    /// The records of a range of ranks.
    pub(super) fn records(self, ranks: Range<usize>) -> PackedRecords<'a> {
        let end = ranks.end.min(self.len());
        PackedRecords { set: self, ranks: ranks.start.min(end)..end, front: None, back: None }
    }
}

/// Records of a packed sorted set, in order, from both ends. Each end is looked for when it is first needed.
#[derive(Clone, Debug)]
pub(super) struct PackedRecords<'a> {
    set: Packed<'a>,
    ranks: Range<usize>,
    /// The member of the next record from the front.
    front: Option<Cursor>,
    /// The score of the next record from the back.
    back: Option<Cursor>,
}

impl<'a> Iterator for PackedRecords<'a> {
    type Item = Record<'a>;

    fn next(&mut self) -> Option<Record<'a>> {
        let rank = self.ranks.next()?;
        let elements = self.set.elements;
        let member = self.front.or_else(|| elements.seek(rank as isize * 2)).expect("the rank is below the length");
        let (record, score) = self.set.record(member);
        self.front = elements.next(score);
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

impl DoubleEndedIterator for PackedRecords<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let rank = self.ranks.next_back()?;
        let elements = self.set.elements;
        let score = self.back.or_else(|| elements.seek(rank as isize * 2 + 1)).expect("the rank is below the length");
        let member = elements.prev(score).expect("each score has a member before it");
        self.back = elements.prev(member);
        Some(self.set.record(member).0)
    }

    fn nth_back(&mut self, count: usize) -> Option<Self::Item> {
        if count > 0 {
            self.back = None;
            self.ranks.end = self.ranks.end.saturating_sub(count).max(self.ranks.start);
        }
        self.next_back()
    }
}

impl ExactSizeIterator for PackedRecords<'_> {}

impl FusedIterator for PackedRecords<'_> {}

/// Inserts a member that is not there yet.
pub(super) fn insert(bytes: &mut Vec<u8>, member: &[u8], score: f64) {
    let set = Packed::new(bytes);
    let mut place = set.elements.first();
    while let Some(cursor) = place {
        let (record, score_at) = set.record(cursor);
        if compare_with(record, score, member).is_gt() {
            break;
        }
        place = set.elements.next(score_at);
    }
    match place {
        None => push(bytes, member, score),
        Some(cursor) => {
            let member = listpack::insert_before(bytes, cursor, member);
            listpack::insert_after(bytes, member, &score_text(score));
        }
    }
}

/// Inserts a member that comes behind all others.
pub(super) fn push(bytes: &mut Vec<u8>, member: &[u8], score: f64) {
    listpack::push_back(bytes, member);
    match integer_score(score) {
        Some(number) => listpack::push_back_int(bytes, number),
        None => listpack::push_back(bytes, &format_f64(score)),
    }
}

/// Removes a member; returns its score.
pub(super) fn remove(bytes: &mut Vec<u8>, member: &[u8]) -> Option<f64> {
    let set = Packed::new(bytes);
    let place = set.find(member)?;
    let score = set.record(place).0.score;
    listpack::remove_range(bytes, place, 2);
    Some(score)
}

/// Removes the records of a range of ranks.
pub(super) fn remove_ranks(bytes: &mut Vec<u8>, ranks: &Range<usize>) {
    if let Some(start) = Listpack::new(bytes).seek(ranks.start as isize * 2) {
        listpack::remove_range(bytes, start, ranks.len().saturating_mul(2));
    }
}

/// The integer that a score is stored as, if it is. That of the negative zero is 0, as in Redis.
fn integer_score(score: f64) -> Option<i64> {
    (score.abs() <= INTEGER_SCORE_MAX && score.fract() == 0.0).then_some(score as i64)
}

/// The text of the element that a score is stored as.
fn score_text(score: f64) -> Vec<u8> {
    // Adding a zero takes the sign from the negative one.
    format_f64(score + 0.0)
}
