//! Inboxes: one FIFO per shard behind a lock held for nanoseconds, and beside it two queues for answers.
//!
//! A push locks the inboxes of all its batches in shard order, so that no other push can stand between two of its parts,
//! reads the clock while it holds them, links the batches, and unlocks. The owner swaps the whole queue out. Whether an
//! owner is asleep stands under the same lock, so a wake-up cannot be lost and no fence is needed.
//!
//! A lock that cannot be had within [`LOCK_SPINS`] (about two microseconds) puts the whole push off to the next tick:
//! its holder may have lost the processor.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use net::size::allocated;
use net::{ConnId, OwnedArgs};
use storage::UnixMillis;
use storage::log::Members;

use super::batch::{Batch, Message, Spare};
use super::rules::{Rule, Rules};
use crate::aof::Barrier;
use crate::core::{Asked, Waits};
use crate::exec::Share;
use crate::exec::hop::{HopOp, HopValue};
use crate::ids::ShardId;
use crate::spec::CommandId;
use crate::tracking::Notice;
use crate::txn::Watch;

/// How often a taken lock is tried again before the push is put off; each try is some 20 ns.
const LOCK_SPINS: u32 = 100;

/// A plan at its coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlanId {
    /// The coordinator.
    pub home: ShardId,
    /// Its number there, never reused.
    pub number: u64,
}

/// Something that ends a core's sleep.
pub trait Wake: Send + Sync {
    /// Wakes the core if it sleeps, or makes its next sleep end at once.
    fn wake(&self);
}

/// Where a reply belongs.
#[derive(Clone, Copy, Debug)]
pub struct ReplyHead {
    /// The connection at its home core.
    pub conn: ConnId,
    /// Which of its replies.
    pub seq: u32,
    /// Which part of it.
    pub part: u16,
    /// Length in bytes, taken from the batch's bytes in order.
    pub len: usize,
}

/// How long one part of a command ran, for the client's core, which counts the command as one.
#[derive(Clone, Copy, Debug)]
pub struct PartTime {
    /// The connection at its home core.
    pub conn: ConnId,
    /// Which of its replies.
    pub seq: u32,
    /// Microseconds.
    pub micros: u64,
}

/// How many clients of one core have received what was published.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// The publisher's connection at its home core.
    pub conn: ConnId,
    /// Which of its replies.
    pub seq: u32,
    /// The clients.
    pub clients: usize,
    /// How long it took to send it to them, in microseconds.
    pub micros: u64,
}

/// A command that took long, on its way to the client's core, which knows the client's name and address.
#[derive(Debug)]
pub struct SlowCommand {
    /// The client's connection.
    pub conn: ConnId,
    /// The command.
    pub command: CommandId,
    /// Its arguments.
    pub args: OwnedArgs,
    /// When it ran.
    pub at: UnixMillis,
    /// How long, in microseconds.
    pub micros: u64,
}

/// A batch of answers keeps room for so many replies for its next use.
const HEADS_KEPT: usize = 4096;

/// And so many bytes of them.
const BYTES_KEPT: usize = 256 * 1024;

/// And for so many notices: what evicted keys had clients told is not to stay in their place.
const TOLD_KEPT: usize = 64;

/// Before the bytes of what is shared stand its two counts of owners.
const COUNTS_BYTES: usize = 2 * size_of::<usize>();

/// Answers of one shard to one home core.
#[derive(Default)]
pub struct ReplyBatch {
    /// Whose replies, in order.
    pub heads: Vec<ReplyHead>,
    /// The replies, one behind the other.
    pub bytes: Vec<u8>,
    /// Shares of `Everywhere` commands.
    pub shares: Vec<(ReplyHead, Share)>,
    /// The times of those that are parts.
    pub times: Vec<PartTime>,
    /// Commands for the slow log.
    pub slow: Vec<SlowCommand>,
    /// What clients are told of changed keys, each behind so many of the replies.
    pub told: Vec<(usize, ConnId, Notice)>,
    /// Commands as monitoring clients see them, a line each.
    pub monitored: Vec<u8>,
    /// Counts of receivers.
    pub received: Vec<Received>,
}

