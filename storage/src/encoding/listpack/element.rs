//! The bytes of one element: reading its head, encoding a new one.

use super::Item;
use crate::number::parse_i64;

const STRING_6: u8 = 0x80;
const INT_13: u8 = 0xc0;
const STRING_12: u8 = 0xe0;
const STRING_32: u8 = 0xf0;
const INT_16: u8 = 0xf1;
const INT_24: u8 = 0xf2;
const INT_32: u8 = 0xf3;
const INT_64: u8 = 0xf4;

const STRING_6_BYTES_MAX: usize = 0x3f;
const STRING_12_BYTES_MAX: usize = 0xfff;

/// The longest head: that of a 64-bit integer together with its data.
const HEAD_BYTES_MAX: usize = 9;

/// What the head of an element says.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Bytes of the head.
    pub head: usize,
    /// Bytes of the data.
    pub data: usize,
    /// Whether it is a string.
    pub string: bool,
}

impl Shape {
    /// Reads the head at the beginning of `bytes`; none if it is not one, or is cut off.
    #[inline]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let first = *bytes.first()?;
        let (head, data, string) = match first {
            0..STRING_6 => (1, 0, false),
            STRING_6..INT_13 => (1, usize::from(first - STRING_6), true),
            INT_13..STRING_12 => (1, 1, false),
            STRING_12..STRING_32 => (2, usize::from(first - STRING_12) << 8 | usize::from(*bytes.get(1)?), true),
            STRING_32 => {
                let (len, _) = bytes.get(1..)?.split_first_chunk()?;
                (5, u32::from_le_bytes(*len) as usize, true)
            }
            INT_16 => (1, 2, false),
            INT_24 => (1, 3, false),
            INT_32 => (1, 4, false),
            INT_64 => (1, 8, false),
            _ => return None,
        };
        Some(Self { head, data, string })
    }

    /// Bytes of head and data.
    #[inline]
    pub const fn body_len(self) -> usize {
        self.head + self.data
    }

    /// Bytes of the whole element.
    #[inline]
    pub const fn len(self) -> usize {
        let body = self.body_len();
        body + length_len(body)
    }

    /// The item of the element that begins `bytes` and has this shape.
    #[inline]
    pub fn item(self, bytes: &[u8]) -> Item<'_> {
        let data = &bytes[self.head..self.head + self.data];
        if self.string { Item::Bytes(data) } else { Item::Int(read_int(bytes[0], data)) }
    }
}

#[inline]
fn read_int(head: u8, data: &[u8]) -> i64 {
    match (head, data) {
        (_, []) => i64::from(head),
        (_, &[low]) => sign_extend(u64::from(head & 0x1f) << 8 | u64::from(low), 13),
        (_, _) => {
            let mut bytes = [0; 8];
            bytes[..data.len()].copy_from_slice(data);
            sign_extend(u64::from_le_bytes(bytes), data.len() as u32 * 8)
        }
    }
}

const fn sign_extend(value: u64, bits: u32) -> i64 {
    (value << (u64::BITS - bits)) as i64 >> (u64::BITS - bits)
}

/// How many bytes the length of an element takes whose head and data have `body` bytes. Redis leaves the largest value
/// of each width but the first to the next one.
#[inline]
pub(super) const fn length_len(body: usize) -> usize {
    match body {
        0..128 => 1,
        128..0x3fff => 2,
        0x3fff..0x1f_ffff => 3,
        0x1f_ffff..0xfff_ffff => 4,
        _ => 5,
    }
}

/// Reads the length that ends where `bytes` end: the bytes of head and data before it. None if it is none.
#[inline]
pub(super) fn read_length_backwards(bytes: &[u8]) -> Option<usize> {
    let mut body = 0;
    for (index, byte) in bytes.iter().rev().take(5).enumerate() {
        body |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some(body);
        }
    }
    None
}

/// A new element on its way into a listpack.
#[derive(Clone, Copy, Debug)]
pub struct Encoded<'a> {
    head: [u8; HEAD_BYTES_MAX],
    head_len: usize,
    string: &'a [u8],
}

