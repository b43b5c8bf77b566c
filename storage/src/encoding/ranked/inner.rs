//! An inner node: its children, how many records are below each, and the keys that part them.
//!
//! ```text
//! scores     │  –  │  7  │  7  │  12 │       child i has the records from key i (a score and a member) up to key i+1;
//! members    │  –  │  "" │ "ka"│  "" │       key 0 says nothing
//! children   │  3  │  9  │  4  │  8  │       numbers of nodes
//! counts     │  27 │  31 │  30 │  22 │       records below
//! ```
//!
//! A key need not be a record: it is the shortest that lies behind all records on its left and not behind any on its right.
//! Where scores differ the member is empty, and while all of them are, none is kept.

use super::cut::Cut;

/// A node with more children is split.
pub const CHILDREN_MAX: usize = 64;

/// A node with less children is merged with a neighbour, if that has room.
pub const CHILDREN_MIN: usize = CHILDREN_MAX / 4;

/// The key of a child.
#[derive(Clone, Debug)]
pub struct Key {
    /// The lowest score that the child's records may have.
    pub score: f64,
    /// The lowest member that its records of that score may have.
    pub member: Box<[u8]>,
}

/// A child as it enters a node.
#[derive(Clone, Debug)]
pub struct Child {
    /// What parts it from the child before.
    pub key: Key,
    /// The number of the node.
    pub node: u32,
    /// The number of records in it.
    pub count: u64,
}

/// An inner node. See the module's documentation.
#[derive(Clone, Debug, Default)]
pub struct Inner {
    scores: Vec<f64>,
    /// Empty as long as all of them are.
    members: Vec<Box<[u8]>>,
    /// Numbers of the children.
    pub children: Vec<u32>,
    /// Numbers of records below the children.
    pub counts: Vec<u64>,
}

impl Inner {
    /// The node above two others.
    pub fn above(first: u32, first_count: u64, second: Child) -> Self {
        let mut inner = Self::default();
        let key = Key { score: f64::NEG_INFINITY, member: Box::default() };
        inner.insert(0, Child { key, node: first, count: first_count });
        inner.insert(1, second);
        inner
    }

    /// Number of children.
    #[inline]
    pub const fn len(&self) -> usize {
        self.children.len()
    }

    /// Number of records below.
    pub fn records(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Bytes of its memory.
    pub fn heap_bytes(&self) -> usize {
        self.scores.capacity() * size_of::<f64>()
            + self.members.capacity() * size_of::<Box<[u8]>>()
            + self.members.iter().map(|member| member.len()).sum::<usize>()
            + self.children.capacity() * size_of::<u32>()
            + self.counts.capacity() * size_of::<u64>()
    }

    #[inline]
    fn member(&self, index: usize) -> &[u8] {
        self.members.get(index).map_or(&[], |member| member)
    }

    /// The key of a child; that of the first says nothing.
    pub fn key(&self, index: usize) -> (f64, &[u8]) {
        (self.scores[index], self.member(index))
    }

    /// The child in which a cut lies.
    #[inline]
    pub fn child_at(&self, cut: Cut<'_>) -> usize {
        cut.partition(&self.scores[1..].iter().copied(), |index| self.member(index + 1))
    }

    /// The child in which the record of a rank lies, and its rank there. A rank behind all is one in the last child.
    #[inline]
    pub fn child_of_rank(&self, mut rank: u64) -> (usize, u64) {
        let last = self.len() - 1;
        for (index, &count) in self.counts[..last].iter().enumerate() {
            if rank < count {
                return (index, rank);
            }
            rank -= count;
        }
        (last, rank)
    }

    /// Number of records below the children before one.
    #[inline]
    pub fn records_before(&self, index: usize) -> u64 {
        self.counts[..index].iter().sum()
    }

    /// Inserts a child.
    pub fn insert(&mut self, index: usize, child: Child) {
        if self.members.is_empty() && !child.key.member.is_empty() {
            self.members = vec![Box::default(); self.len()];
        }
        if self.len() == self.children.capacity() {
            // By an eighth of the most it can have, so that little of it is unused.
            let more = CHILDREN_MAX / 8;
            self.scores.reserve_exact(more);
            self.children.reserve_exact(more);
            self.counts.reserve_exact(more);
        }
        if !self.members.is_empty() || !child.key.member.is_empty() {
            self.members.insert(index, child.key.member);
        }
        self.scores.insert(index, child.key.score);
        self.children.insert(index, child.node);
        self.counts.insert(index, child.count);
    }

    /// Removes a child; its records are those of its left neighbour now, or of its right one if it was the first.
    pub fn remove(&mut self, index: usize) {
        if !self.members.is_empty() {
            self.members.remove(index);
        }
        self.scores.remove(index);
        self.children.remove(index);
        self.counts.remove(index);
    }

    /// Moves the children from `index` on into a new node; returns it and the key that parts it from this one.
    pub fn split_off(&mut self, index: usize) -> (Self, Key) {
        let members = if self.members.is_empty() { Vec::new() } else { self.members.split_off(index) };
        let right = Self {
            scores: self.scores.split_off(index),
            members,
            children: self.children.split_off(index),
            counts: self.counts.split_off(index),
        };
        let key = Key { score: right.scores[0], member: right.member(0).into() };
        (right, key)
    }

    /// Appends the children of the node behind this one, which `key` parts from it.
    pub fn append(&mut self, right: Self, key: Key) {
        let keys = right.scores.into_iter().zip(right.members.into_iter().chain(std::iter::repeat_with(Box::default)));
        let keys = keys.map(|(score, member)| Key { score, member });
        let keys = std::iter::once(key).chain(keys.skip(1));
        for ((key, node), count) in keys.zip(right.children).zip(right.counts) {
            self.insert(self.len(), Child { key, node, count });
        }
    }

    /// The key of a child, taken out.
    pub fn take_key(&mut self, index: usize) -> Key {
        let member = self.members.get_mut(index).map(std::mem::take).unwrap_or_default();
        Key { score: self.scores[index], member }
    }

    /// Panics if the columns are of different lengths, or too long.
    pub fn check_invariants(&self) {
        assert!((1..=CHILDREN_MAX).contains(&self.len()), "number of children");
        assert!(self.members.is_empty() || self.members.len() == self.len(), "members of keys");
        assert_eq!((self.scores.len(), self.counts.len()), (self.len(), self.len()), "columns of an inner node");
    }
}

impl Key {
    /// The shortest key that lies behind the record `left` and not behind `right`, which follows it.
    pub fn between(left: (f64, &[u8]), right: (f64, &[u8])) -> Self {
        if left.0 < right.0 {
            return Self { score: right.0, member: Box::default() };
        }
        let same = left.1.iter().zip(right.1).take_while(|(one, other)| one == other).count();
        Self { score: right.0, member: right.1[..=same].into() }
    }
}
