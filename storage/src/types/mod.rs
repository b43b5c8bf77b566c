//! Value types: what a key can hold, as seen by commands.
//!
//! A stored value is looked at through [`Value`], a view that borrows from the database and names the type; commands
//! match on it and never see how the bytes lie. A value that has left the database, or has not entered it yet, is an
//! [`OwnedValue`]: it can be sent to another core and freed anywhere.

use string::{OwnedString, StringRef};

pub mod hash;
pub mod set;
pub mod string;
pub mod zset;

/// The type of a value, as TYPE names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueType {
    /// A string: bytes, a number, or a bitmap.
    String,
}

impl ValueType {
    /// The name that TYPE replies with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
        }
    }
}

/// A view of a stored value.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A string.
    String(StringRef<'a>),
}

impl<'a> Value<'a> {
    /// The type of the value.
    pub const fn value_type(self) -> ValueType {
        match self {
            Self::String(_) => ValueType::String,
        }
    }

    /// The name that OBJECT ENCODING replies with.
    pub fn encoding_name(self) -> &'static str {
        match self {
            Self::String(string) => string.encoding().name(),
        }
    }

    /// The value as a string, or `None` where a command answers WRONGTYPE.
    pub const fn as_string(self) -> Option<StringRef<'a>> {
        match self {
            Self::String(string) => Some(string),
        }
    }

    /// A copy that does not borrow from the database.
    pub fn to_owned(self) -> OwnedValue {
        match self {
            Self::String(string) => OwnedValue::String(string.to_owned()),
        }
    }
}

/// A value outside any database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OwnedValue {
    /// A string.
    String(OwnedString),
}

impl OwnedValue {
    /// The type of the value.
    pub const fn value_type(&self) -> ValueType {
        match self {
            Self::String(_) => ValueType::String,
        }
    }

    /// A view of the value, the same as of a stored one.
    pub fn as_value(&self) -> Value<'_> {
        match self {
            Self::String(string) => Value::String(string.as_ref()),
        }
    }

    /// Bytes of heap memory that the value holds.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::String(string) => string.heap_bytes(),
        }
    }
}

impl From<OwnedString> for OwnedValue {
    fn from(string: OwnedString) -> Self {
        Self::String(string)
    }
}
