//! What a command's handler on a shard works with.
//!
//! [`ShardState`] is a core's slice of the keyspace with its clock and its randomness; [`Ctx`] is that for one command:
//! a database is selected, lookups expire what is past its time, count hits, and mark accesses, and changes are counted.
//! Nothing here does I/O or reads a clock. `ctx/store.rs` has what stores values.

mod store;

use std::sync::Arc;

use rand::Rng;
use rand::rngs::SmallRng;
use storage::keyspace::LfuSettings;
use storage::{Access, Database, Discarded, Entry, EntryMut, Key, StringRef, UnixMillis, Value};

use super::error::WRONG_TYPE;
use super::observe::Observers;
use super::{CommandError, Garbage};
use crate::config::Config;
use crate::config::types::events::Events;
use crate::ids::{DbId, ShardId};
use crate::journal::Journal;
use crate::limits::FREE_ITEMS_AT_ONCE;
use crate::pubsub::Registry;
use crate::slot::SlotMap;
use crate::snapshot::Job;
use crate::tracking::KeyTracking;
use crate::wait::{Claiming, WaitRequest, WaitTable};

/// What a shard counts about its keys, for INFO.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyspaceCounters {
    /// Lookups for reading that found a key.
    pub hits: u64,
    /// Lookups for reading that found none.
    pub misses: u64,
    /// Keys removed because their time was past.
    pub expired_keys: u64,
    /// Fields of hashes removed because their time was past.
    pub expired_fields: u64,
    /// Keys removed for lack of memory.
    pub evicted_keys: u64,
    /// Values handed to the background for freeing.
    pub lazyfreed_objects: u64,
    /// Changes since the start (`rdb_changes_since_last_save`).
    pub dirty: u64,
}

impl KeyspaceCounters {
    /// Adds those of another.
    pub fn add(&mut self, other: &KeyspaceCounters) {
        let KeyspaceCounters { hits, misses, expired_keys, expired_fields, evicted_keys, lazyfreed_objects, dirty } =
            other;
        self.hits += hits;
        self.misses += misses;
        self.expired_keys += expired_keys;
        self.expired_fields += expired_fields;
        self.evicted_keys += evicted_keys;
        self.lazyfreed_objects += lazyfreed_objects;
        self.dirty += dirty;
    }
}

/// One shard's data.
pub struct ShardState {
    /// Which shard.
    pub id: ShardId,
    /// Number of shards.
    pub shards: usize,
    /// The numbered databases' slices.
    pub databases: Vec<Database>,
    /// The largest time seen: what expiry is judged by.
    pub clock: UnixMillis,
    /// Randomness, seeded from outside.
    pub rng: SmallRng,
    /// The configuration as this core knows it.
    pub config: Arc<Config>,
    /// What of it decides between the encodings of collections.
    pub limits: storage::Limits,
    /// Counts for INFO.
    pub counters: KeyspaceCounters,
    /// `DEBUG SET-ACTIVE-EXPIRE`.
    pub active_expire: bool,
    /// `CLIENT PAUSE`: keys past their time are hidden, and removed when the pause is over.
    pub expiry_held: bool,
    /// A log of commands is loaded: they were given when nothing of what they tell of was past, so nothing is.
    pub is_replaying: bool,
    /// Payloads of RESTORE must have the right checksum (`DEBUG SET-SKIP-CHECKSUM-VALIDATION` takes it away).
    pub check_sums: bool,
    /// Which shard owns which slot.
    pub slots: Arc<SlotMap>,
    /// Which cores have subscribers of what.
    pub registry: Arc<Registry>,
    /// Who waits for keys of this shard.
    pub waits: WaitTable,
    /// Who is to be told of changed keys.
    pub tracking: KeyTracking,
    /// What the handler that runs wants to wait for.
    pub wanted: Option<WaitRequest>,
    /// The wait in whose name the handler runs.
    pub claim: Option<Claiming>,
    /// What happened to keys, for subscribers, since the last tick.
    pub events: Vec<KeyEvent>,
    /// What is to be freed in slices between commands.
    pub garbage: Garbage,
    /// Who is to hear of changes besides those that wait.
    pub observers: Observers,
    /// The snapshot that has something left to save here.
    pub snapshot: Option<Arc<Job>>,
    /// What commands did, for whoever reads it.
    pub journal: Journal,
    /// FLUSHALL has emptied it: a server with save points saves that.
    pub emptied: bool,
    /// The handler that runs was called by a script, which is to find the same whenever it runs.
    pub serves_script: bool,
}

