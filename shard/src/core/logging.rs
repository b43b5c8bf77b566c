//! The append-only files on one core: cutting its journal at barriers, writing the groups, and holding back what may not
//! leave yet. See `aof/mod.rs` for the whole.
//!
//! A group is written where the one before ended. What fails is written again at the same place, once a second, until the
//! disk takes it; meanwhile no barrier is pushed, nobody waits, and writes are refused, as in Redis. With `always` a server
//! that cannot write ends.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use net::ConnId;
use net::service::{FileDone, FileOp, FileRequest};
#[cfg(feature = "simulation")]
use storage::log::Members;
use storage::log::{put_group, put_timestamp};

use super::Core;
#[cfg(feature = "simulation")]
use super::simulation::rules_hold_back;
use crate::aof::{Barrier, Handed, LogFile};
use crate::config::error::system_text;
use crate::config::types::choices::AppendFsync;
use crate::ids::ShardId;
use crate::journal::Stretch;
use crate::mesh::{Rule, Ticket};
use crate::shared::Stop;
use crate::snapshot::{Job, Kind};

/// Names of requests: a group is written, is synced because somebody waits for that, and is synced once a second.
const WRITE: u32 = 1;
const SYNC: u32 = 2;
const SYNC_BEHIND: u32 = 3;

/// `everysec`, and the time after which a write is tried again, in milliseconds.
const SECOND_MILLIS: i64 = 1000;

/// A server that ends waits for its files for so long at most, in microseconds.
const FLUSH_MICROS_MAX: u64 = 10_000_000;

/// A core's part in the log.
#[derive(Default)]
pub(super) struct Logging {
    /// What clients are sent is held until its epoch is complete.
    pub(super) gates: bool,
    /// The barrier that ends the epoch of the next record.
    label: u64,
    file: Option<LogFile>,
    /// The group that is being written.
    flight: Option<Flight>,
    /// The keeper has what was recorded, and will have the next file.
    handed: Option<Arc<Barrier>>,
    /// For the ring, at the end of the tick.
    pub(super) requests: Vec<FileRequest>,
    /// Connections with output that is held.
    held: Vec<ConnId>,
    /// A barrier is wanted though nothing is recorded here: something that leaves this core waits for it.
    wanted: u64,
    /// Snapshots that begin at a barrier.
    jobs: VecDeque<Arc<Job>>,
    /// Bytes were written that are not synced.
    is_unsynced: bool,
    is_syncing: bool,
    synced_at: i64,
    fails: bool,
    /// The second that was last told, with `aof-timestamp-enabled`.
    told_second: i64,
    /// Since when the server is to end, and the barrier that it waits for.
    ending: Option<(u64, u64)>,
}

/// A group on its way to the file.
struct Flight {
    barrier: Arc<Barrier>,
    /// Where what is left of it goes.
    offset: u64,
    /// What is left of it, while it waits to be tried again at this time.
    again: Option<(Vec<u8>, i64)>,
}

impl Core {
    /// Begins to record, if there is a log and the data set is loaded.
    pub(super) fn begin_log(&mut self) {
        if self.shard.journal.is_on() || !self.shared.log.is_on() {
            return;
        }
        if self.log.gates {
            return self.shard.journal.begin();
        }
        let Some(file) = self.shared.log.start_of(self.id) else { return };
        self.log_to(Some(file), self.shared.log.epochs.pushed() + 1);
    }

    /// Records nothing while the log is loaded: what it says is there already. All of the journal was written before.
    pub(super) fn suspend_log(&mut self) {
        if self.log.gates {
            assert!(self.shard.journal.is_empty(), "the shard was locked at the end of an epoch");
            self.shard.journal.end();
        }
    }

    fn log_to(&mut self, file: Option<LogFile>, label: u64) {
        self.shard.journal.begin();
        self.log.gates = true;
        self.log.label = label;
        self.log.file = file;
    }

