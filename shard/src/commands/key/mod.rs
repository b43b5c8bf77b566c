//! Keys, whatever they hold, and databases of keys.
//!
//! | file | commands |
//! |---|---|
//! | `look.rs` | EXISTS, TOUCH, TYPE |
//! | `remove.rs` | DEL, UNLINK |
//! | `expire.rs` | EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT, PERSIST |
//! | `ttl.rs` | TTL, PTTL, EXPIRETIME, PEXPIRETIME |
//! | `rename.rs` | RENAME, RENAMENX |
//! | `copy.rs` | COPY |
//! | `moving.rs` | MOVE |
//! | `migrate.rs` | MIGRATE |
//! | `dump.rs` | DUMP, RESTORE |
//! | `object.rs` | OBJECT and its subcommands |
//! | `list.rs` | KEYS, RANDOMKEY |
//! | `scan.rs` | SCAN |
//! | `sort/` | SORT, SORT_RO |
//! | `database.rs` | DBSIZE, FLUSHDB, FLUSHALL, SWAPDB |
//!
//! # Expiry
//!
//! A key expires at a point in time, in milliseconds since 1970. From the next millisecond on it is gone for every
//! command, whether it still takes memory or not; DBSIZE alone counts it until it is removed. A command that sets a
//! time in the past removes the key; SET alone stores it, already expired, as Redis does.
//!
//! # Over several shards
//!
//! DEL, UNLINK, EXISTS and TOUCH are split, each shard doing its keys at one point in time. RENAME and COPY are plans:
//! the entry leaves its shard as a value of its own and goes in at the other. A key has the same shard in every
//! database, so MOVE, and COPY of a key to the same name, stay on one shard. What is about all keys runs on all shards;
//! SCAN goes through one after another.

#![allow(clippy::unnecessary_wraps, reason = "handlers have one type, and many of them cannot fail")]

mod copy;
mod database;
mod dump;
mod expire;
mod list;
mod look;
mod migrate;
mod moving;
mod object;
mod remove;
mod rename;
mod scan;
mod sort;
#[cfg(test)]
mod tests;
mod ttl;

use crate::spec::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &copy::COPY,
    &database::DBSIZE,
    &database::FLUSHALL,
    &database::FLUSHDB,
    &database::SWAPDB,
    &dump::DUMP,
    &dump::RESTORE,
    &expire::EXPIRE,
    &expire::EXPIREAT,
    &expire::PERSIST,
    &expire::PEXPIRE,
    &expire::PEXPIREAT,
    &list::KEYS,
    &list::RANDOMKEY,
    &look::EXISTS,
    &look::TOUCH,
    &look::TYPE,
    &migrate::MIGRATE,
    &moving::MOVE,
    &object::OBJECT,
    &remove::DEL,
    &remove::UNLINK,
    &rename::RENAME,
    &rename::RENAMENX,
    &scan::SCAN,
    &sort::SORT,
    &sort::SORT_RO,
    &ttl::EXPIRETIME,
    &ttl::PEXPIRETIME,
    &ttl::PTTL,
    &ttl::TTL,
];