impl ShardState {
    /// Shard `id` without any keys, at a time of day. Its clients track no keys together with those of other shards.
    pub fn empty(
        id: ShardId,
        clock: UnixMillis,
        rng: SmallRng,
        config: Arc<Config>,
        slots: Arc<SlotMap>,
        registry: Arc<Registry>,
    ) -> ShardState {
        ShardState {
            id,
            shards: slots.shards(),
            databases: (0..config.databases).map(|_| Database::new()).collect(),
            clock,
            rng,
            limits: config.limits(),
            config,
            counters: KeyspaceCounters::default(),
            active_expire: true,
            expiry_held: false,
            is_replaying: false,
            check_sums: true,
            waits: WaitTable::default(),
            tracking: KeyTracking::new(Arc::default()),
            wanted: None,
            claim: None,
            events: Vec::new(),
            slots,
            registry,
            garbage: Garbage::default(),
            observers: Observers::default(),
            snapshot: None,
            journal: Journal::default(),
            emptied: false,
            serves_script: false,
        }
    }

    /// The time by which expiry is judged.
    pub fn judged_at(&self) -> UnixMillis {
        if self.is_replaying { UnixMillis(i64::MIN) } else { self.clock }
    }

    /// Whether this is the shard of `key`.
    pub fn owns(&self, key: &[u8]) -> bool {
        self.slots.owner(key) == self.id
    }
}

/// Something that happened to a key, as `notify-keyspace-events` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEvent {
    /// The key's database.
    pub db: DbId,
    /// The class of the event.
    pub class: Events,
    /// Its name.
    pub event: &'static str,
    /// The key.
    pub key: Vec<u8>,
}

/// A handler's view: one shard, one database, one command.
pub struct Ctx<'a> {
    /// The shard.
    pub shard: &'a mut ShardState,
    /// The client's database.
    pub db: DbId,
    /// The client wants no access times changed (`CLIENT NO-TOUCH`).
    pub no_touch: bool,
}

/// How a use by a command that writes is marked.
#[derive(Clone, Copy)]
pub(super) enum Touched {
    /// Not at all.
    No,
    /// As the latest use.
    Lru(Access),
    /// As one use more.
    Lfu(UnixMillis, LfuSettings),
}

impl Touched {
    pub(super) fn new(shard: &ShardState, no_touch: bool) -> Touched {
        let config = &shard.config;
        if no_touch {
            Touched::No
        } else if config.maxmemory_policy.is_lfu() {
            let settings = LfuSettings { log_factor: config.lfu_log_factor, decay_minutes: config.lfu_decay_time };
            Touched::Lfu(shard.clock, settings)
        } else {
            Touched::Lru(Access::lru(shard.clock))
        }
    }

    pub(super) fn mark(self, entry: &mut EntryMut<'_>, rng: &mut SmallRng) {
        match self {
            Touched::No => {}
            Touched::Lru(access) => entry.touch(access),
            Touched::Lfu(clock, settings) => {
                let used = entry.entry().access().lfu_used(clock, settings, rng.random());
                entry.touch(used);
            }
        }
    }
}