    /// Stops recording if the log was turned off.
    pub(super) fn heed_log(&mut self) {
        if self.id == ShardId(0) && self.shared.log.is_rewrite_wanted() {
            self.next_cron = self.tick_time;
        }
        if self.log.gates && !self.shared.log.is_on() {
            self.shard.journal.end();
            self.log.gates = false;
            self.log.file = None;
            if self.log.flight.as_ref().is_some_and(|flight| flight.again.is_some()) {
                self.end_flight();
            }
            if std::mem::take(&mut self.log.fails) {
                self.shared.log.epochs.set_failing(false, &self.shared.mesh);
                self.shared.snapshots.judge_log(&self.shared);
            }
        }
    }

    /// Says which barrier what this core has recorded waits for, before anything that shows it leaves.
    #[inline]
    pub(super) fn note_gate(&mut self) {
        if self.log.gates && !self.shard.journal.is_empty() {
            self.shared.log.epochs.note_gate(self.id, self.log.label);
        }
    }

    /// What was recorded here of other shards' keys is on its way to them: what clients see of it waits for whatever
    /// barrier comes next.
    pub(super) fn records_left(&mut self) {
        if self.shard.journal.is_on() {
            self.want_barrier();
        }
    }

    /// What leaves this core waits for the next barrier, which is pushed though nothing should be recorded here.
    pub fn want_barrier(&mut self) {
        self.log.wanted = self.log.wanted.max(self.shared.log.epochs.pushed() + 1);
    }

    /// What leaves this core waits until the first shard has recorded the libraries that were handed to the log. The next
    /// barrier may be on its way without it already; the one behind that begins later, and goes to every shard.
    pub fn want_barrier_of_libraries(&mut self) {
        self.log.wanted = self.log.wanted.max(self.shared.log.epochs.pushed() + 2);
    }

    /// A snapshot begins at the next barrier.
    pub(super) fn begin_at_barrier(&mut self, job: Arc<Job>) {
        self.log.jobs.push_back(job);
    }

    /// Whether this shard has nothing that an epoch could want.
    pub(super) fn is_idle_for_log(&self) -> bool {
        let is_idle = self.shard.journal.is_empty() && self.locks.is_idle();
        is_idle || !self.shared.mesh.holds(Rule::IdleHasRecordedNothing)
    }

    /// Barriers up to this one have passed this core by while it slept.
    pub(super) fn passed_by(&mut self, barrier: u64) {
        self.log.label = self.log.label.max(barrier + 1);
    }

    /// Pushes the next barrier, if one is wanted and none is under way.
    pub(super) fn turn_epoch(&mut self) {
        if !self.log.gates && self.log.jobs.is_empty() {
            return;
        }
        let epochs = &self.shared.log.epochs;
        let is_functions = self.shared.log.has_functions();
        let wanted = !self.shard.journal.is_empty() || self.log.wanted > epochs.pushed() || is_functions;
        // What is loaded is not to grow meanwhile.
        let loads = self.shared.snapshots.has_loading();
        if loads || (!wanted && self.log.jobs.is_empty()) || !epochs.try_begin() {
            return;
        }
        let (shared, clock) = (Arc::clone(&self.shared), &self.clock);
        let job = self.log.jobs.front().cloned();
        // Libraries are recorded by the first shard, whatever it does.
        let everyone = job.is_some() || is_functions;
        let make = |members| {
            let numbers = shared.log.epochs.take_number();
            Arc::new(Barrier::new(numbers, members, shared.shards(), job))
        };
        #[cfg(feature = "simulation")]
        if !shared.mesh.holds(Rule::BarrierIsOnePoint) {
            return self.spread_barrier(&make(Members::of(0..shared.shards())));
        }
        let pushed = shared.mesh.push_barrier(self.id, everyone, || clock.now(), make);
        let Some((barrier, is_here)) = pushed else {
            // The core does not sleep while it wants one.
            shared.log.epochs.give_back();
            return;
        };
        if barrier.job.is_some() {
            self.log.jobs.pop_front();
        }
        if is_here {
            self.arrive_barrier(barrier);
        }
    }

