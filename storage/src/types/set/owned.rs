//! The set to be changed.

use rand::Rng;

use super::{LargeSet, Malformed, SetLimits, SetRef, SetRepr};
use crate::encoding::intset::{self, Intset, LEN_MAX};
use crate::encoding::listpack::{self, Cursor, Item, Listpack};
use crate::encoding::members::split;
use crate::number::{INTEGER_TEXT_BYTES_MAX, parse_i64};

/// A set outside any database, or on its way through an edit.
#[derive(Clone, Debug)]
pub enum Set {
    /// Sorted integers.
    Intset(Vec<u8>),
    /// A listpack of members.
    Packed(Vec<u8>),
    /// A table.
    Large(Box<LargeSet>),
}

impl Default for Set {
    fn default() -> Self {
        Self::Intset(intset::create())
    }
}

impl Set {
    /// A set from an intset that comes from outside; a table if it has more members than an intset may have.
    pub fn from_intset(bytes: Vec<u8>, limits: &SetLimits) -> Result<Self, Malformed> {
        let len = intset::validate(&bytes)?.len();
        Ok(Self::Intset(bytes).within(len <= limits.intset_entries_max))
    }

    /// A set from a listpack that comes from outside; a table if it has more members than a listpack may have. As in Redis,
    /// their lengths are not looked at here.
    pub fn from_packed(bytes: Vec<u8>, limits: &SetLimits) -> Result<Self, Malformed> {
        let len = check_members(&bytes)?;
        Ok(Self::Packed(bytes).within(len <= limits.listpack_entries_max))
    }

    fn within(mut self, is_small: bool) -> Self {
        if !is_small {
            self.enlarge();
        }
        self
    }

