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
//! A large value ([`Pieces`]) is saved in pieces, one such value at a time; the walk goes on behind it. A collection must not
//! change meanwhile: whoever is about to change it saves the rest of it at once, which takes as long as that takes. The core
//! lets commands that write to it wait instead ([`Database::awaits_saving`]). A long string may change, or go: what it was is
//! kept ([`large`]); only what takes it elsewhere waits, as RENAME does. A command that reads never waits.
//!
//! A snapshot that fails is *abandoned*: the walk goes on and marks, so that all entries agree again, and keeps nothing.

mod large;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::Range;

use large::Large;

use super::{Database, Discarded, Entry, Key};
use crate::encoding::block::Outside;
use crate::encoding::hash::key_hash;
use crate::encoding::table::{Place, Table};
use crate::snapshot::file::{Block, Pieces, RecordOptions, Records};
use crate::types::Value;

/// A step saves so many bytes of a large value, about.
const PIECE_BYTES: usize = 16 << 10;

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
    /// The walk has come to its end; what it has put off may be left.
    is_walked: bool,
    /// Keys of large values that the walk has met, or that somebody waits for.
    put_off: VecDeque<Vec<u8>>,
    /// The large value that is being saved.
    large: Option<Large>,
    /// Long strings that have changed before their turn came.
    changed: VecDeque<Large>,
    /// Bytes of strings that are under their keys no more, and kept to be saved.
    kept_bytes: usize,
    /// Those of which all is written, to be freed.
    written: Vec<Vec<u8>>,
    /// Bytes that were saved ahead of changes.
    ahead_bytes: u64,
    /// Reused by the steps of the walk.
    places: Vec<Place>,
}

/// What is about to become of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is changed where it is, or goes for good.
    Stays,
    /// It goes elsewhere.
    Moves,
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
            let before = self.len_bytes() + self.large_bytes();
            if !self.save_rest(table, place) {
                self.save(table, place);
            }
            self.ahead_bytes += (self.len_bytes() + self.large_bytes() - before) as u64;
        }
    }

    /// Saves what is left of the value that is being saved in pieces, if it is that entry's.
    fn save_rest(&mut self, table: &mut Table, place: Place) -> bool {
        let Some(large) = self.begun(Entry::new(table.block(place)).key()) else { return false };
        while !large.pieces.is_complete() {
            large.write(table, Some(place), usize::MAX);
        }
        table.set_saved(place, self.mark);
        true
    }

    /// The value under that key if some of it is saved in pieces, and not all.
    fn begun(&mut self, key: &[u8]) -> Option<&mut Large> {
        let mut all = self.large.iter_mut().chain(&mut self.changed);
        all.find(|large| large.is_in_table() && !large.pieces.is_complete() && large.key == key)
    }

    /// The unsaved long string in a place, the head of which is written at least; `None` if it is something else.
    fn begin_string(&mut self, table: &Table, place: Place) -> Option<&mut Large> {
        let entry = Entry::new(table.block(place));
        let is_long = entry.saved() != self.mark && matches!(entry.value(), Value::String(_)) && Pieces::suit(&entry);
        let records = self.records.as_ref().filter(|_| is_long)?;
        // Looked for twice, since what was found cannot be returned from here while something may be added.
        if self.large.iter().chain(&self.changed).all(|large| !large.is_in_table() || large.key != entry.key()) {
            self.changed.push_back(Large::begin(records, &entry, key_hash(entry.key())));
        }
        self.begun(entry.key())
    }

    /// What is in a place is about to change, but no bytes of a string other than these: keeps them if it is a long one that is
    /// to be saved. Everything else is saved first.
    pub(super) fn save_first_but(
        &mut self,
        table: &mut Table,
        place: Place,
        changes: impl Iterator<Item = Range<usize>>,
    ) {
        if table.block(place).saved() == self.mark {
            return;
        }
        let Some(large) = self.begin_string(table, place) else { return self.save_first(table, place) };
        let entry = Entry::new(table.block(place));
        let copied: usize = changes.map(|range| large.keep_range(&entry, range)).sum();
        self.ahead_bytes += copied as u64;
    }

    /// What is in a place is about to go, and what it has outside will be handed to [`Self::keep`]: whether that is wanted. If
    /// not, it is saved.
    pub(super) fn save_or_keep(&mut self, table: &mut Table, place: Place) -> bool {
        let keeps = self.begin_string(table, place).is_some();
        if !keeps {
            self.save_first(table, place);
        }
        keeps
    }

    /// Keeps the long string that was under a key until it is saved.
    pub(super) fn keep(&mut self, key: &[u8], outside: Option<Outside>) {
        let Some(Outside::Buffer(buffer)) = outside else { unreachable!("a long string has a buffer") };
        self.kept_bytes += buffer.capacity();
        self.ahead_bytes += buffer.len() as u64;
        self.begun(key).expect("it was begun before").keep_buffer(buffer);
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

    fn large_bytes(&self) -> usize {
        self.large.as_ref().map_or(0, |large| large.pieces.len_bytes())
    }

    /// Whether everything is saved; what was saved may have to be taken.
    fn is_over(&self) -> bool {
        self.is_walked && self.put_off.is_empty() && self.large.is_none() && self.changed.is_empty()
    }

    /// Goes on with a large value, or begins with the next one that was put off. False if there is none.
    fn step_large(&mut self, table: &mut Table, bytes_max: usize) -> bool {
        if let Some(large) = &mut self.large {
            // What was completed by somebody else waits to be taken.
            if !large.pieces.is_complete() {
                let place = large.place(table, self.mark);
                large.write(table, place, bytes_max);
                if let Some(place) = place.filter(|_| large.pieces.is_complete()) {
                    table.set_saved(place, self.mark);
                }
            }
            return true;
        }
        if let Some(large) = self.changed.pop_front() {
            // One that the sweep has removed need not be saved, and nothing of it was taken.
            let is_left = large.pieces.is_complete() || !large.is_in_table() || large.place(table, self.mark).is_some();
            self.large = is_left.then_some(large);
            return true;
        }
        let Some(key) = self.put_off.pop_front() else { return false };
        let hash = key_hash(&key);
        let found = table.find(hash, &key).filter(|&place| table.block(place).saved() != self.mark);
        // It may have been saved ahead of a change, or be gone.
        let Some(place) = found else { return true };
        match &self.records {
            Some(records) => {
                self.large = Some(Large::begin(records, &Entry::new(table.block(place)), hash));
            }
            None => table.set_saved(place, self.mark),
        }
        true
    }

    /// Saves the entries of one more line, or some of a large value.
    fn step(&mut self, live: &mut Table, bytes_max: usize) {
        let mut cleared = if let Walk::Cleared(table) = &mut self.walk { Some(std::mem::take(table)) } else { None };
        let table = cleared.as_deref_mut().unwrap_or(live);
        if !self.step_large(table, bytes_max) && !self.is_walked {
            self.walk_line(table);
        }
        if let Some(table) = cleared {
            self.walk = Walk::Cleared(table);
        }
    }
}

