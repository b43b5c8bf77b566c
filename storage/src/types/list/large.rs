//! The large list: editing over nodes.

use super::limits::ListLimits;
use super::node::{Node, NodeContents};
use super::nodes::{Nodes, Spot};
use super::{End, ListRef, Side, Walk};
use crate::encoding::listpack::{Item, Listpack, Needle};

/// A list of nodes.
#[derive(Clone, Debug, Default)]
pub struct LargeList {
    nodes: Nodes,
}

impl LargeList {
    /// A list that begins with the elements of a packed one, as its first node.
    pub(super) fn from_listpack(listpack: Vec<u8>) -> Self {
        let mut nodes = Nodes::default();
        let node = Node::listpack(listpack);
        if node.len() > 0 {
            nodes.push(End::Tail, node);
        }
        Self { nodes }
    }

    /// Number of elements.
    pub const fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether it has no elements.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of nodes.
    pub const fn node_count(&self) -> usize {
        self.nodes.count()
    }

    /// Bytes of heap memory that it holds.
    pub fn heap_bytes(&self) -> usize {
        size_of::<Self>() + self.nodes.heap_bytes()
    }

    /// What the nodes hold from one node on.
    pub fn nodes_from(&self, index: usize) -> impl Iterator<Item = NodeContents<'_>> {
        self.nodes.iter_from(index).map(Node::contents)
    }

    pub(super) const fn spots(&self) -> &Nodes {
        &self.nodes
    }

    /// Appends a node as it came from a file.
    pub(super) fn push_node(&mut self, node: Node, limits: ListLimits) {
        self.nodes.push(End::Tail, node);
        self.settle(limits);
    }

    pub(super) fn push(&mut self, end: End, element: &[u8], limits: ListLimits) {
        if let Some(spot) = self.nodes.end(end) {
            if self.nodes.node(spot).has_room(element.len(), limits) && !limits.is_large(element.len()) {
                self.nodes.edit(spot, |node| node.push(end, element));
                return;
            }
            // The node at the end is full, so it will not grow again soon.
            self.nodes.edit(spot, Node::shrink_to_fit);
        }
        self.nodes.push(end, Node::with_element(element, limits));
        self.settle(limits);
    }

    /// Shows up to `count` elements at an end, and removes them; how many.
    pub(super) fn pop_each(
        &mut self,
        end: End,
        count: usize,
        limits: ListLimits,
        take: &mut impl FnMut(Item<'_>),
    ) -> usize {
        let mut popped = 0;
        while popped < count
            && let Some(spot) = self.nodes.end(end)
        {
            popped += self.nodes.edit(spot, |node| node.pop_each(end, count - popped, take));
            if self.nodes.node(spot).len() == 0 {
                drop(self.nodes.remove(spot));
                self.settle(limits);
            }
        }
        popped
    }

    /// Puts a value in the place of an element; `index` is below the number of elements.
    pub(super) fn set(&mut self, index: usize, element: &[u8], limits: ListLimits) {
        let (spot, inside) = self.nodes.find(index).expect("the index is below the number of elements");
        if !self.nodes.node(spot).is_plain() && !limits.is_large(element.len()) {
            self.nodes.edit(spot, |node| node.replace(inside, element));
            self.split_overfull(spot, limits);
            return self.settle_around(spot, limits);
        }
        self.insert_at(spot, inside, element, limits);
        let (spot, inside) = self.nodes.find(index + 1).expect("one element more than before");
        self.remove_in(spot, inside, 1);
        self.settle_around(spot, limits);
    }

    /// The index of the first element that is equal to a value.
    pub(super) fn find(&self, needle: Needle<'_>) -> Option<usize> {
        let mut walk = Walk::new(ListRef::Large(self), End::Head, 0);
        let mut index = 0;
        loop {
            if needle.is(walk.next()?) {
                return Some(index);
            }
            index += 1;
        }
    }

    /// Puts an element before or behind another one; `index` is below the number of elements.
    pub(super) fn insert(&mut self, index: usize, side: Side, element: &[u8], limits: ListLimits) {
        let (spot, inside) = self.nodes.find(index).expect("the index is below the number of elements");
        self.insert_at(spot, inside + usize::from(side == Side::After), element, limits);
    }

    /// Puts an element into or next to a node, such that `inside` elements of the node are before it.
    fn insert_at(&mut self, spot: Spot, inside: usize, element: &[u8], limits: ListLimits) {
        let (node, bytes) = (self.nodes.node(spot), element.len());
        if node.has_room(bytes, limits) && !limits.is_large(bytes) {
            self.nodes.edit(spot, |node| node.insert(inside, element));
            return self.settle_around(spot, limits);
        }
        // Between two nodes the neighbour may have room, else there is a new node between them.
        let towards = match inside {
            0 => Some(End::Tail),
            _ if inside == node.len() => Some(End::Head),
            _ => None,
        };
        if let Some(from) = towards {
            if let Some(next) = self.nodes.next(from, spot)
                && self.nodes.node(next).has_room(bytes, limits)
                && !limits.is_large(bytes)
            {
                self.nodes.edit(next, |node| node.push(from, element));
                return self.settle_around(next, limits);
            }
            let new = self.nodes.insert_next(from, spot, Node::with_element(element, limits));
            return self.settle_around(new, limits);
        }
        // In the middle of a full node: it is cut there, and the shorter half takes the element.
        let first_half = inside * 2 <= node.len();
        let tail = self.nodes.edit(spot, |node| node.split_off(inside));
        let tail = self.nodes.insert_next(End::Head, spot, tail);
        if limits.is_large(bytes) {
            let new = self.nodes.insert_next(End::Tail, tail, Node::with_element(element, limits));
            return self.settle_around(new, limits);
        }
        let (half, end) =
            self.spot_before(tail).filter(|_| first_half).map_or((tail, End::Head), |spot| (spot, End::Tail));
        self.nodes.edit(half, |node| node.push(end, element));
        self.settle_around(half, limits);
    }

    fn spot_before(&self, spot: Spot) -> Option<Spot> {
        self.nodes.next(End::Tail, spot)
    }

    /// Cuts a node in two that a larger element has made too large.
    fn split_overfull(&mut self, spot: Spot, limits: ListLimits) {
        let node = self.nodes.node(spot);
        if node.is_overfull(limits) {
            let half = node.len() / 2;
            let tail = self.nodes.edit(spot, |node| node.split_off(half));
            let tail = self.nodes.insert_next(End::Head, spot, tail);
            self.settle_around(tail, limits);
        }
    }

    /// Removes elements of one node, and the node with its last one.
    fn remove_in(&mut self, spot: Spot, inside: usize, count: usize) {
        self.nodes.edit(spot, |node| node.remove(inside, count));
        if self.nodes.node(spot).len() == 0 {
            drop(self.nodes.remove(spot));
        }
    }

    /// Removes up to `max` elements equal to a value, from an end on; how many.
    pub(super) fn remove_equal(&mut self, needle: Needle<'_>, from: End, max: usize, limits: ListLimits) -> usize {
        let mut removed = 0;
        let mut at = self.nodes.end(from);
        while let Some(spot) = at
            && removed < max
        {
            let found = if self.nodes.node(spot).is_compressed() && !self.contains(spot, needle) {
                0
            } else {
                self.nodes.edit(spot, |node| node.remove_equal(needle, from, max - removed))
            };
            removed += found;
            at = if found == 0 { self.nodes.next(from, spot) } else { self.after_removal(spot, from, limits) };
        }
        if removed > 0 {
            self.nodes.join_chunks();
            self.settle(limits);
        }
        removed
    }

    /// Whether a compressed node holds a value: it is not decompressed for good just to be searched.
    fn contains(&self, spot: Spot, needle: Needle<'_>) -> bool {
        match self.nodes.node(spot).contents() {
            NodeContents::Plain(element) => needle.is(Item::Bytes(&element)),
            NodeContents::Listpack(bytes) => Listpack::new(&bytes).iter().any(|item| needle.is(item)),
        }
    }

    /// Removes a node that has lost its elements, or joins it with the one passed before; returns the node to go on with.
    fn after_removal(&mut self, spot: Spot, from: End, limits: ListLimits) -> Option<Spot> {
        // Spots before the change stay valid; what was behind a node that is removed has its spot then.
        let before = self.spot_before(spot);
        let next = |nodes: &Nodes, at: Spot| if from == End::Head { nodes.normalized(at) } else { before };
        if self.nodes.node(spot).len() == 0 {
            drop(self.nodes.remove(spot));
            return next(&self.nodes, spot);
        }
        let neighbours = match from {
            End::Head => before.map(|before| (before, spot)),
            End::Tail => self.nodes.next(End::Head, spot).map(|behind| (spot, behind)),
        };
        if let Some((first, second)) = neighbours
            && self.merge(first, second, limits)
        {
            self.settle_spot(first, limits);
            return next(&self.nodes, second);
        }
        self.settle_spot(spot, limits);
        next(&self.nodes, Spot { node: spot.node + 1, ..spot })
    }

    /// Puts two neighbours together, if they are small.
    fn merge(&mut self, first: Spot, second: Spot, limits: ListLimits) -> bool {
        if !self.nodes.node(first).merges_with(self.nodes.node(second), limits) {
            return false;
        }
        let second = self.nodes.remove(second);
        self.nodes.edit(first, |node| node.append(second));
        true
    }

    /// Keeps only elements `start..end`, both within the list; returns what was cut off, to be freed in slices.
    pub(super) fn trim(&mut self, start: usize, end: usize, limits: ListLimits) -> Self {
        let mut removed = Nodes::default();
        if let Some((spot, inside)) = self.nodes.find(end) {
            let cut = self.cut_before(spot, inside);
            if let Some(cut) = cut {
                removed = self.nodes.split_off(cut);
            }
        }
        if start > 0 {
            let kept = match self.nodes.find(start) {
                Some((spot, inside)) => {
                    let mut kept = self.nodes.split_off(spot);
                    if let Some(first) = kept.end(End::Head)
                        && inside > 0
                    {
                        kept.edit(first, |node| node.remove(0, inside));
                    }
                    kept
                }
                None => Nodes::default(),
            };
            removed.append(std::mem::replace(&mut self.nodes, kept));
        }
        self.settle(limits);
        Self { nodes: removed }
    }

    /// Removes the elements of a node from `inside` on, unless that are all of them; returns the first node to be cut off.
    fn cut_before(&mut self, spot: Spot, inside: usize) -> Option<Spot> {
        if inside == 0 {
            return Some(spot);
        }
        self.nodes.edit(spot, |node| node.remove(inside, node.len() - inside));
        self.nodes.next(End::Head, spot)
    }

    /// The listpack of a list of one small node, as which it can be packed again.
    pub(super) fn take_small(&mut self, fits: impl FnOnce(usize, usize) -> bool) -> Option<Vec<u8>> {
        let spot = self.nodes.end(End::Head).filter(|_| self.nodes.count() == 1)?;
        let node = self.nodes.node(spot);
        (!node.is_plain() && fits(node.bytes(), node.len())).then(|| self.nodes.remove(spot).into_bytes())
    }

    /// Brings the nodes next to a change, and those at the ends, into the state they are to be in.
    fn settle_around(&mut self, spot: Spot, limits: ListLimits) {
        if limits.compress_depth().is_some() {
            for spot in [self.spot_before(spot), Some(spot), self.nodes.next(End::Head, spot)].into_iter().flatten() {
                self.settle_spot(spot, limits);
            }
            self.settle(limits);
        }
    }

    /// Compresses a node that is far enough from both ends.
    fn settle_spot(&mut self, spot: Spot, limits: ListLimits) {
        if let Some(depth) = limits.compress_depth()
            && let Some(spot) = self.nodes.normalized(spot)
            && self.nodes.is_inside(spot, depth)
        {
            self.nodes.edit(spot, Node::compress);
        }
    }

    /// After nodes were added or removed: those at the ends are not compressed, the first ones further inside are.
    fn settle(&mut self, limits: ListLimits) {
        let Some(depth) = limits.compress_depth() else { return };
        for end in [End::Head, End::Tail] {
            let mut at = self.nodes.end(end);
            for _ in 0..depth {
                let Some(spot) = at else { return };
                if self.nodes.node(spot).is_compressed() {
                    self.nodes.edit(spot, Node::decompress);
                }
                at = self.nodes.next(end, spot);
            }
            if let Some(spot) = at {
                self.settle_spot(spot, limits);
            }
        }
    }

    /// Frees up to so many nodes of a list that is not needed any more; whether nothing is left.
    pub fn free_some(&mut self, nodes_max: usize) -> bool {
        self.nodes.free_some(nodes_max)
    }

    /// Panics if the books contradict the nodes.
    pub fn check_invariants(&self) {
        self.nodes.check_invariants();
    }
}
