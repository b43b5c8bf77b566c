//! One snapshot under way: what all who work on it share.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};

use net::ConnId;
use storage::UnixMillis;
use storage::snapshot::file::{Block, KeptAccess, Part, RecordOptions};

use super::load::Loading;
use super::{BLOCK_BYTES, QUEUE_BYTES_MAX, SPARE_BUFFERS_MAX};
use crate::config::Config;
use crate::ids::ShardId;
use crate::script::functions::Libraries;

/// Who asked for a snapshot, which decides what is done behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// BGSAVE and save points: nobody waits.
    Background,
    /// SAVE, for which a client waits, and FLUSHALL: what is asked for meanwhile comes behind it.
    Foreground,
    /// The server ends, `force`d though it cannot save.
    Shutdown {
        /// Whether it ends if the snapshot fails.
        force: bool,
        /// A signal asked for it: there is no client to tell.
        by_signal: bool,
    },
    /// DEBUG RELOAD.
    Reload {
        /// Save first; else load what is there.
        save: bool,
        /// Empty the databases before.
        flush: bool,
        /// Keys of the file replace those that are there.
        merge: bool,
    },
    /// DEBUG LOADAOF.
    LoadLog,
    /// The base of the append-only files (BGREWRITEAOF).
    Rewrite,
}

impl Kind {
    /// Whether the shards stay locked from the cut to the end.
    pub const fn holds(self) -> bool {
        matches!(self, Self::Shutdown { .. } | Self::Reload { .. } | Self::LoadLog)
    }

    /// Whether it is made behind a client's back.
    pub const fn is_background(self) -> bool {
        matches!(self, Self::Background | Self::Rewrite)
    }

    /// Whether the append-only files behind it are new ones.
    pub const fn begins_log(self) -> bool {
        matches!(self, Self::Rewrite)
    }

    /// Whether its cut ends an epoch of the append-only files, if there are any.
    pub const fn ends_epoch(self) -> bool {
        matches!(self, Self::Rewrite | Self::LoadLog | Self::Shutdown { .. })
    }

    /// Whether a file is written.
    pub const fn saves(self) -> bool {
        !matches!(self, Self::Reload { save: false, .. } | Self::LoadLog)
    }
}

/// The reply that a client waits for.
#[derive(Clone, Copy, Debug)]
pub struct Waiter {
    /// Its connection at the core that began the snapshot.
    pub conn: ConnId,
    /// The place of the reply.
    pub seq: u32,
    /// It is told of a failure; else it hears that all is well when the snapshot has ended, however that was.
    pub hears_failure: bool,
}

/// Where pieces come from: a shard, and a database of its.
type Source = (ShardId, u32);

/// Of the value that the writer is at, so many blocks are always welcome, however much else waits.
const WELCOME_PIECES: usize = 4;

/// What cores have handed in and the writer has not taken.
#[derive(Debug, Default)]
struct Queue {
    blocks: VecDeque<Block>,
    /// Blocks of values that are written in pieces, one such value at a time of each source.
    pieces: BTreeMap<Source, VecDeque<Block>>,
    /// Whose value the writer is at: nothing else may come in between.
    open: Option<Source>,
    /// Buffers for more of them.
    spare: Vec<Vec<u8>>,
    shards_done: usize,
}

impl Queue {
    /// What comes next in the file, if it is here.
    fn pop(&mut self) -> Option<Block> {
        if self.open.is_none()
            && let Some(block) = self.blocks.pop_front()
        {
            return Some(block);
        }
        let source = self.open.or_else(|| self.pieces.keys().next().copied())?;
        let pieces = self.pieces.get_mut(&source)?;
        let block = pieces.pop_front()?;
        if pieces.is_empty() {
            self.pieces.remove(&source);
        }
        self.open = (block.part == Part::Piece).then_some(source);
        Some(block)
    }
}

/// What the writer gets.
#[derive(Debug)]
pub(super) enum Next {
    /// Write this.
    Block(Block),
    /// The rest of a value is missing, and its shard may be waiting, too.
    Starved,
    /// All shards have handed in everything.
    Complete,
    /// There is nothing to be written any more.
    Abandoned,
}

