//! The hash to be changed.

use super::view::Field;
use super::{HashLimits, HashRef, HashRepr, LargeHash, Malformed, packed, ttl};
use crate::encoding::listpack::{self, Listpack};
use crate::encoding::members::{EXPIRE_AT_MAX, Outcome};
use crate::keyspace::UnixMillis;

/// A hash outside any database, or on its way through an edit.
#[derive(Clone, Debug)]
pub enum Hash {
    /// A listpack of fields and values.
    Packed(Vec<u8>),
    /// A listpack of fields, values and times.
    PackedTtl(Vec<u8>),
    /// A table.
    Large(Box<LargeHash>),
}

/// What becomes of the expiry of a field that gets another value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldExpiry {
    /// It goes (HSET).
    Clear,
    /// It stays (HINCRBY).
    Keep,
}

/// What one call of [`Hash::expire_fields`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldSweep {
    /// Fields removed.
    pub removed: usize,
    /// Whether nothing is left that is due.
    pub complete: bool,
}

impl Default for Hash {
    fn default() -> Self {
        Self::Packed(listpack::create())
    }
}

impl Hash {
    /// A hash from a listpack of fields and values that comes from outside. As in Redis, only the number of fields decides
    /// here whether it stays one.
    pub fn from_packed(bytes: Vec<u8>, limits: &HashLimits) -> Result<Self, Malformed> {
        check_fields(&bytes, packed::STRIDE)?;
        Ok(Self::Packed(bytes).within(limits))
    }

    /// The same of a listpack of fields, values and times.
    pub fn from_packed_ttl(bytes: Vec<u8>, limits: &HashLimits) -> Result<Self, Malformed> {
        let listpack = check_fields(&bytes, ttl::STRIDE)?;
        if !ttl::is_ordered(listpack) {
            return Err(Malformed);
        }
        Ok(Self::PackedTtl(bytes).within(limits))
    }

    /// The hash as a table if it has more fields than a listpack may hold.
    fn within(mut self, limits: &HashLimits) -> Self {
        if self.as_ref().len() > limits.listpack_entries_max {
            self.make_large();
        }
        self
    }

