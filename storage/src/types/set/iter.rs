//! Going through the members of a set.

use crate::encoding::intset;
use crate::encoding::listpack::{self, Item};
use crate::encoding::members;

/// The members of a set.
#[derive(Clone, Debug)]
pub struct SetIter<'a>(pub(super) Source<'a>);

#[derive(Clone, Debug)]
pub(super) enum Source<'a> {
    Intset(intset::Iter<'a>),
    Packed(listpack::Iter<'a>),
    Large(members::Iter<'a, false>),
}

impl<'a> Iterator for SetIter<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        match &mut self.0 {
            Source::Intset(integers) => integers.next().map(Item::Int),
            Source::Packed(items) => items.next(),
            Source::Large(records) => records.next().map(|record| record.field),
        }
    }
}
