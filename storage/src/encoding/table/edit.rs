//! Changing an entry where it is: its value, expiry, access bits and mark.
//!
//! Whatever fits into the block is done in place. Otherwise the block is written anew: in the same place when the size
//! class stays the same, or else in a new block whose handle replaces the old one in its slot. Raw buffer parts are copied
//! along; the block that dies then is freed without its buffers, which belong to the new one.

use super::super::block::{
    self, BlockRef, KeyPart, Outside, Parts, VALUE_INLINE_BYTES_MAX, ValuePart, inline_string_mut,
    try_resize_inline_string, try_set_expire, try_set_int,
};
use super::super::buffer::BufferParts;
use super::super::slab::Handle;
use super::super::slab::class::Class;
use super::{Place, Table, block_at};
use crate::number::INTEGER_TEXT_BYTES_MAX;

/// Long strings reserve at most this much more than they need, or an eighth of their length if that is more.
const SPARE_BYTES_MAX: usize = 1 << 20;

/// What replaces the contents of an entry.
#[derive(Clone, Copy, Debug)]
pub struct Replacement<'a> {
    /// The value.
    pub value: ValuePart<'a>,
    /// The expiry.
    pub expire_at: Option<i64>,
    /// The access bits.
    pub access: u32,
    /// The saved mark.
    pub saved: bool,
}

impl Table {
    /// Replaces all of an entry but its key, which the caller knows; returns what the old value had outside.
    pub fn replace(&mut self, place: Place, key: &[u8], new: Replacement<'_>) -> Option<Outside> {
        let old = self.handle(place);
        let block = block_at(&self.slab, old);
        let had_expiry = block.has_expiry();
        let (mut kept_key, mut outside) = (KeyPart::Inline(key), None);
        if block.owns_buffers() {
            let Parts { key, value, .. } = block.parts();
            if let KeyPart::Buffer(parts) = key {
                kept_key = KeyPart::Buffer(parts);
            }
            // SAFETY: the block is live, and is written anew below; until then only its books are kept.
            outside = unsafe { Outside::of(value) };
            let bytes = outside.as_ref().map_or(0, Outside::len_bytes) + kept_key.outside_bytes();
            self.outside_bytes -= bytes;
            self.outside_blocks -= usize::from(bytes > 0);
        }
        let Replacement { value, expire_at, access, saved } = new;
        let parts = Parts { key: kept_key, value, expire_at, access, saved };
        self.write_at(place, old, &parts);
        self.account_buffers(&parts, 1);
        self.note_expiry(place, had_expiry, expire_at);
        outside
    }

    /// Takes the buffers of a block out of the books.
    fn unaccount(&mut self, handle: Handle) {
        let bytes = block_at(&self.slab, handle).outside_bytes();
        if bytes > 0 {
            self.outside_bytes -= bytes;
            self.outside_blocks -= 1;
        }
    }

    /// Puts the buffers of a block into the books.
    fn account(&mut self, handle: Handle) {
        let bytes = block_at(&self.slab, handle).outside_bytes();
        if bytes > 0 {
            self.outside_bytes += bytes;
            self.outside_blocks += 1;
        }
    }

    /// Brings mark, counter and bound of an entry's expiry up to date.
    fn note_expiry(&mut self, place: Place, had: bool, expire_at: Option<i64>) {
        if let Some(at) = expire_at {
            let earliest = &mut self.earliest[place.segment as usize];
            *earliest = (*earliest).min(at);
        }
        if had != expire_at.is_some() {
            self.line_mut(place).set_volatile(place.spot.slot as usize, !had);
            self.volatile = if had { self.volatile - 1 } else { self.volatile + 1 };
        }
    }

    /// Sets or clears the expiry of an entry.
    pub fn set_expire(&mut self, place: Place, expire_at: Option<i64>) {
        let handle = self.handle(place);
        let had = block_at(&self.slab, handle).has_expiry();
        // SAFETY: handles in slots are live.
        if !try_set_expire(unsafe { self.slab.block_mut(handle) }, expire_at) {
            self.rewrite(place, None, expire_at);
        }
        self.note_expiry(place, had, expire_at);
    }