    /// The cut of a barrier: this shard's records up to here are written. It has the whole shard, by `ticket` if it had to
    /// wait for it.
    pub(super) fn cut_epoch(&mut self, barrier: &Arc<Barrier>, ticket: Option<Ticket>) {
        if let Some(handed) = self.log.handed.take() {
            self.log.file = handed.file_of(self.id);
        }
        self.end_epoch(barrier);
        if let Some(job) = &barrier.job {
            job.barrier.store(barrier.number, Ordering::Release);
            let ticket = ticket.expect("the cut of a snapshot takes the shard");
            self.cut(Arc::clone(job), ticket);
        } else if let Some(ticket) = ticket {
            self.locks.release(ticket);
        }
    }

    fn end_epoch(&mut self, barrier: &Arc<Barrier>) {
        if !self.log.gates {
            if barrier.begins_generation && self.shared.log.is_on() {
                // What is recorded from here on stands behind the base.
                self.log_to(None, barrier.number + 1);
                return self.hand_in(barrier, Vec::new());
            }
            return self.barrier_done(barrier);
        }
        let stretches = self.take_stretches();
        self.log.label = barrier.number + 1;
        if !stretches.is_empty() {
            self.shared.log.epochs.note_gate(self.id, barrier.number);
        }
        let has_whole = stretches.iter().any(|stretch| matches!(stretch, Stretch::Whole(_)));
        if barrier.begins_generation || has_whole {
            self.shard.journal.forget_selected();
            return self.hand_in(barrier, stretches);
        }
        let mut records = Vec::new();
        for stretch in stretches {
            let Stretch::Records(of_stretch) = stretch else { unreachable!("it was looked for above") };
            if records.is_empty() { records = of_stretch } else { records.extend_from_slice(&of_stretch) }
        }
        let mut group = Vec::with_capacity(records.len() + 64);
        put_group(&mut group, barrier.epoch, &barrier.members, &records);
        let offset = self.log.file.as_ref().expect("whoever records has a file").offset;
        assert!(self.log.flight.is_none(), "one barrier is under way at a time");
        self.log.flight = Some(Flight { barrier: Arc::clone(barrier), offset, again: None });
        self.write_group(group);
    }

    /// What was recorded up to now, that of libraries included if this shard keeps it.
    fn take_stretches(&mut self) -> Vec<Stretch> {
        let mut first = Vec::new();
        let second = self.tick_time.0 / 1000;
        if self.shard.config.aof_timestamp_enabled && second != self.log.told_second && !self.shard.journal.is_empty() {
            self.log.told_second = second;
            put_timestamp(&mut first, second);
        }
        if self.id == ShardId(0) && self.shared.log.has_functions() {
            first.extend(self.shared.log.take_functions().concat());
        }
        let mut stretches = self.shard.journal.take();
        if !first.is_empty() {
            stretches.insert(0, Stretch::Records(first));
        }
        stretches
    }

    fn hand_in(&mut self, barrier: &Arc<Barrier>, stretches: Vec<Stretch>) {
        let file = self.log.file.take();
        barrier.hand_in(self.id, Handed { file, stretches });
        self.log.handed = Some(Arc::clone(barrier));
        self.log.is_unsynced = false;
        if barrier.done() {
            self.shared.log.order(Arc::clone(barrier));
        }
    }

    fn barrier_done(&mut self, barrier: &Arc<Barrier>) {
        if barrier.done() {
            if barrier.handed().iter().any(Option::is_some) {
                // Some shards have begun to record, or have not yet ended.
                return self.shared.log.order(Arc::clone(barrier));
            }
            self.shared.log.epochs.complete(barrier.number, &self.shared.mesh);
        }
    }

