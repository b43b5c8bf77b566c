//! What a database spends its memory on, and how to get back what mass deletes have left.

use super::Database;

/// What a database spends its memory on, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// The hash table: lines, segments, directory, books.
    pub table: usize,
    /// Entry blocks in use, rounded up to their size classes.
    pub blocks: usize,
    /// Pages that hold entry blocks, free ones included.
    pub pages: usize,
    /// Buffers of long strings and long keys, by capacity.
    pub outside: usize,
}

impl Memory {
    /// All of it: what the process holds because of this database. Pages that were never filled up count in full, though
    /// the untouched part of each is not resident.
    pub const fn total(self) -> usize {
        self.table + self.pages + self.outside
    }

    /// What the entries themselves need, without free room in pages.
    pub const fn in_use(self) -> usize {
        self.table + self.blocks + self.outside
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

impl Database {
    /// What the memory is spent on.
    pub fn memory(&self) -> Memory {
        Memory {
            table: self.table.table_bytes(),
            blocks: self.table.block_bytes(),
            pages: self.table.page_bytes(),
            outside: self.table.outside_bytes(),
        }
    }

    /// Bytes of pages that no entry takes: gaps for entries to come.
    pub const fn gap_bytes(&self) -> usize {
        self.table.gap_bytes()
    }

    /// The shape of the hash table. Visits every key: for DEBUG only.
    pub fn stats(&self) -> TableStats {
        TableStats {
            entries: self.table.len(),
            slots: self.table.slots(),
            segments: self.table.segments(),
            lines_to_find: self.table.lines_to_find(),
        }
    }

    /// Moves up to about `max_blocks` entries out of sparse pages so that these can be returned; whether there may be more
    /// to do. Cheap when there is nothing to do.
    pub fn defragment_step(&mut self, max_blocks: usize) -> bool {
        self.table.defragment_step(max_blocks)
    }
}
