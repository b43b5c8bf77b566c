//! Changing a collection: taken out of its block, handed to whoever changes it, and put back.
//!
//! A large collection stays where it is and only its pointer travels. A packed one is copied out of the block and back: it
//! has at most a few KiB, mostly some hundred bytes, and its block changes its size class with nearly every change anyway.

use super::super::block::{self, Outside, VALUE_INLINE_BYTES_MAX, ValuePart};
use super::super::buffer::BufferParts;
use super::super::large::LargeParts;
use super::{Place, Table, block_at};
use crate::types::packed::PackedKind;
use crate::types::string::StringValue;
use crate::types::{Form, OwnedValue};

/// The vector for packed collections is kept up to this many bytes.
const PACKED_SCRATCH_BYTES_MAX: usize = 64 * 1024;

/// A buffer that has so many unused bytes, or more than a quarter of its length, is cut to its length.
const SLACK_BYTES_MIN: usize = 1024;

/// Ends the process when a change panics: the block still refers to what was taken out of it.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        std::process::abort();
    }
}

impl Table {
    /// Lets `change` change the value of an entry, to whatever it likes.
    pub fn edit<R>(&mut self, place: Place, change: impl FnOnce(&mut OwnedValue) -> R) -> R {
        let handle = self.handle(place);
        let part = block_at(&self.slab, handle).value_part();
        let before = part.outside_bytes();
        let mut scratch = std::mem::take(&mut self.packed);
        scratch.clear();
        let unwinding = AbortOnPanic;
        // SAFETY: the block gets what it owns from now on before anybody looks at it again.
        let mut value = unsafe { block::own_value(part, scratch) };
        let result = change(&mut value);
        match value.into_form() {
            Form::Large(large) => self.put_large(place, LargeParts::new(large), before),
            Form::Packed(kind, bytes) => self.put_packed(place, kind, bytes, before),
            Form::String(string) => {
                let mut value = StringValue::Owned(string);
                self.put_value(place, block::string_part(&mut value), before);
            }
        }
        std::mem::forget(unwinding);
        result
    }

    fn put_large(&mut self, place: Place, parts: LargeParts, before: usize) {
        let handle = self.handle(place);
        if !matches!(block_at(&self.slab, handle).value_part(), ValuePart::Large(_)) {
            return self.put_value(place, ValuePart::Large(parts), before);
        }
        // SAFETY: handles in slots are live.
        let block = unsafe { self.slab.block_mut(handle) };
        // SAFETY: the block is live and had a large collection, which is this one or was freed by whoever replaced it.
        unsafe { block::set_large(block, parts) };
        let after = ValuePart::Large(parts).outside_bytes();
        self.outside_bytes = self.outside_bytes - before + after;
    }

    fn put_packed(&mut self, place: Place, kind: PackedKind, mut bytes: Vec<u8>, before: usize) {
        if bytes.len() > VALUE_INLINE_BYTES_MAX {
            let slack = bytes.capacity() - bytes.len();
            if slack > SLACK_BYTES_MIN.max(bytes.len() / 4) {
                bytes.shrink_to(bytes.len() + SLACK_BYTES_MIN);
            }
            return self.put_value(place, ValuePart::PackedBuffer { kind, parts: BufferParts::new(bytes) }, before);
        }
        self.put_value(place, ValuePart::Packed { kind, bytes: &bytes }, before);
        if bytes.capacity() <= PACKED_SCRATCH_BYTES_MAX {
            self.packed = bytes;
        }
    }

    /// Writes an entry anew with another value; `before` bytes outside were in the books for the old one.
    fn put_value(&mut self, place: Place, part: ValuePart<'_>, before: usize) {
        let block = block_at(&self.slab, self.handle(place));
        let (key_bytes, expire_at) = (block.key_part().outside_bytes(), block.expire_at());
        let after = part.outside_bytes();
        self.rewrite(place, Some(part), expire_at);
        self.outside_bytes = self.outside_bytes - before + after;
        self.outside_blocks -= usize::from(key_bytes + before > 0);
        self.outside_blocks += usize::from(key_bytes + after > 0);
    }
}

impl Outside {
    /// Bytes that it holds.
    pub fn len_bytes(&self) -> usize {
        match self {
            Self::Buffer(buffer) => buffer.capacity(),
            Self::Large(large) => large.as_ref().heap_bytes(),
        }
    }
}
