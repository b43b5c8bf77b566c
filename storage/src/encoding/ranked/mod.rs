//! Ranked sets: members ordered by score, found by member, score or rank.
//!
//! ```text
//!                  ┌───────────────┐
//!        root ───► │ inner         │     keys, children, numbers of records below
//!                  └─┬─────┬─────┬─┘
//!             ┌──────▼┐ ┌──▼────┐ ┌▼──────┐
//!             │ leaf 4│►│ leaf 0│►│ leaf 9│  records: score, member; chained in order
//!             └───────┘ └───▲───┘ └───────┘
//!                           │
//!   index    … │ 3f21 ▪ 9 │ 3f6c ▪ 0 │ …     hash of the member, number of its leaf
//! ```
//!
//! This is a B+ tree by score and member whose inner nodes count records, and a hash index from member to leaf. Each member
//! and each score is kept once. A record takes 11 bytes and its member in the leaf ([`leaf`]), and 8 in the index
//! ([`index`]); both are kept about seven eighths full, by memory that grows in the small steps of the allocator's size
//! classes rather than by doubling.
//!
//! - A look-up of a member reads a line of the index, the tags of the leaf, and the record.
//! - Ranks, ranges and edits descend from the root: inner nodes ([`inner`]) are small and few enough to stay in the caches.
//! - An insertion that splits a leaf tells the index of the records that have moved, some tens.
//! - A leaf that is split at either end of the set stays full, so what is inserted in order is packed densely.
//!
//! No operation costs more than the copying of a node, a segment of the index, and a few levels of the tree: nothing here
//! grows by copying all of it. Members beyond 255 bytes have memory of their own, so that nodes stay small.

use arena::Arena;
use index::Index;
use inner::Inner;
use leaf::{Leaf, Outside};

use super::hash::key_hash;
use crate::types::shape::HashShape;

mod ahead;
mod arena;
mod check;
mod cut;
mod index;
mod inner;
mod insert;
mod leaf;
mod remove;
mod seek;
#[cfg(test)]
mod tests;
mod walk;

pub use cut::{Cut, compare};
pub use walk::Records;

/// Levels of inner nodes that a tree may have: even nodes with the least children reach 2^40 leaves.
const HEIGHT_MAX: usize = 10;

/// Records of a leaf, about.
const RECORDS_PER_LEAF: usize = 64;

/// A set of members with scores.
#[derive(Debug)]
pub struct Ranked {
    leaves: Arena<Leaf>,
    inners: Arena<Inner>,
    outside: Outside,
    index: Index,
    /// The root: a leaf if there are no inner levels.
    root: u32,
    height: usize,
    first: u32,
    last: u32,
    len: usize,
    /// Bytes behind the slots of leaves, inner nodes and long members.
    node_bytes: usize,
}

/// The inner nodes from the root down to a leaf, each with the child that was taken.
#[derive(Clone, Copy, Debug)]
struct Path {
    steps: [(u32, u32); HEIGHT_MAX],
    height: usize,
}

impl Path {
    /// The inner node at a level, the root's being 0, and the child that was taken there.
    #[inline]
    fn step(&self, level: usize) -> (u32, usize) {
        let (node, child) = self.steps[..self.height][level];
        (node, child as usize)
    }
}

/// The place of a record.
#[derive(Clone, Copy, Debug)]
struct Place {
    leaf: u32,
    index: usize,
}

