//! Housekeeping: the expiry sweep, freeing of big values, moving entries out of sparse pages, giving memory back when
//! there is nothing to do, timeouts, limits on clients, sampled rates.
//!
//! Slices of work happen at the end of a tick, those that may take long behind its output, and end after [`SLICE_MICROS`]; a
//! core that has nothing else to do goes on with them tick by tick. When nothing expires, the sweep costs nothing.

use std::sync::atomic::Ordering;

use net::service::Endpoint;
use net::{ConnId, Flow};
use storage::keyspace::SweptFields;
use storage::{Discarded, OwnedValue, SweepBudget, UnixMillis};

use super::Core;
use crate::acl::Access;
use crate::config::Config;
use crate::config::types::events::Events;
use crate::config::types::output_limits::ClientClass;
use crate::exec::ShardState;
use crate::exec::ctx::KeyEvent;
use crate::ids::DbId;
use crate::limits::{CRON_BUSY_MILLIS, CRON_IDLE_MILLIS, FREE_ITEMS_PER_STEP, OUTPUT_BYTES_FREE, SLICE_MICROS};
use crate::memory;
use crate::mesh::{ReplyBatch, Rule, Spare};
use crate::session::Hold;
use crate::stats::LatencyEvent;
use crate::txn::Presence;

/// A client that has not authenticated is cut when it leaves so many bytes of its replies in its socket, as in Redis.
const UNAUTHENTICATED_UNSENT_BYTES_MAX: usize = 1024;

/// Entries looked at between two looks at the clock.
const SWEEP_ENTRIES_PER_STEP: usize = 64;

/// Entries moved between two looks at the clock.
const MOVED_ENTRIES_PER_STEP: usize = 32;

/// How many times in a row a core must have had nothing to do before it gives its unused pages back.
const RESTS_BEFORE_PURGE: u32 = (memory::DECAY_MILLIS / CRON_BUSY_MILLIS as u64) as u32;

/// Rates per second, from the last samples.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rates {
    /// Commands.
    pub ops: u64,
    /// Bytes received.
    pub input_bytes: u64,
    /// Bytes sent.
    pub output_bytes: u64,
    last: (u64, u64, u64),
    last_at: i64,
}

impl Rates {
    fn sample(&mut self, now: UnixMillis, ops: u64, input: u64, output: u64) {
        let millis = now.0 - self.last_at;
        if millis < CRON_BUSY_MILLIS {
            return;
        }
        let per_second = |new: u64, old: u64| new.saturating_sub(old) * 1000 / millis as u64;
        // The mean of this sample and the past ones smooths as Redis's sixteen samples do.
        let blend = |rate: u64, new: u64| if self.last_at == 0 { 0 } else { (rate * 3 + new) / 4 };
        self.ops = blend(self.ops, per_second(ops, self.last.0));
        self.input_bytes = blend(self.input_bytes, per_second(input, self.last.1));
        self.output_bytes = blend(self.output_bytes, per_second(output, self.last.2));
        self.last = (ops, input, output);
        self.last_at = now.0;
    }
}

impl Core {
    /// A new connection counts against `maxclients`, and must come from where it may.
    pub(super) fn admit_client(&mut self, conn: ConnId, endpoint: &Endpoint, config: &Config) -> Flow {
        let clients = self.shared.clients.fetch_add(1, Ordering::Relaxed);
        if clients >= config.maxclients as usize {
            self.shared.refused_clients.fetch_add(1, Ordering::Relaxed);
            self.answer_now(conn, |_, reply| reply.error(b"ERR max number of clients reached"));
            return Flow::Close;
        }
        if config.protected_mode && self.users.default_user().no_password && is_from_elsewhere(endpoint) {
            self.shared.refused_clients.fetch_add(1, Ordering::Relaxed);
            self.answer_now(conn, |_, reply| reply.error(PROTECTED.as_bytes()));
            return Flow::Close;
        }
        Flow::Continue
    }

