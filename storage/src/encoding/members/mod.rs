//! Members: the table of a large hash or set. Each member's bytes lie in it once, and none has an allocation of its own.
//!
//! ```text
//!  hash   63 …      | …      | …  …  …  …  …  … | 7…0
//!         segment    bucket                       tag
//!         (reversed) in it
//!
//!  segments                    slots of a segment: one allocation      records of a segment: chunks of 1 KiB
//! ┌───┬───┬───┬───┬─          ┌──────┬───────────────────────────┐   ┌────────────────────────┬──────┐
//! │ 0 │ 1 │ 2 │ 3 │ …   ───►  │ ends │ slot slot slot slot slot  │──►│ record record record … │ free │
//! └───┴───┴───┴───┴─          └──────┴───────────────────────────┘   └────────────────────────┴──────┘
//!
//!  ends      for each bucket, how many slots it and those before it have: 2 bytes each
//!  slot      tag (1 byte: the low bits of the hash) and offset of the record (2 bytes), grouped by bucket
//!  record    expiry, if there is one; field; value, if the table has values: see `record.rs`
//! ```
//!
//! A look-up goes to the segment, from the bucket's ends to its half a dozen slots, and to the record whose tag is right:
//! one in fifty look-ups reads a wrong record. A member of 16 bytes costs 17 bytes of record, 3 of slot, about one of ends
//! and segment, and its share of what is free in the last chunk and behind the slots. An index of pointers, or a table
//! with free slots, would cost as much as half of that again.
//!
//! # Growing and shrinking
//!
//! This is linear hashing: there are n segments, and when they are full on average the next one in turn splits, whichever
//! it is. So there is no directory that would have to double, and one insertion splits one segment at most. The number of
//! a segment is the *reversed* beginning of the hash: a split divides a stretch of the hash space, and the segments in the
//! order of their reversed numbers are in the order of the hash.
//!
//! Records are appended, and removed ones leave holes, which are closed when the chunks are full and an eighth of them is
//! holes, or when a third is. Elements of more than [`INLINE_BYTES_MAX`] lie outside, in buffers of their own.
//!
//! # Cursors, random members, expiries
//!
//! - A scan cursor is a position in the hash space. A step visits one bucket, half a dozen members. Splitting and merging
//!   move no member across a cursor.
//! - A random member is drawn by rejection: a segment, all alike, and a number below the upper bound of what segments
//!   hold; if the segment has that many members it is the one, else both are drawn again. Each member is exactly as
//!   likely as any other, and since the bound is at most about four times the average, a few draws are enough.
//! - Each segment has a lower bound of the expiries in it, and so has each group of 256 segments: who looks for expired
//!   fields reads only segments in which there may be one. Records without expiry have no byte for it.

use super::hash::key_hash;
use super::listpack::{Encoded, Item};
use segment::Segment;
use segments::Segments;

mod check;
mod chunks;
mod edit;
mod expiry;
mod outside;
mod prefetch;
mod record;
mod resize;
mod sample;
mod segment;
mod segments;
mod shape;
mod slots;
#[cfg(test)]
mod tests;
mod walk;

pub use edit::Outcome;
pub use prefetch::field_hash;
pub use sample::{select, split};
pub use walk::Iter;

/// The longest element that lies in a record; longer ones have a buffer of their own.
pub const INLINE_BYTES_MAX: usize = 256;

// A record with two such elements and an expiry fits into a chunk.
const _: () = assert!(record::EXPIRY_BYTES + 2 * (INLINE_BYTES_MAX + 2) <= chunks::CHUNK_BYTES);

/// The number of bits of a scan cursor.
pub const CURSOR_BITS: u32 = 48;

/// No record expires.
const NEVER: i64 = i64::MAX;

/// Expiries have six bytes.
pub const EXPIRE_AT_MAX: i64 = (1 << 48) - 1;

/// The members of a large set.
pub type MemberTable = Members<false>;

/// The fields and values of a large hash.
pub type FieldTable = Members<true>;

/// A hash table that owns its members; `VALUES` says whether each has a value.
#[derive(Clone, Debug)]
pub struct Members<const VALUES: bool> {
    segments: Segments<VALUES>,
    len: usize,
    /// Members with an expiry.
    volatile: usize,
    /// Bytes of all records.
    record_bytes: usize,
    /// Bytes of memory behind the segments.
    memory_bytes: usize,
    /// How many segments have 1, 2-3, 4-7, … members; the last class has no upper end.
    counts: [u32; COUNT_CLASSES],
}

const COUNT_CLASSES: usize = 11;

/// A member as it is stored.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The member of a set, the field of a hash.
    pub field: Item<'a>,
    /// The value; empty in a set.
    pub value: Item<'a>,
    /// When it expires, in milliseconds.
    pub expire_at: Option<i64>,
}

/// Where a member is. Any change of the table can make it stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    segment: usize,
    slot: usize,
}

/// A field to be searched for: encoded and hashed once.
#[derive(Clone, Copy, Debug)]
struct Key<'a> {
    encoded: Encoded<'a>,
    hash: u64,
}

impl<'a> Key<'a> {
    #[inline]
    fn new(encoded: Encoded<'a>) -> Self {
        let hash = hash_of(encoded.as_item());
        Self { encoded, hash }
    }
}

/// The hash of a field. What is the canonical text of an integer always is an integer here.
#[inline]
fn hash_of(field: Item<'_>) -> u64 {
    match field {
        Item::Bytes(bytes) => key_hash(bytes),
        Item::Int(number) => key_hash(&number.to_le_bytes()),
    }
}

impl<const VALUES: bool> Default for Members<VALUES> {
    fn default() -> Self {
        let first = Segment::default();
        let memory_bytes = first.heap_bytes();
        let segments = Segments::new(first);
        Self { segments, len: 0, volatile: 0, record_bytes: 0, memory_bytes, counts: [0; COUNT_CLASSES] }
    }
}

impl<const VALUES: bool> Members<VALUES> {
    /// The number of members.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number of members with an expiry.
    pub const fn volatile(&self) -> usize {
        self.volatile
    }

    /// Bytes of memory behind the table.
    pub fn heap_bytes(&self) -> usize {
        self.memory_bytes + self.segments.heap_bytes()
    }

    #[inline]
    fn find_key(&self, key: &Key<'_>) -> Option<Place> {
        let segment = self.segments.number_of(key.hash);
        let position = key.hash << self.segments.depth(segment);
        let slot = self.segments.at(segment).find(key, position)?;
        Some(Place { segment, slot })
    }

    /// The place of a field.
    #[inline]
    pub fn find(&self, field: &[u8]) -> Option<Place> {
        self.find_key(&Key::new(Encoded::new(field)))
    }

    /// As [`Self::find`], for an element of another collection.
    pub fn find_item(&self, field: Item<'_>) -> Option<Place> {
        self.find_key(&Key::new(Encoded::item(field)))
    }

    /// The member in a place.
    #[inline]
    pub fn record(&self, place: Place) -> Record<'_> {
        self.segments.at(place.segment).record(place.slot)
    }
}
