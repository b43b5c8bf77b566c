//! Storing values, and the marks of their use.

use rand::Rng;
use storage::keyspace::LfuSettings;
use storage::{Access, Detached, Expiry, Key, OwnedValue, StringValue};

use super::Ctx;
use crate::config::types::events::Events;

impl Ctx<'_> {
    /// Whether `key` exists and is not past its time.
    pub fn exists<'k>(&mut self, key: impl Into<Key<'k>>) -> bool {
        self.peek(key).is_some()
    }

    /// Marks an access of `key`, if it is there.
    pub fn touch<'k>(&mut self, key: impl Into<Key<'k>>) {
        if self.no_touch {
            return;
        }
        let key = key.into();
        let (access, lfu) = (self.new_access(), self.lfu());
        let clock = self.shard.clock;
        let Some(mut entry) = self.shard.databases[self.db.index()].find_mut(key) else { return };
        let old = entry.entry().access();
        let new = lfu.map_or(access, |settings| old.lfu_used(clock, settings, self.shard.rng.random()));
        if new != old {
            entry.touch(new);
        }
    }

    pub(super) fn lfu(&self) -> Option<LfuSettings> {
        let config = &self.shard.config;
        config
            .maxmemory_policy
            .is_lfu()
            .then(|| LfuSettings { log_factor: config.lfu_log_factor, decay_minutes: config.lfu_decay_time })
    }

    /// The access bits of a value that is new now.
    pub fn new_access(&self) -> Access {
        if self.shard.config.maxmemory_policy.is_lfu() {
            Access::lfu_new(self.shard.clock)
        } else {
            Access::lru(self.shard.clock)
        }
    }

    /// The access bits of a value that is stored now: new ones, but how often a key was used outlives its value.
    fn access_of_stored(&mut self, key: Key<'_>) -> Access {
        let Some(settings) = self.lfu() else { return self.new_access() };
        let clock = self.shard.clock;
        match self.shard.databases[self.db.index()].find(key).map(|entry| entry.access()) {
            None => self.new_access(),
            Some(old) if self.no_touch => old,
            Some(old) => old.lfu_used(clock, settings, self.shard.rng.random()),
        }
    }

    /// Stores a string, in place of whatever was there. That is a use of the key.
    pub fn set_string<'k>(&mut self, key: impl Into<Key<'k>>, value: StringValue<'_>, expire: Expiry) {
        let key = key.into();
        self.expire_if_past(key);
        let access = self.access_of_stored(key);
        let is_new = self.notices(Events::NEW) && self.database().find(key).is_none();
        let discarded = self.database().set_string(key, value, expire, access);
        self.discard(discarded);
        self.signal_change(key);
        if is_new {
            self.notify(Events::NEW, "new", key.bytes());
        }
    }

    /// Stores a string in place of the one that this command has looked up before: what it was used for, and when it
    /// expires, stays.
    pub fn replace_string<'k>(&mut self, key: impl Into<Key<'k>>, value: StringValue<'_>) {
        let key = key.into();
        let old = self.lfu().and_then(|_| self.database().find(key)).map(|entry| entry.access());
        let access = old.unwrap_or_else(|| self.new_access());
        let is_new = self.notices(Events::NEW) && self.database().find(key).is_none();
        let discarded = self.database().set_string(key, value, Expiry::Keep, access);
        self.discard(discarded);
        self.touch_tentatively(key);
        if is_new {
            self.notify(Events::NEW, "new", key.bytes());
        }
    }

    /// Stores any value, in place of whatever was there. That is a use of the key.
    pub fn set_value<'k>(&mut self, key: impl Into<Key<'k>>, value: OwnedValue, expire: Expiry) {
        let key = key.into();
        self.expire_if_past(key);
        let access = self.access_of_stored(key);
        let is_new = self.notices(Events::NEW) && self.database().find(key).is_none();
        let discarded = self.database().set_value(key, value, expire, access);
        self.discard(discarded);
        self.signal_change(key);
        if is_new {
            self.notify(Events::NEW, "new", key.bytes());
        }
    }

    /// Stores an entry that came from elsewhere, with its expiry and access bits.
    pub fn put<'k>(&mut self, key: impl Into<Key<'k>>, detached: Detached) {
        let key = key.into();
        self.expire_if_past(key);
        let discarded = self.database().put(key, detached);
        self.discard(discarded);
        self.signal_change(key);
    }

    /// Takes the entry of `key` out, to be put elsewhere.
    pub fn take<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<Detached> {
        let key = key.into();
        self.expire_if_past(key);
        let taken = self.database().take(key)?;
        self.signal_change(key);
        Some(taken)
    }
}
