//! Entries as they are read from a block, and the numbers and elements they are made of.

use super::StreamId;
use crate::encoding::listpack::{Item, Shape};

/// An entry of a stream.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// Its id.
    pub id: StreamId,
    fields: Fields<'a>,
}

impl<'a> Entry<'a> {
    pub(super) const fn new(id: StreamId, fields: Fields<'a>) -> Self {
        Self { id, fields }
    }

    /// Its fields with their values, in the order in which they were given.
    pub fn fields(&self) -> Fields<'a> {
        self.fields.clone()
    }
}

/// Two entries are equal when their ids and all texts are.
impl PartialEq for Entry<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.fields().eq(other.fields())
    }
}

/// The fields of an entry with their values.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    /// The fields of the block, if they are this entry's too.
    names: Option<&'a [u8]>,
    rest: &'a [u8],
    left: usize,
}

impl<'a> Fields<'a> {
    /// `count` fields: of the block, with the values in `rest`, or all of them in `rest`.
    pub(super) const fn new(count: usize, names: Option<&'a [u8]>, rest: &'a [u8]) -> Self {
        Self { names, rest, left: count }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Item<'a>, Item<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = match &mut self.names {
            Some(names) => take_element(names),
            None => take_element(&mut self.rest),
        };
        Some((name, take_element(&mut self.rest)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Fields<'_> {}

/// The most bytes that a number takes.
pub(super) const NUMBER_BYTES_MAX: usize = 10;

/// Writes a number of seven bits a byte.
pub(super) fn put_number(data: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        data.push(number as u8 | 0x80);
        number >>= 7;
    }
    data.push(number as u8);
}

/// Takes a number off the front.
#[inline]
pub(super) fn take_number(bytes: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (&byte, rest) = bytes.split_first().expect("numbers are complete");
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return number;
        }
        shift += 7;
    }
}

/// Takes an element off the front.
#[inline]
pub(super) fn take_element<'a>(bytes: &mut &'a [u8]) -> Item<'a> {
    let shape = Shape::read(bytes).expect("elements are complete");
    let item = shape.item(bytes);
    *bytes = &bytes[shape.head + shape.data..];
    item
}
