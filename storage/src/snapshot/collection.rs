//! Hashes, sets and sorted sets in RDB: packed ones as their bytes, large ones item by item.
//!
//! ```text
//! type 16, 17, 20    a string: the listpack of a hash, a sorted set, a set
//! type 11            a string: the intset
//! type 4             number of fields, and of each its name and its value as strings
//! type 5             number of members, and of each a string and its score: 8 bytes, little-endian; highest score first
//! type 2             number of members, and each as a string
//! ```

use super::{Malformed, Reader, Writer};
use super::{TYPE_HASH, TYPE_HASH_LISTPACK, TYPE_SET, TYPE_SET_INTSET, TYPE_SET_LISTPACK};
use super::{TYPE_ZSET_2, TYPE_ZSET_LISTPACK};
use crate::types::hash::{FieldExpiry, Hash, HashLimits, HashRef, HashRepr};
use crate::types::list::{IntBuf, Item};
use crate::types::set::{Set, SetLimits, SetRef, SetRepr};
use crate::types::zset::{ZSet, ZSetLimits, ZSetRef};

impl Writer {
    pub(super) fn put_item(&mut self, item: Item<'_>) {
        self.put_bytes(item.as_bytes(&mut IntBuf::default()));
    }

    pub(super) fn put_hash(&mut self, hash: HashRef<'_>) {
        if let HashRepr::Packed(bytes) = hash.repr() {
            return self.put_bytes(bytes);
        }
        self.put_length(hash.len() as u64);
        for field in hash.iter() {
            self.put_item(field.name);
            self.put_item(field.value);
        }
    }

    pub(super) fn put_set(&mut self, set: SetRef<'_>) {
        if let SetRepr::Intset(bytes) | SetRepr::Packed(bytes) = set.repr() {
            return self.put_bytes(bytes);
        }
        self.put_length(set.len() as u64);
        set.iter().for_each(|member| self.put_item(member));
    }

    pub(super) fn put_sorted_set(&mut self, set: ZSetRef<'_>) {
        if let ZSetRef::Packed(bytes) = set {
            return self.put_bytes(bytes);
        }
        self.put_length(set.len() as u64);
        for record in set.iter().rev() {
            self.put_item(record.member);
            self.put(&record.score.to_le_bytes());
        }
    }
}

pub(super) const fn hash_type(hash: HashRef<'_>) -> u8 {
    if let HashRepr::Packed(_) = hash.repr() { TYPE_HASH_LISTPACK } else { TYPE_HASH }
}

pub(super) const fn set_type(set: SetRef<'_>) -> u8 {
    match set.repr() {
        SetRepr::Intset(_) => TYPE_SET_INTSET,
        SetRepr::Packed(_) => TYPE_SET_LISTPACK,
        SetRepr::Large(_) => TYPE_SET,
    }
}

pub(super) const fn sorted_set_type(set: ZSetRef<'_>) -> u8 {
    if let ZSetRef::Packed(_) = set { TYPE_ZSET_LISTPACK } else { TYPE_ZSET_2 }
}

impl Reader<'_> {
    pub(super) fn hash_fields(&mut self, limits: &HashLimits) -> Result<Hash, Malformed> {
        let mut hash = Hash::default();
        for _ in 0..self.length()? {
            let (name, value) = (self.string()?.into_bytes(), self.string()?.into_bytes());
            if !hash.set(&name, &value, FieldExpiry::Clear, limits) {
                return Err(Malformed);
            }
        }
        Ok(hash)
    }

    pub(super) fn set_members(&mut self, limits: &SetLimits) -> Result<Set, Malformed> {
        let mut set = Set::default();
        for _ in 0..self.length()? {
            if !set.insert(&self.string()?.into_bytes(), limits) {
                return Err(Malformed);
            }
        }
        Ok(set)
    }

    pub(super) fn sorted_set_records(&mut self, limits: &ZSetLimits) -> Result<ZSet, Malformed> {
        let mut set = ZSet::default();
        for _ in 0..self.length()? {
            let member = self.string()?.into_bytes();
            let score = f64::from_le_bytes(self.bytes(size_of::<f64>())?.try_into().map_err(|_| Malformed)?);
            if score.is_nan() || set.as_ref().score(&member).is_some() {
                return Err(Malformed);
            }
            set.insert(&member, score, limits);
        }
        Ok(set)
    }
}
