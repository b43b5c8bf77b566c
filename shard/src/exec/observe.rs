//! Who is to hear of changes of keys: clients that wait for them, clients that watch them.
//!
//! A key at home is changed on its own shard, whose tables say who is to hear of it. A key that is away, brought together
//! with others at another core, is changed where those tables are not: what happens there is *noted*, in order, and its
//! shard hears the notes when the key returns ([`ShardState::hear`]).
//!
//! A client that watches a key is to hear of changes alone. Where a key is handed out to be changed in place, it is only
//! known when the command is over whether it was: until then its change is *tentative*.

use hashbrown::HashSet;
use storage::Key;

use super::ctx::{Ctx, ShardState};
use crate::ids::DbId;
use crate::txn::watch::DbKey;
use crate::txn::{Presence, WatchTable};

/// What a shard knows about those who are to hear of changes, besides its clients that wait.
#[derive(Debug, Default)]
pub struct Observers {
    /// Who watches which keys.
    pub watched: WatchTable,
    /// Of a shard made of keys that are away from home: what their shards are to hear of.
    pub noted: Option<Noting>,
    /// The databases of this shard are away: it has empty ones meanwhile, and all its keys are claimed.
    pub is_away: bool,
    tentative: Vec<DbKey>,
}

/// Notes of what happened to keys that are away.
#[derive(Debug)]
pub struct Noting {
    /// The keys whose changes are noted; all of them if there is no such set.
    watched: Option<HashSet<DbKey>>,
    /// Somebody waits for keys.
    waited: bool,
    notes: Vec<Noted>,
}

/// Something that happened to a key that was away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Noted {
    /// Whoever waits for it is to look.
    Signal(DbKey),
    /// Whoever waits for any key of that database is to look.
    SignalAll(DbId),
    /// It was changed.
    Touch {
        /// The key.
        key: DbKey,
        /// There was something at it before.
        existed: bool,
        /// What is there now.
        now: Presence,
    },
}

impl Noted {
    /// The key, of what happened to one.
    pub fn key(&self) -> Option<&[u8]> {
        match self {
            Noted::Signal((_, key)) | Noted::Touch { key: (_, key), .. } => Some(key),
            Noted::SignalAll(_) => None,
        }
    }
}

impl Noting {
    /// Of a table of borrowed keys: notes every change, and signals from when a key of a shard on which somebody waits is
    /// borrowed.
    pub const fn of_table() -> Noting {
        Noting { watched: None, waited: false, notes: Vec::new() }
    }

    /// Whether somebody waits for keys.
    pub const fn signals(&self) -> bool {
        self.waited
    }

    /// Notes what somebody on `shard` is to hear of.
    pub fn of(shard: &ShardState) -> Noting {
        let noted = &shard.observers;
        let keys = match &noted.noted {
            // They are away already: on their way further the same is noted.
            Some(noting) => noting.watched.clone(),
            None => Some(noted.watched.keys().cloned().collect()),
        };
        let waited = noted.noted.as_ref().map_or(!shard.waits.is_empty(), |noting| noting.waited);
        Noting { watched: keys, waited, notes: Vec::new() }
    }

    fn touches(&self, db: DbId, key: &[u8]) -> bool {
        self.watched.as_ref().is_none_or(|watched| !watched.is_empty() && watched.contains(&(db, key.to_vec())))
    }
}

impl Observers {
    /// Of a shard made of keys that are away.
    pub fn noting(noting: Noting) -> Observers {
        Observers { noted: Some(noting), ..Observers::default() }
    }

    /// How much was noted.
    pub fn noted_len(&self) -> usize {
        self.noted.as_ref().map_or(0, |noting| noting.notes.len())
    }

    /// What was noted from note `start` on.
    pub fn noted_from(&self, start: usize) -> &[Noted] {
        self.noted.as_ref().map_or(&[], |noting| &noting.notes[start..])
    }

    /// Somebody waits for keys.
    pub fn note_signals(&mut self) {
        if let Some(noting) = &mut self.noted {
            noting.waited = true;
        }
    }
}

impl ShardState {
    /// Whether anybody is to hear of changes, apart from who waits.
    #[inline]
    fn is_watched(&self) -> bool {
        !self.observers.watched.is_empty() || self.observers.noted.is_some()
    }

