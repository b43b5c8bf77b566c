//! database
use super::{Access, Entry, EntryMut, Expiry, Memory, SweepBudget, SweepOutcome, TableStats, UnixMillis};
use crate::types::string::StringValue;
use crate::types::OwnedValue;
use rand::Rng;

/// The hash of a key inside a shard.
pub fn key_hash(key: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(key)
}

/// A key together with its hash, so that a command hashes it once. Anything that is bytes converts into one.
#[derive(Clone, Copy, Debug)]
pub struct Key<'k> {
    bytes: &'k [u8],
    hash: u64,
}

impl<'k> Key<'k> {
    /// Hashes the key.
    pub fn new(bytes: &'k [u8]) -> Self {
        Self { bytes, hash: key_hash(bytes) }
    }
    /// A key whose [`key_hash`] is known already.
    pub fn with_hash(bytes: &'k [u8], hash: u64) -> Self {
        debug_assert_eq!(hash, key_hash(bytes));
        Self { bytes, hash }
    }
    /// The key's bytes.
    pub const fn bytes(self) -> &'k [u8] {
        self.bytes
    }
    /// The key's hash.
    pub const fn hash(self) -> u64 {
        self.hash
    }
}

impl<'k, T: AsRef<[u8]> + ?Sized> From<&'k T> for Key<'k> {
    fn from(bytes: &'k T) -> Self {
        Self::new(bytes.as_ref())
    }
}

/// A value on its way between keys, databases or shards, with what goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detached {
    /// The value.
    pub value: OwnedValue,
    /// When it expires.
    pub expire_at: Option<UnixMillis>,
    /// Its access bits.
    pub access: Access,
}

/// Memory to be freed where and when it suits: a big value, or a whole table. Dropping it frees it at once.
#[derive(Debug)]
pub struct Discarded(());

impl Discarded {
    /// Bytes it holds.
    pub fn len_bytes(&self) -> usize {
        unimplemented!()
    }
    /// Items (values) it holds, for `lazyfree_pending_objects`.
    pub fn items(&self) -> usize {
        unimplemented!()
    }
    /// Frees about `max_items` of its items; true once nothing is left.
    pub fn free_step(&mut self, max_items: usize) -> bool {
        let _ = max_items;
        unimplemented!()
    }
}

/// One numbered database's slice on one shard.
#[derive(Debug, Default)]
pub struct Database(());

#[allow(unused_variables, clippy::needless_pass_by_value)]
impl Database {
    /// An empty database, which holds no memory.
    pub fn new() -> Self {
        Self::default()
    }
    /// Number of keys, expired but not yet removed ones included (DBSIZE).
    pub fn len(&self) -> usize {
        unimplemented!()
    }
    /// Whether it has no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Number of keys that have an expiry.
    pub fn expires(&self) -> usize {
        unimplemented!()
    }
    /// The entry of a key. Does not judge expiry and does not touch access bits.
    pub fn find<'k>(&self, key: impl Into<Key<'k>>) -> Option<Entry<'_>> {
        unimplemented!()
    }
    /// The entry of a key, to be changed in place. Does not judge expiry and does not touch access bits.
    pub fn find_mut<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<EntryMut<'_>> {
        unimplemented!()
    }
    /// Whether the key is there, expired or not.
    pub fn contains<'k>(&self, key: impl Into<Key<'k>>) -> bool {
        self.find(key).is_some()
    }
    /// Sets a key to a string, replacing whatever it was. A big old value is handed back, to be freed elsewhere.
    pub fn set_string<'k>(
        &mut self,
        key: impl Into<Key<'k>>,
        value: StringValue<'_>,
        expire: Expiry,
        access: Access,
    ) -> Option<Discarded> {
        unimplemented!()
    }
    /// Sets a key to any value, replacing whatever it was. A big old value is handed back, to be freed elsewhere.
    pub fn set_value<'k>(
        &mut self,
        key: impl Into<Key<'k>>,
        value: OwnedValue,
        expire: Expiry,
        access: Access,
    ) -> Option<Discarded> {
        unimplemented!()
    }
    /// Removes a key and returns its value.
    pub fn remove<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<OwnedValue> {
        unimplemented!()
    }
    /// Removes a key and frees its value at once; whether it was there.
    pub fn delete<'k>(&mut self, key: impl Into<Key<'k>>) -> bool {
        unimplemented!()
    }
    /// Removes a key; a big value is handed back, to be freed elsewhere (UNLINK). `None`: it was not there.
    pub fn unlink<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<Option<Discarded>> {
        unimplemented!()
    }
    /// Takes a key out with all that belongs to it. Long values are moved, not copied.
    pub fn take<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<Detached> {
        unimplemented!()
    }
    /// Puts in what [`Self::take`] took out, here or elsewhere, under this key, replacing whatever it was.
    pub fn put<'k>(&mut self, key: impl Into<Key<'k>>, detached: Detached) -> Option<Discarded> {
        unimplemented!()
    }
    /// One bounded step of SCAN: visits a few entries and returns the cursor to go on with; 0 starts and ends.
    /// Cursors are below 2^48.
    pub fn scan(&self, cursor: u64, visit: impl FnMut(Entry<'_>)) -> u64 {
        unimplemented!()
    }
    /// A random entry.
    pub fn random(&self, rng: &mut impl Rng) -> Option<Entry<'_>> {
        unimplemented!()
    }
    /// A random entry among those with an expiry.
    pub fn random_volatile(&self, rng: &mut impl Rng) -> Option<Entry<'_>> {
        unimplemented!()
    }
    /// Visits all entries.
    pub fn for_each(&self, visit: impl FnMut(Entry<'_>)) {
        unimplemented!()
    }
    /// Empties the database in constant time; the old contents are to be freed elsewhere or step by step.
    pub fn clear(&mut self) -> Discarded {
        unimplemented!()
    }
    /// Active expiry: looks for keys that are due and removes them, going round the segments.
    pub fn sweep(
        &mut self,
        now: UnixMillis,
        budget: SweepBudget,
        skip: &mut dyn FnMut(&[u8], u64) -> bool,
        expired: &mut dyn FnMut(&[u8], OwnedValue),
    ) -> SweepOutcome {
        unimplemented!()
    }
    /// A running estimate of the time to live of keys that have one, in milliseconds (INFO keyspace).
    pub fn avg_ttl(&self) -> i64 {
        unimplemented!()
    }
    /// What the memory is spent on.
    pub fn memory(&self) -> Memory {
        unimplemented!()
    }
    /// The shape of the hash table.
    pub fn stats(&self) -> TableStats {
        unimplemented!()
    }
    /// The value of the *saved* mark that new entries are born with; a snapshot flips it at its cut.
    pub fn set_birth_mark(&mut self, saved: bool) {
        unimplemented!()
    }
    /// Moves entries out of sparse pages so that these can be returned; about `max_blocks` moves. Whether more is to do.
    pub fn defragment_step(&mut self, max_blocks: usize) -> bool {
        unimplemented!()
    }
    /// Panics if the structure contradicts itself. For tests.
    pub fn check_invariants(&self) {
        unimplemented!()
    }
}