impl<'a> Encoded<'a> {
    /// The element for a byte string: an integer if it is the canonical text of one.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        match parse_i64(bytes) {
            Some(number) => Self::int(number),
            None => Self::string(bytes),
        }
    }

    /// The element for an item of another listpack.
    pub fn item(item: Item<'a>) -> Self {
        match item {
            Item::Bytes(bytes) => Self::new(bytes),
            Item::Int(number) => Self::int(number),
        }
    }

    fn string(bytes: &'a [u8]) -> Self {
        let mut head = [0; HEAD_BYTES_MAX];
        let head_len = match bytes.len() {
            len @ 0..=STRING_6_BYTES_MAX => {
                head[0] = STRING_6 | len as u8;
                1
            }
            len @ 0..=STRING_12_BYTES_MAX => {
                head[0] = STRING_12 | (len >> 8) as u8;
                head[1] = len as u8;
                2
            }
            len => {
                let len = u32::try_from(len).expect("strings in a listpack have less than 4 GiB");
                head[0] = STRING_32;
                head[1..5].copy_from_slice(&len.to_le_bytes());
                5
            }
        };
        Self { head, head_len, string: bytes }
    }

    /// The element for an integer.
    pub fn int(number: i64) -> Self {
        let mut head = [0; HEAD_BYTES_MAX];
        let (first, width) = match number {
            0..=0x7f => (number as u8, 0),
            -0x1000..=0xfff => {
                head[1] = number as u8;
                (INT_13 | (number >> 8) as u8 & 0x1f, 1)
            }
            -0x8000..=0x7fff => (INT_16, 2),
            -0x80_0000..=0x7f_ffff => (INT_24, 3),
            -0x8000_0000..=0x7fff_ffff => (INT_32, 4),
            _ => (INT_64, 8),
        };
        head[0] = first;
        if width > 1 {
            head[1..=width].copy_from_slice(&number.to_le_bytes()[..width]);
        }
        Self { head, head_len: 1 + width, string: &[] }
    }

    /// Bytes of head and data.
    #[inline]
    pub const fn body_len(&self) -> usize {
        self.head_len + self.string.len()
    }

    /// The item that the element stands for.
    #[inline]
    pub fn as_item(&self) -> Item<'_> {
        if self.head[0] & 0xc0 == STRING_6 || self.head[0] & 0xf0 == STRING_12 || self.head[0] == STRING_32 {
            Item::Bytes(self.string)
        } else {
            Item::Int(read_int(self.head[0], &self.head[1..self.head_len]))
        }
    }

    /// Whether `bytes` begin with head and data of the element.
    #[inline]
    pub fn begins(&self, bytes: &[u8]) -> bool {
        let (head, string) = (&self.head[..self.head_len], self.string);
        bytes.len() >= head.len() + string.len()
            && &bytes[..head.len()] == head
            && &bytes[head.len()..head.len() + string.len()] == string
    }

    /// Writes head and data to the beginning of `out`.
    #[inline]
    pub fn write_body(&self, out: &mut [u8]) {
        out[..self.head_len].copy_from_slice(&self.head[..self.head_len]);
        out[self.head_len..self.body_len()].copy_from_slice(self.string);
    }

    /// Bytes of the element.
    #[inline]
    pub const fn len(&self) -> usize {
        self.body_len() + length_len(self.body_len())
    }

    /// Writes the element; `out` has exactly its length.
    #[inline]
    pub fn write(&self, out: &mut [u8]) {
        let body = self.body_len();
        self.write_body(out);
        let length = &mut out[body..];
        let last = length.len() - 1;
        for (index, byte) in length.iter_mut().enumerate() {
            let bits = (body >> (7 * (last - index))) as u8 & 0x7f;
            *byte = if index == 0 { bits } else { bits | 0x80 };
        }
    }
}

/// How many bytes a byte string takes as an element of a listpack.
pub fn stored_bytes(bytes: &[u8]) -> usize {
    Encoded::new(bytes).len()
}
