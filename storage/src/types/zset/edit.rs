//! Editing a sorted set.

use std::ops::Range;

use super::packed::{self, Packed};
use super::{Item, LargeZSet, Malformed, Record, ZSetLimits, ZSetRef};
use crate::encoding::{listpack, ranked};
use crate::number::INTEGER_TEXT_BYTES_MAX;

/// A sorted set.
#[derive(Clone, Debug)]
pub enum ZSet {
    /// A packed one: a well-formed listpack.
    Packed(Vec<u8>),
    /// A large one.
    Large(Box<LargeZSet>),
}

impl Default for ZSet {
    fn default() -> Self {
        Self::Packed(listpack::create())
    }
}

impl PartialEq for ZSet {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl ZSet {
    /// A sorted set of records that are in order, each member once: what ZUNIONSTORE and its kin store.
    pub fn from_sorted<M: AsRef<[u8]>>(records: impl IntoIterator<Item = (M, f64)>, limits: &ZSetLimits) -> Self {
        let mut set = Self::default();
        let records = records.into_iter();
        if records.size_hint().0 > limits.packed_entries_max {
            set.make_large();
        }
        for (member, score) in records {
            let member = member.as_ref();
            set.make_room(member, limits);
            match &mut set {
                Self::Packed(bytes) => packed::push(bytes, member, score),
                Self::Large(large) => large.push(member, score),
            }
        }
        set
    }

    /// A sorted set of records that come from outside, best in order. Members that are there twice make it malformed.
    pub fn from_records<M: AsRef<[u8]>>(mut records: Vec<(M, f64)>, limits: &ZSetLimits) -> Result<Self, Malformed> {
        let order =
            |one: &(M, f64), other: &(M, f64)| ranked::compare((one.1, one.0.as_ref()), (other.1, other.0.as_ref()));
        if !records.is_sorted_by(|one, other| order(one, other).is_lt()) {
            records.sort_by(order);
        }
        if records.len() <= limits.packed_entries_max {
            let members = records.iter().map(|(member, _)| Item::Bytes(member.as_ref()));
            return if listpack::all_differ(members) { Ok(Self::from_sorted(records, limits)) } else { Err(Malformed) };
        }
        let mut large = LargeZSet::default();
        for (member, score) in records {
            if large.score(member.as_ref()).is_some() {
                return Err(Malformed);
            }
            large.push(member.as_ref(), score);
        }
        Ok(Self::Large(Box::new(large)))
    }

    /// A sorted set from a listpack that comes from outside: a DUMP payload, a snapshot. Records that are not in order are
    /// put in order; members that are there twice, or scores that are none, make it malformed.
    pub fn from_listpack(bytes: Vec<u8>, limits: &ZSetLimits) -> Result<Self, Malformed> {
        let elements = listpack::validate(&bytes)?;
        let (mut items, mut before, mut in_order) = (elements.iter(), None, true);
        while let Some(member) = items.next() {
            let score = items.next().and_then(packed::score_of).ok_or(Malformed)?;
            let record = Record { member, score };
            in_order &= before.replace(record).is_none_or(|before| packed::compare(before, record).is_lt());
        }
        // As in Redis, the length of members is not looked at here.
        if in_order && elements.len() / 2 <= limits.packed_entries_max {
            let once = listpack::all_differ(elements.iter().step_by(2));
            return if once { Ok(Self::Packed(bytes)) } else { Err(Malformed) };
        }
        let records = ZSetRef::Packed(&bytes).iter().map(|record| (record.member.to_vec(), record.score));
        Self::from_records(records.collect(), limits)
    }

    /// A view of it.
    pub fn as_ref(&self) -> ZSetRef<'_> {
        match self {
            Self::Packed(bytes) => ZSetRef::Packed(bytes),
            Self::Large(set) => ZSetRef::Large(set),
        }
    }

    /// Inserts a member that is not there yet. The score is not NaN.
    pub fn insert(&mut self, member: &[u8], score: f64, limits: &ZSetLimits) {
        debug_assert!(self.as_ref().score(member).is_none(), "members are there once");
        self.make_room(member, limits);
        match self {
            Self::Packed(bytes) => packed::insert(bytes, member, score),
            Self::Large(set) => set.insert(member, score),
        }
    }

