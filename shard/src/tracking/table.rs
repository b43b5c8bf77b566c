//! Which clients have read which keys of one shard.
//!
//! ```text
//!   index   hash of key ─► place          rows   [ "user:1" │ 7       ]
//!                                                [ "user:2" │ 3 7 12  ]     client numbers, ascending
//! ```
//!
//! Rows stand in a vector, so that a random one is found in one step when the table is too large; a row that leaves gives
//! its place to the last one. Most keys are read by one client, which then takes no memory of its own.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};
use rand::Rng;

use super::Registry;
use crate::ids::ClientId;

/// The clients that have read a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readers {
    /// One.
    One(ClientId),
    /// Several, in the order of their numbers.
    Many(Vec<ClientId>),
}

/// Keys, each with those who have read it.
pub type Reads = Vec<(Vec<u8>, Readers)>;

impl Readers {
    /// All of them.
    pub fn as_slice(&self) -> &[ClientId] {
        match self {
            Readers::One(client) => std::slice::from_ref(client),
            Readers::Many(clients) => clients,
        }
    }

    /// Adds a client; false if it was there.
    fn add(&mut self, client: ClientId) -> bool {
        match self {
            Readers::One(one) if *one == client => false,
            Readers::One(one) => {
                *self = Readers::Many(vec![client.min(*one), client.max(*one)]);
                true
            }
            Readers::Many(clients) => match clients.binary_search(&client) {
                Ok(_) => false,
                Err(place) => {
                    clients.insert(place, client);
                    true
                }
            },
        }
    }
}

#[derive(Debug)]
struct Row {
    key: Box<[u8]>,
    readers: Readers,
}

/// What was read on one shard.
#[derive(Debug)]
pub struct ReadTable {
    index: HashTable<usize>,
    rows: Vec<Row>,
    hasher: DefaultHashBuilder,
    /// The sums over all shards are kept there.
    registry: Arc<Registry>,
}

impl ReadTable {
    /// An empty table, counted by `registry`.
    pub fn new(registry: Arc<Registry>) -> ReadTable {
        ReadTable { index: HashTable::new(), rows: Vec::new(), hasher: DefaultHashBuilder::default(), registry }
    }

    /// Whether it holds no key.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Remembers that `client` has read `key`.
    pub fn add(&mut self, key: &[u8], client: ClientId) {
        let hash = self.hasher.hash_one(key);
        let rows = &mut self.rows;
        if let Some(&place) = self.index.find(hash, |&place| &*rows[place].key == key) {
            if rows[place].readers.add(client) {
                self.registry.count(0, 1);
            }
            return;
        }
        rows.push(Row { key: key.into(), readers: Readers::One(client) });
        let hasher = &self.hasher;
        self.index.insert_unique(hash, rows.len() - 1, |&place| hasher.hash_one(&*rows[place].key));
        self.registry.count(1, 1);
    }

    /// Forgets `key`; who had read it.
    pub fn remove(&mut self, key: &[u8]) -> Option<Readers> {
        let hash = self.hasher.hash_one(key);
        let rows = &self.rows;
        let entry = self.index.find_entry(hash, |&place| &*rows[place].key == key).ok()?;
        let (place, _) = entry.remove();
        let readers = self.take_row(place).readers;
        self.registry.uncount(1, readers.as_slice().len());
        Some(readers)
    }

    /// Forgets a random key, if all shards together have more than `limit`; which, and who had read it.
    pub fn remove_excess(&mut self, limit: usize, rng: &mut impl Rng) -> Option<(Box<[u8]>, Readers)> {
        if self.rows.is_empty() || !self.registry.uncount_excess(limit) {
            return None;
        }
        let place = rng.random_range(0..self.rows.len());
        let hash = self.hasher.hash_one(&*self.rows[place].key);
        self.index.find_entry(hash, |&other| other == place).expect("every row is in the index").remove();
        let Row { key, readers } = self.take_row(place);
        self.registry.uncount(0, readers.as_slice().len());
        Some((key, readers))
    }

    /// Takes a row out that is in the index no longer, and leaves it to the caller to uncount it. The last one takes its place.
    fn take_row(&mut self, place: usize) -> Row {
        let last = self.rows.len() - 1;
        if place != last {
            let hash = self.hasher.hash_one(&*self.rows[last].key);
            *self.index.find_mut(hash, |&other| other == last).expect("every row is in the index") = place;
        }
        self.rows.swap_remove(place)
    }

    /// Forgets everything, and gives the memory back.
    pub fn clear(&mut self) {
        let items = self.rows.iter().map(|row| row.readers.as_slice().len()).sum();
        self.registry.uncount(self.rows.len(), items);
        self.rows = Vec::new();
        self.index = HashTable::new();
    }

    /// Forgets all; what it was.
    pub fn drain(&mut self) -> Reads {
        let rows: Vec<Row> = std::mem::take(&mut self.rows);
        self.index = HashTable::new();
        let items = rows.iter().map(|row| row.readers.as_slice().len()).sum();
        self.registry.uncount(rows.len(), items);
        rows.into_iter().map(|row| (row.key.into_vec(), row.readers)).collect()
    }

    /// Panics if the structure contradicts itself.
    pub fn check_invariants(&self) {
        assert_eq!(self.index.len(), self.rows.len(), "every row is in the index once");
        for (place, row) in self.rows.iter().enumerate() {
            let hash = self.hasher.hash_one(&*row.key);
            assert!(self.index.find(hash, |&other| other == place).is_some(), "a row is found by its key");
            let readers = row.readers.as_slice();
            assert!(readers.is_sorted_by(|a, b| a < b), "readers are in the order of their numbers");
            assert!(matches!(row.readers, Readers::One(_)) || readers.len() > 1, "one reader takes no vector");
        }
    }
}

impl Drop for ReadTable {
    fn drop(&mut self) {
        self.clear();
    }
}
