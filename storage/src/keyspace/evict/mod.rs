//! Eviction: which key is missed least.
//!
//! A key has a *rank*: the smaller, the sooner it goes. What the rank is follows from `maxmemory-policy` ([`Usefulness`]):
//!
//! ```text
//! LRU      when it was used last, in milliseconds
//! LFU      how often it was used, after decay; among equals, the minute of the last use      │ uses 47..16 │ minute 15..0 │
//! TTL      when it expires, in milliseconds
//! random   a random number
//! ```
//!
//! To find the smallest rank of all would take an order of all keys. As Redis does, a few keys are drawn at random each
//! time, and the best candidates ever seen are kept in a [`Pool`]; the smallest rank in it goes. Two things differ. A draw
//! is a line of the table, about ten keys, which costs little more than to draw one. And the pool holds no copies of keys:
//! a candidate is the hash of its key and a *stamp*, what its rank was computed from. When its turn comes, the entry is
//! looked up by the hash; if its stamp is another one, it was used (or changed) since, and is no candidate any more. So
//! ranks in a pool are never out of date, however long they stand in it, and the pool can be large: with 64 candidates
//! eviction comes closer to the exact order than with Redis's 16 (the tests measure by how much).

mod pool;
#[cfg(test)]
mod tests;

use rand::Rng;

use super::{Access, Database, Discarded, Entry, LfuSettings, UnixMillis, key_hash};

pub use pool::Pool;

/// What makes a key worth keeping.
#[derive(Clone, Copy, Debug)]
pub enum Usefulness {
    /// That it was used lately.
    LastUse,
    /// That it is used often.
    Uses(LfuSettings),
    /// That it does not expire soon.
    Expiry,
    /// Chance.
    Chance,
}

/// A key that may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The smaller, the sooner it goes.
    pub rank: i64,
    /// The number of its database.
    pub database: u32,
    hash: u64,
    stamp: i64,
}

/// What became of a candidate.
#[derive(Debug)]
pub enum Eviction {
    /// It is gone; a big value is handed back, to be freed elsewhere.
    Done(Option<Discarded>),
    /// It was gone already, or is no candidate any more.
    Outdated,
    /// It must be left alone for now.
    Skipped,
}

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Draw {
    /// The number of the database.
    pub database: u32,
    /// At least so many keys.
    pub count: usize,
    /// Only keys that expire.
    pub volatile_only: bool,
    /// The time that ranks are computed by.
    pub now: UnixMillis,
}

impl Usefulness {
    fn rank(self, entry: &Entry<'_>, now: UnixMillis, rng: &mut impl Rng) -> i64 {
        match self {
            Usefulness::LastUse => now.0 - entry.access().idle_millis(now) as i64,
            Usefulness::Uses(settings) => entry.access().rank_by_use(now, settings),
            Usefulness::Expiry => entry.expire_at().map_or(i64::MAX, |at| at.0),
            Usefulness::Chance => rng.random_range(0..i64::MAX),
        }
    }

    /// What the rank is computed from.
    fn stamp(self, entry: &Entry<'_>) -> i64 {
        match self {
            Usefulness::LastUse | Usefulness::Uses(_) => i64::from(entry.access().bits()),
            Usefulness::Expiry => entry.expire_at().map_or(i64::MAX, |at| at.0),
            Usefulness::Chance => 0,
        }
    }
}

impl Access {
    /// LFU bits as a rank.
    fn rank_by_use(self, now: UnixMillis, settings: LfuSettings) -> i64 {
        let minutes_ago = i64::from(self.idle_minutes(now));
        (i64::from(self.frequency(now, settings)) << 16) + (i64::from(u16::MAX) - minutes_ago)
    }
}

impl Database {
    /// How many keys may be evicted.
    pub const fn evictable(&self, volatile_only: bool) -> usize {
        if volatile_only { self.expires() } else { self.len() }
    }

    /// Draws as many keys as `draw` says, or as there are, and puts the best candidates among them into `pool`.
    pub fn draw_candidates(&self, draw: Draw, pool: &mut Pool, rng: &mut impl Rng) {
        let Draw { database, count, volatile_only, now } = draw;
        let usefulness = pool.usefulness();
        let mut seen = 0;
        while seen < count.min(self.evictable(volatile_only)) {
            seen += self.table.draw_line(rng, volatile_only, |block, rng| {
                let entry = Entry::new(block);
                let rank = usefulness.rank(&entry, now, rng);
                if pool.wants(rank) {
                    let (hash, stamp) = (key_hash(entry.key()), usefulness.stamp(&entry));
                    pool.offer(Candidate { rank, database, hash, stamp });
                }
            });
        }
    }

    /// Evicts a candidate, unless it is none any more, or `skip` says of its hash that it must be left alone. `key` is
    /// the key afterwards, of one that is gone.
    pub fn evict(
        &mut self,
        candidate: &Candidate,
        usefulness: Usefulness,
        skip: impl FnOnce(u64) -> bool,
        key: &mut Vec<u8>,
    ) -> Eviction {
        let place = self.table.find_where(candidate.hash, |block| {
            let entry = Entry::new(block);
            usefulness.stamp(&entry) == candidate.stamp && key_hash(entry.key()) == candidate.hash
        });
        let Some(place) = place else { return Eviction::Outdated };
        if skip(candidate.hash) {
            return Eviction::Skipped;
        }
        key.clear();
        key.extend_from_slice(self.table.block(place).key());
        self.save_first(place);
        Eviction::Done(Discarded::from_outside(self.table.delete(candidate.hash, place)))
    }
}
