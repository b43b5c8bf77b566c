//! A node of a large list: a listpack, or one large element as it is; either may be compressed.

use std::borrow::Cow;

use super::End;
use super::limits::ListLimits;
use crate::encoding::listpack::{self, Cursor, Item, Listpack, Needle};
use crate::snapshot::lzf;

/// What an element may cost beyond its own bytes, by Redis's estimate: nodes end where Redis's do.
const ELEMENT_OVERHEAD_BYTES: usize = 8;

/// What an element takes at most in a listpack beyond its own bytes: head and length.
const STORED_OVERHEAD_BYTES_MAX: usize = 10;

/// Nodes that are not compressed: those that are too small to gain, and those on which it would take too long.
const COMPRESS_BYTES: std::ops::RangeInclusive<usize> = 48..=64 << 10;
/// What compression must save.
const COMPRESS_SAVING_MIN: usize = 8;

#[derive(Clone, Debug)]
pub(super) struct Node {
    body: Body,
    /// Number of elements.
    len: u32,
    /// Unused bytes before a listpack, into which it grows at its head. There are none before anything else.
    room: u32,
}

#[derive(Clone, Debug)]
enum Body {
    Listpack(Vec<u8>),
    Plain(Vec<u8>),
    Compressed { lzf: Box<[u8]>, bytes: u32, plain: bool },
}

