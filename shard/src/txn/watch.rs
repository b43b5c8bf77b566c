//! Watched keys: a client's flag, and a shard's table of who watches which key.
//!
//! A client that watches shares one [`Watch`] with every shard that has a key of its. The first change of one of them sets
//! the flag; what happens afterwards to any of them makes no difference any more.
//!
//! # Keys that expire
//!
//! The passing of time is a change, too: a key whose time is past at EXEC, but was not at WATCH, makes EXEC fail. One whose
//! time was past at WATCH already is as good as missing, so its removal changes nothing. Each entry remembers which it was.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use hashbrown::HashMap;

use crate::ids::DbId;

const DIRTY: u8 = 1;
const OVER: u8 = 2;

/// What one client watches, from its first WATCH to its EXEC, DISCARD or UNWATCH.
#[derive(Debug, Default)]
pub struct Watch {
    state: AtomicU8,
    /// The keys whose time was past already when they were watched.
    past: Mutex<Vec<DbKey>>,
}

impl Watch {
    /// One of the keys was changed.
    pub fn spoil(&self) {
        self.state.fetch_or(DIRTY, Ordering::AcqRel);
    }

    /// Whether one of the keys was changed.
    pub fn is_spoilt(&self) -> bool {
        self.state.load(Ordering::Acquire) & DIRTY != 0
    }

    /// The client watches no longer: a shard that has yet to hear of it enters nothing.
    pub fn end(&self) {
        self.state.fetch_or(OVER, Ordering::AcqRel);
    }

    fn is_over(&self) -> bool {
        self.state.load(Ordering::Acquire) & OVER != 0
    }

    /// Whether a key's time was past already when it was watched.
    pub fn was_past(&self, db: DbId, key: &[u8]) -> bool {
        self.past().iter().any(|(of, past)| *of == db && past == key)
    }

    fn set_past(&self, db: DbId, key: &[u8], is_past: bool) {
        let mut past = self.past();
        past.retain(|(of, past)| (*of, past.as_slice()) != (db, key));
        if is_past {
            past.push((db, key.to_vec()));
        }
    }

    fn past(&self) -> MutexGuard<'_, Vec<DbKey>> {
        self.past.lock().expect("no one panics while looking at names")
    }

    fn matters(&self) -> bool {
        self.state.load(Ordering::Acquire) == 0
    }
}

/// Whether a key is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is not.
    Absent,
    /// It is, but its time is past.
    Past,
    /// It is.
    There,
}

/// A key of a database.
pub type DbKey = (DbId, Vec<u8>);

/// Who watches which keys of one shard.
#[derive(Debug, Default)]
pub struct WatchTable {
    keys: HashMap<DbKey, Vec<Arc<Watch>>>,
    /// The keys of each client, by the address of what it shares with us, which lives while an entry has it.
    clients: HashMap<usize, Vec<DbKey>>,
}

fn name(watch: &Arc<Watch>) -> usize {
    Arc::as_ptr(watch) as usize
}

impl WatchTable {
    /// Whether nobody watches.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that somebody watches.
    pub fn keys(&self) -> impl Iterator<Item = &DbKey> {
        self.keys.keys()
    }

    /// A client watches a key.
    pub fn add(&mut self, watch: &Arc<Watch>, db: DbId, key: &[u8], is_past: bool) {
        if watch.is_over() {
            return;
        }
        let own = self.clients.entry(name(watch)).or_default();
        if own.iter().any(|(of, known)| *of == db && known == key) {
            return;
        }
        own.push((db, key.to_vec()));
        if is_past {
            watch.set_past(db, key, true);
        }
        self.keys.entry((db, key.to_vec())).or_default().push(Arc::clone(watch));
    }

    /// A client watches no longer.
    pub fn forget(&mut self, watch: &Arc<Watch>) {
        for key in self.clients.remove(&name(watch)).unwrap_or_default() {
            let watchers = self.keys.get_mut(&key).expect("a watched key has an entry");
            watchers.retain(|watcher| !Arc::ptr_eq(watcher, watch));
            if watchers.is_empty() {
                self.keys.remove(&key);
            }
        }
    }

    /// A key was changed. `existed`: there was something at it before, its time past or not.
    pub fn touch(&self, db: DbId, key: &[u8], existed: bool, now: Presence) {
        let Some(watchers) = self.keys.get(&(db, key.to_vec())) else { return };
        for watch in watchers.iter().filter(|watch| watch.matters()) {
            match (watch.was_past(db, key), now) {
                (true, Presence::Absent) => watch.set_past(db, key, false),
                (true, Presence::Past) => {}
                (false, Presence::Past) if !existed => watch.set_past(db, key, true),
                _ => watch.spoil(),
            }
        }
    }

    /// Panics if the structure contradicts itself.
    pub fn check_invariants(&self) {
        for (client, keys) in &self.clients {
            for key in keys {
                let watchers = &self.keys[key];
                assert_eq!(watchers.iter().filter(|watch| name(watch) == *client).count(), 1, "one entry each");
            }
        }
        let entries: usize = self.keys.values().map(Vec::len).sum();
        assert_eq!(
            entries,
            self.clients.values().map(Vec::len).sum::<usize>(),
            "an entry is of a client that is known"
        );
        assert!(self.keys.values().all(|watchers| !watchers.is_empty()), "a key that nobody watches has no entry");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DB: DbId = DbId(0);

    #[test]
    fn a_change_spoils_what_every_client_watches_of_that_key() {
        let (first, second, other) = <(Arc<Watch>, Arc<Watch>, Arc<Watch>)>::default();
        let mut table = WatchTable::default();
        table.add(&first, DB, b"k", false);
        table.add(&first, DB, b"k", false);
        table.add(&second, DB, b"k", false);
        table.add(&other, DbId(1), b"k", false);
        table.check_invariants();
        table.touch(DB, b"k", true, Presence::There);
        assert!(first.is_spoilt() && second.is_spoilt() && !other.is_spoilt());
        for watch in [&first, &second, &other] {
            table.forget(watch);
            table.check_invariants();
        }
        assert!(table.is_empty());
    }

    #[test]
    fn a_key_that_was_past_its_time_may_vanish_but_not_come_back() {
        let watch = Arc::<Watch>::default();
        let mut table = WatchTable::default();
        table.add(&watch, DB, b"k", true);
        assert!(watch.was_past(DB, b"k"));
        table.touch(DB, b"k", true, Presence::Past);
        table.touch(DB, b"k", true, Presence::Absent);
        assert!(!watch.is_spoilt() && !watch.was_past(DB, b"k"));
        table.touch(DB, b"k", false, Presence::There);
        assert!(watch.is_spoilt());
    }

    #[test]
    fn a_missing_key_in_whose_place_comes_one_past_its_time_is_still_missing() {
        let watch = Arc::<Watch>::default();
        let mut table = WatchTable::default();
        table.add(&watch, DB, b"k", false);
        table.touch(DB, b"k", false, Presence::Past);
        assert!(!watch.is_spoilt() && watch.was_past(DB, b"k"));
    }

    #[test]
    fn who_watches_no_longer_is_not_entered() {
        let watch = Arc::<Watch>::default();
        watch.end();
        let mut table = WatchTable::default();
        table.add(&watch, DB, b"k", false);
        assert!(table.is_empty());
    }
}
