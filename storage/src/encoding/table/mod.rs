//! The table: finds the block of a key, and owns all blocks of a database.
//!
//! ```text
//! hash   63 ......... | ................ | ........
//!        directory       position in the
//!        index           segment, 14 bits
//!            │                 │
//!  directory │                 │
//!  ┌───┬───┬─▼─┬───┐           │
//!  │ 0 │ 0 │ 2 │ 1 │  segment numbers; a segment of depth d stands 2^(bits-d) times in a row
//!  └───┴───┴─┬─┴───┘           │
//!   segments │                 │
//!            └────► lines ─────▼──► 12 tags and handles ──► block
//! ```
//!
//! This is extendible hashing on the high bits of the hash, with segments of up to about 1,300 entries. A segment grows
//! in steps on its own ([`segment`]), and splits in two when it is large: no single insertion does more than that, and
//! memory never doubles. A segment that has become nearly empty shrinks, or merges with its sibling.
//!
//! Since segments and lines are both in the order of the hash, a position in the hash space is a scan cursor that stays
//! valid through every split and merge ([`walk`]).
//!
//! A look-up costs the line and the block; directory, segments and page addresses are small enough to stay in the caches.
//!
//! # Earliest expiries
//!
//! Beside the segments lies an array with a lower bound of the expiries in each. A sweep passes over it at one compare a
//! segment, and reads only segments in which something may be due.
//!
//! # Safety
//!
//! Two invariants carry the unsafe code of this module and its children. Each slot in use holds a handle that is live in
//! this table's slab, and no two slots hold the same. Each live block was written by [`Parts::write`] and is the only owner
//! of its buffers. A [`Place`] is checked to be in use whenever it is used, so a stale one can hit the wrong entry, but
//! never a dead block.

use segment::{Moving, Segment, Spot};

use super::block::{self, BlockRef, Outside, Parts};
use super::hash::key_hash;
use super::slab::{Handle, Slab};
use crate::types::OwnedValue;
use crate::types::large::LargeValue;

mod check;
mod collection;
mod draw;
mod edit;
pub mod line;
mod prefetch;
mod reserve;
mod resize;
pub mod segment;
mod walk;

pub use edit::Replacement;
pub use walk::{CURSOR_BITS, SweepVisitor};

/// The earliest expiry of a segment in which nothing expires.
const NEVER: i64 = i64::MAX;

/// A hash table that owns keys and values.
#[derive(Debug, Default)]
pub struct Table {
    slab: Slab,
    segments: Vec<Segment>,
    /// A lower bound of the expiries in each segment.
    earliest: Vec<i64>,
    /// Segment numbers by the first `directory_bits` bits of the hash; empty as long as nothing was ever inserted.
    directory: Vec<u32>,
    directory_bits: u32,
    /// How many segments have each depth.
    depths: Vec<u32>,
    entries: usize,
    volatile: usize,
    /// Bytes of buffers that blocks own, and how many blocks own any.
    outside_bytes: usize,
    outside_blocks: usize,
    line_bytes: usize,
    /// Reused when a block is rewritten in its place.
    scratch: Vec<u8>,
    /// Reused for a packed collection that is changed.
    packed: Vec<u8>,
    /// Large collections of a table that is being freed, the next one last.
    dying: Vec<LargeValue>,
}

/// Where an entry is. Any insertion or removal can make it stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    segment: u32,
    spot: Spot,
}

impl Table {
    /// Number of entries.
    pub const fn len(&self) -> usize {
        self.entries
    }

    /// Number of entries that have an expiry.
    pub const fn volatile(&self) -> usize {
        self.volatile
    }

    /// Number of segments.
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// The number of slots in all lines.
    pub const fn slots(&self) -> usize {
        self.line_bytes / size_of::<line::Line>() * line::LINE_SLOTS
    }

    /// Bytes of the table itself, without blocks.
    pub fn table_bytes(&self) -> usize {
        self.line_bytes
            + self.segments.capacity() * size_of::<Segment>()
            + self.earliest.capacity() * size_of::<i64>()
            + self.directory.capacity() * size_of::<u32>()
            + self.depths.capacity() * size_of::<u32>()
            + self.scratch.capacity()
            + self.packed.capacity()
            + self.slab.overhead_bytes()
    }

