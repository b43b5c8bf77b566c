//! Value types: what a key can hold, as seen by commands.
//!
//! A stored value is looked at through [`Value`], a view that borrows from the database and names the type; commands
//! match on it and never see how the bytes lie. A value that has left the database, or has not entered it yet, is an
//! [`OwnedValue`]: it can be sent to another core and freed anywhere.

use hash::{Hash, HashLimits, HashRef};
use large::LargeValue;
use list::{List, ListLimits, ListRef};
use packed::PackedKind;
use set::{Set, SetLimits, SetRef};
use stream::{Stream, StreamLimits};
use string::{OwnedString, StringRef};
use zset::{ZSet, ZSetLimits, ZSetRef};

pub mod bitmap;
mod collection;
pub mod geohash;
pub mod hash;
pub mod hyperloglog;
pub mod large;
pub mod list;
pub(crate) mod packed;
pub mod set;
pub(crate) mod shape;
pub mod stream;
pub mod string;
pub mod zset;

pub use collection::Collection;
pub use shape::HashShape;

/// The configuration of all types, which decides between their encodings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Of lists.
    pub list: ListLimits,
    /// Of hashes.
    pub hash: HashLimits,
    /// Of sets.
    pub set: SetLimits,
    /// Of sorted sets.
    pub zset: ZSetLimits,
    /// Of streams.
    pub stream: StreamLimits,
}

/// The type of a value, as TYPE names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueType {
    /// A string: bytes, a number, or a bitmap.
    String,
    /// A list.
    List,
    /// A hash.
    Hash,
    /// A set.
    Set,
    /// A sorted set.
    SortedSet,
    /// A stream.
    Stream,
}

impl ValueType {
    /// The name that TYPE replies with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::List => "list",
            Self::Hash => "hash",
            Self::Set => "set",
            Self::SortedSet => "zset",
            Self::Stream => "stream",
        }
    }
}

