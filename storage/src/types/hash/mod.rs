//! Hashes: fields with values, and times at which single fields expire.
//!
//! # Encodings
//!
//! ```text
//! listpack     field value field value …               as Redis writes it, in the order of insertion
//! listpackex   field value time field value time …     since a field of it has had an expiry (Redis 7.4): first the
//!                                                      fields that expire, earliest first, then the others, time 0
//! hashtable    a table of members: see `encoding/members`
//! ```
//!
//! A hash begins as a listpack. It becomes a `listpackex` when the first field is given an expiry, and stays one. It
//! becomes a `hashtable` when it has more fields than `hash-max-listpack-entries`, or when an element is longer than
//! `hash-max-listpack-value`, and stays one too. The limits are told with each call: they count from the next write on.
//!
//! In the packed forms everything is linear in the number of fields, of which there are few. In a table every operation
//! on one field is O(1), and an expiry costs seven bytes for the field that has one and nothing for the others.
//!
//! # Expired fields
//!
//! A field whose time has come is gone for every reader, but its bytes stay until [`Hash::expire_fields`] removes them.
//! This module has no clock, so readers say what time it is with [`HashRef::live_at`], and see what is alive then. What
//! they do not say it to sees everything. [`HashRef::next_field_expire`] tells when it is worth while to look.
//! As in Redis, the length counts fields that are expired and not removed yet.
//!
//! - [`HashRef`] is the view to read, [`Hash`] the hash to be changed, [`LargeHash`] the table behind a large one.

mod iter;
mod large;
mod owned;
mod packed;
#[cfg(test)]
mod tests;
mod ttl;
mod view;

pub use crate::encoding::listpack::{IntBuf, Item, Malformed};
pub use iter::HashIter;
pub use large::LargeHash;
pub use owned::{FieldExpiry, FieldSweep, Hash};
pub use view::{Field, HashRef, HashRepr};

use crate::encoding::members::EXPIRE_AT_MAX;
use crate::keyspace::UnixMillis;

/// The latest time at which a field can expire.
pub const FIELD_EXPIRE_MAX: UnixMillis = UnixMillis(EXPIRE_AT_MAX);

/// The names of OBJECT ENCODING for a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashEncoding {
    /// A listpack of fields and values.
    Listpack,
    /// A listpack of fields, values and times.
    ListpackEx,
    /// A table.
    Hashtable,
}

impl HashEncoding {
    /// The name that OBJECT ENCODING replies with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listpack => "listpack",
            Self::ListpackEx => "listpackex",
            Self::Hashtable => "hashtable",
        }
    }
}

/// Up to where a hash is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashLimits {
    /// `hash-max-listpack-entries`: the most fields.
    pub listpack_entries_max: usize,
    /// `hash-max-listpack-value`: the longest field or value in bytes.
    pub listpack_value_bytes_max: usize,
}

impl Default for HashLimits {
    fn default() -> Self {
        Self { listpack_entries_max: 128, listpack_value_bytes_max: 64 }
    }
}
