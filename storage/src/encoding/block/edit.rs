//! Changing a block where it lies, and taking its buffers out when it dies.
//!
//! Each `try_` function does what fits into the bytes that are there and says whether it did; otherwise the table writes
//! the block anew.

use super::{
    BlockRef, ENCODING_BUFFER, ENCODING_BYTES, ENCODING_LARGE, ENCODING_MASK, EXPIRY_MASK, EXPIRY_SHIFT, HEADER_BYTES,
    KeyPart, MODIFIED, SAVED, VALUE_INLINE_BYTES_MAX, ValuePart, Writer, expiry_kind, expiry_len, int_encoding,
    length_len, read_length,
};
use crate::encoding::buffer::{BUFFER_PARTS_BYTES, BufferParts};
use crate::encoding::large::{LARGE_PARTS_BYTES, LargeParts};
use crate::types::OwnedValue;
use crate::types::large::LargeValue;
use crate::types::string::OwnedString;

/// What a value had outside its block, to be freed.
#[derive(Debug)]
pub enum Outside {
    /// A buffer.
    Buffer(Vec<u8>),
    /// A large collection.
    Large(LargeValue),
}

/// Sets the access bits of a block.
pub fn set_access(block: &mut [u8], access: u32) {
    block[1..4].copy_from_slice(&access.to_le_bytes()[..3]);
}

/// Sets the saved mark of a block.
pub fn set_saved(block: &mut [u8], saved: bool) {
    block[0] = block[0] & !SAVED | if saved { SAVED } else { 0 };
}

/// Sets the expiry of a block if it takes as many bytes as the one that is there; whether it did.
pub fn try_set_expire(block: &mut [u8], expire_at: Option<i64>) -> bool {
    let kind = expiry_kind(expire_at);
    if block[0] >> EXPIRY_SHIFT & EXPIRY_MASK != kind {
        return false;
    }
    if let Some(at) = expire_at {
        let start = HEADER_BYTES + read_length(&block[HEADER_BYTES..]).1;
        let len = expiry_len(kind);
        block[start..start + len].copy_from_slice(&at.to_le_bytes()[..len]);
    }
    true
}

/// The bytes of the string that lies in the block, to be changed in place; it counts as changed from now on. `None` if the
/// value is an integer or lies in a buffer.
///
/// # Safety
///
/// `block` is a live block.
pub unsafe fn inline_string_mut(block: &mut [u8]) -> Option<&mut [u8]> {
    // SAFETY: the block is live; its buffers are not touched here.
    let view = unsafe { BlockRef::new(block) };
    if view.kind() & ENCODING_MASK != ENCODING_BYTES {
        return None;
    }
    let (start, len, _) = view.key_place();
    let (value_len, width) = read_length(&block[start + len..]);
    let value_len = value_len.expect("a value in the block has a length");
    block[0] |= MODIFIED;
    Some(&mut block[start + len + width..start + len + width + value_len])
}

/// Changes the length of the string that lies in the block, if the block is large enough and the length takes as many
/// bytes as before; whether it did. New bytes are zero.
///
/// # Safety
///
/// `block` is a live block.
pub unsafe fn try_resize_inline_string(block: &mut [u8], new_len: usize) -> bool {
    // SAFETY: the block is live; its buffers are not touched here.
    let view = unsafe { BlockRef::new(block) };
    if view.kind() & ENCODING_MASK != ENCODING_BYTES || new_len > VALUE_INLINE_BYTES_MAX {
        return false;
    }
    let (key_start, key_len, _) = view.key_place();
    let start = key_start + key_len;
    let (len, width) = read_length(&block[start..]);
    let len = len.expect("a value in the block has a length");
    if width != length_len(new_len) || start + width + new_len > block.len() {
        return false;
    }
    Writer { rest: &mut block[start..] }.put_length(new_len);
    let value = &mut block[start + width..];
    if new_len > len {
        value[len..new_len].fill(0);
    }
    block[0] |= MODIFIED;
    true
}

/// Overwrites the integer of a block if the new one has the same width; whether it did.
///
/// # Safety
///
/// `block` is a live block.
pub unsafe fn try_set_int(block: &mut [u8], number: i64) -> bool {
    // SAFETY: the block is live; its buffers are not touched here.
    let view = unsafe { BlockRef::new(block) };
    let (encoding, width) = int_encoding(number);
    if view.kind() & ENCODING_MASK != encoding {
        return false;
    }
    let (start, len, _) = view.key_place();
    block[start + len..start + len + width].copy_from_slice(&number.to_le_bytes()[..width]);
    true
}