/// A view of a stored value.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A string.
    String(StringRef<'a>),
    /// A list.
    List(ListRef<'a>),
    /// A hash, with all its fields: see [`HashRef::live_at`].
    Hash(HashRef<'a>),
    /// A set.
    Set(SetRef<'a>),
    /// A sorted set.
    SortedSet(ZSetRef<'a>),
    /// A stream.
    Stream(&'a Stream),
}

impl<'a> Value<'a> {
    /// The type of the value.
    pub const fn value_type(self) -> ValueType {
        match self {
            Self::String(_) => ValueType::String,
            Self::List(_) => ValueType::List,
            Self::Hash(_) => ValueType::Hash,
            Self::Set(_) => ValueType::Set,
            Self::SortedSet(_) => ValueType::SortedSet,
            Self::Stream(_) => ValueType::Stream,
        }
    }

    /// The name that OBJECT ENCODING replies with.
    pub fn encoding_name(self) -> &'static str {
        match self {
            Self::String(string) => string.encoding().name(),
            Self::List(list) => list.encoding(),
            Self::Hash(hash) => hash.encoding().name(),
            Self::Set(set) => set.encoding().name(),
            Self::SortedSet(set) => set.encoding().name(),
            Self::Stream(stream) => stream.encoding(),
        }
    }

    /// The value as a string, or `None` where a command answers WRONGTYPE.
    pub const fn as_string(self) -> Option<StringRef<'a>> {
        match self {
            Self::String(string) => Some(string),
            _ => None,
        }
    }

    /// Number of its items: of a string 1. What lazy freeing and MEMORY look at.
    pub fn items(self) -> usize {
        match self {
            Self::String(_) => 1,
            Self::List(list) => list.len(),
            Self::Hash(hash) => hash.len(),
            Self::Set(set) => set.len(),
            Self::SortedSet(set) => set.len(),
            Self::Stream(stream) => stream.len() as usize,
        }
    }

    /// Whether it is a collection without items, the key of which is removed. A stream stays.
    pub fn is_empty_collection(self) -> bool {
        match self {
            Self::String(_) | Self::Stream(_) => false,
            _ => self.items() == 0,
        }
    }

    /// A copy that does not borrow from the database.
    pub fn to_owned(self) -> OwnedValue {
        match self {
            Self::String(string) => OwnedValue::String(string.to_owned()),
            Self::List(list) => OwnedValue::List(list.to_owned()),
            Self::Hash(hash) => OwnedValue::Hash(hash.to_owned()),
            Self::Set(set) => OwnedValue::Set(set.to_owned()),
            Self::SortedSet(set) => OwnedValue::SortedSet(set.to_owned()),
            Self::Stream(stream) => OwnedValue::Stream(Box::new(stream.clone())),
        }
    }
}

/// A value outside any database.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum OwnedValue {
    /// A string.
    String(OwnedString),
    /// A list.
    List(List),
    /// A hash.
    Hash(Hash),
    /// A set.
    Set(Set),
    /// A sorted set.
    SortedSet(ZSet),
    /// A stream.
    Stream(Box<Stream>),
}

/// A value by how it lies in a block.
pub(crate) enum Form {
    /// A string.
    String(OwnedString),
    /// A packed collection.
    Packed(PackedKind, Vec<u8>),
    /// A large collection.
    Large(LargeValue),
}

impl OwnedValue {
    /// The type of the value.
    pub fn value_type(&self) -> ValueType {
        self.as_value().value_type()
    }

    /// A view of the value, the same as of a stored one.
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Self::String(string) => Value::String(string.as_ref()),
            Self::List(list) => Value::List(list.as_ref()),
            Self::Hash(hash) => Value::Hash(hash.as_ref()),
            Self::Set(set) => Value::Set(set.as_ref()),
            Self::SortedSet(set) => Value::SortedSet(set.as_ref()),
            Self::Stream(stream) => Value::Stream(stream),
        }
    }

    /// Bytes of heap memory that the value holds.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::String(string) => string.heap_bytes(),
            Self::List(list) => list.heap_bytes(),
            Self::Hash(hash) => hash.heap_bytes(),
            Self::Set(set) => set.heap_bytes(),
            Self::SortedSet(set) => set.heap_bytes(),
            Self::Stream(stream) => size_of::<Stream>() + stream.heap_bytes(),
        }
    }

    pub(crate) const fn from_packed(kind: PackedKind, bytes: Vec<u8>) -> Self {
        kind.own(bytes)
    }

    pub(crate) fn from_large(large: LargeValue) -> Self {
        match large {
            LargeValue::List(list) => Self::List(List::Large(list)),
            LargeValue::Hash(hash) => Self::Hash(Hash::Large(hash)),
            LargeValue::Set(set) => Self::Set(Set::Large(set)),
            LargeValue::SortedSet(set) => Self::SortedSet(ZSet::Large(set)),
            LargeValue::Stream(stream) => Self::Stream(stream),
        }
    }

    pub(crate) fn into_form(self) -> Form {
        match self {
            Self::String(string) => Form::String(string),
            Self::List(List::Packed(bytes)) => Form::Packed(PackedKind::List, bytes),
            Self::List(List::Large(list)) => Form::Large(LargeValue::List(list)),
            Self::Hash(Hash::Packed(bytes)) => Form::Packed(PackedKind::Hash, bytes),
            Self::Hash(Hash::PackedTtl(bytes)) => Form::Packed(PackedKind::HashTtl, bytes),
            Self::Hash(Hash::Large(hash)) => Form::Large(LargeValue::Hash(hash)),
            Self::Set(Set::Intset(bytes)) => Form::Packed(PackedKind::Intset, bytes),
            Self::Set(Set::Packed(bytes)) => Form::Packed(PackedKind::Set, bytes),
            Self::Set(Set::Large(set)) => Form::Large(LargeValue::Set(set)),
            Self::SortedSet(ZSet::Packed(bytes)) => Form::Packed(PackedKind::SortedSet, bytes),
            Self::SortedSet(ZSet::Large(set)) => Form::Large(LargeValue::SortedSet(set)),
            Self::Stream(stream) => Form::Large(LargeValue::Stream(stream)),
        }
    }
}

impl From<OwnedString> for OwnedValue {
    fn from(string: OwnedString) -> Self {
        Self::String(string)
    }
}
