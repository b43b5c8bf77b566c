//! The waiters of one shard, by the keys they wait for.
//!
//! ```text
//! queues     (db, key)           ->  [waiter 3, waiter 7, waiter 8]     numbers grow: the order of coming
//! waiters    7                   ->  its command, its claim, its keys
//! places     (core, conn, reply) ->  7                                  by which its client's core names it
//! signalled  keys at which something happened since the waiters were last served, each once
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use hashbrown::{Equivalent, HashMap};
use net::{ConnId, OwnedArgs};

#[cfg(test)]
mod tests;

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
    /// The command can be run here: all its keys are on this shard, or each of them alone will do. Else the client's core
    /// has to try again.
    pub is_whole: bool,
    /// The client's core is trying again: until it is through, nobody behind is served.
    pub is_tried: bool,
    /// Something happened at one of its keys meanwhile.
    pub signalled_again: bool,
    /// It is to be run though its key is gone.
    pub notices_removal: bool,
}

/// A key of a database.
type DbKey = (DbId, Vec<u8>);

/// The same, borrowed; its hash is that of a [`DbKey`].
#[derive(Hash)]
struct DbKeyRef<'a>(DbId, &'a [u8]);

impl Equivalent<DbKey> for DbKeyRef<'_> {
    fn equivalent(&self, key: &DbKey) -> bool {
        (self.0, self.1) == (key.0, key.1.as_slice())
    }
}

/// Who waits for a key.
#[derive(Debug, Default)]
struct Queue {
    /// First come, first served.
    waiters: VecDeque<WaiterId>,
    /// The key is among those signalled.
    is_signalled: bool,
}

/// The waiters of one shard.
#[derive(Debug, Default)]
pub struct WaitTable {
    waiters: HashMap<WaiterId, Waiter>,
    queues: HashMap<DbKey, Queue>,
    places: HashMap<(ShardId, ConnId, u32), WaiterId>,
    next: u64,
    signalled: VecDeque<DbKey>,
    /// Waiters that notice the removal of their keys.
    noticing: usize,
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
        let Some(queue) = self.queues.get_mut(&DbKeyRef(db, key)) else { return };
        if !std::mem::replace(&mut queue.is_signalled, true) {
            self.signalled.push_back((db, key.to_vec()));
        }
    }

    /// Something happened to all keys of a database (FLUSHDB, SWAPDB).
    pub fn signal_all(&mut self, db: DbId) {
        let queues = self.queues.iter_mut().filter(|((of, _), _)| *of == db);
        for (key, queue) in queues {
            if !std::mem::replace(&mut queue.is_signalled, true) {
                self.signalled.push_back(key.clone());
            }
        }
    }

    /// Whether there is a key that was signalled.
    #[inline]
    pub fn has_signals(&self) -> bool {
        !self.signalled.is_empty()
    }

    /// The next key that was signalled.
    pub fn take_signalled(&mut self) -> Option<(DbId, Vec<u8>)> {
        let (db, key) = self.signalled.pop_front()?;
        if let Some(queue) = self.queues.get_mut(&DbKeyRef(db, &key)) {
            queue.is_signalled = false;
        }
        Some((db, key))
    }

    /// Whether anybody is to be run though its key is gone.
    pub const fn anybody_notices_removal(&self) -> bool {
        self.noticing > 0
    }

    /// Puts a waiter at the end of the queues of its keys.
    pub fn add(&mut self, waiter: Waiter) -> WaiterId {
        let id = WaiterId(self.next);
        self.next += 1;
        for key in &waiter.keys {
            let queue = &mut self.queues.entry((waiter.head.db, key.clone())).or_default().waiters;
            // A key that is named twice is waited for once.
            if queue.back() != Some(&id) {
                queue.push_back(id);
            }
        }
        let other = self.places.insert(waiter.place(), id);
        assert!(other.is_none(), "a command waits once on a shard");
        self.noticing += usize::from(waiter.notices_removal);
        self.waiters.insert(id, waiter);
        id
    }

    /// Takes a waiter out of all its queues.
    pub fn remove(&mut self, id: WaiterId) -> Option<Waiter> {
        let waiter = self.waiters.remove(&id)?;
        self.places.remove(&waiter.place());
        self.noticing -= usize::from(waiter.notices_removal);
        for key in &waiter.keys {
            let key = DbKeyRef(waiter.head.db, key);
            // It is gone already if the key is named twice.
            let Some(queue) = self.queues.get_mut(&key) else { continue };
            if let Ok(at) = queue.waiters.binary_search(&id) {
                queue.waiters.remove(at);
            }
            if queue.waiters.is_empty() {
                self.queues.remove(&key);
            }
        }
        Some(waiter)
    }

    /// The waiter of a client's command.
    pub fn of(&self, home: ShardId, conn: ConnId, seq: u32) -> Option<WaiterId> {
        self.places.get(&(home, conn, seq)).copied()
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
        let queue = &self.queues.get(&DbKeyRef(db, key))?.waiters;
        // Numbers grow along a queue, so a place in it is found by number though those before may have left.
        let place = after.map_or(0, |after| queue.partition_point(|id| *id <= after));
        queue.get(place).copied()
    }

    /// Panics if the structure contradicts itself.
    pub fn check_invariants(&self) {
        for (key, queue) in &self.queues {
            let Queue { waiters, is_signalled } = queue;
            assert!(
                !waiters.is_empty() && waiters.iter().is_sorted_by(|a, b| a < b),
                "a queue is in the order of coming"
            );
            assert!(!is_signalled || self.signalled.contains(key), "a signalled key will be looked at");
            for id in waiters {
                let waiter = self.waiters.get(id).expect("who is in a queue is there");
                assert!(
                    waiter.head.db == key.0 && waiter.keys.contains(&key.1),
                    "a waiter is in the queues of its keys"
                );
            }
        }
        assert_eq!(self.places.len(), self.waiters.len(), "a waiter is found by its place");
        let noticing = self.waiters.values().filter(|waiter| waiter.notices_removal).count();
        assert_eq!(self.noticing, noticing, "those are counted that notice the removal of a key");
        for (id, waiter) in &self.waiters {
            assert_eq!(self.places.get(&waiter.place()), Some(id), "a waiter is found by its place");
            for key in &waiter.keys {
                let queue = &self.queues[&DbKeyRef(waiter.head.db, key)];
                assert!(queue.waiters.contains(id), "a waiter is in all its queues");
            }
        }
    }
}

impl Waiter {
    /// By what its client's core names it.
    const fn place(&self) -> (ShardId, ConnId, u32) {
        (self.home, self.head.conn, self.head.seq)
    }
}
