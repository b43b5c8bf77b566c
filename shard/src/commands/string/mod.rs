//! Strings: a key holds bytes, and whoever wants may count with them.
//!
//! | file | commands |
//! |---|---|
//! | `read.rs` | GET, MGET, GETRANGE, SUBSTR, STRLEN |
//! | `set.rs` | SET, SETNX, SETEX, PSETEX, GETSET |
//! | `options.rs` | the options that SET and GETEX share |
//! | `many.rs` | MSET, MSETNX |
//! | `many_expiring.rs` | MSETEX |
//! | `compare.rs` | DIGEST, and the comparisons of SET and DELEX |
//! | `delete_if.rs` | DELEX, DELIFEQ |
//! | `fetch.rs` | GETDEL, GETEX: reading and changing the key in one |
//! | `edit.rs` | APPEND, SETRANGE |
//! | `count.rs` | INCR, DECR, INCRBY, DECRBY |
//! | `count_float.rs` | INCRBYFLOAT |
//! | `lcs.rs`, `lcs/` | LCS |
//!
//! # What all have in common
//!
//! - A missing key reads as an empty string, or as nought; only GET and its kin tell it by a null.
//! - A key of another type is an error and stays as it was. SET and MSET do not look: they replace anything. MGET gives
//!   a null for it.
//! - Storing a string takes the key's expiry away (SET, GETSET, MSET); changing one keeps it (APPEND, SETRANGE, INCR).
//! - No string becomes longer than `proto-max-bulk-len`.
//! - Numbers are canonical 64-bit integers. INCRBYFLOAT counts in extended precision, see
//!   [`LongDouble`](storage::number::LongDouble).
//!
//! How the bytes lie, and what OBJECT ENCODING says of them, is the business of the storage crate.
//!
//! # Over several shards
//!
//! MGET and MSET are split, each shard doing its keys at one point in time. MSETNX must know of all keys before it sets
//! the first one, so it is a plan of two hops; LCS brings one string to the other's shard. The keys of MSETEX are brought
//! together under locks.

#![allow(clippy::unnecessary_wraps, reason = "handlers have one type, and many of them cannot fail")]

mod compare;
mod count;
mod count_float;
mod delete_if;
mod edit;
mod fetch;
mod lcs;
mod many;
mod many_expiring;
mod options;
mod read;
mod set;
#[cfg(test)]
mod tests;

use crate::spec::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &edit::APPEND,
    &count::DECR,
    &count::DECRBY,
    &delete_if::DELEX,
    &delete_if::DELIFEQ,
    &compare::DIGEST,
    &read::GET,
    &fetch::GETDEL,
    &fetch::GETEX,
    &read::GETRANGE,
    &set::GETSET,
    &count::INCR,
    &count::INCRBY,
    &count_float::INCRBYFLOAT,
    &lcs::LCS,
    &read::MGET,
    &many::MSET,
    &many_expiring::MSETEX,
    &many::MSETNX,
    &set::PSETEX,
    &set::SET,
    &set::SETEX,
    &set::SETNX,
    &edit::SETRANGE,
    &read::STRLEN,
    &read::SUBSTR,
];
