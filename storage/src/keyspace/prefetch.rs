//! Lookups that are about to happen can be announced, in two rounds: all the keys of a pipeline first, then their values.

use super::Database;

impl Database {
    /// First round: asks for the table's memory of the key with this hash.
    #[inline]
    pub fn prefetch_line(&self, hash: u64) {
        self.table.prefetch_line(hash);
    }

    /// Second round: asks for the key's block.
    #[inline]
    pub fn prefetch_block(&self, hash: u64) {
        self.table.prefetch_block(hash);
    }
}
