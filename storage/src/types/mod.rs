//! Value types: what a key can hold, as seen by commands.
//!
//! A stored value is looked at through [`Value`], a view that borrows from the database and names the type; commands
//! match on it and never see how the bytes lie. A value that has left the database, or has not entered it yet, is an
//! [`OwnedValue`]: it can be sent to another core and freed anywhere.

use large::LargeValue;
use list::{List, ListLimits, ListRef};
use packed::PackedKind;
use string::{OwnedString, StringRef};

pub mod bitmap;
pub mod geohash;
pub mod hyperloglog;
pub mod large;
pub mod list;
pub(crate) mod packed;
pub mod string;

/// The configuration of all types, which decides between their encodings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of lists.
    pub list: ListLimits,
}

/// The type of a value, as TYPE names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueType {
    /// A string: bytes, a number, or a bitmap.
    String,
    /// A list.
    List,
}

impl ValueType {
    /// The name that TYPE replies with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::List => "list",
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
}

impl<'a> Value<'a> {
    /// The type of the value.
    pub const fn value_type(self) -> ValueType {
        match self {
            Self::String(_) => ValueType::String,
            Self::List(_) => ValueType::List,
        }
    }

    /// The name that OBJECT ENCODING replies with.
    pub fn encoding_name(self) -> &'static str {
        match self {
            Self::String(string) => string.encoding().name(),
            Self::List(list) => list.encoding(),
        }
    }

    /// The value as a string, or `None` where a command answers WRONGTYPE.
    pub const fn as_string(self) -> Option<StringRef<'a>> {
        match self {
            Self::String(string) => Some(string),
            Self::List(_) => None,
        }
    }

    /// The value as a list, or `None` where a command answers WRONGTYPE.
    pub const fn as_list(self) -> Option<ListRef<'a>> {
        match self {
            Self::List(list) => Some(list),
            Self::String(_) => None,
        }
    }

    /// Whether it is a collection without items: the key of such a value is removed.
    pub fn is_empty_collection(self) -> bool {
        match self {
            Self::String(_) => false,
            Self::List(list) => list.is_empty(),
        }
    }

    /// A copy that does not borrow from the database.
    pub fn to_owned(self) -> OwnedValue {
        match self {
            Self::String(string) => OwnedValue::String(string.to_owned()),
            Self::List(list) => OwnedValue::List(list.to_owned()),
        }
    }
}

/// A value outside any database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OwnedValue {
    /// A string.
    String(OwnedString),
    /// A list.
    List(List),
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
    pub const fn value_type(&self) -> ValueType {
        match self {
            Self::String(_) => ValueType::String,
            Self::List(_) => ValueType::List,
        }
    }

    /// A view of the value, the same as of a stored one.
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Self::String(string) => Value::String(string.as_ref()),
            Self::List(list) => Value::List(list.as_ref()),
        }
    }

    /// Bytes of heap memory that the value holds.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::String(string) => string.heap_bytes(),
            Self::List(list) => list.heap_bytes(),
        }
    }

    pub(crate) const fn from_packed(kind: PackedKind, bytes: Vec<u8>) -> Self {
        kind.own(bytes)
    }

    pub(crate) fn from_large(large: LargeValue) -> Self {
        match large {
            LargeValue::List(list) => Self::List(List::Large(list)),
        }
    }

    pub(crate) fn into_form(self) -> Form {
        match self {
            Self::String(string) => Form::String(string),
            Self::List(List::Packed(bytes)) => Form::Packed(PackedKind::List, bytes),
            Self::List(List::Large(list)) => Form::Large(LargeValue::List(list)),
        }
    }
}

impl From<OwnedString> for OwnedValue {
    fn from(string: OwnedString) -> Self {
        Self::String(string)
    }
}
