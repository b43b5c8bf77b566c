//! Saving a database while it changes: what stands in a snapshot is what was there at its cut.
//!
//! Every entry has a *saved* mark, one bit. At the cut the meaning of the bit is turned round, which makes all entries
//! unsaved without a walk; entries that are set from then on are born saved. Then, in any order,
//!
//! - a walk goes over the table and saves what is unsaved, a few entries at a time;
//! - whatever is about to change or remove an unsaved entry saves it first, so each entry is saved as it was at the cut,
//!   and once: a file with a key twice cannot be loaded;
//! - a database that is emptied keeps its old table until the walk has seen the rest of it.
//!
//! ```text
//!            cut                                                      end
//!  mark 0 ────┼──── 1: saved, or born since ─────────────────────────┼──── 1: all
//!             │     0: to be saved                                    │
//! ```
//!
//! Only what expires goes without being saved: whoever loads the file later would drop it. That is so for keys that the
//! sweep removes, and for fields of hashes.
//!
//! A value is saved in one piece, however large. A write to a huge collection that is not saved yet takes as long as to
//! serialise that collection; a command that reads never waits.
//!
//! A snapshot that fails is *abandoned*: the walk goes on and marks, so that all entries agree again, and keeps nothing.

#[cfg(test)]
mod tests;

use super::{Database, Discarded, Entry};
use crate::encoding::table::{Place, Table};
use crate::snapshot::file::{Block, RecordOptions, Records};

/// How far a snapshot of a database has come.
#[derive(Debug)]
pub(super) struct Saving {
    /// What was saved and not taken; none if the snapshot was abandoned.
    records: Option<Records>,
    /// The mark of what is saved.
    mark: bool,
    walk: Walk,
    /// Where the walk goes on.
    cursor: u64,
    /// The walk has come to its end.
    is_over: bool,
    /// Bytes that were saved ahead of changes.
    ahead_bytes: u64,
    /// Reused by the steps of the walk.
    places: Vec<Place>,
}

/// What the walk goes over.
#[derive(Debug)]
enum Walk {
    /// The database's table.
    Live,
    /// The table that the database had before it was emptied.
    Cleared(Box<Table>),
}

impl Saving {
    /// Saves an entry that is about to change, unless it is saved.
    #[inline]
    pub(super) fn save_first(&mut self, table: &mut Table, place: Place) {
        if table.block(place).saved() != self.mark {
            let before = self.len_bytes();
            self.save(table, place);
            self.ahead_bytes += (self.len_bytes() - before) as u64;
        }
    }

    fn save(&mut self, table: &mut Table, place: Place) {
        if let Some(records) = &mut self.records {
            records.put(&Entry::new(table.block(place)));
        }
        table.set_saved(place, self.mark);
    }

    fn len_bytes(&self) -> usize {
        self.records.as_ref().map_or(0, Records::len_bytes)
    }

    /// Saves the entries of one more line.
    fn step(&mut self, live: &mut Table) {
        let mut cleared = if let Walk::Cleared(table) = &mut self.walk { Some(std::mem::take(table)) } else { None };
        let table = cleared.as_deref_mut().unwrap_or(live);
        let mut places = std::mem::take(&mut self.places);
        self.cursor = table.scan_step(self.cursor, |place, block| {
            if block.saved() != self.mark {
                places.push(place);
            }
        });
        self.is_over = self.cursor == 0;
        for place in places.drain(..) {
            self.save(table, place);
        }
        self.places = places;
        if let Some(table) = cleared {
            self.walk = Walk::Cleared(table);
        }
    }
}

impl Database {
    /// The cut: all that is here now belongs to the snapshot, as database `db`. The one before must have ended.
    pub fn begin_saving(&mut self, db: u32, options: RecordOptions) {
        assert!(self.saving.is_none(), "one snapshot ends before the next begins");
        if self.is_empty() {
            return;
        }
        self.birth_mark = !self.birth_mark;
        self.saving = Some(Box::new(Saving {
            records: Some(Records::new(db, self.len(), self.expires(), options)),
            mark: self.birth_mark,
            walk: Walk::Live,
            cursor: 0,
            is_over: false,
            ahead_bytes: 0,
            places: Vec::new(),
        }));
    }

    /// Whether a snapshot has something left to save, or to take, of this database.
    pub const fn is_saving(&self) -> bool {
        self.saving.is_some()
    }

    /// Goes on with the walk, over about `entries_max` entries and until `bytes_max` bytes wait to be taken; whether it
    /// is over. Each line of the table counts as ten entries.
    pub fn save_step(&mut self, entries_max: usize, bytes_max: usize) -> bool {
        const ENTRIES_PER_LINE: usize = 10;
        let Some(saving) = &mut self.saving else { return true };
        for _ in 0..entries_max.div_ceil(ENTRIES_PER_LINE) {
            if saving.is_over || saving.len_bytes() >= bytes_max {
                break;
            }
            saving.step(&mut self.table);
        }
        saving.is_over
    }

    /// Bytes that were saved and not taken yet.
    pub fn saved_bytes(&self) -> usize {
        self.saving.as_ref().map_or(0, |saving| saving.len_bytes())
    }

    /// Bytes that this snapshot saved ahead of changes since this was last asked.
    pub fn take_ahead_bytes(&mut self) -> u64 {
        self.saving.as_mut().map_or(0, |saving| std::mem::take(&mut saving.ahead_bytes))
    }

    /// Takes what was saved.
    pub fn take_saved(&mut self) -> Option<Block> {
        self.saving.as_mut()?.records.as_mut()?.take_block()
    }

    /// Nothing more is to be kept for the snapshot; the walk is to go on until it is over.
    pub fn abandon_saving(&mut self) {
        if let Some(saving) = &mut self.saving {
            saving.records = None;
            // What was cleared need not be marked.
            saving.is_over |= matches!(saving.walk, Walk::Cleared(_));
        }
    }

    /// The end, when the walk is over and everything was taken. A table that was kept is to be freed.
    pub fn end_saving(&mut self) -> Option<Discarded> {
        let saving = self.saving.take()?;
        assert!(saving.is_over && saving.len_bytes() == 0, "what was saved is taken before the end");
        match saving.walk {
            Walk::Cleared(table) => Some(Discarded::from_table(*table)),
            Walk::Live => None,
        }
    }

    #[inline]
    pub(super) fn save_first(&mut self, place: Place) {
        if let Some(saving) = &mut self.saving {
            saving.save_first(&mut self.table, place);
        }
    }

    /// The database was emptied: keeps its table for the walk if that is not over, or gives it back.
    pub(super) fn keep_for_saving(&mut self, table: Table) -> Table {
        let Some(saving) = &mut self.saving else { return table };
        if saving.is_over || matches!(saving.walk, Walk::Cleared(_)) {
            return table;
        }
        if saving.records.is_some() {
            saving.walk = Walk::Cleared(Box::new(table));
            return Table::default();
        }
        // What is new is born saved: there is nothing left to mark.
        saving.is_over = true;
        table
    }

    /// For tests: what the marks say. Panics if an entry is unsaved that nobody will save.
    pub(super) fn check_marks(&self) {
        let walks = self.saving.as_ref().is_some_and(|saving| !saving.is_over && matches!(saving.walk, Walk::Live));
        if !walks {
            self.for_each(|entry| {
                assert!(entry.saved() == self.birth_mark, "nobody will save {:?}", entry.key());
            });
        }
    }
}
