//! Large values, written piece by piece: an entry of a gigabyte takes neither its time at once nor its memory twice.
//!
//! ```text
//!   SELECTDB │ expiry · type · key │ number of items │ items … │ … items │ … items
//!   └──────────────── first piece ─────────────────────────────┘└ next ──┘└ last ┘      no other entry in between
//! ```
//!
//! What a value is written as is the same as in one piece, with one exception: a string above [`PLAIN_BYTES_MIN`] is not
//! compressed. LZF has the compressed length before the first byte, and no end of a part within it: whoever compresses has to
//! hold all of the result before any of it is written, which is the memory that pieces are there to save. Readers take both. Nothing of a value may change while it is written in pieces: who
//! wants to change it writes the rest of it first, or keeps what was there: see `keyspace/saving.rs`.
//!
//! Streams are written in one piece, and so are single elements, however large.

use std::ops::Range;

use super::Records;
use super::write::Block;
use crate::keyspace::Entry;
use crate::types::Value;
use crate::types::hash::HashRepr;
use crate::types::set::SetRepr;
use crate::types::zset::ZSetRef;

/// A collection that takes so many bytes beside its key's block is written in pieces: a millisecond's work, about.
const LARGE_BYTES: usize = 512 << 10;

/// A string of so many bytes, which is never compressed then.
const PLAIN_BYTES_MIN: usize = 1 << 20;

/// What is left to write of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// These of its bytes.
    String { from: usize, to: usize },
    /// The nodes from here on.
    List(usize),
    /// So many fields, from a cursor on. Each has a time, counted from the earliest, if there is one.
    Hash { left: usize, cursor: u64, earliest: Option<i64> },
    /// So many members, from a cursor on.
    Set { left: usize, cursor: u64 },
    /// So many members, those with the lowest scores.
    SortedSet(usize),
    /// Nothing.
    Nothing,
}

/// An entry that is written in pieces. Pieces are [`Block`]s, and stand in the file one behind the other.
#[derive(Debug)]
pub struct Pieces {
    records: Records,
    rest: Rest,
}

impl Pieces {
    /// Whether an entry is to be written so.
    pub fn suit(entry: &Entry<'_>) -> bool {
        let is_collection = match entry.value() {
            Value::String(string) => return string.stored_bytes().is_some_and(|bytes| bytes.len() >= PLAIN_BYTES_MIN),
            Value::List(_) => true,
            Value::Hash(hash) => matches!(hash.repr(), HashRepr::Large(_)),
            Value::Set(set) => matches!(set.repr(), SetRepr::Large(_)),
            Value::SortedSet(set) => matches!(set, ZSetRef::Large(_)),
            Value::Stream(_) => false,
        };
        is_collection && entry.outside_bytes() >= LARGE_BYTES
    }

    /// Begins with an entry that suits; `records` has written nothing yet.
    pub(crate) fn begin(mut records: Records, entry: &Entry<'_>) -> Self {
        records.put_head(entry);
        let writer = &mut records.writer;
        let rest = match entry.value() {
            Value::String(string) => {
                writer.put_length(string.len() as u64);
                Rest::String { from: 0, to: string.len() }
            }
            Value::List(list) => {
                writer.put_length(list.node_count() as u64);
                Rest::List(0)
            }
            Value::Hash(hash) => {
                let earliest = Some(hash.next_field_expire().map_or(0, |at| at.0));
                let earliest = earliest.filter(|_| hash.volatile_fields() > 0);
                if let Some(earliest) = earliest {
                    writer.put(&earliest.to_le_bytes());
                }
                writer.put_length(hash.len() as u64);
                Rest::Hash { left: hash.len(), cursor: 0, earliest }
            }
            Value::Set(set) => {
                writer.put_length(set.len() as u64);
                Rest::Set { left: set.len(), cursor: 0 }
            }
            Value::SortedSet(set) => {
                writer.put_length(set.len() as u64);
                Rest::SortedSet(set.len())
            }
            Value::Stream(_) => unreachable!("streams are written in one piece"),
        };
        Self { records, rest }
    }

    /// Whether all of the entry is written.
    pub(crate) fn is_complete(&self) -> bool {
        self.rest == Rest::Nothing
    }

    /// The number of its database.
    pub(crate) fn db(&self) -> u32 {
        self.records.db()
    }

    /// Bytes that were written and not taken.
    pub(crate) fn len_bytes(&self) -> usize {
        self.records.len_bytes()
    }

    /// Takes what was written.
    pub(crate) fn take(&mut self, spare: &mut Vec<u8>) -> Block {
        let is_last = self.is_complete();
        self.records.take_piece(is_last, spare)
    }

    /// Which bytes of a string are left to be written; `None` if it is no string.
    pub(crate) fn string_left(&self) -> Option<Range<usize>> {
        if let Rest::String { from, to } = self.rest { Some(from..to) } else { None }
    }

    /// Writes the next bytes of a string.
    pub(crate) fn put_string(&mut self, bytes: &[u8]) {
        let Rest::String { from, to } = self.rest else { unreachable!("some of the string is left") };
        self.records.writer.put(bytes);
        let from = from + bytes.len();
        debug_assert!(from <= to, "no more than was announced");
        self.rest = if from == to { Rest::Nothing } else { Rest::String { from, to } };
    }

    /// Writes more of a collection, about `bytes_max` bytes.
    pub(crate) fn write(&mut self, entry: &Entry<'_>, bytes_max: usize) {
        let writer = &mut self.records.writer;
        let end = writer.bytes().len().saturating_add(bytes_max);
        self.rest = match (self.rest, entry.value()) {
            (Rest::Nothing, _) => Rest::Nothing,
            (Rest::List(mut at), Value::List(list)) => {
                for node in list.nodes_from(at) {
                    if writer.bytes().len() >= end {
                        break;
                    }
                    writer.put_node(&node);
                    at += 1;
                }
                if at == list.node_count() { Rest::Nothing } else { Rest::List(at) }
            }
            (Rest::Hash { mut left, mut cursor, earliest }, Value::Hash(hash)) => {
                while left > 0 && writer.bytes().len() < end {
                    cursor = hash.scan(cursor, |field| {
                        writer.put_field(&field, earliest);
                        left -= 1;
                    });
                    assert!(cursor != 0 || left == 0, "a hash that does not change has each field at one place");
                }
                if left == 0 { Rest::Nothing } else { Rest::Hash { left, cursor, earliest } }
            }
            (Rest::Set { mut left, mut cursor }, Value::Set(set)) => {
                while left > 0 && writer.bytes().len() < end {
                    cursor = set.scan(cursor, |member| {
                        writer.put_item(member);
                        left -= 1;
                    });
                    assert!(cursor != 0 || left == 0, "a set that does not change has each member at one place");
                }
                if left == 0 { Rest::Nothing } else { Rest::Set { left, cursor } }
            }
            (Rest::SortedSet(mut left), Value::SortedSet(set)) => {
                for record in set.range(0..left).rev() {
                    if writer.bytes().len() >= end {
                        break;
                    }
                    writer.put_scored(&record);
                    left -= 1;
                }
                if left == 0 { Rest::Nothing } else { Rest::SortedSet(left) }
            }
            (rest, _) => unreachable!("the value was of another type: {rest:?}"),
        };
    }
}
