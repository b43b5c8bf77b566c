//! Blocks as Redis has them in RDB: a listpack each, under the id of the entry that began the block.
//!
//! ```text
//! ┌──────┬─────────┬────────┬──────────┬───┐┌───────┬────┬─────┬──────────────────────┬────────┐┌─ ─
//! │ live │ deleted │ fields │ field …  │ 0 ││ flags │ ms │ seq │ values …             │ length ││
//! └──────┴─────────┴────────┴──────────┴───┘└───────┴────┴─────┴──────────────────────┴────────┘└─ ─
//!                                           ┌───────┬────┬─────┬────────┬─────────────┬────────┐
//!   what all entries share                  │ flags │ ms │ seq │ fields │ field value │ length │  if not the same fields
//!                                           └───────┴────┴─────┴────────┴─────────────┴────────┘
//! ```
//!
//! Every cell is an element of the listpack. Flag 1 is a deleted entry, flag 2 one with the fields of the block; `ms` and
//! `seq` are differences from the block's id; `length` is the number of elements of the entry before it, so that Redis
//! finds its beginning from behind.
//!
//! Deleted entries are left out when a block is written, and dropped when one is read: nothing but their place is left of
//! them, and nobody asks for that.

use super::block::Block;
use super::sorted::Record;
use super::{Malformed, StreamId};
use crate::encoding::listpack::{self, Item};

const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;

/// A look at a block, for saving it.
#[derive(Clone, Copy, Debug)]
pub struct BlockRef<'a>(pub(super) &'a Block);

impl BlockRef<'_> {
    /// The id that the ids in the listpack are relative to; RDB keys the listpack with its 16 bytes.
    pub fn id(self) -> StreamId {
        self.0.key()
    }

    /// Number of entries.
    #[expect(clippy::len_without_is_empty, reason = "no block is empty")]
    pub fn len(self) -> usize {
        self.0.live() as usize
    }

    /// Writes the block as a listpack; `out` is cleared first and can be reused.
    pub fn write_listpack(self, out: &mut Vec<u8>) {
        let block = self.0;
        out.clear();
        out.extend_from_slice(&listpack::create());
        let names = block.field_names();
        let names_count = names.len() as i64;
        for number in [i64::from(block.live()), 0, names_count] {
            listpack::push_back_int(out, number);
        }
        for name in names {
            listpack::push_back_item(out, name);
        }
        listpack::push_back_int(out, 0);
        for met in block.iter() {
            let entry = block.entry(met);
            let same_fields = met.has_block_fields();
            listpack::push_back_int(out, if same_fields { SAME_FIELDS } else { 0 });
            listpack::push_back_int(out, met.id.ms.wrapping_sub(block.key().ms) as i64);
            listpack::push_back_int(out, met.id.seq.wrapping_sub(block.key().seq) as i64);
            let count = entry.fields().len() as i64;
            if !same_fields {
                listpack::push_back_int(out, count);
            }
            for (name, value) in entry.fields() {
                if !same_fields {
                    listpack::push_back_item(out, name);
                }
                listpack::push_back_item(out, value);
            }
            listpack::push_back_int(out, if same_fields { 3 + count } else { 4 + 2 * count });
        }
    }
}

/// Reads a block from a listpack of any origin. None if all its entries are deleted.
pub(super) fn read_block(master: StreamId, bytes: &[u8]) -> Result<Option<Block>, Malformed> {
    let mut elements = Elements { rest: listpack::validate(bytes).map_err(|_| Malformed)?.iter() };
    let live = elements.count()?;
    let deleted = elements.count()?;
    let names_count = elements.count()?;
    let names = elements.items(names_count)?;
    if elements.int()? != 0 {
        return Err(Malformed);
    }
    let mut block = Block::begin(master, names.iter().copied());
    // Entries take less than in a listpack, nearly always.
    block.reserve(bytes.len());
    let (mut live_seen, mut deleted_seen) = (0, 0);
    let mut last = None;
    let mut fields = Vec::new();
    while let Some(flags) = elements.next_int()? {
        let id = elements.id(master)?;
        if id < master || last.is_some_and(|last| id <= last) {
            return Err(Malformed);
        }
        last = Some(id);
        fields.clear();
        let elements_before_length = if flags & SAME_FIELDS == 0 {
            let count = elements.count()?;
            for _ in 0..count {
                fields.push((elements.item()?, elements.item()?));
            }
            4 + 2 * count
        } else {
            for name in &names {
                fields.push((*name, elements.item()?));
            }
            3 + names_count
        };
        if elements.count()? != elements_before_length || flags & !(DELETED | SAME_FIELDS) != 0 {
            return Err(Malformed);
        }
        if flags & DELETED != 0 {
            deleted_seen += 1;
            continue;
        }
        live_seen += 1;
        block.append(id, fields.iter().copied());
    }
    if live != live_seen || deleted != deleted_seen {
        return Err(Malformed);
    }
    block.seal();
    Ok((live > 0).then(|| block.with_deleted(deleted, bytes.len())))
}

/// The elements of a listpack from outside, each of the kind that must come next.
struct Elements<'a> {
    rest: listpack::Iter<'a>,
}

impl<'a> Elements<'a> {
    fn item(&mut self) -> Result<Item<'a>, Malformed> {
        self.rest.next().ok_or(Malformed)
    }

    /// As many items as are claimed. Their number is believed only as far as they are there.
    fn items(&mut self, count: usize) -> Result<Vec<Item<'a>>, Malformed> {
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(self.item()?);
        }
        Ok(items)
    }

    fn int(&mut self) -> Result<i64, Malformed> {
        self.item()?.as_int().ok_or(Malformed)
    }

    fn next_int(&mut self) -> Result<Option<i64>, Malformed> {
        self.rest.next().map(|item| item.as_int().ok_or(Malformed)).transpose()
    }

    fn count(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.int()?).map_err(|_| Malformed)
    }

    fn id(&mut self, master: StreamId) -> Result<StreamId, Malformed> {
        let (ms, seq) = (self.int()?, self.int()?);
        Ok(StreamId::new(master.ms.wrapping_add(ms as u64), master.seq.wrapping_add(seq as u64)))
    }
}
