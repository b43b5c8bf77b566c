//! The nodes of a large list: a deque of chunks of nodes.
//!
//! ```text
//! chunks   ┌───────────────┬───────────────┬───────┐
//!          │ 93,120 el.    │ 95,011 el.    │  …    │     up to 256 nodes a chunk
//!          └──┬────────────┴───────────────┴───────┘
//!             ▼
//! nodes    ┌─────┬─────┬─────┐
//!          │ 371 │ 368 │  …  │                             hundreds of elements a node, as a rule
//!          └─────┴─────┴─────┘
//! ```
//!
//! Both deques are rings, so the ends are reached and changed at once. An index is found by passing over chunks, then over
//! nodes, from the nearer end; at 10 million elements of 20 bytes that is some 50 chunks and 128 nodes. A node that is put
//! in the middle moves the nodes of one chunk only; a full chunk is cut in two. Nothing depends on the length of the list
//! but the deque of chunks, of which one change in hundreds moves a part.
//!
//! Everything that is counted (elements, bytes) is counted where it changes, in [`Nodes::edit`] and at insertion and removal
//! of nodes.

use std::collections::VecDeque;

use super::End;
use super::node::Node;

/// Nodes of a chunk.
const CHUNK_NODES_MAX: usize = 256;

#[derive(Clone, Debug, Default)]
struct Chunk {
    nodes: VecDeque<Node>,
    /// Elements in all its nodes.
    len: usize,
    /// Heap bytes of all its nodes, and of the deque.
    bytes: usize,
}

/// Where a node is. Insertion and removal of nodes make it stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) chunk: usize,
    pub(super) node: usize,
}

/// All nodes of a list.
#[derive(Clone, Debug, Default)]
pub(super) struct Nodes {
    chunks: VecDeque<Chunk>,
    count: usize,
    len: usize,
    bytes: usize,
}

fn ring_bytes(nodes: &VecDeque<Node>) -> usize {
    nodes.capacity() * size_of::<Node>()
}

impl Chunk {
    /// A chunk of some nodes, which are counted.
    fn of(nodes: VecDeque<Node>) -> Self {
        let len = nodes.iter().map(Node::len).sum();
        let bytes = nodes.iter().map(Node::heap_bytes).sum::<usize>() + ring_bytes(&nodes);
        Self { nodes, len, bytes }
    }

    fn insert(&mut self, index: usize, node: Node) {
        self.len += node.len();
        self.bytes += node.heap_bytes();
        self.bytes -= ring_bytes(&self.nodes);
        self.nodes.insert(index, node);
        self.bytes += ring_bytes(&self.nodes);
    }

    fn remove(&mut self, index: usize) -> Node {
        let node = self.nodes.remove(index).expect("a spot that is used is not stale");
        self.len -= node.len();
        self.bytes -= node.heap_bytes();
        node
    }
}