    /// Bytes of live blocks, rounded up to their size classes.
    pub const fn block_bytes(&self) -> usize {
        self.slab.block_bytes()
    }

    /// Bytes of the pages that hold blocks.
    pub const fn page_bytes(&self) -> usize {
        self.slab.page_bytes()
    }

    /// Bytes of those pages that no block takes.
    pub const fn gap_bytes(&self) -> usize {
        self.slab.page_bytes() - self.slab.block_bytes()
    }

    /// Bytes of the buffers that blocks own, by capacity.
    pub const fn outside_bytes(&self) -> usize {
        self.outside_bytes
    }

    #[inline]
    fn segment_of(&self, hash: u64) -> usize {
        let index = hash >> 1 >> (63 - self.directory_bits);
        self.directory[index as usize] as usize
    }

    /// The place of a key.
    #[inline]
    pub fn find(&self, hash: u64, key: &[u8]) -> Option<Place> {
        if self.entries == 0 {
            return None;
        }
        let number = self.segment_of(hash);
        let segment = &self.segments[number];
        let spot = segment.find(segment.position(hash), |handle| block_at(&self.slab, handle).has_key(key))?;
        Some(Place { segment: number as u32, spot })
    }

    /// The first entry that `is_it` says yes to, of those that may have this hash: others may be among them.
    pub fn find_where(&self, hash: u64, mut is_it: impl FnMut(BlockRef<'_>) -> bool) -> Option<Place> {
        if self.entries == 0 {
            return None;
        }
        let number = self.segment_of(hash);
        let segment = &self.segments[number];
        let spot = segment.find(segment.position(hash), |handle| is_it(block_at(&self.slab, handle)))?;
        Some(Place { segment: number as u32, spot })
    }

    #[inline]
    fn handle(&self, place: Place) -> Handle {
        let line = self.segments[place.segment as usize].line(place.spot.line as usize);
        let slot = place.spot.slot as usize;
        assert!(line.holds(slot), "a place that is used is not stale");
        line.handle(slot)
    }

    fn line_mut(&mut self, place: Place) -> &mut line::Line {
        self.segments[place.segment as usize].line_mut(place.spot.line as usize)
    }

    /// The block in a place.
    #[inline]
    pub fn block(&self, place: Place) -> BlockRef<'_> {
        block_at(&self.slab, self.handle(place))
    }

    /// Inserts an entry whose key is not there yet.
    #[inline]
    pub fn insert(&mut self, hash: u64, parts: &Parts<'_>) -> Place {
        let number = self.segment_with_room(hash);
        let handle = self.slab.allocate(parts.len());
        // SAFETY: the handle was just allocated.
        parts.write(unsafe { self.slab.block_mut(handle) });
        let segment = &mut self.segments[number];
        let volatile = parts.expire_at.is_some();
        let spot = segment.insert(Moving { position: segment.position(hash), handle, volatile });
        self.entries += 1;
        if let Some(at) = parts.expire_at {
            self.volatile += 1;
            self.earliest[number] = self.earliest[number].min(at);
        }
        self.account_buffers(parts, 1);
        Place { segment: number as u32, spot }
    }

    /// Adds the buffers of these parts to the books (`sign` 1), or takes them out (-1).
    #[inline]
    fn account_buffers(&mut self, parts: &Parts<'_>, sign: isize) {
        let (key, value) = (parts.key.outside_bytes(), parts.value.outside_bytes());
        if key + value > 0 {
            self.outside_bytes = self.outside_bytes.wrapping_add_signed((key + value) as isize * sign);
            self.outside_blocks = self.outside_blocks.wrapping_add_signed(sign);
        }
    }

    /// Removes the entry in a place and returns its value.
    pub fn take(&mut self, hash: u64, place: Place) -> OwnedValue {
        let value = self.take_without_shrinking(hash, place);
        self.after_removal(place);
        value
    }

