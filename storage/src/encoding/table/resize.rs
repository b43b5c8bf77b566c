//! Growing and shrinking: segments enlarge, split, shrink and merge; the directory doubles and halves.
//!
//! The directory may be at most four times as long as there are segments. So keys chosen to share the leading bits of
//! their hash cannot blow it up: their segment gets more lines instead, and is slow, but nobody else is.

use super::segment::{Moving, POSITION_BITS, Segment};
use super::{NEVER, Place, Table, block_at, hash_at};
use crate::encoding::slab::{Handle, Slab};

/// Segments are not split beyond this many leading bits, so that a scan cursor has room for every position.
pub const DEPTH_MAX: u32 = super::CURSOR_BITS - POSITION_BITS;

/// Siblings that together have at most so many entries become one segment.
const MERGE_ENTRIES_MAX: usize = 448;

/// How many entries ahead blocks are asked for when all keys of a segment are read.
const PREFETCH_AHEAD: usize = 12;

/// The function that tells the position of an entry in a segment of that depth, by its key.
fn position_of(slab: &Slab, depth: u32) -> impl Fn(Handle) -> usize + '_ {
    move |handle| (hash_at(slab, handle) << depth >> (u64::BITS - POSITION_BITS)) as usize
}

impl Table {
    /// The number of the segment for a hash, made ready to take one more entry.
    #[inline]
    pub(super) fn segment_with_room(&mut self, hash: u64) -> usize {
        if self.directory.is_empty() {
            self.begin();
        }
        let number = self.segment_of(hash);
        if self.segments[number].has_room() {
            return number;
        }
        self.make_room(hash)
    }

    #[cold]
    fn begin(&mut self) {
        let segment = Segment::new(0, 0, 0);
        self.line_bytes = segment.line_bytes();
        self.segments.push(segment);
        self.earliest.push(NEVER);
        self.directory.push(0);
        self.depths = vec![0; DEPTH_MAX as usize + 1];
        self.depths[0] = 1;
    }

    #[cold]
    fn make_room(&mut self, hash: u64) -> usize {
        loop {
            let number = self.segment_of(hash);
            if self.segments[number].has_room() {
                return number;
            }
            if self.segments[number].is_large() && self.may_split(number) {
                self.split(number);
            } else {
                self.resize_segment(number, |segment, position_of| segment.enlarge(position_of));
            }
        }
    }

