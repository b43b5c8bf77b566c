//! One segment of the table: all entries whose hash begins with the segment's prefix, in an array of lines.
//!
//! ```text
//! hash   63 ........ | ................ | ......... | ....... 0
//!        prefix:       position: 14 bits
//!        depth bits    line = position * lines / 2^14       (in order: a later line has larger hashes)
//!                      tag  = the low 8 bits of position
//! ```
//!
//! An entry belongs into its *home* line; if that is full it goes on to the next ones, and every line it passes counts it.
//! Lines are filled to 7/8 at most, so nearly all entries are at home.
//!
//! With 64 lines and more, line and tag together determine all 14 bits of the position, for entries at home. So a segment
//! gets more lines, or fewer, without a look at a key: it reads its own few KiB, not a thousand blocks all over memory.
//! That makes small steps cheap (a quarter, a fifth, a sixth...), and small steps keep the lines full: the table's memory
//! per entry hardly changes with the number of entries. Only a split, once in each doubling, reads the keys.

use super::super::slab::Handle;
use super::line::{LINE_SLOTS, Line};

/// Bits of the hash that say where in its segment an entry belongs.
pub const POSITION_BITS: u32 = 14;

const POSITIONS: usize = 1 << POSITION_BITS;
const TAG_VALUES: usize = 1 << 8;

/// A segment with this many lines is split rather than enlarged, where possible.
pub const LINES_MAX: usize = 128;

/// From this many lines on, line and tag determine the position.
const LINES_EXACT_MIN: usize = POSITIONS / TAG_VALUES;

/// Below this many entries for each line, a segment shrinks.
const SHRINK_BELOW_PER_LINE: usize = 4;

/// Entries of a segment at home in a given line are found by their position; where it is not known, it is asked for.
pub type PositionOf<'f> = &'f dyn Fn(Handle) -> usize;

/// A segment. See the module's documentation.
#[derive(Debug)]
pub struct Segment {
    lines: Box<[Line]>,
    entries: u32,
    /// How many leading bits of the hash all entries have in common.
    pub depth: u32,
    /// Those bits, at the top; the rest is zero.
    pub prefix: u64,
}

/// Where an entry is in its segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The line.
    pub line: u32,
    /// The slot in it.
    pub slot: u32,
}

/// An entry on its way from one array of lines into another.
#[derive(Clone, Copy, Debug)]
pub struct Moving {
    /// Its position in the segment it goes to.
    pub position: usize,
    /// Its block.
    pub handle: Handle,
    /// Whether it has an expiry.
    pub volatile: bool,
}

impl Segment {
    /// An empty segment with room for `entries` entries.
    pub fn new(depth: u32, prefix: u64, entries: usize) -> Self {
        Self { lines: vec![Line::EMPTY; lines_for(entries)].into_boxed_slice(), entries: 0, depth, prefix }
    }

    /// Number of entries.
    pub const fn len(&self) -> usize {
        self.entries as usize
    }

    /// The lines.
    pub const fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The lines, to change handles and marks of slots in use.
    pub const fn lines_mut(&mut self) -> &mut [Line] {
        &mut self.lines
    }

    /// The position of a hash among those of this segment.
    #[inline]
    pub const fn position(&self, hash: u64) -> usize {
        (hash << self.depth >> (u64::BITS - POSITION_BITS)) as usize
    }

    /// The home line of a position.
    #[inline]
    pub const fn home(&self, position: usize) -> usize {
        position * self.lines.len() >> POSITION_BITS
    }

    /// The smallest position whose home is this line or a later one.
    pub const fn line_start(&self, line: usize) -> usize {
        (line * POSITIONS).div_ceil(self.lines.len())
    }

    #[inline]
    const fn next(&self, line: usize) -> usize {
        if line + 1 == self.lines.len() { 0 } else { line + 1 }
    }

    /// Finds an entry of that position for which `is_it` holds.
    #[inline]
    pub fn find(&self, position: usize, mut is_it: impl FnMut(Handle) -> bool) -> Option<Spot> {
        let tag = position as u8;
        let mut index = self.home(position);
        for _ in 0..self.lines.len() {
            let line = &self.lines[index];
            for slot in line.matches(tag) {
                if is_it(line.handle(slot)) {
                    return Some(Spot { line: index as u32, slot: slot as u32 });
                }
            }
            if !line.was_passed() {
                return None;
            }
            index = self.next(index);
        }
        None
    }

    /// Whether another entry fits without a change of size.
    #[inline]
    pub const fn has_room(&self) -> bool {
        fits(self.entries as usize + 1, self.lines.len())
    }

    /// Puts an entry in. There is room.
    #[inline]
    pub fn insert(&mut self, entry: Moving) -> Spot {
        debug_assert!(self.has_room());
        self.entries += 1;
        let mut index = self.home(entry.position);
        loop {
            let line = &mut self.lines[index];
            if let Some(slot) = line.vacant() {
                line.fill(slot, entry.position as u8, entry.handle, entry.volatile);
                return Spot { line: index as u32, slot: slot as u32 };
            }
            line.pass();
            index = self.next(index);
        }
    }

    /// Takes the entry of that position out of its spot.
    pub fn remove(&mut self, position: usize, spot: Spot) {
        self.entries -= 1;
        let mut index = self.home(position);
        while index != spot.line as usize {
            self.lines[index].unpass();
            index = self.next(index);
        }
        self.lines[index].empty(spot.slot as usize);
    }

