//! Finding places in the tree: by cut, by rank.

use super::cut::Cut;
use super::{HEIGHT_MAX, Path, Place, Ranked};

impl Ranked {
    /// The number of records before a cut.
    pub fn rank_of_cut(&self, cut: Cut<'_>) -> usize {
        let (mut node, mut before) = (self.root, 0);
        for _ in 0..self.height {
            let inner = &self.inners[node];
            let child = inner.child_at(cut);
            before += inner.records_before(child);
            node = inner.children[child];
        }
        before as usize + self.leaves[node].partition(cut, &self.outside)
    }

    /// The place of a cut, and the way there. The place may be behind the last record of its leaf.
    pub(super) fn descend(&self, cut: Cut<'_>) -> (Path, Place) {
        let mut path = Path { steps: [(0, 0); HEIGHT_MAX], height: self.height };
        let mut node = self.root;
        for step in &mut path.steps[..self.height] {
            let inner = &self.inners[node];
            let child = inner.child_at(cut);
            *step = (node, child as u32);
            node = inner.children[child];
        }
        (path, Place { leaf: node, index: self.leaves[node].partition(cut, &self.outside) })
    }

    /// The place of a rank, and the way there. That of a rank behind the last record is behind the last of its leaf.
    pub(super) fn descend_to_rank(&self, rank: usize) -> (Path, Place) {
        let mut path = Path { steps: [(0, 0); HEIGHT_MAX], height: self.height };
        let (mut node, mut rank) = (self.root, rank as u64);
        for step in &mut path.steps[..self.height] {
            let inner = &self.inners[node];
            let (child, rank_there) = inner.child_of_rank(rank);
            *step = (node, child as u32);
            (node, rank) = (inner.children[child], rank_there);
        }
        (path, Place { leaf: node, index: rank as usize })
    }
}