    /// Sets the access bits of an entry.
    #[inline]
    pub fn set_access(&mut self, place: Place, access: u32) {
        let handle = self.handle(place);
        // SAFETY: handles in slots are live.
        block::set_access(unsafe { self.slab.block_mut(handle) }, access);
    }

    /// Sets the saved mark of an entry.
    pub fn set_saved(&mut self, place: Place, saved: bool) {
        let handle = self.handle(place);
        // SAFETY: handles in slots are live.
        block::set_saved(unsafe { self.slab.block_mut(handle) }, saved);
    }

    /// Sets the value of an entry to an integer; returns the buffer of the old value, if it had one.
    pub fn set_int(&mut self, place: Place, number: i64) -> Option<Vec<u8>> {
        let handle = self.handle(place);
        // SAFETY: handles in slots are live.
        let bytes = unsafe { self.slab.block_mut(handle) };
        // SAFETY: the block is live.
        if unsafe { try_set_int(bytes, number) } {
            return None;
        }
        let block = block_at(&self.slab, handle);
        let expire_at = block.expire_at();
        let old_buffer = if let ValuePart::Buffer { parts, .. } = block.value_part() { Some(parts) } else { None };
        self.unaccount(handle);
        self.rewrite(place, Some(ValuePart::Int(number)), expire_at);
        self.account(self.handle(place));
        // SAFETY: no block holds these parts any more.
        old_buffer.map(|parts| unsafe { parts.into_vec() })
    }

    /// The bytes of a string, to be changed in place: lengthened with zeros to `len_min` if shorter, an integer turned into
    /// its text. The string counts as changed in place from now on.
    pub fn string_mut(&mut self, place: Place, len_min: usize) -> &mut [u8] {
        let handle = self.handle(place);
        let block = block_at(&self.slab, handle);
        match block.value_part() {
            ValuePart::Buffer { parts, .. } => self.buffer_mut(place, parts, len_min),
            ValuePart::Int(number) => {
                let mut text = [0; INTEGER_TEXT_BYTES_MAX];
                self.rewrite_string(place, crate::number::write_i64(number, &mut text), len_min);
                self.stored_string_mut(place)
            }
            ValuePart::Packed { .. } | ValuePart::PackedBuffer { .. } | ValuePart::Large(_) => {
                panic!("a command that changes bytes has seen that the value is a string")
            }
            ValuePart::Inline { bytes, .. } => {
                let len = bytes.len();
                // SAFETY: handles in slots are live.
                let block = unsafe { self.slab.block_mut(handle) };
                // SAFETY: the block is live.
                if len_min > len && !unsafe { try_resize_inline_string(block, len_min) } {
                    let old = block_at(&self.slab, handle).value_part();
                    let ValuePart::Inline { bytes, .. } = old else { unreachable!("the value is still the same") };
                    let bytes = bytes.to_vec();
                    self.rewrite_string(place, &bytes, len_min);
                }
                self.stored_string_mut(place)
            }
        }
    }

    /// Writes an entry anew with a string that begins with `bytes` and is at least `len_min` bytes long.
    fn rewrite_string(&mut self, place: Place, bytes: &[u8], len_min: usize) {
        let len = bytes.len().max(len_min);
        let mut string = Vec::new();
        if len > VALUE_INLINE_BYTES_MAX {
            string.reserve_exact(capacity_for(len));
        } else {
            string.reserve_exact(len);
        }
        string.extend_from_slice(bytes);
        string.resize(len, 0);
        let handle = self.handle(place);
        let expire_at = block_at(&self.slab, handle).expire_at();
        self.unaccount(handle);
        if len > VALUE_INLINE_BYTES_MAX {
            let parts = BufferParts::new(string);
            self.rewrite(place, Some(ValuePart::Buffer { parts, modified: true }), expire_at);
        } else {
            self.rewrite(place, Some(ValuePart::Inline { bytes: &string, modified: true }), expire_at);
        }
        self.account(self.handle(place));
    }

