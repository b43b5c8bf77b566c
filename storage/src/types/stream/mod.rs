//! Streams: logs of entries with fields, and the groups of consumers that read them together.
//!
//! # Entries
//!
//! ```text
//!            index, sorted by the ids that the blocks began with
//!            ┌───────────────┬───────────────┬───────────────┐
//!            │ 1700-0        │ 1705-3        │ 1711-0        │     blocks of up to 100 entries or 4 KiB
//!            └───────┬───────┴───────┬───────┴───────┬───────┘     (`stream-node-max-entries`, `-bytes`)
//!                    ▼               ▼               ▼
//!              packed entries  packed entries  packed entries  ◄── XADD appends here
//! ```
//!
//! `block.rs` packs the entries and argues how, `sorted.rs` is the index, `listpack.rs` makes of a block what RDB has.
//! An entry is found by a search in the index and a walk in its block; a range walks on from there. Ids only grow, so
//! nothing is ever inserted in the middle.
//!
//! Two counters outlive the entries: how many were ever added, and the largest id that was deleted other than by trimming.
//! From these follows how far a group is behind (`lag.rs`).
//!
//! # Groups
//!
//! A [`Group`] remembers the last id that it delivered, and for each delivered entry that is not acknowledged yet a record
//! of 32 bytes in its *pending list*: to whom, when, how often. Each [`Consumer`] has the sorted ids of its own besides,
//! of 16 bytes, and no other copy. Both lists are `sorted.rs` sequences. Records can outlive their entries: an entry that
//! is deleted stays pending, until somebody claims it or acknowledges it.
//!
//! To find what has been idle for long, no second index is kept: each chunk of the pending list has a low-water mark of the
//! delivery times in it, so that a look at the marks leads to the few chunks that matter.
//!
//! # Complexity
//!
//! | | |
//! |---|---|
//! | append | amortised O(fields) |
//! | an id, the start of a range | O(log blocks), and a walk of at most one block |
//! | trim | O(1) for each whole block, and a walk of the last one |
//! | acknowledge, claim | O(log pending) |
//!
//! Nothing is copied as a whole, ever: growth, trimming and freeing touch a block or a chunk at a time.

mod append;
mod block;
mod claim;
mod delete;
mod deliver;
mod entry;
mod group;
mod groups;
mod id;
mod lag;
mod listpack;
mod load;
mod pending;
mod range;
mod sorted;
#[cfg(test)]
mod tests;
mod trim;
mod value;

pub use append::AppendError;
pub use block::StreamLimits;
pub use claim::{AutoClaimed, Claim, ClaimOutcome, IdleClaimed};
pub use delete::{DeleteOutcome, References};
pub use deliver::{Delivery, Redelivery};
pub use entry::{Entry, Fields};
pub use group::{Consumer, ConsumerId, Group};
pub use id::{IdError, NewId, StreamId};
pub use listpack::BlockRef;
pub use load::{BadAssignment, GroupLoader, Malformed, StreamCounters};
pub use pending::{Pending, PendingSummary};
pub use range::{Range, RangeReverse};
pub use trim::{Trim, TrimTo, Trimmed};
pub use value::{SetIdError, Stream, StreamRef};

pub use crate::encoding::listpack::{IntBuf, Item};