    /// A view of the set, the same as of a stored one.
    pub fn as_ref(&self) -> SetRef<'_> {
        SetRef::new(match self {
            Self::Intset(bytes) => SetRepr::Intset(bytes),
            Self::Packed(bytes) => SetRepr::Packed(bytes),
            Self::Large(large) => SetRepr::Large(large),
        })
    }

    /// An empty set to which so many members are to be added, and for `believed` of which room is made: a table if they are
    /// more than anything packed may hold.
    pub fn with_room(members: u64, believed: usize, limits: &SetLimits) -> Self {
        if members <= limits.intset_entries_max.max(limits.listpack_entries_max) as u64 {
            return Self::default();
        }
        let mut large = LargeSet::default();
        large.members.reserve(believed);
        Self::Large(Box::new(large))
    }

    /// Adds a member that is to be one of so many, each of which should be there once. Whoever adds members so has
    /// [`Self::is_of`] tell in the end whether they were.
    pub fn push(&mut self, member: &[u8], members: u64, limits: &SetLimits) {
        match self {
            Self::Intset(_) if members > limits.listpack_entries_max as u64 && parse_i64(member).is_none() => {
                self.enlarge();
                self.insert(member, limits);
            }
            Self::Packed(bytes)
                if Listpack::new(bytes).len() < limits.listpack_entries_max
                    && member.len() <= limits.listpack_value_bytes_max
                    && listpack::would_fit(bytes, member.len()) =>
            {
                listpack::push_back(bytes, member);
            }
            _ => {
                self.insert(member, limits);
            }
        }
    }

    /// Whether the set has so many members, each once.
    pub fn is_of(&self, members: u64) -> bool {
        let once = match self {
            Self::Packed(bytes) => listpack::all_differ(Listpack::new(bytes).iter()),
            Self::Intset(_) | Self::Large(_) => true,
        };
        once && self.as_ref().len() as u64 == members
    }

    /// Adds a member; whether it was not there yet.
    pub fn insert(&mut self, member: &[u8], limits: &SetLimits) -> bool {
        match self {
            Self::Intset(bytes) => {
                let Some(number) = parse_i64(member) else {
                    self.leave_intset(member.len(), limits);
                    return self.insert(member, limits);
                };
                let added = intset::insert(bytes, number);
                if added && self.as_ref().len() > limits.intset_entries_max.min(LEN_MAX) {
                    self.enlarge();
                }
                added
            }
            Self::Packed(bytes) => {
                if find(bytes, member).is_some() {
                    return false;
                }
                let full = Listpack::new(bytes).len() >= limits.listpack_entries_max;
                if full || member.len() > limits.listpack_value_bytes_max || !listpack::would_fit(bytes, member.len()) {
                    self.enlarge();
                    return self.insert(member, limits);
                }
                listpack::push_back(bytes, member);
                true
            }
            Self::Large(large) => large.members.insert(member),
        }
    }

    /// Adds a member of another set; whether it was not there yet.
    pub fn insert_item(&mut self, member: Item<'_>, limits: &SetLimits) -> bool {
        match self {
            Self::Large(large) => large.members.insert_item(member),
            _ => self.insert(member.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX]), limits),
        }
    }

    /// Removes a member; whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self {
            Self::Intset(bytes) => parse_i64(member).is_some_and(|number| intset::remove(bytes, number)),
            Self::Packed(bytes) => {
                let Some(cursor) = find(bytes, member) else { return false };
                listpack::remove(bytes, cursor);
                true
            }
            Self::Large(large) => large.members.remove(member),
        }
    }

    /// Removes `count` random members, or all if there are no more, and visits each before it goes (SPOP). All members
    /// are equally likely.
    pub fn pop(&mut self, count: usize, rng: &mut impl Rng, mut visit: impl FnMut(Item<'_>)) {
        match self {
            Self::Large(large) => {
                for _ in 0..count {
                    let Some(place) = large.members.random(rng) else { break };
                    visit(large.members.record(place).field);
                    large.members.remove_at(place);
                }
            }
            Self::Intset(bytes) => {
                let (integers, mut kept) = (Intset::new(bytes), intset::create());
                split(
                    integers.iter(),
                    integers.len(),
                    count,
                    rng,
                    |number| visit(Item::Int(number)),
                    |number| {
                        intset::insert(&mut kept, number);
                    },
                );
                *bytes = kept;
            }
            Self::Packed(bytes) => {
                let (listpack, mut kept) = (Listpack::new(bytes), listpack::create());
                split(listpack.iter(), listpack.len(), count, rng, visit, |member| {
                    listpack::push_back_item(&mut kept, member);
                });
                *bytes = kept;
            }
        }
    }

    /// Bytes of heap memory that the set holds.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Intset(bytes) | Self::Packed(bytes) => bytes.capacity(),
            Self::Large(large) => large.heap_bytes(),
        }
    }

    /// Frees about so many members of a set that is not used any more; returns how many are left.
    pub fn free_some(&mut self, budget: usize) -> usize {
        match self {
            Self::Large(large) => large.free_some(budget),
            Self::Intset(_) | Self::Packed(_) => {
                *self = Self::Packed(listpack::create());
                0
            }
        }
    }

    /// Panics if the set contradicts itself.
    pub fn check_invariants(&self) {
        match self {
            Self::Intset(bytes) => assert!(intset::validate(bytes).is_ok()),
            Self::Packed(bytes) => assert!(check_members(bytes).is_ok()),
            Self::Large(large) => large.members.check_invariants(),
        }
    }
}

fn find(bytes: &[u8], member: &[u8]) -> Option<Cursor> {
    let listpack = Listpack::new(bytes);
    listpack.find(member, listpack.first()?, 0)
}

/// The number of elements, if the bytes are a listpack in which no element is there twice.
fn check_members(bytes: &[u8]) -> Result<usize, Malformed> {
    let listpack = listpack::validate(bytes)?;
    if listpack::all_differ(listpack.iter()) { Ok(listpack.len()) } else { Err(Malformed) }
}

/// Sets are equal when their members are, however they are stored.
impl PartialEq for Set {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (self.as_ref(), other.as_ref());
        one.len() == other.len() && one.iter().all(|member| other.contains_item(member))
    }
}

impl Eq for Set {}
