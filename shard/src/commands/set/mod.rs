//! Sets: members without order, each once.
//!
//! | file | commands |
//! |---|---|
//! | `read.rs` | SCARD, SISMEMBER, SMISMEMBER, SMEMBERS |
//! | `write.rs` | SADD, SREM, SMOVE |
//! | `pop.rs` | SPOP |
//! | `random.rs` | SRANDMEMBER |
//! | `scan.rs` | SSCAN |
//! | `intersect.rs` | SINTER, SINTERSTORE, SINTERCARD |
//! | `union.rs` | SUNION, SUNIONSTORE |
//! | `diff.rs` | SDIFF, SDIFFSTORE |
//! | `operands.rs` | what these have in common: looking several sets up, replying or storing what comes out |
//!
//! A missing key reads as a set without members, and a set without members is a missing key. How the bytes lie (`intset`,
//! `listpack`, `hashtable`) is decided by the storage, from the configuration: see [`storage::types::set`]. In a table every
//! command on one member is O(1).
//!
//! # Computing with sets
//!
//! Whether a member of one set is in another is asked in the order in which the first lies in memory. Two tables order
//! their members alike, by their hashes, so that these questions go through the other table from its beginning to its end,
//! and memory is read in sequence where random reads would cost as much as all else together.
//!
//! # Over several shards
//!
//! Commands on several sets run where their keys are brought together ([`Run::Keys`](crate::exec::Run::Keys)): a large set
//! travels as a pointer.

#![allow(clippy::unnecessary_wraps, reason = "handlers have one type, and many of them cannot fail")]

mod diff;
mod intersect;
mod operands;
mod pop;
mod random;
mod read;
mod scan;
#[cfg(test)]
mod tests;
mod union;
mod write;

use crate::spec::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &diff::SDIFF,
    &diff::SDIFFSTORE,
    &intersect::SINTER,
    &intersect::SINTERCARD,
    &intersect::SINTERSTORE,
    &pop::SPOP,
    &random::SRANDMEMBER,
    &read::SCARD,
    &read::SISMEMBER,
    &read::SMEMBERS,
    &read::SMISMEMBER,
    &scan::SSCAN,
    &union::SUNION,
    &union::SUNIONSTORE,
    &write::SADD,
    &write::SMOVE,
    &write::SREM,
];
