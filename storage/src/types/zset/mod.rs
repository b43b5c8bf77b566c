//! Sorted sets: members with scores, in order of the scores, equal ones in order of the members' bytes.
//!
//! # Encodings
//!
//! ```text
//! packed   ┌───────────┬──────────┬─────────┬──────────┬─────────┬─────┬──────┐
//!          │ header    │ member 0 │ score 0 │ member 1 │ score 1 │  …  │ 0xff │     one listpack, records in order
//!          └───────────┴──────────┴─────────┴──────────┴─────────┴─────┴──────┘
//! large    a tree by score and member that counts records, and an index from member to leaf
//! ```
//!
//! A sorted set is packed (OBJECT ENCODING: `listpack`) as long as it has at most `zset-max-listpack-entries` members, all
//! within `zset-max-listpack-value` bytes; the member that breaks a limit makes it large (`skiplist`, as Redis names it)
//! for good. The packed bytes are those of Redis: an integral score up to 2^62 is an integer element, and so loses the sign
//! of a zero; others are the text that `%.17g` gives.
//!
//! | operation | packed | large |
//! |---|---|---|
//! | score of a member | O(n) | O(1) |
//! | insert, update, remove, rank, count of a range | O(n) | O(log n) |
//! | range of k records | O(n) | O(log n + k) |
//!
//! Ranges by score and by member are turned into ranges of ranks ([`ZSetRef::score_ranks`], [`ZSetRef::member_ranks`]); what
//! is read or removed is always a range of ranks, in as many slices as the caller likes.
//!
//! - [`ZSet`] owns a sorted set and edits it (`edit.rs`).
//! - [`ZSetRef`] is the view to read one (`view.rs`).
//! - `packed.rs` is the packed form; the large one is `encoding/ranked`.

mod edit;
mod packed;
mod range;
mod records;
#[cfg(test)]
mod tests;
mod view;

pub use crate::encoding::listpack::{IntBuf, Item, Malformed};
pub use crate::encoding::ranked::Ranked as LargeZSet;
pub use edit::ZSet;
pub use range::{MemberBound, MemberRange, ScoreBound, ScoreRange};
pub use records::{Record, Records};
pub use view::ZSetRef;

/// When a sorted set is too large to be packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZSetLimits {
    /// `zset-max-listpack-entries`: the most members of a packed set.
    pub packed_entries_max: usize,
    /// `zset-max-listpack-value`: the longest member of a packed set.
    pub packed_member_bytes_max: usize,
}

/// The defaults of Redis.
impl Default for ZSetLimits {
    fn default() -> Self {
        Self { packed_entries_max: 128, packed_member_bytes_max: 64 }
    }
}

/// The names of OBJECT ENCODING for a sorted set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZSetEncoding {
    /// Packed.
    Listpack,
    /// Large.
    Skiplist,
}

impl ZSetEncoding {
    /// The name that OBJECT ENCODING replies with.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listpack => "listpack",
            Self::Skiplist => "skiplist",
        }
    }
}
