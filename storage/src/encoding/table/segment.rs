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
//! Lines come in chunks of 16, one KiB each, wherever the allocator has one. So a segment that grows or shrinks leaves no
//! arrays of odd sizes behind; a thousand segments that do would make the allocator hold twice what they use.
//!
//! With 64 lines and more, line and tag together determine all 14 bits of the position, for entries at home. So a segment
//! gets more lines, or fewer, without a look at a key: it reads its own few KiB, not a thousand blocks all over memory.
//! That makes small steps cheap (one chunk at a time), and small steps keep the lines full: the table's memory
//! per entry hardly changes with the number of entries. Only a split, once in each doubling, reads the keys.

use super::super::slab::Handle;
use super::line::{LINE_SLOTS, Line};

/// Bits of the hash that say where in its segment an entry belongs.
pub const POSITION_BITS: u32 = 14;

const POSITIONS: usize = 1 << POSITION_BITS;
const TAG_VALUES: usize = 1 << 8;

/// A segment with this many lines is split rather than enlarged, where possible.
pub const LINES_MAX: usize = 128;

/// Lines that are allocated together.
const CHUNK_LINES: usize = 16;

type Chunk = [Line; CHUNK_LINES];

/// From this many lines on, line and tag determine the position.
const LINES_EXACT_MIN: usize = POSITIONS / TAG_VALUES;

/// Below this many entries for each line, a segment shrinks.
const SHRINK_BELOW_PER_LINE: usize = 4;

/// Entries of a segment at home in a given line are found by their position; where it is not known, it is asked for.
pub type PositionOf<'f> = &'f dyn Fn(Handle) -> usize;

