//! Lookups that are about to happen can be announced, in rounds: all the keys of a pipeline first, then their values, then
//! the elements that are looked for in large collections.

use super::{Database, key_hash};
use crate::encoding::block::BlockRef;
use crate::encoding::members::field_hash;
use crate::encoding::prefetch::Round;

/// An element of a collection that a command is about to look for.
#[derive(Clone, Copy, Debug)]
pub struct ElementAhead {
    key: u64,
    element: u64,
}

impl ElementAhead {
    /// A field of a hash, or a member of a set, at the key of this hash.
    pub fn field(key: u64, field: &[u8]) -> ElementAhead {
        ElementAhead { key, element: field_hash(field) }
    }

    /// A member of a sorted set.
    pub fn ranked(key: u64, member: &[u8]) -> ElementAhead {
        ElementAhead { key, element: key_hash(member) }
    }
}

impl Database {
    /// First round: asks for the table's memory of the key with this hash.
    #[inline]
    pub fn prefetch_line(&self, hash: u64) {
        self.table.prefetch_line(hash);
    }

    /// Second round: asks for the key's block.
    #[inline]
    pub fn prefetch_block(&self, hash: u64) {
        self.table.prefetch_block(hash);
    }

    /// Asks for the memory of elements, in rounds behind those of their keys. Those of what is not a large collection are
    /// dropped.
    pub fn prefetch_elements(&self, elements: &mut Vec<ElementAhead>) {
        for round in Round::ALL {
            elements.retain(|ahead| {
                let large = self.table.first_block(ahead.key).and_then(BlockRef::large);
                large.is_some_and(|large| large.prefetch(ahead.element, round))
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Collection;
    use crate::types::set::{Set, SetLimits};
    use crate::types::zset::{ZSet, ZSetLimits};
    use crate::{Access, Expiry, OwnedValue};

    /// Elements of large collections, of a small one, and of none: there is room in all, so each round meets all kinds.
    #[test]
    fn only_elements_of_large_collections_are_asked_for() {
        const SET_LIMITS: SetLimits =
            SetLimits { intset_entries_max: 8, listpack_entries_max: 8, listpack_value_bytes_max: 64 };
        let set_of = |members: usize| {
            let mut set = Set::for_members(b"member", 1, &SET_LIMITS);
            (0..members).for_each(|number| assert!(set.insert(format!("member:{number}").as_bytes(), &SET_LIMITS)));
            set.into_value()
        };
        let mut ranked = ZSet::from_sorted([(b"one", 1.0)], &ZSetLimits::default());
        ranked.make_large();
        let values = [(b"many", set_of(5000)), (b"few ", set_of(5)), (b"rank", OwnedValue::SortedSet(ranked))];
        let mut database = Database::new();
        for (key, value) in values {
            assert!(database.set_value(&key[..], value, Expiry::Clear, Access::default()).is_none());
        }
        for (key, remains) in [(b"many", true), (b"few ", false), (b"rank", true), (b"none", false)] {
            for element in [&b"member:17"[..], b"one", b"missing", b"17", b""] {
                let hash = key_hash(key);
                let mut ahead = vec![ElementAhead::field(hash, element), ElementAhead::ranked(hash, element)];
                database.prefetch_elements(&mut ahead);
                assert_eq!(ahead.len(), if remains { 2 } else { 0 }, "{}", String::from_utf8_lossy(key));
            }
        }
    }
}
