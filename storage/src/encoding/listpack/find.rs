//! Searching a listpack.

use super::element::Shape;
use super::{Cursor, END, Item, Listpack};
use crate::number::parse_i64;

/// A byte string to be searched for, read as an integer once.
#[derive(Clone, Copy, Debug)]
pub struct Needle<'a> {
    bytes: &'a [u8],
    int: Option<i64>,
}

impl<'a> Needle<'a> {
    /// A needle for a byte string.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, int: parse_i64(bytes) }
    }

    /// Whether the text of an item is the byte string.
    #[inline]
    pub fn is(self, item: Item<'_>) -> bool {
        match item {
            Item::Bytes(bytes) => bytes == self.bytes,
            Item::Int(number) => self.int == Some(number),
        }
    }
}

impl Listpack<'_> {
    /// The first element at or behind `start` whose text is `needle`. After each element looked at, `skip` others are
    /// passed over: with 1 only every other element is compared, the fields of a hash for example.
    #[inline]
    pub fn find(self, needle: &[u8], start: Cursor, skip: usize) -> Option<Cursor> {
        self.find_needle(Needle::new(needle), start, skip)
    }

    /// As [`Self::find`], for a needle that is searched for more than once.
    pub fn find_needle(self, needle: Needle<'_>, start: Cursor, skip: usize) -> Option<Cursor> {
        let bytes = self.bytes();
        let mut offset = start.offset();
        let mut skipped = skip;
        while bytes[offset] != END {
            let element = &bytes[offset..];
            let shape = Shape::read(element).expect("elements follow each other in a well-formed listpack");
            if skipped == skip {
                skipped = 0;
                // Most elements differ in their length already.
                if (!shape.string || shape.data == needle.bytes.len()) && needle.is(shape.item(element)) {
                    return Some(Cursor::new(offset));
                }
            } else {
                skipped += 1;
            }
            offset += shape.len();
        }
        None
    }
}
