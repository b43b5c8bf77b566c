//! Eviction on one core: looking at the account of memory ([`crate::budget`]), and removing keys while it is short.
//!
//! A core looks at the end of each tick and, in a tick of many commands, after each sixteenth or each 64 KiB of them. While
//! less than a thousandth of the limit is left it evicts in a slice of [`SLICE_MICROS`], if it is this core's turn; above
//! the limit it evicts for as long as `maxmemory-eviction-tenacity` lets it. What a slice did not get done, the next tick
//! goes on with. No command is refused while there is a key that may go.
//!
//! As in Redis, it takes a command, or other settings, for keys to go: while nothing is asked of the server, none is evicted
//! for a reply that its client is still reading.
//!
//! One large value may take the place of thousands of small ones, and writing it takes less time than evicting them. So
//! above the limit a core that took memory since its last look gives back as much before anything else, however long that
//! takes (but no longer than [`DEBT_MICROS_MAX`] at a time): writers wait, and memory stays where it is.
//!
//! Keys that are claimed by a command on several shards are left alone.

use std::sync::atomic::Ordering;

use net::Args;
use storage::UnixMillis;
use storage::keyspace::{Draw, Eviction, LfuSettings, Pool, Usefulness};

use super::Core;
use crate::budget::{Eligible, NO_RANK, Told};
use crate::config::types::choices::MaxmemoryPolicy;
use crate::config::types::events::Events;
use crate::exec::ShardState;
use crate::exec::ctx::KeyEvent;
use crate::ids::{DbId, ShardId};
use crate::limits::SLICE_MICROS;
use crate::memory;
use crate::mesh::Rule;
use crate::stats::LatencyEvent;
use crate::txn::Presence;

/// Commands between two looks at the account within a tick; one with much to say counts for several.
const COMMANDS_PER_LOOK: usize = 16;
/// So many bytes of a command count as another one.
const COMMAND_BYTES: usize = 4096;
/// What a core held before, if it has nothing to give back.
const NOTHING_TAKEN: i64 = i64::MAX;
/// A core that took memory above the limit evicts for so long at a time, to give it back.
const DEBT_MICROS_MAX: u64 = 20_000;
/// Keys evicted at most between two looks at the account.
const EVICTIONS_PER_LOOK: usize = 8;
/// Gaps of more than this part of a core's pages are closed at once, while memory is short.
const GAPS_SHARE: usize = 16;
/// Candidates in a row that may turn out to be none, or to be claimed.
const MISSES_MAX: usize = 128;
/// A rank counts as the smallest if it is larger by no more than this part of the time that has passed since, ...
const RANK_SLACK_SHARE: i64 = 8;
/// ... and by no more than a second besides, which is how exactly uses are known.
const RANK_SLACK_MILLIS: i64 = 1000;
/// The same for ranks by frequency: one use.
const RANK_SLACK_USES: i64 = 1 << 16;
/// With tenacity 10 and above the limit, eviction takes so long at a time, and more with each step above that.
const PATIENCE_MICROS: f64 = 500.0;
const PATIENCE_GROWTH: f64 = 1.15;
const TENACITY_LINEAR_MAX: u32 = 10;
const TENACITY_UNLIMITED: u32 = 100;

/// What a core keeps for eviction.
#[derive(Debug)]
pub(super) struct Evicting {
    pool: Pool,
    /// The policy by which the pool's candidates are judged, and the settings of it.
    policy: (MaxmemoryPolicy, u32, u32),
    /// Commands until the next look.
    until_look: usize,
    /// What counted of this core's memory when it looked last.
    counted: i64,
    /// A command has come, or other settings, since this core looked last.
    is_due: bool,
    /// A slice has ended before it was done.
    pub(super) goes_on: bool,
    /// The key that is gone.
    key: Vec<u8>,
}

impl Default for Evicting {
    fn default() -> Self {
        Self {
            pool: Pool::new(Usefulness::Chance),
            policy: (MaxmemoryPolicy::Noeviction, 0, 0),
            until_look: COMMANDS_PER_LOOK,
            counted: NOTHING_TAKEN,
            is_due: false,
            goes_on: false,
            key: Vec::new(),
        }
    }
}

impl Core {
    /// A command is about to run: looks at the account if it is time.
    #[inline]
    pub(super) fn heed_memory_for_command(&mut self, args: &Args<'_>) {
        if self.shared.budget.limit() > 0 {
            let bytes = args.total_bytes();
            self.evicting.until_look = self.evicting.until_look.saturating_sub(1 + bytes / COMMAND_BYTES);
            if self.evicting.until_look == 0 {
                self.heed_memory();
            }
            self.evicting.is_due = true;
        }
    }

