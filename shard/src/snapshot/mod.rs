//! Snapshots: RDB files written while the server works, and loaded when it starts.
//!
//! # Writing
//!
//! There is no fork. A snapshot begins with its *cut*: a message that is pushed to all shards at one point, and stands
//! there for the whole shard in the order of commands. Every command is thus before the cut on all shards or behind it on
//! all, and so is every part of a transaction. From there each shard saves its keys in the background, what is about to
//! change first (see `storage::keyspace`), and hands blocks of whole entries to one thread that writes the file.
//!
//! ```text
//!   core that begins it        every shard                            the writer's thread
//!   ┌───────────────┐  push   ┌─────┐  walk, a slice a tick  ┌─────────────────────────────────────────────┐
//!   │ [`Hub::begin`]├────────►│ cut ├──── blocks ───────────►│ temp-PID.rdb ─► fsync ─► rename ─► fsync dir │
//!   └───────────────┘         └─────┘◄── room, or wait ──────└──────────────────────┬──────────────────────┘
//!           ▲                    ▲                                                  │ outcome, all cores woken
//!           └── reply ───────────┴── locks released ────────────────────────────────┘
//! ```
//!
//! A thread of its own writes because a buffered write through a ring costs a kernel thread anyway, and more: see the
//! design. It sleeps in the system while the cores go on. Blocks that it has no time for yet are bounded: above
//! [`QUEUE_BYTES_MAX`] the walks wait. What is saved ahead of changes cannot wait, so those who change wait: above
//! `snapshot-buffer-limit` commands that write are held where they were received, until half of that is left.
//!
//! A large value is handed in in pieces, which stand together in the file: while the writer is at one, it takes nothing else.
//! Commands that write to a large collection wait for it to be saved; what else is about to change it saves the rest at once.
//! A long string may change meanwhile: what it was is kept, up to `snapshot-buffer-limit` of those that are gone. Only what
//! takes it elsewhere waits.
//!
//! The old file stays until the new one is whole and on disk. A snapshot that fails removes its temporary file, and says so in
//! the log, in INFO, and to whoever waits.
//!
//! | who asks | kind | then |
//! |---|---|---|
//! | BGSAVE, save points | cut | |
//! | SAVE | cut | the client is answered when the file is there; others are not held up |
//! | SHUTDOWN, signals | cut, and the shards stay locked: nothing is acknowledged that is not in the file | the server ends |
//! | DEBUG RELOAD | the same | the shards are emptied and the file is loaded |
//!
//! # Loading
//!
//! Every core reads the file and makes the values of its own keys; the rest it skips over ([`load`], `loader.rs`). Meanwhile clients are
//! answered `-LOADING`.

mod hub;
mod job;
mod load;
mod loader;
mod writer;

pub use hub::{Hub, LastSave, Order};
pub use job::{Job, Kind, Waiter};
pub use load::{Conflict, Loader, Loading, SnapshotFile, Stage, Task};
pub use loader::SnapshotLoader;
pub use writer::run as run_writer;
#[cfg(feature = "simulation")]
pub use writer::write_waiting;

/// A block of entries goes to the writer when it has so many bytes.
pub const BLOCK_BYTES: usize = 256 << 10;

/// While more than this waits to be written, in bytes, the walks wait, until half of it is left.
pub const QUEUE_BYTES_MAX: usize = 8 << 20;

/// Buffers of blocks that were written are kept for so many blocks to come.
const SPARE_BUFFERS_MAX: usize = 16;

/// The name of the file that a snapshot is written to before it has its own.
pub fn temporary_name() -> String {
    format!("temp-{}.rdb", std::process::id())
}

const _: () = assert!(BLOCK_BYTES * 8 <= QUEUE_BYTES_MAX, "a few shards can hand in blocks at once");
