//! The stream itself: its blocks, its counters, its groups by name.

use super::block::Block;
use super::entry::Entry;
use super::groups::Groups;
use super::sorted::{Position, Sorted};
use super::{BlockRef, Group, Range, RangeReverse, StreamId};

/// A view of a stream.
pub type StreamRef<'a> = &'a Stream;

/// A stream.
#[derive(Debug, Default)]
pub struct Stream {
    pub(super) blocks: Sorted<Block>,
    /// Bytes of heap memory of all blocks.
    pub(super) block_bytes: usize,
    pub(super) len: u64,
    pub(super) last_id: StreamId,
    pub(super) max_deleted_id: StreamId,
    pub(super) entries_added: u64,
    pub(super) groups: Groups,
}

/// Why XSETID is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetIdError {
    /// The id is smaller than the largest that was deleted.
    BelowMaxDeleted,
    /// The id is smaller than that of the last entry.
    BelowTop,
    /// Fewer entries than there are would ever have been added.
    AddedBelowLength,
}

impl Stream {
    /// A stream without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// What OBJECT ENCODING calls it.
    pub const fn encoding(&self) -> &'static str {
        "stream"
    }

    /// Number of entries.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has no entries. Such a stream still exists.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The id of the last entry that was ever added, or what XSETID made of it.
    pub const fn last_id(&self) -> StreamId {
        self.last_id
    }

    /// The id of the first entry; [`StreamId::MIN`] if there is none.
    pub fn first_id(&self) -> StreamId {
        self.blocks.first().map_or(StreamId::MIN, Block::first)
    }

    /// The largest id of an entry that was deleted other than by trimming.
    pub const fn max_deleted_id(&self) -> StreamId {
        self.max_deleted_id
    }

    /// How many entries were ever added.
    pub const fn entries_added(&self) -> u64 {
        self.entries_added
    }

    /// The entry with this id.
    pub fn entry(&self, id: StreamId) -> Option<Entry<'_>> {
        let block = self.blocks.at(self.blocks.floor(id)?)?;
        block.find(id).map(|met| block.entry(met))
    }

    /// Whether there is an entry with this id.
    pub fn contains(&self, id: StreamId) -> bool {
        self.blocks
            .floor(id)
            .and_then(|position| self.blocks.at(position))
            .is_some_and(|block| block.find(id).is_some())
    }

    /// The first entry.
    pub fn first(&self) -> Option<Entry<'_>> {
        self.range(StreamId::MIN, StreamId::MAX).next()
    }

    /// The last entry.
    pub fn last(&self) -> Option<Entry<'_>> {
        self.range_reverse(StreamId::MIN, StreamId::MAX).next()
    }

    /// The entries whose ids are within these bounds, both included.
    pub fn range(&self, start: StreamId, end: StreamId) -> Range<'_> {
        Range::new(&self.blocks, start, end)
    }

    /// The same entries from the last to the first.
    pub fn range_reverse(&self, start: StreamId, end: StreamId) -> RangeReverse<'_> {
        RangeReverse::new(&self.blocks, start, end)
    }

    /// Number of blocks: what XINFO STREAM calls keys of the radix tree.
    pub const fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// The blocks in their order, for saving the stream.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = BlockRef<'_>> {
        Blocks { rest: self.blocks.iter().map(BlockRef as fn(_) -> _), left: self.blocks.len() }
    }

    /// XSETID: sets the last id, and the other counters if they are given.
    pub fn set_last_id(
        &mut self,
        last_id: StreamId,
        entries_added: Option<u64>,
        max_deleted_id: Option<StreamId>,
    ) -> Result<(), SetIdError> {
        if last_id < self.max_deleted_id {
            return Err(SetIdError::BelowMaxDeleted);
        }
        if self.last().is_some_and(|last| last_id < last.id) {
            return Err(SetIdError::BelowTop);
        }
        if self.len > 0 && entries_added.is_some_and(|added| added < self.len) {
            return Err(SetIdError::AddedBelowLength);
        }
        // Deleted entries at the end of the last block may have larger ids than what is going to follow now.
        if let Some(tail) = self.blocks.last_position().filter(|&tail| self.block(tail).last() > last_id) {
            self.edit_block(tail, Block::rewrite);
        }
        self.last_id = last_id;
        self.entries_added = entries_added.unwrap_or(self.entries_added);
        self.max_deleted_id = max_deleted_id.unwrap_or(self.max_deleted_id);
        Ok(())
    }

    /// The groups, in the order of their names.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = (&[u8], &Group)> {
        self.groups.iter()
    }

    /// A group.
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.get(name)
    }

    /// Changes a group; returns what the change does, none if there is no such group.
    pub fn edit_group<R>(&mut self, name: &[u8], change: impl FnOnce(&mut Group) -> R) -> Option<R> {
        Some(self.groups.lend(name)?.edit(change))
    }

    /// Creates a group that will deliver what is behind `last_id`. False if there is one of this name.
    pub fn create_group(&mut self, name: &[u8], last_id: StreamId, entries_read: Option<u64>) -> bool {
        if self.groups.get(name).is_some() {
            return false;
        }
        self.groups.insert(name, Group::new(last_id, entries_read));
        true
    }

    /// Takes a group out. If it is large, the caller frees it in slices ([`Group::free_some`]).
    pub fn remove_group(&mut self, name: &[u8]) -> Option<Group> {
        self.groups.remove(name)
    }

    pub(super) fn block(&self, position: Position) -> &Block {
        self.blocks.at(position).expect("the caller found a block there")
    }

    /// Changes a block, and keeps account of its memory.
    pub(super) fn edit_block(&mut self, position: Position, change: impl FnOnce(&mut Block)) {
        self.blocks.edit(position, |block| {
            self.block_bytes -= block.heap_bytes();
            change(block);
            self.block_bytes += block.heap_bytes();
        });
    }

    /// Bytes of heap memory, all in but the `Stream` itself.
    pub fn heap_bytes(&self) -> usize {
        self.block_bytes + self.blocks.heap_bytes() + self.groups.bytes()
    }

    /// Frees up to about `budget` blocks and records of the stream, whose value is of no more use; returns how many. There
    /// is nothing left to free when it returns less than `budget`.
    pub fn free_some(&mut self, budget: usize) -> usize {
        let mut freed = self.blocks.free_some(budget);
        freed += self.groups.free_some(budget - freed);
        (self.len, self.block_bytes) = (0, 0);
        freed
    }

    /// Checks everything that must hold.
    pub fn check_invariants(&self) {
        self.blocks.check_invariants();
        let blocks = self.blocks.iter();
        assert_eq!(self.len, blocks.clone().map(|block| u64::from(block.live())).sum());
        assert_eq!(self.block_bytes, blocks.clone().map(Block::heap_bytes).sum());
        blocks.clone().for_each(Block::check_invariants);
        assert!(blocks.clone().zip(blocks.skip(1)).all(|(one, next)| one.last() < next.master()));
        assert!(self.blocks.last().is_none_or(|block| block.last() <= self.last_id));
        assert!(self.entries_added >= self.len);
        self.groups.check_invariants();
    }
}

impl Clone for Stream {
    fn clone(&self) -> Self {
        let blocks = self.blocks.clone();
        // The copies have no room to spare, so they may be smaller.
        let block_bytes = blocks.iter().map(Block::heap_bytes).sum();
        Self { blocks, block_bytes, groups: self.groups.clone(), ..*self }
    }
}

/// Streams are equal when their entries, counters and groups are, however the entries are packed.
impl PartialEq for Stream {
    fn eq(&self, other: &Self) -> bool {
        let counters = |stream: &Self| (stream.len, stream.last_id, stream.max_deleted_id, stream.entries_added);
        let entries = |stream| Self::range(stream, StreamId::MIN, StreamId::MAX);
        counters(self) == counters(other) && self.groups == other.groups && entries(self).eq(entries(other))
    }
}

impl Eq for Stream {}

/// An iterator of known length.
struct Blocks<I> {
    rest: I,
    left: usize,
}

impl<I: Iterator> Iterator for Blocks<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let next = self.rest.next()?;
        self.left -= 1;
        Some(next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<I: Iterator> ExactSizeIterator for Blocks<I> {}
