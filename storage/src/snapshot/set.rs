//! Sets in RDB.
//!
//! ```text
//! type 2     number of members, and each as a string
//! type 11    a string: the intset
//! type 20    a string: the listpack                                                               (since Redis 7.2)
//! ```
//!
//! A set in a listpack is written member by member: no server before Redis 7.2 reads type 20, every server reads type 2,
//! and makes of it what it has for a set so small.

use super::{Malformed, Reader, TYPE_SET, TYPE_SET_INTSET, Writer};
use crate::types::set::{Set, SetLimits, SetRef, SetRepr};

const BAD_INTSET: &str = "Intset integrity check failed.";
const BAD_LISTPACK: &str = "Set listpack integrity check failed.";
const DUPLICATE: &str = "Duplicate set members detected";

/// The type that a set is written as.
pub(super) const fn set_type(set: SetRef<'_>) -> u8 {
    if let SetRepr::Intset(_) = set.repr() { TYPE_SET_INTSET } else { TYPE_SET }
}

impl Writer {
    pub(super) fn put_set(&mut self, set: SetRef<'_>) {
        if let SetRepr::Intset(bytes) = set.repr() {
            return self.put_bytes(bytes);
        }
        self.put_length(set.len() as u64);
        set.iter().for_each(|member| self.put_item(member));
    }
}

impl Reader<'_> {
    pub(super) fn set_members(&mut self, limits: &SetLimits) -> Result<Set, Malformed> {
        let members = self.length()?;
        let mut set = Set::with_room(members, self.at_most(members), limits);
        for _ in 0..members {
            set.push(&self.text()?, members, limits);
        }
        if set.is_of(members) { Ok(set) } else { self.blame(DUPLICATE, Err(Malformed)) }
    }

    pub(super) fn set_intset(&mut self, limits: &SetLimits) -> Result<Set, Malformed> {
        let packed = self.text()?.into_owned();
        self.blame(BAD_INTSET, Set::from_intset(packed, limits))
    }

    pub(super) fn set_listpack(&mut self, limits: &SetLimits) -> Result<Set, Malformed> {
        let packed = self.text()?.into_owned();
        self.blame(BAD_LISTPACK, Set::from_packed(packed, limits))
    }
}
