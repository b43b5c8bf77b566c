//! A block: one key with its value and all that belongs to it, packed.
//!
//! ```text
//!  byte 0    1 2 3     4 (5)       0, 6 or 8     …        …
//! ┌────────┬─────────┬───────────┬─────────────┬────────┬───────────────────────────────────────────┐
//! │ kind   │ access  │ key length│ expiry      │ key    │ value                                     │
//! └────────┴─────────┴───────────┴─────────────┴────────┴───────────────────────────────────────────┘
//!
//! kind      bits 0-3  encoding of the value: 0 bytes, 1-4 integer of 1, 2, 4, 8 bytes, 5 buffer, 6 large collection;
//!                     from 7 on packed collections ([`PackedKind`])
//!           bits 4-5  expiry: 0 none, 1 six bytes (up to the year 10889), 2 eight bytes
//!           bit  6    string: changed in place since it was set (reported as `raw`)
//!                     packed collection: in a buffer
//!           bit  7    saved mark of the snapshot
//! access    24 bits, little-endian
//! length    below 192: one byte; below 16,383: two bytes, the first from 192 on, big-endian
//!           16,383 (bytes ff ff) as a key length: the key lies in a buffer
//! expiry    milliseconds since 1970, little-endian
//! key       its bytes, or the 24 bytes of buffer parts
//! value     bytes and packed collections: length and bytes;  integer: little-endian;  buffer: 24 bytes of buffer parts;
//!           large collection: type and pointer
//! ```
//!
//! The block's own size is known from its page. Bytes behind the value are unused: a value that changes its length may
//! grow into them.

use super::buffer::{BUFFER_PARTS_BYTES, BufferParts};
use super::large::{LARGE_PARTS_BYTES, LargeParts};
use super::slab::class::BLOCK_BYTES_MAX;
use crate::types::Value;
use crate::types::large::LargeRef;
use crate::types::packed::PackedKind;
use crate::types::string::StringRef;

mod edit;
mod string;
#[cfg(test)]
mod tests;

pub use edit::{
    Outside, inline_string_mut, into_outside, into_value, own_value, set_access, set_buffer, set_large, set_saved,
    try_resize_inline_string, try_set_expire, try_set_int,
};
pub use string::string_part;

/// The longest key that lies in the block; longer ones get a buffer.
pub const KEY_INLINE_BYTES_MAX: usize = 960;

/// The longest string or packed collection that lies in the block; longer ones get a buffer, which can grow in place, be
/// moved without a copy and be freed elsewhere.
pub const VALUE_INLINE_BYTES_MAX: usize = 3072;

const HEADER_BYTES: usize = 4;
const LENGTH_ONE_BYTE_MAX: usize = 191;
const LENGTH_MAX: usize = (1 << 14) - 2;
const LENGTH_OUTSIDE: [u8; 2] = [0xff, 0xff];

const _: () = assert!(KEY_INLINE_BYTES_MAX <= LENGTH_MAX && VALUE_INLINE_BYTES_MAX <= LENGTH_MAX);
const _: () = assert!(HEADER_BYTES + 2 + 8 + KEY_INLINE_BYTES_MAX + 2 + VALUE_INLINE_BYTES_MAX <= BLOCK_BYTES_MAX);

const ENCODING_MASK: u8 = 0x0f;
const ENCODING_BYTES: u8 = 0;
const ENCODING_INT8: u8 = 1;
const ENCODING_INT16: u8 = 2;
const ENCODING_INT32: u8 = 3;
const ENCODING_INT64: u8 = 4;
const ENCODING_BUFFER: u8 = 5;
const ENCODING_LARGE: u8 = 6;
/// Encodings of packed collections follow from here on, in the order of their kinds.
const ENCODING_PACKED: u8 = 7;
const _: () = assert!(ENCODING_PACKED as usize + PackedKind::ALL.len() <= ENCODING_MASK as usize + 1);

