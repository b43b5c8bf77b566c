//! Visiting keys: SCAN's cursors, random keys, all keys.
//!
//! A cursor is a position in the order of the hashes (see the table's documentation), so the guarantee of SCAN is easy to
//! see: every key has one fixed position, each step covers a stretch of positions without a gap, and growing or shrinking
//! the table moves no key to another position. A key may be visited twice when the table changes during the scan.
//!
//! Redis's `COUNT` is about buckets to visit. Here a step visits one line, about ten keys; a command takes as many steps
//! as it wants keys.

use rand::Rng;

use super::{Database, Entry};

impl Database {
    /// The number of bits that cursors of [`Self::scan`] take: room is left above them, to tell shards apart.
    pub const CURSOR_BITS: u32 = crate::encoding::table::CURSOR_BITS;

    /// One bounded step of SCAN: visits a few entries and returns the cursor to go on with; 0 starts and ends. A cursor
    /// that no scan ever returned is harmless.
    pub fn scan(&self, cursor: u64, mut visit: impl FnMut(Entry<'_>)) -> u64 {
        self.table.scan_step(cursor, |_, block| visit(Entry::new(block)))
    }

    /// A random entry; every key is about equally likely.
    pub fn random(&self, rng: &mut impl Rng) -> Option<Entry<'_>> {
        let place = self.table.random(rng, false)?;
        Some(Entry::new(self.table.block(place)))
    }

    /// A random entry among those with an expiry. When very few keys have one, some of them are likelier than others.
    pub fn random_volatile(&self, rng: &mut impl Rng) -> Option<Entry<'_>> {
        let place = self.table.random(rng, true)?;
        Some(Entry::new(self.table.block(place)))
    }

    /// Visits all entries.
    pub fn for_each(&self, mut visit: impl FnMut(Entry<'_>)) {
        self.table.for_each(|_, block| visit(Entry::new(block)));
    }
}
