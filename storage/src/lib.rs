//! The data of one shard: encodings, value types, the keyspace, and the file formats of its values.
//!
//! This crate knows bytes and time stamps that are handed to it. It knows no protocol, no connection, no clock and no
//! thread: every function here is synchronous, does no I/O but through the trait of [`io`], and gets the time and the
//! randomness it needs as arguments, so a simulation can drive many shards deterministically.
//!
//! - [`keyspace`]: a numbered database of one shard: keys, values, expiry, scanning, memory accounting.
//! - [`types`]: what a value is; today strings, one folder a type.
//! - `encoding`: packed bytes and tables. All unsafe code of the crate is in there.
//! - [`snapshot`]: the RDB encoding of values, DUMP and RESTORE payloads.
//! - [`log`] and [`io`]: append-only files, and the disk that they are on.
//! - [`number`], [`glob`] and [`words`]: Redis's rules of reading and writing numbers and words, and of matching patterns.
//!
//! Everything that holds data is `Send` (it moves to its core's thread once) and is used by that thread alone.

#![deny(unsafe_code)]

mod encoding;
pub mod glob;
pub mod io;
pub mod keyspace;
pub mod log;
pub mod number;
pub mod snapshot;
pub mod types;
pub mod words;

pub use keyspace::{
    Access, Database, Detached, Discarded, ElementAhead, Entry, EntryMut, Expiry, Key, Memory, SweepBudget,
    SweepOutcome, TableStats, UnixMillis, key_hash, set_hash_seed,
};
pub use types::string::{OwnedString, StringEncoding, StringRef, StringValue};
pub use types::{HashShape, Limits, OwnedValue, Value, ValueType};
