//! The view of a stored hash.

use rand::Rng;

use super::iter::Source;
use super::{Hash, HashEncoding, HashIter, LargeHash, packed, ttl};
use crate::encoding::listpack::{Item, Listpack};
use crate::encoding::members::{Record, select};
use crate::keyspace::UnixMillis;

/// Draws among fields of which some are expired, before all are looked at.
const DRAWS_MAX: usize = 32;

/// How a stored hash lies in memory.
#[derive(Clone, Copy, Debug)]
pub enum HashRepr<'a> {
    /// A listpack of fields and values.
    Packed(&'a [u8]),
    /// A listpack of fields, values and times.
    PackedTtl(&'a [u8]),
    /// A table.
    Large(&'a LargeHash),
}

/// A field with its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name of the field.
    pub name: Item<'a>,
    /// Its value.
    pub value: Item<'a>,
    /// When it expires.
    pub expire_at: Option<UnixMillis>,
}

impl<'a> From<Record<'a>> for Field<'a> {
    fn from(record: Record<'a>) -> Self {
        Self { name: record.field, value: record.value, expire_at: record.expire_at.map(UnixMillis) }
    }
}

/// A view of a stored hash, at a time.
#[derive(Clone, Copy, Debug)]
pub struct HashRef<'a> {
    repr: HashRepr<'a>,
    now: UnixMillis,
}

/// Whether what expires then is there at `now`.
pub(super) fn is_live(expire_at: Option<UnixMillis>, now: UnixMillis) -> bool {
    expire_at.is_none_or(|at| !at.is_past(now))
}

impl<'a> HashRef<'a> {
    /// A view that shows all fields, expired or not.
    #[inline]
    pub const fn new(repr: HashRepr<'a>) -> Self {
        Self { repr, now: UnixMillis(i64::MIN) }
    }

    /// The view that shows only fields that are not expired at `now`.
    #[inline]
    #[must_use]
    pub const fn live_at(self, now: UnixMillis) -> Self {
        Self { repr: self.repr, now }
    }