    fn request(&mut self, number: u32, op: FileOp) {
        let file = Arc::clone(&self.log.file.as_ref().expect("whoever records has a file").file);
        self.log.requests.push(FileRequest { number, file, op });
    }

    fn write_group(&mut self, bytes: Vec<u8>) {
        let offset = self.log.flight.as_ref().expect("it is on its way").offset;
        self.shared.log.buffered.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.request(WRITE, FileOp::Write { offset, bytes });
    }

    /// A request on a file has ended.
    pub(super) fn log_request_done(&mut self, done: FileDone) {
        match done.number {
            WRITE => self.group_written(done),
            SYNC => self.group_synced(done.result),
            _ => self.synced_behind(done.result),
        }
    }

    fn group_written(&mut self, done: FileDone) {
        let FileDone { result, mut bytes, .. } = done;
        self.shared.log.buffered.fetch_sub(bytes.len() as u64, Ordering::Relaxed);
        self.shared.log.writes.fetch_add(1, Ordering::Relaxed);
        let Some(flight) = &mut self.log.flight else { return };
        // The log was turned off meanwhile.
        if self.log.file.is_none() {
            return self.end_flight();
        }
        let result = match result {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            result => result,
        };
        match result {
            Ok(written) => {
                flight.offset += written as u64;
                if written < bytes.len() {
                    bytes.drain(..written);
                    return self.write_group(bytes);
                }
                self.group_is_there();
            }
            Err(error) => self.write_failed(&error, bytes),
        }
    }

    fn group_is_there(&mut self) {
        let flight = self.log.flight.as_ref().expect("it was written just now");
        let file = self.log.file.as_mut().expect("it was written to");
        file.offset = flight.offset;
        self.shared.log.note_size(self.id, file.offset);
        self.log.is_unsynced = true;
        if std::mem::take(&mut self.log.fails) {
            tracing::warn!("AOF write error looks solved. The server can write again.");
            self.shared.log.epochs.set_failing(false, &self.shared.mesh);
            self.shared.snapshots.judge_log(&self.shared);
        }
        if self.shard.config.appendfsync == AppendFsync::Always && !self.may_skip_sync() {
            self.log.is_unsynced = false;
            return self.request(SYNC, FileOp::Sync);
        }
        self.end_flight();
    }

    fn end_flight(&mut self) {
        let flight = self.log.flight.take().expect("it is looked for before");
        self.barrier_done(&flight.barrier);
    }

    /// `no-appendfsync-on-rewrite`.
    fn may_skip_sync(&self) -> bool {
        let hub = &self.shared.snapshots;
        self.shard.config.no_appendfsync_on_rewrite && hub.current().is_some_and(|job| job.kind.saves())
    }

    fn write_failed(&mut self, error: &io::Error, bytes: Vec<u8>) {
        let why = system_text(error);
        if self.shard.config.appendfsync == AppendFsync::Always {
            tracing::error!(
                "Error writing to the AOF file: {why}. Can't recover from AOF write error when the AOF fsync policy is \
                 'always'. Exiting..."
            );
            return self.shared.request_stop(Stop::Orderly(1));
        }
        let again = self.clock.now().0 + SECOND_MILLIS;
        self.log.flight.as_mut().expect("its write has failed").again = Some((bytes, again));
        if !std::mem::replace(&mut self.log.fails, true) {
            tracing::warn!("Error writing to the AOF file: {why}");
            self.shared.log.epochs.set_failing(true, &self.shared.mesh);
            self.shared.snapshots.judge_log(&self.shared);
        }
    }

    fn group_synced(&mut self, result: io::Result<usize>) {
        if let Err(error) = result {
            let why = system_text(&error);
            tracing::error!(
                "Can't persist AOF for fsync error when the AOF fsync policy is 'always': {why}. Exiting..."
            );
            return self.shared.request_stop(Stop::Orderly(1));
        }
        self.shared.log.syncs.fetch_add(1, Ordering::Relaxed);
        if self.log.flight.is_some() {
            self.end_flight();
        }
    }