impl ReplyBatch {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        let Self { heads, shares, slow, told, monitored, received, .. } = self;
        let answers = heads.is_empty() && shares.is_empty() && received.is_empty();
        answers && slow.is_empty() && told.is_empty() && monitored.is_empty()
    }

    /// Bytes of what only passes by: notices, and the replies' room if it is more than a batch keeps. They stay the same
    /// from the hand-over until the batch is delivered.
    pub fn passing_bytes(&self) -> usize {
        let replies = Some(self.bytes.capacity()).filter(|&bytes| bytes > BYTES_KEPT).map_or(0, allocated);
        if self.told.is_empty() {
            return replies;
        }
        let room = allocated(self.told.capacity() * size_of::<(usize, ConnId, Notice)>());
        // What several clients are told of one key is there once, and stands together.
        let keys = |at: usize| self.told[at].2.keys();
        let is_new =
            |&at: &usize| at == 0 || !keys(at).zip(keys(at - 1)).is_some_and(|(one, other)| Arc::ptr_eq(one, other));
        let names =
            (0..self.told.len()).filter(is_new).filter_map(keys).map(|keys| allocated(COUNTS_BYTES + keys.len()));
        replies + room + names.sum::<usize>()
    }

    /// Empties it for the next use.
    pub fn reset(&mut self) {
        self.heads.clear();
        self.shares.clear();
        self.times.clear();
        self.slow.clear();
        self.told.clear();
        self.monitored.clear();
        self.received.clear();
        self.bytes.clear();
        self.told.shrink_to(TOLD_KEPT);
        self.monitored.shrink_to(BYTES_KEPT);
        self.heads.shrink_to(HEADS_KEPT);
        self.bytes.shrink_to(BYTES_KEPT);
    }
}

/// What coordinators and parts of plans tell each other. These are looked at between commands.
pub enum HopMessage {
    /// A part was granted (and ran its first operation, if it had one), or an operation ran.
    Value {
        /// The plan.
        plan: PlanId,
        /// Which of the step's operations; none for a bare grant.
        index: Option<usize>,
        /// What it gave.
        value: HopValue,
        /// How long it ran, in microseconds.
        micros: u64,
    },
    /// Run this operation under the plan's locks.
    Go {
        /// The plan.
        plan: PlanId,
        /// Which of the step's operations.
        index: usize,
        /// The operation.
        op: HopOp,
        /// Release the plan's locks behind it.
        release: bool,
    },
    /// Release the plan's locks.
    Release {
        /// The plan.
        plan: PlanId,
    },
    /// Give your share of a command that a plan asks of every core.
    Share {
        /// The plan.
        plan: PlanId,
        /// Which of the step's operations.
        index: usize,
        /// The command.
        asked: Arc<Asked>,
    },
    /// A client watches no longer.
    Unwatch(Arc<Watch>),
    /// A client of that core waits on this shard.
    Waits(Box<Waits>),
    /// Something happened at a key for which a client of that core waits, on several shards: its command is to run again.
    TryAgain {
        /// The client's connection.
        conn: ConnId,
        /// Which of its replies.
        seq: u32,
    },
    /// The command of a client of that core found nothing once more, and may find something at that time.
    LookLater {
        /// The client's connection.
        conn: ConnId,
        /// Which of its replies.
        seq: u32,
        /// When.
        at: UnixMillis,
    },
    /// It is that time.
    LookAgain {
        /// The client's core.
        home: ShardId,
        /// The client's connection.
        conn: ConnId,
        /// Which of its replies.
        seq: u32,
        /// The time there.
        now: UnixMillis,
    },
    /// A client of that core waits no longer, or has tried again in vain.
    Unwait {
        /// The client's core.
        home: ShardId,
        /// The client's connection.
        conn: ConnId,
        /// Which of its replies.
        seq: u32,
        /// It waits no longer.
        is_over: bool,
    },
}

