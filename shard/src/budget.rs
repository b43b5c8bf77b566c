//! The memory of the process against `maxmemory`: one account that all cores keep.
//!
//! ```text
//!   of each core                                  of the process
//!   bytes     what its thread has allocated       elsewhere  what other threads have allocated
//!   gaps      of that, free room                  waste      resident beyond what is in use
//!   leaving   of that, about to be freed          passing    commands and replies between two cores
//!
//!   in use  = sum(bytes - gaps) + elsewhere                              what INFO calls `used_memory`
//!   counted = sum(bytes - gaps - leaving) + elsewhere + waste - passing  what is compared with `maxmemory`
//! ```
//!
//! The allocator keeps, for each thread, the bytes that it ever allocated and freed; reading the two takes no call. So a
//! core knows at any moment what it holds, in entries, buffers of clients, scripts and all else, and tells it at the end
//! of each tick. A block that another thread frees counts there as a negative number; only the sum means something. The few
//! threads that are no cores tell theirs when they have done something ([`memory::settle_thread`]).
//!
//! *Gaps* are free blocks in the pages of entries: an evicted entry leaves one, and the next entry of its size takes it.
//! They are not in use, so each eviction lowers the account at once. Emptied buffers that are kept for the next output are
//! the same. *Leaving* is what waits to be freed in slices: it counts as gone, or more would be evicted in its place. So
//! does output that no socket has been offered yet, in buffers of clients and between two cores: most clients take it at
//! once. What a client does not take counts from the next look on.
//!
//! # True memory
//!
//! What the system charges the process with is more than what is in use: gaps, the allocator's own, thread stacks, the
//! program. That is *waste*, measured ten times a second, and more often near the limit. It shrinks by itself:
//! entries are moved out of sparse pages, and free pages given back, above the limit at once. Evicting for what is about
//! to be given back would evict too much, so what counts is the least of the last measurements. Of a small limit the
//! program itself would take most, and no eviction shrinks that: so waste counts as far as it leaves 64 MiB for what is in
//! use. Resident memory thus stays at a limit of some 100 MB and more, also while values of other sizes come. Of a smaller
//! limit only what is in use stays below it.
//!
//! # Who evicts
//!
//! The limit is one for all shards: a shard with many keys may use what others leave. So that keys go in about the order
//! in which one shard would have evicted them, each core tells the rank of its next candidate, and a core evicts while
//! its rank is about the smallest. Others do not: a core that needs room wakes the one whose turn it is.
//!
//! ```text
//!      low mark            limit                    high mark
//!  ────────┼─────────────────┼──────────────────────────┼──────────────►  counted
//!  nobody    whose turn it is  whose turn it is            the same, and every core
//!            in short slices   in longer ones              as much as it took
//! ```
//!
//! From the low mark on, a thousandth below the limit, eviction happens ahead. Only above the high mark, where those whose
//! turn it is do not keep up, does a core evict keys of its own whatever their rank: as many as it takes memory for, so
//! that memory grows no more.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};

use crate::config::types::choices::MaxmemoryPolicy;
use crate::ids::ShardId;
use crate::memory;
use crate::os;

/// What of a limit is above this may be waste.
const WASTE_COUNTS_FROM_BYTES: u64 = 64 << 20;
/// Eviction begins when less than this part of the limit is left.
const MARGIN_SHARE: u64 = 1024;
/// Every core gives back what it took when the limit is exceeded by more than this part of it.
const EXCESS_SHARE: u64 = 64;
/// Between two measurements of waste, ...
const SAMPLE_MILLIS: i64 = 100;
/// ... when less than this part of the limit is left, ...
const SAMPLE_MILLIS_NEAR: i64 = 10;
const NEAR_SHARE: i64 = 16;
/// ... and when resident memory was found above it.
const SAMPLE_MILLIS_OVER: i64 = 2;
/// Free pages are given back at once when resident memory exceeds the limit by more than this part of it.
const PURGE_SHARE: u64 = 128;
/// Measurements of which the least counts.
const SAMPLES_KEPT: usize = 6;

/// The rank of a core that has told none.
pub const NO_RANK: i64 = i64::MAX;

/// What one core has told.
#[derive(Debug)]
#[repr(align(128))]
struct CoreUse {
    /// Each sum is told at once: of two numbers, others would see one new and one old, and evict for the difference.
    in_use: AtomicI64,
    counted: AtomicI64,
    /// Keys, and those of them that expire.
    keys: AtomicUsize,
    volatile_keys: AtomicUsize,
    /// The rank of its next candidate.
    rank: AtomicI64,
    /// Whether it was woken to look, and has not looked yet.
    asked: AtomicBool,
    /// The limit for which it has told its numbers: it has told none under a limit that was set since.
    version: AtomicU64,
    /// Bytes of clients that may be evicted, and of the largest of them.
    clients: AtomicUsize,
    largest_client: AtomicUsize,
}