    /// As [`Self::take`], but all other places stay as they are.
    fn take_without_shrinking(&mut self, hash: u64, place: Place) -> OwnedValue {
        let handle = self.unlink(hash, place);
        // SAFETY: the handle was taken out of its slot just now, so it is live.
        let bytes = unsafe { self.slab.block(handle) };
        // SAFETY: the block is live, and freed next.
        let value = unsafe { block::into_value(bytes) };
        // SAFETY: the handle is live, and used here for the last time.
        unsafe { self.slab.free(handle) };
        value
    }

    /// Removes the entry in a place; returns what its value has outside.
    pub fn delete(&mut self, hash: u64, place: Place) -> Option<Outside> {
        let handle = self.unlink(hash, place);
        // SAFETY: the handle was taken out of its slot just now, so it is live.
        let bytes = unsafe { self.slab.block(handle) };
        // SAFETY: the block is live, and freed next.
        let outside = unsafe { block::into_outside(bytes) };
        // SAFETY: the handle is live, and used here for the last time.
        unsafe { self.slab.free(handle) };
        self.after_removal(place);
        outside
    }

    /// Takes an entry out of its slot and out of the books; its block stays.
    fn unlink(&mut self, hash: u64, place: Place) -> Handle {
        let handle = self.handle(place);
        let block = block_at(&self.slab, handle);
        let volatile = block.has_expiry();
        if block.owns_buffers() {
            self.outside_bytes -= block.outside_bytes();
            self.outside_blocks -= 1;
        }
        let segment = &mut self.segments[place.segment as usize];
        segment.remove(segment.position(hash), place.spot);
        self.entries -= 1;
        self.volatile -= usize::from(volatile);
        handle
    }

    /// Frees up to about `items` entries of a table that is not used any more; whether nothing is left.
    pub fn discard_step(&mut self, items: usize) -> bool {
        let mut left = items.max(1);
        while let Some(collection) = self.dying.last_mut() {
            let before = collection.as_ref().items();
            if !collection.free_some(left) {
                return false;
            }
            self.dying.pop();
            match left.checked_sub(before.max(1)) {
                Some(rest) => left = rest,
                None => return false,
            }
        }
        while let Some(segment) = self.segments.pop() {
            if self.outside_blocks > 0 {
                self.free_buffers(&segment);
            }
            self.entries -= segment.len();
            self.line_bytes -= segment.line_bytes();
            if !self.dying.is_empty() {
                return false;
            }
            match left.checked_sub(segment.len().max(1)) {
                Some(rest) => left = rest,
                None => return false,
            }
        }
        self.directory = Vec::new();
        self.earliest = Vec::new();
        // A page counts as a thousand entries: returning one costs about as much as returning a segment.
        // SAFETY: all segments are gone, and with them all handles.
        unsafe { self.slab.drop_pages(left.div_ceil(1000)) }
    }

    /// Frees the buffers of all blocks of a segment that was taken out of the table.
    fn free_buffers(&mut self, segment: &Segment) {
        for spot in segment.spots() {
            let handle = segment.line(spot.line as usize).handle(spot.slot as usize);
            let bytes = block_at(&self.slab, handle).outside_bytes();
            if bytes > 0 {
                // SAFETY: handles in slots are live.
                let block = unsafe { self.slab.block(handle) };
                // SAFETY: the segment was taken out of the table, so nobody finds the block again.
                if let Some(Outside::Large(collection)) = unsafe { block::into_outside(block) } {
                    self.dying.push(collection);
                }
                self.outside_bytes -= bytes;
                self.outside_blocks -= 1;
            }
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        while !self.discard_step(usize::MAX) {}
    }
}

/// The block of a handle that is in a slot.
#[inline]
fn block_at(slab: &Slab, handle: Handle) -> BlockRef<'_> {
    // SAFETY: handles in slots are live.
    let bytes = unsafe { slab.block(handle) };
    // SAFETY: live blocks were written by `Parts::write`, and change only through `&mut Table`.
    unsafe { BlockRef::new(bytes) }
}

/// The hash of the key of a handle that is in a slot.
#[inline]
fn hash_at(slab: &Slab, handle: Handle) -> u64 {
    key_hash(block_at(slab, handle).key())
}
