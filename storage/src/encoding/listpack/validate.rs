//! Checking bytes from outside: payloads of RESTORE, snapshot files.

use super::element::{Shape, length_len, read_length_backwards};
use super::{COUNT_UNKNOWN, END, HEADER_BYTES, Listpack};

/// The bytes are not of the format that they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Checks every element, and what the header says of them. Never reads outside of `bytes` and never allocates, whatever
/// they claim. What passes is safe to be read and edited by everything in this module.
pub fn validate(bytes: &[u8]) -> Result<Listpack<'_>, Malformed> {
    let (total, rest) = bytes.split_first_chunk().ok_or(Malformed)?;
    let (count, rest) = rest.split_first_chunk().ok_or(Malformed)?;
    let (&end, mut elements) = rest.split_last().ok_or(Malformed)?;
    if u32::from_le_bytes(*total) as usize != bytes.len() || end != END {
        return Err(Malformed);
    }
    let mut found = 0;
    while !elements.is_empty() {
        elements = &elements[element_len(elements)?..];
        found += 1;
    }
    let count = u16::from_le_bytes(*count);
    if count != COUNT_UNKNOWN && usize::from(count) != found {
        return Err(Malformed);
    }
    debug_assert!(bytes.len() > HEADER_BYTES);
    Ok(Listpack::new(bytes))
}

/// The length of the element that begins `bytes`, if it is whole and the length behind it is right.
fn element_len(bytes: &[u8]) -> Result<usize, Malformed> {
    let shape = Shape::read(bytes).ok_or(Malformed)?;
    let body = shape.body_len();
    let element = bytes.get(..shape.len()).ok_or(Malformed)?;
    let length = &element[body..];
    debug_assert_eq!(length.len(), length_len(body));
    if length[0] & 0x80 != 0 || read_length_backwards(length) != Some(body) {
        return Err(Malformed);
    }
    Ok(element.len())
}