impl CoreUse {
    fn new() -> Self {
        Self {
            in_use: AtomicI64::new(0),
            counted: AtomicI64::new(0),
            keys: AtomicUsize::new(0),
            volatile_keys: AtomicUsize::new(0),
            rank: AtomicI64::new(NO_RANK),
            asked: AtomicBool::new(false),
            version: AtomicU64::new(0),
            clients: AtomicUsize::new(0),
            largest_client: AtomicUsize::new(0),
        }
    }
}

impl CoreUse {
    fn evictable(&self, eligible: Eligible) -> usize {
        eligible.of(self.keys.load(Ordering::Relaxed), self.volatile_keys.load(Ordering::Relaxed))
    }
}

/// What a core tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What its thread holds, in bytes.
    pub bytes: i64,
    /// Free room in its pages and buffers, in bytes.
    pub gaps: usize,
    /// What is about to be freed, in bytes.
    pub leaving: usize,
    /// Keys.
    pub keys: usize,
    /// Keys that expire.
    pub volatile_keys: usize,
}

impl Told {
    /// What is in use of this.
    pub const fn in_use(self) -> i64 {
        self.bytes - self.gaps as i64
    }

    /// What counts of this: what is neither free nor about to be.
    pub const fn counted(self) -> i64 {
        self.in_use() - self.leaving as i64
    }
}

/// Which keys may be evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eligible {
    /// None.
    Nothing,
    /// Those that expire.
    Volatile,
    /// All.
    All,
}

impl Eligible {
    /// All of them, each at its place.
    const EACH: [Eligible; 3] = [Eligible::Nothing, Eligible::Volatile, Eligible::All];

    /// Of so many keys, some of which expire.
    pub const fn of(self, keys: usize, volatile_keys: usize) -> usize {
        match self {
            Eligible::Nothing => 0,
            Eligible::Volatile => volatile_keys,
            Eligible::All => keys,
        }
    }
}

impl From<MaxmemoryPolicy> for Eligible {
    fn from(policy: MaxmemoryPolicy) -> Self {
        match policy {
            MaxmemoryPolicy::Noeviction => Eligible::Nothing,
            policy if policy.is_allkeys() => Eligible::All,
            _ => Eligible::Volatile,
        }
    }
}

/// The account of all cores.
#[derive(Debug)]
pub struct Budget {
    cores: Box<[CoreUse]>,
    limit: AtomicU64,
    /// Which keys may go: its place in [`Eligible::EACH`].
    eligible: AtomicUsize,
    /// Changes with each new limit.
    version: AtomicU64,
    waste: AtomicU64,
    /// Commands and replies that one core has handed to another, which is not done with them yet.
    passing: AtomicI64,
    sampled_at: AtomicI64,
    /// Resident memory was above the limit when it was looked at last.
    was_over: AtomicBool,
    /// What of the resident memory was not in use, lately.
    samples: Mutex<Least>,
    exceeded: Exceeded,
}

/// The last measurements of something.
#[derive(Debug, Default)]
struct Least {
    kept: VecDeque<i64>,
}

/// For how long the limit was exceeded, in microseconds.
#[derive(Debug, Default)]
struct Exceeded {
    /// Since when, plus one; 0 if it is not.
    since: AtomicU64,
    total: AtomicU64,
}

impl Budget {
    /// The account of so many cores, without a limit and with nothing that may go.
    pub fn new(cores: usize) -> Budget {
        Budget {
            cores: (0..cores).map(|_| CoreUse::new()).collect(),
            limit: AtomicU64::new(0),
            eligible: AtomicUsize::new(0),
            version: AtomicU64::new(0),
            waste: AtomicU64::new(0),
            passing: AtomicI64::new(0),
            sampled_at: AtomicI64::new(i64::MIN),
            was_over: AtomicBool::new(false),
            samples: Mutex::default(),
            exceeded: Exceeded::default(),
        }
    }

    /// The limit in bytes; 0 is none.
    #[inline]
    pub fn limit(&self) -> u64 {
        self.limit.load(Ordering::Relaxed)
    }

    /// Sets the limit; 0 is none. Nothing is evicted for it before all cores have told their numbers once.
    pub fn set_limit(&self, bytes: u64) {
        self.limit.store(bytes, Ordering::Relaxed);
        self.version.fetch_add(1, Ordering::Release);
        *self.samples.lock().expect("no one panics while sampling") = Least::default();
        self.waste.store(0, Ordering::Relaxed);
    }

    /// Which keys may be evicted.
    pub fn eligible(&self) -> Eligible {
        Eligible::EACH[self.eligible.load(Ordering::SeqCst)]
    }