    /// The bytes of a string that is known not to be an integer.
    fn stored_string_mut(&mut self, place: Place) -> &mut [u8] {
        let handle = self.handle(place);
        if let ValuePart::Buffer { parts, .. } = block_at(&self.slab, handle).value_part() {
            return self.buffer_mut(place, parts, 0);
        }
        // SAFETY: handles in slots are live.
        let block = unsafe { self.slab.block_mut(handle) };
        // SAFETY: the block is live.
        unsafe { inline_string_mut(block) }.expect("the value lies in the block")
    }

    /// The bytes of a string in a buffer, lengthened to `len_min` if shorter.
    fn buffer_mut(&mut self, place: Place, parts: BufferParts, len_min: usize) -> &mut [u8] {
        let handle = self.handle(place);
        // SAFETY: the new parts are written into the block before anybody looks at it again. A panic in between (capacity
        // overflow, before anything changed) leaves the block the owner, since this vector is never dropped.
        let mut string = std::mem::ManuallyDrop::new(unsafe { parts.into_vec() });
        if string.len() < len_min {
            if string.capacity() < len_min {
                let before = string.capacity();
                let additional = capacity_for(len_min) - string.len();
                string.reserve_exact(additional);
                self.outside_bytes += string.capacity() - before;
            }
            string.resize(len_min, 0);
        }
        let parts = BufferParts::new(std::mem::ManuallyDrop::into_inner(string));
        // SAFETY: handles in slots are live.
        let block = unsafe { self.slab.block_mut(handle) };
        // SAFETY: the block is live, and its value was a buffer.
        unsafe { block::set_buffer(block, parts) };
        // SAFETY: the block owns the buffer, and the table is borrowed exclusively as long as the slice lives.
        unsafe { parts.as_mut_slice() }
    }

    /// Writes a block anew with another expiry, and another value if one is given. A buffer that gets lost is for the
    /// caller to free.
    pub(super) fn rewrite(&mut self, place: Place, value: Option<ValuePart<'_>>, expire_at: Option<i64>) {
        let old = self.handle(place);
        let mut copy = std::mem::take(&mut self.scratch);
        copy.clear();
        let block = block_at(&self.slab, old);
        // SAFETY: handles in slots are live.
        let whole = unsafe { self.slab.block(old) };
        // A value in the block that is about to be replaced need not be copied.
        copy.extend_from_slice(if value.is_some() { block.head_bytes() } else { whole });
        // SAFETY: this is the copy of a live block. Its buffers are owned by the block that is written from it next.
        let view = unsafe { BlockRef::new(&copy) };
        let mut parts = view.parts_with(value.unwrap_or_else(|| view.value_part()));
        parts.expire_at = expire_at;
        self.write_at(place, old, &parts);
        self.scratch = copy;
    }

    /// Writes parts, which refer to nothing in the old block, into that block or into a new one that takes its slot.
    fn write_at(&mut self, place: Place, old: Handle, parts: &Parts<'_>) {
        let len = parts.len();
        // SAFETY: handles in slots are live.
        if unsafe { self.slab.capacity(old) } == Class::of(len).block_bytes() {
            // SAFETY: handles in slots are live.
            parts.write(unsafe { self.slab.block_mut(old) });
            return;
        }
        let handle = self.slab.allocate(len);
        // SAFETY: the handle was just allocated.
        parts.write(unsafe { self.slab.block_mut(handle) });
        self.line_mut(place).set_handle(place.spot.slot as usize, handle);
        // SAFETY: the handle is live, and the slot does not hold it any more.
        unsafe { self.slab.free(old) };
    }
}

/// The capacity to reserve for a string that has grown to `len` bytes.
fn capacity_for(len: usize) -> usize {
    len.saturating_add(len.min(SPARE_BYTES_MAX).max(len / 8))
}
