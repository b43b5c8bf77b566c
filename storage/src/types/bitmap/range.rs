//! Ranges of a bitmap as commands give them: inclusive, in bytes or bits, counted from the end where negative.

/// What the ends of a range count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Byte,
    /// Bits.
    Bit,
}

/// Bits from `start` up to but not including `end`; never empty, and within the bytes it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitRange {
    start: u64,
    end: u64,
}

impl BitRange {
    /// All bits of so many bytes; `None` if there are none.
    pub const fn whole(bytes: usize) -> Option<Self> {
        if bytes == 0 { None } else { Some(Self { start: 0, end: bytes as u64 * 8 }) }
    }

    /// The range that BITPOS means by `first` and `last` in a string of so many bytes. Negative ends count from behind; the
    /// range is cut to the string. `None` if nothing is left.
    pub fn new(first: i64, last: i64, unit: Unit, bytes: usize) -> Option<Self> {
        let width = if unit == Unit::Byte { 8 } else { 1 };
        let total = (bytes as u64 * 8 / width) as i64;
        let from_start = |index: i64| if index < 0 { index.saturating_add(total).max(0) } else { index };
        let (first, last) = (from_start(first), from_start(last).min(total - 1));
        (first <= last).then(|| Self { start: first as u64 * width, end: (last as u64 + 1) * width })
    }

    /// The range that BITCOUNT means: as [`Self::new`], but two ends that count from behind in the wrong order are nothing,
    /// even where both are cut to the first byte.
    pub fn for_count(first: i64, last: i64, unit: Unit, bytes: usize) -> Option<Self> {
        if first < 0 && last < 0 && first > last {
            return None;
        }
        Self::new(first, last, unit, bytes)
    }

    /// The first bit.
    pub const fn start(self) -> u64 {
        self.start
    }

    /// The bit behind the last.
    pub const fn end(self) -> u64 {
        self.end
    }

    /// The bytes that the range touches, and which bits of the first and of the last of them it has.
    pub(super) fn cut(self, bytes: &[u8]) -> (&[u8], u8, u8) {
        let touched = &bytes[(self.start / 8) as usize..self.end.div_ceil(8) as usize];
        (touched, 0xff >> (self.start % 8), 0xff << ((8 - self.end % 8) % 8))
    }
}
