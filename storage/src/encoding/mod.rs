//! Packed bytes: how keys and values lie in memory.
//!
//! ```text
//!            hash(key)
//!                │ top bits                      table: a directory of segments, each an array of 64-byte lines
//!   directory ───┴─► segment ─► line             a line: 12 tags, 12 handles, bit masks
//!                                │ handle (32 bits: page, slot)
//!                                ▼
//!   slab: pages ──────────────► block            block: header, expiry, key, value, packed
//!                                │ only for long keys and long values
//!                                ▼
//!                              buffer            from the global allocator, growing in place
//! ```
//!
//! - [`slab`] hands out blocks in fine size classes and names them by 32-bit handles.
//! - [`block`] is the byte layout of one key with its value.
//! - [`table`] finds the block of a key, and grows and shrinks a little at a time.
//! - [`intset`] is a small set of integers, in Redis's format too.
//! - [`listpack`] is the sequence of elements that small collections are packed into, in Redis's format.
//! - [`members`] is the table of a large hash or set.
//! - [`ranked`] is the tree and the index of a large sorted set.
//!
//! All unsafe code of this crate is below this module. The boundary is [`table::Table`]: handles and raw buffers do not
//! leave it, and everything it offers is safe.

#![allow(unsafe_code, reason = "packed layouts and the slab allocator; everything above this module denies it")]

pub(crate) mod block;
pub(crate) mod buffer;
pub(crate) mod hash;
pub(crate) mod intset;
pub(crate) mod large;
pub(crate) mod listpack;
pub(crate) mod members;
pub(crate) mod ones;
pub(crate) mod prefetch;
pub(crate) mod ranked;
pub(crate) mod slab;
pub(crate) mod table;