impl Saving {
    fn walk_line(&mut self, table: &mut Table) {
        let mut places = std::mem::take(&mut self.places);
        self.cursor = table.scan_step(self.cursor, |place, block| {
            if block.saved() != self.mark {
                places.push(place);
            }
        });
        self.is_walked = self.cursor == 0;
        for place in places.drain(..) {
            let entry = Entry::new(table.block(place));
            if self.records.is_some() && Pieces::suit(&entry) {
                self.put_off.push_back(entry.key().to_vec());
            } else {
                self.save(table, place);
            }
        }
        self.places = places;
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
            is_walked: false,
            put_off: VecDeque::new(),
            large: None,
            changed: VecDeque::new(),
            kept_bytes: 0,
            written: Vec::new(),
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
            if saving.is_over() || saving.len_bytes() >= bytes_max || saving.large_bytes() >= bytes_max {
                break;
            }
            saving.step(&mut self.table, PIECE_BYTES);
        }
        saving.is_over()
    }

    /// Bytes that were saved and not taken yet.
    pub fn saved_bytes(&self) -> usize {
        self.saving.as_ref().map_or(0, |saving| saving.len_bytes())
    }

    /// Bytes that this snapshot saved ahead of changes since this was last asked.
    pub fn take_ahead_bytes(&mut self) -> u64 {
        self.saving.as_mut().map_or(0, |saving| std::mem::take(&mut saving.ahead_bytes))
    }

    /// Takes what was saved. What is saved next goes into `spare`, an empty buffer.
    pub fn take_saved(&mut self, spare: &mut Vec<u8>) -> Option<Block> {
        self.saving.as_mut()?.records.as_mut()?.take_block(spare)
    }

    /// Takes what was saved of a large value, if that is `bytes_min` bytes or its end.
    pub fn take_piece(&mut self, bytes_min: usize, spare: &mut Vec<u8>) -> Option<Block> {
        let saving = self.saving.as_mut()?;
        let large = saving.large.as_mut()?;
        let is_complete = large.pieces.is_complete();
        if !is_complete && large.pieces.len_bytes() < bytes_min {
            return None;
        }
        let block = large.pieces.take(spare);
        if is_complete {
            let kept = saving.large.take().and_then(Large::into_buffer);
            saving.kept_bytes -= kept.as_ref().map_or(0, Vec::capacity);
            saving.written.extend(kept);
        }
        Some(block)
    }

    /// The number of the database as which this one is saved, if some of a large value is, and not all.
    pub fn saves_large(&self) -> Option<u32> {
        self.saving.as_ref()?.large.as_ref().map(|large| large.pieces.db())
    }

    /// The hash of the key whose value is being saved in pieces: it must not be removed without that being known here.
    pub(super) fn hash_in_pieces(&self) -> Option<u64> {
        self.saving.as_ref()?.large.as_ref().filter(|large| !large.pieces.is_complete()).map(|large| large.hash)
    }

    /// Whether a large value is there under `key` that a snapshot has yet to save, or to save the rest of, and whoever is about
    /// to change it had better wait. It is saved next. Nobody need wait to change a long string where it is, or to give up one
    /// that is kept then, if not more is kept than `kept_bytes_max`, or only that.
    pub fn awaits_saving<'k>(&mut self, key: impl Into<Key<'k>>, change: Change, kept_bytes_max: usize) -> bool {
        let Some(saving) = self.saving.as_mut().filter(|saving| saving.records.is_some()) else { return false };
        let key = key.into();
        let Some(place) = self.table.find(key.hash(), key.bytes()) else { return false };
        let entry = Entry::new(self.table.block(place));
        if entry.saved() == saving.mark || !Pieces::suit(&entry) {
            return false;
        }
        if change == Change::Stays && matches!(entry.value(), Value::String(_)) {
            let kept = saving.kept_bytes;
            if kept == 0 || kept.saturating_add(entry.outside_bytes()) <= kept_bytes_max {
                return false;
            }
        }
        if saving.begun(key.bytes()).is_none() && saving.put_off.front().is_none_or(|first| first != key.bytes()) {
            saving.put_off.push_front(key.bytes().to_vec());
        }
        true
    }

    /// Nothing more is to be kept for the snapshot; the walk is to go on until it is over.
    pub fn abandon_saving(&mut self) {
        if let Some(saving) = &mut self.saving {
            saving.records = None;
            for large in saving.large.take().into_iter().chain(std::mem::take(&mut saving.changed)) {
                if large.is_in_table() && !large.pieces.is_complete() {
                    saving.put_off.push_back(large.key);
                } else {
                    saving.written.extend(large.into_buffer());
                }
            }
            saving.kept_bytes = 0;
            // What was cleared need not be marked.
            if matches!(saving.walk, Walk::Cleared(_)) {
                saving.is_walked = true;
                saving.put_off.clear();
            }
        }
    }

    /// The end, when the walk is over and everything was taken. A table that was kept is to be freed.
    pub fn end_saving(&mut self) -> Option<Discarded> {
        let saving = self.saving.take()?;
        assert!(saving.is_over() && saving.len_bytes() == 0, "what was saved is taken before the end");
        match saving.walk {
            Walk::Cleared(table) => Some(Discarded::from_table(*table)),
            Walk::Live => None,
        }
    }

    /// A long string that was kept for the snapshot, and is written.
    pub fn take_written(&mut self) -> Option<Discarded> {
        Discarded::from_outside(self.saving.as_mut()?.written.pop().map(Outside::Buffer))
    }

    /// An entry is about to go, and what its value has outside is to be passed to [`Self::keep_if`] behind that, with what
    /// this says.
    #[inline]
    pub(super) fn save_or_keep(&mut self, place: Place) -> bool {
        self.saving.as_mut().is_some_and(|saving| saving.save_or_keep(&mut self.table, place))
    }

    /// Keeps what the value of an entry had outside that is gone, if the snapshot wants it.
    pub(super) fn keep_if(&mut self, wanted: bool, key: &[u8], outside: Option<Outside>) -> Option<Outside> {
        match &mut self.saving {
            Some(saving) if wanted => {
                saving.keep(key, outside);
                None
            }
            _ => outside,
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
        if saving.is_over() || matches!(saving.walk, Walk::Cleared(_)) {
            return table;
        }
        if saving.records.is_some() {
            saving.walk = Walk::Cleared(Box::new(table));
            return Table::default();
        }
        // What is new is born saved: there is nothing left to mark.
        saving.is_walked = true;
        saving.put_off.clear();
        table
    }

    /// For tests: what the marks say. Panics if an entry is unsaved that nobody will save.
    pub(super) fn check_marks(&self) {
        let walks = self.saving.as_ref().is_some_and(|saving| !saving.is_over() && matches!(saving.walk, Walk::Live));
        if !walks {
            self.for_each(|entry| {
                assert!(entry.saved() == self.birth_mark, "nobody will save {:?}", entry.key());
            });
        }
    }
}
