//! Writing the append-only files: epochs, who waits for them, and the files themselves.
//!
//! Every shard keeps a journal ([`crate::journal`]), and writes it to a file of its own. What makes one history of them is
//! the *barrier*: a message pushed to all shards at one point, as every command is. What was pushed before it belongs to
//! the epoch that it ends, on every shard, also what had to wait; what comes behind it belongs to the next.
//!
//! ```text
//!   any core with records            every shard that is not idle                      each core, at the end of a tick
//!   ┌──────────────────────┐  push  ┌─────────┐  group   ┌──────┐  the last one says   ┌────────────────────────────┐
//!   │ no barrier under way ├───────►│ its cut ├─────────►│ file ├─────────────────────►│ output that waited leaves  │
//!   └──────────────────────┘        └─────────┘ the ring └──────┘  "e is complete"     │ the next barrier is pushed │
//!                                                                                      └────────────────────────────┘
//! ```
//!
//! A barrier claims its whole shard for the moment of its cut, so it is behind all that came before it. A shard that is
//! asleep and has nothing to write is *idle*: it only gets the barrier's number noted under the lock of its inbox, and
//! is not woken. One barrier is under way at a time, so what comes meanwhile is written together: with `always`, too, a sync
//! serves everybody who came during the one before.
//!
//! # The gate
//!
//! A shard says in [`Epochs`] which barrier ends the epoch of its last record, before anything that shows the record can
//! leave the shard. Whatever a core would send to clients at the end of a tick is held until the last of these barriers is
//! complete. Without a log nobody says anything, and all this costs a branch a tick.
//!
//! What is published travels faster than what its client has sent before, which may not have run yet where it is to: then
//! nobody has said anything of it. So a message whose client has commands on their way, or that a transaction or script
//! publishes, has whoever hands it out wait for the next barrier: that is behind all of them on every shard. So do keyspace
//! events of a script that has given way, whose records are kept back until it is over.
//!
//! `tests/sim/durability.rs` cuts runs off at any step, and shows for each of these rules what is lost without it.
//!
//! | file | what it holds |
//! |---|---|
//! | `epochs.rs` | the numbers of barriers, and who waits for which |
//! | `barrier.rs` | one barrier |
//! | `hub.rs` | what all cores know of the log; INFO's numbers |
//! | `keeper.rs` | the thread that changes files: new generations, the manifest |
//! | `start.rs` | the files to begin with |
//! | `core/logging/` | the part of a core |

mod barrier;
mod epochs;
mod hub;
mod keeper;
mod start;

pub use barrier::{Barrier, Handed, LogFile};
pub use epochs::Epochs;
pub use hub::{Log, Status};
#[cfg(feature = "simulation")]
pub use keeper::keep_waiting;
pub use keeper::run as run_keeper;
