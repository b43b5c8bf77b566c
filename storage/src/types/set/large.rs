//! The table of a large set, as the keyspace holds it.

use crate::encoding::members::MemberTable;
use crate::types::shape::HashShape;

/// A large set.
#[derive(Clone, Debug, Default)]
pub struct LargeSet {
    pub(in crate::types) members: MemberTable,
}

impl LargeSet {
    /// Bytes of memory, all in.
    pub fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.members.heap_bytes()
    }

    /// The number of members.
    pub const fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The shape of its table.
    pub fn shape(&self) -> HashShape {
        self.members.shape()
    }

    /// Frees about so many members of a set that is not used any more; returns how many are left. So a huge one can be
    /// freed in slices.
    pub fn free_some(&mut self, budget: usize) -> usize {
        self.members.free_some(budget)
    }
}