    /// A view of the hash, the same as of a stored one.
    pub fn as_ref(&self) -> HashRef<'_> {
        HashRef::new(match self {
            Self::Packed(bytes) => HashRepr::Packed(bytes),
            Self::PackedTtl(bytes) => HashRepr::PackedTtl(bytes),
            Self::Large(large) => HashRepr::Large(large),
        })
    }

    /// An empty hash to which so many fields are to be added, and for `believed` of which room is made: a table if they are
    /// more than a listpack may hold.
    pub fn with_room(fields: u64, believed: usize, limits: &HashLimits) -> Self {
        if fields <= limits.listpack_entries_max as u64 {
            return Self::default();
        }
        let mut large = LargeHash::default();
        large.fields.reserve(believed);
        Self::Large(Box::new(large))
    }

    /// Makes a table of a packed hash.
    fn enlarge(&mut self) {
        let mut large = LargeHash::default();
        for field in self.as_ref().iter() {
            large.fields.set_items(field.name, field.value);
            if let (Some(at), Some(place)) = (field.expire_at, large.fields.find_item(field.name)) {
                large.fields.set_expire(place, Some(at.0.clamp(0, EXPIRE_AT_MAX)));
            }
        }
        *self = Self::Large(Box::new(large));
    }

    /// Whether a packed hash has to become a table before elements of these lengths are put into it.
    fn exceeds(&self, lens: impl Iterator<Item = usize>, limits: &HashLimits) -> bool {
        let (Self::Packed(bytes) | Self::PackedTtl(bytes)) = self else { return false };
        let mut sum = 0;
        for len in lens {
            if len > limits.listpack_value_bytes_max {
                return true;
            }
            sum += len;
        }
        !listpack::would_fit(bytes, sum)
    }

    /// To be called before several fields are set by one command, with the lengths of all fields and values: if one of
    /// them is too long for a listpack, or if there are more of them than it may hold, Redis takes a table at once.
    pub fn prepare(&mut self, element_lens: impl ExactSizeIterator<Item = usize>, limits: &HashLimits) {
        let fields = element_lens.len() / 2;
        if fields > limits.listpack_entries_max || self.exceeds(element_lens, limits) {
            self.make_large();
        }
    }

    /// Makes a table of the hash if it is none.
    fn make_large(&mut self) {
        if !matches!(self, Self::Large(_)) {
            self.enlarge();
        }
    }

    /// Sets a field; whether it was not there yet.
    pub fn set(&mut self, name: &[u8], value: &[u8], expiry: FieldExpiry, limits: &HashLimits) -> bool {
        if self.exceeds([name.len(), value.len()].into_iter(), limits) {
            self.enlarge();
        }
        let added = match self {
            Self::Packed(bytes) => packed::set(bytes, name, value),
            Self::PackedTtl(bytes) => ttl::set(bytes, name, value, expiry),
            Self::Large(large) => {
                let outcome = large.fields.set(name, value);
                if outcome == Outcome::Replaced && expiry == FieldExpiry::Clear && large.fields.volatile() > 0 {
                    let place = large.fields.find(name).expect("the field was just set");
                    large.fields.set_expire(place, None);
                }
                return outcome == Outcome::Added;
            }
        };
        if added && self.as_ref().len() > limits.listpack_entries_max {
            self.enlarge();
        }
        added
    }

    /// Removes a field; whether it was there.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        match self {
            Self::Packed(bytes) => packed::remove(bytes, name),
            Self::PackedTtl(bytes) => ttl::remove(bytes, name),
            Self::Large(large) => large.fields.remove(name),
        }
    }

    /// Removes a field if it is expired; whether it was. To be called before a command writes to a field, so that it
    /// finds nothing where there is nothing any more.
    pub fn remove_if_expired(&mut self, name: &[u8], now: UnixMillis) -> bool {
        let due = self.as_ref().next_field_expire().is_some_and(|at| at.is_past(now));
        let expired = due && self.as_ref().contains(name) && !self.as_ref().live_at(now).contains(name);
        expired && self.remove(name)
    }

    /// Sets or clears the expiry of a field; returns the one it had, or `None` if there is no such field. Times that do
    /// not fit into 48 bits become the nearest that does, and 0 becomes 1.
    pub fn set_field_expire(&mut self, name: &[u8], expire_at: Option<UnixMillis>) -> Option<Option<UnixMillis>> {
        let expire_at = expire_at.map(|at| UnixMillis(at.0.clamp(1, EXPIRE_AT_MAX)));
        let before = self.as_ref().field(name)?.expire_at;
        match self {
            Self::Packed(bytes) if expire_at.is_some() => {
                let mut with_times = ttl::from_packed(bytes);
                ttl::set_expire(&mut with_times, name, expire_at);
                *self = Self::PackedTtl(with_times);
            }
            Self::Packed(_) => {}
            Self::PackedTtl(bytes) => {
                ttl::set_expire(bytes, name, expire_at);
            }
            Self::Large(large) => {
                let place = large.fields.find(name).expect("the field is there");
                large.fields.set_expire(place, expire_at.map(|at| at.0));
            }
        }
        Some(before)
    }

    /// Removes fields that are expired at `now` and tells about each. Looks at about `budget` fields of those parts of
    /// the hash in which something may be due, and reads nothing else.
    pub fn expire_fields(&mut self, now: UnixMillis, budget: usize, mut expired: impl FnMut(Field<'_>)) -> FieldSweep {
        match self {
            Self::Packed(_) => FieldSweep { removed: 0, complete: true },
            Self::PackedTtl(bytes) => {
                let removed = ttl::expire(bytes, now, budget, expired);
                let complete = !self.as_ref().next_field_expire().is_some_and(|at| at.is_past(now));
                FieldSweep { removed, complete }
            }
            Self::Large(large) => {
                let sweep = large.fields.expire(now.0, budget, |record| expired(record.into()));
                FieldSweep { removed: sweep.removed, complete: sweep.complete }
            }
        }
    }

    /// Bytes of heap memory that the hash holds.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Packed(bytes) | Self::PackedTtl(bytes) => bytes.capacity(),
            Self::Large(large) => large.heap_bytes(),
        }
    }

    /// Frees about so many fields of a hash that is not used any more; returns how many are left.
    pub fn free_some(&mut self, budget: usize) -> usize {
        match self {
            Self::Large(large) => large.free_some(budget),
            Self::Packed(_) | Self::PackedTtl(_) => {
                *self = Self::default();
                0
            }
        }
    }

    /// Panics if the hash contradicts itself.
    pub fn check_invariants(&self) {
        match self {
            Self::Packed(bytes) => assert!(check_fields(bytes, packed::STRIDE).is_ok()),
            Self::PackedTtl(bytes) => {
                assert!(check_fields(bytes, ttl::STRIDE).is_ok_and(ttl::is_ordered));
            }
            Self::Large(large) => large.fields.check_invariants(),
        }
    }
}

/// The listpack, if its elements are fields with what belongs to them, each field once.
fn check_fields(bytes: &[u8], stride: usize) -> Result<Listpack<'_>, Malformed> {
    let listpack = listpack::validate(bytes)?;
    if !listpack.len().is_multiple_of(stride) {
        return Err(Malformed);
    }
    if listpack::all_differ(listpack.iter().step_by(stride)) { Ok(listpack) } else { Err(Malformed) }
}

/// Hashes are equal when their fields, values and expiries are, however they are stored.
impl PartialEq for Hash {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (self.as_ref(), other.as_ref());
        one.len() == other.len()
            && one.iter().all(|field| {
                let found = other.field(&field.name.to_vec());
                found.is_some_and(|found| found.value == field.value && found.expire_at == field.expire_at)
            })
    }
}

impl Eq for Hash {}
