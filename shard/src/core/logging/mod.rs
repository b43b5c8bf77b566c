//! The append-only files on one core. See `aof/mod.rs` for the whole.
//!
//! | file | what is done there |
//! |---|---|
//! | `cuts.rs` | barriers are pushed; what was recorded up to one is cut off |
//! | `groups.rs` | a group is written and synced, and written again when the disk has failed |
//! | `window.rs` | with `always`, whoever is about to write is waited for |
//! | `output.rs` | what may not leave yet is held |
//! | `acks.rs` | clients wait for their writes to be synced (WAITAOF) |
//! | `end.rs` | the server ends |

mod acks;
mod cuts;
mod end;
mod groups;
mod output;
mod window;

use std::collections::VecDeque;
use std::sync::Arc;

use net::ConnId;
use net::service::FileRequest;

use super::Core;
use crate::aof::{Barrier, LogFile};
use crate::config::types::choices::AppendFsync;
use crate::ids::ShardId;
use crate::snapshot::{Job, Kind};
use acks::Ack;
pub use acks::NO_LOG;
use groups::Flight;
use window::Window;

/// `everysec`, and the time after which a write is tried again, in milliseconds.
const SECOND_MILLIS: i64 = 1000;

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
    /// Where the next group is put together: empty.
    spare: Vec<u8>,
    window: Window,
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
    /// The first barrier whose group was written and that no sync covers; 0 if there is none.
    unsynced: u64,
    is_syncing: bool,
    synced_at: i64,
    /// The beginning of the last sync that was told to take long.
    told_slow_sync: i64,
    fails: bool,
    /// The second that was last told, with `aof-timestamp-enabled`.
    told_second: i64,
    /// Since when the server is to end, and the barrier that it waits for.
    ending: Option<(u64, u64)>,
    /// Since when it needs no barrier any more, and waits for others that do.
    ready_to_end: Option<u64>,
    /// Clients that wait for their writes to be synced.
    acks: Vec<Ack>,
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
            self.log.spare = Vec::new();
            self.log.handed = None;
            self.log.unsynced = 0;
            self.shared.log.epochs.note_unsynced(self.id, 0);
            if self.log.flight.as_ref().is_some_and(|flight| flight.again.is_some()) {
                self.end_flight();
            }
            if std::mem::take(&mut self.log.fails) {
                self.shared.log.epochs.set_failing(false, &self.shared.mesh);
                self.shared.snapshots.judge_log(&self.shared);
            }
        }
    }

    /// When this core has to look at its log again though nothing comes.
    pub(super) fn log_deadline(&self) -> Option<i64> {
        let again = self.log.flight.as_ref().and_then(|flight| flight.again.as_ref()).map(|(_, at)| *at);
        let syncs = self.log.unsynced > 0 && self.shard.config.appendfsync != AppendFsync::No;
        again.into_iter().chain(syncs.then_some(self.log.synced_at + SECOND_MILLIS)).min()
    }

    /// Whether this core may sleep: if something here waits for a barrier, the core is woken when that is complete. False
    /// if it is by now.
    pub(super) fn log_may_sleep(&self) -> bool {
        let log = &self.log;
        let waits = !self.shard.journal.is_empty()
            || !log.held.is_empty()
            || !log.jobs.is_empty()
            || log.handed.is_some()
            || !log.acks.is_empty();
        let epochs = &self.shared.log.epochs;
        if !waits && log.wanted <= epochs.pushed() && log.ending.is_none() {
            return true;
        }
        epochs.wait(self.id);
        // The core is woken at the end of its window.
        let is_turn = !epochs.is_under_way() && self.rest_of_window().is_none();
        let may_push = is_turn && (!self.shard.journal.is_empty() || !log.jobs.is_empty());
        let wants = is_turn && log.wanted > epochs.pushed();
        let may_leave = log.held.iter().any(|conn| self.is_released(*conn));
        let is_written = |(_, barrier)| epochs.is_written(barrier) || epochs.has_given_up();
        let may_end = log.ending.is_some_and(is_written) && (log.ready_to_end.is_none() || epochs.are_ready_to_end());
        !may_push && !wants && !may_leave && !may_end && !self.may_ack()
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
