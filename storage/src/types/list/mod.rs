//! Lists: sequences of elements, changed at both ends and read by index.
//!
//! # Encodings
//!
//! A small list is *packed*: one listpack, in the key's own block. OBJECT ENCODING calls it `listpack`. When it exceeds
//! `list-max-listpack-size` (8 KiB by default) it becomes *large*, `quicklist`:
//!
//! ```text
//!                      ┌───────────────┬───────────────┬────────┐
//! LargeList   chunks   │ 256 nodes     │ 256 nodes     │  …     │
//!                      └──┬────────────┴───────────────┴────────┘
//!                         ▼
//!                      ┌──────────┬───────────────┬─────────────┬──────────┐
//!             nodes    │ listpack │ plain element │ compressed  │ listpack │
//!                      └──────────┴───────────────┴─────────────┴──────────┘
//!                      ┌──────┬────────┬──────────────────────────┬───────┐
//!  a listpack's buffer │ room │ header │ elements             end │ spare │
//!                      └──────┴────────┴──────────────────────────┴───────┘
//! ```
//!
//! At its head a listpack grows into the room before it, and leaves room when it shrinks there; only the header moves.
//!
//! A node is a listpack of up to `list-max-listpack-size`, or a single element that is larger than that. Nodes that are
//! further from both ends than `list-compress-depth` are compressed with LZF, if that is set. A large list whose only node
//! has shrunk to half the limit is packed again; the two limits are apart so that it does not go back and forth.
//!
//! # Cost
//!
//! | | packed (at most some 100 elements, as a rule) | large |
//! |---|---|---|
//! | push, pop | moving at most 8 KiB | the element alone, as a rule |
//! | by index, insertion | one listpack | over chunks, nodes of a chunk, one listpack |
//! | search, removal by value | all elements | all elements |
//! | LTRIM | one listpack | two nodes; what is cut off is returned whole |
//!
//! A list of elements of 20 bytes costs 22 a piece: head and length of a listpack's element, and the node's share.
//! [`LargeList::free_some`] frees a list in slices, since one may have millions of nodes.
//!
//! - [`List`] is an owned list with the functions that change it; [`ListRef`] is the view to read, [`Walk`] its iterator.
//! - [`ListLimits`] comes with each change.
//! - [`ListBuilder`] builds one from the nodes of a file.

mod builder;
mod edit;
mod large;
mod limits;
mod node;
mod nodes;
mod read;
#[cfg(test)]
mod tests;
mod walk;

pub use builder::ListBuilder;
pub use edit::Removal;
pub use large::LargeList;
pub use limits::ListLimits;
pub use node::NodeContents;
pub use read::{Element, Search};
pub use walk::Walk;

pub use crate::encoding::listpack::{IntBuf, Item};

/// An end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// LEFT: the first element.
    Head,
    /// RIGHT: the last one.
    Tail,
}

/// On which side of an element another one is inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// BEFORE
    Before,
    /// AFTER
    After,
}

/// A view of a list.
#[derive(Clone, Copy, Debug)]
pub enum ListRef<'a> {
    /// One listpack, well-formed.
    Packed(&'a [u8]),
    /// A list of nodes.
    Large(&'a LargeList),
}

/// An owned list.
#[derive(Clone, Debug)]
pub enum List {
    /// One listpack.
    Packed(Vec<u8>),
    /// A list of nodes.
    Large(Box<LargeList>),
}

impl List {
    /// A view of the list.
    pub fn as_ref(&self) -> ListRef<'_> {
        match self {
            Self::Packed(bytes) => ListRef::Packed(bytes),
            Self::Large(large) => ListRef::Large(large),
        }
    }

    /// Bytes of heap memory that it holds.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Packed(bytes) => bytes.capacity(),
            Self::Large(large) => large.heap_bytes(),
        }
    }

    /// Panics if the list contradicts itself.
    pub fn check_invariants(&self) {
        match self {
            Self::Packed(bytes) => assert!(crate::encoding::listpack::validate(bytes).is_ok()),
            Self::Large(large) => large.check_invariants(),
        }
    }
}

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

/// Lists are equal when their elements are.
impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref().eq_elements(other.as_ref())
    }
}

impl Eq for List {}
