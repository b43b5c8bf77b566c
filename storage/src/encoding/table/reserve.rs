//! Making room ahead for entries whose number is known: what loads a file neither splits segments nor reads keys again.

use super::segment::{LINES_MAX, Moving, Segment};
use super::{NEVER, Table};

/// Entries of a segment on average, at most, when room is made for so many: less than it has when it splits, by more than
/// chance adds.
const SEGMENT_ENTRIES: usize = 1150;

const _: () = assert!(SEGMENT_ENTRIES * 8 <= LINES_MAX * super::line::LINE_SLOTS * 7, "no segment splits at once");

impl Table {
    /// Makes room for so many entries in all. Does nothing if that is not worth moving those that are here already.
    pub fn reserve(&mut self, wanted: usize) {
        let bits = wanted.div_ceil(SEGMENT_ENTRIES).next_power_of_two().ilog2().min(super::resize::DEPTH_MAX);
        if bits <= self.directory_bits || self.entries > wanted / 4 {
            return;
        }
        let mut moving = Vec::with_capacity(self.entries);
        for segment in &self.segments {
            moving.extend(self.hashed_entries(segment));
        }
        let earliest = self.earliest.iter().copied().min().unwrap_or(NEVER);
        self.begin_with(bits, wanted);
        self.earliest.fill(earliest);
        for (hash, entry) in moving {
            let number = self.segment_with_room(hash);
            let segment = &mut self.segments[number];
            segment.insert(Moving { position: segment.position(hash), ..entry });
        }
    }

    /// Begins anew with empty segments of that depth, for so many entries in all.
    fn begin_with(&mut self, bits: u32, entries: usize) {
        let each = entries >> bits;
        self.segments = (0..1_u64 << bits).map(|number| Segment::new(bits, number << 1 << (63 - bits), each)).collect();
        self.line_bytes = self.segments.iter().map(Segment::line_bytes).sum();
        self.earliest = vec![NEVER; self.segments.len()];
        self.directory = (0..1_u32 << bits).collect();
        self.directory_bits = bits;
        self.depths = vec![0; super::resize::DEPTH_MAX as usize + 1];
        self.depths[bits as usize] = 1 << bits;
    }

    /// Gives room back of which there is far too much, because less came than was announced. All places are stale afterwards.
    pub fn shrink_all(&mut self) {
        let mut before = usize::MAX;
        while self.segments.len() < before {
            before = self.segments.len();
            for number in (0..before).rev() {
                // Siblings that merge leave fewer segments.
                if number < self.segments.len() {
                    self.shrink_if_sparse(number);
                }
            }
        }
    }
}
