//! Going through the fields of a hash.

use super::view::{Field, is_live};
use crate::encoding::listpack::{self, Pairs};
use crate::encoding::members;
use crate::keyspace::UnixMillis;

/// The fields of a hash that are alive.
#[derive(Clone, Debug)]
pub struct HashIter<'a> {
    pub(super) source: Source<'a>,
    pub(super) now: UnixMillis,
}

#[derive(Clone, Debug)]
pub(super) enum Source<'a> {
    Packed(Pairs<'a>),
    PackedTtl(listpack::Iter<'a>),
    Large(members::Iter<'a, true>),
}

impl<'a> Iterator for Source<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        match self {
            Self::Packed(pairs) => pairs.next().map(|(name, value)| Field { name, value, expire_at: None }),
            Self::PackedTtl(items) => {
                let (name, value, time) = (items.next()?, items.next()?, items.next()?);
                Some(Field { name, value, expire_at: super::ttl::expiry(time) })
            }
            Self::Large(records) => records.next().map(Field::from),
        }
    }
}

impl<'a> Iterator for HashIter<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let now = self.now;
        self.source.find(|field| is_live(field.expire_at, now))
    }
}
