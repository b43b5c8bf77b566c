//! memory
/// What a database spends its memory on, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The hash table: lines, segments, directory.
    pub table: usize,
    /// Entry blocks in use, rounded up to their size classes.
    pub blocks: usize,
    /// Pages that hold entry blocks, free ones included.
    pub pages: usize,
    /// Buffers of long strings and long keys, by capacity.
    pub outside: usize,
}

impl Memory {
    /// All of it: what the process holds because of this database.
    pub const fn total(self) -> usize {
        self.table + self.pages + self.outside
    }
}

/// The shape of the hash table, for DEBUG HTSTATS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableStats {
    /// Number of keys.
    pub entries: usize,
    /// Number of slots.
    pub slots: usize,
    /// Number of segments, each of which grows and splits on its own.
    pub segments: usize,
    /// Entries by the number of cache lines a look-up reads to find them, from one line on.
    pub lines_to_find: Vec<usize>,
}