#[derive(Default)]
struct Queues {
    batches: Vec<Batch>,
    parked: bool,
    /// The owner is asleep and has nothing that an epoch of the log could want.
    idle: bool,
    /// The last barrier that passed it by meanwhile.
    barrier: u64,
}

#[derive(Default)]
struct Answers {
    replies: Vec<ReplyBatch>,
    hops: Vec<HopMessage>,
    parked: bool,
}

/// One core's inbox and answers, on cache lines of their own.
#[repr(align(128))]
struct Station {
    inbox: Mutex<Queues>,
    has_batches: AtomicBool,
    answers: Mutex<Answers>,
    has_replies: AtomicBool,
    has_hops: AtomicBool,
    waker: Arc<dyn Wake>,
}

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// All batches are linked.
    Done,
    /// A lock was not to be had: nothing was linked.
    PutOff,
    /// What was routed does not hold any more: nothing was linked.
    Outdated,
    /// A broken rule: some batches are linked, the others are not yet.
    #[cfg(feature = "simulation")]
    Partly,
}

/// What a core took out of its queues at the beginning of a tick.
#[derive(Default)]
pub struct Taken {
    /// Answers to commands of its connections.
    pub replies: Vec<ReplyBatch>,
    /// Its inbox up to the tail.
    pub batches: Vec<Batch>,
}

/// All cores' inboxes.
pub struct Mesh {
    stations: Box<[Station]>,
    rules: Rules,
    /// One bit a shard: its lock is not to be had, as if its holder had lost the processor.
    #[cfg(feature = "simulation")]
    withheld: std::sync::atomic::AtomicU64,
}

impl Mesh {
    /// A mesh of one core per waker.
    pub fn new(wakers: Vec<Arc<dyn Wake>>, rules: Rules) -> Mesh {
        let station = |waker| Station {
            inbox: Mutex::default(),
            has_batches: AtomicBool::new(false),
            answers: Mutex::default(),
            has_replies: AtomicBool::new(false),
            has_hops: AtomicBool::new(false),
            waker,
        };
        Mesh {
            stations: wakers.into_iter().map(station).collect(),
            rules,
            #[cfg(feature = "simulation")]
            withheld: std::sync::atomic::AtomicU64::new(0),
        }
    }

    /// Lets no push have the locks of these shards, one bit each, until it is called again.
    #[cfg(feature = "simulation")]
    pub fn withhold_locks(&self, shards: u64) {
        self.withheld.store(shards, Ordering::Relaxed);
    }

