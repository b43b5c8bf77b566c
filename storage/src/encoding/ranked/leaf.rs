//! A leaf: some tens of records, in columns, in one piece of memory.
//!
//! ```text
//!  0          n           3n           11n                         used        capacity
//! ┌──────────┬───────────┬────────────┬──────────────────────────┬─ ─ ─ ─ ─ ─┐
//! │ n tags   │ n ends    │ n scores   │ members, one by one      │ unused    │
//! └──────────┴───────────┴────────────┴──────────────────────────┴─ ─ ─ ─ ─ ─┘
//!
//! tag     the low 8 bits of the member's hash
//! end     where the member ends, counted from the first one's beginning; the top bit says that the member is outside:
//!         what lies here is its number, 4 bytes
//! score   double, little-endian
//! ```
//!
//! A search by score reads one column, one by member the tags and then, nearly always, the right record.
//! Leaves are chained in the order of the set.

use std::ops::Range;

use super::arena::{Arena, NONE};
use super::cut::Cut;
use crate::encoding::prefetch::prefetch;

/// Members up to this length lie in the leaf.
pub const INLINE_BYTES_MAX: usize = 255;

/// A leaf with more bytes is split.
pub const LEAF_BYTES_MAX: usize = 2_048;

/// A leaf with less bytes is merged with a neighbour, if that has room.
pub const LEAF_BYTES_MIN: usize = LEAF_BYTES_MAX / 4;

const SCORE_BYTES: usize = 8;
const END_BYTES: usize = 2;
const ENDS_AT: usize = 1;
const SCORES_AT: usize = ENDS_AT + END_BYTES;
const FIXED_BYTES: usize = SCORES_AT + SCORE_BYTES;
const CACHE_LINE_BYTES: usize = 64;
const OUTSIDE_BYTES: usize = 4;
const OUTSIDE: u16 = 1 << 15;

const _: () = assert!(LEAF_BYTES_MAX + FIXED_BYTES + INLINE_BYTES_MAX < OUTSIDE as usize, "ends have 15 bits");

/// The long members of a set.
pub type Outside = Arena<Box<[u8]>>;

/// A leaf. See the module's documentation.
#[derive(Clone, Debug)]
pub struct Leaf {
    bytes: Box<[u8]>,
    used: u16,
    records: u16,
    /// The leaf before this one.
    pub previous: u32,
    /// The leaf behind this one.
    pub next: u32,
}

/// What a leaf holds of a member: its bytes, or the number under which they are outside.
#[derive(Clone, Copy, Debug)]
pub enum Stored<'a> {
    /// The bytes of a short one.
    Inline(&'a [u8]),
    /// The number of a long one.
    Outside(u32),
}

impl Stored<'_> {
    const fn bytes_len(self) -> usize {
        match self {
            Self::Inline(bytes) => bytes.len(),
            Self::Outside(_) => OUTSIDE_BYTES,
        }
    }
}

impl Leaf {
    /// A leaf without records.
    pub fn new() -> Self {
        Self { bytes: Box::default(), used: 0, records: 0, previous: NONE, next: NONE }
    }

    /// Number of records.
    #[inline]
    pub const fn len(&self) -> usize {
        self.records as usize
    }

    /// Bytes in use.
    pub const fn used_bytes(&self) -> usize {
        self.used as usize
    }

    /// Bytes of its memory.
    pub const fn heap_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The score of a record.
    #[inline]
    pub fn score(&self, index: usize) -> f64 {
        let bytes = &self.bytes[self.len() * SCORES_AT + index * SCORE_BYTES..][..SCORE_BYTES];
        f64::from_le_bytes(bytes.try_into().expect("eight bytes were taken"))
    }

    /// Changes the score of a record. It must not move by that.
    pub fn set_score(&mut self, index: usize, score: f64) {
        let at = self.len() * SCORES_AT + index * SCORE_BYTES;
        self.bytes[at..at + SCORE_BYTES].copy_from_slice(&score.to_le_bytes());
    }