/// A segment. See the module's documentation.
#[derive(Debug)]
pub struct Segment {
    lines: u32,
    entries: u32,
    /// How many leading bits of the hash all entries have in common.
    pub depth: u32,
    /// Those bits, at the top; the rest is zero.
    pub prefix: u64,
    /// The chunks of the first [`LINES_MAX`] lines; those it has come first.
    chunks: [Option<Box<Chunk>>; LINES_MAX / CHUNK_LINES],
    /// The chunks of lines above that; only of segments that cannot be split.
    further: Vec<Chunk>,
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
        let mut segment = Self { lines: 0, entries: 0, depth, prefix, chunks: Default::default(), further: Vec::new() };
        segment.reset(lines_for(entries));
        segment
    }

    /// Forgets all entries, and gets this many lines.
    fn reset(&mut self, lines: usize) {
        self.entries = 0;
        self.lines = lines as u32;
        let chunks = lines / CHUNK_LINES;
        for (index, chunk) in self.chunks.iter_mut().enumerate() {
            match chunk {
                Some(chunk) if index < chunks => chunk.fill(Line::EMPTY),
                None if index < chunks => *chunk = Some(Box::new([Line::EMPTY; CHUNK_LINES])),
                _ => *chunk = None,
            }
        }
        let further = chunks.saturating_sub(self.chunks.len());
        self.further.truncate(further);
        self.further.iter_mut().for_each(|chunk| chunk.fill(Line::EMPTY));
        self.further.resize(further, [Line::EMPTY; CHUNK_LINES]);
        self.further.shrink_to_fit();
    }

    /// Becomes an empty segment of another prefix, with room for `entries` entries; what memory it has is used again.
    pub fn renew(&mut self, depth: u32, prefix: u64, entries: usize) {
        (self.depth, self.prefix) = (depth, prefix);
        self.reset(lines_for(entries));
    }

    /// Number of entries.
    pub const fn len(&self) -> usize {
        self.entries as usize
    }

    /// Number of lines.
    #[inline]
    pub const fn lines(&self) -> usize {
        self.lines as usize
    }

    /// A line.
    #[inline]
    pub fn line(&self, line: usize) -> &Line {
        let chunk = match self.chunks.get(line / CHUNK_LINES) {
            Some(chunk) => chunk.as_ref().expect("a segment has the chunks of all its lines"),
            None => &self.further[line / CHUNK_LINES - self.chunks.len()],
        };
        &chunk[line % CHUNK_LINES]
    }

    /// A line, to change handles and marks of slots in use.
    #[inline]
    pub fn line_mut(&mut self, line: usize) -> &mut Line {
        let inline = self.chunks.len();
        let chunk = match self.chunks.get_mut(line / CHUNK_LINES) {
            Some(chunk) => chunk.as_mut().expect("a segment has the chunks of all its lines"),
            None => &mut self.further[line / CHUNK_LINES - inline],
        };
        &mut chunk[line % CHUNK_LINES]
    }

    /// The position of a hash among those of this segment.
    #[inline]
    pub const fn position(&self, hash: u64) -> usize {
        (hash << self.depth >> (u64::BITS - POSITION_BITS)) as usize
    }

    /// The home line of a position.
    #[inline]
    pub const fn home(&self, position: usize) -> usize {
        (position * self.lines()) >> POSITION_BITS
    }

    /// The smallest position whose home is this line or a later one.
    pub const fn line_start(&self, line: usize) -> usize {
        (line * POSITIONS).div_ceil(self.lines())
    }

    #[inline]
    const fn next(&self, line: usize) -> usize {
        if line + 1 == self.lines() { 0 } else { line + 1 }
    }

    /// Finds an entry of that position for which `is_it` holds.
    #[inline]
    pub fn find(&self, position: usize, mut is_it: impl FnMut(Handle) -> bool) -> Option<Spot> {
        let home = self.home(position);
        let line = self.line(home);
        for slot in line.matches(position as u8) {
            if is_it(line.handle(slot)) {
                return Some(Spot { line: home as u32, slot: slot as u32 });
            }
        }
        if line.was_passed() { self.find_further(position, home, is_it) } else { None }
    }

    /// Finds an entry of that position behind its home line.
    #[inline(never)]
    fn find_further(&self, position: usize, home: usize, mut is_it: impl FnMut(Handle) -> bool) -> Option<Spot> {
        let mut index = self.next(home);
        while index != home {
            let line = self.line(index);
            for slot in line.matches(position as u8) {
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
        fits(self.entries as usize + 1, self.lines())
    }

    /// Puts an entry in. There is room.
    #[inline]
    pub fn insert(&mut self, entry: Moving) -> Spot {
        debug_assert!(self.has_room());
        self.entries += 1;
        let mut index = self.home(entry.position);
        loop {
            let line = self.line_mut(index);
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
            self.line_mut(index).unpass();
            index = self.next(index);
        }
        self.line_mut(index).empty(spot.slot as usize);
    }

    /// Whether it has far more lines than it needs.
    #[inline]
    pub const fn is_sparse(&self) -> bool {
        self.lines() > CHUNK_LINES && (self.entries as usize) < self.lines() * SHRINK_BELOW_PER_LINE
    }

    /// Whether it should be split rather than enlarged.
    pub const fn is_large(&self) -> bool {
        self.lines() >= LINES_MAX
    }

    /// Enlarges it by a step.
    pub fn enlarge(&mut self, position_of: PositionOf<'_>) {
        let lines = next_size(self.lines());
        self.resize(lines, position_of);
    }

    /// Gives it about as many lines as it needs.
    pub fn shrink(&mut self, position_of: PositionOf<'_>) {
        let lines = lines_for(self.entries as usize + self.entries as usize / 4);
        if lines < self.lines() {
            self.resize(lines, position_of);
        }
    }

    fn resize(&mut self, lines: usize, position_of: PositionOf<'_>) {
        let mut entries = Vec::with_capacity(self.len());
        let mut passed = self.line(self.lines() - 1).was_passed();
        for index in 0..self.lines() {
            let line = self.line(index);
            let exact = !passed && self.lines() >= LINES_EXACT_MIN;
            for slot in line.used() {
                let handle = line.handle(slot);
                let position =
                    if exact { exact_position(self.line_start(index), line.tag(slot)) } else { position_of(handle) };
                entries.push(Moving { position, handle, volatile: line.is_volatile(slot) });
            }
            passed = line.was_passed();
        }
        self.reset(lines);
        for entry in entries {
            self.insert(entry);
        }
    }

    /// Visits the spots of all entries.
    pub fn spots(&self) -> impl Iterator<Item = Spot> + '_ {
        let spots_of = |line| {
            let spot = move |slot| Spot { line: line as u32, slot: slot as u32 };
            self.line(line).used().map(spot)
        };
        (0..self.lines()).flat_map(spots_of)
    }

    /// Visits the entries whose home is the given line.
    pub fn visit_home(&self, home: usize, position_of: PositionOf<'_>, mut visit: impl FnMut(Handle, Spot)) {
        let previous = if home == 0 { self.lines() - 1 } else { home - 1 };
        let mut all_at_home = !self.line(previous).was_passed();
        let mut index = home;
        for _ in 0..self.lines() {
            let line = self.line(index);
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
        1 + if line >= home { line - home } else { line + self.lines() - home }
    }

    /// Bytes of its lines.
    pub const fn line_bytes(&self) -> usize {
        self.lines() * size_of::<Line>()
    }

    /// Panics if counters, tags or homes contradict the entries.
    pub fn check_invariants(&self, position_of: PositionOf<'_>) {
        let mut passed = vec![0; self.lines()];
        for spot in self.spots() {
            let line = self.line(spot.line as usize);
            let position = position_of(line.handle(spot.slot as usize));
            assert_eq!(line.tag(spot.slot as usize), position as u8, "tag of an entry");
            let mut index = self.home(position);
            if self.lines() >= LINES_EXACT_MIN {
                assert_eq!(exact_position(self.line_start(index), position as u8), position);
            }
            while index != spot.line as usize {
                passed[index] += 1;
                index = self.next(index);
            }
        }
        for (index, passed) in passed.into_iter().enumerate() {
            let line = self.line(index);
            let (counted, exact) = line.passed();
            assert!(if exact { counted == passed } else { passed <= self.len() }, "entries that passed a line");
            assert!(line.volatile().all(|slot| line.holds(slot)));
        }
        assert_eq!(self.len(), (0..self.lines()).map(|line| self.line(line).len()).sum::<usize>());
        assert!(fits(self.len(), self.lines()));
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

/// The number of lines that follows on `lines`.
const fn next_size(lines: usize) -> usize {
    let step = if lines < LINES_MAX { CHUNK_LINES } else { lines / 4 };
    lines + step.next_multiple_of(CHUNK_LINES)
}

/// The smallest number of lines that is within the load with so many entries.
fn lines_for(entries: usize) -> usize {
    let mut lines = CHUNK_LINES;
    while !fits(entries, lines) {
        lines = next_size(lines);
    }
    lines
}
