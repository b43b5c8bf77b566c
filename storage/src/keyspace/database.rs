//! A numbered database's slice on one shard: setting, finding, removing and moving keys.
//!
//! Every function takes anything that converts into a [`Key`]: bytes, or a key whose hash is known already. A command that
//! touches a key several times makes the [`Key`] once.

use super::discard::Discarded;
use super::fields::Watches;
use super::saving::Saving;
use super::{Access, Entry, EntryMut, Expiry, Key, UnixMillis};
use crate::encoding::block::{KEY_INLINE_BYTES_MAX, KeyPart, Parts, VALUE_INLINE_BYTES_MAX, ValuePart, string_part};
use crate::encoding::buffer::BufferParts;
use crate::encoding::large::LargeParts;
use crate::encoding::table::{Replacement, Table};
use crate::types::string::StringValue;
use crate::types::{Form, OwnedValue};

/// A value on its way between keys, databases or shards, with what goes with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Detached {
    /// The value.
    pub value: OwnedValue,
    /// When it expires.
    pub expire_at: Option<UnixMillis>,
    /// Its access bits.
    pub access: Access,
}

/// One numbered database's slice on one shard.
#[derive(Debug, Default)]
pub struct Database {
    pub(super) table: Table,
    /// The saved mark of new entries.
    pub(super) birth_mark: bool,
    /// What a running snapshot has yet to save.
    pub(super) saving: Option<Box<Saving>>,
    /// The segment that the next sweep begins with.
    pub(super) sweep_position: usize,
    pub(super) ttl_samples: usize,
    pub(super) avg_ttl: i64,
    pub(super) watches: Watches,
}

impl Database {
    /// An empty database, which holds no memory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of keys, expired but not yet removed ones included (DBSIZE).
    pub const fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether it has no key.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of keys that have an expiry.
    pub const fn expires(&self) -> usize {
        self.table.volatile()
    }