    /// How it lies in memory.
    pub const fn repr(self) -> HashRepr<'a> {
        self.repr
    }

    /// What OBJECT ENCODING calls it.
    pub const fn encoding(self) -> HashEncoding {
        match self.repr {
            HashRepr::Packed(_) => HashEncoding::Listpack,
            HashRepr::PackedTtl(_) => HashEncoding::ListpackEx,
            HashRepr::Large(_) => HashEncoding::Hashtable,
        }
    }

    /// The number of fields; expired ones count until they are removed.
    #[inline]
    pub fn len(self) -> usize {
        match self.repr {
            HashRepr::Packed(bytes) => Listpack::new(bytes).len() / packed::STRIDE,
            HashRepr::PackedTtl(bytes) => Listpack::new(bytes).len() / ttl::STRIDE,
            HashRepr::Large(large) => large.len(),
        }
    }

    /// Whether it has no fields.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// A field with value and expiry.
    #[inline]
    pub fn field(self, name: &[u8]) -> Option<Field<'a>> {
        let field = match self.repr {
            HashRepr::Packed(bytes) => packed::field(bytes, name),
            HashRepr::PackedTtl(bytes) => ttl::field(bytes, name),
            HashRepr::Large(large) => large.fields.find(name).map(|place| large.fields.record(place).into()),
        };
        field.filter(|field| is_live(field.expire_at, self.now))
    }

    /// The value of a field.
    #[inline]
    pub fn get(self, name: &[u8]) -> Option<Item<'a>> {
        self.field(name).map(|field| field.value)
    }

    /// Whether a field is there.
    pub fn contains(self, name: &[u8]) -> bool {
        self.field(name).is_some()
    }

    /// All fields.
    pub fn iter(self) -> HashIter<'a> {
        let source = match self.repr {
            HashRepr::Packed(bytes) => Source::Packed(Listpack::new(bytes).pairs()),
            HashRepr::PackedTtl(bytes) => Source::PackedTtl(Listpack::new(bytes).iter()),
            HashRepr::Large(large) => Source::Large(large.fields.iter()),
        };
        HashIter { source, now: self.now }
    }

    /// One bounded step of HSCAN: visits a few fields and returns the cursor to go on with; 0 starts and ends. A packed
    /// hash is visited in one step.
    pub fn scan(self, cursor: u64, mut visit: impl FnMut(Field<'_>)) -> u64 {
        let HashRepr::Large(large) = self.repr else {
            self.iter().for_each(visit);
            return 0;
        };
        large.fields.scan_step(cursor, |record| {
            let field = Field::from(record);
            if is_live(field.expire_at, self.now) {
                visit(field);
            }
        })
    }

    /// Whether fields that are stored may have to be kept from the reader.
    fn hides_fields(self) -> bool {
        self.next_field_expire().is_some_and(|at| at.is_past(self.now))
    }

    /// A random field; all are equally likely.
    pub fn random(self, rng: &mut impl Rng) -> Option<Field<'a>> {
        let hides = self.hides_fields();
        let draws = if hides { DRAWS_MAX } else { 1 };
        let drawn = (0..draws).find_map(|_| {
            let field = self.draw(rng)?;
            is_live(field.expire_at, self.now).then_some(field)
        });
        if drawn.is_some() || !hides {
            return drawn;
        }
        let mut chosen = None;
        select(self.iter(), self.iter().count(), 1, rng, |field| chosen = Some(field));
        chosen
    }

    /// A random field, alive or not.
    fn draw(self, rng: &mut impl Rng) -> Option<Field<'a>> {
        if let HashRepr::Large(large) = self.repr {
            return large.fields.random(rng).map(|place| large.fields.record(place).into());
        }
        let len = self.len();
        if len == 0 {
            return None;
        }
        let index = rng.random_range(0..len);
        match self.repr {
            HashRepr::Packed(bytes) => packed::at(bytes, index),
            HashRepr::PackedTtl(bytes) => ttl::at(bytes, index),
            HashRepr::Large(_) => None,
        }
    }

    /// Visits `count` random fields, or all if there are no more, each once (HRANDFIELD with a positive count).
    pub fn random_distinct(self, count: usize, rng: &mut impl Rng, mut visit: impl FnMut(Field<'_>)) {
        if self.hides_fields() {
            select(self.iter(), self.iter().count(), count, rng, visit);
            return;
        }
        match self.repr {
            HashRepr::Large(large) => large.fields.random_distinct(count, rng, |record| visit(record.into())),
            _ => select(self.iter(), self.len(), count, rng, visit),
        }
    }

    /// Visits `count` random fields, some of them more than once (HRANDFIELD with a negative count).
    pub fn random_repeated(self, count: usize, rng: &mut impl Rng, mut visit: impl FnMut(Field<'_>)) {
        if matches!(self.repr, HashRepr::Large(_)) && !self.hides_fields() {
            (0..count).filter_map(|_| self.draw(rng)).for_each(visit);
            return;
        }
        let fields: Vec<Field<'_>> = self.iter().collect();
        if !fields.is_empty() {
            (0..count).for_each(|_| visit(fields[rng.random_range(0..fields.len())]));
        }
    }

    /// No field expires before this time; `None` if none expires at all. It can be too early, after a field has lost its
    /// expiry, until [`Hash::expire_fields`] has looked.
    pub fn next_field_expire(self) -> Option<UnixMillis> {
        match self.repr {
            HashRepr::Packed(_) => None,
            HashRepr::PackedTtl(bytes) => ttl::at(bytes, 0).and_then(|field| field.expire_at),
            HashRepr::Large(large) => large.fields.earliest().map(UnixMillis),
        }
    }

    /// The number of fields with an expiry.
    pub fn volatile_fields(self) -> usize {
        match self.repr {
            HashRepr::Packed(_) => 0,
            HashRepr::PackedTtl(bytes) => ttl::volatile(bytes),
            HashRepr::Large(large) => large.fields.volatile(),
        }
    }

    /// A copy that does not borrow from the database, with all fields.
    pub fn to_owned(self) -> Hash {
        match self.repr {
            HashRepr::Packed(bytes) => Hash::Packed(bytes.to_vec()),
            HashRepr::PackedTtl(bytes) => Hash::PackedTtl(bytes.to_vec()),
            HashRepr::Large(large) => Hash::Large(Box::new(large.clone())),
        }
    }
}
