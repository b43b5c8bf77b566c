//! The listpack of fields and values.

use super::view::Field;
use crate::encoding::listpack::{self, Cursor, Listpack};

/// Elements to a field.
pub(super) const STRIDE: usize = 2;

fn find(bytes: &[u8], name: &[u8]) -> Option<Cursor> {
    let listpack = Listpack::new(bytes);
    listpack.find(name, listpack.first()?, STRIDE - 1)
}

fn read(listpack: Listpack<'_>, name: Cursor) -> Option<Field<'_>> {
    let value = listpack.next(name)?;
    Some(Field { name: listpack.at(name), value: listpack.at(value), expire_at: None })
}

/// The field of a name.
#[inline]
pub(super) fn field<'a>(bytes: &'a [u8], name: &[u8]) -> Option<Field<'a>> {
    read(Listpack::new(bytes), find(bytes, name)?)
}

/// The field at an index.
pub(super) fn at(bytes: &[u8], index: usize) -> Option<Field<'_>> {
    let listpack = Listpack::new(bytes);
    read(listpack, listpack.seek((index * STRIDE) as isize)?)
}

/// Sets a field; whether it was not there yet.
pub(super) fn set(bytes: &mut Vec<u8>, name: &[u8], value: &[u8]) -> bool {
    if let Some(cursor) = find(bytes, name) {
        let old = Listpack::new(bytes).next(cursor).expect("each field has a value");
        listpack::replace(bytes, old, value);
        return false;
    }
    listpack::push_back(bytes, name);
    listpack::push_back(bytes, value);
    true
}

/// Removes a field; whether it was there.
pub(super) fn remove(bytes: &mut Vec<u8>, name: &[u8]) -> bool {
    let Some(cursor) = find(bytes, name) else { return false };
    listpack::remove_range(bytes, cursor, STRIDE);
    true
}
