//! Entries: a key and what belongs to it, as a view to read, and as a handle to change it in place.

use std::ops::Range;

use super::saving::Saving;
use super::{Access, UnixMillis};
use crate::encoding::block::BlockRef;
use crate::encoding::table::line::{LINE_SLOTS, Line};
use crate::encoding::table::{Place, Table};
use crate::types::string::StringRef;
use crate::types::{OwnedValue, Value};

/// What a key costs in the table, about, beside its block: its share of a line that is five sixths full.
const TABLE_BYTES_PER_ENTRY: usize = size_of::<Line>() * 6 / (LINE_SLOTS * 5);

/// A key and what belongs to it.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    block: BlockRef<'a>,
}

impl<'a> Entry<'a> {
    pub(super) const fn new(block: BlockRef<'a>) -> Self {
        Self { block }
    }

    /// The key.
    #[inline]
    pub fn key(&self) -> &'a [u8] {
        self.block.key()
    }

    /// The value.
    #[inline]
    pub fn value(&self) -> Value<'a> {
        self.block.value()
    }

    /// When it expires. Whether that has come is for the caller to judge.
    #[inline]
    pub fn expire_at(&self) -> Option<UnixMillis> {
        self.block.expire_at().map(UnixMillis)
    }

    /// Its access bits.
    pub const fn access(&self) -> Access {
        Access::from_bits(self.block.access())
    }

    /// The snapshot's mark, see `saving.rs`.
    pub const fn saved(&self) -> bool {
        self.block.saved()
    }

    /// Bytes of memory it takes, all in, for MEMORY USAGE.
    pub fn heap_bytes(&self) -> usize {
        self.block.capacity() + self.block.outside_bytes() + TABLE_BYTES_PER_ENTRY
    }

    /// Bytes of buffers that it holds outside its block: what UNLINK and large writes look at.
    pub fn outside_bytes(&self) -> usize {
        self.block.outside_bytes()
    }
}

/// A key in the database, to be changed in place. What a running snapshot has yet to save of it is saved before.
#[derive(Debug)]
pub struct EntryMut<'a> {
    table: &'a mut Table,
    place: Place,
    saving: Option<&'a mut Saving>,
}

impl<'a> EntryMut<'a> {
    pub(super) const fn new(table: &'a mut Table, place: Place, saving: Option<&'a mut Saving>) -> Self {
        Self { table, place, saving }
    }

    /// Comes before every change of what a snapshot holds.
    #[inline]
    fn save_first(&mut self) {
        if let Some(saving) = &mut self.saving {
            saving.save_first(self.table, self.place);
        }
    }

    /// Comes before a change that touches these bytes at most, if it is a string that changes.
    fn save_first_but(&mut self, changes: impl Iterator<Item = Range<usize>>) {
        if let Some(saving) = &mut self.saving {
            saving.save_first_but(self.table, self.place, changes);
        }
    }

    /// The entry as it is now.
    #[inline]
    pub fn entry(&self) -> Entry<'_> {
        Entry::new(self.table.block(self.place))
    }

    /// The entry, for as long as the database is borrowed: after a look that noted the use of the key.
    #[inline]
    pub fn into_entry(self) -> Entry<'a> {
        let Self { table, place, .. } = self;
        Entry::new(table.block(place))
    }

    /// The value as it is now.
    #[inline]
    pub fn value(&self) -> Value<'_> {
        self.entry().value()
    }

    /// When it expires.
    #[inline]
    pub fn expire_at(&self) -> Option<UnixMillis> {
        self.entry().expire_at()
    }

    /// Sets or clears the expiry.
    pub fn set_expire(&mut self, expire_at: Option<UnixMillis>) {
        self.save_first_but(std::iter::empty());
        self.table.set_expire(self.place, expire_at.map(|at| at.0));
    }

    /// Notes a use of the key.
    #[inline]
    pub fn touch(&mut self, access: Access) {
        self.table.set_access(self.place, access.bits());
    }

    /// Sets the value to an integer; expiry and access bits stay (INCR).
    pub fn set_int(&mut self, number: i64) {
        self.save_first();
        drop(self.table.set_int(self.place, number));
    }

    /// Lets `change` change the value, to whatever it likes. Expiry and access bits stay.
    pub fn edit<R>(&mut self, change: impl FnOnce(&mut OwnedValue) -> R) -> R {
        self.save_first();
        self.table.edit(self.place, change)
    }

    /// Appends to the string; returns its new length. It is `raw` from now on.
    pub fn append(&mut self, bytes: &[u8]) -> usize {
        self.save_first_but(std::iter::empty());
        let len = self.string_len();
        let new_len = len + bytes.len();
        self.table.string_mut(self.place, new_len)[len..].copy_from_slice(bytes);
        new_len
    }

    /// Overwrites part of the string, which is padded with zeros where needed; returns its new length. It is `raw` from
    /// now on.
    pub fn set_range(&mut self, offset: usize, bytes: &[u8]) -> usize {
        self.save_first_but(std::iter::once(offset..offset + bytes.len()));
        let string = self.table.string_mut(self.place, offset + bytes.len());
        string[offset..offset + bytes.len()].copy_from_slice(bytes);
        string.len()
    }

    /// The bytes of the string for a change in place (SETBIT, BITFIELD) of those in `changes` alone, padded with zeros to at
    /// least `len_min`. It is `raw` from now on.
    pub fn string_mut(&mut self, len_min: usize, changes: impl IntoIterator<Item = Range<usize>>) -> &mut [u8] {
        self.save_first_but(changes.into_iter());
        self.table.string_mut(self.place, len_min)
    }

    fn string_len(&self) -> usize {
        self.value().as_string().map_or(0, StringRef::len)
    }
}
