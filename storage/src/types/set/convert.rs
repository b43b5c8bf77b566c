//! When a set changes its encoding, and how.

use super::{LargeSet, Set, SetLimits};
use crate::encoding::intset::{self, Intset};
use crate::encoding::listpack::{self, Item};
use crate::number::{INTEGER_TEXT_BYTES_MAX, integer_text_len, parse_i64};

impl Set {
    /// An empty set for members of which the first is known, and about how many there are.
    pub fn for_members(first: &[u8], members: usize, limits: &SetLimits) -> Self {
        if parse_i64(first).is_some() && members <= limits.intset_entries_max {
            Self::Intset(intset::create())
        } else if members <= limits.listpack_entries_max {
            Self::Packed(listpack::create())
        } else {
            Self::Large(Box::default())
        }
    }

    /// To be called before several members are added by one command: if there are more of them than the encoding may
    /// hold, Redis takes a table at once.
    pub fn prepare(&mut self, members: usize, limits: &SetLimits) {
        let max = match self {
            Self::Intset(_) => limits.intset_entries_max,
            Self::Packed(_) => limits.listpack_entries_max,
            Self::Large(_) => return,
        };
        if members > max {
            self.enlarge();
        }
    }

    /// Makes an intset of a set that a command has computed, if all its members are integers and not too many.
    pub fn compact(&mut self, limits: &SetLimits) {
        let set = self.as_ref();
        if matches!(self, Self::Intset(_)) || set.len() > limits.intset_entries_max {
            return;
        }
        let Some(mut numbers) = set.iter().map(Item::as_int).collect::<Option<Vec<i64>>>() else { return };
        numbers.sort_unstable();
        let mut bytes = intset::create();
        for number in numbers {
            intset::insert(&mut bytes, number);
        }
        *self = Self::Intset(bytes);
    }

    /// Makes a table of a packed set.
    pub(super) fn enlarge(&mut self) {
        let mut large = LargeSet::default();
        for member in self.as_ref().iter() {
            large.members.insert_item(member);
        }
        *self = Self::Large(Box::new(large));
    }

    /// Makes of an intset what it has to be before it gets a member that is no integer.
    pub(super) fn leave_intset(&mut self, member_len: usize, limits: &SetLimits) {
        let Self::Intset(bytes) = self else { return };
        let integers = Intset::new(bytes);
        let ends = [integers.iter().next(), integers.iter().next_back()];
        let longest = ends.into_iter().flatten().map(integer_text_len).max().unwrap_or(0).max(member_len);
        let fits = listpack::would_fit(&[], integers.len() * INTEGER_TEXT_BYTES_MAX + member_len);
        if integers.len() >= limits.listpack_entries_max || longest > limits.listpack_value_bytes_max || !fits {
            self.enlarge();
            return;
        }
        let mut packed = listpack::create();
        for number in integers.iter() {
            listpack::push_back_int(&mut packed, number);
        }
        *self = Self::Packed(packed);
    }
}
