//! Going through the table: scanning with a cursor, drawing at random, visiting all, and the sweep of one segment.
//!
//! # Scan cursors
//!
//! A cursor is the upper [`CURSOR_BITS`] bits of a hash: everything below it was visited. Segments and the lines in them
//! are in the order of the hash, so one step visits the entries whose home is the line at the cursor, and moves the cursor
//! to the beginning of the next line. Growing and shrinking move no entry across a cursor, so whatever was there during
//! the whole scan is visited; when lines were rearranged in between, part of a line may be visited twice.

use rand::Rng;

use super::line::{LINE_SLOTS, Line};
use super::segment::{POSITION_BITS, Spot};
use super::{NEVER, Place, Table, block_at, hash_at};
use crate::encoding::block::BlockRef;
use crate::types::OwnedValue;

/// The number of bits of a scan cursor.
pub const CURSOR_BITS: u32 = 48;

/// Random draws that may miss before the nearest entry is taken instead.
const DRAWS_MAX: usize = 128;

/// What a sweep asks and tells about each entry that is due.
pub struct SweepVisitor<'f> {
    /// Whether the key must be left alone for now; gets the key and its hash.
    pub skip: &'f mut dyn FnMut(&[u8], u64) -> bool,
    /// Gets each key that was removed, with its value.
    pub expired: &'f mut dyn FnMut(&[u8], OwnedValue),
}

/// What the sweep of a segment did.
#[derive(Clone, Copy, Debug, Default)]
pub struct SegmentSweep {
    /// Entries with an expiry that were looked at.
    pub entries: usize,
    /// Entries removed.
    pub expired: usize,
    /// Entries due but skipped.
    pub skipped: usize,
    /// Whether all due entries of the segment were looked at.
    pub complete: bool,
}

impl Table {
    /// Visits the entries at the cursor and returns the next cursor, 0 after the last.
    pub fn scan_step(&self, cursor: u64, mut visit: impl FnMut(Place, BlockRef<'_>)) -> u64 {
        if self.entries == 0 || cursor >= 1 << CURSOR_BITS {
            return 0;
        }
        let hash = cursor << (u64::BITS - CURSOR_BITS);
        let number = self.segment_of(hash);
        let segment = &self.segments[number];
        let position_of = |handle| segment.position(hash_at(&self.slab, handle));
        let home = segment.home(segment.position(hash));
        segment.visit_home(home, &position_of, |handle, spot| {
            visit(Place { segment: number as u32, spot }, block_at(&self.slab, handle));
        });
        let position_shift = CURSOR_BITS - segment.depth - POSITION_BITS;
        let start = segment.prefix >> (u64::BITS - CURSOR_BITS);
        let next = start + ((segment.line_start(home + 1) as u64) << position_shift);
        if next >> CURSOR_BITS == 0 { next } else { 0 }
    }

    /// Visits all entries.
    pub fn for_each(&self, mut visit: impl FnMut(Place, BlockRef<'_>)) {
        for (number, segment) in self.segments.iter().enumerate() {
            for spot in segment.spots() {
                let handle = segment.line(spot.line as usize).handle(spot.slot as usize);
                visit(Place { segment: number as u32, spot }, block_at(&self.slab, handle));
            }
        }
    }

    /// A random entry, if asked for among those with an expiry.
    pub fn random(&self, rng: &mut impl Rng, volatile: bool) -> Option<Place> {
        if self.entries == 0 || (volatile && self.volatile == 0) {
            return None;
        }
        let eligible = |line: &Line, slot| if volatile { line.is_volatile(slot) } else { line.holds(slot) };
        for _ in 0..DRAWS_MAX {
            let number = self.segment_of(rng.random());
            let segment = &self.segments[number];
            let line = rng.random_range(0..segment.lines());
            let slot = rng.random_range(0..LINE_SLOTS);
            if eligible(segment.line(line), slot) {
                let spot = Spot { line: line as u32, slot: slot as u32 };
                return Some(Place { segment: number as u32, spot });
            }
        }
        let start = rng.random_range(0..self.segments.len());
        let numbers = (start..self.segments.len()).chain(0..start);
        numbers.filter(|&number| !volatile || self.earliest[number] != NEVER).find_map(|number| {
            let segment = &self.segments[number];
            let spot = segment.spots().find(|spot| eligible(segment.line(spot.line as usize), spot.slot as usize))?;
            Some(Place { segment: number as u32, spot })
        })
    }

    /// A lower bound of the expiries in a segment.
    #[inline]
    pub fn earliest(&self, segment: usize) -> i64 {
        self.earliest[segment]
    }

    /// Removes what is due in a segment, at most about `expired_max` entries; the segment does not shrink.
    pub fn sweep_segment(
        &mut self,
        number: usize,
        is_due: impl Fn(i64) -> bool,
        expired_max: usize,
        visitor: &mut SweepVisitor<'_>,
    ) -> SegmentSweep {
        let mut outcome = SegmentSweep::default();
        let mut earliest = NEVER;
        for line in 0..self.segments[number].lines() {
            if outcome.expired >= expired_max {
                return outcome;
            }
            self.prefetch_volatile(number, line + 1);
            for slot in self.segments[number].line(line).volatile() {
                outcome.entries += 1;
                let place = Place { segment: number as u32, spot: Spot { line: line as u32, slot: slot as u32 } };
                let at = self.block(place).expire_at().expect("the slot is marked");
                if is_due(at) && self.sweep_entry(place, visitor) {
                    outcome.expired += 1;
                } else {
                    outcome.skipped += usize::from(is_due(at));
                    earliest = earliest.min(at);
                }
            }
        }
        outcome.complete = true;
        self.earliest[number] = earliest;
        outcome
    }

    /// The expiries of the entries in one line; any number names a line.
    pub fn expiries_in_line(&self, segment: usize, line: usize) -> impl Iterator<Item = i64> + '_ {
        let line = self.segments.get(segment).map(|segment| segment.line(line % segment.lines()));
        line.into_iter()
            .flat_map(|line| line.volatile().filter_map(|slot| block_at(&self.slab, line.handle(slot)).expire_at()))
    }

    /// Asks for the blocks of a line's entries that have an expiry.
    fn prefetch_volatile(&self, number: usize, line: usize) {
        let segment = &self.segments[number];
        if line < segment.lines() {
            let line = segment.line(line);
            for slot in line.volatile() {
                // SAFETY: handles in slots are live.
                unsafe { self.slab.prefetch(line.handle(slot)) };
            }
        }
    }

    /// Removes an entry that is due, unless it must be left alone; whether it did. Leaves all other places as they are.
    fn sweep_entry(&mut self, place: Place, visitor: &mut SweepVisitor<'_>) -> bool {
        let handle = self.handle(place);
        let hash = hash_at(&self.slab, handle);
        let key = block_at(&self.slab, handle).key();
        if (visitor.skip)(key, hash) {
            return false;
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        scratch.extend_from_slice(key);
        let value = self.take_without_shrinking(hash, place);
        (visitor.expired)(&scratch, value);
        self.scratch = scratch;
        true
    }

    /// How many entries a look-up finds in the first line it reads, in the second, and so on.
    pub fn lines_to_find(&self) -> Vec<usize> {
        let mut counts = Vec::new();
        self.for_each(|place, block| {
            let segment = &self.segments[place.segment as usize];
            let position = segment.position(super::key_hash(block.key()));
            let lines = segment.lines_to_find(position, place.spot);
            if counts.len() < lines {
                counts.resize(lines, 0);
            }
            counts[lines - 1] += 1;
        });
        counts
    }
}
