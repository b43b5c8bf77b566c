//! Changing a list. It becomes large before it would exceed the limits, and packed again when it has shrunk to half of them.

use super::node::{equal_in, pop_listpack, remove_all};
use super::{End, LargeList, List, ListLimits, Side};
use crate::encoding::listpack::{self, Item, Listpack, Needle};

/// Which elements LREM removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// From which end.
    pub from: End,
    /// How many.
    pub max: usize,
}

impl Removal {
    /// The meaning of LREM's count: its sign is the direction, and 0 are all.
    pub fn new(count: i64) -> Self {
        let from = if count < 0 { End::Tail } else { End::Head };
        Self { from, max: if count == 0 { usize::MAX } else { count.unsigned_abs() as usize } }
    }
}

impl List {
    /// A list without elements.
    pub fn new() -> Self {
        Self::Packed(listpack::create())
    }

    /// Pushes elements, one after another: of several pushed at the head the last is first.
    pub fn push<'e>(&mut self, end: End, elements: impl Iterator<Item = &'e [u8]> + Clone, limits: ListLimits) {
        self.grow(elements.clone(), limits);
        match self {
            Self::Packed(bytes) => match end {
                End::Head => elements.for_each(|element| listpack::push_front(bytes, element)),
                End::Tail => elements.for_each(|element| listpack::push_back(bytes, element)),
            },
            Self::Large(large) => elements.for_each(|element| large.push(end, element, limits)),
        }
    }

    /// Removes the element at an end.
    pub fn pop(&mut self, end: End, limits: ListLimits) -> Option<Vec<u8>> {
        let mut popped = None;
        self.pop_each(end, 1, limits, |item| popped = Some(item.to_vec()));
        popped
    }

    /// Removes up to `count` elements from an end, and shows each of them; how many.
    pub fn pop_each(&mut self, end: End, count: usize, limits: ListLimits, mut take: impl FnMut(Item<'_>)) -> usize {
        let popped = match self {
            Self::Packed(bytes) => {
                let (start, popped) = pop_listpack(bytes, 0, end, count, &mut take);
                bytes.drain(..start);
                popped
            }
            Self::Large(large) => large.pop_each(end, count, limits, &mut take),
        };
        self.shrink(limits);
        popped
    }

    /// Puts a value in the place of the element at an index; whether there is one.
    pub fn set(&mut self, index: i64, element: &[u8], limits: ListLimits) -> bool {
        self.grow(std::iter::once(element), limits);
        let Some(index) = self.as_ref().absolute(index) else { return false };
        match self {
            Self::Packed(bytes) => {
                let cursor = Listpack::new(bytes).seek(index as isize);
                listpack::replace(bytes, cursor.expect("the index is below the number of elements"), element);
            }
            Self::Large(large) => large.set(index, element, limits),
        }
        self.shrink(limits);
        true
    }

    /// Puts an element next to the first one that is equal to `pivot`; whether there is one.
    pub fn insert(&mut self, pivot: &[u8], side: Side, element: &[u8], limits: ListLimits) -> bool {
        self.grow(std::iter::once(element), limits);
        match self {
            Self::Packed(bytes) => {
                let view = Listpack::new(bytes);
                let Some(cursor) = view.first().and_then(|first| view.find(pivot, first, 0)) else { return false };
                match side {
                    Side::Before => listpack::insert_before(bytes, cursor, element),
                    Side::After => listpack::insert_after(bytes, cursor, element),
                };
                true
            }
            Self::Large(large) => match large.find(Needle::new(pivot)) {
                Some(index) => {
                    large.insert(index, side, element, limits);
                    true
                }
                None => false,
            },
        }
    }

    /// Removes elements that are equal to a value; how many.
    pub fn remove(&mut self, value: &[u8], removal: Removal, limits: ListLimits) -> usize {
        let (needle, Removal { from, max }) = (Needle::new(value), removal);
        let removed = match self {
            Self::Packed(bytes) => {
                let found = equal_in(Listpack::new(bytes), needle, from, max);
                let removed = found.len();
                remove_all(bytes, found.into_iter());
                removed
            }
            Self::Large(large) => large.remove_equal(needle, from, max, limits),
        };
        if removed > 0 {
            self.shrink(limits);
        }
        removed
    }

    /// Keeps only the elements of a range that [`super::ListRef::range`] gave. What was cut off a large list is returned: it
    /// may be worth freeing in slices.
    pub fn trim(&mut self, kept: std::ops::Range<usize>, limits: ListLimits) -> Option<Box<LargeList>> {
        let cut_off = match self {
            Self::Packed(bytes) => {
                if let Some(behind) = Listpack::new(bytes).seek(kept.end as isize) {
                    listpack::remove_range(bytes, behind, usize::MAX);
                }
                if let Some(first) = Listpack::new(bytes).first() {
                    listpack::remove_range(bytes, first, kept.start);
                }
                None
            }
            Self::Large(large) => {
                let cut_off = large.trim(kept.start, kept.end, limits);
                (!cut_off.is_empty()).then(|| Box::new(cut_off))
            }
        };
        self.shrink(limits);
        cut_off
    }

    /// Makes the list large if it would be too large to be packed with some more elements.
    fn grow<'e>(&mut self, elements: impl Iterator<Item = &'e [u8]>, limits: ListLimits) {
        if let Self::Packed(bytes) = self {
            let (mut more, mut more_bytes, mut any_large) = (0, 0_usize, false);
            for element in elements {
                more += 1;
                more_bytes = more_bytes.saturating_add(element.len());
                any_large |= limits.is_large(element.len());
            }
            let len = Listpack::new(bytes).len() + more;
            if any_large || limits.exceeded_by(bytes.len().saturating_add(more_bytes), len) {
                *self = Self::Large(Box::new(LargeList::from_listpack(std::mem::take(bytes))));
            }
        }
    }

    /// Packs the list if it has shrunk to one node of half the limit.
    fn shrink(&mut self, limits: ListLimits) {
        self.pack_if(|bytes, len| limits.half_holds(bytes, len));
    }

    pub(super) fn pack_if(&mut self, fits: impl FnOnce(usize, usize) -> bool) {
        if let Self::Large(large) = self {
            if large.is_empty() {
                *self = Self::new();
            } else if let Some(bytes) = large.take_small(fits) {
                *self = Self::Packed(bytes);
            }
        }
    }
}
