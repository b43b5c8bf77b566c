//! Changing a listpack in a `Vec<u8>`.
//!
//! All edits are one splice: bytes of old elements are cut out, bytes of new ones put in their place, and the header is
//! brought up to date. Cursors before the splice stay valid.

use std::ops::Range;

use super::element::Encoded;
use super::{BYTES_MAX, COUNT_OFFSET, COUNT_UNKNOWN, Cursor, EMPTY_BYTES, END, HEADER_BYTES, Item, Listpack};

/// A listpack without elements.
pub fn create() -> Vec<u8> {
    vec![EMPTY_BYTES as u8, 0, 0, 0, 0, 0, END]
}

/// Whether a listpack may take so many more bytes of elements.
pub const fn would_fit(listpack: &[u8], more_bytes: usize) -> bool {
    listpack.len().saturating_add(more_bytes) <= BYTES_MAX
}

/// Appends an element.
pub fn push_back(listpack: &mut Vec<u8>, bytes: &[u8]) {
    push_back_encoded(listpack, &Encoded::new(bytes));
}

/// Appends an integer.
pub fn push_back_int(listpack: &mut Vec<u8>, number: i64) {
    push_back_encoded(listpack, &Encoded::int(number));
}

/// Appends an item of another listpack.
pub fn push_back_item(listpack: &mut Vec<u8>, item: Item<'_>) {
    push_back_encoded(listpack, &Encoded::item(item));
}

fn push_back_encoded(listpack: &mut Vec<u8>, element: &Encoded<'_>) {
    let end = listpack.len() - 1;
    put(listpack, end..end, element, 1);
}

/// Puts an element before all others.
pub fn push_front(listpack: &mut Vec<u8>, bytes: &[u8]) {
    put(listpack, HEADER_BYTES..HEADER_BYTES, &Encoded::new(bytes), 1);
}

/// Puts an element before another; returns its place, which is where the other one was.
pub fn insert_before(listpack: &mut Vec<u8>, cursor: Cursor, bytes: &[u8]) -> Cursor {
    let offset = cursor.offset();
    put(listpack, offset..offset, &Encoded::new(bytes), 1);
    cursor
}

/// Puts an element behind another; returns its place.
pub fn insert_after(listpack: &mut Vec<u8>, cursor: Cursor, bytes: &[u8]) -> Cursor {
    let offset = Listpack::new(listpack).offset_behind(cursor);
    put(listpack, offset..offset, &Encoded::new(bytes), 1);
    Cursor::new(offset)
}

/// Puts an element in the place of another.
pub fn replace(listpack: &mut Vec<u8>, cursor: Cursor, bytes: &[u8]) {
    let old = cursor.offset()..Listpack::new(listpack).offset_behind(cursor);
    put(listpack, old, &Encoded::new(bytes), 0);
}

/// Removes an element; returns the place of the one behind it, which is where it was itself.
pub fn remove(listpack: &mut Vec<u8>, cursor: Cursor) -> Option<Cursor> {
    remove_range(listpack, cursor, 1);
    (listpack[cursor.offset()] != END).then_some(cursor)
}

/// Removes an element and those behind it, `count` of them or as many as there are; returns how many.
pub fn remove_range(listpack: &mut Vec<u8>, cursor: Cursor, count: usize) -> usize {
    let (end, removed) = behind(Listpack::new(listpack), cursor.offset(), count);
    splice(listpack, cursor.offset()..end, 0);
    set_header(listpack, -(removed as isize));
    removed
}

/// Appends all elements of another listpack, as their bytes are.
pub fn append(listpack: &mut Vec<u8>, other: Listpack<'_>) {
    let end = listpack.len() - 1;
    let elements = &other.bytes()[HEADER_BYTES..other.bytes_len() - 1];
    splice(listpack, end..end, elements.len()).copy_from_slice(elements);
    set_header(listpack, other.len() as isize);
}

/// Cuts a listpack in two; returns the part that begins with the element in the given place.
pub fn split_off(listpack: &mut Vec<u8>, cursor: Cursor) -> Vec<u8> {
    let end = listpack.len() - 1;
    let elements = &listpack[cursor.offset()..end];
    let mut tail = Vec::with_capacity(EMPTY_BYTES + elements.len());
    tail.extend_from_slice(&[0; HEADER_BYTES]);
    tail.extend_from_slice(elements);
    tail.push(END);
    let moved = Listpack::new(listpack).cursors_from(cursor).count();
    set_header(&mut tail, moved as isize);
    splice(listpack, cursor.offset()..end, 0);
    set_header(listpack, -(moved as isize));
    tail
}