    /// What is done at the end of every tick, and what is due.
    pub(super) fn housekeep(&mut self) {
        self.heed_memory();
        self.tend_saves();
        let now = self.tick_time;
        if now.0 < self.next_cron.0 {
            return;
        }
        if self.cron_paused {
            self.next_cron = UnixMillis(now.0 + CRON_IDLE_MILLIS);
            return;
        }
        let busy = std::mem::take(&mut self.worked) || !self.paused.is_empty() || self.has_dialogues();
        let expires = self.shard.databases.iter().any(|database| database.expires() > 0 || database.watches_fields());
        let swept = !expires || self.timed_sweep();
        self.tell_events();
        let packed = self.defragment();
        self.rests = if busy { 0 } else { self.rests.saturating_add(1) };
        if !busy {
            self.rest();
        }
        let wait = match (swept && packed, expires || self.rests < RESTS_BEFORE_PURGE) {
            (false, _) => 1,
            (true, true) => CRON_BUSY_MILLIS,
            (true, false) => CRON_IDLE_MILLIS,
        };
        self.next_cron = UnixMillis(now.0 + wait);
        self.rates.sample(now, self.stats.commands_processed, self.stats.received_bytes, self.stats.sent_bytes);
        self.close_idle_clients(now);
        self.heed_save_points();
        self.look_at_soft_limits();
        self.look_at_debugged();
        self.look_at_dialogues();
        self.tell_memory();
        if self.id.index() == 0 {
            self.watch_memory();
        }
    }

    /// One slice of the sweep, with its time counted. False if there is more to do.
    fn timed_sweep(&mut self) -> bool {
        let began = self.clock.micros();
        let complete = self.sweep() & self.sweep_fields();
        self.tell_of_expiry();
        let micros = self.clock.micros() - began;
        self.stats.expire_micros += micros;
        self.stats.expire_cut_short += u64::from(!complete);
        let threshold = self.shard.config.latency_monitor_threshold as u64;
        if threshold > 0 && micros / 1000 >= threshold {
            self.latency.record(LatencyEvent::ExpireCycle, self.tick_time.0 / 1000, micros / 1000);
        }
        complete
    }