/// What a node holds, readable.
#[derive(Clone, Debug)]
pub enum NodeContents<'a> {
    /// A listpack.
    Listpack(Cow<'a, [u8]>),
    /// One element.
    Plain(Cow<'a, [u8]>),
}

impl Node {
    const fn new(body: Body, len: u32) -> Self {
        Self { body, len, room: 0 }
    }

    /// A node of a listpack that is not empty.
    pub(super) fn listpack(bytes: Vec<u8>) -> Self {
        let len = Listpack::new(&bytes).len() as u32;
        Self::new(Body::Listpack(bytes), len)
    }

    /// A node of one element.
    pub(super) fn with_element(element: &[u8], limits: ListLimits) -> Self {
        if limits.is_large(element.len()) {
            return Self::plain(element.to_vec());
        }
        let mut bytes = listpack::create();
        bytes.reserve_exact(element.len() + ELEMENT_OVERHEAD_BYTES);
        listpack::push_back(&mut bytes, element);
        Self::new(Body::Listpack(bytes), 1)
    }

    /// A node of one element that is kept as it is.
    pub(super) const fn plain(element: Vec<u8>) -> Self {
        Self::new(Body::Plain(element), 1)
    }

    pub(super) const fn len(&self) -> usize {
        self.len as usize
    }

    pub(super) const fn is_plain(&self) -> bool {
        matches!(self.body, Body::Plain(_) | Body::Compressed { plain: true, .. })
    }

    pub(super) const fn is_compressed(&self) -> bool {
        matches!(self.body, Body::Compressed { .. })
    }

    /// Bytes of the listpack or of the element, when not compressed.
    pub(super) const fn bytes(&self) -> usize {
        match &self.body {
            Body::Listpack(bytes) | Body::Plain(bytes) => bytes.len() - self.room as usize,
            Body::Compressed { bytes, .. } => *bytes as usize,
        }
    }

    pub(super) const fn heap_bytes(&self) -> usize {
        match &self.body {
            Body::Listpack(bytes) | Body::Plain(bytes) => bytes.capacity(),
            Body::Compressed { lzf, .. } => lzf.len(),
        }
    }

    pub(super) fn contents(&self) -> NodeContents<'_> {
        match &self.body {
            Body::Listpack(bytes) => NodeContents::Listpack(Cow::Borrowed(&bytes[self.room as usize..])),
            Body::Plain(bytes) => NodeContents::Plain(Cow::Borrowed(bytes)),
            Body::Compressed { lzf, bytes, plain } => {
                let bytes = Cow::Owned(decompressed(lzf, *bytes));
                if *plain { NodeContents::Plain(bytes) } else { NodeContents::Listpack(bytes) }
            }
        }
    }

    /// An element of a node that is not compressed.
    pub(super) fn item(&self, index: usize) -> Item<'_> {
        match &self.body {
            Body::Listpack(bytes) => {
                let view = Listpack::new(&bytes[self.room as usize..]);
                view.at(view.seek(index as isize).expect("the index is below the number of elements"))
            }
            Body::Plain(element) => Item::Bytes(element),
            Body::Compressed { .. } => panic!("elements of compressed nodes cannot be borrowed"),
        }
    }

    /// Whether one more element of so many bytes goes in here.
    pub(super) const fn has_room(&self, element_bytes: usize, limits: ListLimits) -> bool {
        let bytes = self.bytes() + element_bytes + ELEMENT_OVERHEAD_BYTES;
        !self.is_plain() && !limits.exceeded_by(bytes, self.len() + 1)
    }

    /// Whether it holds more than it may, and can be split.
    pub(super) const fn is_overfull(&self, limits: ListLimits) -> bool {
        self.len > 1 && limits.exceeded_by(self.bytes(), self.len())
    }

    /// Whether this one and another would be small together.
    pub(super) const fn merges_with(&self, other: &Self, limits: ListLimits) -> bool {
        let (bytes, len) = (self.bytes() + other.bytes(), self.len() + other.len());
        !self.is_plain() && !other.is_plain() && limits.half_holds(bytes, len) && !limits.exceeded_by(bytes, len)
    }

    /// Compresses it, if that saves enough.
    pub(super) fn compress(&mut self) {
        let (Body::Listpack(bytes) | Body::Plain(bytes)) = &self.body else { return };
        let bytes = &bytes[self.room as usize..];
        if !COMPRESS_BYTES.contains(&bytes.len()) {
            return;
        }
        if let Some(lzf) = lzf::Compressor::new().compress(bytes, COMPRESS_SAVING_MIN) {
            let (bytes, plain) = (bytes.len() as u32, self.is_plain());
            self.body = Body::Compressed { lzf: lzf.into_boxed_slice(), bytes, plain };
            self.room = 0;
        }
    }

    pub(super) fn decompress(&mut self) {
        if let Body::Compressed { lzf, bytes, plain } = &self.body {
            let bytes = decompressed(lzf, *bytes);
            self.body = if *plain { Body::Plain(bytes) } else { Body::Listpack(bytes) };
        }
    }

    /// Gives back what the buffer has beyond its contents, for nodes that will not grow soon.
    pub(super) fn shrink_to_fit(&mut self) {
        self.close_room();
        if let Body::Listpack(bytes) = &mut self.body {
            bytes.shrink_to_fit();
        }
    }

    /// Moves a listpack to the begin of its buffer.
    fn close_room(&mut self) {
        if let Body::Listpack(bytes) = &mut self.body
            && self.room > 0
        {
            bytes.drain(..self.room as usize);
            self.room = 0;
        }
    }

    /// The buffer of a node that is not plain; the listpack is at its end.
    fn buffer(&mut self) -> &mut Vec<u8> {
        self.decompress();
        let Body::Listpack(bytes) = &mut self.body else { panic!("a plain node is never edited as a listpack") };
        bytes
    }

    /// The listpack of a node that is not plain.
    fn open(&mut self) -> &mut Vec<u8> {
        self.close_room();
        self.buffer()
    }

    /// The listpack, with room for so many more bytes.
    fn open_for(&mut self, more_bytes: usize) -> &mut Vec<u8> {
        let bytes = self.open();
        let needed = bytes.len() + more_bytes;
        if needed > bytes.capacity() {
            // A quarter, not the double: lists of a few nodes are many, and each has one that grows. Nor beyond the next
            // power of two, which is where nodes that are limited in bytes end.
            let capacity = (needed + needed / 4).min(needed.next_power_of_two());
            bytes.reserve_exact(capacity - bytes.len());
        }
        bytes
    }

    /// Puts all the room that the buffer has before the listpack, which is so many bytes at least.
    fn make_room(&mut self, bytes_min: usize) {
        let bytes = self.open_for(bytes_min);
        let used = bytes.len();
        bytes.resize(bytes.capacity(), 0);
        let room = bytes.len() - used;
        bytes.copy_within(..used, room);
        self.room = room as u32;
    }

    pub(super) fn push(&mut self, end: End, element: &[u8]) {
        let bytes_max = element.len() + STORED_OVERHEAD_BYTES_MAX;
        match end {
            End::Head => {
                if (self.room as usize) < bytes_max {
                    self.make_room(bytes_max);
                }
                let start = self.room as usize;
                let start = listpack::push_front_in(self.buffer(), start, element);
                self.room = start.expect("room was made") as u32;
            }
            End::Tail => {
                let bytes = self.buffer();
                if bytes.len() + bytes_max > bytes.capacity() {
                    self.open_for(bytes_max);
                }
                let start = self.room as usize;
                listpack::push_back_in(self.buffer(), start, element);
            }
        }
        self.len += 1;
    }

    /// Shows up to `count` elements at an end, and removes them; how many.
    pub(super) fn pop_each(&mut self, end: End, count: usize, take: &mut impl FnMut(Item<'_>)) -> usize {
        self.decompress();
        let popped = match &mut self.body {
            Body::Plain(element) if count > 0 => {
                take(Item::Bytes(element));
                1
            }
            Body::Plain(_) => 0,
            Body::Listpack(bytes) => {
                let (room, popped) = pop_listpack(bytes, self.room as usize, end, count, take);
                self.room = room as u32;
                popped
            }
            Body::Compressed { .. } => unreachable!("it was just decompressed"),
        };
        self.len -= popped as u32;
        popped
    }

    /// The place of an element in a node that is not plain.
    fn cursor(&mut self, index: usize) -> Cursor {
        let view = Listpack::new(self.open());
        view.seek(index as isize).expect("the index is below the number of elements")
    }

    /// Puts an element before the one at `index`, or at the end.
    pub(super) fn insert(&mut self, index: usize, element: &[u8]) {
        if index == self.len() {
            return self.push(End::Tail, element);
        }
        let cursor = self.cursor(index);
        let bytes = self.open_for(element.len() + STORED_OVERHEAD_BYTES_MAX);
        listpack::insert_before(bytes, cursor, element);
        self.len += 1;
    }

    pub(super) fn replace(&mut self, index: usize, element: &[u8]) {
        let cursor = self.cursor(index);
        let old = Listpack::new(self.open()).at(cursor).to_vec();
        let more_bytes = listpack::stored_bytes(element).saturating_sub(listpack::stored_bytes(&old));
        listpack::replace(self.open_for(more_bytes), cursor, element);
    }

    /// Removes `count` elements from `index` on.
    pub(super) fn remove(&mut self, index: usize, count: usize) {
        if count > 0 {
            self.len -= count as u32;
            if !self.is_plain() {
                let cursor = self.cursor(index);
                listpack::remove_range(self.open(), cursor, count);
            }
        }
    }

    /// Removes up to `max` elements that are equal to a value, the ones closest to an end; how many.
    pub(super) fn remove_equal(&mut self, needle: Needle<'_>, from: End, max: usize) -> usize {
        let found = match self.contents() {
            NodeContents::Plain(element) => {
                let removed = usize::from(needle.is(Item::Bytes(&element)));
                self.len -= removed as u32;
                return removed;
            }
            NodeContents::Listpack(bytes) => equal_in(Listpack::new(&bytes), needle, from, max),
        };
        if !found.is_empty() {
            remove_all(self.open(), found.iter().copied());
            self.len -= found.len() as u32;
        }
        found.len()
    }

    /// Cuts it in two before the element at `index`.
    pub(super) fn split_off(&mut self, index: usize) -> Self {
        let cursor = self.cursor(index);
        let bytes = self.open();
        let tail = listpack::split_off(bytes, cursor);
        bytes.shrink_to_fit();
        let tail_len = self.len - index as u32;
        self.len = index as u32;
        Self::new(Body::Listpack(tail), tail_len)
    }

    /// Appends the elements of another node; neither is plain.
    pub(super) fn append(&mut self, mut other: Self) {
        listpack::append(self.open_for(other.bytes()), Listpack::new(other.open()));
        self.len += other.len;
    }

    /// The listpack, or the plain element.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.decompress();
        self.close_room();
        match self.body {
            Body::Listpack(bytes) | Body::Plain(bytes) => bytes,
            Body::Compressed { .. } => unreachable!("it was just decompressed"),
        }
    }

    pub(super) fn check_invariants(&self) {
        assert!(self.len > 0, "a node is never empty");
        assert!(self.room == 0 || matches!(self.body, Body::Listpack(_)), "only a listpack grows at its head");
        match self.contents() {
            NodeContents::Listpack(bytes) => {
                let view = listpack::validate(&bytes).expect("a node's listpack is well-formed");
                assert_eq!(view.len(), self.len());
                assert_eq!(view.bytes_len(), self.bytes());
            }
            NodeContents::Plain(element) => assert_eq!((self.len, element.len()), (1, self.bytes())),
        }
    }
}

