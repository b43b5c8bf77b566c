//! Blocks: up to some hundred entries of a stream, packed.
//!
//! ```text
//! data     ┌────────┬─────────┬─ ─ ┬─────────┬─────────┬─ ─       the fields of the entry that began the block come
//!          │ fields │ field 0 │    │ entry 0 │ entry 1 │          first: entries with the same ones have values alone
//!          └────────┴─────────┴─ ─ ┴─────────┴─────────┴─ ─
//!
//! entry    ┌────────────────┬─────────┬──────────┬─────────────────────────┐
//!          │ size and flags │ ms step │ seq step │ values                  │   with the fields of the block
//!          └────────────────┴─────────┴──────────┴─────────────────────────┘
//!          ┌────────────────┬─────────┬──────────┬────────┬────────────────┐
//!          │ size and flags │ ms step │ seq step │ fields │ field, value…  │   with fields of its own
//!          └────────────────┴─────────┴──────────┴────────┴────────────────┘
//!
//! size and flags   bytes of the entry behind it, times four, plus 1 if it is deleted, plus 2 if it has the block's fields
//! ms step          milliseconds since the entry before
//! seq step         its sequence number if the ms step is not zero; else how many numbers are left out since the one before
//! field, value     an element of a listpack without the length that goes behind it there
//! numbers          seven bits a byte, the lowest first; all but the last byte have the top bit set
//! ```
//!
//! Redis keeps the same data in a listpack: there an entry of three short values takes 22 bytes, here 14. The difference is
//! what a listpack has to be walked backwards and to be read without knowledge of its contents. A block is walked
//! forwards only (the size takes it from one entry to the next in one step); to be read backwards, the places of its
//! entries are collected first. The listpack is made when a block is written to RDB (`listpack.rs`), which costs less
//! than the compression that follows there.
//!
//! A block fills up exactly where Redis's would, since clients can see where blocks end (`XTRIM ~` removes whole ones):
//! [`Block::has_room`] therefore counts the bytes that the listpack would have.
//!
//! Deletion sets a flag. Deleted entries in front are stepped over for good by moving the place of the first entry, and
//! when most of the entries are deleted, the block is written anew without them.

use super::StreamId;
use super::entry::{Entry, Fields, NUMBER_BYTES_MAX, put_number, take_element, take_number};
use super::sorted::Record;
use crate::encoding::listpack::{self, Encoded, Item};

const DELETED: u64 = 1;
const SAME_FIELDS: u64 = 2;
const FLAG_BITS: u32 = 2;

/// The largest listpack Redis makes of a block, and the most bytes that the texts of an entry may have together.
pub(super) const BYTES_MAX: usize = listpack::BYTES_MAX;

/// With so few deleted entries a block is not written anew.
const DEAD_KEPT: u32 = 15;

/// When a block is full (the directives `stream-node-max-bytes` and `stream-node-max-entries`); zero is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Bytes of the block, as a listpack.
    pub block_bytes_max: usize,
    /// Entries in the block.
    pub block_entries_max: usize,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self { block_bytes_max: 4096, block_entries_max: 100 }
    }
}

/// Entries of a stream, packed. There is always at least one that is not deleted.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// The id of the entry that began the block: what the listpack's ids are relative to.
    master: StreamId,
    /// The id of the first entry that is not deleted.
    first: StreamId,
    /// The id of the last entry, deleted or not.
    last: StreamId,
    data: Vec<u8>,
    /// Where the first entry that is not deleted begins.
    first_at: u32,
    /// Entries that are not deleted.
    live: u32,
    /// Entries in `data` that are deleted or lie before the first.
    dead: u32,
    /// Entries that were ever deleted. In Redis they stay in the block and take up room.
    deleted: u32,
    /// Bytes of the listpack without its two counters; they grow only, as deletion leaves the entries there.
    listpack_bytes: u32,
}

impl Record for Block {
    type Key = StreamId;

    fn key(&self) -> StreamId {
        self.master
    }
}

