//! Large collections: those that have a structure of their own outside the key's block.

use super::Value;
use super::list::{LargeList, ListRef};

/// A large collection of any type.
#[derive(Debug)]
pub enum LargeValue {
    /// A list.
    List(Box<LargeList>),
}

/// A view of a large collection of any type.
#[derive(Clone, Copy, Debug)]
pub enum LargeRef<'a> {
    /// A list.
    List(&'a LargeList),
}

impl LargeValue {
    /// A view of the collection.
    pub fn as_ref(&self) -> LargeRef<'_> {
        match self {
            Self::List(list) => LargeRef::List(list),
        }
    }

    /// Frees about `items` of its items; whether nothing is left but what a drop frees at once.
    pub fn free_some(&mut self, items: usize) -> bool {
        match self {
            Self::List(list) => list.free_some(items),
        }
    }
}

impl<'a> LargeRef<'a> {
    /// Bytes of heap memory that it holds, its own structure included.
    pub fn heap_bytes(self) -> usize {
        match self {
            Self::List(list) => size_of::<LargeList>() + list.heap_bytes(),
        }
    }

    /// Number of items, as lazy freeing counts effort.
    pub fn items(self) -> usize {
        match self {
            Self::List(list) => list.len(),
        }
    }

    /// The collection as commands see it.
    pub const fn value(self) -> Value<'a> {
        match self {
            Self::List(list) => Value::List(ListRef::Large(list)),
        }
    }
}