    fn synced_behind(&mut self, result: io::Result<usize>) {
        self.log.is_syncing = false;
        match result {
            Ok(_) => {
                self.shared.log.syncs.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                tracing::warn!("Fail to fsync the AOF file: {}", system_text(&error));
                self.shared.log.doubt();
                self.shared.snapshots.judge_log(&self.shared);
            }
        }
    }

    /// What is due for the log at the end of a tick.
    pub(super) fn tend_log(&mut self) {
        if self.log.file.is_none() && self.log.handed.is_none() && self.log.flight.is_none() {
            return;
        }
        let now = self.tick_time.0;
        if let Some(handed) = &self.log.handed
            && let Some(file) = handed.file_of(self.id)
        {
            self.log.handed = None;
            self.log.file = Some(file);
        }
        let again = self.log.flight.as_mut().and_then(|flight| flight.again.take_if(|(_, at)| *at <= now));
        if let Some((bytes, _)) = again {
            self.write_group(bytes);
        }
        let is_due =
            self.shard.config.appendfsync == AppendFsync::Everysec && now - self.log.synced_at >= SECOND_MILLIS;
        if is_due && self.log.is_unsynced && !self.log.is_syncing && self.log.file.is_some() && !self.may_skip_sync() {
            self.sync_behind();
        }
    }

    fn sync_behind(&mut self) {
        self.log.synced_at = self.tick_time.0;
        self.log.is_unsynced = false;
        self.log.is_syncing = true;
        self.request(SYNC_BEHIND, FileOp::Sync);
    }

    /// When this core has to look at its log again though nothing comes.
    pub(super) fn log_deadline(&self) -> Option<i64> {
        let again = self.log.flight.as_ref().and_then(|flight| flight.again.as_ref()).map(|(_, at)| *at);
        let syncs = self.log.is_unsynced && self.shard.config.appendfsync == AppendFsync::Everysec;
        again.into_iter().chain(syncs.then_some(self.log.synced_at + SECOND_MILLIS)).min()
    }

    /// Whether this core may sleep: if something here waits for a barrier, the core is woken when that is complete. False
    /// if it is by now.
    pub(super) fn log_may_sleep(&self) -> bool {
        let log = &self.log;
        let waits =
            !self.shard.journal.is_empty() || !log.held.is_empty() || !log.jobs.is_empty() || log.handed.is_some();
        let epochs = &self.shared.log.epochs;
        if !waits && log.wanted <= epochs.pushed() && log.ending.is_none() {
            return true;
        }
        epochs.wait(self.id);
        let may_push = !epochs.is_under_way() && (!self.shard.journal.is_empty() || !log.jobs.is_empty());
        let wants = !epochs.is_under_way() && log.wanted > epochs.pushed();
        let may_leave = log.held.iter().any(|conn| self.is_released(*conn));
        let may_end = log.ending.is_some_and(|(_, barrier)| epochs.is_complete(barrier));
        !may_push && !wants && !may_leave && !may_end
    }