    /// Makes the set large if it would break the limits with one more member.
    fn make_room(&mut self, member: &[u8], limits: &ZSetLimits) {
        if let Self::Packed(bytes) = self {
            let fits = member.len() <= limits.packed_member_bytes_max
                && Packed::new(bytes).len() < limits.packed_entries_max
                && listpack::would_fit(bytes, member.len());
            if !fits {
                self.make_large();
            }
        }
    }

    /// Makes the set large, whatever its size: what a command does that knows how many members are to come.
    pub fn make_large(&mut self) {
        if let Self::Packed(bytes) = self {
            let mut large = LargeZSet::default();
            let mut buffer = [0; INTEGER_TEXT_BYTES_MAX];
            for record in ZSetRef::Packed(bytes).iter() {
                large.push(record.member.as_bytes(&mut buffer), record.score);
            }
            *self = Self::Large(Box::new(large));
        }
    }

    /// Gives a member a new score, which is not NaN; returns the old one, or `None` if the member is not there.
    pub fn update(&mut self, member: &[u8], score: f64) -> Option<f64> {
        match self {
            Self::Packed(bytes) => {
                let old = packed::remove(bytes, member)?;
                packed::insert(bytes, member, score);
                Some(old)
            }
            Self::Large(set) => set.update(member, score),
        }
    }

    /// Removes a member; returns its score.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match self {
            Self::Packed(bytes) => packed::remove(bytes, member),
            Self::Large(set) => set.remove(member),
        }
    }

    /// Removes the records of a range of ranks, and tells each of them, in order. Long ranges are best removed in slices.
    pub fn remove_ranks(&mut self, ranks: Range<usize>, mut visit: impl FnMut(Record<'_>)) {
        match self {
            Self::Packed(bytes) => {
                ZSetRef::Packed(bytes).range(ranks.clone()).for_each(visit);
                packed::remove_ranks(bytes, &ranks);
            }
            Self::Large(set) => set.remove_ranks(ranks, |member, score| visit((member, score).into())),
        }
    }

    /// Removes the records of a range of ranks. If those are most of them, the others move to a new set instead, and the old
    /// one is returned, to be freed elsewhere.
    pub fn cut_ranks(&mut self, ranks: Range<usize>) -> Option<Self> {
        let len = self.as_ref().len();
        if matches!(self, Self::Packed(_)) || ranks.len() <= len / 2 {
            self.remove_ranks(ranks, |_| {});
            return None;
        }
        let mut kept = LargeZSet::default();
        let mut buffer = [0; INTEGER_TEXT_BYTES_MAX];
        let set = self.as_ref();
        for record in set.range(0..ranks.start).chain(set.range(ranks.end..len)) {
            kept.push(record.member.as_bytes(&mut buffer), record.score);
        }
        Some(std::mem::replace(self, Self::Large(Box::new(kept))))
    }

    /// Frees up to about `max` records of a set that is not used any more; returns how many, 0 when nothing is left.
    pub fn free_some(&mut self, max: usize) -> usize {
        match self {
            Self::Packed(bytes) => std::mem::take(bytes).capacity().min(1),
            Self::Large(set) => set.free_some(max),
        }
    }

    /// Bytes of heap memory that it holds.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Packed(bytes) => bytes.capacity(),
            Self::Large(set) => size_of::<LargeZSet>() + set.heap_bytes(),
        }
    }

    /// Panics if its parts contradict each other.
    pub fn check_invariants(&self) {
        match self {
            Self::Packed(bytes) => {
                let elements = listpack::validate(bytes).expect("a packed set is a well-formed listpack");
                assert_eq!(elements.len() % 2, 0, "members and scores come in pairs");
                let records: Vec<_> =
                    self.as_ref().iter().map(|record| (record.score, record.member.to_vec())).collect();
                let ascends = |one: &(f64, Vec<u8>), other: &(f64, Vec<u8>)| {
                    ranked::compare((one.0, &one.1), (other.0, &other.1)).is_lt()
                };
                assert!(records.is_sorted_by(ascends), "records ascend");
            }
            Self::Large(set) => set.check_invariants(),
        }
    }
}
