//! Appending entries.

use super::block::{BYTES_MAX, Block};
use super::{NewId, Stream, StreamId, StreamLimits};
use crate::encoding::listpack::Item;
use crate::keyspace::UnixMillis;

/// Why an entry cannot be appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// The id was to be 0-0, which is no entry's.
    Zero,
    /// The last id is the largest there is.
    Exhausted,
    /// The id is not larger than the last one; for `ms-*`, the millisecond is past or has no number left.
    NotLarger,
    /// The texts have too many bytes together.
    TooLarge,
}

impl Stream {
    /// The id that a new entry would get.
    pub fn next_id(&self, id: NewId, now: UnixMillis) -> Result<StreamId, AppendError> {
        let last = self.last_id;
        if id == NewId::Exact(StreamId::MIN) {
            return Err(AppendError::Zero);
        }
        if last == StreamId::MAX {
            return Err(AppendError::Exhausted);
        }
        let id = match id {
            NewId::Exact(id) => id,
            NewId::AutoSeq(ms) if ms == last.ms => {
                StreamId::new(ms, last.seq.checked_add(1).ok_or(AppendError::NotLarger)?)
            }
            NewId::AutoSeq(ms) => StreamId::new(ms, 0),
            NewId::Auto => match u64::try_from(now.0) {
                Ok(ms) if ms > last.ms => StreamId::new(ms, 0),
                _ => last.next().ok_or(AppendError::Exhausted)?,
            },
        };
        if id > last { Ok(id) } else { Err(AppendError::NotLarger) }
    }

    /// Appends an entry; returns its id.
    pub fn append<'f>(
        &mut self,
        id: NewId,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8])> + Clone,
        now: UnixMillis,
        limits: StreamLimits,
    ) -> Result<StreamId, AppendError> {
        let id = self.next_id(id, now)?;
        let text_bytes = fields.clone().map(|(name, value)| name.len() + value.len()).sum();
        if text_bytes > BYTES_MAX {
            return Err(AppendError::TooLarge);
        }
        let fields = fields.map(|(name, value)| (Item::Bytes(name), Item::Bytes(value)));
        match self.blocks.last_position() {
            Some(tail) if self.blocks.last().is_some_and(|block| block.has_room(text_bytes, limits)) => {
                self.edit_block(tail, |block| block.append(id, fields));
            }
            tail => {
                if let Some(tail) = tail {
                    self.edit_block(tail, Block::seal);
                }
                let block = Block::new(id, fields);
                self.block_bytes += block.heap_bytes();
                self.blocks.push(block);
            }
        }
        self.len += 1;
        self.entries_added += 1;
        self.last_id = id;
        Ok(id)
    }
}
