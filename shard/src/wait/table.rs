//! The waiters of one shard, by the keys they wait for.

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::HashMap;
use net::OwnedArgs;

use super::Claim;
use crate::ids::{DbId, ShardId};
use crate::mesh::Head;

/// A waiter's number on its shard: the order in which they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WaiterId(u64);

/// A client that waits for keys of this shard.
#[derive(Clone, Debug)]
pub struct Waiter {
    /// The core of its client.
    pub home: ShardId,
    /// The command: client, place of the reply, database.
    pub head: Head,
    /// Its arguments.
    pub args: Arc<OwnedArgs>,
    /// Who ends the wait.
    pub claim: Claim,
    /// The keys of this shard that it waits for.
    pub keys: Vec<Vec<u8>>,
    /// All keys of the command are on this shard, so it can be run here. Else the client's core has to try again.
    pub is_whole: bool,
    /// The client's core is trying again: until it is through, nobody behind is served.
    pub is_tried: bool,
    /// Something happened at one of its keys meanwhile.
    pub signalled_again: bool,
}

/// A key of a database.
type DbKey = (DbId, Vec<u8>);

/// The waiters of one shard.
#[derive(Debug, Default)]
pub struct WaitTable {
    waiters: HashMap<WaiterId, Waiter>,
    queues: HashMap<DbKey, VecDeque<WaiterId>>,
    next: u64,
    signalled: VecDeque<DbKey>,
}

impl WaitTable {
    /// Whether nobody waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Number of keys that somebody waits for.
    pub fn keys(&self) -> usize {
        self.queues.len()
    }

    /// Something happened at a key: whoever waits for it is to look.
    pub fn signal(&mut self, db: DbId, key: &[u8]) {
        let key = (db, key.to_vec());
        if self.queues.contains_key(&key) && !self.signalled.contains(&key) {
            self.signalled.push_back(key);
        }
    }

    /// Something happened to all keys of a database (FLUSHDB, SWAPDB).
    pub fn signal_all(&mut self, db: DbId) {
        let keys: Vec<Vec<u8>> = self.queues.keys().filter(|(of, _)| *of == db).map(|(_, key)| key.clone()).collect();
        for key in keys {
            self.signal(db, &key);
        }
    }

    /// Whether there is a key that was signalled.
    #[inline]
    pub fn has_signals(&self) -> bool {
        !self.signalled.is_empty()
    }

    /// The next key that was signalled.
    pub fn take_signalled(&mut self) -> Option<(DbId, Vec<u8>)> {
        self.signalled.pop_front()
    }

    /// Puts a waiter at the end of the queues of its keys.
    pub fn add(&mut self, waiter: Waiter) -> WaiterId {
        let id = WaiterId(self.next);
        self.next += 1;
        let db = waiter.head.db;
        for key in &waiter.keys {
            let queue = self.queues.entry((db, key.clone())).or_default();
            // A key that is named twice is waited for once.
            if queue.back() != Some(&id) {
                queue.push_back(id);
            }
        }
        self.waiters.insert(id, waiter);
        id
    }

    /// Takes a waiter out of all its queues.
    pub fn remove(&mut self, id: WaiterId) -> Option<Waiter> {
        let waiter = self.waiters.remove(&id)?;
        for key in &waiter.keys {
            let key = (waiter.head.db, key.clone());
            if let Some(queue) = self.queues.get_mut(&key) {
                queue.retain(|other| *other != id);
                if queue.is_empty() {
                    self.queues.remove(&key);
                }
            }
        }
        Some(waiter)
    }

    /// The waiter of a client's command.
    pub fn of(&self, home: ShardId, conn: net::ConnId, seq: u32) -> Option<WaiterId> {
        let is_it = |waiter: &Waiter| waiter.home == home && waiter.head.conn == conn && waiter.head.seq == seq;
        self.waiters.iter().find(|(_, waiter)| is_it(waiter)).map(|(id, _)| *id)
    }

    /// A waiter.
    pub fn get(&self, id: WaiterId) -> Option<&Waiter> {
        self.waiters.get(&id)
    }

    /// A waiter, to be changed.
    pub fn get_mut(&mut self, id: WaiterId) -> Option<&mut Waiter> {
        self.waiters.get_mut(&id)
    }

    /// The first waiter for a key behind `after`.
    pub fn next_for(&self, db: DbId, key: &[u8], after: Option<WaiterId>) -> Option<WaiterId> {
        // Numbers grow along a queue, so a place in it is found by number though those before may have left.
        let queue = self.queues.get(&(db, key.to_vec()))?;
        let place = after.map_or(0, |after| queue.partition_point(|id| *id <= after));
        queue.get(place).copied()
    }

    /// Panics if the structure contradicts itself.
    pub fn check_invariants(&self) {
        for (key, queue) in &self.queues {
            assert!(!queue.is_empty() && queue.iter().is_sorted(), "a queue is in the order of coming");
            for id in queue {
                let waiter = self.waiters.get(id).expect("who is in a queue is there");
                assert!(
                    waiter.head.db == key.0 && waiter.keys.contains(&key.1),
                    "a waiter is in the queues of its keys"
                );
            }
        }
        for (id, waiter) in &self.waiters {
            for key in &waiter.keys {
                assert!(self.queues[&(waiter.head.db, key.clone())].contains(id), "a waiter is in all its queues");
            }
        }
    }
}
