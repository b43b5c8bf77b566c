//! What is known of snapshots on all cores: the one under way, the last one, and the file that is being loaded.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use storage::UnixMillis;

use super::job::{Job, Kind, Waiter};
use super::load::Loading;
use crate::aof::Log;
use crate::config::Config;
use crate::ids::ShardId;
use crate::shared::Shared;

/// After a failure, save points wait for so many seconds before they ask for another snapshot, as in Redis.
const RETRY_SECONDS: i64 = 5;

/// What somebody who is no core asks of the first core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Save, then end.
    Shutdown {
        /// End, too, if it cannot be saved.
        force: bool,
    },
    /// End without saving.
    Stop,
}

/// The last snapshot.
#[derive(Clone, Copy, Debug)]
pub struct LastSave {
    /// The last background snapshot succeeded (or there was none).
    pub succeeded: bool,
    /// Seconds it took; -1 if there was none.
    pub seconds: i64,
    /// When one was last tried, in seconds since 1970.
    pub tried_at: i64,
    /// Bytes that it saved ahead of changes.
    pub ahead_bytes: u64,
    /// How many succeeded.
    pub saves: u64,
}

#[derive(Debug)]
struct State {
    current: Option<Arc<Job>>,
    /// What the writer has not begun.
    unwritten: Option<Arc<Job>>,
    last: LastSave,
    closed: bool,
}