    /// Whether it has far more lines than it needs.
    #[inline]
    pub const fn is_sparse(&self) -> bool {
        self.lines.len() > 1 && (self.entries as usize) < self.lines.len() * SHRINK_BELOW_PER_LINE
    }

    /// Whether it should be split rather than enlarged.
    pub const fn is_large(&self) -> bool {
        self.lines.len() >= LINES_MAX
    }

    /// Enlarges it by a step.
    pub fn enlarge(&mut self, position_of: PositionOf<'_>) {
        let lines = next_size(self.lines.len());
        self.resize(lines, position_of);
    }

    /// Gives it about as many lines as it needs.
    pub fn shrink(&mut self, position_of: PositionOf<'_>) {
        let lines = lines_for(self.entries as usize + self.entries as usize / 4);
        if lines < self.lines.len() {
            self.resize(lines, position_of);
        }
    }

    fn resize(&mut self, lines: usize, position_of: PositionOf<'_>) {
        let mut old = Self {
            lines: vec![Line::EMPTY; lines].into_boxed_slice(),
            entries: 0,
            depth: self.depth,
            prefix: self.prefix,
        };
        std::mem::swap(self, &mut old);
        let mut passed = old.lines.last().is_some_and(Line::was_passed);
        for (index, line) in old.lines.iter().enumerate() {
            for slot in line.used() {
                let handle = line.handle(slot);
                let exact = !passed && old.lines.len() >= LINES_EXACT_MIN;
                let position =
                    if exact { exact_position(old.line_start(index), line.tag(slot)) } else { position_of(handle) };
                self.insert(Moving { position, handle, volatile: line.is_volatile(slot) });
            }
            passed = line.was_passed();
        }
    }

    /// Visits the spots of all entries.
    pub fn spots(&self) -> impl Iterator<Item = Spot> + '_ {
        let spots_of = |(index, line): (usize, &Line)| {
            line.used().map(move |slot| Spot { line: index as u32, slot: slot as u32 })
        };
        self.lines.iter().enumerate().flat_map(spots_of)
    }

    /// Visits the entries whose home is the given line.
    pub fn visit_home(&self, home: usize, position_of: PositionOf<'_>, mut visit: impl FnMut(Handle, Spot)) {
        let previous = if home == 0 { self.lines.len() - 1 } else { home - 1 };
        let mut all_at_home = !self.lines[previous].was_passed();
        let mut index = home;
        for _ in 0..self.lines.len() {
            let line = &self.lines[index];
            for slot in line.used() {
                let handle = line.handle(slot);
                if all_at_home || self.home(position_of(handle)) == home {
                    visit(handle, Spot { line: index as u32, slot: slot as u32 });
                }
            }
            if !line.was_passed() {
                return;
            }
            all_at_home = false;
            index = self.next(index);
        }
    }

    /// How many lines a look-up reads to find the entry of that position in its spot.
    pub const fn lines_to_find(&self, position: usize, spot: Spot) -> usize {
        let home = self.home(position);
        let line = spot.line as usize;
        1 + if line >= home { line - home } else { line + self.lines.len() - home }
    }

    /// Bytes of its lines.
    pub const fn line_bytes(&self) -> usize {
        self.lines.len() * size_of::<Line>()
    }

    /// Panics if counters, tags or homes contradict the entries.
    pub fn check_invariants(&self, position_of: PositionOf<'_>) {
        let mut passed = vec![0; self.lines.len()];
        for spot in self.spots() {
            let line = &self.lines[spot.line as usize];
            let position = position_of(line.handle(spot.slot as usize));
            assert_eq!(line.tag(spot.slot as usize), position as u8, "tag of an entry");
            let mut index = self.home(position);
            if self.lines.len() >= LINES_EXACT_MIN {
                assert_eq!(exact_position(self.line_start(index), position as u8), position);
            }
            while index != spot.line as usize {
                passed[index] += 1;
                index = self.next(index);
            }
        }
        for (line, passed) in self.lines.iter().zip(passed) {
            let (counted, exact) = line.passed();
            assert!(if exact { counted == passed } else { passed <= self.len() }, "entries that passed a line");
            assert!(line.volatile().all(|slot| line.holds(slot)));
        }
        assert_eq!(self.len(), self.lines.iter().map(Line::len).sum::<usize>());
        assert!(fits(self.len(), self.lines.len()));
    }
}

/// The position at or after `start` with these low bits.
const fn exact_position(start: usize, tag: u8) -> usize {
    start + (tag as usize).wrapping_sub(start) % TAG_VALUES
}

/// Whether so many entries are within the load that so many lines may have.
#[inline]
const fn fits(entries: usize, lines: usize) -> bool {
    entries * 8 <= lines * LINE_SLOTS * 7
}

/// The number of lines that follows on `lines`. These are sizes that general allocators serve without waste.
const fn next_size(lines: usize) -> usize {
    match lines {
        0..4 => lines + 1,
        _ => {
            let step = 1 << (lines.ilog2() - 2);
            let rounded = lines / step * step;
            // Below 16 lines, steps of a half: such segments are too small to be worth more.
            if lines < 16 { rounded + 2 * step } else { rounded + step }
        }
    }
}

/// The smallest number of lines that is within the load with so many entries.
fn lines_for(entries: usize) -> usize {
    let mut lines = 1;
    while !fits(entries, lines) {
        lines = next_size(lines);
    }
    lines
}
