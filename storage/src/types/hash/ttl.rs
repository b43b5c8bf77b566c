//! The listpack of fields, values and times. Fields that expire come first, earliest first; the others have time 0. So
//! what is due is at the beginning.

use super::owned::FieldExpiry;
use super::view::Field;
use crate::encoding::listpack::{self, Cursor, IntBuf, Item, Listpack};
use crate::encoding::members::EXPIRE_AT_MAX;
use crate::keyspace::UnixMillis;
use crate::number::{INTEGER_TEXT_BYTES_MAX, write_i64};

/// Elements to a field.
pub(super) const STRIDE: usize = 3;

/// The expiry that a stored time stands for.
pub(super) fn expiry(time: Item<'_>) -> Option<UnixMillis> {
    time.as_int().filter(|&at| at != 0).map(UnixMillis)
}

fn find(bytes: &[u8], name: &[u8]) -> Option<Cursor> {
    let listpack = Listpack::new(bytes);
    listpack.find(name, listpack.first()?, STRIDE - 1)
}

fn read(listpack: Listpack<'_>, name: Cursor) -> Option<Field<'_>> {
    let value = listpack.next(name)?;
    let time = listpack.next(value)?;
    Some(Field { name: listpack.at(name), value: listpack.at(value), expire_at: expiry(listpack.at(time)) })
}

/// The field of a name.
pub(super) fn field<'a>(bytes: &'a [u8], name: &[u8]) -> Option<Field<'a>> {
    read(Listpack::new(bytes), find(bytes, name)?)
}

/// The field at an index.
pub(super) fn at(bytes: &[u8], index: usize) -> Option<Field<'_>> {
    let listpack = Listpack::new(bytes);
    read(listpack, listpack.seek((index * STRIDE) as isize)?)
}

/// The names of all fields, in the order of the listpack.
fn names(listpack: Listpack<'_>) -> impl Iterator<Item = Cursor> {
    listpack.cursors().step_by(STRIDE)
}

/// The number of fields that expire.
pub(super) fn volatile(bytes: &[u8]) -> usize {
    let times = Listpack::new(bytes).iter().skip(STRIDE - 1).step_by(STRIDE);
    times.take_while(|time| expiry(*time).is_some()).count()
}

/// The same fields with times, from a listpack of fields and values.
pub(super) fn from_packed(bytes: &[u8]) -> Vec<u8> {
    let listpack = Listpack::new(bytes);
    let mut with_times = Vec::with_capacity(bytes.len() + listpack.len());
    with_times.append(&mut listpack::create());
    for (name, value) in listpack.pairs() {
        listpack::push_back_item(&mut with_times, name);
        listpack::push_back_item(&mut with_times, value);
        listpack::push_back_int(&mut with_times, 0);
    }
    with_times
}

/// Sets a field; whether it was not there yet.
pub(super) fn set(bytes: &mut Vec<u8>, name: &[u8], value: &[u8], field_expiry: FieldExpiry) -> bool {
    let Some(cursor) = find(bytes, name) else {
        listpack::push_back(bytes, name);
        listpack::push_back(bytes, value);
        listpack::push_back_int(bytes, 0);
        return true;
    };
    let old = Listpack::new(bytes).next(cursor).expect("each field has a value");
    listpack::replace(bytes, old, value);
    if field_expiry == FieldExpiry::Clear {
        set_expire_at(bytes, cursor, None);
    }
    false
}

/// Removes a field; whether it was there.
pub(super) fn remove(bytes: &mut Vec<u8>, name: &[u8]) -> bool {
    let Some(cursor) = find(bytes, name) else { return false };
    listpack::remove_range(bytes, cursor, STRIDE);
    true
}

/// Sets or clears the expiry of a field that is there; returns the one it had.
pub(super) fn set_expire(bytes: &mut Vec<u8>, name: &[u8], expire_at: Option<UnixMillis>) -> Option<UnixMillis> {
    let cursor = find(bytes, name)?;
    set_expire_at(bytes, cursor, expire_at)
}

/// Sets or clears the expiry of the field in a place, and moves it to where it belongs.
fn set_expire_at(bytes: &mut Vec<u8>, cursor: Cursor, expire_at: Option<UnixMillis>) -> Option<UnixMillis> {
    let field = read(Listpack::new(bytes), cursor).expect("a cursor stands on a field");
    let before = field.expire_at;
    if before == expire_at {
        return before;
    }
    let (name, value) = (field.name.to_vec(), field.value.to_vec());
    listpack::remove_range(bytes, cursor, STRIDE);
    let mut buffer: IntBuf = [0; INTEGER_TEXT_BYTES_MAX];
    let time = write_i64(expire_at.map_or(0, |at| at.0), &mut buffer);
    let listpack = Listpack::new(bytes);
    let behind = expire_at.and_then(|at| names(listpack).find(|&name| is_later(listpack, name, at)));
    for element in [&name, &value, time] {
        if behind.is_none() {
            listpack::push_back(bytes, element);
        }
    }
    for element in [time, &value, &name] {
        if let Some(behind) = behind {
            listpack::insert_before(bytes, behind, element);
        }
    }
    before
}

/// Whether the field in a place expires later than that, or never.
fn is_later(listpack: Listpack<'_>, name: Cursor, than: UnixMillis) -> bool {
    read(listpack, name).is_none_or(|field| field.expire_at.is_none_or(|at| at > than))
}

/// Removes fields that are expired at `now`, at most `max` of them; returns how many.
pub(super) fn expire(bytes: &mut Vec<u8>, now: UnixMillis, max: usize, mut expired: impl FnMut(Field<'_>)) -> usize {
    let listpack = Listpack::new(bytes);
    let mut removed = 0;
    for field in names(listpack).take(max).filter_map(|name| read(listpack, name)) {
        if !field.expire_at.is_some_and(|at| at.is_past(now)) {
            break;
        }
        expired(field);
        removed += 1;
    }
    if let Some(first) = listpack.first() {
        listpack::remove_range(bytes, first, removed * STRIDE);
    }
    removed
}

/// Whether times are such as fields can have, and fields are in their order.
pub(super) fn is_ordered(listpack: Listpack<'_>) -> bool {
    let times = listpack.iter().skip(STRIDE - 1).step_by(STRIDE);
    let keys = times.map(|time| match time.as_int() {
        Some(0) => Some(i64::MAX),
        Some(at @ 1..=EXPIRE_AT_MAX) => Some(at),
        _ => None,
    });
    let mut last = 0;
    for key in keys {
        match key {
            Some(key) if key >= last => last = key,
            _ => return false,
        }
    }
    true
}