    /// The settings are others.
    pub(super) fn evict_by_new_settings(&mut self) {
        self.evicting.is_due = true;
    }

    /// Looks at the account, and evicts if there is need.
    pub(super) fn heed_memory(&mut self) {
        self.evicting.until_look = COMMANDS_PER_LOOK;
        let goes_on = std::mem::take(&mut self.evicting.goes_on);
        if self.shared.budget.limit() == 0 {
            // A limit that comes later is not about what was taken before.
            self.evicting.counted = NOTHING_TAKEN;
            self.settle_arrived();
            return;
        }
        if self.shard.observers.is_away {
            return;
        }
        let low_mark = self.shared.budget.low_mark();
        // Before others are told: they would evict for what only passes by.
        self.look_at_unoffered(false);
        let told = self.shared.budget.counted_if_told(self.id, self.memory_held());
        if told + self.underway.arrived() as i64 > low_mark {
            self.look_at_unoffered(true);
        }
        let is_due = goes_on || self.evicting.is_due || self.shared.budget.is_asked(self.id);
        let held = self.tell_memory();
        self.shared.budget.sample_if_due(self.tick_time.0);
        let counted = self.judge_memory();
        // Clients that take too much are closed at the end of the tick, before any key has to go for them.
        let is_short = counted > low_mark && counted - self.client_memory_excess() > low_mark;
        let is_complete = self.shared.budget.is_complete();
        self.evicting.is_due &= !is_complete;
        if is_due && is_short && is_complete {
            self.make_room(counted, held);
            if self.has_gaps() {
                self.defragment();
            }
        }
        self.evicting.counted = self.memory_held().counted();
    }

