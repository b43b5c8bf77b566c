//! The script's lines as they are shown, and the breakpoints among them.
//!
//! ```text
//!   ->#4     local inner = q + 1
//!   ││││     └─ the line as it is
//!   │││└─ its number, in three places or more
//!   ││└─ it has a breakpoint
//!   └┴─ the script stands before it
//! ```

/// A script has so many breakpoints at most.
const BREAKPOINTS_MAX: usize = 64;

/// What is shown in the place of a line that is none.
const NO_LINE: &[u8] = b"<out of range source code line>";

/// A script's source.
pub(super) struct Listing {
    lines: Vec<Vec<u8>>,
    /// Numbers of lines, in the order in which they were set.
    breakpoints: Vec<usize>,
}

/// What became of a breakpoint that was to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    /// It is there.
    Done,
    /// There is no such line, or it has one.
    WrongLine,
    /// There are as many as there may be.
    TooMany,
}

impl Listing {
    /// The lines of a source. Empty ones at its end are none.
    pub(super) fn new(source: &[u8]) -> Listing {
        let end = source.iter().rposition(|&byte| byte != b'\n').map_or(0, |last| last + 1);
        let lines = match &source[..end] {
            [] => Vec::new(),
            text => text.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect(),
        };
        Listing { lines, breakpoints: Vec::new() }
    }

    /// Numbers of the lines up to `context` before and behind `around`, from the first to the last.
    pub(super) fn range(&self, around: usize, context: i64) -> impl Iterator<Item = usize> + use<> {
        let around = around as i64;
        let first = around.saturating_sub(context).max(1);
        let last = around.saturating_add(context).min(self.lines.len() as i64);
        (first..=last).map(|number| number as usize)
    }

    /// One line; the script stands before that of number `current`.
    pub(super) fn line(&self, number: usize, current: usize) -> Vec<u8> {
        let text = number.checked_sub(1).and_then(|index| self.lines.get(index));
        let mark = match (number == current, self.has_breakpoint(number)) {
            (true, true) => "->#",
            (true, false) => "-> ",
            (false, true) => "  #",
            (false, false) => "   ",
        };
        [format!("{mark}{number:<3} ").as_bytes(), text.map_or(NO_LINE, Vec::as_slice)].concat()
    }

    pub(super) fn has_breakpoint(&self, line: usize) -> bool {
        self.breakpoints.contains(&line)
    }

    pub(super) fn breakpoints(&self) -> &[usize] {
        &self.breakpoints
    }

    pub(super) fn set_breakpoint(&mut self, line: usize) -> Set {
        if self.breakpoints.len() >= BREAKPOINTS_MAX {
            return Set::TooMany;
        }
        if line == 0 || line > self.lines.len() || self.has_breakpoint(line) {
            return Set::WrongLine;
        }
        self.breakpoints.push(line);
        Set::Done
    }

    /// False if there was none.
    pub(super) fn remove_breakpoint(&mut self, line: usize) -> bool {
        let place = self.breakpoints.iter().position(|other| *other == line);
        place.map(|place| self.breakpoints.remove(place)).is_some()
    }

    pub(super) fn remove_breakpoints(&mut self) {
        self.breakpoints.clear();
    }
}
