//! Streams: XADD, XREAD, XREADGROUP, and everything about groups of consumers.
//!
//! # What is where
//!
//! | module | commands |
//! |---|---|
//! | `add.rs` | XADD |
//! | `trim.rs` | XTRIM, and the options that XADD shares with it |
//! | `range.rs` | XLEN, XRANGE, XREVRANGE |
//! | `delete.rs` | XDEL, XDELEX, XACKDEL |
//! | `setid.rs` | XSETID |
//! | `read.rs`, `read_options.rs` | XREAD |
//! | `read_group.rs` | XREADGROUP |
//! | `group.rs` | XGROUP |
//! | `pending.rs` | XACK, XPENDING |
//! | `claim.rs`, `autoclaim.rs` | XCLAIM, XAUTOCLAIM |
//! | `info.rs`, `info_full.rs` | XINFO |
//!
//! # Waiting
//!
//! XREAD and XREADGROUP with `BLOCK` wait when there is nothing to read. What "new" means is settled when they come: `$`
//! and `+` become the ids they stand for then, and the command waits with those. A reader of a group takes what it gets
//! away from others, so whoever waits first is served first; readers without a group all get the same.
//!
//! A reader of a group learns when what it waits for is gone: the key is removed or holds something else (`UNBLOCKED`), or
//! the group is destroyed (`NOGROUP`). A reader without a group goes on waiting for the key to come back.

use crate::spec::Command;

mod add;
mod autoclaim;
mod claim;
mod delete;
mod error;
mod group;
mod info;
mod info_full;
mod parse;
mod pending;
mod range;
mod read;
mod read_group;
mod read_options;
mod reply;
mod setid;
#[cfg(test)]
mod tests;
mod told;
mod trim;

pub use read_options::asks_to_wait;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &pending::XACK,
    &delete::XACKDEL,
    &add::XADD,
    &autoclaim::XAUTOCLAIM,
    &claim::XCLAIM,
    &delete::XDEL,
    &delete::XDELEX,
    &group::XGROUP,
    &info::XINFO,
    &range::XLEN,
    &pending::XPENDING,
    &range::XRANGE,
    &read::XREAD,
    &read_group::XREADGROUP,
    &range::XREVRANGE,
    &setid::XSETID,
    &trim::XTRIM,
];
