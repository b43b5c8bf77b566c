//! A string in RDB: its length and bytes, or a small integer, or compressed.
//!
//! ```text
//!   00llllll                       6-bit length          11000000 i8
//!   01llllll llllllll              14-bit length         11000001 i16, little-endian
//!   10000000 u32, big-endian       32-bit length         11000010 i32, little-endian
//!   10000001 u64, big-endian       64-bit length         11000011 LZF: compressed length, length, bytes
//! ```

use super::lzf;
use crate::number;
use crate::types::string::{OwnedString, StringRef};

const LENGTH_32: u8 = 0x80;
const LENGTH_64: u8 = 0x81;
const INT_8: u8 = 0xc0;
const INT_16: u8 = 0xc1;
const INT_32: u8 = 0xc2;
const LZF: u8 = 0xc3;

/// Shorter strings are not worth compressing.
const COMPRESSED_BYTES_MIN: usize = 21;
/// Compression must save so many bytes, for it costs more to read.
const SAVED_BYTES_MIN: usize = 4;

/// Writes a string.
pub fn write(value: StringRef<'_>, output: &mut Vec<u8>) {
    if let Some(number) = value.as_int() {
        if write_int(number, output) {
            return;
        }
    }
    write_bytes(value.as_bytes(&mut [0; number::INTEGER_TEXT_BYTES_MAX]), output);
}

fn write_int(number: i64, output: &mut Vec<u8>) -> bool {
    if let Ok(number) = i8::try_from(number) {
        output.push(INT_8);
        output.extend(number.to_le_bytes());
    } else if let Ok(number) = i16::try_from(number) {
        output.push(INT_16);
        output.extend(number.to_le_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        output.push(INT_32);
        output.extend(number.to_le_bytes());
    } else {
        return false;
    }
    true
}

fn write_bytes(bytes: &[u8], output: &mut Vec<u8>) {
    if bytes.len() >= COMPRESSED_BYTES_MIN && bytes.len() < u32::MAX as usize {
        if let Some(compressed) = lzf::compress(bytes, bytes.len() - SAVED_BYTES_MIN) {
            output.push(LZF);
            write_length(compressed.len() as u64, output);
            write_length(bytes.len() as u64, output);
            output.extend_from_slice(&compressed);
            return;
        }
    }
    write_length(bytes.len() as u64, output);
    output.extend_from_slice(bytes);
}

/// Writes a length.
pub fn write_length(len: u64, output: &mut Vec<u8>) {
    match len {
        0..=0x3f => output.push(len as u8),
        0x40..=0x3fff => output.extend([0x40 | (len >> 8) as u8, len as u8]),
        0x4000..=0xffff_ffff => {
            output.push(LENGTH_32);
            output.extend((len as u32).to_be_bytes());
        }
        _ => {
            output.push(LENGTH_64);
            output.extend(len.to_be_bytes());
        }
    }
}

/// Reads a string; returns it with what follows. `None` if it is cut short or not a string.
pub fn read(input: &[u8]) -> Option<(OwnedString, &[u8])> {
    let (&first, rest) = input.split_first()?;
    let int = |number: i64, rest| Some((OwnedString::Int(number), rest));
    match first {
        INT_8 => take(rest).and_then(|(bytes, rest)| int(i8::from_le_bytes(bytes).into(), rest)),
        INT_16 => take(rest).and_then(|(bytes, rest)| int(i16::from_le_bytes(bytes).into(), rest)),
        INT_32 => take(rest).and_then(|(bytes, rest)| int(i32::from_le_bytes(bytes).into(), rest)),
        LZF => {
            let (compressed, rest) = read_length(rest)?;
            let (len, rest) = read_length(rest)?;
            let (compressed, rest) = rest.split_at_checked(usize::try_from(compressed).ok()?)?;
            let bytes = lzf::decompress(compressed, usize::try_from(len).ok()?)?;
            Some((OwnedString::encode(bytes), rest))
        }
        _ => {
            let (len, rest) = read_length(input)?;
            let (bytes, rest) = rest.split_at_checked(usize::try_from(len).ok()?)?;
            Some((OwnedString::encode(bytes.to_vec()), rest))
        }
    }
}

/// Reads a length; returns it with what follows.
pub fn read_length(input: &[u8]) -> Option<(u64, &[u8])> {
    let (&first, rest) = input.split_first()?;
    match first {
        0..=0x3f => Some((first.into(), rest)),
        0x40..=0x7f => take(rest).map(|([low], rest)| (u64::from(first & 0x3f) << 8 | u64::from(low), rest)),
        LENGTH_32 => take(rest).map(|(bytes, rest)| (u32::from_be_bytes(bytes).into(), rest)),
        LENGTH_64 => take(rest).map(|(bytes, rest)| (u64::from_be_bytes(bytes), rest)),
        _ => None,
    }
}

fn take<const N: usize>(input: &[u8]) -> Option<([u8; N], &[u8])> {
    let (bytes, rest) = input.split_first_chunk::<N>()?;
    Some((*bytes, rest))
}
