//! Sets: members without order, each once.
//!
//! # Encodings
//!
//! ```text
//! intset       sorted integers of one width        only integers, at most `set-max-intset-entries`
//! listpack     member member member …              at most `set-max-listpack-entries`, none longer than
//!                                                  `set-max-listpack-value`
//! hashtable    a table of members: see `encoding/members`
//! ```
//!
//! The rules are those of Redis 7.2. A new set is an intset if its first member is an integer, else a listpack. An intset
//! that gets a member which is no integer becomes a listpack if it may be one then, and else a table; one with too many
//! integers becomes a table at once, also where a listpack may have more members than an intset. A listpack becomes a
//! table when it may not take the next member. The sets that commands compute (SINTERSTORE and its kin) become intsets if
//! all their members are integers. A table stays one, whatever leaves it.
//!
//! Searching is binary in an intset, linear in a listpack, of which the members are few, and O(1) in a table.
//!
//! - [`SetRef`] is the view to read, [`Set`] the set to be changed, [`LargeSet`] the table behind a large one.

mod convert;
mod iter;
mod large;
mod owned;
#[cfg(test)]
mod tests;
mod view;

pub use crate::encoding::listpack::{IntBuf, Item, Malformed};
pub use iter::SetIter;
pub use large::LargeSet;
pub use owned::Set;
pub use view::{SetRef, SetRepr};

/// The names of OBJECT ENCODING for a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetEncoding {
    /// Sorted integers.
    Intset,
    /// A listpack of members.
    Listpack,
    /// A table.
    Hashtable,
}

impl SetEncoding {
    /// The name that OBJECT ENCODING replies with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intset => "intset",
            Self::Listpack => "listpack",
            Self::Hashtable => "hashtable",
        }
    }
}

/// Up to where a set is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetLimits {
    /// `set-max-intset-entries`: the most integers of an intset.
    pub intset_entries_max: usize,
    /// `set-max-listpack-entries`: the most members of a listpack.
    pub listpack_entries_max: usize,
    /// `set-max-listpack-value`: the longest member of a listpack in bytes.
    pub listpack_value_bytes_max: usize,
}

impl Default for SetLimits {
    fn default() -> Self {
        Self { intset_entries_max: 512, listpack_entries_max: 128, listpack_value_bytes_max: 64 }
    }
}
