//! Who tracks, for all cores.
//!
//! Clients enter and leave here from their own core, before they are answered. A shard looks here when a key is changed:
//! what a client wants is judged then, not when it has read the key, and so is whether the client that is told in its place
//! is still there. A core sees every entry that was made before what it runs now was sent: between the two stands a reply
//! on a socket.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use hashbrown::HashMap;

use super::Mode;
use crate::ids::ClientId;
use crate::session::places::{Place, Places};

/// A client that tracks.
#[derive(Clone, Copy, Debug)]
pub struct Tracker {
    /// Where it is.
    pub place: Place,
    /// It is told by prefixes.
    pub broadcast: bool,
    /// It is not told of its own changes.
    pub no_loop: bool,
    /// This other client is told in its place.
    pub redirect: Option<ClientId>,
}

/// Who is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The client itself.
    Own(Place),
    /// The client that it named.
    Redirected(Place),
    /// That client is gone: the one that named it is told so.
    Broken(Place),
}

#[derive(Debug, Default)]
struct Entries {
    trackers: HashMap<ClientId, Tracker>,
    prefixes: BTreeMap<Vec<u8>, BTreeSet<ClientId>>,
}

/// Who tracks.
#[derive(Debug, Default)]
pub struct Registry {
    clients: AtomicUsize,
    prefixes: AtomicUsize,
    keys: AtomicUsize,
    items: AtomicUsize,
    entries: RwLock<Entries>,
}

impl Registry {
    /// Whether anybody tracks.
    #[inline]
    pub fn is_active(&self) -> bool {
        self.clients.load(Ordering::Relaxed) > 0
    }

    /// Number of clients that track.
    pub fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// Number of prefixes of which clients are told.
    #[inline]
    pub fn prefixes(&self) -> usize {
        self.prefixes.load(Ordering::Relaxed)
    }

    /// Number of keys that the tables of all shards hold.
    pub fn keys(&self) -> usize {
        self.keys.load(Ordering::Relaxed)
    }

    /// Number of clients by which they are held, summed over the keys.
    pub fn items(&self) -> usize {
        self.items.load(Ordering::Relaxed)
    }

    /// A shard's table holds so many keys and clients more.
    pub(super) fn count(&self, keys: usize, items: usize) {
        self.keys.fetch_add(keys, Ordering::Relaxed);
        self.items.fetch_add(items, Ordering::Relaxed);
    }

    /// A shard's table is to lose one key, if all of them hold more than `limit`. Two shards that look at once do not both
    /// take the same key too many for theirs.
    pub(super) fn uncount_excess(&self, limit: usize) -> bool {
        let less = |keys: usize| (keys > limit).then(|| keys - 1);
        self.keys.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }

    /// A shard's table holds so many keys and clients less.
    pub(super) fn uncount(&self, keys: usize, items: usize) {
        self.keys.fetch_sub(keys, Ordering::Relaxed);
        self.items.fetch_sub(items, Ordering::Relaxed);
    }

    /// `client`, which is at `place`, tracks as `mode` says, whatever it did before.
    pub fn enter(&self, client: ClientId, place: Place, mode: &Mode) {
        let Mode { broadcast, no_loop, redirect, .. } = *mode;
        let mut entries = self.write();
        entries.trackers.insert(client, Tracker { place, broadcast, no_loop, redirect });
        for prefix in &mode.prefixes {
            entries.prefixes.entry(prefix.clone()).or_default().insert(client);
        }
        self.publish(&entries);
    }

    /// `client`, which tracked as `mode` says, tracks no longer.
    pub fn leave(&self, client: ClientId, mode: &Mode) {
        let mut entries = self.write();
        entries.trackers.remove(&client);
        for prefix in &mode.prefixes {
            let clients = entries.prefixes.get_mut(prefix).expect("a client's prefixes are entered with it");
            clients.remove(&client);
            if clients.is_empty() {
                entries.prefixes.remove(prefix);
            }
        }
        self.publish(&entries);
    }

    fn publish(&self, entries: &Entries) {
        self.clients.store(entries.trackers.len(), Ordering::Relaxed);
        self.prefixes.store(entries.prefixes.len(), Ordering::Relaxed);
    }

    /// Who is to be told that a key changed which `reader` has read. Nobody if it tracks no longer, or by prefixes now, or
    /// made the change itself and does not want to hear of it.
    pub fn reader(&self, reader: ClientId, writer: Option<ClientId>, places: &Places) -> Option<Target> {
        let tracker = self.read().trackers.get(&reader).copied().filter(|tracker| !tracker.broadcast)?;
        let is_own = tracker.no_loop && writer == Some(reader);
        (!is_own).then(|| tracker.target(places))
    }

    /// Calls `see` with every prefix of `key` of which somebody is told.
    pub fn visit_prefixes(&self, key: &[u8], mut see: impl FnMut(&[u8])) {
        for prefix in self.read().prefixes.keys().filter(|prefix| key.starts_with(prefix)) {
            see(prefix);
        }
    }

    /// The clients that are told of `prefix`, in the order of their numbers.
    pub fn subscribers(&self, prefix: &[u8], places: &Places) -> Vec<(ClientId, bool, Target)> {
        let entries = self.read();
        let clients = entries.prefixes.get(prefix).into_iter().flatten();
        let known = clients.filter_map(|client| Some((*client, entries.trackers.get(client)?)));
        known.map(|(client, tracker)| (client, tracker.no_loop, tracker.target(places))).collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().expect("no one panics while entering a client")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.entries.write().expect("no one panics while entering a client")
    }
}

impl Tracker {
    /// Who is told in the name of this client.
    pub fn target(&self, places: &Places) -> Target {
        match self.redirect {
            None => Target::Own(self.place),
            Some(other) => places.of(other).map_or(Target::Broken(self.place), Target::Redirected),
        }
    }
}