const EXPIRY_SHIFT: u32 = 4;
const EXPIRY_MASK: u8 = 3;
const MODIFIED: u8 = 1 << 6;
/// Of a packed collection, the bit that means [`MODIFIED`] of a string.
const PACKED_OUTSIDE: u8 = MODIFIED;
const SAVED: u8 = 1 << 7;

/// What a block is made of, to be written into one. Buffer parts carry the ownership of their buffer along.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// The key.
    pub key: KeyPart<'a>,
    /// The value.
    pub value: ValuePart<'a>,
    /// When the key expires.
    pub expire_at: Option<i64>,
    /// The 24 access bits.
    pub access: u32,
    /// The saved mark of the snapshot.
    pub saved: bool,
}

/// A key in a block.
#[derive(Clone, Copy, Debug)]
pub enum KeyPart<'a> {
    /// Its bytes, at most [`KEY_INLINE_BYTES_MAX`].
    Inline(&'a [u8]),
    /// A buffer with its bytes.
    Buffer(BufferParts),
}

/// A value in a block.
#[derive(Clone, Copy, Debug)]
pub enum ValuePart<'a> {
    /// A string kept as an integer.
    Int(i64),
    /// A string of at most [`VALUE_INLINE_BYTES_MAX`] bytes.
    Inline {
        /// The string.
        bytes: &'a [u8],
        /// Changed in place since it was set.
        modified: bool,
    },
    /// A string in a buffer.
    Buffer {
        /// The buffer.
        parts: BufferParts,
        /// Changed in place since it was set.
        modified: bool,
    },
    /// A packed collection of at most [`VALUE_INLINE_BYTES_MAX`] bytes.
    Packed {
        /// What it is.
        kind: PackedKind,
        /// The collection.
        bytes: &'a [u8],
    },
    /// A packed collection in a buffer.
    PackedBuffer {
        /// What it is.
        kind: PackedKind,
        /// The buffer.
        parts: BufferParts,
    },
    /// A large collection.
    Large(LargeParts),
}

impl KeyPart<'_> {
    /// Bytes that it owns outside the block, by capacity.
    pub fn outside_bytes(&self) -> usize {
        match self {
            Self::Inline(_) => 0,
            Self::Buffer(parts) => parts.capacity(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Inline(key) => length_len(key.len()) + key.len(),
            Self::Buffer(_) => LENGTH_OUTSIDE.len() + BUFFER_PARTS_BYTES,
        }
    }
}

impl ValuePart<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Int(number) => int_encoding(*number).1,
            Self::Inline { bytes, .. } | Self::Packed { bytes, .. } => length_len(bytes.len()) + bytes.len(),
            Self::Buffer { .. } | Self::PackedBuffer { .. } => BUFFER_PARTS_BYTES,
            Self::Large(_) => LARGE_PARTS_BYTES,
        }
    }

    /// Bytes that it owns outside the block, by capacity.
    pub fn outside_bytes(&self) -> usize {
        match self {
            Self::Int(_) | Self::Inline { .. } | Self::Packed { .. } => 0,
            Self::Buffer { parts, .. } | Self::PackedBuffer { parts, .. } => parts.capacity(),
            // SAFETY: whoever holds the parts owns the value, and it is looked at for the length of this call.
            Self::Large(parts) => unsafe { parts.as_ref() }.heap_bytes(),
        }
    }

    fn kind(&self) -> u8 {
        let (encoding, modified) = match self {
            Self::Int(number) => (int_encoding(*number).0, false),
            Self::Inline { modified, .. } => (ENCODING_BYTES, *modified),
            Self::Buffer { modified, .. } => (ENCODING_BUFFER, *modified),
            Self::Packed { kind, .. } => (ENCODING_PACKED + *kind as u8, false),
            Self::PackedBuffer { kind, .. } => return (ENCODING_PACKED + *kind as u8) | PACKED_OUTSIDE,
            Self::Large(_) => (ENCODING_LARGE, false),
        };
        encoding | if modified { MODIFIED } else { 0 }
    }
}

