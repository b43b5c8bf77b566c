//! The journal: what commands did to the keys of a shard, in order, as commands that do it again.
//!
//! A record is a command with keys of this shard alone, and with the same outcome whenever it runs: chance, the clock and
//! the other shards have had their say. It feeds the append-only file. When nobody reads it, nothing is recorded, and all
//! that it costs is one branch a command.
//!
//! | the command | its record |
//! |---|---|
//! | changed nothing | none |
//! | says by itself what becomes of the keys of one shard | itself, from the arguments as they were received |
//! | draws lots, counts time, waits, or picks one key of several | what its handler tells ([`Ctx::effect`](crate::exec::Ctx::effect)): SPOP as SREM, EXPIRE as PEXPIREAT, BLPOP as LPOP |
//! | takes one part of it to each shard (MSET, DEL) | on each shard, its part |
//! | has keys on several shards | on the shard of each key that changed, what is there now: DEL and the commands that make it |
//! | found a key whose time was past | DEL of that key, before its own |
//! | is for all keys of all shards (FLUSHALL, SWAPDB) | a stretch of its own, see [`Stretch`] |
//!
//! What one command, transaction or script did is a *unit*. If that is more than one record, they stand between MULTI and
//! EXEC. The database is selected when it changes:
//!
//! ```text
//! *2 SELECT 0 │ *3 SET a 1 │ *1 MULTI │ *3 SREM s x │ *2 DEL k │ *1 EXEC │ *2 SELECT 3 │ *2 INCR n
//!               └─ unit ─┘   └──────────────── unit ─────────────────┘
//! ```
//!
//! Keys that are away from their shard ([`crate::exec::away`]) are changed where other shards' keys are, too: what is
//! recorded there is kept with the shard that it is for, and joins that shard's journal when the keys return. Until then
//! they are claimed, so the order of records is that of the changes of each key.
//!
//! | file | what it holds |
//! |---|---|
//! | `book.rs` | the journal of a shard: units, databases, stretches |
//! | `effects.rs` | how handlers and the core tell what happened |
//! | `content.rs` | values as the commands that make them |
//! | `record.rs` | the form of a record |

mod book;
mod content;
mod effects;
mod record;
#[cfg(test)]
mod tests;

pub use book::{Away, BYTES_KEPT, HeldUnit, Journal, Stretch};
pub use content::put_content;
pub use record::{Word, put_args, put_words};
