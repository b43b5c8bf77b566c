//! Drawing entries for eviction: a whole line at a time, since all that a line holds costs one cache miss to name.
//!
//! An entry's access bits stand in its block, which is another miss; the blocks of a line are asked for together, so that
//! looking at ten entries takes little longer than looking at one.

use rand::Rng;

use super::line::{Line, Slots};
use super::{NEVER, Table, block_at};
use crate::encoding::block::BlockRef;

/// Random draws that may miss before the lines are gone through in their order instead.
const DRAWS_MAX: usize = 32;

impl Table {
    /// Visits the entries of a line drawn at random, or only those with an expiry; returns how many there were. It is
    /// zero only if the table has none: where few keys have an expiry, some of them are likelier than others.
    pub fn draw_line<R: Rng>(&self, rng: &mut R, volatile: bool, visit: impl FnMut(BlockRef<'_>, &mut R)) -> usize {
        let eligible = if volatile { self.volatile } else { self.entries };
        if eligible == 0 {
            return 0;
        }
        for _ in 0..DRAWS_MAX {
            let segment = &self.segments[self.segment_of(rng.random())];
            let line = segment.line(rng.random_range(0..segment.lines()));
            let slots = slots_of(line, volatile);
            if slots != Slots::NONE {
                return self.visit_slots(line, slots, rng, visit);
            }
        }
        let start = rng.random_range(0..self.segments.len());
        let numbers = (start..self.segments.len()).chain(0..start);
        for number in numbers.filter(|&number| !volatile || self.earliest[number] != NEVER) {
            let segment = &self.segments[number];
            let first = rng.random_range(0..segment.lines());
            for line in (first..segment.lines()).chain(0..first).map(|line| segment.line(line)) {
                let slots = slots_of(line, volatile);
                if slots != Slots::NONE {
                    return self.visit_slots(line, slots, rng, visit);
                }
            }
        }
        unreachable!("the count of entries is true, so one of the lines has one")
    }

    fn visit_slots<R: Rng>(
        &self,
        line: &Line,
        slots: Slots,
        rng: &mut R,
        mut visit: impl FnMut(BlockRef<'_>, &mut R),
    ) -> usize {
        for slot in slots.clone() {
            // SAFETY: handles in slots are live.
            unsafe { self.slab.prefetch(line.handle(slot)) };
        }
        let mut count = 0;
        for slot in slots {
            visit(block_at(&self.slab, line.handle(slot)), rng);
            count += 1;
        }
        count
    }
}

const fn slots_of(line: &Line, volatile: bool) -> Slots {
    if volatile { line.volatile() } else { line.used() }
}
