//! Loading append-only files: Redis's and our own, by running their commands.
//!
//! ```text
//!   manifest            stages, each done by all cores before the next begins
//!   base.rdb       ─►   each core makes the values of its own keys                        (as an RDB file is loaded)
//!   base.aof       ─►   one core runs the commands
//!   1.incr.aof     ─►   one core runs the commands, of all keys, in their order
//!   generation     ─►   log 0 by core 0, log 1 by core 1, … at once: each tells of keys that the others do not
//! ```
//!
//! A core runs the commands of a log as those of a client that has no socket ([`crate::core`], `replaying.rs`): they are
//! checked, routed to the shards of their keys and run like any others. So a log means what its commands mean, on any number
//! of shards, whoever wrote it and whatever they are. Commands of the same keys are of the same log, or of logs that are
//! read one after the other; so all of them take effect in the order in which they stand there. Those of a transaction run one
//! by one when its end was read: nobody looks on, and EXEC over several shards would hold up the whole log at each.
//!
//! While it lasts nothing is past: a command that was given while a key was there must find it, though its time be over by
//! now. What has expired goes when all is loaded.

mod directory;
mod reader;

pub use directory::{LogStart, Opened, open};
pub use reader::{LogFile, LogReader, Next};