    /// Says which keys may be evicted.
    pub fn set_eligible(&self, eligible: Eligible) {
        self.eligible.store(eligible as usize, Ordering::SeqCst);
    }

    /// Below this nothing is evicted.
    pub fn low_mark(&self) -> i64 {
        let limit = self.limit();
        i64::try_from(limit - limit / MARGIN_SHARE).unwrap_or(i64::MAX)
    }

    /// So many bytes below the limit that mark is.
    pub fn margin(&self) -> i64 {
        i64::try_from(self.limit() / MARGIN_SHARE).unwrap_or(i64::MAX)
    }

    /// Above this every core gives back what it took.
    pub fn high_mark(&self) -> i64 {
        let limit = self.limit();
        i64::try_from(limit.saturating_add(limit / EXCESS_SHARE)).unwrap_or(i64::MAX)
    }

    /// Whether so much is over the limit.
    pub fn is_over(&self, counted: i64) -> bool {
        let limit = self.limit();
        limit > 0 && i128::from(counted) > i128::from(limit)
    }

    /// Core `id` tells its numbers.
    pub fn tell(&self, id: ShardId, told: Told) {
        let core = &self.cores[id.index()];
        core.in_use.store(told.in_use(), Ordering::Relaxed);
        core.counted.store(told.counted(), Ordering::Release);
        core.keys.store(told.keys, Ordering::Relaxed);
        core.volatile_keys.store(told.volatile_keys, Ordering::Relaxed);
        core.version.store(self.version.load(Ordering::Acquire), Ordering::Release);
        core.asked.store(false, Ordering::Relaxed);
    }

    /// Core `id` tells the rank of its next candidate.
    pub fn tell_rank(&self, id: ShardId, rank: i64) {
        self.cores[id.index()].rank.store(rank, Ordering::Relaxed);
    }

    /// Bytes in use, by what all cores told last.
    pub fn in_use(&self) -> i64 {
        self.cores.iter().map(|core| core.in_use.load(Ordering::Relaxed)).sum::<i64>() + memory::elsewhere()
    }

    /// Bytes that count against the limit.
    pub fn counted(&self) -> i64 {
        // What departs is passing before its core tells that it holds it no longer, and what arrives until its core has told
        // of it. Looked at before and after the cores, it is left out whichever of the two happens meanwhile.
        let before = self.passing.load(Ordering::Acquire);
        let of_cores: i64 = self.cores.iter().map(|core| core.counted.load(Ordering::Acquire)).sum();
        let passing = self.passing.load(Ordering::Acquire).max(before);
        of_cores + memory::elsewhere() + self.waste.load(Ordering::Relaxed) as i64 - passing
    }

    /// What would count if core `id` told these numbers.
    pub fn counted_if_told(&self, id: ShardId, told: Told) -> i64 {
        self.counted() - self.cores[id.index()].counted.load(Ordering::Relaxed) + told.counted()
    }

    /// A core hands so many bytes to another.
    #[inline]
    pub fn depart(&self, bytes: usize) {
        if bytes > 0 {
            self.passing.fetch_add(bytes as i64, Ordering::Relaxed);
        }
    }

    /// A core has told its numbers without so many bytes that another has handed to it.
    #[inline]
    pub fn arrive(&self, bytes: usize) {
        if bytes > 0 {
            self.passing.fetch_sub(bytes as i64, Ordering::Release);
        }
    }

    /// Keys of all cores that may be evicted.
    pub fn evictable(&self, eligible: Eligible) -> usize {
        self.cores.iter().map(|core| core.evictable(eligible)).sum()
    }

    /// Whether all cores have told their numbers since the limit was set.
    pub fn is_complete(&self) -> bool {
        let version = self.version.load(Ordering::Acquire);
        self.cores.iter().all(|core| core.version.load(Ordering::Acquire) == version)
    }

    /// The core with the smallest rank among those that may evict something, and its rank. One whose rank is not known
    /// comes first: it has to look.
    pub fn next_in_turn(&self, eligible: Eligible) -> Option<(ShardId, i64)> {
        let mut first: Option<(ShardId, i64)> = None;
        for (index, core) in self.cores.iter().enumerate() {
            if core.evictable(eligible) == 0 {
                continue;
            }
            let rank = Some(core.rank.load(Ordering::Relaxed)).filter(|&rank| rank != NO_RANK).unwrap_or(i64::MIN);
            if first.is_none_or(|(_, other)| rank < other) {
                first = Some((ShardId(index as u16), rank));
            }
        }
        first
    }

    /// Whether core `id` was asked to look, and has not told its numbers since.
    pub fn is_asked(&self, id: ShardId) -> bool {
        self.cores[id.index()].asked.load(Ordering::Relaxed)
    }

