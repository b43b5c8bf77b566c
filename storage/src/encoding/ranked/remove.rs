//! Removing records, and merging nodes that have become small.

use std::ops::Range;

use super::arena::NONE;
use super::cut::Cut;
use super::inner::{CHILDREN_MAX, CHILDREN_MIN};
use super::leaf::{LEAF_BYTES_MAX, LEAF_BYTES_MIN, Leaf, Stored};
use super::{Path, Ranked, hash_of};

impl Ranked {
    /// Removes a member; returns its score.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let score = self.score(member)?;
        let (path, behind) = self.descend(Cut::AfterRecord(score, member));
        self.remove_at(&path, behind.leaf, behind.index - 1..behind.index);
        Some(score)
    }

    /// Removes the records of a range of ranks; tells each before it goes.
    pub fn remove_ranks(&mut self, ranks: Range<usize>, mut visit: impl FnMut(&[u8], f64)) {
        let ranks = ranks.start..ranks.end.min(self.len);
        let mut left = ranks.len();
        while left > 0 {
            let (path, place) = self.descend_to_rank(ranks.start);
            let leaf = &self.leaves[place.leaf];
            let end = leaf.len().min(place.index + left);
            for index in place.index..end {
                visit(leaf.member(index, &self.outside), leaf.score(index));
            }
            left -= end - place.index;
            // Who pops one record soon pops the next, of which the index may be far away in memory.
            let next = if end < leaf.len() { Some(end) } else { place.index.checked_sub(1) };
            if let Some(next) = next.filter(|_| left == 0) {
                self.index.prefetch(hash_of(leaf.member(next, &self.outside)));
            }
            self.remove_at(&path, place.leaf, place.index..end);
        }
    }

    /// Removes records of the leaf that a path leads to.
    pub(super) fn remove_at(&mut self, path: &Path, number: u32, range: Range<usize>) {
        for index in range.clone() {
            let leaf = &self.leaves[number];
            self.index.remove(hash_of(leaf.member(index, &self.outside)), number);
            if let Stored::Outside(member) = leaf.stored(index) {
                self.node_bytes -= self.outside.remove(member).len();
            }
        }
        self.len -= range.len();
        for level in 0..path.height {
            let (node, child) = path.step(level);
            self.inners[node].counts[child] -= range.len() as u64;
        }
        let used = self.edit_leaf(number, |leaf| {
            leaf.remove(range);
            leaf.used_bytes()
        });
        if used < LEAF_BYTES_MIN && path.height > 0 {
            self.mend_leaf(path, number);
            self.lower_root();
        }
    }

    /// Drops a leaf that has become empty, or merges a small one with a neighbour below the same node.
    fn mend_leaf(&mut self, path: &Path, number: u32) {
        let level = path.height - 1;
        let (node, child) = path.step(level);
        if self.leaves[number].len() == 0 {
            self.drop_leaf(number);
            self.edit_inner(node, |inner| inner.remove(child));
            self.mend_inner(path, level);
            return;
        }
        let used = |number: u32| self.leaves[number].used_bytes();
        let inner = &self.inners[node];
        let pairs = [child.checked_sub(1), Some(child)].into_iter().flatten();
        let pair = pairs.filter(|&left| left + 1 < inner.len()).find(|&left| {
            // A quarter stays free, so that the next insertions do not split it at once.
            used(inner.children[left]) + used(inner.children[left + 1]) <= LEAF_BYTES_MAX - LEAF_BYTES_MIN
        });
        if let Some(left) = pair {
            self.merge_leaves(node, left);
            self.mend_inner(path, level);
        }
    }

    /// Takes a leaf out of the chain.
    fn drop_leaf(&mut self, number: u32) -> Leaf {
        let leaf = self.leaves.remove(number);
        self.node_bytes -= leaf.heap_bytes();
        match leaf.previous {
            NONE => self.first = leaf.next,
            previous => self.leaves[previous].next = leaf.next,
        }
        match leaf.next {
            NONE => self.last = leaf.previous,
            next => self.leaves[next].previous = leaf.previous,
        }
        leaf
    }

    /// Merges a child of an inner node, a leaf, with the one on its right.
    fn merge_leaves(&mut self, node: u32, left: usize) {
        let (to, from) = (self.inners[node].children[left], self.inners[node].children[left + 1]);
        let hashes = self.hashes(from);
        self.relocate_all(&hashes, from, to);
        let right = self.drop_leaf(from);
        self.edit_leaf(to, |leaf| leaf.append(&right));
        self.edit_inner(node, |inner| {
            inner.counts[left] += right.len() as u64;
            inner.remove(left + 1);
        });
    }

    /// Drops the inner node at a level of the path if it has become empty, or merges it with a neighbour if it is small.
    fn mend_inner(&mut self, path: &Path, level: usize) {
        let (node, _) = path.step(level);
        let Some(above) = level.checked_sub(1).filter(|_| self.inners[node].len() < CHILDREN_MIN) else { return };
        let (parent_node, child) = path.step(above);
        if self.inners[node].len() == 0 {
            self.take_inner(node);
            self.edit_inner(parent_node, |parent| parent.remove(child));
            self.mend_inner(path, above);
            return;
        }
        let parent = &self.inners[parent_node];
        let pairs = [child.checked_sub(1), Some(child)].into_iter().flatten();
        let pair = pairs.filter(|&left| left + 1 < parent.len()).find(|&left| {
            let children = [left, left + 1].map(|index| self.inners[parent.children[index]].len());
            children.iter().sum::<usize>() <= CHILDREN_MAX - CHILDREN_MIN
        });
        if let Some(left) = pair {
            let (to, from) = (parent.children[left], parent.children[left + 1]);
            let right = self.take_inner(from);
            let key = self.edit_inner(parent_node, |parent| {
                parent.counts[left] += right.records();
                let key = parent.take_key(left + 1);
                parent.remove(left + 1);
                key
            });
            self.edit_inner(to, |inner| inner.append(right, key));
            self.mend_inner(path, above);
        }
    }

    /// Takes away roots that have a single child.
    fn lower_root(&mut self) {
        while self.height > 0 && self.inners[self.root].len() == 1 {
            let root = self.take_inner(self.root);
            self.root = root.children[0];
            self.height -= 1;
        }
    }
}
