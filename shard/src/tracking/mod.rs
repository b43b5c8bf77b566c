//! Client-side caching: a client that keeps copies of what it has read is told when they are no longer true.
//!
//! ```text
//!   home core of C            shard that owns k                         home core of W
//!   GET k  ───── inbox ─────► runs, remembers (k, C)
//!          ◄──── replies ──── "v1"
//!                             runs, forgets (k, C)   ◄───── inbox ───── SET k v2
//!          ◄──── replies ──── C: invalidate k  ┐
//!                             W: OK            ┘ linked at one instant ──────► OK
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `mode.rs` | what one client asked for; state of its session |
//! | `registry.rs` | who tracks, and the prefixes of BCAST; shared by all cores, looked at when a key is changed |
//! | `table.rs` | which clients have read which keys of one shard |
//! | `keys.rs` | what the running command has done to the keys of one shard |
//! | `notice.rs` | the messages, and how a client is told |
//!
//! Each shard remembers the reads that ran on it, and nobody else's. Keys are remembered by name, whatever their database,
//! as Redis does. A key that is changed, expires, is evicted or replaced is forgotten, and each client that had read it is
//! told once. While nobody tracks, a write costs one look at a number that nobody writes to.
//!
//! # Order
//!
//! *A client is not told of a change before it has the reply of a read that came before the change.* Else it would drop
//! its copy first and then keep the old value for good. Three rules see to it:
//!
//! 1. A notice travels in the reply queue of the shard that ran the read, behind the replies that shard has given, and is
//!    delivered at its place between them.
//! 2. At the client's home, a notice stands behind every reply that is still outstanding, for one of them may be that of the
//!    read: a command over several shards is answered when its last part is there, and replies leave in the order of their
//!    commands. The one exception is a command that waits (BLPOP): what it has read so far was nothing.
//! 3. The reads of a command over several shards are remembered when its part is granted, under its locks: the value cannot
//!    change before the command is through with it.
//!
//! *Who asks something after the writer has its reply is told first.* Notices are handed over before the reply of the write
//! can leave: all answers of a tick that has notices are linked under the locks of all their queues, at one instant, and
//! what a part of a plan has changed is handed over before the part says that it is done. So when the writer's reply is
//! there, the notice is in the queue of its client's home; whatever that client sends afterwards is collected in a tick
//! that takes the notice out first.
//!
//! FLUSHALL and FLUSHDB are one point for all shards, so each core tells its own clients when its own part runs: a read
//! that came before the flush is outstanding then or answered, and one behind it sees the flush on every shard.

mod keys;
mod mode;
mod notice;
mod registry;
mod table;

pub use keys::{Change, KeyTracking};
pub use mode::{Choice, Mode};
pub use notice::{Broadcast, Invalid, Notice, broken};
pub use registry::{Registry, Target, Tracker};
pub use table::{ReadTable, Readers, Reads};

#[cfg(test)]
mod tests;