    /// The lock of a shard's inbox, unless it is not to be had soon.
    fn lock_inbox(&self, shard: usize) -> Option<MutexGuard<'_, Queues>> {
        #[cfg(feature = "simulation")]
        if shard < 64 && self.withheld.load(Ordering::Relaxed) & (1 << shard) != 0 {
            return None;
        }
        lock_soon(&self.stations[shard].inbox)
    }

    /// Number of cores.
    pub fn len(&self) -> usize {
        self.stations.len()
    }

    /// Whether there is no core.
    pub fn is_empty(&self) -> bool {
        self.stations.is_empty()
    }

    /// The rules in force.
    pub fn rules(&self) -> Rules {
        self.rules
    }

    /// Links every batch of `batches` that is not empty to its shard's inbox, all at one instant, with the time that
    /// `clock` tells at that instant. The linked batches are replaced by ones from `spare`.
    pub fn push(&self, batches: &mut [Batch], spare: &mut Spare, clock: impl FnOnce() -> UnixMillis) -> Pushed {
        self.push_if(batches, spare, || true, clock)
    }

    /// As [`Self::push`], if what was routed still holds: `is_current` is asked when all locks are had.
    pub fn push_if(
        &self,
        batches: &mut [Batch],
        spare: &mut Spare,
        is_current: impl FnOnce() -> bool,
        clock: impl FnOnce() -> UnixMillis,
    ) -> Pushed {
        let mut locked: Vec<(usize, MutexGuard<'_, Queues>)> = Vec::with_capacity(batches.len());
        for (shard, _) in batches.iter().enumerate().filter(|(_, batch)| !batch.is_empty()) {
            match self.lock_inbox(shard) {
                Some(guard) => locked.push((shard, guard)),
                None => return Pushed::PutOff,
            }
        }
        if !is_current() {
            return Pushed::Outdated;
        }
        let now = clock();
        let mut wake: u128 = 0;
        let mut wake_many = Vec::new();
        for (shard, queues) in &mut locked {
            let mut batch = std::mem::replace(&mut batches[*shard], spare.take());
            batch.now = now;
            queues.batches.push(batch);
            self.stations[*shard].has_batches.store(true, Ordering::Release);
            queues.idle = false;
            if std::mem::take(&mut queues.parked) {
                if *shard < 128 { wake |= 1 << *shard } else { wake_many.push(*shard) }
            }
        }
        drop(locked);
        while wake != 0 {
            let shard = wake.trailing_zeros() as usize;
            wake &= wake - 1;
            self.stations[shard].waker.wake();
        }
        for shard in wake_many {
            self.stations[shard].waker.wake();
        }
        Pushed::Done
    }

    /// Hands answers to `home`; `replies` is replaced by an empty batch.
    pub fn answer(&self, home: ShardId, replies: ReplyBatch) {
        let station = &self.stations[home.index()];
        let mut answers = lock(&station.answers);
        answers.replies.push(replies);
        station.has_replies.store(true, Ordering::Release);
        Self::unlock_and_wake(station, answers);
    }

    /// Hands answers to all homes that have some, at one instant: whoever acts on one of them finds the others there. They
    /// are replaced by batches from `spare`.
    pub fn answer_together(&self, batches: &mut [ReplyBatch], spare: &mut Vec<ReplyBatch>) {
        let homes = batches.iter().enumerate().filter(|(_, batch)| !batch.is_empty());
        let mut locked: Vec<_> = homes.map(|(home, _)| (home, lock(&self.stations[home].answers))).collect();
        for (home, answers) in &mut locked {
            let batch = std::mem::replace(&mut batches[*home], spare.pop().unwrap_or_default());
            answers.replies.push(batch);
            self.stations[*home].has_replies.store(true, Ordering::Release);
        }
        let parked: Vec<(usize, bool)> =
            locked.iter_mut().map(|(home, answers)| (*home, std::mem::take(&mut answers.parked))).collect();
        drop(locked);
        for (home, _) in parked.into_iter().filter(|(_, parked)| *parked) {
            self.stations[home].waker.wake();
        }
    }

    /// Hands a hop message to `shard`.
    pub fn hop(&self, shard: ShardId, message: HopMessage) {
        let station = &self.stations[shard.index()];
        let mut answers = lock(&station.answers);
        answers.hops.push(message);
        station.has_hops.store(true, Ordering::Release);
        Self::unlock_and_wake(station, answers);
    }

    fn unlock_and_wake(station: &Station, mut answers: MutexGuard<'_, Answers>) {
        let parked = std::mem::take(&mut answers.parked);
        drop(answers);
        if parked {
            station.waker.wake();
        }
    }

    /// Takes out what `shard` has been sent: the answers first, then the inbox up to its tail.
    pub fn take(&self, shard: ShardId, into: &mut Taken) {
        let station = &self.stations[shard.index()];
        // A load that misses a link comes before the unlock of that push: its point lies behind this tail.
        if station.has_replies.load(Ordering::Acquire) {
            let mut answers = lock(&station.answers);
            station.has_replies.store(false, Ordering::Relaxed);
            std::mem::swap(&mut answers.replies, &mut into.replies);
        }
        if station.has_batches.load(Ordering::Acquire) {
            let mut queues = lock(&station.inbox);
            station.has_batches.store(false, Ordering::Relaxed);
            std::mem::swap(&mut queues.batches, &mut into.batches);
        }
    }

    /// Whether hop messages wait for `shard`.
    #[inline]
    pub fn has_hops(&self, shard: ShardId) -> bool {
        self.stations[shard.index()].has_hops.load(Ordering::Acquire)
    }

    /// Takes out the hop messages of `shard`.
    pub fn take_hops(&self, shard: ShardId) -> Vec<HopMessage> {
        let station = &self.stations[shard.index()];
        let mut answers = lock(&station.answers);
        station.has_hops.store(false, Ordering::Relaxed);
        std::mem::take(&mut answers.hops)
    }

    /// Marks `shard` asleep if all its queues are empty; then whoever sends to it wakes it. If it is `idle`, too, barriers
    /// pass it by.
    pub fn park(&self, shard: ShardId, idle: bool) -> bool {
        let station = &self.stations[shard.index()];
        let mut queues = lock(&station.inbox);
        let mut answers = lock(&station.answers);
        let empty = queues.batches.is_empty() && answers.replies.is_empty() && answers.hops.is_empty();
        queues.parked = empty;
        queues.idle = empty && idle;
        answers.parked = empty;
        empty
    }

    /// Whether anything waits for `shard` to take it.
    pub fn has_some(&self, shard: ShardId) -> bool {
        let station = &self.stations[shard.index()];
        if !lock(&station.inbox).batches.is_empty() {
            return true;
        }
        let answers = lock(&station.answers);
        !answers.replies.is_empty() || !answers.hops.is_empty()
    }

    /// Marks `shard` awake; the last barrier that has passed it by.
    pub fn unpark(&self, shard: ShardId) -> u64 {
        let station = &self.stations[shard.index()];
        lock(&station.answers).parked = false;
        let mut queues = lock(&station.inbox);
        queues.parked = false;
        queues.idle = false;
        queues.barrier
    }

    /// Links a barrier to all inboxes at one instant, but for those of shards that are idle, if those may be passed by.
    /// `make` makes it for the shards that have a part in it. The own shard always has one; its barrier is linked only if
    /// other things wait in its inbox, and is otherwise at its point already. None if a lock was not to be had.
    pub fn push_barrier(
        &self,
        from: ShardId,
        everyone: bool,
        clock: impl FnOnce() -> UnixMillis,
        make: impl FnOnce(Members) -> Arc<Barrier>,
    ) -> Option<(Arc<Barrier>, bool)> {
        let mut locked = Vec::with_capacity(self.stations.len());
        for shard in 0..self.stations.len() {
            locked.push(self.lock_inbox(shard)?);
        }
        let has_part = |shard: usize, queues: &Queues| everyone || shard == from.index() || !queues.idle;
        let members = Members::of((0..locked.len()).filter(|&shard| has_part(shard, &locked[shard])));
        let barrier = make(members);
        let now = clock();
        let is_here = locked[from.index()].batches.is_empty();
        let mut wake = Vec::new();
        for (shard, queues) in locked.iter_mut().enumerate() {
            if !barrier.members.contains(shard) {
                queues.barrier = barrier.number;
                continue;
            }
            if shard == from.index() && is_here {
                continue;
            }
            let mut batch = Batch::new(from);
            batch.now = now;
            batch.messages.push(Message::Barrier(Arc::clone(&barrier)));
            queues.batches.push(batch);
            self.stations[shard].has_batches.store(true, Ordering::Release);
            queues.idle = false;
            if std::mem::take(&mut queues.parked) {
                wake.push(shard);
            }
        }
        drop(locked);
        for shard in wake {
            self.stations[shard].waker.wake();
        }
        Some((barrier, is_here))
    }

    /// Wakes `shard` whatever it does.
    pub fn wake(&self, shard: ShardId) {
        self.stations[shard.index()].waker.wake();
    }

    /// Whether `rule` is in force.
    #[inline(always)]
    pub fn holds(&self, rule: Rule) -> bool {
        self.rules.hold(rule)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no one panics while holding a queue: it is only linked and swapped")
}

fn lock_soon<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    for _ in 0..LOCK_SPINS {
        match mutex.try_lock() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::WouldBlock) => std::hint::spin_loop(),
            Err(TryLockError::Poisoned(_)) => {
                panic!("no one panics while holding a queue: it is only linked and swapped")
            }
        }
    }
    None
}