/// What all cores, the writer and the main thread know of snapshots.
pub struct Hub {
    state: Mutex<State>,
    to_write: Condvar,
    /// Some commands are refused: a file is loading, or the last snapshot failed.
    restricts: AtomicBool,
    log_fails: AtomicBool,
    /// A snapshot has more to write than it may hold: commands that write wait.
    holds_writes: Arc<AtomicBool>,
    /// Snapshots in the background that wait for the one under way.
    background_wanted: AtomicUsize,
    orders: Mutex<Vec<Order>>,
    has_orders: AtomicBool,
    /// Changes of each shard since the start, as of its last housekeeping.
    changes: Box<[AtomicU64]>,
    /// Changes that are in the last snapshot, or were forgotten by a reload.
    saved_changes: AtomicU64,
    loading: Mutex<Option<Arc<Loading>>>,
    has_loading: AtomicBool,
    /// Keys that the last load loaded, and those it found expired.
    last_load: Mutex<(u64, u64)>,
    /// Shutdowns by signals that failed.
    failed_shutdowns: AtomicU64,
    bell: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Hub {
    /// Nothing is under way, and nothing was yet.
    pub fn new(shards: usize) -> Hub {
        Hub {
            state: Mutex::new(State {
                current: None,
                unwritten: None,
                last: LastSave { succeeded: true, seconds: -1, tried_at: 0, ahead_bytes: 0, saves: 0 },
                closed: false,
            }),
            to_write: Condvar::new(),
            restricts: AtomicBool::new(false),
            log_fails: AtomicBool::new(false),
            holds_writes: Arc::default(),
            background_wanted: AtomicUsize::new(0),
            orders: Mutex::default(),
            has_orders: AtomicBool::new(false),
            changes: (0..shards).map(|_| AtomicU64::new(0)).collect(),
            saved_changes: AtomicU64::new(0),
            loading: Mutex::default(),
            has_loading: AtomicBool::new(false),
            last_load: Mutex::default(),
            failed_shutdowns: AtomicU64::new(0),
            bell: OnceLock::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no one panics while looking at a snapshot")
    }

    /// Begins a snapshot, unless one is under way. Whoever gets it pushes its cut to all shards.
    pub fn begin(
        &self,
        kind: Kind,
        waiter: Option<(ShardId, Waiter)>,
        config: &Config,
        log: &Log,
        now: UnixMillis,
    ) -> Option<Arc<Job>> {
        let mut state = self.lock();
        if state.current.is_some() || state.closed {
            return None;
        }
        let target = match kind {
            Kind::Rewrite => log.begin_rewrite(config, now.0 / 1000),
            _ => (PathBuf::from(&config.dir.0), config.dbfilename.clone()),
        };
        let holds_writes = Arc::clone(&self.holds_writes);
        let job = Arc::new(Job::new(kind, waiter, config, target, now, (self.changes.len(), holds_writes)));
        if kind != Kind::Rewrite {
            state.last.tried_at = now.0 / 1000;
        }
        state.current = Some(Arc::clone(&job));
        state.unwritten = Some(Arc::clone(&job));
        self.to_write.notify_one();
        Some(job)
    }

    /// A snapshot waits for the one under way, or does so no longer.
    pub fn count_wanted(&self, kind: Kind, waits: bool) {
        if kind == Kind::Background {
            if waits {
                self.background_wanted.fetch_add(1, Ordering::AcqRel);
            } else {
                self.background_wanted.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }

    /// Whether one is made in the background, or waits for another.
    pub fn is_saving_in_background(&self) -> bool {
        let waits = self.background_wanted.load(Ordering::Acquire) > 0;
        waits || self.current().is_some_and(|job| job.kind == Kind::Background)
    }

    /// The snapshot under way.
    pub fn current(&self) -> Option<Arc<Job>> {
        self.lock().current.clone()
    }

    /// The last snapshot.
    pub fn last(&self) -> LastSave {
        self.lock().last
    }

    /// Waits for a snapshot to be written; `None` at the end of the server.
    pub(super) fn next_job(&self) -> Option<Arc<Job>> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.unwritten.take() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self.to_write.wait(state).expect("no one panics while looking at a snapshot");
        }
    }

    /// Whether a snapshot is to be written that all shards have handed in, and nobody else has to do anything for.
    #[cfg(feature = "simulation")]
    pub fn has_whole(&self, shared: &Shared) -> bool {
        let is_whole = |job: &Arc<Job>| job.all_done() && (job.kind != Kind::Rewrite || !shared.log.awaits_cut());
        self.lock().unwritten.as_ref().is_some_and(is_whole)
    }

    /// The writer is done with a snapshot.
    pub(super) fn ended(&self, shared: &Shared, job: &Job, outcome: Result<(), String>) {
        let now = seconds_now();
        let outcome = match job.kind {
            // The files are there when the manifest names them.
            Kind::Rewrite => {
                let taken = shared.log.rewrite_ended(&shared.config(), &outcome, !job.is_cancelled(), now);
                outcome.and(taken)
            }
            _ => outcome,
        };
        {
            let mut state = self.lock();
            let background = job.kind == Kind::Background;
            match &outcome {
                Ok(()) if job.kind.saves() && job.kind != Kind::Rewrite => {
                    state.last.succeeded = true;
                    state.last.saves += 1;
                    shared.last_save_seconds.store(now, Ordering::Relaxed);
                    self.saved_changes.store(job.changes.load(Ordering::Relaxed), Ordering::Relaxed);
                }
                Err(_) if background && !job.is_cancelled() => state.last.succeeded = false,
                _ => {}
            }
            if background {
                state.last.seconds = now - job.began.0 / 1000;
                state.last.ahead_bytes = job.ahead_bytes.load(Ordering::Relaxed);
            }
            log_end(job, &outcome);
            job.end(outcome);
            Self::forget_if_over(&mut state, job);
            self.log_fails.store(shared.log.refuses_writes(), Ordering::Release);
            self.judge(&state);
        }
        shared.wake_all();
    }

    /// A shard has handed in all that it has for a snapshot.
    pub fn shard_done(&self, shared: &Shared, job: &Job) {
        job.shard_done();
        let mut state = self.lock();
        Self::forget_if_over(&mut state, job);
        if state.current.is_none() {
            drop(state);
            shared.wake_all();
        }
    }

    /// Another snapshot may begin when all shards and the writer are done with this one.
    fn forget_if_over(state: &mut State, job: &Job) {
        if job.outcome().is_some() && job.all_done() {
            state.current = None;
        }
    }

    fn judge(&self, state: &State) {
        let loads = self.loading().is_some_and(|loading| loading.refuses_commands());
        let fails = !state.last.succeeded || self.log_fails.load(Ordering::Acquire);
        self.restricts.store(loads || fails, Ordering::Release);
    }

    /// The append-only files cannot be written, or can be again.
    pub fn judge_log(&self, shared: &Shared) {
        self.log_fails.store(shared.log.refuses_writes(), Ordering::Release);
        self.judge(&self.lock());
    }

    /// Nothing is written any more: the server ends. What is under way is dropped, its temporary file with it.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        if let Some(job) = &state.current {
            job.cancel();
        }
        self.to_write.notify_one();
    }

    /// Whether some commands are refused: the quick look.
    #[inline]
    pub fn restricts(&self) -> bool {
        self.restricts.load(Ordering::Relaxed)
    }

    /// Whether commands that write are refused: the last snapshot failed, and there are save points to keep.
    pub fn refuses_writes(&self, config: &Config) -> bool {
        config.stop_writes_on_bgsave_error && !config.save.points.is_empty() && !self.last().succeeded
    }

    /// Whether commands that write wait for a snapshot's buffers to get shorter.
    #[inline]
    pub fn holds_writes(&self) -> bool {
        self.holds_writes.load(Ordering::Relaxed)
    }

    /// Asks the first core for something.
    pub fn order(&self, order: Order) {
        let mut orders = self.orders.lock().expect("no one panics while ordering");
        if !orders.contains(&order) {
            orders.push(order);
        }
        self.has_orders.store(true, Ordering::Release);
    }

    /// Whether something was asked for.
    pub fn has_orders(&self) -> bool {
        self.has_orders.load(Ordering::Acquire)
    }

    /// What was asked for.
    pub fn take_orders(&self) -> Vec<Order> {
        let mut orders = self.orders.lock().expect("no one panics while ordering");
        self.has_orders.store(false, Ordering::Release);
        std::mem::take(&mut orders)
    }