    /// The entry of a key. Does not judge expiry and does not touch access bits.
    #[inline]
    pub fn find<'k>(&self, key: impl Into<Key<'k>>) -> Option<Entry<'_>> {
        let key = key.into();
        let place = self.table.find(key.hash(), key.bytes())?;
        Some(Entry::new(self.table.block(place)))
    }

    /// The entry of a key, to be changed in place. Does not judge expiry and does not touch access bits.
    #[inline]
    pub fn find_mut<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<EntryMut<'_>> {
        let key = key.into();
        let place = self.table.find(key.hash(), key.bytes())?;
        Some(EntryMut::new(&mut self.table, place, self.saving.as_deref_mut()))
    }

    /// Whether the key is there, expired or not.
    #[inline]
    pub fn contains<'k>(&self, key: impl Into<Key<'k>>) -> bool {
        let key = key.into();
        self.table.find(key.hash(), key.bytes()).is_some()
    }

    /// Sets a key to a string, replacing whatever it was. A big old value is handed back, to be freed elsewhere.
    #[inline]
    pub fn set_string<'k>(
        &mut self,
        key: impl Into<Key<'k>>,
        mut value: StringValue<'_>,
        expire: Expiry,
        access: Access,
    ) -> Option<Discarded> {
        let value = string_part(&mut value);
        self.set(key.into(), value, expire, access)
    }

    /// Sets a key to any value, replacing whatever it was. A big old value is handed back, to be freed elsewhere.
    pub fn set_value<'k>(
        &mut self,
        key: impl Into<Key<'k>>,
        value: OwnedValue,
        expire: Expiry,
        access: Access,
    ) -> Option<Discarded> {
        let key = key.into();
        self.watch_value(key.hash(), &value);
        match value.into_form() {
            Form::String(string) => self.set_string(key, StringValue::Owned(string), expire, access),
            Form::Packed(kind, bytes) if bytes.len() <= VALUE_INLINE_BYTES_MAX => {
                self.set(key, ValuePart::Packed { kind, bytes: &bytes }, expire, access)
            }
            Form::Packed(kind, mut bytes) => {
                bytes.shrink_to_fit();
                self.set(key, ValuePart::PackedBuffer { kind, parts: BufferParts::new(bytes) }, expire, access)
            }
            Form::Large(large) => self.set(key, ValuePart::Large(LargeParts::new(large)), expire, access),
        }
    }

    fn set(&mut self, key: Key<'_>, value: ValuePart<'_>, expire: Expiry, access: Access) -> Option<Discarded> {
        let (access, saved) = (access.bits(), self.birth_mark);
        let expire_at = if let Expiry::At(at) = expire { Some(at.0) } else { None };
        if let Some(place) = self.table.find(key.hash(), key.bytes()) {
            let keeps = self.save_or_keep(place);
            let expire_at = if expire == Expiry::Keep { self.table.block(place).expire_at() } else { expire_at };
            let new = Replacement { value, expire_at, access, saved };
            let outside = self.table.replace(place, key.bytes(), new);
            return Discarded::from_outside(self.keep_if(keeps, key.bytes(), outside));
        }
        let key_part = if key.bytes().len() <= KEY_INLINE_BYTES_MAX {
            KeyPart::Inline(key.bytes())
        } else {
            KeyPart::Buffer(BufferParts::new(key.bytes().to_vec()))
        };
        self.table.insert(key.hash(), &Parts { key: key_part, value, expire_at, access, saved });
        None
    }

    /// Removes a key and returns its value.
    pub fn remove<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<OwnedValue> {
        let key = key.into();
        let place = self.table.find(key.hash(), key.bytes())?;
        self.save_first(place);
        Some(self.table.take(key.hash(), place))
    }

    /// Removes a key and frees its value at once; whether it was there.
    pub fn delete<'k>(&mut self, key: impl Into<Key<'k>>) -> bool {
        let key = key.into();
        let Some(place) = self.table.find(key.hash(), key.bytes()) else { return false };
        let keeps = self.save_or_keep(place);
        let outside = self.table.delete(key.hash(), place);
        drop(self.keep_if(keeps, key.bytes(), outside));
        true
    }

    /// Removes a key. A big value is handed back, to be freed elsewhere (UNLINK). `None`: it was not there.
    pub fn unlink<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<Option<Discarded>> {
        let key = key.into();
        let place = self.table.find(key.hash(), key.bytes())?;
        let keeps = self.save_or_keep(place);
        let outside = self.table.delete(key.hash(), place);
        Some(Discarded::from_outside(self.keep_if(keeps, key.bytes(), outside)))
    }

    /// Takes a key out with all that belongs to it, to put it in under another key, in another database or on another
    /// shard. A long string is moved, not copied.
    pub fn take<'k>(&mut self, key: impl Into<Key<'k>>) -> Option<Detached> {
        let key = key.into();
        let place = self.table.find(key.hash(), key.bytes())?;
        self.save_first(place);
        let entry = Entry::new(self.table.block(place));
        let (expire_at, access) = (entry.expire_at(), entry.access());
        Some(Detached { value: self.table.take(key.hash(), place), expire_at, access })
    }

    /// A copy of what [`Self::take`] would take out (COPY).
    pub fn copy<'k>(&self, key: impl Into<Key<'k>>) -> Option<Detached> {
        let entry = self.find(key)?;
        Some(Detached { value: entry.value().to_owned(), expire_at: entry.expire_at(), access: entry.access() })
    }

    /// Puts in what [`Self::take`] took out, under this key, replacing whatever it was. A big old value is handed back, to
    /// be freed elsewhere.
    pub fn put<'k>(&mut self, key: impl Into<Key<'k>>, detached: Detached) -> Option<Discarded> {
        let expire = detached.expire_at.map_or(Expiry::Clear, Expiry::At);
        self.set_value(key, detached.value, expire, detached.access)
    }

    /// Puts in what was read from a file under a key that must not be there yet; gives it back if the key is there.
    pub fn put_new<'k>(&mut self, key: impl Into<Key<'k>>, detached: Detached) -> Result<(), Detached> {
        let key = key.into();
        if self.table.find(key.hash(), key.bytes()).is_some() {
            return Err(detached);
        }
        let replaced = self.put(key, detached);
        debug_assert!(replaced.is_none(), "the key was not there");
        Ok(())
    }

    /// Makes room for so many keys in all, most of which are about to be put in.
    pub fn reserve(&mut self, keys: usize) {
        self.table.reserve(keys);
    }

    /// Gives back room that was made for keys that did not come.
    pub fn shrink(&mut self) {
        self.table.shrink_all();
    }

    /// Empties the database in constant time; the old contents are to be freed elsewhere, or step by step. What a running snapshot has
    /// yet to save stays until it has.
    pub fn clear(&mut self) -> Discarded {
        let old = std::mem::take(&mut self.table);
        (self.sweep_position, self.ttl_samples, self.avg_ttl) = (0, 0, 0);
        self.watches = Watches::default();
        Discarded::from_table(self.keep_for_saving(old))
    }

    /// Panics if the structure contradicts itself. For tests: it visits everything.
    pub fn check_invariants(&self) {
        self.table.check_invariants();
        self.check_watches();
        self.check_marks();
    }
}
