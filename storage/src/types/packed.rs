//! Packed collections: small ones, whose bytes lie in the key's block.

use super::{OwnedValue, Value};
use crate::types::list::{List, ListRef};

/// What a packed collection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PackedKind {
    /// A list in a listpack.
    List,
}

impl PackedKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 1] = [Self::List];

    /// The collection with these bytes.
    #[inline]
    pub const fn value(self, bytes: &[u8]) -> Value<'_> {
        match self {
            Self::List => Value::List(ListRef::Packed(bytes)),
        }
    }

    /// The owned collection with these bytes.
    pub const fn own(self, bytes: Vec<u8>) -> OwnedValue {
        match self {
            Self::List => OwnedValue::List(List::Packed(bytes)),
        }
    }
}
