//! Discarded memory: big things that a command replaced or removed, to be freed where and when it suits.
//!
//! Freeing a string of many megabytes or a table of millions of keys takes milliseconds. So these are handed back as a
//! [`Discarded`], which can be sent to another thread, or freed in steps. Small things are freed at once.

use crate::encoding::block::Outside;
use crate::encoding::table::Table;
use crate::types::large::LargeValue;
use crate::types::list::LargeList;
use crate::types::stream::Group;
use crate::types::string::OwnedString;
use crate::types::{Form, OwnedValue};

/// A value that holds less than this is freed at once, unless it has many items.
pub const DISCARD_BYTES_MIN: usize = 64 * 1024;

/// A collection of more items is not freed at once, however small they are: to free an item takes its time.
pub const DISCARD_ITEMS_MIN: usize = 64;

/// Memory to be freed. Dropping it frees it at once.
#[derive(Debug)]
pub struct Discarded(Contents);

#[derive(Debug)]
enum Contents {
    Nothing,
    Buffer(Vec<u8>),
    Collection(LargeValue),
    Group(Box<Group>),
    Table(Box<Table>),
}

impl Discarded {
    /// What a value had outside its block, if that is big; otherwise it is freed at once.
    pub(super) fn from_outside(outside: Option<Outside>) -> Option<Self> {
        let outside = outside?;
        let many_items = matches!(&outside, Outside::Large(large) if large.as_ref().items() > DISCARD_ITEMS_MIN);
        if !many_items && outside.len_bytes() < DISCARD_BYTES_MIN {
            return None;
        }
        Some(Self(match outside {
            Outside::Buffer(buffer) => Contents::Buffer(buffer),
            Outside::Large(collection) => Contents::Collection(collection),
        }))
    }

    pub(super) fn from_table(table: Table) -> Self {
        if table.len() == 0 {
            return Self(Contents::Nothing);
        }
        Self(Contents::Table(Box::new(table)))
    }

    /// What was cut off a list, if that is big; otherwise it is freed at once.
    pub fn from_list(list: Box<LargeList>) -> Option<Self> {
        (list.heap_bytes() >= DISCARD_BYTES_MIN).then(|| Self(Contents::Collection(LargeValue::List(list))))
    }

    /// What a value that was taken out has outside its block, if that is big; otherwise it is freed at once.
    pub fn from_value(value: OwnedValue) -> Option<Self> {
        match value.into_form() {
            Form::Large(collection) => Self::from_outside(Some(Outside::Large(collection))),
            Form::Packed(_, bytes) | Form::String(OwnedString::Bytes { bytes, .. }) => {
                Self::from_outside(Some(Outside::Buffer(bytes)))
            }
            Form::String(OwnedString::Int(_)) => None,
        }
    }

    /// A group that was taken out of a stream, if it is big; otherwise it is freed at once.
    pub fn from_group(group: Group) -> Option<Self> {
        let is_big = group.pending_len() > DISCARD_ITEMS_MIN || group.bytes() >= DISCARD_BYTES_MIN;
        is_big.then(|| Self(Contents::Group(Box::new(group))))
    }

    /// Bytes it holds.
    pub fn len_bytes(&self) -> usize {
        match &self.0 {
            Contents::Nothing => 0,
            Contents::Buffer(buffer) => buffer.capacity(),
            Contents::Collection(collection) => collection.as_ref().heap_bytes(),
            Contents::Group(group) => group.bytes(),
            Contents::Table(table) => table.table_bytes() + table.page_bytes() + table.outside_bytes(),
        }
    }

    /// Items (values) it holds, for `lazyfree_pending_objects`.
    pub fn items(&self) -> usize {
        match &self.0 {
            Contents::Nothing => 0,
            Contents::Buffer(_) | Contents::Collection(_) | Contents::Group(_) => 1,
            Contents::Table(table) => table.len(),
        }
    }

    /// Frees about `max_items` of its items, rounded up to a segment (some 1,300); true once nothing is left.
    pub fn free_step(&mut self, max_items: usize) -> bool {
        let done = match &mut self.0 {
            Contents::Nothing | Contents::Buffer(_) => true,
            Contents::Collection(collection) => collection.free_some(max_items),
            Contents::Group(group) => group.free_some(max_items) < max_items,
            Contents::Table(table) => table.discard_step(max_items),
        };
        if done {
            self.0 = Contents::Nothing;
        }
        done
    }
}
