//! HyperLogLogs: how many different elements were added, give or take a percent, in 12 KiB.
//!
//! | file | commands |
//! |---|---|
//! | `count.rs` | PFADD, PFCOUNT, PFMERGE |
//! | `value.rs` | taking the HyperLogLog out of a key's string, and its errors |
//! | `debug.rs` | PFDEBUG |
//! | `selftest.rs` | PFSELFTEST |
//!
//! A HyperLogLog is a string in Redis's own format ([`storage::types::hyperloglog`]); clients may GET it and SET it
//! elsewhere. So every command checks what it reads: a string that is none is an error, and so is one whose registers make
//! no sense.
//!
//! PFCOUNT of one key computes the cardinality once and keeps it in the string until a register changes. That is why it
//! counts as a change of the data set, though the command is no write.
//!
//! # Over several shards
//!
//! The keys of PFCOUNT and PFMERGE are brought together under locks.

#![allow(clippy::unnecessary_wraps, reason = "handlers have one type, and many of them cannot fail")]

mod count;
mod debug;
mod selftest;
#[cfg(test)]
mod tests;
mod value;

use crate::spec::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] =
    &[&count::PFADD, &count::PFCOUNT, &count::PFMERGE, &debug::PFDEBUG, &selftest::PFSELFTEST];
