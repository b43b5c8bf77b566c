//! The bytes of one record.
//!
//! ```text
//! record     [0xf5 + 6 bytes]  field  [value]        the expiry in milliseconds, little-endian, only if there is one
//! element    head + data, as in a listpack but without the length behind
//!            0xf6 + 4 bytes                          the number of a buffer of the segment, little-endian
//! ```
//!
//! The heads 0xf5 and 0xf6 mean nothing in listpacks. Records say themselves where they end.

use super::Record;
use super::outside::Outside;
use crate::encoding::listpack::{Encoded, Item, Shape};

const EXPIRY: u8 = 0xf5;
const OUTSIDE: u8 = 0xf6;

/// Bytes of an expiry in a record.
pub const EXPIRY_BYTES: usize = 7;
const OUTSIDE_BYTES: usize = 5;

/// An element on its way into a record.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// Bytes that lie in the record.
    Inline(Encoded<'a>),
    /// The number of a buffer that has them.
    Outside(u32),
}

impl Part<'_> {
    /// Bytes of the element.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Self::Inline(encoded) => encoded.body_len(),
            Self::Outside(_) => OUTSIDE_BYTES,
        }
    }

    /// Writes the element to the beginning of `out`.
    #[inline]
    pub fn write(&self, out: &mut [u8]) {
        match self {
            Self::Inline(encoded) => encoded.write_body(out),
            Self::Outside(number) => {
                out[0] = OUTSIDE;
                out[1..OUTSIDE_BYTES].copy_from_slice(&number.to_le_bytes());
            }
        }
    }
}

/// Writes the expiry to the beginning of `out`.
pub fn write_expiry(expire_at: i64, out: &mut [u8]) {
    debug_assert!((0..=super::EXPIRE_AT_MAX).contains(&expire_at));
    out[0] = EXPIRY;
    out[1..EXPIRY_BYTES].copy_from_slice(&expire_at.to_le_bytes()[..EXPIRY_BYTES - 1]);
}

/// The expiry of the record that begins `bytes`.
#[inline]
pub fn expire_at(bytes: &[u8]) -> Option<i64> {
    if bytes[0] != EXPIRY {
        return None;
    }
    let mut number = [0; 8];
    number[..EXPIRY_BYTES - 1].copy_from_slice(&bytes[1..EXPIRY_BYTES]);
    Some(i64::from_le_bytes(number))
}

/// Where the field begins.
#[inline]
pub fn field_start(bytes: &[u8]) -> usize {
    if bytes[0] == EXPIRY { EXPIRY_BYTES } else { 0 }
}

/// Bytes of the element that begins `bytes`.
#[inline]
pub fn element_len(bytes: &[u8]) -> usize {
    if bytes[0] == OUTSIDE { OUTSIDE_BYTES } else { shape(bytes).body_len() }
}

#[inline]
fn shape(bytes: &[u8]) -> Shape {
    Shape::read(bytes).expect("records consist of elements")
}

/// The number of the buffer that has the element which begins `bytes`, if one has it.
#[inline]
pub fn outside_number(bytes: &[u8]) -> Option<u32> {
    if bytes[0] != OUTSIDE {
        return None;
    }
    Some(u32::from_le_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]))
}

/// The item of the element that begins `bytes`.
#[inline]
pub fn item<'a>(bytes: &'a [u8], outside: Option<&'a Outside>) -> Item<'a> {
    match outside_number(bytes) {
        None => shape(bytes).item(bytes),
        Some(number) => Item::Bytes(outside.expect("a record outside has a buffer").at(number)),
    }
}

/// Where the value begins, and where the record ends. Without values both are the same.
#[inline]
pub fn value_range<const VALUES: bool>(bytes: &[u8]) -> (usize, usize) {
    let field = field_start(bytes);
    let value = field + element_len(&bytes[field..]);
    (value, if VALUES { value + element_len(&bytes[value..]) } else { value })
}

/// Reads the record that begins `bytes`.
#[inline]
pub fn read<'a, const VALUES: bool>(bytes: &'a [u8], outside: Option<&'a Outside>) -> Record<'a> {
    let field = &bytes[field_start(bytes)..];
    let value = if VALUES { item(&field[element_len(field)..], outside) } else { Item::Bytes(&[]) };
    Record { field: item(field, outside), value, expire_at: expire_at(bytes) }
}

/// Calls `renumber` for the number of each buffer that the record has elements in, and stores what it returns.
pub fn renumber_outside<const VALUES: bool>(record: &mut [u8], mut renumber: impl FnMut(u32) -> u32) {
    let field = field_start(record);
    let (value, _) = value_range::<VALUES>(record);
    let starts = [Some(field), VALUES.then_some(value)];
    for start in starts.into_iter().flatten() {
        if let Some(number) = outside_number(&record[start..]) {
            record[start + 1..start + OUTSIDE_BYTES].copy_from_slice(&renumber(number).to_le_bytes());
        }
    }
}
