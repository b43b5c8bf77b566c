//! Keys away from their shard: brought together at another core, where commands of a transaction or a script run on them.
//!
//! ```text
//!   lend        the entries of some keys, in whatever databases they are     the shard goes on with its other keys
//!   leave       all databases                                               the shard has empty ones meanwhile, and whoever
//!                                                                           asks it for keys waits
//! ```
//!
//! Both are done under claims. An entry that is large, and a database, is a pointer to what it holds, so both travel at the
//! cost of a small one. What is counted, noted and left over away from home comes back with the keys.

use storage::{Database, Detached, UnixMillis};

use super::ctx::{KeyEvent, KeyspaceCounters, ShardState};
use super::observe::{Noted, Noting, Observers};
use crate::ids::DbId;
use crate::journal::Away;
use crate::tracking::{Change, Readers};
use crate::wait::WaitTable;

/// Entries on their way, each with its database and the number of its key.
pub struct Lent {
    entries: Vec<(DbId, usize, Detached)>,
    now: UnixMillis,
    /// Somebody waits for keys of that shard.
    waited: bool,
}

/// Entries on their way back, with what happened to them.
pub struct Returned {
    entries: Vec<(DbId, Vec<u8>, Detached)>,
    notes: Vec<Noted>,
    events: Vec<KeyEvent>,
    /// Keys that clients which track are to hear of, and what such clients have read.
    altered: Vec<Change>,
    reads: Vec<(Vec<u8>, Readers)>,
    records: Vec<Away>,
    leftover: Leftover,
}

/// What commands left besides entries.
#[derive(Default)]
pub struct Leftover {
    counters: KeyspaceCounters,
    garbage: super::Garbage,
}

impl ShardState {
    /// A shard without keys that is otherwise like this one: the place where keys come together.
    #[must_use]
    pub fn table_for_borrowed(&mut self) -> ShardState {
        use rand::SeedableRng;
        ShardState {
            id: self.id,
            shards: self.shards,
            databases: (0..self.databases.len()).map(|_| Database::new()).collect(),
            clock: self.clock,
            rng: rand::rngs::SmallRng::from_rng(&mut self.rng),
            config: std::sync::Arc::clone(&self.config),
            limits: self.limits,
            counters: KeyspaceCounters::default(),
            active_expire: self.active_expire,
            expiry_held: self.expiry_held,
            is_replaying: self.is_replaying,
            check_sums: self.check_sums,
            waits: WaitTable::default(),
            tracking: self.tracking.for_borrowed(),
            wanted: None,
            claim: None,
            events: Vec::new(),
            slots: std::sync::Arc::clone(&self.slots),
            registry: std::sync::Arc::clone(&self.registry),
            garbage: super::Garbage::default(),
            observers: Observers::noting(Noting::of_table()),
            snapshot: None,
            journal: self.journal.for_away(),
            emptied: false,
            serves_script: false,
        }
    }

    /// Takes the entries of some keys out of all databases.
    pub fn lend(&mut self, keys: &[Vec<u8>]) -> Lent {
        let mut entries = Vec::with_capacity(keys.len());
        for (index, database) in self.databases.iter_mut().enumerate().filter(|(_, database)| !database.is_empty()) {
            for (number, key) in keys.iter().enumerate() {
                if let Some(entry) = database.take(key.as_slice()) {
                    entries.push((DbId(index as u32), number, entry));
                }
            }
        }
        let waited = self.observers.noted.as_ref().map_or(!self.waits.is_empty(), Noting::signals);
        Lent { entries, now: self.clock, waited }
    }

    /// Puts lent entries of `keys` in: this is the place where they come together.
    pub fn borrow(&mut self, keys: &[Vec<u8>], lent: Lent) {
        self.clock = self.clock.max(lent.now);
        if lent.waited {
            self.observers.note_signals();
        }
        for (db, number, entry) in lent.entries {
            let replaced = self.databases[db.index()].put(keys[number].as_slice(), entry);
            assert!(replaced.is_none(), "a key is borrowed once");
        }
    }

