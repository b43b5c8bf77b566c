//! The table of a large hash, as the keyspace holds it.

use crate::encoding::members::FieldTable;
use crate::types::shape::HashShape;

/// A large hash.
#[derive(Clone, Debug, Default)]
pub struct LargeHash {
    pub(in crate::types) fields: FieldTable,
}

impl LargeHash {
    /// Bytes of memory, all in.
    pub fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.fields.heap_bytes()
    }

    /// The number of fields.
    pub const fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The shape of its table.
    pub fn shape(&self) -> HashShape {
        self.fields.shape()
    }

    /// Frees about so many fields of a hash that is not used any more; returns how many are left. So a huge one can be
    /// freed in slices.
    pub fn free_some(&mut self, budget: usize) -> usize {
        self.fields.free_some(budget)
    }
}
