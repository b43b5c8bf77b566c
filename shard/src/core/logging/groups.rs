//! Writing the groups of this shard to its file, and what becomes of what cannot be written.

//!
//! A group is written where the one before ended. What fails is written again at the same place, once a second, until the
//! disk takes it; meanwhile no barrier is pushed, nobody waits, and writes are refused, as in Redis. With `always` a server
//! that cannot write ends, and tells nobody of what it could not write.
//!
//! With `always` the sync of a group comes with its write, as one request.
//!
//! A sync that has failed is not tried again: the next one would succeed without what this one has lost. Writes are refused
//! until the data set is in a new base, behind which there are new files ([`Log::doubt`](crate::aof::Log::doubt)).

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use net::service::{FileDone, FileOp, FileRequest};

use super::SECOND_MILLIS;
use crate::aof::Barrier;
use crate::config::error::system_text;
use crate::config::types::choices::AppendFsync;
use crate::core::Core;
use crate::journal::BYTES_KEPT;
use crate::shared::Stop;

/// Names of requests: a group is written, is synced because somebody waits for that, and is synced once a second.
const WRITE: u32 = 1;
const SYNC: u32 = 2;
const SYNC_BEHIND: u32 = 3;

/// A sync that takes longer than this holds writes up, which is counted and told, in milliseconds.
const SLOW_SYNC_MILLIS: i64 = 2 * SECOND_MILLIS;

/// A group on its way to the file.
pub(super) struct Flight {
    pub(super) barrier: Arc<Barrier>,
    /// Where what is left of it goes.
    pub(super) offset: u64,
    /// What is left of it, while it waits to be written, or to be tried again, at this time.
    pub(super) again: Option<(Vec<u8>, i64)>,
}

impl Core {
    fn request(&mut self, number: u32, op: FileOp) {
        let file = Arc::clone(&self.log.file.as_ref().expect("whoever records has a file").file);
        self.log.requests.push(FileRequest { number, file, op });
    }

    /// Writes a group, at once unless that is to take long.
    pub(super) fn begin_group(&mut self, bytes: Vec<u8>) {
        let sleep = self.shared.log.flush_sleep_micros.load(Ordering::Relaxed);
        if sleep == 0 {
            return self.write_group(bytes);
        }
        // Of the millisecond that is under way some may be over.
        let at = self.clock.now().0.saturating_add_unsigned(sleep.div_ceil(1000) + 1);
        self.log.flight.as_mut().expect("it is on its way").again = Some((bytes, at));
    }

    pub(super) fn write_group(&mut self, bytes: Vec<u8>) {
        self.note_slow_sync();
        let offset = self.log.flight.as_ref().expect("it is on its way").offset;
        self.shared.log.buffered.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let syncs = self.syncs_groups();
        self.request(WRITE, FileOp::Write { offset, bytes, syncs });
    }

    /// A write to a file waits for the sync of it that is under way.
    fn note_slow_sync(&mut self) {
        let is_slow = self.log.is_syncing && self.tick_time.0 - self.log.synced_at > SLOW_SYNC_MILLIS;
        if is_slow && self.log.told_slow_sync != self.log.synced_at {
            self.log.told_slow_sync = self.log.synced_at;
            self.shared.log.delayed_syncs.fetch_add(1, Ordering::Relaxed);
            tracing::info!(
                "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for \
                 fsync to complete, this may slow down the server."
            );
        }
    }

    /// A request on a file has ended.
    pub(in crate::core) fn log_request_done(&mut self, done: FileDone) {
        match done.number {
            WRITE => self.group_written(done),
            SYNC => self.group_synced(done.result.map(|_| ())),
            _ => self.synced_behind(done.result),
        }
    }