    /// Says that something happened at a key for which a client may wait.
    #[inline]
    pub fn signal(&mut self, db: DbId, key: &[u8]) {
        if !self.waits.is_empty() {
            self.waits.signal(db, key);
        }
        if let Some(noting) = &mut self.observers.noted
            && noting.waited
        {
            noting.notes.push(Noted::Signal((db, key.to_vec())));
        }
    }

    /// Says that something happened at all keys of a database.
    pub fn signal_all(&mut self, db: DbId) {
        self.waits.signal_all(db);
        if let Some(noting) = &mut self.observers.noted
            && noting.waited
        {
            noting.notes.push(Noted::SignalAll(db));
        }
    }

    /// Says that a key was changed.
    #[inline]
    pub fn touch(&mut self, db: DbId, key: &[u8], existed: bool) {
        if self.is_watched() {
            let now = self.presence(db, key);
            self.hear_touch(db, key, existed, now);
        }
    }

    #[cold]
    fn hear_touch(&mut self, db: DbId, key: &[u8], existed: bool, now: Presence) {
        let Observers { watched, noted, .. } = &mut self.observers;
        match noted {
            None => watched.touch(db, key, existed, now),
            Some(noting) if noting.touches(db, key) => {
                noting.notes.push(Noted::Touch { key: (db, key.to_vec()), existed, now });
            }
            Some(_) => {}
        }
    }

    /// Whether a key is there now.
    pub fn presence(&self, db: DbId, key: &[u8]) -> Presence {
        match self.databases[db.index()].find(Key::new(key)) {
            None => Presence::Absent,
            Some(entry) if entry.expire_at().is_some_and(|at| at.is_past(self.judged_at())) => Presence::Past,
            Some(_) => Presence::There,
        }
    }

    /// Hears what happened to a key while it was away.
    pub fn hear(&mut self, noted: Noted) {
        match noted {
            Noted::Signal((db, key)) => self.signal(db, &key),
            Noted::SignalAll(db) => self.signal_all(db),
            Noted::Touch { key: (db, key), existed, now } => self.hear_touch(db, &key, existed, now),
        }
    }

    /// Takes out what was noted.
    pub fn take_notes(&mut self) -> Vec<Noted> {
        self.observers.noted.as_mut().map_or_else(Vec::new, |noting| std::mem::take(&mut noting.notes))
    }

    /// The watched keys of a database.
    fn watched_keys(&self, db: DbId) -> Vec<Vec<u8>> {
        let own = |key: &&DbKey| key.0 == db;
        let keys = |(_, key): &DbKey| key.clone();
        match &self.observers.noted {
            None => self.observers.watched.keys().filter(own).map(keys).collect(),
            Some(noting) => noting.watched.iter().flatten().filter(own).map(keys).collect(),
        }
    }

    /// Says that all keys of a database are about to be removed.
    pub(super) fn touch_emptied(&mut self, db: DbId) {
        if self.is_watched() {
            for key in self.watched_keys(db) {
                if self.presence(db, &key) != Presence::Absent {
                    self.hear_touch(db, &key, true, Presence::Absent);
                }
            }
        }
    }

    /// Says that two databases are about to be exchanged.
    pub(super) fn touch_swapped(&mut self, first: DbId, second: DbId) {
        if !self.is_watched() || first == second {
            return;
        }
        for (db, other) in [(first, second), (second, first)] {
            for key in self.watched_keys(db) {
                let (before, after) = (self.presence(db, &key), self.presence(other, &key));
                if before != Presence::Absent || after != Presence::Absent {
                    self.hear_touch(db, &key, before != Presence::Absent, after);
                }
            }
        }
    }
}

impl Ctx<'_> {
    /// A key is handed out to be changed in place: if the command changes anything, it was that.
    #[inline]
    pub(super) fn touch_tentatively(&mut self, key: Key<'_>) {
        if self.shard.is_watched() {
            self.shard.observers.tentative.push((self.db, key.bytes().to_vec()));
        }
        self.shard.tracking.touch(key.bytes());
    }

    /// The command is over, before which the shard's count of changes was `dirty`.
    #[inline]
    pub fn settle(&mut self, dirty: u64) {
        let changed = self.shard.counters.dirty != dirty;
        self.shard.tracking.settle(changed);
        if !self.shard.observers.tentative.is_empty() {
            for (db, key) in std::mem::take(&mut self.shard.observers.tentative) {
                if changed {
                    self.shard.touch(db, &key, true);
                }
            }
        }
    }
}
