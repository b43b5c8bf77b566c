//! keyspace
mod access;
mod database;
mod entry;
mod expiry;
mod memory;

pub use access::{Access, LFU_COUNTER_INITIAL, LfuSettings};
pub use database::{Database, Detached, Discarded, Key, key_hash};
pub use entry::{Entry, EntryMut};
pub use expiry::{Expiry, SweepBudget, SweepOutcome, UnixMillis};
pub use memory::{Memory, TableStats};