    /// Whether so much of this core's pages is free that entries should be moved together now: what was evicted is of
    /// other sizes than what comes.
    fn has_gaps(&self) -> bool {
        let of = |database: &storage::Database| (database.gap_bytes(), database.memory().pages);
        let sum = self.shard.databases.iter().map(of).fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1));
        sum.0 > sum.1 / GAPS_SHARE
    }

    /// Tells the account what this core holds; what counts of it.
    pub(super) fn tell_memory(&mut self) -> i64 {
        let told = self.memory_held();
        // Databases that are away are counted when they are back: their keys would be missing.
        if !self.shard.observers.is_away {
            self.shared.budget.tell(self.id, told);
            self.settle_arrived();
        }
        told.counted()
    }

    /// What this core holds now. Must be asked on the core's own thread.
    pub fn memory_held(&self) -> Told {
        let databases = &self.shard.databases;
        let kept = self.underway.kept() + self.spare_bytes();
        let gaps = databases.iter().map(storage::Database::gap_bytes).sum::<usize>() + kept;
        let garbage = self.shard.garbage.bytes();
        // Under another allocator (in tests), what is stored is all that is known.
        let stored = || databases.iter().map(|database| database.memory().total()).sum::<usize>() + garbage;
        let bytes = memory::thread_bytes().unwrap_or_else(|| stored() as i64);
        let leaving = garbage + self.underway.leaving();
        let keys = databases.iter().map(storage::Database::len).sum();
        let volatile_keys = databases.iter().map(storage::Database::expires).sum();
        Told { bytes, gaps, leaving, keys, volatile_keys }
    }

    /// What this core holds now, as a command is told that asks for it: the batch in which it came may have carried
    /// thousands before, and the rest of that is free room, too.
    pub fn memory_held_to_tell(&self) -> Told {
        let told = self.memory_held();
        Told { gaps: told.gaps + self.underway.room(), ..told }
    }

    /// Bytes of keys and values.
    fn data_bytes(&self) -> i64 {
        self.shard.databases.iter().map(|database| database.memory().in_use() as i64).sum()
    }

    fn eligible(&self) -> Eligible {
        self.shard.config.maxmemory_policy.into()
    }

    /// How many keys of this core may be evicted.
    fn evictable(&self) -> usize {
        let volatile = self.eligible() == Eligible::Volatile;
        self.shard.databases.iter().map(|database| database.evictable(volatile)).sum()
    }

    /// Says for all cores whether commands that take memory are refused: over the limit, with nothing to evict.
    pub(super) fn judge_memory(&self) -> i64 {
        let counted = self.shared.judge_memory();
        let budget = &self.shared.budget;
        budget.note_exceeded(budget.is_over(counted), self.clock.micros());
        self.shared.peak_memory.fetch_max(usize::try_from(budget.in_use()).unwrap_or(0), Ordering::Relaxed);
        counted
    }

    /// Evicts until there is room, for one slice, or until what was taken is given back. `held` counts of what this core
    /// holds.
    ///
    /// Who is told of keys that are gone is told at once: that is on its way, and does not count ([`super::underway`]).
    #[cold]
    fn make_room(&mut self, mut counted: i64, mut held: i64) {
        if self.eligible() == Eligible::Nothing {
            return;
        }
        let began = self.clock.micros();
        let is_over = self.shared.budget.is_over(counted);
        let end = began.saturating_add(if is_over { self.patience_micros() } else { SLICE_MICROS });
        // What this core held when it had looked last, if it has to give back what it took since.
        let held_before = if is_over { self.evicting.counted.min(held) } else { held };
        // What others do not know of yet, all cores together, is no more than what eviction is ahead by.
        let share = self.shared.budget.margin() / self.shard.shards as i64;
        self.renew_pool();
        while counted > self.shared.budget.low_mark() {
            self.refill_pool();
            self.tell_rank();
            // What it has not itself to give, another core may have.
            let can_pay = self.evictable() > 0;
            let must_pay = can_pay && held > held_before && counted > self.shared.budget.high_mark();
            if !must_pay && !self.is_next_in_turn() {
                break;
            }
            let excess = counted - self.shared.budget.low_mark();
            if !self.evict_some(excess.min(share)) {
                break;
            }
            self.tell_of_expiry();
            held = self.tell_memory();
            counted = self.shared.budget.counted();
            let now = self.clock.micros();
            let owes = held > held_before && now < began + DEBT_MICROS_MAX;
            self.evicting.goes_on = counted > self.shared.budget.low_mark() && now >= end && !owes;
            if self.evicting.goes_on {
                break;
            }
        }
        self.serve_waiters();
        self.tell_of_expiry();
        self.tell_events();
        self.tell_memory();
        self.judge_memory();
        let millis = (self.clock.micros() - began) / 1000;
        let threshold = self.shard.config.latency_monitor_threshold as u64;
        if threshold > 0 && millis >= threshold {
            self.latency.record(LatencyEvent::EvictionCycle, self.tick_time.0 / 1000, millis);
        }
    }

    /// For how long a core evicts at a time while memory is over the limit, in microseconds.
    fn patience_micros(&self) -> u64 {
        let tenacity = self.shard.config.maxmemory_eviction_tenacity;
        if tenacity >= TENACITY_UNLIMITED {
            return u64::MAX;
        }
        if tenacity <= TENACITY_LINEAR_MAX {
            return PATIENCE_MICROS as u64 * u64::from(tenacity) / u64::from(TENACITY_LINEAR_MAX);
        }
        (PATIENCE_MICROS * PATIENCE_GROWTH.powf(f64::from(tenacity - TENACITY_LINEAR_MAX))) as u64
    }

    /// A pool is about one policy and its settings.
    fn renew_pool(&mut self) {
        let config = &self.shard.config;
        let policy = (config.maxmemory_policy, config.lfu_log_factor, config.lfu_decay_time);
        if self.evicting.policy == policy {
            return;
        }
        let settings = LfuSettings { log_factor: config.lfu_log_factor, decay_minutes: config.lfu_decay_time };
        let usefulness = match policy.0 {
            MaxmemoryPolicy::AllkeysLru | MaxmemoryPolicy::VolatileLru => Usefulness::LastUse,
            MaxmemoryPolicy::AllkeysLfu | MaxmemoryPolicy::VolatileLfu => Usefulness::Uses(settings),
            MaxmemoryPolicy::VolatileTtl => Usefulness::Expiry,
            MaxmemoryPolicy::AllkeysRandom | MaxmemoryPolicy::VolatileRandom | MaxmemoryPolicy::Noeviction => {
                Usefulness::Chance
            }
        };
        self.evicting.policy = policy;
        self.evicting.pool = Pool::new(usefulness);
    }

    /// Draws some keys of a database, which is drawn itself by how many keys it has.
    fn refill_pool(&mut self) {
        use rand::Rng;
        let ShardState { databases, config, rng, clock, .. } = &mut self.shard;
        let volatile = Eligible::from(config.maxmemory_policy) == Eligible::Volatile;
        let all: usize = databases.iter().map(|database| database.evictable(volatile)).sum();
        if all == 0 {
            return;
        }
        let mut point = rng.random_range(0..all);
        let holds_point = |database: &storage::Database| match point.checked_sub(database.evictable(volatile)) {
            Some(rest) => {
                point = rest;
                false
            }
            None => true,
        };
        let number = databases.iter().position(holds_point).expect("the point is below the sum");
        let (count, pool) = (config.maxmemory_samples as usize, &mut self.evicting.pool);
        let draw = Draw { database: number as u32, count, volatile_only: volatile, now: *clock };
        databases[number].draw_candidates(draw, pool, rng);
    }

    /// Tells the others what this core would evict next. Where chance decides, whoever has most keys is next.
    fn tell_rank(&self) {
        let rank = match self.evicting.pool.usefulness() {
            Usefulness::Chance => Some(-(self.evictable() as i64)),
            _ => self.evicting.pool.smallest(),
        };
        self.shared.budget.tell_rank(self.id, rank.unwrap_or(NO_RANK));
    }

    /// Whether this core's next candidate has about the smallest rank; wakes the one that has, if it is another.
    fn is_next_in_turn(&self) -> bool {
        let budget = &self.shared.budget;
        let Some((first, rank)) = budget.next_in_turn(self.eligible()) else { return true };
        if first == self.id {
            return true;
        }
        let slack = rank_slack(self.evicting.pool.usefulness(), rank, self.shard.clock);
        let own = match self.evicting.pool.usefulness() {
            Usefulness::Chance => -(self.evictable() as i64),
            _ => self.evicting.pool.smallest().unwrap_or(NO_RANK),
        };
        // The rank of another may be of a time when it had nothing that may go, as this one has now.
        if own <= rank.saturating_add(slack) && self.evictable() > 0 {
            return true;
        }
        self.ask_to_look(first);
        false
    }

    /// Wakes another core to look at the account.
    fn ask_to_look(&self, other: ShardId) {
        if self.shared.budget.ask(other) {
            self.shared.mesh.wake(other);
        }
    }

    /// Evicts a few keys, or fewer that took `bytes`. False if there are no more.
    fn evict_some(&mut self, bytes: i64) -> bool {
        let before = self.data_bytes();
        (0..EVICTIONS_PER_LOOK).all(|evicted| (evicted > 0 && before - self.data_bytes() >= bytes) || self.evict_one())
    }

    /// Evicts the next candidate. False if there is none.
    fn evict_one(&mut self) -> bool {
        for _ in 0..MISSES_MAX {
            self.refill_pool();
            let Some(candidate) = self.evicting.pool.pop() else { return false };
            let (locks, usefulness) = (&self.locks, self.evicting.pool.usefulness());
            let skips = self.shared.mesh.holds(Rule::SweepSkipsClaimed);
            let Some(database) = self.shard.databases.get_mut(candidate.database as usize) else { continue };
            let key = &mut self.evicting.key;
            if let Eviction::Done(discarded) =
                database.evict(&candidate, usefulness, |hash| skips && locks.is_claimed(hash), key)
            {
                self.shard.garbage.extend(discarded);
                self.has_evicted(DbId(candidate.database));
                return true;
            }
        }
        false
    }

    /// Evicts one key, as if memory were short: which, unless there is none that may go.
    #[cfg(feature = "simulation")]
    pub fn evict_now(&mut self) -> Option<Vec<u8>> {
        if self.shard.observers.is_away {
            return None;
        }
        self.renew_pool();
        let is_done = self.evict_one();
        self.serve_waiters();
        self.tell_of_expiry();
        self.tell_events();
        is_done.then(|| self.evicting.key.clone())
    }

    /// Tells whoever wants to know that a key is gone.
    fn has_evicted(&mut self, db: DbId) {
        let key = &self.evicting.key;
        let ShardState { waits, tracking, config, events, registry, observers, counters, journal, id, .. } =
            &mut self.shard;
        counters.evicted_keys += 1;
        waits.signal(db, key);
        tracking.change(key);
        if !observers.watched.is_empty() {
            observers.watched.touch(db, key, true, Presence::Absent);
        }
        if self.shared.mesh.holds(Rule::EvictionIsRecorded) {
            journal.put_lost(*id, db, key, config.lazyfree_lazy_eviction);
            journal.close_unit();
        }
        if config.notify_keyspace_events.publishes(Events::EVICTED) && !registry.is_silent() {
            events.push(KeyEvent { db, class: Events::EVICTED, event: "evicted", key: key.clone() });
        }
    }
}

/// By how much a rank may be larger than the smallest one and still be about the smallest.
fn rank_slack(usefulness: Usefulness, smallest: i64, now: UnixMillis) -> i64 {
    match usefulness {
        Usefulness::LastUse | Usefulness::Expiry => {
            now.0.saturating_sub(smallest).saturating_abs() / RANK_SLACK_SHARE + RANK_SLACK_MILLIS
        }
        Usefulness::Uses(_) => RANK_SLACK_USES,
        Usefulness::Chance => smallest.saturating_abs() / RANK_SLACK_SHARE,
    }
}