/// The part of a member's hash that is kept.
#[inline]
const fn kept(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[inline]
fn hash_of(member: &[u8]) -> u32 {
    kept(key_hash(member))
}

#[inline]
const fn tag_of(hash: u32) -> u8 {
    hash as u8
}

impl Default for Ranked {
    fn default() -> Self {
        let mut leaves = Arena::default();
        let root = leaves.insert(Leaf::new());
        Self {
            leaves,
            inners: Arena::default(),
            outside: Arena::default(),
            index: Index::default(),
            root,
            height: 0,
            first: root,
            last: root,
            len: 0,
            node_bytes: 0,
        }
    }
}

impl Clone for Ranked {
    fn clone(&self) -> Self {
        let mut copy = Self {
            leaves: self.leaves.clone(),
            inners: self.inners.clone(),
            outside: self.outside.clone(),
            index: self.index.clone(),
            ..*self
        };
        // The columns of copied inner nodes have no room to grow.
        copy.node_bytes = copy.count_node_bytes();
        copy
    }
}

impl Ranked {
    /// Number of members.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no members.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of its memory.
    pub fn heap_bytes(&self) -> usize {
        self.node_bytes
            + self.leaves.heap_bytes()
            + self.inners.heap_bytes()
            + self.outside.heap_bytes()
            + self.index.heap_bytes()
    }

    /// The shape of the index of hashes.
    pub fn shape(&self) -> HashShape {
        self.index.shape()
    }

    fn count_node_bytes(&self) -> usize {
        let leaves: usize = self.leaves.values().map(Leaf::heap_bytes).sum();
        let inners: usize = self.inners.values().map(Inner::heap_bytes).sum();
        let outside: usize = self.outside.values().map(|member| member.len()).sum();
        leaves + inners + outside
    }

    /// Changes a leaf, and brings the books up to date.
    #[inline]
    fn edit_leaf<T>(&mut self, number: u32, edit: impl FnOnce(&mut Leaf) -> T) -> T {
        let leaf = &mut self.leaves[number];
        let before = leaf.heap_bytes();
        let result = edit(leaf);
        self.node_bytes = self.node_bytes + leaf.heap_bytes() - before;
        result
    }

    /// Changes an inner node, and brings the books up to date.
    fn edit_inner<T>(&mut self, number: u32, edit: impl FnOnce(&mut Inner) -> T) -> T {
        let inner = &mut self.inners[number];
        let before = inner.heap_bytes();
        let result = edit(inner);
        self.node_bytes = self.node_bytes + inner.heap_bytes() - before;
        result
    }

    fn add_leaf(&mut self, leaf: Leaf) -> u32 {
        self.node_bytes += leaf.heap_bytes();
        self.leaves.insert(leaf)
    }

    fn add_inner(&mut self, inner: Inner) -> u32 {
        self.node_bytes += inner.heap_bytes();
        self.inners.insert(inner)
    }

    fn take_inner(&mut self, number: u32) -> Inner {
        let inner = self.inners.remove(number);
        self.node_bytes -= inner.heap_bytes();
        inner
    }

    /// The place of a member.
    #[inline]
    fn find(&self, hash: u32, member: &[u8]) -> Option<Place> {
        self.index.leaves(hash).find_map(|leaf| {
            let index = self.leaves[leaf].find(tag_of(hash), member, &self.outside)?;
            Some(Place { leaf, index })
        })
    }

    /// The score of a member.
    #[inline]
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        let place = self.find(hash_of(member), member)?;
        Some(self.leaves[place.leaf].score(place.index))
    }

    /// The rank and the score of a member.
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        let score = self.score(member)?;
        Some((self.rank_of_cut(Cut::AfterRecord(score, member)) - 1, score))
    }

    /// Frees up to about `max` records of a set that is not used any more; returns how many, 0 when nothing is left.
    pub fn free_some(&mut self, max: usize) -> usize {
        let max = max.max(1);
        let mut freed = self.outside.drop_some(max);
        while freed < max {
            // A leaf holds some tens of records, and costs as much to free as one of the long ones.
            let leaves = self.leaves.drop_some((max - freed).div_ceil(RECORDS_PER_LEAF));
            let inners = if leaves == 0 { self.inners.drop_some((max - freed).div_ceil(RECORDS_PER_LEAF)) } else { 0 };
            let entries = self.index.drop_last_segment();
            if leaves == 0 && inners == 0 && entries.is_none() {
                break;
            }
            freed += ((leaves + inners) * RECORDS_PER_LEAF).max(1);
        }
        self.len = 0;
        freed
    }
}
