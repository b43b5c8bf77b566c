//! The append-only files: every change of the data set, in Redis's format, by shards that write side by side.
//!
//! ```text
//!   appendonlydir/
//!     appendonly.aof.manifest       which files, in which order                        [`Manifest`]
//!     appendonly.aof.2.base.rdb     the data set at one point                          (`snapshot::file`)
//!     appendonly.aof.5.incr.aof     what shard 0 did since: groups of records          [`put_group`], [`put_record`]
//!     appendonly.aof.6.incr.aof     what shard 1 did
//!
//!   shard 0   │ epoch 17 │ epoch 18 │          │ epoch 20 …
//!   shard 1   │ epoch 17 │          │ epoch 19 │ epoch 20 …
//!             └── one point in the order of all commands between two epochs
//! ```
//!
//! The shards' logs are one history by *epochs*. Between two epochs there is a point in the order of all commands. Each
//! shard that has something to tell of an epoch writes a group, whose head names all shards that do. An epoch is complete
//! when all their groups are there, and those of all epochs before. Nothing of an epoch leaves the process before it is
//! complete, so whatever is found after a crash can be cut behind the last complete one ([`recover`]): that is a state that
//! was, with everything that anybody was told, and with no part of a transaction alone.
//!
//! Redis reads such a directory, and its own are read here.

mod group;
mod last;
mod manifest;
mod members;
mod record;
mod recover;
mod rewrite;
#[cfg(test)]
mod tests;

pub use group::{GroupHead, Tail, group_head, put_group};
pub use last::last_part;
pub use manifest::{FileKind, Manifest, ManifestError, ManifestFile, Part, Writer, manifest_name};
pub use members::{Members, SHARDS_MAX};
pub use record::{Arguments, Record, RecordError, RecordErrorKind, RecordReader, put_record, put_timestamp};
pub use recover::{LogPlace, RecoverError, Recovered, examine, examine_damaged, recover, unexpected_end};
pub use rewrite::put_commands;