impl Nodes {
    /// Number of nodes.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// Number of elements.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes + self.chunks.capacity() * size_of::<Chunk>()
    }

    pub(super) fn node(&self, spot: Spot) -> &Node {
        &self.chunks[spot.chunk].nodes[spot.node]
    }

    /// The nodes from one on, first to last: chunks before it are passed over.
    pub(super) fn iter_from(&self, index: usize) -> impl Iterator<Item = &Node> {
        let mut left = index;
        let chunk = self.chunks.iter().position(|chunk| !pass(&mut left, chunk.nodes.len()));
        let chunks = self.chunks.range(chunk.unwrap_or(self.chunks.len())..);
        chunks.flat_map(|chunk| chunk.nodes.iter()).skip(left)
    }

    /// The spot of the node at an end.
    pub(super) fn end(&self, end: End) -> Option<Spot> {
        match end {
            End::Head => self.normalized(Spot { chunk: 0, node: 0 }),
            End::Tail => {
                let chunk = self.chunks.len().checked_sub(1)?;
                Some(Spot { chunk, node: self.chunks[chunk].nodes.len() - 1 })
            }
        }
    }

    /// The node next to another, away from an end.
    pub(super) fn next(&self, from: End, spot: Spot) -> Option<Spot> {
        match from {
            End::Head => self.normalized(Spot { node: spot.node + 1, ..spot }),
            End::Tail if spot.node > 0 => Some(Spot { node: spot.node - 1, ..spot }),
            End::Tail => {
                let chunk = spot.chunk.checked_sub(1)?;
                Some(Spot { chunk, node: self.chunks[chunk].nodes.len() - 1 })
            }
        }
    }

    /// The spot itself, or, if it is one behind the last node of its chunk, the first of the next chunk. `None` at the end.
    pub(super) fn normalized(&self, spot: Spot) -> Option<Spot> {
        let chunk = self.chunks.get(spot.chunk)?;
        if spot.node < chunk.nodes.len() {
            return Some(spot);
        }
        let next = Spot { chunk: spot.chunk + 1, node: 0 };
        (next.chunk < self.chunks.len()).then_some(next)
    }

    /// The node of an element, and the element's index in it.
    pub(super) fn find(&self, index: usize) -> Option<(Spot, usize)> {
        let behind = self.len.checked_sub(index)?;
        if behind == 0 {
            return None;
        }
        // Passes over what ends before the index, or, from the tail, what begins behind it.
        let chunk_before = |left: &mut usize, chunk: &Chunk| pass(left, chunk.len);
        let node_before = |left: &mut usize, node: &Node| pass(left, node.len());
        if index < behind {
            let mut left = index;
            let chunk = self.chunks.iter().position(|chunk| !chunk_before(&mut left, chunk))?;
            let node = self.chunks[chunk].nodes.iter().position(|node| !node_before(&mut left, node))?;
            return Some((Spot { chunk, node }, left));
        }
        let mut left = behind - 1;
        let chunk = self.chunks.iter().rposition(|chunk| !chunk_before(&mut left, chunk))?;
        let nodes = &self.chunks[chunk].nodes;
        let node = nodes.iter().rposition(|node| !node_before(&mut left, node))?;
        Some((Spot { chunk, node }, nodes[node].len() - 1 - left))
    }

    /// Whether a node has at least so many nodes between itself and each end.
    pub(super) fn is_inside(&self, spot: Spot, depth: usize) -> bool {
        let nodes_behind = self.chunks[spot.chunk].nodes.len() - 1 - spot.node;
        reaches(depth, spot.node, self.chunks.range(..spot.chunk).rev())
            && reaches(depth, nodes_behind, self.chunks.range(spot.chunk + 1..))
    }

    /// Changes a node, and counts what has changed. A node that is left empty must be removed at once.
    pub(super) fn edit<R>(&mut self, spot: Spot, change: impl FnOnce(&mut Node) -> R) -> R {
        let chunk = &mut self.chunks[spot.chunk];
        let node = &mut chunk.nodes[spot.node];
        let (len, bytes) = (node.len(), node.heap_bytes());
        let result = change(node);
        let (len_after, bytes_after) = (node.len(), node.heap_bytes());
        chunk.len = chunk.len - len + len_after;
        chunk.bytes = chunk.bytes - bytes + bytes_after;
        self.len = self.len - len + len_after;
        self.bytes = self.bytes - bytes + bytes_after;
        result
    }

    /// Puts a node at an end.
    pub(super) fn push(&mut self, end: End, node: Node) {
        let at_end = match end {
            End::Head => self.chunks.front(),
            End::Tail => self.chunks.back(),
        };
        if at_end.is_none_or(|chunk| chunk.nodes.len() >= CHUNK_NODES_MAX) {
            match end {
                End::Head => self.chunks.push_front(Chunk::default()),
                End::Tail => self.chunks.push_back(Chunk::default()),
            }
        }
        let chunk = if end == End::Head { 0 } else { self.chunks.len() - 1 };
        let index = if end == End::Head { 0 } else { self.chunks[chunk].nodes.len() };
        self.insert_into(Spot { chunk, node: index }, node);
    }

    /// Puts a node next to another, on the side that is away from an end; returns where.
    pub(super) fn insert_next(&mut self, from: End, spot: Spot, node: Node) -> Spot {
        let mut at = if from == End::Head { Spot { node: spot.node + 1, ..spot } } else { spot };
        if self.chunks[at.chunk].nodes.len() >= CHUNK_NODES_MAX {
            let half = self.chunks[at.chunk].nodes.len() / 2;
            let tail = self.split_chunk(at.chunk, half);
            self.bytes += tail.bytes;
            self.chunks.insert(at.chunk + 1, tail);
            if at.node > half {
                at = Spot { chunk: at.chunk + 1, node: at.node - half };
            }
        }
        self.insert_into(at, node);
        at
    }

    fn insert_into(&mut self, spot: Spot, node: Node) {
        let chunk = &mut self.chunks[spot.chunk];
        self.count += 1;
        self.len += node.len();
        self.bytes -= chunk.bytes;
        chunk.insert(spot.node, node);
        self.bytes += chunk.bytes;
    }

    /// Takes a node out. Its spot is then that of the one behind it, after [`Self::normalized`].
    pub(super) fn remove(&mut self, spot: Spot) -> Node {
        let chunk = &mut self.chunks[spot.chunk];
        self.bytes -= chunk.bytes;
        let node = chunk.remove(spot.node);
        if chunk.nodes.is_empty() {
            self.chunks.remove(spot.chunk);
        } else {
            self.bytes += chunk.bytes;
        }
        self.count -= 1;
        self.len -= node.len();
        node
    }

    /// Cuts a chunk before the node at `index`. What is cut off leaves the books of all nodes, and the rest of the chunk is
    /// counted anew.
    fn split_chunk(&mut self, chunk: usize, index: usize) -> Chunk {
        let chunk = &mut self.chunks[chunk];
        let tail = Chunk::of(chunk.nodes.split_off(index));
        self.bytes -= chunk.bytes;
        chunk.len -= tail.len;
        chunk.bytes -= tail.bytes - ring_bytes(&tail.nodes);
        self.bytes += chunk.bytes;
        tail
    }

    /// Cuts all nodes in two before a node; returns those from it on.
    pub(super) fn split_off(&mut self, spot: Spot) -> Self {
        let mut tail = Self::default();
        let whole_from = if spot.node == 0 {
            spot.chunk
        } else {
            let cut = self.split_chunk(spot.chunk, spot.node);
            // The books still have the elements and the nodes that were cut off, but not the bytes.
            self.bytes += cut.bytes;
            self.chunks.insert(spot.chunk + 1, cut);
            spot.chunk + 1
        };
        tail.chunks = self.chunks.split_off(whole_from);
        for chunk in &tail.chunks {
            tail.count += chunk.nodes.len();
            tail.len += chunk.len;
            tail.bytes += chunk.bytes;
        }
        self.count -= tail.count;
        self.len -= tail.len;
        self.bytes -= tail.bytes;
        tail
    }

    /// Appends the nodes of another list.
    pub(super) fn append(&mut self, mut other: Self) {
        self.count += other.count;
        self.len += other.len;
        self.bytes += other.bytes;
        self.chunks.append(&mut other.chunks);
    }

    /// Joins chunks that have become small, after nodes were removed all over the list.
    pub(super) fn join_chunks(&mut self) {
        let mut at = 0;
        while at + 1 < self.chunks.len() {
            if self.chunks[at].nodes.len() + self.chunks[at + 1].nodes.len() > CHUNK_NODES_MAX / 2 {
                at += 1;
                continue;
            }
            let mut next = self.chunks.remove(at + 1).expect("the index was compared with the length");
            let chunk = &mut self.chunks[at];
            self.bytes -= chunk.bytes + next.bytes;
            let mut nodes = std::mem::take(&mut chunk.nodes);
            nodes.append(&mut next.nodes);
            nodes.shrink_to_fit();
            *chunk = Chunk::of(nodes);
            self.bytes += chunk.bytes;
        }
    }

    /// Frees up to about so many nodes from the end; whether nothing is left.
    pub(super) fn free_some(&mut self, nodes_max: usize) -> bool {
        for _ in 0..nodes_max {
            let Some(last) = self.end(End::Tail) else { break };
            drop(self.remove(last));
        }
        self.count == 0
    }

    pub(super) fn check_invariants(&self) {
        let (mut count, mut len, mut bytes) = (0, 0, 0);
        for chunk in &self.chunks {
            assert!(!chunk.nodes.is_empty() && chunk.nodes.len() <= CHUNK_NODES_MAX);
            let counted = Chunk::of(chunk.nodes.clone());
            let heap_bytes = chunk.nodes.iter().map(Node::heap_bytes).sum::<usize>() + ring_bytes(&chunk.nodes);
            assert_eq!((counted.len, heap_bytes), (chunk.len, chunk.bytes));
            chunk.nodes.iter().for_each(Node::check_invariants);
            count += chunk.nodes.len();
            len += chunk.len;
            bytes += chunk.bytes;
        }
        assert_eq!((count, len, bytes), (self.count, self.len, self.bytes));
    }
}

/// Takes `len` off what is left, if there is as much; whether there was.
const fn pass(left: &mut usize, len: usize) -> bool {
    if *left < len {
        return false;
    }
    *left -= len;
    true
}

/// Whether there are at least `depth` nodes: `near` ones and those of some chunks.
fn reaches<'a>(depth: usize, near: usize, mut chunks: impl Iterator<Item = &'a Chunk>) -> bool {
    let mut nodes = near;
    while nodes < depth {
        match chunks.next() {
            Some(chunk) => nodes += chunk.nodes.len(),
            None => return false,
        }
    }
    true
}
