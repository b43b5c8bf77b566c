//! The view of a stored set.

use rand::Rng;

use super::iter::Source;
use super::{LargeSet, Set, SetEncoding, SetIter};
use crate::encoding::intset::Intset;
use crate::encoding::listpack::{Item, Listpack};
use crate::encoding::members::select;
use crate::number::{INTEGER_TEXT_BYTES_MAX, parse_i64};

/// How a stored set lies in memory.
#[derive(Clone, Copy, Debug)]
pub enum SetRepr<'a> {
    /// Sorted integers.
    Intset(&'a [u8]),
    /// A listpack of members.
    Packed(&'a [u8]),
    /// A table.
    Large(&'a LargeSet),
}

/// A view of a stored set.
#[derive(Clone, Copy, Debug)]
pub struct SetRef<'a>(SetRepr<'a>);

impl<'a> SetRef<'a> {
    /// A view.
    #[inline]
    pub const fn new(repr: SetRepr<'a>) -> Self {
        Self(repr)
    }

    /// How it lies in memory.
    pub const fn repr(self) -> SetRepr<'a> {
        self.0
    }

    /// What OBJECT ENCODING calls it.
    pub const fn encoding(self) -> SetEncoding {
        match self.0 {
            SetRepr::Intset(_) => SetEncoding::Intset,
            SetRepr::Packed(_) => SetEncoding::Listpack,
            SetRepr::Large(_) => SetEncoding::Hashtable,
        }
    }

    /// The number of members.
    #[inline]
    pub fn len(self) -> usize {
        match self.0 {
            SetRepr::Intset(bytes) => Intset::new(bytes).len(),
            SetRepr::Packed(bytes) => Listpack::new(bytes).len(),
            SetRepr::Large(large) => large.len(),
        }
    }

    /// Whether it has no members.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether a member is in the set.
    #[inline]
    pub fn contains(self, member: &[u8]) -> bool {
        match self.0 {
            SetRepr::Intset(bytes) => parse_i64(member).is_some_and(|number| Intset::new(bytes).contains(number)),
            SetRepr::Packed(bytes) => packed_contains(bytes, member),
            SetRepr::Large(large) => large.members.find(member).is_some(),
        }
    }

    /// Whether a member of another set is in this one.
    pub fn contains_item(self, member: Item<'_>) -> bool {
        match self.0 {
            SetRepr::Intset(bytes) => member.as_int().is_some_and(|number| Intset::new(bytes).contains(number)),
            SetRepr::Packed(bytes) => packed_contains(bytes, member.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX])),
            SetRepr::Large(large) => large.members.find_item(member).is_some(),
        }
    }

    /// All members; those of an intset in ascending order, the others in none.
    pub fn iter(self) -> SetIter<'a> {
        SetIter(match self.0 {
            SetRepr::Intset(bytes) => Source::Intset(Intset::new(bytes).iter()),
            SetRepr::Packed(bytes) => Source::Packed(Listpack::new(bytes).iter()),
            SetRepr::Large(large) => Source::Large(large.members.iter()),
        })
    }

    /// One bounded step of SSCAN: visits a few members and returns the cursor to go on with; 0 starts and ends. A packed
    /// set is visited in one step.
    pub fn scan(self, cursor: u64, mut visit: impl FnMut(Item<'_>)) -> u64 {
        if let SetRepr::Large(large) = self.0 {
            return large.members.scan_step(cursor, |record| visit(record.field));
        }
        self.iter().for_each(visit);
        0
    }

    /// A random member; all are equally likely.
    pub fn random(self, rng: &mut impl Rng) -> Option<Item<'a>> {
        match self.0 {
            SetRepr::Large(large) => large.members.random(rng).map(|place| large.members.record(place).field),
            _ if self.is_empty() => None,
            SetRepr::Intset(bytes) => {
                let integers = Intset::new(bytes);
                Some(Item::Int(integers.at(rng.random_range(0..integers.len()))))
            }
            SetRepr::Packed(bytes) => {
                let listpack = Listpack::new(bytes);
                let index = rng.random_range(0..listpack.len());
                listpack.seek(index as isize).map(|cursor| listpack.at(cursor))
            }
        }
    }

    /// Visits `count` random members, or all if there are no more, each once (SRANDMEMBER with a positive count).
    pub fn random_distinct(self, count: usize, rng: &mut impl Rng, mut visit: impl FnMut(Item<'_>)) {
        match self.0 {
            SetRepr::Large(large) => large.members.random_distinct(count, rng, |record| visit(record.field)),
            _ => select(self.iter(), self.len(), count, rng, visit),
        }
    }

    /// Visits `count` random members, some of them more than once (SRANDMEMBER with a negative count).
    pub fn random_repeated(self, count: usize, rng: &mut impl Rng, mut visit: impl FnMut(Item<'_>)) {
        let SetRepr::Packed(_) = self.0 else {
            (0..count).filter_map(|_| self.random(rng)).for_each(visit);
            return;
        };
        let members: Vec<Item<'_>> = self.iter().collect();
        if !members.is_empty() {
            (0..count).for_each(|_| visit(members[rng.random_range(0..members.len())]));
        }
    }

    /// A copy that does not borrow from the database.
    pub fn to_owned(self) -> Set {
        match self.0 {
            SetRepr::Intset(bytes) => Set::Intset(bytes.to_vec()),
            SetRepr::Packed(bytes) => Set::Packed(bytes.to_vec()),
            SetRepr::Large(large) => Set::Large(Box::new(large.clone())),
        }
    }
}

fn packed_contains(bytes: &[u8], member: &[u8]) -> bool {
    let listpack = Listpack::new(bytes);
    listpack.first().is_some_and(|first| listpack.find(member, first, 0).is_some())
}
