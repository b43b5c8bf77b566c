//! Splitting and merging segments, one at a time.

use super::Members;
use super::segment::{Gathered, Segment};
use super::segments::Segments;

/// Members that segments have on average when the next one splits. Those that have waited longest have twice as many.
const SEGMENT_MEMBERS: usize = 240;

/// Bytes of records that segments have on average when the next one splits, if that comes first: so splitting stays a
/// matter of some ten microseconds.
const SEGMENT_RECORD_BYTES: usize = 12 << 10;

/// By how many times segments must be emptier than when they would split, before two of them merge.
const MERGE_FACTOR: usize = 2;

impl<const VALUES: bool> Members<VALUES> {
    /// Splits the next segment if all of them are full on average.
    #[inline]
    pub(super) fn grow_if_full(&mut self) {
        let segments = self.segments.len();
        if self.len >= segments * SEGMENT_MEMBERS || self.record_bytes >= segments * SEGMENT_RECORD_BYTES {
            self.split();
        }
    }

    /// Gives an empty table the segments that it will have with so many members, and these their buckets: so none of them is
    /// written anew on the way there.
    pub fn reserve(&mut self, members: usize) {
        assert!(self.is_empty(), "room is made for all members");
        while self.segments.len() < members.div_ceil(SEGMENT_MEMBERS) {
            let segment = Segment::default();
            self.enter(&segment);
            self.segments.push(segment);
        }
        for number in 0..self.segments.len() {
            let empty = std::mem::take(self.segments.at_mut(number));
            self.leave(&empty);
            self.put_back(number, Segment::for_members(members >> self.segments.depth(number)));
        }
    }

    #[cold]
    fn split(&mut self) {
        let low_number = self.segments.next_to_split();
        let depth = self.segments.depth(low_number) + 1;
        let bit = 1 << (u64::BITS - depth);
        let gathered = &mut self.take_apart(low_number);
        let low = gathered.build(depth, |hash| hash & bit == 0);
        let high = gathered.build(depth, |hash| hash & bit != 0);
        self.put_back(low_number, low);
        self.enter(&high);
        self.segments.push(high);
    }

    /// Merges the last segment into the one it was split off, if all of them have become sparse.
    #[inline]
    pub(super) fn shrink_if_sparse(&mut self) -> bool {
        let segments = self.segments.len();
        let sparse = segments > 1
            && self.len * MERGE_FACTOR < segments * SEGMENT_MEMBERS
            && self.record_bytes * MERGE_FACTOR < segments * SEGMENT_RECORD_BYTES;
        if sparse {
            self.merge();
        }
        sparse
    }

    #[cold]
    fn merge(&mut self) {
        let high = self.segments.pop();
        self.leave(&high);
        let low_number = self.segments.next_to_split();
        let depth = self.segments.depth(low_number);
        let mut gathered = self.take_apart(low_number);
        gathered.add(high);
        let merged = gathered.build(depth, |_| true);
        self.put_back(low_number, merged);
    }

    /// Writes a segment anew, with as many buckets as it has members for.
    #[cold]
    pub(super) fn rebuild(&mut self, number: usize) {
        let depth = self.segments.depth(number);
        let rebuilt = self.take_apart(number).build(depth, |_| true);
        self.put_back(number, rebuilt);
    }

    fn take_apart(&mut self, number: usize) -> Gathered {
        let segment = std::mem::take(self.segments.at_mut(number));
        self.leave(&segment);
        let mut gathered = Gathered::default();
        gathered.add(segment);
        gathered
    }

    fn put_back(&mut self, number: usize, segment: Segment<VALUES>) {
        self.enter(&segment);
        self.segments.note_expiry(number, segment.earliest());
        *self.segments.at_mut(number) = segment;
    }

    /// The position in the hash space behind the bucket that `position` lies in, and the segment of that bucket.
    pub(super) fn bucket_at(&self, position: u64) -> (usize, Option<u64>) {
        let number = self.segments.number_of(position);
        let depth = self.segments.depth(number);
        let slots = self.segments.at(number).slots();
        let bits = depth + u32::from(slots.bucket_bits());
        let bucket = slots.bucket(position << depth) as u64;
        let start = Segments::<VALUES>::start(number);
        let width = 1_u64.checked_shl(u64::BITS - bits);
        (number, width.and_then(|width| start.checked_add(bucket * width)?.checked_add(width)))
    }
}