    fn resize_segment(&mut self, number: usize, resize: impl FnOnce(&mut Segment, super::segment::PositionOf<'_>)) {
        let segment = &mut self.segments[number];
        self.line_bytes -= segment.line_bytes();
        let depth = segment.depth;
        resize(segment, &position_of(&self.slab, depth));
        self.line_bytes += segment.line_bytes();
    }

    fn may_split(&self, number: usize) -> bool {
        let depth = self.segments[number].depth;
        depth < DEPTH_MAX && (depth < self.directory_bits || self.directory.len() <= self.segments.len() * 2)
    }

    /// The entries of a segment, with their hashes.
    pub(super) fn hashed_entries(&self, segment: &Segment) -> Vec<(u64, Moving)> {
        let mut entries = Vec::with_capacity(segment.len());
        for spot in segment.spots() {
            let line = segment.line(spot.line as usize);
            let slot = spot.slot as usize;
            entries.push((0, Moving { position: 0, handle: line.handle(slot), volatile: line.is_volatile(slot) }));
        }
        for index in 0..entries.len() {
            if let Some((_, ahead)) = entries.get(index + PREFETCH_AHEAD) {
                // SAFETY: handles in slots are live.
                unsafe { self.slab.prefetch(ahead.handle) };
            }
            entries[index].0 = hash_at(&self.slab, entries[index].1.handle);
        }
        entries
    }

    /// Splits a segment by the next bit of the hash.
    fn split(&mut self, number: usize) {
        let entries = self.hashed_entries(&self.segments[number]);
        let depth = self.segments[number].depth + 1;
        let prefix = self.segments[number].prefix;
        let bit = 1 << (u64::BITS - depth);
        if depth > self.directory_bits {
            self.directory = self.directory.iter().flat_map(|&number| [number, number]).collect();
            self.directory_bits += 1;
        }
        let ones = entries.iter().filter(|(hash, _)| hash & bit != 0).count();
        // An eighth to spare, or an enlargement would follow at once.
        let with_spare = |entries: usize| entries + entries / 8;
        let low = &mut self.segments[number];
        self.line_bytes -= low.line_bytes();
        low.renew(depth, prefix, with_spare(entries.len() - ones));
        let mut high = Segment::new(depth, prefix | bit, with_spare(ones));
        for (hash, mut entry) in entries {
            let half = if hash & bit == 0 { &mut *low } else { &mut high };
            entry.position = half.position(hash);
            half.insert(entry);
        }
        self.line_bytes += low.line_bytes() + high.line_bytes();
        self.depths[depth as usize - 1] -= 1;
        self.depths[depth as usize] += 2;
        let new_number = self.segments.len();
        self.segments.push(high);
        self.earliest.push(self.earliest[number]);
        self.point_to(new_number);
    }

    /// Lets the directory point to a segment wherever its prefix says so.
    fn point_to(&mut self, number: usize) {
        let segment = &self.segments[number];
        let first = (segment.prefix >> 1 >> (63 - self.directory_bits)) as usize;
        let count = 1 << (self.directory_bits - segment.depth);
        self.directory[first..first + count].fill(number as u32);
    }

    /// Shrinks the segment of a place after a removal, if it is worth while. All places in it are stale afterwards.
    #[inline]
    pub(super) fn after_removal(&mut self, place: Place) {
        self.shrink_if_sparse(place.segment as usize);
    }

    /// Shrinks a segment if it has far more lines than it needs. All places are stale afterwards.
    #[inline]
    pub fn shrink_if_sparse(&mut self, number: usize) {
        if self.segments[number].is_sparse() {
            self.shrink(number);
        }
    }

    #[cold]
    fn shrink(&mut self, number: usize) {
        let segment = &self.segments[number];
        if segment.depth > 0 {
            let sibling = self.segment_of(segment.prefix ^ 1 << (u64::BITS - segment.depth));
            let other = &self.segments[sibling];
            if other.depth == segment.depth && other.len() + segment.len() <= MERGE_ENTRIES_MAX {
                self.merge(number, sibling);
                return;
            }
        }
        self.resize_segment(number, |segment, position_of| segment.shrink(position_of));
    }

    /// Makes one segment of two siblings.
    fn merge(&mut self, one: usize, other: usize) {
        let (kept, gone) = (one.min(other), one.max(other));
        let mut entries = self.hashed_entries(&self.segments[kept]);
        entries.extend(self.hashed_entries(&self.segments[gone]));
        let depth = self.segments[kept].depth - 1;
        let prefix = self.segments[kept].prefix & self.segments[gone].prefix;
        self.line_bytes -= self.segments[kept].line_bytes() + self.segments[gone].line_bytes();
        let merged = &mut self.segments[kept];
        merged.renew(depth, prefix, entries.len() + entries.len() / 4);
        for (hash, mut entry) in entries {
            entry.position = merged.position(hash);
            merged.insert(entry);
        }
        self.line_bytes += merged.line_bytes();
        self.depths[depth as usize + 1] -= 2;
        self.depths[depth as usize] += 1;
        self.earliest[kept] = self.earliest[kept].min(self.earliest[gone]);
        self.point_to(kept);
        self.segments.swap_remove(gone);
        self.earliest.swap_remove(gone);
        if gone < self.segments.len() {
            self.point_to(gone);
        }
        while self.directory_bits > 0 && self.depths[self.directory_bits as usize] == 0 {
            self.directory = self.directory.iter().copied().step_by(2).collect();
            self.directory_bits -= 1;
        }
    }

    /// Moves up to about `max` blocks out of sparse pages, so that these can be returned; whether there may be more.
    pub fn defragment_step(&mut self, max: usize) -> bool {
        let evacuees = self.slab.evacuees(max.max(1));
        for &old in &evacuees {
            let hash = hash_at(&self.slab, old);
            let number = self.segment_of(hash);
            let segment = &mut self.segments[number];
            let spot = segment.find(segment.position(hash), |handle| handle == old);
            let spot = spot.expect("every live block is in a slot");
            // SAFETY: the handle is in a slot.
            let new = self.slab.allocate(unsafe { self.slab.capacity(old) });
            // SAFETY: one handle is in a slot, the other was just allocated.
            let (from, to) = unsafe { self.slab.block_pair(old, new) };
            to.copy_from_slice(from);
            segment.line_mut(spot.line as usize).set_handle(spot.slot as usize, new);
            // SAFETY: the handle is live, and the slot does not hold it any more; its buffers went to the new block.
            unsafe { self.slab.free(old) };
        }
        !evacuees.is_empty()
    }

    /// Panics if directory and segments contradict each other, or a segment its entries.
    pub(super) fn check_segments(&self) {
        for (number, segment) in self.segments.iter().enumerate() {
            segment.check_invariants(&position_of(&self.slab, segment.depth));
            let width = u64::BITS - segment.depth;
            for spot in segment.spots() {
                let line = segment.line(spot.line as usize);
                let handle = line.handle(spot.slot as usize);
                let hash = hash_at(&self.slab, handle);
                assert_eq!(hash.checked_shr(width), segment.prefix.checked_shr(width), "prefix of an entry's hash");
                let block = block_at(&self.slab, handle);
                assert_eq!(block.has_expiry(), line.is_volatile(spot.slot as usize), "expiry mark of an entry");
                assert!(block.expire_at().is_none_or(|at| at >= self.earliest[number]), "earliest expiry");
            }
            let first = (segment.prefix >> 1 >> (63 - self.directory_bits)) as usize;
            let count = 1 << (self.directory_bits - segment.depth);
            assert!(self.directory[first..first + count].iter().all(|&other| other as usize == number));
        }
    }
}
