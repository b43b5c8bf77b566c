//! Ranges of entries, forwards and backwards.

use super::StreamId;
use super::block::{Block, Met, Walk};
use super::entry::Entry;
use super::sorted::{Position, Sorted};

/// The entries of a range, from the first to the last.
#[derive(Clone, Debug)]
pub struct Range<'a> {
    blocks: &'a Sorted<Block>,
    /// The block that is walked.
    position: Position,
    walk: Option<(&'a Block, Walk<'a>)>,
    start: StreamId,
    end: StreamId,
}

impl<'a> Range<'a> {
    pub(super) fn new(blocks: &'a Sorted<Block>, start: StreamId, end: StreamId) -> Self {
        let position = blocks.floor(start).unwrap_or(Position::START);
        let walk = blocks.at(position).map(|block| (block, block.walk()));
        Self { blocks, position, walk, start, end }
    }

    fn enter_next_block(&mut self) {
        self.position = self.blocks.next(self.position);
        self.walk = self.blocks.at(self.position).map(|block| (block, block.walk()));
    }
}

impl<'a> Iterator for Range<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let (block, walk) = self.walk.as_mut()?;
            let block: &'a Block = block;
            if block.first() > self.end {
                self.walk = None;
                return None;
            }
            // What lies before the start wholly needs no walk: a reader at the end of the stream meets this each time.
            let met =
                if block.last() < self.start { None } else { walk.find(|met| met.id >= self.start && met.is_live()) };
            match met {
                Some(met) if met.id <= self.end => return Some(block.entry(met)),
                Some(_) => self.walk = None,
                None => self.enter_next_block(),
            }
        }
    }
}

/// The entries of a range, from the last to the first.
#[derive(Clone, Debug)]
pub struct RangeReverse<'a> {
    blocks: &'a Sorted<Block>,
    /// The block after the one to be walked next.
    position: Option<Position>,
    /// What is left of a block, the last entry last.
    block: Option<&'a Block>,
    entries: Vec<Met<'a>>,
    start: StreamId,
    end: StreamId,
}

impl<'a> RangeReverse<'a> {
    pub(super) fn new(blocks: &'a Sorted<Block>, start: StreamId, end: StreamId) -> Self {
        let position = blocks.floor(end);
        Self { blocks, position, block: None, entries: Vec::new(), start, end }
    }
}

impl<'a> Iterator for RangeReverse<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            if let (Some(met), Some(block)) = (self.entries.pop(), self.block) {
                return Some(block.entry(met));
            }
            let block = self.blocks.at(self.position?)?;
            if block.last() < self.start {
                self.position = None;
                return None;
            }
            self.position = self.blocks.previous(self.position?);
            self.block = Some(block);
            let (start, end) = (self.start, self.end);
            self.entries.extend(block.iter().skip_while(|met| met.id < start).take_while(|met| met.id <= end));
        }
    }
}
