//! The invariants of a ranked set, checked in full.

use super::arena::NONE;
use super::cut::compare;
use super::leaf::{INLINE_BYTES_MAX, LEAF_BYTES_MAX, Stored};
use super::{Ranked, hash_of, tag_of};

/// What a subtree was found to be.
struct Subtree {
    records: u64,
    leaves: Vec<u32>,
    inners: usize,
}

impl Ranked {
    /// Panics if tree, chain of leaves and index contradict each other.
    pub fn check_invariants(&self) {
        let tree = self.check_node(self.root, self.height, None, None);
        assert_eq!(tree.records, self.len as u64, "records of the tree");
        assert_eq!((tree.leaves.len(), tree.inners), (self.leaves.len(), self.inners.len()), "nodes are in the tree");
        assert_eq!(
            (tree.leaves.first(), tree.leaves.last()),
            (Some(&self.first), Some(&self.last)),
            "ends of the chain"
        );
        for (index, &number) in tree.leaves.iter().enumerate() {
            let neighbour =
                |index: Option<usize>| index.and_then(|index| tree.leaves.get(index)).copied().unwrap_or(NONE);
            let leaf = &self.leaves[number];
            assert_eq!((leaf.previous, leaf.next), (neighbour(index.checked_sub(1)), neighbour(Some(index + 1))));
        }
        self.leaves.check_invariants();
        self.inners.check_invariants();
        self.outside.check_invariants();
        self.index.check_invariants();
        assert_eq!(self.index.len(), self.len, "each record has one entry in the index");
        assert_eq!(self.count_node_bytes(), self.node_bytes, "bytes of nodes and long members");
    }

    fn check_node(&self, node: u32, height: usize, low: Option<(f64, &[u8])>, high: Option<(f64, &[u8])>) -> Subtree {
        if height == 0 {
            self.check_leaf(node, low, high);
            return Subtree { records: self.leaves[node].len() as u64, leaves: vec![node], inners: 0 };
        }
        let inner = &self.inners[node];
        inner.check_invariants();
        let mut tree = Subtree { records: 0, leaves: Vec::new(), inners: 1 };
        for child in 0..inner.len() {
            let low = if child == 0 { low } else { Some(inner.key(child)) };
            let high = if child + 1 == inner.len() { high } else { Some(inner.key(child + 1)) };
            let below = self.check_node(inner.children[child], height - 1, low, high);
            assert_eq!(below.records, inner.counts[child], "records below a child");
            tree.records += below.records;
            tree.leaves.extend(below.leaves);
            tree.inners += below.inners;
        }
        tree
    }

    fn check_leaf(&self, number: u32, low: Option<(f64, &[u8])>, high: Option<(f64, &[u8])>) {
        let leaf = &self.leaves[number];
        leaf.check_invariants();
        assert!(leaf.used_bytes() <= LEAF_BYTES_MAX, "a leaf that is too large is split");
        assert!(leaf.len() > 0 || self.len == 0, "only the one leaf of an empty set is empty");
        for index in 0..leaf.len() {
            let member = leaf.member(index, &self.outside);
            let record = (leaf.score(index), member);
            assert_eq!(matches!(leaf.stored(index), Stored::Outside(_)), member.len() > INLINE_BYTES_MAX);
            assert!(low.is_none_or(|low| compare(low, record).is_le()), "a record is not below its node's key");
            assert!(high.is_none_or(|high| compare(record, high).is_lt()), "a record is below the next node's key");
            if index > 0 {
                let before = (leaf.score(index - 1), leaf.member(index - 1, &self.outside));
                assert!(compare(before, record).is_lt(), "records ascend");
            }
            let hash = hash_of(member);
            assert_eq!(leaf.tag(index), tag_of(hash), "tag of a record");
            assert!(self.index.leaves(hash).any(|leaf| leaf == number), "the index names the leaf");
        }
    }
}
