//! Walking along a list in either direction.

use std::borrow::Cow;

use super::node::NodeContents;
use super::nodes::Spot;
use super::{End, LargeList, ListRef};
use crate::encoding::listpack::{Cursor, Item, Listpack};

/// A walk from one element to the end of the list.
///
/// Elements are lent one at a time: a compressed node is decompressed into the walk, and gone with its next step. For the
/// same reason this is no `Iterator`.
#[derive(Debug)]
pub struct Walk<'a> {
    /// The rest of the nodes: the list, and the spot of the present node.
    list: Option<(&'a LargeList, Spot)>,
    from: End,
    node: Option<Present<'a>>,
}

/// The node in which a walk is, and the place of the next element.
#[derive(Debug)]
enum Present<'a> {
    Listpack { bytes: Cow<'a, [u8]>, next: Option<Cursor> },
    Plain { element: Cow<'a, [u8]>, taken: bool },
}

impl<'a> Walk<'a> {
    /// A walk away from an end that begins `skip` elements from it.
    pub(super) fn new(list: ListRef<'a>, from: End, skip: usize) -> Self {
        match list {
            ListRef::Packed(bytes) => {
                let node = Present::listpack(Cow::Borrowed(bytes), from, skip);
                Self { list: None, from, node: Some(node) }
            }
            ListRef::Large(large) => {
                let index = if from == End::Head { Some(skip) } else { large.len().checked_sub(skip + 1) };
                let Some((spot, inside)) = index.and_then(|index| large.spots().find(index)) else {
                    return Self { list: None, from, node: None };
                };
                let node = large.spots().node(spot);
                let skip = if from == End::Head { inside } else { node.len() - 1 - inside };
                let node = Present::new(node.contents(), from, skip);
                Self { list: Some((large, spot)), from, node: Some(node) }
            }
        }
    }

    /// The next element.
    #[inline]
    #[allow(clippy::should_implement_trait, reason = "what is lent ends with the next step")]
    pub fn next(&mut self) -> Option<Item<'_>> {
        while !self.node.as_ref()?.has_next() {
            let (large, spot) = self.list?;
            let spot = large.spots().next(self.from, spot)?;
            self.list = Some((large, spot));
            self.node = Some(Present::new(large.spots().node(spot).contents(), self.from, 0));
        }
        self.node.as_mut()?.next(self.from)
    }
}

impl<'a> Present<'a> {
    fn new(contents: NodeContents<'a>, from: End, skip: usize) -> Self {
        match contents {
            NodeContents::Listpack(bytes) => Self::listpack(bytes, from, skip),
            NodeContents::Plain(element) => Self::Plain { element, taken: skip > 0 },
        }
    }

    fn listpack(bytes: Cow<'a, [u8]>, from: End, skip: usize) -> Self {
        let index = if from == End::Head { skip as isize } else { -1 - skip as isize };
        let next = Listpack::new(&bytes).seek(index);
        Self::Listpack { bytes, next }
    }

    #[inline]
    const fn has_next(&self) -> bool {
        match self {
            Self::Listpack { next, .. } => next.is_some(),
            Self::Plain { taken, .. } => !*taken,
        }
    }

    #[inline]
    fn next(&mut self, from: End) -> Option<Item<'_>> {
        match self {
            Self::Listpack { bytes, next } => {
                let view = Listpack::new(bytes);
                let cursor = (*next)?;
                *next = if from == End::Head { view.next(cursor) } else { view.prev(cursor) };
                Some(view.at(cursor))
            }
            Self::Plain { element, taken } => (!std::mem::replace(taken, true)).then_some(Item::Bytes(element)),
        }
    }
}