/// A snapshot.
#[derive(Debug)]
pub struct Job {
    /// Who asked for it.
    pub kind: Kind,
    /// When it was asked for.
    pub began: UnixMillis,
    /// Who waits for it at the core that began it.
    pub waiter: Option<(ShardId, Waiter)>,
    /// The directory and the name of the file, as they were then.
    pub(super) directory: PathBuf,
    pub(super) name: String,
    pub(super) check_sum: bool,
    pub(super) incremental_sync: bool,
    /// It is written as commands, not as an RDB file.
    pub(super) is_commands: bool,
    /// Its first line tells the time.
    pub(super) tells_time: bool,
    options: RecordOptions,
    shards: usize,
    queue: Mutex<Queue>,
    handed_in: Condvar,
    queued_bytes: AtomicUsize,
    /// While so many bytes wait to be written, the walks wait, ...
    walk_bytes_max: usize,
    /// ... and with so many, if there is a limit, commands that write.
    write_bytes_max: Option<usize>,
    /// Whether they do; changed under the queue's lock, so that nobody is held whom the writer does not know of.
    holds_writes: Arc<AtomicBool>,
    abandoned: AtomicBool,
    cancelled: AtomicBool,
    /// Keys at the cut, and those that were saved.
    pub keys_total: AtomicU64,
    /// Keys that were handed in.
    pub keys_done: AtomicU64,
    /// Bytes that were saved ahead of changes.
    pub ahead_bytes: AtomicU64,
    /// Changes that are in the snapshot.
    pub(super) changes: AtomicU64,
    /// The libraries of functions at the cut.
    pub libraries: OnceLock<Arc<Libraries>>,
    /// The barrier at which it was cut, if that ended an epoch of the append-only files.
    pub barrier: AtomicU64,
    outcome: OnceLock<Result<(), String>>,
    /// The file that is loaded behind it ([`Kind::Reload`]); none if that cannot be.
    pub reload: OnceLock<Option<Arc<Loading>>>,
}

impl Job {
    pub(super) fn new(
        kind: Kind,
        waiter: Option<(ShardId, Waiter)>,
        config: &Config,
        target: (PathBuf, String),
        now: UnixMillis,
        (shards, holds_writes): (usize, Arc<AtomicBool>),
    ) -> Job {
        let limit = usize::try_from(config.snapshot_buffer_limit).unwrap_or(usize::MAX);
        let limit = Some(limit).filter(|&bytes| bytes > 0).map(|bytes| bytes.max(shards * 2 * BLOCK_BYTES));
        let policy = config.maxmemory_policy;
        let access = if policy.is_lfu() {
            KeptAccess::Frequency(storage::keyspace::LfuSettings {
                log_factor: config.lfu_log_factor,
                decay_minutes: config.lfu_decay_time,
            })
        } else if policy.is_lru() {
            KeptAccess::Idle
        } else {
            KeptAccess::None
        };
        Job {
            kind,
            began: now,
            waiter,
            directory: target.0,
            name: target.1,
            check_sum: config.rdbchecksum,
            incremental_sync: if kind == Kind::Rewrite {
                config.aof_rewrite_incremental_fsync
            } else {
                config.rdb_save_incremental_fsync
            },
            is_commands: kind == Kind::Rewrite && !config.aof_use_rdb_preamble,
            tells_time: config.aof_timestamp_enabled,
            options: RecordOptions { compression: config.rdbcompression, access, now },
            shards,
            queue: Mutex::default(),
            handed_in: Condvar::new(),
            queued_bytes: AtomicUsize::new(0),
            walk_bytes_max: limit.map_or(QUEUE_BYTES_MAX, |bytes| QUEUE_BYTES_MAX.min(bytes / 2)),
            write_bytes_max: limit,
            holds_writes,
            abandoned: AtomicBool::new(false),
            cancelled: AtomicBool::new(false),
            keys_total: AtomicU64::new(0),
            keys_done: AtomicU64::new(0),
            ahead_bytes: AtomicU64::new(0),
            changes: AtomicU64::new(0),
            libraries: OnceLock::new(),
            barrier: AtomicU64::new(0),
            outcome: OnceLock::new(),
            reload: OnceLock::new(),
        }
    }

    /// Where the file will be.
    pub fn path(&self) -> PathBuf {
        self.directory.join(&self.name)
    }

