//! Inserting records and changing scores.

use super::arena::NONE;
use super::cut::{Cut, compare};
use super::inner::{CHILDREN_MAX, Child, Inner, Key};
use super::leaf::{INLINE_BYTES_MAX, LEAF_BYTES_MAX, Stored};
use super::{HEIGHT_MAX, Path, Place, Ranked, hash_of, tag_of};

impl Ranked {
    /// Inserts a member that is not there yet.
    pub fn insert(&mut self, member: &[u8], score: f64) {
        // Commands have looked for the member before, so its part of the index is in the caches already.
        let (path, place) = self.descend(Cut::AfterRecord(score, member));
        self.insert_at(&path, place, member, score);
    }

    /// Inserts a member that is not there yet and comes behind all others.
    pub fn push(&mut self, member: &[u8], score: f64) {
        let (path, place) = self.descend_to_rank(self.len);
        debug_assert!(place.index == 0 || compare(self.record(place, place.index - 1), (score, member)).is_lt());
        self.insert_at(&path, place, member, score);
    }

    fn insert_at(&mut self, path: &Path, place: Place, member: &[u8], score: f64) {
        debug_assert!(!score.is_nan(), "callers refuse NaN");
        let hash = hash_of(member);
        self.index.insert(hash, place.leaf);
        self.add_record(path, place, (score, member), tag_of(hash));
    }

    /// Inserts a record into the tree; the index has its entry already.
    fn add_record(&mut self, path: &Path, place: Place, (score, member): (f64, &[u8]), tag: u8) {
        let stored = if member.len() <= INLINE_BYTES_MAX {
            Stored::Inline(member)
        } else {
            self.node_bytes += member.len();
            Stored::Outside(self.outside.insert(member.into()))
        };
        self.len += 1;
        for level in 0..path.height {
            let (node, child) = path.step(level);
            self.inners[node].counts[child] += 1;
        }
        let used = self.edit_leaf(place.leaf, |leaf| {
            leaf.insert(place.index, score, tag, stored);
            leaf.used_bytes()
        });
        if used > LEAF_BYTES_MAX {
            self.split_leaf(path, place);
        }
    }

    /// Splits a leaf that has become too large by the insertion of a record.
    fn split_leaf(&mut self, path: &Path, inserted: Place) {
        let leaf = &self.leaves[inserted.leaf];
        let last = leaf.len() - 1;
        // What is inserted in order comes at one end of the set again and again: the rest of the leaf stays together.
        let at_end = leaf.next == NONE && inserted.index == last;
        let at_start = leaf.previous == NONE && inserted.index == 0;
        let at = if at_end {
            last
        } else if at_start {
            1
        } else {
            leaf.middle()
        };
        let next = leaf.next;
        let mut right = self.edit_leaf(inserted.leaf, |leaf| leaf.split_off(at));
        (right.previous, right.next) = (inserted.leaf, next);
        let count = right.len();
        let number = self.add_leaf(right);
        self.leaves[inserted.leaf].next = number;
        if next == NONE {
            self.last = number;
        } else {
            self.leaves[next].previous = number;
        }
        let hashes = self.hashes(number);
        self.relocate_all(&hashes, inserted.leaf, number);
        let (left, right) = (&self.leaves[inserted.leaf], &self.leaves[number]);
        let left_last = (left.score(at - 1), left.member(at - 1, &self.outside));
        let key = Key::between(left_last, (right.score(0), right.member(0, &self.outside)));
        self.add_child(path, path.height, Child { key, node: number, count: count as u64 }, at_end);
    }

    /// The hashes of all members of a leaf.
    pub(super) fn hashes(&self, number: u32) -> Vec<u32> {
        let leaf = &self.leaves[number];
        (0..leaf.len()).map(|index| hash_of(leaf.member(index, &self.outside))).collect()
    }

    /// Tells the index that members of these hashes have moved to another leaf.
    pub(super) fn relocate_all(&mut self, hashes: &[u32], from: u32, to: u32) {
        // Two rounds, so that the cache misses overlap.
        for &hash in hashes {
            self.index.prefetch(hash);
        }
        for &hash in hashes {
            self.index.relocate(hash, from, to);
        }
    }

    /// Enters the right half of the node at `level` of the path into the node above it, and splits that if need be.
    fn add_child(&mut self, path: &Path, level: usize, child: Child, at_end: bool) {
        let Some(above) = level.checked_sub(1) else { return self.add_root(child) };
        let (node, index) = path.step(above);
        let right = self.edit_inner(node, |inner| {
            inner.counts[index] -= child.count;
            inner.insert(index + 1, child);
            let at = if at_end { inner.len() - 1 } else { inner.len() / 2 };
            (inner.len() > CHILDREN_MAX).then(|| inner.split_off(at))
        });
        let Some((right, key)) = right else { return };
        let count = right.records();
        let number = self.add_inner(right);
        self.add_child(path, above, Child { key, node: number, count }, at_end);
    }

    /// Puts a new root above the old one and its right half.
    fn add_root(&mut self, second: Child) {
        assert!(self.height < HEIGHT_MAX, "a tree of that height does not fit into memory");
        let first_count = self.len as u64 - second.count;
        self.root = self.add_inner(Inner::above(self.root, first_count, second));
        self.height += 1;
    }

    /// Gives a member a new score; returns the old one, or `None` if the member is not there.
    pub fn update(&mut self, member: &[u8], score: f64) -> Option<f64> {
        debug_assert!(!score.is_nan(), "callers refuse NaN");
        let hash = hash_of(member);
        let place = self.find(hash, member)?;
        let old = self.leaves[place.leaf].score(place.index);
        if self.stays(place, member, score) {
            self.leaves[place.leaf].set_score(place.index, score);
            return Some(old);
        }
        let (path, behind) = self.descend(Cut::AfterRecord(old, member));
        debug_assert_eq!((behind.leaf, behind.index), (place.leaf, place.index + 1));
        self.remove_at(&path, place.leaf, place.index..place.index + 1);
        self.insert(member, score);
        Some(old)
    }

    /// Whether a record keeps its place between its neighbours in the leaf with another score.
    fn stays(&self, place: Place, member: &[u8], score: f64) -> bool {
        let inside = place.index > 0 && place.index + 1 < self.leaves[place.leaf].len();
        inside
            && compare(self.record(place, place.index - 1), (score, member)).is_lt()
            && compare((score, member), self.record(place, place.index + 1)).is_lt()
    }

    /// A record of the leaf of a place.
    fn record(&self, place: Place, index: usize) -> (f64, &[u8]) {
        let leaf = &self.leaves[place.leaf];
        (leaf.score(index), leaf.member(index, &self.outside))
    }
}