    #[inline]
    fn raw_end(&self, index: usize) -> u16 {
        let at = self.len() * ENDS_AT + index * END_BYTES;
        u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]])
    }

    fn set_raw_end(&mut self, index: usize, end: u16) {
        let at = self.len() * ENDS_AT + index * END_BYTES;
        self.bytes[at..at + END_BYTES].copy_from_slice(&end.to_le_bytes());
    }

    /// Where the member of a record begins, counted from the first one's beginning.
    #[inline]
    fn start(&self, index: usize) -> usize {
        if index == 0 { 0 } else { usize::from(self.raw_end(index - 1) & !OUTSIDE) }
    }

    /// What is held of the member of a record.
    #[inline]
    pub fn stored(&self, index: usize) -> Stored<'_> {
        let (start, end) = (self.start(index), self.raw_end(index));
        let base = self.len() * FIXED_BYTES;
        let bytes = &self.bytes[base + start..base + usize::from(end & !OUTSIDE)];
        if end & OUTSIDE == 0 {
            return Stored::Inline(bytes);
        }
        Stored::Outside(u32::from_le_bytes(bytes.try_into().expect("a number has four bytes")))
    }

    /// The member of a record.
    #[inline]
    pub fn member<'a>(&'a self, index: usize, outside: &'a Outside) -> &'a [u8] {
        match self.stored(index) {
            Stored::Inline(bytes) => bytes,
            Stored::Outside(number) => &outside[number],
        }
    }

    /// Asks for all lines of the leaf: what is read next in them depends on what is read first.
    #[inline]
    pub fn prefetch_all(&self) {
        self.bytes[..self.used_bytes()].iter().step_by(CACHE_LINE_BYTES).for_each(prefetch);
    }

    /// The record of a member, whose tag is given.
    #[inline]
    pub fn find(&self, tag: u8, member: &[u8], outside: &Outside) -> Option<usize> {
        self.prefetch_all();
        self.with_tag(tag).find(|&index| self.member(index, outside) == member)
    }

    /// The records with a tag.
    #[inline]
    pub fn with_tag(&self, tag: u8) -> impl Iterator<Item = usize> {
        const LANES: u64 = u64::from_le_bytes([1; 8]);
        let records = self.len();
        let tags = &self.bytes[..records];
        let (words, rest) = tags.as_chunks::<8>();
        // The zero bytes of the difference get their top bits set; a lane above a zero byte may get it too, so the tag is
        // looked at again below.
        let hits = words.iter().enumerate().flat_map(move |(word, lanes)| {
            let difference = u64::from_le_bytes(*lanes) ^ (LANES * u64::from(tag));
            let mut zeros = difference.wrapping_sub(LANES) & !difference & (LANES << 7);
            std::iter::from_fn(move || {
                let lane = (zeros != 0).then(|| zeros.trailing_zeros() as usize / 8)?;
                zeros &= zeros - 1;
                Some(word * 8 + lane)
            })
        });
        hits.chain(records - rest.len()..records).filter(move |&index| tags[index] == tag)
    }

    /// How many records lie before a cut.
    #[inline]
    pub fn partition(&self, cut: Cut<'_>, outside: &Outside) -> usize {
        self.prefetch_all();
        let records = self.len();
        let scores = self.bytes[records * SCORES_AT..records * FIXED_BYTES].as_chunks::<SCORE_BYTES>().0;
        cut.partition(&scores.iter().map(|score| f64::from_le_bytes(*score)), |index| self.member(index, outside))
    }

    /// Inserts a record before the one at `index`.
    pub fn insert(&mut self, index: usize, score: f64, tag: u8, stored: Stored<'_>) {
        let (records, used, len) = (self.len(), self.used_bytes(), stored.bytes_len());
        let start = self.start(index);
        self.reserve(used + FIXED_BYTES + len);
        let base = records * FIXED_BYTES;
        let bytes = &mut self.bytes;
        // From the back to the front, each half column makes room for what is before it.
        let new_base = base + FIXED_BYTES;
        bytes.copy_within(base + start..used, new_base + start + len);
        bytes.copy_within(base..base + start, new_base);
        let target = &mut bytes[new_base + start..][..len];
        match stored {
            Stored::Inline(member) => target.copy_from_slice(member),
            Stored::Outside(number) => target.copy_from_slice(&number.to_le_bytes()),
        }
        insert_cells(bytes, records * SCORES_AT, SCORES_AT, SCORE_BYTES, (index, records));
        insert_cells(bytes, records * ENDS_AT, ENDS_AT, END_BYTES, (index, records));
        insert_cells(bytes, 0, 0, 1, (index, records));
        bytes[index] = tag;
        self.records += 1;
        self.used = (used + FIXED_BYTES + len) as u16;
        self.set_score(index, score);
        let flag = if matches!(stored, Stored::Outside(_)) { OUTSIDE } else { 0 };
        self.set_raw_end(index, (start + len) as u16 | flag);
        self.shift_ends(index + 1, len as u16);
    }

    /// Adds to the ends of all records from `index` on, wrapping.
    fn shift_ends(&mut self, index: usize, by: u16) {
        let records = self.len();
        let ends = &mut self.bytes[records * ENDS_AT + index * END_BYTES..records * SCORES_AT];
        // Ends stay below the flag before and after, so the flag is not touched by the sum.
        for end in ends.as_chunks_mut::<END_BYTES>().0 {
            let raw = u16::from_le_bytes(*end);
            *end = ((raw & OUTSIDE) | ((raw & !OUTSIDE).wrapping_add(by) & !OUTSIDE)).to_le_bytes();
        }
    }

    /// Removes records. What is outside stays there.
    pub fn remove(&mut self, range: Range<usize>) {
        let (records, used) = (self.len(), self.used_bytes());
        let (from, to) = (self.start(range.start), self.start(range.end));
        let left = records - range.len();
        let bytes = &mut self.bytes;
        // From the front to the back, each column closes its gap and follows the ones before it.
        bytes.copy_within(range.end..records, range.start);
        remove_cells(bytes, (records * ENDS_AT, left * ENDS_AT), END_BYTES, &range, records);
        remove_cells(bytes, (records * SCORES_AT, left * SCORES_AT), SCORE_BYTES, &range, records);
        let (base, new_base) = (records * FIXED_BYTES, left * FIXED_BYTES);
        bytes.copy_within(base..base + from, new_base);
        bytes.copy_within(base + to..used, new_base + from);
        self.records = left as u16;
        self.used = (used - range.len() * FIXED_BYTES - (to - from)) as u16;
        self.shift_ends(range.start, ((to - from) as u16).wrapping_neg());
        if self.used_bytes() * 4 < self.bytes.len() * 3 {
            self.resize(capacity_for(self.used_bytes() + self.used_bytes() / 8));
        }
    }

    /// Moves the records from `index` on into a new leaf.
    pub fn split_off(&mut self, index: usize) -> Self {
        let mut right = Self::new();
        right.append_range(self, index..self.len());
        self.remove(index..self.len());
        self.resize(capacity_for(self.used_bytes()));
        right
    }

    /// Appends all records of another leaf.
    pub fn append(&mut self, other: &Self) {
        self.append_range(other, 0..other.len());
    }

    fn append_range(&mut self, other: &Self, range: Range<usize>) {
        let (from, to) = (other.start(range.start), other.start(range.end));
        let (records, used) = (self.len(), self.used_bytes());
        let (total, grown) = (records + range.len(), used + range.len() * FIXED_BYTES + (to - from));
        let mut bytes = vec![0; capacity_for(grown)];
        let mut at = 0;
        for (cell_at, cell) in [(0, 1), (ENDS_AT, END_BYTES), (SCORES_AT, SCORE_BYTES)] {
            for (leaf, range) in [(&*self, 0..records), (other, range.clone())] {
                let cells = &leaf.bytes[leaf.len() * cell_at..][range.start * cell..range.end * cell];
                bytes[at..at + cells.len()].copy_from_slice(cells);
                at += cells.len();
            }
        }
        let own = &self.bytes[records * FIXED_BYTES..used];
        bytes[at..at + own.len()].copy_from_slice(own);
        bytes[at + own.len()..grown].copy_from_slice(&other.bytes[other.len() * FIXED_BYTES..][from..to]);
        let by = (own.len() as u16).wrapping_sub(from as u16);
        self.bytes = bytes.into_boxed_slice();
        self.records = total as u16;
        self.used = grown as u16;
        self.shift_ends(records, by);
    }

    /// The index at which a leaf that has grown too large is to be split: behind half of its bytes.
    pub fn middle(&self) -> usize {
        let half = self.used_bytes() / 2;
        let (mut low, mut high) = (1, self.len() - 1);
        while low < high {
            let middle = low.midpoint(high);
            if middle * FIXED_BYTES + self.start(middle) < half { low = middle + 1 } else { high = middle }
        }
        low
    }

    fn reserve(&mut self, bytes: usize) {
        if bytes > self.bytes.len() {
            self.resize(capacity_for(bytes));
        }
    }

    fn resize(&mut self, capacity: usize) {
        if capacity != self.bytes.len() {
            let mut bytes = vec![0; capacity];
            bytes[..self.used_bytes()].copy_from_slice(&self.bytes[..self.used_bytes()]);
            self.bytes = bytes.into_boxed_slice();
        }
    }

    /// Panics if columns and counters contradict each other.
    pub fn check_invariants(&self) {
        let mut before = 0;
        for index in 0..self.len() {
            let end = usize::from(self.raw_end(index) & !OUTSIDE);
            assert!(end >= before, "ends ascend");
            before = end;
        }
        assert_eq!(self.used_bytes(), self.len() * FIXED_BYTES + before, "bytes in use");
        assert!(self.used_bytes() <= self.bytes.len());
    }

    /// The tag of a record.
    pub fn tag(&self, index: usize) -> u8 {
        self.bytes[..self.len()][index]
    }
}

/// Makes room for one cell at `index` of a column that begins at `base`, which moves by `shift`.
fn insert_cells(bytes: &mut [u8], base: usize, shift: usize, cell: usize, (index, records): (usize, usize)) {
    bytes.copy_within(base + index * cell..base + records * cell, base + shift + (index + 1) * cell);
    if shift > 0 {
        bytes.copy_within(base..base + index * cell, base + shift);
    }
}

/// Takes the cells of a range out of a column, which moves from one base to another before it.
fn remove_cells(bytes: &mut [u8], (from, to): (usize, usize), cell: usize, range: &Range<usize>, records: usize) {
    bytes.copy_within(from..from + range.start * cell, to);
    bytes.copy_within(from + range.end * cell..from + records * cell, to + range.start * cell);
}

/// The size of the memory for so many bytes: the size classes of common allocators (steps of 16, from 128 on four for each
/// power of two), so that nothing of them is lost.
const fn capacity_for(bytes: usize) -> usize {
    let step = if bytes <= 128 { 16 } else { (1 << (bytes - 1).ilog2()) / 4 };
    bytes.next_multiple_of(step)
}
