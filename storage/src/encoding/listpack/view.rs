//! The view of a listpack: places, items, walking in both directions.

use std::iter::FusedIterator;

use super::element::{Shape, read_length_backwards};
use super::{COUNT_OFFSET, COUNT_UNKNOWN, END, HEADER_BYTES, Item};

/// The place of an element: the offset of its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor(pub(super) u32);

impl Cursor {
    pub(super) const fn new(offset: usize) -> Self {
        Self(offset as u32)
    }

    pub(super) const fn offset(self) -> usize {
        self.0 as usize
    }
}

/// A view of a well-formed listpack.
#[derive(Clone, Copy)]
pub struct Listpack<'a> {
    bytes: &'a [u8],
}

impl<'a> Listpack<'a> {
    /// A view of bytes that this module wrote, or [`super::validate`] has checked.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        debug_assert_eq!(bytes.first_chunk().map(|total| u32::from_le_bytes(*total) as usize), Some(bytes.len()));
        debug_assert_eq!(bytes.last(), Some(&END));
        Self { bytes }
    }

    /// All its bytes.
    pub const fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// How many bytes it has.
    pub const fn bytes_len(self) -> usize {
        self.bytes.len()
    }

    /// The number of elements in the header, if there are not too many for it.
    #[inline]
    pub(super) fn count(self) -> Option<usize> {
        let count = u16::from_le_bytes([self.bytes[COUNT_OFFSET], self.bytes[COUNT_OFFSET + 1]]);
        (count != COUNT_UNKNOWN).then_some(usize::from(count))
    }

    /// The number of elements. Those of a listpack of 65,535 or more are counted one by one.
    #[inline]
    pub fn len(self) -> usize {
        self.count().unwrap_or_else(|| self.cursors().count())
    }

    /// Whether it has no elements.
    pub const fn is_empty(self) -> bool {
        self.bytes.len() == super::EMPTY_BYTES
    }

    #[inline]
    fn shape(self, offset: usize) -> Shape {
        Shape::read(&self.bytes[offset..]).expect("a cursor stands on an element of a well-formed listpack")
    }

    /// The first element.
    pub fn first(self) -> Option<Cursor> {
        (!self.is_empty()).then_some(Cursor::new(HEADER_BYTES))
    }

    /// The last element.
    pub fn last(self) -> Option<Cursor> {
        self.before(self.bytes.len() - 1)
    }

    /// The element behind another.
    #[inline]
    pub fn next(self, cursor: Cursor) -> Option<Cursor> {
        let offset = self.offset_behind(cursor);
        (self.bytes[offset] != END).then_some(Cursor::new(offset))
    }

    /// The element before another.
    pub fn prev(self, cursor: Cursor) -> Option<Cursor> {
        self.before(cursor.offset())
    }

    /// Where the bytes of an element end.
    #[inline]
    pub(super) fn offset_behind(self, cursor: Cursor) -> usize {
        cursor.offset() + self.shape(cursor.offset()).len()
    }

    /// The element whose bytes end at `offset`.
    fn before(self, offset: usize) -> Option<Cursor> {
        if offset == HEADER_BYTES {
            return None;
        }
        let body = read_length_backwards(&self.bytes[HEADER_BYTES..offset]);
        let body = body.expect("there is a length behind each element");
        Some(Cursor::new(offset - body - super::element::length_len(body)))
    }

    /// The item in a place.
    #[inline]
    pub fn at(self, cursor: Cursor) -> Item<'a> {
        self.shape(cursor.offset()).item(&self.bytes[cursor.offset()..])
    }

    /// The element at an index; negative ones count from the end, -1 is the last. It is walked to from the nearer end.
    pub fn seek(self, index: isize) -> Option<Cursor> {
        let (forwards, steps) = match (self.count(), usize::try_from(index)) {
            (None, Ok(steps)) => (true, steps),
            (None, Err(_)) => (false, index.unsigned_abs() - 1),
            (Some(count), index_or_negative) => {
                let index = match index_or_negative {
                    Ok(index) => index,
                    Err(_) => count.checked_sub(index.unsigned_abs())?,
                };
                let from_end = count.checked_sub(index + 1)?;
                if index <= from_end { (true, index) } else { (false, from_end) }
            }
        };
        let mut cursor = if forwards { self.first()? } else { self.last()? };
        for _ in 0..steps {
            cursor = if forwards { self.next(cursor)? } else { self.prev(cursor)? };
        }
        Some(cursor)
    }

    /// All places, first to last.
    pub fn cursors(self) -> Cursors<'a> {
        self.cursors_from(Cursor::new(HEADER_BYTES))
    }

    /// The places from one on to the last.
    pub fn cursors_from(self, cursor: Cursor) -> Cursors<'a> {
        Cursors { listpack: self, front: cursor.offset(), back: self.bytes.len() - 1 }
    }

    /// All items, first to last.
    #[inline]
    pub fn iter(self) -> Iter<'a> {
        Iter { cursors: self.cursors() }
    }

    /// All items two by two: fields with their values. A last one without a partner is left out.
    pub fn pairs(self) -> Pairs<'a> {
        Pairs { items: self.iter() }
    }
}

/// The number of elements, and the items.
impl std::fmt::Debug for Listpack<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for Listpack<'a> {
    type Item = Item<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The places of a listpack's elements, from both ends.
#[derive(Clone, Debug)]
pub struct Cursors<'a> {
    listpack: Listpack<'a>,
    /// Where the next element begins.
    front: usize,
    /// Where the last element left ends.
    back: usize,
}

impl Iterator for Cursors<'_> {
    type Item = Cursor;

    #[inline]
    fn next(&mut self) -> Option<Cursor> {
        if self.front == self.back {
            return None;
        }
        let cursor = Cursor::new(self.front);
        self.front = self.listpack.offset_behind(cursor);
        Some(cursor)
    }
}

impl DoubleEndedIterator for Cursors<'_> {
    fn next_back(&mut self) -> Option<Cursor> {
        if self.front == self.back {
            return None;
        }
        let cursor = self.listpack.before(self.back)?;
        self.back = cursor.offset();
        Some(cursor)
    }
}

impl FusedIterator for Cursors<'_> {}

/// The items of a listpack, from both ends.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    cursors: Cursors<'a>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        let cursors = &mut self.cursors;
        if cursors.front == cursors.back {
            return None;
        }
        let bytes = &cursors.listpack.bytes[cursors.front..];
        let shape = Shape::read(bytes).expect("elements follow each other in a well-formed listpack");
        cursors.front += shape.len();
        Some(shape.item(bytes))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.cursors.next_back().map(|cursor| self.cursors.listpack.at(cursor))
    }
}

impl FusedIterator for Iter<'_> {}

/// The items of a listpack two by two.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    items: Iter<'a>,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Item<'a>, Item<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        Some((self.items.next()?, self.items.next()?))
    }
}

impl FusedIterator for Pairs<'_> {}