/// The encoding of an integer and its width in bytes.
const fn int_encoding(number: i64) -> (u8, usize) {
    match number {
        -0x80..=0x7f => (ENCODING_INT8, 1),
        -0x8000..=0x7fff => (ENCODING_INT16, 2),
        -0x8000_0000..=0x7fff_ffff => (ENCODING_INT32, 4),
        _ => (ENCODING_INT64, 8),
    }
}

const fn length_len(len: usize) -> usize {
    if len <= LENGTH_ONE_BYTE_MAX { 1 } else { 2 }
}

const fn expiry_kind(expire_at: Option<i64>) -> u8 {
    match expire_at {
        None => 0,
        Some(at) if at >= 0 && at < 1 << 48 => 1,
        Some(_) => 2,
    }
}

#[inline]
const fn expiry_len(kind: u8) -> usize {
    [0, 6, 8, 8][(kind & EXPIRY_MASK) as usize]
}

/// Writes pieces one after another.
struct Writer<'a> {
    rest: &'a mut [u8],
}

impl Writer<'_> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        let (target, rest) = std::mem::take(&mut self.rest).split_at_mut(bytes.len());
        target.copy_from_slice(bytes);
        self.rest = rest;
    }

    #[inline]
    fn put_length(&mut self, len: usize) {
        debug_assert!(len <= LENGTH_MAX);
        if len <= LENGTH_ONE_BYTE_MAX {
            self.put(&[len as u8]);
        } else {
            self.put(&[0xc0 | (len >> 8) as u8, len as u8]);
        }
    }
}

impl Parts<'_> {
    /// How many bytes a block of these parts has.
    #[inline]
    pub fn len(&self) -> usize {
        HEADER_BYTES + self.key.len() + expiry_len(expiry_kind(self.expire_at)) + self.value.len()
    }

    /// Writes the block; `block` is at least [`Self::len`] bytes long.
    #[inline]
    pub fn write(&self, block: &mut [u8]) {
        let expiry = expiry_kind(self.expire_at);
        let saved = if self.saved { SAVED } else { 0 };
        let access = self.access.to_le_bytes();
        let mut out = Writer { rest: block };
        out.put(&[self.value.kind() | expiry << EXPIRY_SHIFT | saved, access[0], access[1], access[2]]);
        match &self.key {
            KeyPart::Inline(key) => out.put_length(key.len()),
            KeyPart::Buffer(_) => out.put(&LENGTH_OUTSIDE),
        }
        if let Some(at) = self.expire_at {
            out.put(&at.to_le_bytes()[..expiry_len(expiry)]);
        }
        match &self.key {
            KeyPart::Inline(key) => out.put(key),
            KeyPart::Buffer(parts) => out.put(parts.as_bytes()),
        }
        match &self.value {
            ValuePart::Int(number) => out.put(&number.to_le_bytes()[..int_encoding(*number).1]),
            ValuePart::Inline { bytes, .. } | ValuePart::Packed { bytes, .. } => {
                out.put_length(bytes.len());
                out.put(bytes);
            }
            ValuePart::Buffer { parts, .. } | ValuePart::PackedBuffer { parts, .. } => out.put(parts.as_bytes()),
            ValuePart::Large(parts) => out.put(parts.as_bytes()),
        }
    }
}

/// A live block, to be read.
#[derive(Clone, Copy, Debug)]
pub struct BlockRef<'a>(&'a [u8]);

impl<'a> BlockRef<'a> {
    /// A view of a block.
    ///
    /// # Safety
    ///
    /// The bytes were written by [`Parts::write`] (and changed by functions of this module only), and the buffers of the
    /// block are neither changed nor taken during `'a`.
    #[inline]
    pub const unsafe fn new(block: &'a [u8]) -> Self {
        Self(block)
    }

    const fn kind(self) -> u8 {
        self.0[0]
    }

    /// The access bits.
    pub const fn access(self) -> u32 {
        u32::from_le_bytes([self.0[1], self.0[2], self.0[3], 0])
    }

    /// The saved mark.
    pub const fn saved(self) -> bool {
        self.kind() & SAVED != 0
    }