fn decompressed(lzf: &[u8], bytes: u32) -> Vec<u8> {
    lzf::decompress(lzf, bytes as usize).expect("a node was compressed by this module")
}

/// The places of up to `max` elements that are equal to a value, the ones closest to an end; the first place first.
pub(super) fn equal_in(view: Listpack<'_>, needle: Needle<'_>, from: End, max: usize) -> Vec<Cursor> {
    let is = |cursor: &Cursor| needle.is(view.at(*cursor));
    match from {
        End::Head => view.cursors().filter(is).take(max).collect(),
        End::Tail => {
            let mut found: Vec<Cursor> = view.cursors().rev().filter(is).take(max).collect();
            found.reverse();
            found
        }
    }
}

/// Removes elements from the last to the first: places before the one removed stay as they are.
pub(super) fn remove_all(bytes: &mut Vec<u8>, found: impl DoubleEndedIterator<Item = Cursor>) {
    for cursor in found.rev() {
        listpack::remove(bytes, cursor);
    }
}

/// Shows up to `count` elements at an end of the listpack that lies in `bytes` from `start` on, and removes them. Returns
/// where it begins then, and how many they were.
pub(super) fn pop_listpack(
    bytes: &mut Vec<u8>,
    start: usize,
    end: End,
    count: usize,
    take: &mut impl FnMut(Item<'_>),
) -> (usize, usize) {
    let view = Listpack::new(&bytes[start..]);
    match end {
        End::Head => {
            view.iter().take(count).for_each(take);
            listpack::remove_front_in(bytes, start, count)
        }
        End::Tail => {
            view.iter().rev().take(count).for_each(take);
            (start, listpack::remove_back_in(bytes, start, count))
        }
    }
}