/// Puts a new element in the place of old bytes; `added` is by how much the number of elements grows.
#[inline]
fn put(listpack: &mut Vec<u8>, old: Range<usize>, element: &Encoded<'_>, added: isize) {
    element.write(splice(listpack, old, element.len()));
    set_header(listpack, added);
}

/// Puts an element before all others without moving them: the listpack lies at the end of `room`, and grows into the bytes
/// before it. `None` if they are too few; else where it begins then.
pub fn push_front_in(room: &mut [u8], start: usize, bytes: &[u8]) -> Option<usize> {
    let element = Encoded::new(bytes);
    let new_start = start.checked_sub(element.len())?;
    room.copy_within(start..start + HEADER_BYTES, new_start);
    let listpack = &mut room[new_start..];
    element.write(&mut listpack[HEADER_BYTES..HEADER_BYTES + element.len()]);
    set_header(listpack, 1);
    Some(new_start)
}

/// Appends an element to the listpack that lies at the end of `room`.
pub fn push_back_in(room: &mut Vec<u8>, start: usize, bytes: &[u8]) {
    let (element, end) = (Encoded::new(bytes), room.len() - 1);
    element.write(splice(room, end..end, element.len()));
    set_header(&mut room[start..], 1);
}

/// Removes up to `count` elements, the last ones, from the listpack that lies at the end of `room`; how many.
pub fn remove_back_in(room: &mut Vec<u8>, start: usize, count: usize) -> usize {
    let view = Listpack::new(&room[start..]);
    let count = count.min(view.len());
    if let Some(cursor) = view.seek(-(count as isize)).filter(|_| count > 0) {
        let end = start + cursor.offset();
        room.truncate(end + 1);
        room[end] = END;
        set_header(&mut room[start..], -(count as isize));
    }
    count
}

/// Removes up to `count` elements, the first ones, without moving the others: the listpack lies at the end of `room`, and
/// leaves bytes before it. Returns where it begins then, and how many were removed.
pub fn remove_front_in(room: &mut [u8], start: usize, count: usize) -> (usize, usize) {
    let (end, removed) = behind(Listpack::new(&room[start..]), HEADER_BYTES, count);
    let new_start = start + end - HEADER_BYTES;
    room.copy_within(start..start + HEADER_BYTES, new_start);
    set_header(&mut room[new_start..], -(removed as isize));
    (new_start, removed)
}

/// The offset behind `count` elements from an offset on, or behind as many as there are; and how many.
fn behind(view: Listpack<'_>, from: usize, count: usize) -> (usize, usize) {
    let (mut end, mut passed) = (from, 0);
    while passed < count && view.bytes()[end] != END {
        end = view.offset_behind(Cursor::new(end));
        passed += 1;
    }
    (end, passed)
}

/// Makes the bytes in a range `len` bytes long, to be written to.
fn splice(listpack: &mut Vec<u8>, old: Range<usize>, len: usize) -> &mut [u8] {
    let before = listpack.len();
    if len > old.len() {
        listpack.resize(before + len - old.len(), 0);
    }
    listpack.copy_within(old.end..before, old.start + len);
    listpack.truncate(before + len - old.len());
    &mut listpack[old.start..old.start + len]
}

/// Brings the header up to date after the number of elements has changed. Once there were too many for the header, they
/// stay uncounted, as in Redis.
fn set_header(listpack: &mut [u8], added: isize) {
    let total = u32::try_from(listpack.len()).expect("a listpack has less than 4 GiB");
    listpack[..COUNT_OFFSET].copy_from_slice(&total.to_le_bytes());
    if let Some(count) = Listpack::new(listpack).count() {
        let count = count.checked_add_signed(added).expect("no more elements are removed than there are");
        let count = u16::try_from(count).unwrap_or(COUNT_UNKNOWN);
        listpack[COUNT_OFFSET..HEADER_BYTES].copy_from_slice(&count.to_le_bytes());
    }
}
