//! Trimming: removing the oldest entries, block by block.
//!
//! Approximate trimming removes whole blocks only, and stops at the first that must not go as a whole. Exact trimming
//! goes on in that block. Neither touches the blocks behind it, unless entries that are still referenced are passed over.

use super::sorted::Position;
use super::{References, Stream, StreamId};

/// Down to where a stream is trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrimTo {
    /// Until so many entries are left.
    MaxLen(u64),
    /// Until no entry has a smaller id.
    MinId(StreamId),
}

/// How a stream is trimmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trim {
    /// Down to where.
    pub to: TrimTo,
    /// `~`: whole blocks only.
    pub approximate: bool,
    /// The most entries to remove, if there is a limit; no block is begun that would exceed it.
    pub limit: Option<u64>,
    /// What to do about entries that groups still refer to.
    pub references: References,
}

/// What a part of a trimming did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Entries removed.
    pub removed: u64,
    /// Where the next part has to begin; none if all is done.
    pub next: Option<StreamId>,
}

impl Stream {
    /// Trims the stream; returns how many entries it removed.
    pub fn trim(&mut self, trim: Trim) -> u64 {
        self.trim_some(trim, StreamId::MIN, usize::MAX).removed
    }

    /// Trims the stream, but looks at `blocks_max` blocks at most. The first part begins at [`StreamId::MIN`], the others
    /// where the one before says: entries that are still referenced were passed over.
    pub fn trim_some(&mut self, trim: Trim, from: StreamId, blocks_max: usize) -> Trimmed {
        // Without groups there is nothing to refer to entries.
        let references = if self.groups.is_empty() { References::Keep } else { trim.references };
        let len_before = self.len;
        let mut position = self.blocks.lower_bound(from);
        let mut blocks = 0;
        let next = loop {
            let excess = self.excess_in(position, trim.to);
            if excess == 0 {
                break None;
            }
            if blocks == blocks_max {
                break Some(self.block(position).master());
            }
            blocks += 1;
            let live = u64::from(self.block(position).live());
            let removed = len_before - self.len;
            let whole = match trim.to {
                TrimTo::MaxLen(_) => excess == live,
                // Deleted entries count here, as they do in Redis.
                TrimTo::MinId(id) => self.block(position).last() < id,
            };
            if trim.limit.is_some_and(|limit| removed + live > limit) || (trim.approximate && !whole) {
                break None;
            }
            match references {
                References::Acknowledged => position = self.trim_acknowledged(position, trim.to),
                References::Remove => {
                    let ids: Vec<_> = self.block(position).iter().take(excess as usize).map(|met| met.id).collect();
                    for id in ids {
                        self.remove_references(id);
                    }
                    self.trim_front(excess);
                }
                References::Keep => self.trim_front(excess),
            }
        };
        Trimmed { removed: len_before - self.len, next }
    }

    /// How many entries of a block are to go.
    fn excess_in(&self, position: Position, to: TrimTo) -> u64 {
        let Some(block) = self.blocks.at(position) else { return 0 };
        let live = u64::from(block.live());
        match to {
            TrimTo::MaxLen(len) => self.len.saturating_sub(len).min(live),
            TrimTo::MinId(id) if block.last() < id => live,
            TrimTo::MinId(id) if block.first() >= id => 0,
            TrimTo::MinId(id) => block.iter().take_while(|met| met.id < id).count() as u64,
        }
    }

    /// Removes the first `count` entries of the first block.
    fn trim_front(&mut self, count: u64) {
        let first = Position::START;
        if count == u64::from(self.block(first).live()) {
            self.drop_block(first);
        } else {
            self.edit_block(first, |block| block.delete_first(count as u32));
            self.len -= count;
        }
    }

    /// Removes the entries of a block that may go and are not referenced; returns where to go on.
    fn trim_acknowledged(&mut self, position: Position, to: TrimTo) -> Position {
        let before = self.blocks.len();
        let next = self.block_behind(position);
        let ids: Vec<_> = self.block(position).iter().map(|met| met.id).collect();
        for id in ids {
            let beyond = match to {
                TrimTo::MaxLen(len) => self.len <= len,
                TrimTo::MinId(min_id) => id >= min_id,
            };
            if beyond {
                break;
            }
            if !self.is_referenced(id) {
                self.take_out(id);
            }
        }
        // A block less, and chunks may have merged: the place of the next one is looked up.
        match next {
            Some(id) if self.blocks.len() < before => self.blocks.lower_bound(id),
            _ => self.blocks.next(position),
        }
    }

    fn block_behind(&self, position: Position) -> Option<StreamId> {
        self.blocks.at(self.blocks.next(position)).map(super::block::Block::master)
    }
}