/// An entry of a block as the walk meets it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Met<'a> {
    pub id: StreamId,
    /// Where it begins.
    at: usize,
    deleted: bool,
    same_fields: bool,
    body: &'a [u8],
}

impl Met<'_> {
    pub const fn is_live(self) -> bool {
        !self.deleted
    }

    pub const fn has_block_fields(self) -> bool {
        self.same_fields
    }
}

impl Block {
    /// A block that begins with this entry.
    pub fn new<'f>(id: StreamId, fields: impl Iterator<Item = (Item<'f>, Item<'f>)> + Clone) -> Self {
        let mut block = Self::begin(id, fields.clone().map(|(name, _)| name));
        block.append(id, fields);
        block.seal();
        block
    }

    /// A block that has fields, but no entry yet: one must be appended before anything else is done.
    pub fn begin<'f>(master: StreamId, names: impl Iterator<Item = Item<'f>> + Clone) -> Self {
        let mut data = Vec::new();
        let count = names.clone().count();
        put_number(&mut data, count as u64);
        // Behind the fields the listpack has a zero where entries have their length.
        let mut listpack_bytes = listpack::EMPTY_BYTES + int_bytes(count as i64) + int_bytes(0);
        for element in names.map(Encoded::item) {
            element.append_body(&mut data);
            listpack_bytes += element.len();
        }
        Self {
            master,
            first: master,
            last: master,
            first_at: data.len() as u32,
            data,
            live: 0,
            dead: 0,
            deleted: 0,
            listpack_bytes: listpack_bytes as u32,
        }
    }

    /// The block as it is if its listpack had so many bytes, and so many entries that were deleted.
    pub fn with_deleted(mut self, deleted: usize, listpack_bytes: usize) -> Self {
        self.deleted = deleted as u32;
        self.listpack_bytes = listpack_bytes.saturating_sub(self.counter_bytes()) as u32;
        self
    }

    /// Bytes that the listpack has in Redis, where deleted entries stay in it.
    pub fn listpack_bytes(&self) -> usize {
        self.listpack_bytes as usize + self.counter_bytes()
    }

    /// Bytes of the two counters in front.
    fn counter_bytes(&self) -> usize {
        int_bytes(i64::from(self.live)) + int_bytes(i64::from(self.deleted))
    }

    /// Whether an entry whose texts have so many bytes goes into this block, rather than into one of its own.
    pub fn has_room(&self, text_bytes: usize, limits: StreamLimits) -> bool {
        let bytes_max = match limits.block_bytes_max {
            0 => BYTES_MAX,
            bytes => bytes.min(BYTES_MAX),
        };
        let entries_max = limits.block_entries_max;
        self.listpack_bytes() + text_bytes < bytes_max
            && (entries_max == 0 || ((self.live + self.deleted) as usize) < entries_max)
    }

    /// Appends an entry with an id behind all others.
    pub fn append<'f>(&mut self, id: StreamId, fields: impl Iterator<Item = (Item<'f>, Item<'f>)> + Clone) {
        let (count, names) = self.fields();
        let mut names_rest = names;
        let same_fields =
            fields.clone().count() == count && fields.clone().all(|(name, _)| take_element(&mut names_rest) == name);
        let at = self.data.len();
        self.data.push(0);
        if self.live == 0 {
            (self.first, self.last) = (id, id);
        }
        self.put_steps(self.last, id);
        let mut listpack_bytes = int_bytes(2)
            + int_bytes(id.ms.wrapping_sub(self.master.ms) as i64)
            + int_bytes(id.seq.wrapping_sub(self.master.seq) as i64);
        if !same_fields {
            let count = fields.clone().count();
            put_number(&mut self.data, count as u64);
            listpack_bytes += int_bytes(count as i64);
        }
        let mut elements = 0;
        for (name, value) in fields {
            if !same_fields {
                let element = Encoded::item(name);
                element.append_body(&mut self.data);
                listpack_bytes += element.len();
                elements += 1;
            }
            let element = Encoded::item(value);
            element.append_body(&mut self.data);
            listpack_bytes += element.len();
            elements += 1;
        }
        listpack_bytes += int_bytes(elements + if same_fields { 3 } else { 4 });
        self.close_entry(at, if same_fields { SAME_FIELDS } else { 0 });
        self.listpack_bytes += listpack_bytes as u32;
        self.last = id;
        self.live += 1;
    }

    /// Makes room for entries of so many bytes.
    pub fn reserve(&mut self, bytes: usize) {
        self.data.reserve(bytes);
    }

    /// Gives back the room for more entries.
    pub fn seal(&mut self) {
        self.data.shrink_to_fit();
    }

    /// Marks an entry as deleted. False if there is none with this id. The last one cannot be deleted: then the block goes.
    pub fn delete(&mut self, id: StreamId) -> bool {
        let Some(met) = self.find(id) else { return false };
        let at = met.at;
        debug_assert!(self.live > 1);
        self.data[at] |= DELETED as u8;
        self.count_deleted(1);
        if id == self.first {
            self.skip_deleted();
        }
        self.tidy();
        true
    }

    /// Deletes the first `count` entries, which are not all.
    pub fn delete_first(&mut self, count: u32) {
        debug_assert!(count < self.live);
        let keep = self.iter().nth(count as usize).expect("there are more entries");
        (self.first, self.first_at) = (keep.id, keep.at as u32);
        self.count_deleted(count);
        self.tidy();
    }

    /// The entry with this id, if it is not deleted.
    pub fn find(&self, id: StreamId) -> Option<Met<'_>> {
        if id < self.first || id > self.last {
            return None;
        }
        self.walk().find(|met| met.id >= id).filter(|met| met.id == id && met.is_live())
    }

    /// The entries that are not deleted.
    pub fn iter(&self) -> impl Iterator<Item = Met<'_>> + Clone {
        self.walk().filter(|met| met.is_live())
    }

    pub fn walk(&self) -> Walk<'_> {
        Walk { data: &self.data, at: self.first_at as usize, before: Before::First(self.first) }
    }

    /// The entry that was met, with its fields.
    pub fn entry<'a>(&'a self, met: Met<'a>) -> Entry<'a> {
        let mut values = met.body;
        let fields = if met.same_fields {
            let (count, names) = self.fields();
            Fields::new(count, Some(names), values)
        } else {
            let count = take_number(&mut values) as usize;
            Fields::new(count, None, values)
        };
        Entry::new(met.id, fields)
    }

    /// The fields of the block.
    pub fn field_names(&self) -> impl ExactSizeIterator<Item = Item<'_>> {
        let (count, mut names) = self.fields();
        (0..count).map(move |_| take_element(&mut names))
    }

    pub const fn master(&self) -> StreamId {
        self.master
    }

    pub const fn first(&self) -> StreamId {
        self.first
    }

    pub const fn last(&self) -> StreamId {
        self.last
    }

    /// Number of entries that are not deleted.
    pub const fn live(&self) -> u32 {
        self.live
    }

    pub fn heap_bytes(&self) -> usize {
        self.data.capacity()
    }

    /// How many fields the block has, and where they begin.
    fn fields(&self) -> (usize, &[u8]) {
        let mut names = &self.data[..];
        let count = take_number(&mut names) as usize;
        (count, names)
    }

    fn put_steps(&mut self, before: StreamId, id: StreamId) {
        let ms_step = id.ms - before.ms;
        put_number(&mut self.data, ms_step);
        // The first entry of a block has no step. What stands there is never read.
        let seq_step = if ms_step == 0 { id.seq.saturating_sub(before.seq).saturating_sub(1) } else { id.seq };
        put_number(&mut self.data, seq_step);
    }

    /// Writes the size of the entry that begins at `at` and is complete but for that: one byte was left for it.
    fn close_entry(&mut self, at: usize, flags: u64) {
        let head = ((self.data.len() - at - 1) as u64) << FLAG_BITS | flags;
        if head < 0x80 {
            self.data[at] = head as u8;
            return;
        }
        let mut bytes = Vec::with_capacity(NUMBER_BYTES_MAX);
        put_number(&mut bytes, head);
        self.data.splice(at..=at, bytes);
    }

    fn count_deleted(&mut self, count: u32) {
        self.live -= count;
        self.dead += count;
        self.deleted += count;
    }

    /// Moves the first entry behind those that are deleted.
    fn skip_deleted(&mut self) {
        let first = self.iter().next().expect("a block without entries is dropped");
        (self.first, self.first_at) = (first.id, first.at as u32);
    }

    /// Writes the block anew if most of its entries are deleted.
    fn tidy(&mut self) {
        if self.dead > self.live.max(DEAD_KEPT) {
            self.rewrite();
        }
    }

    /// Writes the block anew without its deleted entries.
    pub fn rewrite(&mut self) {
        let (count, mut names) = self.fields();
        for _ in 0..count {
            take_element(&mut names);
        }
        let entries_at = self.data.len() - names.len();
        let old = self.clone();
        self.data.truncate(entries_at);
        let mut before = old.first;
        for met in old.iter() {
            let at = self.data.len();
            self.data.push(0);
            self.put_steps(before, met.id);
            self.data.extend_from_slice(met.body);
            self.close_entry(at, if met.same_fields { SAME_FIELDS } else { 0 });
            before = met.id;
        }
        self.first_at = entries_at as u32;
        self.dead = 0;
        // What was deleted last of all is forgotten here: later steps must start from what is left.
        self.last = before;
        self.data.shrink_to_fit();
    }

    pub fn check_invariants(&self) {
        assert!(self.master <= self.first && self.first <= self.last && self.live > 0);
        assert_eq!(self.iter().count(), self.live as usize);
        assert_eq!(self.iter().next().map(|met| met.id), Some(self.first));
        assert_eq!(self.walk().last().map(|met| met.id), Some(self.last));
        assert!(self.walk().count() - self.live as usize <= self.dead as usize);
        assert!(self.walk().zip(self.walk().skip(1)).all(|(one, next)| one.id < next.id));
        for met in self.walk() {
            let fields = self.entry(met).fields();
            let end = fields.clone().count();
            assert_eq!(end, fields.len());
        }
    }
}