/// Replaces the buffer parts of a value that lies in a buffer; it counts as changed in place from now on.
///
/// # Safety
///
/// `block` is a live block, and the parts are those of the buffer that it owns, as it is now.
pub unsafe fn set_buffer(block: &mut [u8], parts: BufferParts) {
    // SAFETY: the block is live; its buffers are not looked at.
    let view = unsafe { BlockRef::new(block) };
    debug_assert_eq!(view.kind() & ENCODING_MASK, ENCODING_BUFFER);
    let (start, len, _) = view.key_place();
    block[0] |= MODIFIED;
    block[start + len..start + len + BUFFER_PARTS_BYTES].copy_from_slice(parts.as_bytes());
}

/// Replaces the parts of a large collection.
///
/// # Safety
///
/// `block` is a live block with a large collection, and the parts are those of the one that it owns from now on.
pub unsafe fn set_large(block: &mut [u8], parts: LargeParts) {
    // SAFETY: the block is live; the collection is not looked at.
    let view = unsafe { BlockRef::new(block) };
    debug_assert_eq!(view.kind() & ENCODING_MASK, ENCODING_LARGE);
    let (start, len, _) = view.key_place();
    block[start + len..start + len + LARGE_PARTS_BYTES].copy_from_slice(parts.as_bytes());
}

/// The value of a block that dies, with what it has outside; a buffer of the key is freed.
///
/// # Safety
///
/// The block is live, and is not used as a block any more.
pub unsafe fn into_value(block: &[u8]) -> OwnedValue {
    // SAFETY: the block is live.
    let view = unsafe { BlockRef::new(block) };
    // SAFETY: the block dies, so its key has no other owner.
    unsafe { free_key(view) };
    // SAFETY: the block dies, so its value has no other owner.
    unsafe { own_value(view.value_part(), Vec::new()) }
}

/// The value that a part stands for, owned. What lies in the block is copied into `scratch`.
///
/// # Safety
///
/// The part is of a live block, and what it has outside is not reached through the block any more.
pub unsafe fn own_value(part: ValuePart<'_>, mut scratch: Vec<u8>) -> OwnedValue {
    match part {
        ValuePart::Int(number) => OwnedValue::String(OwnedString::Int(number)),
        ValuePart::Inline { bytes, modified } => {
            scratch.extend_from_slice(bytes);
            OwnedValue::String(OwnedString::Bytes { bytes: scratch, modified })
        }
        ValuePart::Buffer { parts, modified } => {
            // SAFETY: the caller is the only owner of the buffer.
            OwnedValue::String(OwnedString::Bytes { bytes: unsafe { parts.into_vec() }, modified })
        }
        ValuePart::Packed { kind, bytes } => {
            scratch.extend_from_slice(bytes);
            OwnedValue::from_packed(kind, scratch)
        }
        // SAFETY: the caller is the only owner of the buffer.
        ValuePart::PackedBuffer { kind, parts } => OwnedValue::from_packed(kind, unsafe { parts.into_vec() }),
        // SAFETY: the caller is the only owner of the collection.
        ValuePart::Large(parts) => OwnedValue::from_large(unsafe { parts.into_value() }),
    }
}

/// What the value of a block that dies has outside; a buffer of the key is freed.
///
/// # Safety
///
/// The block is live, and is not used as a block any more.
pub unsafe fn into_outside(block: &[u8]) -> Option<Outside> {
    // SAFETY: the block is live.
    let view = unsafe { BlockRef::new(block) };
    // SAFETY: the block dies, so its key has no other owner.
    unsafe { free_key(view) };
    // SAFETY: the block dies, so its value has no other owner.
    unsafe { Outside::of(view.value_part()) }
}

impl Outside {
    /// What a part has outside, owned.
    ///
    /// # Safety
    ///
    /// The part is of a live block, and what it has outside is not reached through the block any more.
    pub unsafe fn of(part: ValuePart<'_>) -> Option<Self> {
        match part {
            ValuePart::Buffer { parts, .. } | ValuePart::PackedBuffer { parts, .. } => {
                // SAFETY: the caller is the only owner of the buffer.
                Some(Self::Buffer(unsafe { parts.into_vec() }))
            }
            // SAFETY: the caller is the only owner of the collection.
            ValuePart::Large(parts) => Some(Self::Large(unsafe { parts.into_value() })),
            ValuePart::Int(_) | ValuePart::Inline { .. } | ValuePart::Packed { .. } => None,
        }
    }
}

/// Frees the key's buffer, if it has one.
///
/// # Safety
///
/// The key is not used any more.
unsafe fn free_key(view: BlockRef<'_>) {
    if let KeyPart::Buffer(parts) = view.key_part() {
        // SAFETY: the block dies, so the buffer has no other owner.
        drop(unsafe { parts.into_vec() });
    }
}
