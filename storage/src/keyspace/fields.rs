//! Fields that expire: which hashes to look at, and when.
//!
//! A hash with such fields is *watched*: a heap holds the time at which its first field may expire, with the hash of its
//! key. What is due is at the top, so a database without such hashes spends nothing on them, and one with a million of
//! them that expire next week spends one compare.
//!
//! ```text
//!  watch   time (8 bytes) │ hash of the key (8 bytes)          earliest on top
//! ```
//!
//! Every hash with fields that expire has a watch that is not later than the first of them. The other way round nothing is
//! sure: the key may be gone or be renamed, the field be removed or persist. So a watch only says where to look, and what
//! lies there says what is to be done: nothing, or a later watch, or some fields are removed. Where two keys have one hash,
//! one watch stands for both.
//!
//! Commands that change their mind leave watches behind. When there are twice as many as were needed the last time, those
//! that say nothing go.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::{Database, EntryMut, UnixMillis};
use crate::encoding::block::BlockRef;
use crate::encoding::hash::key_hash;
use crate::encoding::table::{Place, Table};
use crate::number::INTEGER_TEXT_BYTES_MAX;
use crate::types::hash::Field;
use crate::types::{OwnedValue, Value};

#[cfg(test)]
mod tests;

/// So many watches are never too many.
const WATCHES_FREE: usize = 64;

/// Where to look, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Watch {
    at: UnixMillis,
    hash: u64,
}

/// The watches of a database.
#[derive(Debug, Default)]
pub(super) struct Watches {
    heap: BinaryHeap<Reverse<Watch>>,
    /// How many were needed when it was last looked at.
    needed: usize,
}

/// What [`Database::sweep_fields`] did to one hash.
#[derive(Clone, Copy, Debug)]
pub struct SweptFields<'a> {
    /// The hash's key.
    pub key: &'a [u8],
    /// The fields removed.
    pub names: &'a [Vec<u8>],
    /// Whether no field is left, and the key is removed with them.
    pub gone: bool,
}

impl Database {
    /// Watches a hash, the first field of which expires at that time. To be called when a field of a stored hash is given
    /// an expiry before that of all others; a hash that is set or put in is watched by itself.
    pub fn watch_fields(&mut self, hash: u64, at: UnixMillis) {
        self.watches.heap.push(Reverse(Watch { at, hash }));
        if self.watches.heap.len() > WATCHES_FREE.max(2 * self.watches.needed) {
            self.forget_watches();
        }
    }

    /// As [`Self::watch_fields`], for a value that is stored now, if it is such a hash.
    pub(super) fn watch_value(&mut self, hash: u64, value: &OwnedValue) {
        if let OwnedValue::Hash(stored) = value
            && let Some(at) = stored.as_ref().next_field_expire()
        {
            self.watch_fields(hash, at);
        }
    }

    /// Whether there may be fields that expire.
    pub fn watches_fields(&self) -> bool {
        !self.watches.heap.is_empty()
    }

    /// Removes fields that are expired, and hashes that have none left. `skip` is asked with the hash of each key at which
    /// something is due, and answers whether it must be left alone for now. Removes about `budget` fields, and looks at no
    /// more than as many keys; whether nothing due is left but what was skipped.
    pub fn sweep_fields(
        &mut self,
        now: UnixMillis,
        budget: usize,
        skip: &mut dyn FnMut(u64) -> bool,
        swept: &mut dyn FnMut(SweptFields<'_>),
    ) -> bool {
        let (mut left, mut skipped) = (budget, Vec::new());
        let in_pieces = self.hash_in_pieces();
        while let Some(&Reverse(watch)) = self.watches.heap.peek()
            && watch.at.is_past(now)
            && left > 0
        {
            self.watches.heap.pop();
            if in_pieces == Some(watch.hash) || skip(watch.hash) {
                skipped.push(Reverse(watch));
                left -= 1;
                continue;
            }
            let removed = self.sweep_hash(watch.hash, now, left, swept);
            left = left.saturating_sub(removed.max(1));
            if let Some(at) = earliest(&self.table, watch.hash) {
                self.watches.heap.push(Reverse(Watch { at, ..watch }));
            }
        }
        self.watches.heap.extend(skipped);
        left > 0
    }

    /// Removes expired fields of one hash; returns how many.
    fn sweep_hash(
        &mut self,
        hash: u64,
        now: UnixMillis,
        budget: usize,
        swept: &mut dyn FnMut(SweptFields<'_>),
    ) -> usize {
        let Some(place) = self.table.find_where(hash, |block| is_due(block, hash, now)) else { return 0 };
        // A running snapshot needs to see nothing before: whoever loads it drops these fields, too.
        let mut entry = EntryMut::new(&mut self.table, place, None);
        let mut names = Vec::new();
        entry.edit(|value| {
            let OwnedValue::Hash(fields) = value else { unreachable!("only hashes are due") };
            let name = |field: Field<'_>| field.name.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX]).to_vec();
            fields.expire_fields(now, budget, |field| names.push(name(field)));
        });
        let gone = entry.value().is_empty_collection();
        if !names.is_empty() {
            swept(SweptFields { key: entry.entry().key(), names: &names, gone });
        }
        if gone {
            drop(self.table.delete(hash, place));
        }
        names.len()
    }

    /// Lets go of the watches that say nothing.
    fn forget_watches(&mut self) {
        let mut watches: Vec<Watch> = std::mem::take(&mut self.watches.heap).into_iter().map(|watch| watch.0).collect();
        watches.sort_unstable_by_key(|watch| (watch.hash, watch.at));
        watches.dedup_by_key(|watch| watch.hash);
        watches.retain(|watch| earliest(&self.table, watch.hash).is_some());
        self.watches.needed = watches.len();
        self.watches.heap = watches.into_iter().map(Reverse).collect();
    }

    /// Panics if a hash with fields that expire is not watched in time. For tests: it visits everything.
    pub(super) fn check_watches(&self) {
        let mut first: HashMap<u64, UnixMillis> = HashMap::new();
        for Reverse(watch) in &self.watches.heap {
            first.entry(watch.hash).and_modify(|at| *at = watch.at.min(*at)).or_insert(watch.at);
        }
        self.for_each(|entry| {
            if let Value::Hash(fields) = entry.value()
                && let Some(at) = fields.next_field_expire()
            {
                let watched = first.get(&key_hash(entry.key())).is_some_and(|first| *first <= at);
                assert!(watched, "nobody will look at {:?}", entry.key());
            }
        });
    }
}

/// When the first field expires, if it is a hash of which some do.
fn next_field_expire(block: BlockRef<'_>) -> Option<UnixMillis> {
    let Value::Hash(fields) = block.value() else { return None };
    fields.next_field_expire()
}

fn is_due(block: BlockRef<'_>, hash: u64, now: UnixMillis) -> bool {
    next_field_expire(block).is_some_and(|at| at.is_past(now)) && key_hash(block.key()) == hash
}

/// When the first field expires of all hashes whose keys have this hash.
fn earliest(table: &Table, hash: u64) -> Option<UnixMillis> {
    let mut earliest: Option<UnixMillis> = None;
    let none: Option<Place> = table.find_where(hash, |block| {
        if let Some(at) = next_field_expire(block)
            && key_hash(block.key()) == hash
        {
            earliest = Some(earliest.map_or(at, |before| before.min(at)));
        }
        false
    });
    debug_assert!(none.is_none(), "all were visited");
    earliest
}