    const fn expiry_kind(self) -> u8 {
        self.kind() >> EXPIRY_SHIFT & EXPIRY_MASK
    }

    /// Whether the key expires.
    pub const fn has_expiry(self) -> bool {
        self.expiry_kind() != 0
    }

    /// When the key expires.
    #[inline]
    pub fn expire_at(self) -> Option<i64> {
        let len = expiry_len(self.expiry_kind());
        if len == 0 {
            return None;
        }
        let start = HEADER_BYTES + if self.0[HEADER_BYTES] as usize <= LENGTH_ONE_BYTE_MAX { 1 } else { 2 };
        let mut bytes = [0; 8];
        bytes[..len].copy_from_slice(&self.0[start..start + len]);
        Some(i64::from_le_bytes(bytes))
    }

    /// Where the key lies, and how long it is (its buffer parts are); and whether it is in a buffer.
    #[inline]
    fn key_place(self) -> (usize, usize, bool) {
        let (start, len, outside) = match read_length(&self.0[HEADER_BYTES..]) {
            (Some(len), width) => (HEADER_BYTES + width, len, false),
            (None, width) => (HEADER_BYTES + width, BUFFER_PARTS_BYTES, true),
        };
        (start + expiry_len(self.expiry_kind()), len, outside)
    }

    /// The key as it lies in the block.
    pub fn key_part(self) -> KeyPart<'a> {
        let (start, len, outside) = self.key_place();
        let bytes = &self.0[start..start + len];
        if outside { KeyPart::Buffer(BufferParts::read(bytes)) } else { KeyPart::Inline(bytes) }
    }

    /// The key.
    #[inline]
    pub fn key(self) -> &'a [u8] {
        match self.key_part() {
            KeyPart::Inline(key) => key,
            // SAFETY: the block is live, so it owns the buffer, which stays as it is during `'a`.
            KeyPart::Buffer(parts) => unsafe { parts.as_slice() },
        }
    }

    /// Whether this is its key. What a look-up asks for each candidate, so keys in the block are compared without detours.
    #[inline]
    pub fn has_key(self, key: &[u8]) -> bool {
        let len = self.0[HEADER_BYTES] as usize;
        if len > LENGTH_ONE_BYTE_MAX {
            return self.key() == key;
        }
        let start = HEADER_BYTES + 1 + expiry_len(self.expiry_kind());
        len == key.len() && self.0.get(start..start + len) == Some(key)
    }

    /// The bytes of the value and what follows.
    #[inline]
    fn value_bytes(self) -> &'a [u8] {
        let (start, len, _) = self.key_place();
        &self.0[start + len..]
    }

    /// The value as it lies in the block.
    #[inline]
    pub fn value_part(self) -> ValuePart<'a> {
        let bytes = self.value_bytes();
        let modified = self.kind() & MODIFIED != 0;
        match self.kind() & ENCODING_MASK {
            ENCODING_INT8 => ValuePart::Int(i64::from(bytes[0] as i8)),
            ENCODING_INT16 => ValuePart::Int(i64::from(i16::from_le_bytes(chunk(bytes)))),
            ENCODING_INT32 => ValuePart::Int(i64::from(i32::from_le_bytes(chunk(bytes)))),
            ENCODING_INT64 => ValuePart::Int(i64::from_le_bytes(chunk(bytes))),
            ENCODING_BUFFER => ValuePart::Buffer { parts: BufferParts::read(bytes), modified },
            ENCODING_LARGE => ValuePart::Large(LargeParts::read(bytes)),
            ENCODING_BYTES => ValuePart::Inline { bytes: with_length(bytes), modified },
            packed => {
                let kind = PackedKind::ALL[usize::from(packed - ENCODING_PACKED)];
                if self.kind() & PACKED_OUTSIDE != 0 {
                    ValuePart::PackedBuffer { kind, parts: BufferParts::read(bytes) }
                } else {
                    ValuePart::Packed { kind, bytes: with_length(bytes) }
                }
            }
        }
    }

    /// The value.
    #[inline]
    pub fn value(self) -> Value<'a> {
        if self.kind() & ENCODING_MASK == ENCODING_BYTES {
            let bytes = self.value_bytes();
            if bytes[0] as usize <= LENGTH_ONE_BYTE_MAX {
                let modified = self.kind() & MODIFIED != 0;
                return Value::String(StringRef::from_bytes(&bytes[1..=usize::from(bytes[0])], modified));
            }
        }
        match self.value_part() {
            ValuePart::Int(number) => Value::String(StringRef::from_int(number)),
            ValuePart::Inline { bytes, modified } => Value::String(StringRef::from_bytes(bytes, modified)),
            ValuePart::Buffer { parts, modified } => {
                // SAFETY: the block is live, so it owns the buffer, which stays as it is during `'a`.
                Value::String(StringRef::from_bytes(unsafe { parts.as_slice() }, modified))
            }
            ValuePart::Packed { kind, bytes } => kind.value(bytes),
            // SAFETY: the block is live, so it owns the buffer, which stays as it is during `'a`.
            ValuePart::PackedBuffer { kind, parts } => kind.value(unsafe { parts.as_slice() }),
            // SAFETY: the block is live, so it owns the collection, which stays as it is during `'a`.
            ValuePart::Large(parts) => unsafe { parts.as_ref() }.value(),
        }
    }

    /// The large collection that it owns, if it does.
    #[inline]
    pub fn large(self) -> Option<LargeRef<'a>> {
        if self.kind() & ENCODING_MASK != ENCODING_LARGE {
            return None;
        }
        // SAFETY: the block is live, so it owns the collection, which stays as it is during `'a`.
        Some(unsafe { LargeParts::read(self.value_bytes()).as_ref() })
    }

    /// All parts, to write them into another block.
    pub fn parts(self) -> Parts<'a> {
        self.parts_with(self.value_part())
    }

    /// All parts but the value, which is given.
    pub fn parts_with(self, value: ValuePart<'a>) -> Parts<'a> {
        Parts { key: self.key_part(), value, expire_at: self.expire_at(), access: self.access(), saved: self.saved() }
    }

    /// Bytes of the block itself, unused ones at its end included.
    pub const fn capacity(self) -> usize {
        self.0.len()
    }

    /// The bytes in front of the value: all that [`Self::parts_with`] refers to.
    pub fn head_bytes(self) -> &'a [u8] {
        let (start, len, _) = self.key_place();
        &self.0[..start + len]
    }

    /// Whether key or value lie outside the block.
    #[inline]
    pub fn owns_buffers(self) -> bool {
        let encoding = self.kind() & ENCODING_MASK;
        encoding == ENCODING_BUFFER
            || encoding == ENCODING_LARGE
            || (encoding >= ENCODING_PACKED && self.kind() & PACKED_OUTSIDE != 0)
            || self.0[HEADER_BYTES..HEADER_BYTES + LENGTH_OUTSIDE.len()] == LENGTH_OUTSIDE
    }

    /// Bytes that the block owns outside itself, by capacity.
    pub fn outside_bytes(self) -> usize {
        if !self.owns_buffers() {
            return 0;
        }
        self.key_part().outside_bytes() + self.value_part().outside_bytes()
    }
}

/// The bytes behind a length.
#[inline]
fn with_length(bytes: &[u8]) -> &[u8] {
    let (len, width) = read_length(bytes);
    let len = len.expect("a value in the block has a length");
    &bytes[width..width + len]
}

#[inline]
fn chunk<const N: usize>(bytes: &[u8]) -> [u8; N] {
    *bytes.first_chunk().expect("an integer lies in the block with all its bytes")
}

/// A length and how many bytes it took; no length means that the thing lies in a buffer.
#[inline]
fn read_length(bytes: &[u8]) -> (Option<usize>, usize) {
    let first = bytes[0] as usize;
    if first <= LENGTH_ONE_BYTE_MAX {
        return (Some(first), 1);
    }
    let len = (first & 0x3f) << 8 | bytes[1] as usize;
    (if len > LENGTH_MAX { None } else { Some(len) }, 2)
}
