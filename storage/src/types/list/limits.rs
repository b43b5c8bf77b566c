//! When a list is packed, and how much goes into a node: `list-max-listpack-size` and `list-compress-depth`.

/// Sizes that -1 to -5 stand for.
const BYTES_MAX: [usize; 5] = [4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10];
/// Where elements are counted, bytes are limited all the same.
const COUNTED_BYTES_MAX: usize = 8 << 10;

/// The configuration of lists. It is handed in with each change, since it can be set at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListLimits {
    fill: Fill,
    compress_depth: usize,
    /// An element of so many bytes has a node of its own, though it would fit into another.
    plain_bytes_min: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fill {
    Bytes(usize),
    Count(usize),
}

impl Default for ListLimits {
    fn default() -> Self {
        Self::new(-2, 0)
    }
}

impl ListLimits {
    /// Limits from the values of `list-max-listpack-size` (-1 to -5: 4 to 64 KiB; positive: elements) and
    /// `list-compress-depth` (nodes at each end that are not compressed; 0: none is).
    pub const fn new(listpack_size: i32, compress_depth: u32) -> Self {
        let fill = match listpack_size {
            0 => Fill::Count(1),
            1.. => Fill::Count(listpack_size as usize),
            -4..=-1 => Fill::Bytes(BYTES_MAX[listpack_size.unsigned_abs() as usize - 1]),
            _ => Fill::Bytes(BYTES_MAX[4]),
        };
        Self { fill, compress_depth: compress_depth as usize, plain_bytes_min: usize::MAX }
    }

    /// The same, but an element of `bytes_min` has a node of its own (DEBUG QUICKLIST-PACKED-THRESHOLD): tests get lists of
    /// many kinds of nodes from small elements.
    #[must_use]
    pub const fn with_plain_from(self, bytes_min: usize) -> Self {
        Self { plain_bytes_min: bytes_min, ..self }
    }

    /// Nodes at each end that are not compressed; `None` if none is.
    pub(super) const fn compress_depth(self) -> Option<usize> {
        if self.compress_depth == 0 { None } else { Some(self.compress_depth) }
    }

    /// Whether a listpack of so many bytes and elements is too large.
    pub(super) const fn exceeded_by(self, bytes: usize, count: usize) -> bool {
        match self.fill {
            Fill::Bytes(bytes_max) => bytes > bytes_max,
            Fill::Count(count_max) => bytes > COUNTED_BYTES_MAX || count > count_max,
        }
    }

    /// Whether a listpack has at most half the size allowed, so that what is put together does not fall apart at once.
    pub(super) const fn half_holds(self, bytes: usize, count: usize) -> bool {
        match self.fill {
            Fill::Bytes(bytes_max) => bytes <= bytes_max / 2,
            Fill::Count(count_max) => count <= count_max / 2,
        }
    }

    /// Whether an element of so many bytes has a node of its own.
    pub(super) const fn is_large(self, bytes: usize) -> bool {
        bytes > self.bytes_max() || bytes >= self.plain_bytes_min
    }

    pub(super) const fn bytes_max(self) -> usize {
        match self.fill {
            Fill::Bytes(bytes_max) => bytes_max,
            Fill::Count(_) => COUNTED_BYTES_MAX,
        }
    }
}
