//! Reading a list: length, elements by index, ranges, searching.

use super::node::NodeContents;
use super::{End, LargeList, List, ListRef, Walk};
use crate::encoding::listpack::{Item, Listpack, Needle};

/// An element by itself: borrowed from the list, or a copy if it was in a compressed node.
#[derive(Clone, Debug)]
pub enum Element<'a> {
    /// An element as it lies in the list.
    Borrowed(Item<'a>),
    /// A copy.
    Owned(Vec<u8>),
}

impl Element<'_> {
    /// The element.
    pub fn item(&self) -> Item<'_> {
        match self {
            Self::Borrowed(item) => *item,
            Self::Owned(bytes) => Item::Bytes(bytes),
        }
    }
}

/// What LPOS searches for.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The value.
    pub value: &'a [u8],
    /// From which end.
    pub from: End,
    /// How many matches to pass over (RANK - 1, without its sign).
    pub skip: usize,
    /// How many matches to report; 0: all.
    pub count: usize,
    /// How many elements to compare; 0: all.
    pub compared_max: usize,
}

impl<'a> ListRef<'a> {
    /// Number of elements.
    #[inline]
    pub fn len(self) -> usize {
        match self {
            Self::Packed(bytes) => Listpack::new(bytes).len(),
            Self::Large(large) => large.len(),
        }
    }

    /// Whether it has no elements.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The name that OBJECT ENCODING replies with.
    pub const fn encoding(self) -> &'static str {
        match self {
            Self::Packed(_) => "listpack",
            Self::Large(_) => "quicklist",
        }
    }

    /// The index from the head that a client's index means; negative ones count from the tail.
    pub(super) fn absolute(self, index: i64) -> Option<usize> {
        let len = self.len();
        let absolute = if index < 0 {
            len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?
        } else {
            usize::try_from(index).ok()?
        };
        (absolute < len).then_some(absolute)
    }

    /// The element at an index; negative ones count from the tail.
    pub fn element(self, index: i64) -> Option<Element<'a>> {
        match self {
            Self::Packed(bytes) => {
                let view = Listpack::new(bytes);
                Some(Element::Borrowed(view.at(view.seek(isize::try_from(index).ok()?)?)))
            }
            Self::Large(large) => {
                let (spot, inside) = large.spots().find(self.absolute(index)?)?;
                let node = large.spots().node(spot);
                if node.is_compressed() {
                    return self
                        .walk(End::Head, self.absolute(index)?)
                        .next()
                        .map(|item| Element::Owned(item.to_vec()));
                }
                Some(Element::Borrowed(node.item(inside)))
            }
        }
    }

    /// A walk away from an end, beginning `skip` elements from it.
    pub fn walk(self, from: End, skip: usize) -> Walk<'a> {
        Walk::new(self, from, skip)
    }

    /// The elements that LRANGE and LTRIM mean: the index of the first, and that behind the last. Both are the same if
    /// there are none.
    pub fn range(self, first: i64, last: i64) -> std::ops::Range<usize> {
        let len = self.len() as i64;
        let from_head = |index: i64| if index < 0 { index.saturating_add(len) } else { index };
        let (first, last) = (from_head(first).max(0), from_head(last).min(len - 1));
        if first > last { 0..0 } else { first as usize..last as usize + 1 }
    }

    /// The indices of the elements equal to a value, as LPOS reports them: in the order of the search, counted from the head.
    pub fn positions(self, search: Search<'_>) -> Vec<usize> {
        let (len, needle) = (self.len(), Needle::new(search.value));
        let (mut found, mut skipped) = (Vec::new(), 0);
        let mut walk = self.walk(search.from, 0);
        let compared_max = if search.compared_max == 0 { len } else { search.compared_max.min(len) };
        for distance in 0..compared_max {
            let Some(item) = walk.next() else { break };
            if !needle.is(item) {
                continue;
            }
            if skipped < search.skip {
                skipped += 1;
                continue;
            }
            found.push(if search.from == End::Head { distance } else { len - 1 - distance });
            if found.len() == search.count {
                break;
            }
        }
        found
    }

    /// Number of nodes, without a look into them.
    pub const fn node_count(self) -> usize {
        match self {
            Self::Packed(_) => 1,
            Self::Large(large) => large.node_count(),
        }
    }

    /// What the nodes hold from one node on, for writing them to a file: a packed list is one node.
    pub fn nodes_from(self, index: usize) -> impl Iterator<Item = NodeContents<'a>> {
        let (packed, large): (Option<&[u8]>, Option<&LargeList>) = match self {
            Self::Packed(bytes) => (Some(bytes), None),
            Self::Large(large) => (None, Some(large)),
        };
        let packed = packed.filter(|_| index == 0).map(|bytes| NodeContents::Listpack(bytes.into()));
        packed.into_iter().chain(large.into_iter().flat_map(move |large| large.nodes_from(index)))
    }

    /// What all of its nodes hold.
    pub fn nodes(self) -> impl Iterator<Item = NodeContents<'a>> {
        self.nodes_from(0)
    }

    /// A copy that does not borrow from the database.
    pub fn to_owned(self) -> List {
        match self {
            Self::Packed(bytes) => List::Packed(bytes.to_vec()),
            Self::Large(large) => List::Large(Box::new(large.clone())),
        }
    }

    /// Whether another list has the same elements.
    pub fn eq_elements(self, other: ListRef<'_>) -> bool {
        let (mut walk, mut others) = (self.walk(End::Head, 0), other.walk(End::Head, 0));
        self.len() == other.len()
            && loop {
                match (walk.next(), others.next()) {
                    (None, None) => break true,
                    (one, other) if one != other => break false,
                    _ => {}
                }
            }
    }
}
