//! Hashes: fields with values under one key, and times at which single fields expire.
//!
//! | file | commands |
//! |---|---|
//! | `read.rs` | HGET, HMGET, HEXISTS, HLEN, HSTRLEN |
//! | `all.rs` | HGETALL, HKEYS, HVALS |
//! | `write.rs` | HSET, HMSET, HSETNX, HDEL |
//! | `count.rs` | HINCRBY, HINCRBYFLOAT |
//! | `random.rs` | HRANDFIELD |
//! | `scan.rs` | HSCAN |
//! | `expire.rs` | HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT |
//! | `persist.rs` | HPERSIST |
//! | `ttl.rs` | HTTL, HPTTL, HEXPIRETIME, HPEXPIRETIME |
//! | `fetch.rs` | HGETDEL, HGETEX: reading and changing fields in one |
//! | `set_expiring.rs` | HSETEX |
//! | `fields.rs` | the `FIELDS` clause of all these, and the reading of their times |
//!
//! A missing key reads as a hash without fields, and a hash without fields is a missing key: the last field takes it along.
//! How the bytes lie (`listpack`, `listpackex`, `hashtable`) is decided by the storage, from the configuration: see
//! [`storage::types::hash`]. In a table every command on one field is O(1), in a listpack it is linear in the few fields.
//!
//! # Fields that expire
//!
//! A field is gone from the millisecond after its time on: readers do not see it, and writers remove it before they do
//! anything else, so to set it is to add it. HLEN alone counts it until it is removed, as in Redis. What nobody touches is
//! removed by the core's housekeeping. For that the database *watches* hashes with such fields
//! ([`storage::Database::watch_fields`]); a command that lets a field expire sooner than all others of its hash says so
//! ([`fields::edit`]).
//!
//! HSET and HGETDEL take the expiry of a field away; HINCRBY and its kin keep it. A time in the past removes the field.

#![allow(clippy::unnecessary_wraps, reason = "handlers have one type, and many of them cannot fail")]

mod all;
mod count;
mod expire;
mod fetch;
mod fields;
mod persist;
mod random;
mod read;
mod scan;
mod set_expiring;
#[cfg(test)]
mod tests;
mod ttl;
mod write;

use crate::spec::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &all::HGETALL,
    &all::HKEYS,
    &all::HVALS,
    &count::HINCRBY,
    &count::HINCRBYFLOAT,
    &expire::HEXPIRE,
    &expire::HEXPIREAT,
    &expire::HPEXPIRE,
    &expire::HPEXPIREAT,
    &fetch::HGETDEL,
    &fetch::HGETEX,
    &persist::HPERSIST,
    &random::HRANDFIELD,
    &read::HEXISTS,
    &read::HGET,
    &read::HLEN,
    &read::HMGET,
    &read::HSTRLEN,
    &scan::HSCAN,
    &set_expiring::HSETEX,
    &ttl::HEXPIRETIME,
    &ttl::HPEXPIRETIME,
    &ttl::HPTTL,
    &ttl::HTTL,
    &write::HDEL,
    &write::HMSET,
    &write::HSET,
    &write::HSETNX,
];