    /// Takes back a shutdown that a signal asked for and that has not begun; whether there was one.
    pub fn abort_shutdown(&self) -> bool {
        let orders = self.take_orders();
        if !orders.is_empty() {
            self.shutdown_failed();
        }
        !orders.is_empty()
    }

    /// A shard counted so many changes since the start.
    pub fn note_changes(&self, shard: ShardId, changes: u64) {
        self.changes[shard.index()].store(changes, Ordering::Relaxed);
    }

    /// Changes that are in no snapshot, of `all` since the start.
    pub fn unsaved_changes(&self, all: u64) -> u64 {
        all.saturating_sub(self.saved_changes.load(Ordering::Relaxed))
    }

    /// All changes up to now are in the file, since they came from there.
    fn forget_changes(&self) {
        let all = self.changes.iter().map(|changes| changes.load(Ordering::Relaxed)).sum();
        self.saved_changes.store(all, Ordering::Relaxed);
    }

    /// The save point that is reached: changes and seconds.
    pub fn save_point_reached(&self, config: &Config, now: UnixMillis, last_save: i64) -> Option<(u64, u64)> {
        let points = &config.save.points;
        if points.is_empty() || self.has_loading() {
            return None;
        }
        let changes = self.unsaved_changes(self.changes.iter().map(|changes| changes.load(Ordering::Relaxed)).sum());
        let now = now.0 / 1000;
        let elapsed = now - last_save;
        let point = points.iter().find(|point| changes >= point.changes && elapsed > point.seconds as i64)?;
        let last = self.last();
        (last.succeeded || now - last.tried_at > RETRY_SECONDS).then_some((point.changes, point.seconds))
    }

    /// Begins to load a file on all cores.
    pub fn begin_loading(&self, loading: Arc<Loading>) {
        *self.loading.lock().expect("no one panics while loading") = Some(loading);
        self.has_loading.store(true, Ordering::Release);
        self.judge(&self.lock());
    }

    /// The file that is being loaded.
    pub fn loading(&self) -> Option<Arc<Loading>> {
        self.loading.lock().expect("no one panics while loading").clone()
    }

    /// Whether a file is being loaded: the quick look.
    #[inline]
    pub fn has_loading(&self) -> bool {
        self.has_loading.load(Ordering::Relaxed)
    }

    /// A core is done with the file. The last one says so to all.
    pub fn core_loaded(&self, shared: &Shared, loading: &Loading) {
        if !loading.core_done() {
            return;
        }
        *self.last_load.lock().expect("no one panics while loading") = loading.counts();
        if loading.failure().is_none() {
            loading.log_end();
            self.forget_changes();
        }
        if loading.failure().is_none() || !loading.refuses_commands() {
            *self.loading.lock().expect("no one panics while loading") = None;
            self.has_loading.store(false, Ordering::Release);
        }
        self.judge(&self.lock());
        self.ring();
        shared.wake_all();
    }

    /// Keys that the last load loaded, and those that were expired.
    pub fn last_load(&self) -> (u64, u64) {
        *self.last_load.lock().expect("no one panics while loading")
    }

    /// Says how the main thread is told that something happened. Once.
    pub fn set_bell(&self, bell: Box<dyn Fn() + Send + Sync>) {
        assert!(self.bell.set(bell).is_ok(), "a server has one main thread");
    }

    pub(super) fn ring(&self) {
        if let Some(bell) = self.bell.get() {
            bell();
        }
    }

    /// A shutdown by a signal failed, or was taken back.
    pub fn shutdown_failed(&self) {
        self.failed_shutdowns.fetch_add(1, Ordering::Release);
        self.ring();
    }

    /// How many did.
    pub fn failed_shutdowns(&self) -> u64 {
        self.failed_shutdowns.load(Ordering::Acquire)
    }
}

fn seconds_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64
}

fn log_end(job: &Job, outcome: &Result<(), String>) {
    match outcome {
        Ok(()) if !job.kind.saves() => {}
        Ok(()) if job.kind == Kind::Rewrite => {
            tracing::info!("Background AOF rewrite finished successfully");
        }
        Err(why) if job.kind == Kind::Rewrite => {
            tracing::warn!("Background AOF rewrite terminated with error: {why}");
        }
        Ok(()) => {
            tracing::info!("DB saved on disk");
            if job.kind == Kind::Background {
                let mebibytes = job.ahead_bytes.load(Ordering::Relaxed) >> 20;
                tracing::info!("Saved ahead of changes: {mebibytes} MB");
                tracing::info!("Background saving terminated with success");
            }
        }
        Err(_) if job.is_cancelled() => tracing::warn!("Background saving terminated: it is not wanted any more"),
        Err(why) => {
            tracing::warn!("{why}");
            if job.kind == Kind::Background {
                tracing::warn!("Background saving error");
            }
        }
    }
}
