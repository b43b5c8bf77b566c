//! Large collections: those that have a structure of their own outside the key's block.

use super::Value;
use super::hash::{HashRef, HashRepr, LargeHash};
use super::list::{LargeList, ListRef};
use super::set::{LargeSet, SetRef, SetRepr};
use super::stream::Stream;
use super::zset::{LargeZSet, ZSetRef};
use crate::encoding::prefetch::Round;

/// A large collection of any type.
#[derive(Debug)]
pub enum LargeValue {
    /// A list.
    List(Box<LargeList>),
    /// A hash.
    Hash(Box<LargeHash>),
    /// A set.
    Set(Box<LargeSet>),
    /// A sorted set.
    SortedSet(Box<LargeZSet>),
    /// A stream, which has no packed form.
    Stream(Box<Stream>),
}

/// A view of a large collection of any type.
#[derive(Clone, Copy, Debug)]
pub enum LargeRef<'a> {
    /// A list.
    List(&'a LargeList),
    /// A hash.
    Hash(&'a LargeHash),
    /// A set.
    Set(&'a LargeSet),
    /// A sorted set.
    SortedSet(&'a LargeZSet),
    /// A stream.
    Stream(&'a Stream),
}

impl LargeValue {
    /// A view of the collection.
    pub fn as_ref(&self) -> LargeRef<'_> {
        match self {
            Self::List(list) => LargeRef::List(list),
            Self::Hash(hash) => LargeRef::Hash(hash),
            Self::Set(set) => LargeRef::Set(set),
            Self::SortedSet(set) => LargeRef::SortedSet(set),
            Self::Stream(stream) => LargeRef::Stream(stream),
        }
    }

    /// Frees about `items` of its items; whether nothing is left but what a drop frees at once.
    pub fn free_some(&mut self, items: usize) -> bool {
        match self {
            Self::List(list) => list.free_some(items),
            Self::Hash(hash) => hash.free_some(items) == 0,
            Self::Set(set) => set.free_some(items) == 0,
            Self::SortedSet(set) => set.free_some(items) == 0,
            Self::Stream(stream) => stream.free_some(items) < items,
        }
    }
}

impl<'a> LargeRef<'a> {
    /// Bytes of heap memory that it holds, its own structure included.
    pub fn heap_bytes(self) -> usize {
        match self {
            Self::List(list) => list.heap_bytes(),
            Self::Hash(hash) => hash.heap_bytes(),
            Self::Set(set) => set.heap_bytes(),
            Self::SortedSet(set) => size_of::<LargeZSet>() + set.heap_bytes(),
            Self::Stream(stream) => size_of::<Stream>() + stream.heap_bytes(),
        }
    }

    /// Asks for the memory of a look-up of an element that is about to happen, by its hash in such a collection; false if
    /// elements are not looked up by a hash in it.
    #[inline]
    pub fn prefetch(self, hash: u64, round: Round) -> bool {
        match self {
            Self::Hash(table) => table.fields.prefetch(hash, round),
            Self::Set(table) => table.members.prefetch(hash, round),
            Self::SortedSet(ranked) => ranked.prefetch(hash, round),
            Self::List(_) | Self::Stream(_) => return false,
        }
        true
    }

    /// Number of items, as lazy freeing counts effort.
    pub fn items(self) -> usize {
        match self {
            Self::List(list) => list.node_count(),
            Self::Hash(hash) => hash.len(),
            Self::Set(set) => set.len(),
            Self::SortedSet(set) => set.len(),
            Self::Stream(stream) => stream.len() as usize,
        }
    }

    /// The collection as commands see it.
    pub const fn value(self) -> Value<'a> {
        match self {
            Self::List(list) => Value::List(ListRef::Large(list)),
            Self::Hash(hash) => Value::Hash(HashRef::new(HashRepr::Large(hash))),
            Self::Set(set) => Value::Set(SetRef::new(SetRepr::Large(set))),
            Self::SortedSet(set) => Value::SortedSet(ZSetRef::Large(set)),
            Self::Stream(stream) => Value::Stream(stream),
        }
    }
}
