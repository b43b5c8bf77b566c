//! Loading on one core: an RDB file or a log, in slices, at the start or in the place of what is there.

use std::sync::Arc;

use super::Core;
use super::replaying::Slice;
use crate::replay::{self, Opened};
use crate::snapshot::{Conflict, Job, Loader, Loading, SnapshotLoader, Task};
use storage::UnixMillis;

/// A slice of loading ends after so many microseconds: little else is to be done meanwhile.
const LOAD_SLICE_MICROS: u64 = 1000;

impl Core {
    /// Finds the file that DEBUG RELOAD has saved, or is to load.
    pub(super) fn open_reload(&self, job: &Job, merge: bool) -> Option<Arc<Loading>> {
        let conflict = if merge { Conflict::Replace } else { Conflict::Fail };
        let now = self.clock.now();
        let check_sum = self.shard.config.rdbchecksum && self.shard.check_sums;
        match Loading::open(&job.path(), self.shard.shards, check_sum, conflict, false, now) {
            Ok(Some(loading)) => Some(Arc::new(loading)),
            Ok(None) => {
                tracing::warn!("There is no file {} to load", job.path().display());
                None
            }
            Err(why) => {
                tracing::warn!("{why}");
                None
            }
        }
    }

    /// Finds the append-only files; commands are refused from now on.
    pub(super) fn open_log(&self) -> Option<Arc<Loading>> {
        match replay::open(&self.shard.config, self.shard.shards, true, self.clock.now()) {
            Ok(Opened { loading: Some(loading), .. }) => {
                let loading = Arc::new(loading);
                self.shared.snapshots.begin_loading(Arc::clone(&loading));
                Some(loading)
            }
            Ok(Opened { loading: None, .. }) => {
                tracing::warn!("There are no append-only files to load");
                None
            }
            Err(why) => {
                tracing::warn!("{why}");
                None
            }
        }
    }

    /// Loads some of a data set, which this core has yet to load.
    pub(super) fn load_slice(&mut self, loading: &Arc<Loading>, flush: bool) {
        if self.saves.loaded.as_ref().is_some_and(|loaded| Arc::ptr_eq(loaded, loading)) {
            return;
        }
        let before = self.saves.loader.take();
        if before.is_none() {
            self.shard.is_replaying = loading.is_log();
            if loading.is_log() {
                self.suspend_log();
            }
            if flush {
                self.empty_for_load();
            }
            if loading.core_begins() {
                self.shared.wake_all();
            }
        }
        let Some(mut loader) = Loader::next(before, loading, &self.shard) else { return self.loaded(loading) };
        let slice = match &mut loader.task {
            Task::Wait => Slice::Waits,
            // The cut may still be on its way, and holds the shard when it comes.
            Task::Empty if self.saves.ticket.is_none() => Slice::Waits,
            Task::Empty => {
                self.empty_for_load();
                self.unlock_shard();
                Slice::Done
            }
            Task::Snapshot(file) => {
                let slice = self.load_snapshot_slice(loading, file);
                // Before commands come that change them.
                if slice == Slice::Done && self.id.index() == 0 && loading.failure().is_none() {
                    loading.take_in_libraries(&self.shared.scripts);
                }
                slice
            }
            Task::Logs(logs) if loading.has_begun() => self.replay_slice(loading, logs),
            Task::Logs(_) => Slice::Waits,
        };
        if loading.has_failed() {
            // The others may wait for what this core will not do any more.
            self.shared.wake_all();
        }
        if slice == Slice::Done {
            loader.task = Task::Wait;
            if loading.stage_done() {
                self.shared.wake_all();
            }
        }
        self.saves.is_busy |= slice != Slice::Waits;
        self.wait_for_delay(loading);
        self.saves.loader = Some(loader);
    }

    /// Empties this shard; the first core takes the libraries of functions away.
    fn empty_for_load(&mut self) {
        self.empty_shard();
        if self.id.index() == 0 {
            self.shared.scripts.remove_libraries();
        }
    }

    fn load_snapshot_slice(&mut self, loading: &Loading, file: &mut SnapshotLoader) -> Slice {
        let end = self.clock.micros() + LOAD_SLICE_MICROS;
        while !self.is_early(loading) {
            if !file.step(loading, &mut self.shard) {
                return Slice::Done;
            }
            if self.clock.micros() >= end {
                break;
            }
        }
        Slice::More
    }

    /// `key-load-delay`: whether more was loaded than may be by now.
    pub(super) fn is_early(&self, loading: &Loading) -> bool {
        let delay = u64::try_from(self.shard.config.key_load_delay).unwrap_or(0);
        let elapsed = self.clock.now().0.saturating_sub(loading.began.0) as u64 * 1000;
        delay > 0 && loading.steps() * delay > elapsed
    }

    /// Looks again a little later if it is too early to go on.
    fn wait_for_delay(&mut self, loading: &Loading) {
        if self.is_early(loading) {
            self.saves.is_busy = false;
            self.next_cron = self.next_cron.min(UnixMillis(self.tick_time.0 + 1));
        }
    }

    fn empty_shard(&mut self) {
        for database in &mut self.shard.databases {
            self.shard.garbage.push(database.clear());
        }
    }

    /// This core is done with the file.
    fn loaded(&mut self, loading: &Arc<Loading>) {
        self.saves.loaded = Some(Arc::clone(loading));
        self.shard.is_replaying = false;
        self.drop_replay();
        // A server with half a log ends, and adds nothing to it.
        if !loading.has_failed() || !loading.is_log() {
            self.begin_log();
        }
        self.shared.snapshots.note_changes(self.id, self.shard.counters.dirty);
        self.shared.snapshots.core_loaded(&self.shared, loading);
    }
}