    /// Holds back what may not leave yet, and lets go what may by now.
    pub(super) fn gate_output(&mut self, write: &mut Vec<ConnId>) {
        if !self.log.gates && self.log.held.is_empty() {
            return;
        }
        let epochs = &self.shared.log.epochs;
        let wanted = if epochs.is_complete(self.log.wanted) { 0 } else { self.log.wanted };
        // When the log is turned off everything leaves.
        let gates = self.log.gates;
        let gate = if gates { epochs.gate().max(wanted) } else { 0 };
        let mut held = std::mem::take(&mut self.log.held);
        let (shared, sessions) = (&self.shared, &mut self.sessions);
        let holds_own = self.shared.mesh.holds(Rule::HeldOutputWaitsForItsOwn);
        let mut pass = |conn: ConnId, is_written: bool| {
            let session = sessions[conn.slot as usize].as_mut().filter(|session| session.conn == conn);
            let Some(session) = session else { return (false, false, false) };
            #[cfg(feature = "simulation")]
            let is_pushed_to = session.is_subscribed() || session.tracking.is_some();
            let output = session.gated.get_or_insert_default();
            #[cfg(feature = "simulation")]
            let gate = if rules_hold_back(&shared.mesh, is_pushed_to) { gate } else { 0 };
            // Replies that are withheld from the write come here too, if older ones are held.
            if is_written || holds_own {
                output.hold(gate, &session.out);
            }
            let has_some = output.release(&mut session.out, |gate| !gates || shared.log.epochs.is_complete(gate));
            let joins = !session.out.is_empty() && !std::mem::replace(&mut output.is_held, true);
            output.is_held &= !session.out.is_empty();
            (has_some, joins, output.is_held)
        };
        let mut joined = Vec::new();
        write.retain(|&conn| {
            let (has_some, joins, _) = pass(conn, true);
            if joins {
                joined.push(conn);
            }
            has_some
        });
        held.retain(|&conn| {
            let (has_some, _, is_held) = pass(conn, false);
            if has_some {
                write.push(conn);
            }
            is_held
        });
        // Whoever holds something back sees to it that its barrier comes.
        if !joined.is_empty() {
            self.log.wanted = self.log.wanted.max(gate);
        }
        held.append(&mut joined);
        self.log.held = held;
    }

    fn is_released(&self, conn: ConnId) -> bool {
        let session = self.sessions[conn.slot as usize].as_ref().filter(|session| session.conn == conn);
        let output = session.and_then(|session| session.gated.as_ref());
        output.is_none_or(|output| self.shared.log.epochs.is_complete(output.first_gate()))
    }

    /// Whether the server may end as far as this core's log goes: what was recorded before somebody asked for the end is
    /// written and synced.
    pub(super) fn log_may_end(&mut self) -> bool {
        let epochs = &self.shared.log.epochs;
        if !self.log.gates || epochs.is_failing() {
            return true;
        }
        if self.log.ending.is_none() {
            let is_settled = epochs.is_settled() && self.shard.journal.is_empty();
            let barrier = if is_settled { 0 } else { epochs.pushed() + 1 };
            self.log.wanted = self.log.wanted.max(barrier);
            self.log.ending = Some((self.clock.micros(), barrier));
        }
        let (since, barrier) = self.log.ending.expect("it was set above, or before");
        if self.clock.micros() - since > FLUSH_MICROS_MAX {
            tracing::warn!("The append-only file could not be flushed in time.");
            return true;
        }
        if !self.shared.log.epochs.is_complete(barrier) {
            return false;
        }
        if self.log.is_unsynced && !self.log.is_syncing && self.log.file.is_some() {
            self.sync_behind();
        }
        !self.log.is_syncing
    }

    /// Whether the server is to end and waits for this core's log.
    pub(super) fn log_ends(&self) -> bool {
        self.log.ending.is_some()
    }

    /// Begins what is due: a rewrite that was asked for, that has become worth while, or without which there is no log.
    pub(super) fn heed_rewrites(&mut self) {
        let (log, config) = (&self.shared.log, Arc::clone(&self.shard.config));
        if self.shared.snapshots.current().is_some() || self.shared.snapshots.has_loading() {
            return;
        }
        let now = self.tick_time.0 / 1000;
        let outgrown = log.has_outgrown(&config).filter(|_| log.status().failures == 0 || log.lacks_base(now));
        if let Some(growth) = outgrown {
            tracing::info!("Starting automatic rewriting of AOF on {growth}% growth");
        }
        if outgrown.is_some() || log.is_rewrite_wanted() || log.lacks_base(now) {
            self.begin_save(Kind::Rewrite, None);
        }
    }
}