impl Ctx<'_> {
    /// The time.
    pub fn now(&self) -> UnixMillis {
        self.shard.clock
    }

    /// The time by which this command judges expiry: that of [`Self::now`], unless a log is replayed.
    pub fn judged_at(&self) -> UnixMillis {
        self.shard.judged_at()
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.shard.config
    }

    /// The selected database, raw: no expiry, no statistics.
    pub fn database(&mut self) -> &mut Database {
        &mut self.shard.databases[self.db.index()]
    }

    /// The same context on another database.
    pub fn on(&mut self, db: DbId) -> Ctx<'_> {
        Ctx { shard: self.shard, db, no_touch: self.no_touch }
    }

    /// Whether the time of `key` is past.
    fn is_past(&mut self, key: Key<'_>) -> bool {
        let now = self.judged_at();
        let database = &mut self.shard.databases[self.db.index()];
        let past = |entry: Entry<'_>| entry.expire_at().is_some_and(|at| at.is_past(now));
        database.expires() > 0 && database.find(key).is_some_and(past)
    }

    /// Removes `key` if its time is past; says so. For commands that change it: a pause holds none of them that came
    /// after it, and those before it may do as they would have done.
    pub(super) fn expire_if_past(&mut self, key: Key<'_>) -> bool {
        if !self.is_past(key) {
            return false;
        }
        let discarded = self.database().unlink(key).flatten();
        self.discard(discarded);
        self.signal_change(key);
        self.shard.counters.expired_keys += 1;
        let is_lazy = self.config().lazyfree_lazy_expire;
        self.shard.record_lost(self.db, key.bytes(), is_lazy);
        self.notify(Events::EXPIRED, "expired", key.bytes());
        true
    }

    /// Whether a command that reads must take `key` for absent, its time being past. It is removed, unless expiry is held.
    fn is_gone(&mut self, key: Key<'_>) -> bool {
        if self.shard.expiry_held { self.is_past(key) } else { self.expire_if_past(key) }
    }

    /// The key's entry for looking at, without marking an access and without counting.
    pub fn peek<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<Entry<'_>> {
        let key = key.into();
        if self.is_gone(key) {
            return None;
        }
        self.database().find(key)
    }

    /// The key's entry for looking at (TTL, TYPE, EXISTS, OBJECT): counts a hit or a miss, and marks no access.
    pub fn look<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<Entry<'_>> {
        let key = key.into();
        if self.is_gone(key) {
            self.missed(key);
            return None;
        }
        self.find_counted(key)
    }

    /// As [`Self::look`], by a command that asks about the server's own affairs (OBJECT): a miss is counted, and no event.
    pub fn inspect<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<Entry<'_>> {
        let key = key.into();
        let is_gone = self.is_gone(key);
        let counters = &mut self.shard.counters;
        let entry = self.shard.databases[self.db.index()].find(key).filter(|_| !is_gone);
        match entry {
            Some(_) => counters.hits += 1,
            None => counters.misses += 1,
        }
        entry
    }

    /// The key's entry for reading: marks the access, counts a hit or a miss.
    pub fn read<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<Entry<'_>> {
        let key = key.into();
        if self.is_gone(key) {
            self.missed(key);
            return None;
        }
        if self.no_touch {
            return self.find_counted(key);
        }
        let (access, lfu, clock) = (self.new_access(), self.lfu(), self.shard.clock);
        if self.notices(Events::KEY_MISS) && self.database().find(key).is_none() {
            self.missed(key);
            return None;
        }
        let shard = &mut *self.shard;
        let Some(mut entry) = shard.databases[self.db.index()].find_mut(key) else {
            shard.counters.misses += 1;
            return None;
        };
        shard.counters.hits += 1;
        let old = entry.entry().access();
        let new = lfu.map_or(access, |settings| old.lfu_used(clock, settings, shard.rng.random()));
        if new != old {
            entry.touch(new);
        }
        Some(entry.into_entry())
    }

    /// A lookup for reading has found nothing.
    fn missed(&mut self, key: Key<'_>) {
        self.shard.counters.misses += 1;
        self.notify(Events::KEY_MISS, "keymiss", key.bytes());
    }

    fn find_counted(&mut self, key: Key<'_>) -> Option<Entry<'_>> {
        if self.notices(Events::KEY_MISS) && self.database().find(key).is_none() {
            self.missed(key);
            return None;
        }
        let counters = &mut self.shard.counters;
        let entry = self.shard.databases[self.db.index()].find(key);
        match entry {
            Some(_) => counters.hits += 1,
            None => counters.misses += 1,
        }
        entry
    }

    /// The key's entry for changing: marks the access.
    pub fn write<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<EntryMut<'_>> {
        let key = key.into();
        self.expire_if_past(key);
        self.touch_tentatively(key);
        let shard = &mut *self.shard;
        let touched = Touched::new(shard, self.no_touch);
        let mut entry = shard.databases[self.db.index()].find_mut(key)?;
        touched.mark(&mut entry, &mut shard.rng);
        Some(entry)
    }

    /// The key's entry for changing, without marking the access: of a key that this command has looked up before.
    pub fn peek_mut<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<EntryMut<'_>> {
        let key = key.into();
        self.expire_if_past(key);
        self.touch_tentatively(key);
        self.database().find_mut(key)
    }

    /// The string at `key` for reading; an error if something else is there.
    pub fn read_string<'k>(&mut self, key: impl Into<Key<'k>>) -> Result<Option<StringRef<'_>>, CommandError> {
        match self.read(key) {
            None => Ok(None),
            Some(entry) => entry.value().as_string().map(Some).ok_or(WRONG_TYPE),
        }
    }

    /// The string entry at `key` for changing; an error if something else is there.
    pub fn write_string<'k>(&mut self, key: impl Into<Key<'k>>) -> Result<Option<EntryMut<'_>>, CommandError> {
        match self.write(key) {
            None => Ok(None),
            Some(entry) if matches!(entry.value(), Value::String(_)) => Ok(Some(entry)),
            Some(_) => Err(WRONG_TYPE),
        }
    }

    /// Removes `key`; whether it was there. A big value is freed in slices between commands.
    pub fn remove<'k>(&mut self, key: impl Into<Key<'k>>) -> bool {
        let key = key.into();
        if self.expire_if_past(key) {
            return false;
        }
        match self.database().unlink(key) {
            None => false,
            Some(discarded) => {
                self.discard(discarded);
                self.signal_change(key);
                true
            }
        }
    }

    /// Empties the database; what it held is to be freed.
    pub fn clear(&mut self) -> Discarded {
        self.shard.touch_emptied(self.db);
        self.shard.signal_all(self.db);
        self.database().clear()
    }

    /// Exchanges all that two databases hold.
    pub fn swap_databases(&mut self, first: DbId, second: DbId) {
        self.shard.touch_swapped(first, second);
        self.shard.databases.swap(first.index(), second.index());
        self.shard.signal_all(first);
        self.shard.signal_all(second);
    }

    /// Leaves something big to be freed in slices between commands.
    pub fn discard(&mut self, discarded: Option<Discarded>) {
        if let Some(discarded) = discarded {
            self.shard.counters.lazyfreed_objects += discarded.items() as u64;
            self.shard.garbage.push(discarded);
        }
    }

    /// Frees something big before the reply as far as that holds nobody up, and leaves the rest for later.
    pub fn free(&mut self, mut discarded: Discarded) {
        if !discarded.free_step(FREE_ITEMS_AT_ONCE) {
            self.shard.garbage.push(discarded);
        }
    }

    /// Whether anybody may hear of events of this class.
    #[inline]
    pub(super) fn notices(&self, class: Events) -> bool {
        self.shard.config.notify_keyspace_events.publishes(class) && !self.shard.registry.is_silent()
    }

    /// Tells what happened to a key, to whoever has subscribed to such events.
    #[inline]
    pub fn notify(&mut self, class: Events, event: &'static str, key: &[u8]) {
        if self.notices(class) {
            self.shard.events.push(KeyEvent { db: self.db, class, event, key: key.to_vec() });
        }
    }

    /// Says that something happened at `key` which a client may wait for.
    pub fn signal<'k>(&mut self, key: impl Into<Key<'k>>) {
        self.shard.signal(self.db, key.into().bytes());
    }

    /// Says that `key` was changed, to clients that watch it or keep a copy: where neither the way it was handed out nor the
    /// count of changes says so.
    pub fn tell_changed<'k>(&mut self, key: impl Into<Key<'k>>) {
        let key = key.into();
        self.shard.touch(self.db, key.bytes(), true);
        self.shard.tracking.change(key.bytes());
    }

    /// Says that `key` was changed: to clients that wait for it, that watch it, and that keep a copy.
    fn signal_change(&mut self, key: Key<'_>) {
        self.signal(key);
        self.tell_changed(key);
    }

    /// Asks to wait: the handler has found nothing to take, and returns without a reply. What it gets when the time is over
    /// is `request.nothing`.
    pub fn wait_for(&mut self, request: WaitRequest) {
        self.shard.wanted = Some(request);
    }

    /// Whether the handler runs in the name of a client that waits, and not for the first time.
    pub fn has_waited(&self) -> bool {
        self.shard.claim.is_some()
    }

    /// Whether the handler may take what it has found. It asks before the first effect, and returns without one if not:
    /// its client, which had waited, was served by another shard or waits no longer.
    pub fn claim(&mut self) -> bool {
        self.shard.claim.as_mut().is_none_or(Claiming::take)
    }

    /// Whether the handler runs in the name of a client that waits already: what ends other clients' commands with an
    /// error is then no reason to end this one's.
    pub fn runs_for_waiter(&self) -> bool {
        self.shard.claim.is_some()
    }

    /// Counts `changes` to the data set. Every write that changed something calls it, once per changed key.
    pub fn changed(&mut self, changes: usize) {
        self.shard.counters.dirty += changes as u64;
    }
}