    /// Whether core `id` is to be woken to look: it was not since it looked last.
    pub fn ask(&self, id: ShardId) -> bool {
        !self.cores[id.index()].asked.swap(true, Ordering::Relaxed)
    }

    /// Core `id` tells what its clients take that may be evicted: all of them, and the largest.
    pub fn tell_clients(&self, id: ShardId, bytes: usize, largest: usize) {
        self.cores[id.index()].clients.store(bytes, Ordering::Relaxed);
        self.cores[id.index()].largest_client.store(largest, Ordering::Relaxed);
    }

    /// Bytes of all clients that may be evicted.
    pub fn clients(&self) -> usize {
        self.cores.iter().map(|core| core.clients.load(Ordering::Relaxed)).sum()
    }

    /// The core with the largest client, and its bytes.
    pub fn largest_client(&self) -> (ShardId, usize) {
        let sizes = self.cores.iter().map(|core| core.largest_client.load(Ordering::Relaxed)).enumerate();
        let (core, bytes) = sizes.rev().max_by_key(|(_, bytes)| *bytes).expect("there is a core");
        (ShardId(core as u16), bytes)
    }

    /// Measures waste, if that is due at `now_millis`; one core does it.
    pub fn sample_if_due(&self, now_millis: i64) {
        let last = self.sampled_at.load(Ordering::Relaxed);
        if now_millis < last.saturating_add(SAMPLE_MILLIS_OVER) || !self.is_complete() {
            return;
        }
        let low = self.low_mark();
        let wait = if self.counted() <= low - low / NEAR_SHARE {
            SAMPLE_MILLIS
        } else if self.was_over.load(Ordering::Relaxed) {
            SAMPLE_MILLIS_OVER
        } else {
            SAMPLE_MILLIS_NEAR
        };
        if now_millis < last.saturating_add(wait) {
            return;
        }
        let taken = self.sampled_at.compare_exchange(last, now_millis, Ordering::Relaxed, Ordering::Relaxed);
        if taken.is_ok() {
            self.sample();
        }
    }

    fn sample(&self) {
        if memory::thread_bytes().is_none() {
            return;
        }
        let limit = self.limit();
        let mut resident = os::resident_bytes() as u64;
        let is_over = limit > WASTE_COUNTS_FROM_BYTES && resident > limit.saturating_add(limit / PURGE_SHARE);
        self.was_over.store(is_over, Ordering::Relaxed);
        if is_over {
            memory::purge();
            resident = os::resident_bytes() as u64;
        }
        let measured = resident as i64 - self.in_use();
        let mut samples = self.samples.lock().expect("no one panics while sampling");
        if is_over {
            // What could be given back is: the rest will not go by itself.
            *samples = Least::default();
        }
        let least = samples.add(measured);
        drop(samples);
        self.waste.store((least.max(0) as u64).min(waste_counted_max(limit)), Ordering::Relaxed);
    }

    /// Whether the limit is exceeded at `micros`, as somebody has just found.
    pub fn note_exceeded(&self, is_exceeded: bool, micros: u64) {
        let since = &self.exceeded.since;
        let before = since.load(Ordering::Relaxed);
        if is_exceeded == (before != 0) {
            return;
        }
        let after = if is_exceeded { micros + 1 } else { 0 };
        if since.compare_exchange(before, after, Ordering::Relaxed, Ordering::Relaxed).is_ok() && !is_exceeded {
            self.exceeded.total.fetch_add((micros + 1).saturating_sub(before), Ordering::Relaxed);
        }
    }

    /// For how many microseconds the limit has been exceeded now, and in all.
    pub fn exceeded_micros(&self, micros: u64) -> (u64, u64) {
        let since = self.exceeded.since.load(Ordering::Relaxed);
        let now = if since == 0 { 0 } else { (micros + 1).saturating_sub(since) };
        (now, self.exceeded.total.load(Ordering::Relaxed) + now)
    }

    /// CONFIG RESETSTAT at `micros`.
    pub fn reset_exceeded(&self, micros: u64) {
        let since = &self.exceeded.since;
        if since.load(Ordering::Relaxed) != 0 {
            since.store(micros + 1, Ordering::Relaxed);
        }
        self.exceeded.total.store(0, Ordering::Relaxed);
    }
}

impl Least {
    /// Takes in one measurement; the least of the last ones.
    fn add(&mut self, measured: i64) -> i64 {
        if self.kept.len() == SAMPLES_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(measured);
        self.kept.iter().copied().min().expect("one was just put in")
    }
}

/// So much of a limit may be waste.
const fn waste_counted_max(limit: u64) -> u64 {
    limit.saturating_sub(WASTE_COUNTS_FROM_BYTES)
}

#[cfg(test)]
mod tests;