    /// Removes keys whose time is past, for one slice. False if there is more to do.
    fn sweep(&mut self) -> bool {
        if !self.shard.active_expire || self.shard.expiry_held || self.shard.is_replaying {
            return true;
        }
        let end = self.clock.micros() + SLICE_MICROS;
        let (now, mut expired) = (self.shard.clock, 0);
        let locks = &self.locks;
        let skips = self.shared.mesh.holds(Rule::SweepSkipsClaimed);
        let mut complete = true;
        let ShardState {
            databases, waits, tracking, config, events, registry, observers, garbage, journal, id, ..
        } = &mut self.shard;
        let is_told = config.notify_keyspace_events.publishes(Events::EXPIRED) && !registry.is_silent();
        let databases = databases.iter_mut().enumerate().filter(|(_, database)| database.expires() > 0);
        'databases: for (index, database) in databases {
            let db = DbId(index as u32);
            let mut removed = |key: &[u8], value: OwnedValue| {
                garbage.extend(Discarded::from_value(value));
                // Who waits for a key, or watches it, may want to know that it is gone.
                waits.signal(db, key);
                tracking.change(key);
                if !observers.watched.is_empty() {
                    observers.watched.touch(db, key, true, Presence::Absent);
                }
                journal.put_lost(*id, db, key, config.lazyfree_lazy_expire);
                journal.close_unit();
                if is_told {
                    events.push(KeyEvent { db, class: Events::EXPIRED, event: "expired", key: key.to_vec() });
                }
            };
            loop {
                let budget = SweepBudget {
                    entries_max: SWEEP_ENTRIES_PER_STEP,
                    segments_max: usize::MAX,
                    expired_max: SWEEP_ENTRIES_PER_STEP,
                };
                let mut skip = |_: &[u8], hash: u64| skips && locks.is_claimed(hash);
                let outcome = database.sweep(now, budget, &mut skip, &mut removed);
                expired += outcome.expired as u64;
                if outcome.complete {
                    break;
                }
                if self.clock.micros() >= end {
                    complete = false;
                    break 'databases;
                }
            }
        }
        self.shard.counters.expired_keys += expired;
        self.serve_waiters();
        complete
    }

    /// Removes fields of hashes whose time is past, for one slice. False if there is more to do.
    fn sweep_fields(&mut self) -> bool {
        if !self.shard.active_expire || self.shard.expiry_held || self.shard.is_replaying {
            return true;
        }
        let end = self.clock.micros() + SLICE_MICROS;
        let ShardState {
            databases, clock, config, counters, events, registry, tracking, observers, journal, id, ..
        } = &mut self.shard;
        let skips = self.shared.mesh.holds(Rule::SweepSkipsClaimed);
        let mut skip = |hash| skips && self.locks.is_claimed(hash);
        for (index, database) in databases.iter_mut().enumerate().filter(|(_, database)| database.watches_fields()) {
            let mut tell = |class, event, key: &[u8]| {
                if config.notify_keyspace_events.publishes(class) && !registry.is_silent() {
                    events.push(KeyEvent { db: DbId(index as u32), class, event, key: key.to_vec() });
                }
            };
            let mut swept = |fields: SweptFields<'_>| {
                counters.expired_fields += fields.names.len() as u64;
                journal.put_lost_fields(*id, DbId(index as u32), fields.key, fields.names);
                journal.close_unit();
                tracking.change(fields.key);
                let now = if fields.gone { Presence::Absent } else { Presence::There };
                observers.watched.touch(DbId(index as u32), fields.key, true, now);
                tell(Events::HASH, "hexpired", fields.key);
                if fields.gone {
                    tell(Events::GENERIC, "del", fields.key);
                }
            };
            while !database.sweep_fields(*clock, SWEEP_ENTRIES_PER_STEP, &mut skip, &mut swept) {
                if self.clock.micros() >= end {
                    return false;
                }
            }
        }
        true
    }

    /// Moves entries out of sparse pages, for one slice. False if there is more to do.
    pub(super) fn defragment(&mut self) -> bool {
        let end = self.clock.micros() + SLICE_MICROS;
        for database in &mut self.shard.databases {
            while database.defragment_step(MOVED_ENTRIES_PER_STEP) {
                if self.clock.micros() >= end {
                    return false;
                }
            }
        }
        true
    }

    /// Nothing was asked of this core for a while: keeps no memory for batches and answers to come.
    fn rest(&mut self) {
        self.spare = Spare::default();
        self.spare_answers = Vec::new();
        for batch in self.batches.iter_mut().filter(|batch| batch.is_empty()) {
            batch.forget_memory();
        }
        for answers in self.answers.iter_mut().filter(|answers| answers.is_empty()) {
            *answers = ReplyBatch::default();
        }
        memory::flush_thread();
        if self.rests == RESTS_BEFORE_PURGE {
            memory::purge_own();
        }
        if self.id.index() == 0 && !self.shard.config.jemalloc_bg_thread {
            memory::decay();
        }
    }

    /// Frees big values for one slice.
    pub(super) fn free_garbage(&mut self) {
        if self.shard.garbage.is_empty() {
            return;
        }
        let end = self.clock.micros() + SLICE_MICROS;
        while !self.shard.garbage.free_step(FREE_ITEMS_PER_STEP) {
            if self.clock.micros() >= end {
                return;
            }
        }
    }

    /// Holds expiry while CLIENT PAUSE does. Once the pause is over, or a snapshot has less to write, runs what was held
    /// back and lets those connections go on. Only at the tail: later in the tick the same connection's push may be out
    /// already, and what it ran in place would stand before that.
    pub(super) fn heed_pause(&mut self) {
        self.shard.expiry_held = self.shared.is_paused() && self.shared.pause(self.tick_time).is_some();
        let is_held = self.shard.expiry_held || self.shared.snapshots.holds_writes();
        if self.paused.is_empty() || is_held {
            return;
        }
        for conn in std::mem::take(&mut self.paused) {
            if self.release_hold(conn) {
                self.resume.push(conn);
            }
        }
    }

    fn close_idle_clients(&mut self, now: UnixMillis) {
        let timeout = self.shard.config.timeout;
        if timeout == 0 {
            return;
        }
        let limit = i64::from(timeout) * 1000;
        let idle: Vec<ConnId> = self
            .sessions()
            .filter(|session| now.0 - session.info.active_at.0 > limit && session.replies.is_empty())
            // Who has subscribed has nothing to say.
            .filter(|session| !session.is_subscribed())
            .map(|session| session.conn)
            .collect();
        for conn in idle {
            self.kill(conn);
        }
    }

    /// Cuts clients whose output passed `client-output-buffer-limit`; lets sessions that are idle hold nothing.
    pub(super) fn check_outputs(&mut self) {
        let limits = self.shard.config.client_output_buffer_limit;
        let now = self.shard.clock;
        let mut cut = Vec::new();
        if self.counts_clients {
            self.uncounted.extend(self.dirty.iter().chain(&self.audience));
        }
        for conn in self.dirty.iter().chain(&self.audience) {
            let Some(session) = self.sessions[conn.slot as usize].as_mut().filter(|s| s.conn == *conn) else {
                continue;
            };
            let class = if session.is_subscribed() { ClientClass::Pubsub } else { ClientClass::Normal };
            let limit = limits.of(class);
            // What fits into the first piece is no queue of output; once there is a queue, all of it counts.
            let unsent = Some(session.unsent_bytes()).filter(|bytes| *bytes > OUTPUT_BYTES_FREE).unwrap_or(0);
            // While the socket takes no more, all of it is unsent, however little of that stands in the send itself.
            let is_stuck = session.info.in_flight.unsent_bytes > 0;
            let stranger = session.access == Access::Nothing
                && is_stuck
                && session.unsent_bytes() > UNAUTHENTICATED_UNSENT_BYTES_MAX;
            let hard = stranger || limit.hard_bytes > 0 && unsent as u64 > limit.hard_bytes;
            let soft = limit.soft_bytes > 0 && unsent as u64 > limit.soft_bytes;
            if soft && session.info.soft_limit_since.is_none() {
                self.over_soft_limit.push(*conn);
            }
            let since = if soft { *session.info.soft_limit_since.get_or_insert(now) } else { now };
            if !soft {
                session.info.soft_limit_since = None;
            }
            // In whole seconds: over the limit for more than so many of them, and not a moment less.
            let seconds = now.0 / 1000 - since.0 / 1000;
            if hard || (soft && seconds > limit.soft_seconds as i64) {
                cut.push(*conn);
            }
        }
        for conn in cut {
            self.stats.output_limit_disconnections += 1;
            tracing::warn!("Client {} closed for overcoming of output buffer limits.", self.client_line(conn, None));
            if let Some(session) = self.session(conn) {
                session.held = Some(Hold::Closing);
                session.out = Vec::new();
            }
            self.kill(conn);
        }
    }

    /// Clients that stay over their soft limit are looked at though nothing is sent to them.
    fn look_at_soft_limits(&mut self) {
        for conn in std::mem::take(&mut self.over_soft_limit) {
            if self.session(conn).is_some_and(|session| session.info.soft_limit_since.is_some()) {
                self.mark_dirty(conn);
                self.over_soft_limit.push(conn);
            }
        }
    }

    /// Notes how much is in use, and was at the start.
    fn watch_memory(&mut self) {
        let in_use = usize::try_from(self.shared.budget.in_use()).unwrap_or(0);
        if self.shared.startup_memory.load(Ordering::Relaxed) == 0 && self.shared.budget.is_complete() {
            self.shared.startup_memory.store(in_use, Ordering::Relaxed);
        }
        self.shared.peak_memory.fetch_max(in_use, Ordering::Relaxed);
    }
}

/// Whether a client is not of this machine: in protected mode such may not connect, without a password.
fn is_from_elsewhere(endpoint: &Endpoint) -> bool {
    matches!(endpoint, Endpoint::Tcp { peer, .. } if !peer.ip().to_canonical().is_loopback())
}

const PROTECTED: &str = "DENIED Tessera is running in protected mode because protected mode is enabled and no password \
is set for the default user. In this mode connections are only accepted from the loopback interface. If you want to \
connect from external computers, set a password ('CONFIG SET requirepass') or disable protected mode ('CONFIG SET \
protected-mode no' from the loopback interface, or 'protected-mode no' in the configuration file).";
