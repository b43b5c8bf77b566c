//! Hashes in RDB.
//!
//! ```text
//! type 4     number of fields, and of each its name and its value as strings
//! type 9     a string: a zipmap                                                                    (up to Redis 2.4)
//! type 13    a string: a ziplist of names and values                                               (up to Redis 6.2)
//! type 16    a string: a listpack of names and values
//! type 24    earliest expiry (8 bytes, little-endian, milliseconds; 0 if no field expires), number of fields, and of
//!            each when it expires, its name, its value; the time is a length: 0 never, 1 the earliest, 2 a millisecond
//!            behind that, and so on                                                                (since Redis 7.4)
//! type 25    earliest expiry (8 bytes), and a string: a listpack of names, values and times, in the order of the times
//! type 22    as 24, without the earliest expiry, the times as they are            (release candidates of Redis 7.4)
//! type 23    as 25, without the earliest expiry
//! ```
//!
//! A hash none of whose fields expires is written without times, so that servers of every age can read it.

use super::ziplist::{listpack_of_ziplist, zipmap_fields};
use super::{Malformed, Reader, TYPE_HASH, TYPE_HASH_LISTPACK, TYPE_HASH_LISTPACK_TTL, TYPE_HASH_TTL, Writer};
use crate::encoding::listpack;
use crate::keyspace::UnixMillis;
use crate::types::hash::{FIELD_EXPIRE_MAX, Field, FieldExpiry, Hash, HashLimits, HashRef, HashRepr};

const BAD_ZIPMAP: &str = "Zipmap integrity check failed.";
const BAD_ZIPLIST: &str = "Hash ziplist integrity check failed.";
const BAD_LISTPACK: &str = "Hash listpack integrity check failed.";
const DUPLICATE: &str = "Duplicate hash fields detected";

/// The type that a hash is written as.
pub(super) fn hash_type(hash: HashRef<'_>) -> u8 {
    match (hash.repr(), hash.volatile_fields()) {
        (HashRepr::Packed(_) | HashRepr::PackedTtl(_), 0) => TYPE_HASH_LISTPACK,
        (HashRepr::Packed(_) | HashRepr::PackedTtl(_), _) => TYPE_HASH_LISTPACK_TTL,
        (HashRepr::Large(_), 0) => TYPE_HASH,
        (HashRepr::Large(_), _) => TYPE_HASH_TTL,
    }
}

impl Writer {
    pub(super) fn put_hash(&mut self, hash: HashRef<'_>) {
        let earliest = hash.next_field_expire().map_or(0, |at| at.0);
        match hash.repr() {
            HashRepr::Packed(bytes) => self.put_bytes(bytes),
            HashRepr::PackedTtl(bytes) if hash.volatile_fields() > 0 => {
                self.put(&earliest.to_le_bytes());
                self.put_bytes(bytes);
            }
            HashRepr::PackedTtl(_) => {
                let mut without_times = listpack::create();
                for field in hash.iter() {
                    listpack::push_back_item(&mut without_times, field.name);
                    listpack::push_back_item(&mut without_times, field.value);
                }
                self.put_bytes(&without_times);
            }
            HashRepr::Large(_) if hash.volatile_fields() > 0 => {
                self.put(&earliest.to_le_bytes());
                self.put_length(hash.len() as u64);
                hash.iter().for_each(|field| self.put_field(&field, Some(earliest)));
            }
            HashRepr::Large(_) => {
                self.put_length(hash.len() as u64);
                hash.iter().for_each(|field| self.put_field(&field, None));
            }
        }
    }

    /// A field of a large hash; with its time, counted from the `earliest`, if there is one.
    pub(super) fn put_field(&mut self, field: &Field<'_>, earliest: Option<i64>) {
        if let Some(earliest) = earliest {
            self.put_length(field.expire_at.map_or(0, |at| (at.0 - earliest) as u64 + 1));
        }
        self.put_item(field.name);
        self.put_item(field.value);
    }
}

impl Reader<'_> {
    pub(super) fn hash_fields(&mut self, limits: &HashLimits) -> Result<Hash, Malformed> {
        let fields = self.length()?;
        let mut hash = Hash::with_room(fields, self.at_most(fields.saturating_mul(2)) / 2, limits);
        for _ in 0..fields {
            let (name, value) = (self.text()?, self.text()?);
            let added = add_field(&mut hash, &name, &value, limits);
            self.blame(DUPLICATE, added)?;
        }
        Ok(hash)
    }

    pub(super) fn hash_zipmap(&mut self, limits: &HashLimits) -> Result<Hash, Malformed> {
        let bytes = self.text()?.into_owned();
        let mut hash = Hash::default();
        for (name, value) in self.blame(BAD_ZIPMAP, zipmap_fields(&bytes))? {
            let added = add_field(&mut hash, name, value, limits);
            self.blame(DUPLICATE, added)?;
        }
        if hash.as_ref().is_empty() {
            return self.blame(BAD_ZIPMAP, Err(Malformed));
        }
        Ok(hash)
    }

    pub(super) fn hash_ziplist(&mut self, limits: &HashLimits) -> Result<Hash, Malformed> {
        let bytes = self.text()?.into_owned();
        let packed = self.blame(BAD_ZIPLIST, listpack_of_ziplist(&bytes))?;
        self.blame(BAD_ZIPLIST, Hash::from_packed(packed, limits))
    }

    pub(super) fn hash_listpack(&mut self, limits: &HashLimits) -> Result<Hash, Malformed> {
        let packed = self.text()?.into_owned();
        self.blame(BAD_LISTPACK, Hash::from_packed(packed, limits))
    }

    /// Types 24 and 22.
    pub(super) fn hash_fields_ttl(&mut self, relative: bool, limits: &HashLimits) -> Result<Hash, Malformed> {
        let earliest = if relative { u64::from_le_bytes(self.array()?) } else { 1 };
        let fields = self.length()?;
        let mut hash = Hash::with_room(fields, self.at_most(fields.saturating_mul(2)) / 2, limits);
        for _ in 0..fields {
            let time = self.length()?;
            let (name, value) = (self.text()?, self.text()?);
            let added = add_field(&mut hash, &name, &value, limits);
            self.blame(DUPLICATE, added)?;
            if let Some(behind_earliest) = time.checked_sub(1) {
                let at = earliest.checked_add(behind_earliest).and_then(|at| i64::try_from(at).ok()).map(UnixMillis);
                let at = at.filter(|at| (UnixMillis(1)..=FIELD_EXPIRE_MAX).contains(at)).ok_or(Malformed)?;
                hash.set_field_expire(&name, Some(at));
            }
        }
        Ok(hash)
    }

    /// Types 25 and 23.
    pub(super) fn hash_listpack_ttl(&mut self, with_earliest: bool, limits: &HashLimits) -> Result<Hash, Malformed> {
        if with_earliest {
            // The listpack tells it, too: it begins with the field that expires first.
            self.bytes(size_of::<u64>())?;
        }
        let packed = self.text()?.into_owned();
        self.blame(BAD_LISTPACK, Hash::from_packed_ttl(packed, limits))
    }
}

/// Adds a field that must be new.
fn add_field(hash: &mut Hash, name: &[u8], value: &[u8], limits: &HashLimits) -> Result<(), Malformed> {
    if hash.set(name, value, FieldExpiry::Keep, limits) { Ok(()) } else { Err(Malformed) }
}