    /// How entries are written.
    pub fn options(&self) -> RecordOptions {
        self.options
    }

    /// A shard has made its cut: so many keys, and so many changes before it.
    pub fn cut(&self, keys: u64, changes: u64) {
        self.keys_total.fetch_add(keys, Ordering::Relaxed);
        self.changes.fetch_add(changes, Ordering::Relaxed);
    }

    /// A shard hands in a block; the buffer for its next one.
    pub fn hand_in(&self, from: ShardId, block: Block) -> Vec<u8> {
        self.keys_done.fetch_add(block.keys, Ordering::Relaxed);
        let mut queue = self.lock();
        if self.is_abandoned() {
            return Vec::new();
        }
        let bytes = block.bytes.len();
        let queued = self.queued_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.write_bytes_max.is_some_and(|max| queued >= max) {
            self.holds_writes.store(true, Ordering::Relaxed);
        }
        match block.part {
            Part::Entries => queue.blocks.push_back(block),
            Part::Piece | Part::LastPiece => queue.pieces.entry((from, block.db)).or_default().push_back(block),
        }
        let spare = queue.spare.pop();
        drop(queue);
        self.handed_in.notify_one();
        spare.unwrap_or_default()
    }

    /// A shard has handed in everything.
    pub fn shard_done(&self) {
        self.lock().shards_done += 1;
        self.handed_in.notify_one();
    }

    /// Whether every shard has.
    pub fn all_done(&self) -> bool {
        self.lock().shards_done == self.shards
    }

    /// Whether the walks are to wait for the writer.
    pub fn is_full(&self) -> bool {
        self.queued_bytes.load(Ordering::Relaxed) >= self.walk_bytes_max && !self.is_abandoned()
    }

    /// Whether the writer is at a value of that shard and database, and may soon have nothing more of it.
    pub fn awaits_piece(&self, shard: ShardId, db: u32) -> bool {
        let queue = self.lock();
        let waiting = queue.pieces.get(&(shard, db)).map_or(0, VecDeque::len);
        queue.open == Some((shard, db)) && waiting < WELCOME_PIECES
    }

    /// Waits for the next block. Who is not `patient` is told when it is for the rest of a value.
    pub(super) fn next(&self, patient: bool) -> Next {
        let mut queue = self.lock();
        loop {
            if self.is_abandoned() {
                *queue = Queue { shards_done: queue.shards_done, ..Queue::default() };
                return Next::Abandoned;
            }
            if let Some(block) = queue.pop() {
                return Next::Block(block);
            }
            if queue.open.is_some() && !patient {
                return Next::Starved;
            }
            if queue.shards_done == self.shards {
                return Next::Complete;
            }
            queue = self.handed_in.wait(queue).expect("no one panics while handing in a block");
        }
    }

    /// A block is written; whether those who waited, may go on.
    pub(super) fn written(&self, block: Block) -> bool {
        let mut buffer = block.bytes;
        let bytes = buffer.len();
        let mut queue = self.lock();
        let before = self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
        let after = before - bytes;
        if buffer.capacity() <= 2 * BLOCK_BYTES && queue.spare.len() < SPARE_BUFFERS_MAX {
            buffer.clear();
            queue.spare.push(buffer);
        }
        let writers_go_on =
            self.write_bytes_max.is_some_and(|max| after < max / 2) && self.holds_writes.swap(false, Ordering::Relaxed);
        let low = self.walk_bytes_max / 2;
        writers_go_on || (before >= low && after < low)
    }

    /// Nothing more is to be written: it failed.
    pub fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
        // Under the lock, or a writer that was about to wait would not hear of it.
        let _queue = self.lock();
        self.holds_writes.store(false, Ordering::Relaxed);
        self.handed_in.notify_one();
    }

    /// Whether it failed, or was cancelled.
    pub fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }

    /// Nobody wants it any more, which is no failure.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        self.abandon();
    }

    /// Whether it was cancelled.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    pub(super) fn end(&self, outcome: Result<(), String>) {
        self.outcome.set(outcome).expect("a snapshot ends once");
    }

    /// How it ended, once the file is on disk or will never be.
    pub fn outcome(&self) -> Option<&Result<(), String>> {
        self.outcome.get()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().expect("no one panics while handing in a block")
    }
}