    /// Takes out what is now at the keys of one shard, to be given back to it.
    pub fn to_return(&mut self, keys: &[Vec<u8>], notes: &mut Vec<Noted>, leftover: Leftover) -> Returned {
        let mut entries = Vec::with_capacity(keys.len());
        for (index, database) in self.databases.iter_mut().enumerate().filter(|(_, database)| !database.is_empty()) {
            for key in keys {
                if let Some(entry) = database.take(key.as_slice()) {
                    entries.push((DbId(index as u32), key.clone(), entry));
                }
            }
        }
        let is_own = |noted: &mut Noted| noted.key().is_some_and(|key| keys.iter().any(|own| own == key));
        let notes = notes.extract_if(.., is_own).collect();
        let events = self.events.extract_if(.., |event| keys.contains(&event.key)).collect();
        let (altered, reads) = self.tracking.take_out(keys);
        let records = match keys.first() {
            Some(key) if self.journal.is_on() => self.journal.take_away_of(self.slots.owner(key)),
            _ => Vec::new(),
        };
        Returned { entries, notes, events, altered, reads, records, leftover }
    }

    /// Takes out what commands left besides entries.
    pub fn take_leftover(&mut self) -> Leftover {
        let counters = std::mem::take(&mut self.counters);
        Leftover { counters, garbage: std::mem::take(&mut self.garbage) }
    }

    /// Forgets what was noted of what happened here: the keys of this place go nowhere. What may take long to be freed is left to
    /// `heir`.
    pub fn forget_noted(&mut self, heir: &mut ShardState) {
        self.take_notes();
        self.events.clear();
        self.counters = KeyspaceCounters::default();
        self.tracking = self.tracking.for_borrowed();
        self.journal = self.journal.for_away();
        heir.garbage.extend(std::mem::take(&mut self.garbage));
    }

    /// Forgets all that is here.
    pub fn forget(&mut self, heir: &mut ShardState) {
        self.forget_noted(heir);
        heir.garbage.extend(self.databases.iter_mut().map(Database::clear));
    }

    fn take_in(&mut self, leftover: Leftover) {
        self.counters.add(&leftover.counters);
        self.garbage.extend(leftover.garbage);
    }

    /// Lent keys are back.
    pub fn return_lent(&mut self, returned: Returned) {
        for (db, key, entry) in returned.entries {
            let replaced = self.databases[db.index()].put(key.as_slice(), entry);
            assert!(replaced.is_none(), "nobody makes a key that is borrowed");
        }
        self.take_in(returned.leftover);
        self.events.extend(returned.events);
        self.tracking.take_in(returned.altered, returned.reads);
        self.journal.take_in(returned.records);
        for noted in returned.notes {
            self.hear(noted);
        }
    }

    /// Hands all databases out.
    pub fn leave(&mut self) -> Box<ShardState> {
        assert!(!self.observers.is_away, "only what is here can leave");
        let mut away = Box::new(self.table_for_borrowed());
        std::mem::swap(&mut away.databases, &mut self.databases);
        away.observers.noted = Some(Noting::of(self));
        self.observers.is_away = true;
        away
    }

    /// All databases are back.
    pub fn come_back(&mut self, away: &mut ShardState) {
        assert!(self.observers.is_away, "only what left comes back");
        self.observers.is_away = false;
        debug_assert!(self.databases.iter().all(Database::is_empty), "all keys of a shard that is away are claimed");
        std::mem::swap(&mut away.databases, &mut self.databases);
        self.take_in(away.take_leftover());
        self.events.append(&mut away.events);
        self.tracking.take_over(&mut away.tracking);
        self.journal.take_in(away.journal.take_away());
        for noted in away.take_notes() {
            self.hear(noted);
        }
    }
}
