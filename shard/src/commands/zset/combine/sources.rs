//! The sources of a combination: sorted sets, sets, and keys that are not there.

use std::borrow::Cow;

use storage::Value;
use storage::types::set::SetRef;
use storage::types::zset::ZSetRef;

use super::super::score::member_text;
use crate::exec::error::WRONG_TYPE;
use crate::exec::{CommandError, Ctx};

/// The score of each member of a set.
const SET_SCORE: f64 = 1.0;

/// What is at a source's key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'a> {
    /// Nothing.
    Nothing,
    /// A sorted set.
    Sorted(ZSetRef<'a>),
    /// A set.
    Plain(SetRef<'a>),
}

impl<'a> Source<'a> {
    /// The number of members.
    pub(super) fn len(self) -> usize {
        match self {
            Source::Nothing => 0,
            Source::Sorted(set) => set.len(),
            Source::Plain(set) => set.len(),
        }
    }

    /// The score of a member.
    pub(super) fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Source::Nothing => None,
            Source::Sorted(set) => set.score(member),
            Source::Plain(set) => set.contains(member).then_some(SET_SCORE),
        }
    }

    /// Visits all members with their scores, until it is told to stop.
    pub(super) fn visit(self, mut visit: impl FnMut(Cow<'a, [u8]>, f64) -> bool) {
        match self {
            Source::Nothing => {}
            Source::Sorted(set) => {
                set.iter().all(|record| visit(member_text(record.member), record.score));
            }
            Source::Plain(set) => {
                set.iter().all(|member| visit(member_text(member), SET_SCORE));
            }
        }
    }
}

/// Looks the keys up, as reading commands do; which of them are there. An error if one holds something else than a sorted
/// set or a set.
pub(super) fn look_up(ctx: &mut Ctx<'_>, keys: &[&[u8]]) -> Result<Vec<bool>, CommandError> {
    let look = |key: &&[u8]| match ctx.read(*key).map(|entry| entry.value()) {
        None => Ok(false),
        Some(Value::SortedSet(_) | Value::Set(_)) => Ok(true),
        Some(_) => Err(WRONG_TYPE),
    };
    keys.iter().map(look).collect()
}

/// What is at keys that were looked up.
pub(super) fn open<'c>(ctx: &'c Ctx<'_>, keys: &[&[u8]], existing: &[bool]) -> Vec<Source<'c>> {
    let database = &ctx.shard.databases[ctx.db.index()];
    let open = |(key, exists): (&&[u8], &bool)| {
        let value = if *exists { database.find(*key).map(|entry| entry.value()) } else { None };
        match value {
            Some(Value::SortedSet(set)) => Source::Sorted(set),
            Some(Value::Set(set)) => Source::Plain(set),
            _ => Source::Nothing,
        }
    };
    keys.iter().zip(existing).map(open).collect()
}