/// What the id of the next entry follows from.
#[derive(Clone, Copy, Debug)]
enum Before {
    /// It is known: this is the first entry.
    First(StreamId),
    /// A step from this one.
    Entry(StreamId),
}

/// A walk over the entries of a block, deleted ones included.
#[derive(Clone, Debug)]
pub(super) struct Walk<'a> {
    data: &'a [u8],
    at: usize,
    before: Before,
}

impl<'a> Iterator for Walk<'a> {
    type Item = Met<'a>;

    #[inline]
    fn next(&mut self) -> Option<Met<'a>> {
        let at = self.at;
        let mut rest = self.data.get(at..).filter(|rest| !rest.is_empty())?;
        let head = take_number(&mut rest);
        let size = (head >> FLAG_BITS) as usize;
        self.at = self.data.len() - rest.len() + size;
        let mut body = &rest[..size];
        let (ms_step, seq_step) = (take_number(&mut body), take_number(&mut body));
        let id = match self.before {
            Before::First(id) => id,
            Before::Entry(id) if ms_step == 0 => StreamId::new(id.ms, id.seq + 1 + seq_step),
            Before::Entry(id) => StreamId::new(id.ms + ms_step, seq_step),
        };
        self.before = Before::Entry(id);
        Some(Met { id, at, deleted: head & DELETED != 0, same_fields: head & SAME_FIELDS != 0, body })
    }
}

/// How many bytes an integer takes in a listpack.
fn int_bytes(number: i64) -> usize {
    Encoded::int(number).len()
}
