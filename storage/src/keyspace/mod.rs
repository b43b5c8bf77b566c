//! The keyspace: the numbered databases of one shard, each a [`Database`].
//!
//! A database maps keys to values and knows, beside the value, when a key expires, how recently or how often it was used,
//! and whether a running snapshot has saved it. It judges nothing: whether an expired key is gone, whether a read counts
//! as a use, which key has to go when memory is short are decisions of the callers, who know clock and configuration.
//!
//! - [`Database`] (`database.rs`): setting, removing, moving keys.
//! - [`Entry`], [`EntryMut`] (`entry.rs`): a key and what belongs to it, read and changed in place.
//! - `expiry.rs`: time stamps and the sweep that finds expired keys without looking at the others.
//! - `fields.rs`: which hashes have fields that expire, and the sweep that removes those.
//! - `saving.rs`: what a running snapshot has yet to save, and saving it.
//! - `scan.rs`: cursors, random keys, visiting all.
//! - `access.rs`: the arithmetic of LRU and LFU bits.
//! - `evict/`: which key is missed least.
//! - `memory.rs`: what the memory is spent on; returning what deletes have left sparse.
//! - `discard.rs`: freeing big things elsewhere, or a little at a time.
//!
//! Moving a database to another thread is fine, sharing it is not needed: a shard's data is touched by its own core.

mod access;
mod database;
mod discard;
mod entry;
mod evict;
mod expiry;
mod fields;
mod key;
mod memory;
mod prefetch;
mod saving;
mod scan;
#[cfg(test)]
mod tests;

pub use crate::encoding::hash::{key_hash, set_hash_seed};
pub use access::{Access, LFU_COUNTER_INITIAL, LfuSettings};
pub use database::{Database, Detached};
pub use discard::{DISCARD_BYTES_MIN, Discarded};
pub use entry::{Entry, EntryMut};
pub use evict::{Candidate, Draw, Eviction, Pool, Usefulness};
pub use expiry::{Expiry, SweepBudget, SweepOutcome, UnixMillis};
pub use fields::SweptFields;
pub use key::Key;
pub use memory::{Memory, TableStats};
pub use prefetch::ElementAhead;
pub use saving::Change;
