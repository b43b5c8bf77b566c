//! Lists: sequences of elements, pushed and popped at both ends.
//!
//! | file | commands |
//! |---|---|
//! | `push.rs` | LPUSH, RPUSH, LPUSHX, RPUSHX |
//! | `pop.rs` | LPOP, RPOP, LMPOP |
//! | `read.rs` | LLEN, LINDEX, LRANGE, LPOS |
//! | `edit.rs` | LSET, LINSERT, LREM, LTRIM |
//! | `moving.rs` | LMOVE, RPOPLPUSH |
//! | `blocking.rs` | BLPOP, BRPOP, BLMPOP, BLMOVE, BRPOPLPUSH |
//! | `arguments.rs` | what several of them read from their arguments |
//!
//! # What all have in common
//!
//! - A list that is not there reads as an empty one. One that becomes empty is removed with its key, and then there is an
//!   event `del` behind that of the command.
//! - LEFT is the head, index 0; RIGHT is the tail, index -1.
//! - A command that pops several keeps the order in which single pops would give them.
//!
//! # Encodings
//!
//! A list is a `listpack` in the key's own block up to `list-max-listpack-size`, and a `quicklist` beyond, see
//! [`storage::types::list`]. Pushing and popping at an end moves at most one listpack, whatever the length; what goes
//! by index passes over nodes, not elements; LREM, LPOS and LINSERT look at elements one by one.
//!
//! # Waiting
//!
//! A blocking command looks for something to take like its sister that does not block. If there is nothing it waits for
//! its keys, and is run again when something happens at one of them ([`crate::wait`]): the handler is the same code both
//! times. While it waits, a key that comes to hold another type is like one that is not there.
//!
//! # Over several shards
//!
//! LMPOP, LMOVE and their blocking forms have their keys brought together ([`crate::exec::borrow`]).

mod arguments;
mod blocking;
mod edit;
mod moving;
mod pop;
mod push;
mod read;
#[cfg(test)]
mod tests;

use crate::spec::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &blocking::BLMOVE,
    &blocking::BLMPOP,
    &blocking::BLPOP,
    &blocking::BRPOP,
    &blocking::BRPOPLPUSH,
    &read::LINDEX,
    &edit::LINSERT,
    &read::LLEN,
    &moving::LMOVE,
    &pop::LMPOP,
    &pop::LPOP,
    &read::LPOS,
    &push::LPUSH,
    &push::LPUSHX,
    &read::LRANGE,
    &edit::LREM,
    &edit::LSET,
    &edit::LTRIM,
    &pop::RPOP,
    &moving::RPOPLPUSH,
    &push::RPUSH,
    &push::RPUSHX,
];
