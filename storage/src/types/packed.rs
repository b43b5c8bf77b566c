//! Packed collections: small ones, whose bytes lie in the key's block.

use super::hash::{Hash, HashRef, HashRepr};
use super::list::{List, ListRef};
use super::set::{Set, SetRef, SetRepr};
use super::zset::{ZSet, ZSetRef};
use super::{OwnedValue, Value};

/// What a packed collection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PackedKind {
    /// A list in a listpack.
    List,
    /// A hash in a listpack of fields and values.
    Hash,
    /// A hash in a listpack of fields, values and times.
    HashTtl,
    /// A set of integers.
    Intset,
    /// A set in a listpack.
    Set,
    /// A sorted set in a listpack.
    SortedSet,
}

impl PackedKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 6] = [Self::List, Self::Hash, Self::HashTtl, Self::Intset, Self::Set, Self::SortedSet];

    /// The collection with these bytes.
    #[inline]
    pub const fn value(self, bytes: &[u8]) -> Value<'_> {
        match self {
            Self::List => Value::List(ListRef::Packed(bytes)),
            Self::Hash => Value::Hash(HashRef::new(HashRepr::Packed(bytes))),
            Self::HashTtl => Value::Hash(HashRef::new(HashRepr::PackedTtl(bytes))),
            Self::Intset => Value::Set(SetRef::new(SetRepr::Intset(bytes))),
            Self::Set => Value::Set(SetRef::new(SetRepr::Packed(bytes))),
            Self::SortedSet => Value::SortedSet(ZSetRef::Packed(bytes)),
        }
    }

    /// The owned collection with these bytes.
    pub const fn own(self, bytes: Vec<u8>) -> OwnedValue {
        match self {
            Self::List => OwnedValue::List(List::Packed(bytes)),
            Self::Hash => OwnedValue::Hash(Hash::Packed(bytes)),
            Self::HashTtl => OwnedValue::Hash(Hash::PackedTtl(bytes)),
            Self::Intset => OwnedValue::Set(Set::Intset(bytes)),
            Self::Set => OwnedValue::Set(Set::Packed(bytes)),
            Self::SortedSet => OwnedValue::SortedSet(ZSet::Packed(bytes)),
        }
    }
}