    fn group_written(&mut self, done: FileDone) {
        let FileDone { result, mut bytes, synced, .. } = done;
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
                bytes.clear();
                if bytes.capacity() <= BYTES_KEPT {
                    self.log.spare = bytes;
                }
                self.group_is_there(synced);
            }
            Err(error) => self.write_failed(&error, bytes),
        }
    }

    /// Whether groups are synced before anybody is told of them.
    pub(super) fn syncs_groups(&self) -> bool {
        self.shard.config.appendfsync == AppendFsync::Always && !self.may_skip_sync()
    }

    fn group_is_there(&mut self, synced: Option<io::Result<()>>) {
        let flight = self.log.flight.as_ref().expect("it was written just now");
        let file = self.log.file.as_mut().expect("it was written to");
        file.offset = flight.offset;
        self.shared.log.note_size(self.id, file.offset);
        let barrier = flight.barrier.number;
        if std::mem::take(&mut self.log.fails) {
            tracing::warn!("AOF write error looks solved. The server can write again.");
            self.shared.log.epochs.set_failing(false, &self.shared.mesh);
            self.shared.snapshots.judge_log(&self.shared);
        }
        if let Some(result) = synced {
            return self.group_synced(result);
        }
        // It was not when the write was asked for.
        if self.syncs_groups() {
            return self.request(SYNC, FileOp::Sync);
        }
        if self.log.unsynced == 0 {
            self.log.unsynced = barrier;
        }
        // Before the barrier is complete, or somebody could take it for synced.
        self.shared.log.epochs.begin_unsynced(self.id, barrier);
        self.end_flight();
    }

    pub(super) fn end_flight(&mut self) {
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
            return self.give_up();
        }
        self.shared.log.note_failure(error);
        if self.log.ending.is_some() {
            // It was tried once more when the end was asked for.
            tracing::error!("Error writing to the AOF file: {why}. What could not be written is lost.");
            self.shared.log.epochs.give_up();
            self.shared.wake_all();
        }
        let again = self.clock.now().0 + SECOND_MILLIS;
        self.log.flight.as_mut().expect("its write has failed").again = Some((bytes, again));
        if !std::mem::replace(&mut self.log.fails, true) {
            tracing::warn!("Error writing to the AOF file: {why}");
            self.shared.log.epochs.set_failing(true, &self.shared.mesh);
            self.shared.snapshots.judge_log(&self.shared);
        }
    }

    /// With `always`: the server ends, and what waits for the disk does not leave it.
    fn give_up(&self) {
        self.shared.log.epochs.give_up();
        self.shared.request_stop(Stop::Orderly(1));
    }

    fn group_synced(&mut self, result: io::Result<()>) {
        // The log may have been turned off meanwhile.
        if let Some(error) = result.err().filter(|_| self.log.file.is_some()) {
            let why = system_text(&error);
            tracing::error!(
                "Can't persist AOF for fsync error when the AOF fsync policy is 'always': {why}. Exiting..."
            );
            return self.give_up();
        }
        self.shared.log.syncs.fetch_add(1, Ordering::Relaxed);
        self.log.window.group_ended(self.clock.micros());
        self.log.unsynced = 0;
        self.shared.log.epochs.note_unsynced(self.id, 0);
        if self.log.flight.is_some() {
            self.end_flight();
        }
    }

    fn synced_behind(&mut self, result: io::Result<usize>) {
        self.log.is_syncing = false;
        self.shared.log.pending_syncs.fetch_sub(1, Ordering::Relaxed);
        match result {
            Ok(_) => {
                self.shared.log.syncs.fetch_add(1, Ordering::Relaxed);
                // What was handed in the keeper syncs.
                if self.log.handed.is_none() {
                    self.shared.log.epochs.note_unsynced(self.id, self.log.unsynced);
                    self.shared.log.epochs.wake_waiting(&self.shared.mesh, Some(self.id));
                }
            }
            Err(error) => {
                tracing::warn!("Fail to fsync the AOF file: {}", system_text(&error));
                self.shared.log.doubt(&error);
                self.shared.snapshots.judge_log(&self.shared);
            }
        }
    }

    /// What is due for the log at the end of a tick.
    pub(in crate::core) fn tend_log(&mut self) {
        self.answer_acks();
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
        self.write_again(now);
        // With `always` something is left to be synced where it was written before that was set.
        let is_due = self.shard.config.appendfsync != AppendFsync::No && now - self.log.synced_at >= SECOND_MILLIS;
        if is_due && !self.may_skip_sync() {
            self.sync_behind();
        }
    }

    /// Writes again what could not be written, if it is time.
    pub(super) fn write_again(&mut self, now: i64) {
        let again = self.log.flight.as_mut().and_then(|flight| flight.again.take_if(|(_, at)| *at <= now));
        if let Some((bytes, _)) = again {
            self.write_group(bytes);
        }
    }

    /// Syncs what was written, if there is anything, behind the back of whoever writes on.
    pub(super) fn sync_behind(&mut self) {
        if self.log.unsynced == 0 || self.log.is_syncing || self.log.file.is_none() {
            return;
        }
        self.log.synced_at = self.tick_time.0;
        self.log.unsynced = 0;
        self.log.is_syncing = true;
        self.shared.log.pending_syncs.fetch_add(1, Ordering::Relaxed);
        self.request(SYNC_BEHIND, FileOp::Sync);
    }
}
