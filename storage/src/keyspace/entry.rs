//! entry
use super::{Access, UnixMillis};
use crate::types::Value;
use std::marker::PhantomData;

/// A key and what belongs to it.
#[derive(Clone, Copy)]
pub struct Entry<'a>(PhantomData<&'a ()>);

impl<'a> Entry<'a> {
    /// The key.
    pub fn key(&self) -> &'a [u8] {
        unimplemented!()
    }
    /// The value.
    pub fn value(&self) -> Value<'a> {
        unimplemented!()
    }
    /// When it expires. Whether that has come is for the caller to judge.
    pub fn expire_at(&self) -> Option<UnixMillis> {
        unimplemented!()
    }
    /// Its access bits.
    pub fn access(&self) -> Access {
        unimplemented!()
    }
    /// Bytes of memory it takes, all in, for MEMORY USAGE.
    pub fn heap_bytes(&self) -> usize {
        unimplemented!()
    }
    /// The snapshot's mark.
    pub fn saved(&self) -> bool {
        unimplemented!()
    }
}

/// A key in the database, to be changed in place.
pub struct EntryMut<'a>(PhantomData<&'a mut ()>);

impl EntryMut<'_> {
    /// The entry as it is now.
    pub fn entry(&self) -> Entry<'_> {
        unimplemented!()
    }
    /// The value as it is now.
    pub fn value(&self) -> Value<'_> {
        self.entry().value()
    }
    /// Sets or clears the expiry.
    pub fn set_expire(&mut self, expire_at: Option<UnixMillis>) {
        let _ = expire_at;
        unimplemented!()
    }
    /// Notes a use of the key.
    pub fn touch(&mut self, access: Access) {
        let _ = access;
        unimplemented!()
    }
    /// Sets the snapshot's mark.
    pub fn set_saved(&mut self, saved: bool) {
        let _ = saved;
        unimplemented!()
    }
    /// Sets the value to an integer; expiry and access bits stay (INCR).
    pub fn set_int(&mut self, number: i64) {
        let _ = number;
        unimplemented!()
    }
    /// Appends to the string; returns its new length. It is `raw` from now on.
    pub fn append(&mut self, bytes: &[u8]) -> usize {
        let _ = bytes;
        unimplemented!()
    }
    /// Overwrites part of the string, which is padded with zeros where needed; returns its new length.
    pub fn set_range(&mut self, offset: usize, bytes: &[u8]) -> usize {
        let _ = (offset, bytes);
        unimplemented!()
    }
    /// The bytes of the string for a change in place (SETBIT, BITFIELD), padded with zeros to at least `len_min`.
    pub fn string_mut(&mut self, len_min: usize) -> &mut [u8] {
        let _ = len_min;
        unimplemented!()
    }
}
