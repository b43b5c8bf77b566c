//! Snapshots on one core: making the cut, saving the shard in slices, and what follows behind.
//!
//! Whoever wants a snapshot has a core begin it: that core pushes the cut to all shards, and answers the client when the
//! file is there or will not be. See `snapshot/mod.rs` for the whole.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use net::{Args, ConnId, Reply, Resp};
use storage::UnixMillis;
use storage::keyspace::Change;

use super::Core;
use crate::exec::CommandError;
use crate::exec::error::MISCONF;
use crate::ids::{DbId, ShardId};
use crate::limits::SLICE_MICROS;
use crate::mesh::{Claims, Message, Ticket};
use crate::shared::Stop;
use crate::snapshot::{BLOCK_BYTES, Job, Kind, Loader, Loading, Order, Waiter};
use crate::spec::table::Row;
use crate::spec::{Flag, Flags};

/// Entries that the walk visits between two looks at the clock.
const ENTRIES_PER_STEP: usize = 5;

/// While the core works for clients, saving takes at most one part in so many of its time.
const WORK_SHARE: u64 = 4;

/// And at least so many microseconds a tick.
const SLICE_MICROS_MIN: u64 = 10;

/// The processor was taken away if there is more than this between two looks at the clock, in microseconds, ...
const GAP_MICROS: u64 = 300;

/// ... and counts as shared for so long.
const CROWDED_MICROS: u64 = 200_000;

/// On a shared processor this core sleeps after slices of so many microseconds together, for as long as they took: the
/// system makes a sleep longer by half of that.
const UNRESTED_MICROS_MAX: u64 = SLICE_MICROS;

/// A command is refused while a file is loaded.
pub const LOADING: CommandError = CommandError::new("LOADING Redis is loading the dataset in memory");
const NOT_SAVED: CommandError = CommandError::new("ERR");
const NOT_SHUT_DOWN: CommandError = CommandError::new("ERR Errors trying to SHUTDOWN. Check logs.");
const NO_LOG_LOADED: CommandError = CommandError::new("ERR Error trying to load the AOF files, check server logs.");
const NOT_LOADED: CommandError = CommandError::new("ERR Error trying to load the RDB dump, check server logs.");

/// Commands that take values elsewhere: a long string that is to be saved is not kept then.
const MOVING: [&str; 3] = ["rename", "renamenx", "move"];

/// A claim on a key whose large value is saved before it changes.
struct SavedFirst {
    ticket: Ticket,
    db: DbId,
    key: Vec<u8>,
    change: Change,
}

/// A core's part in snapshots and loads.
#[derive(Default)]
pub(super) struct Saves {
    /// The snapshot whose cut was made here, until what follows behind it is done.
    job: Option<Arc<Job>>,
    /// The claim on the whole shard, if it stays locked.
    pub(super) ticket: Option<Ticket>,
    /// Those that are to begin here when nothing else is under way.
    wanted: VecDeque<(Kind, Option<Waiter>)>,
    /// The one that began here.
    begun: Option<(Arc<Job>, Option<Waiter>)>,
    /// The one in the background that began here, and who is told of it when its cut is made.
    announced: Option<(Arc<Job>, Waiter)>,
    /// This core's way through the file that is loaded.
    pub(super) loader: Option<Loader>,
    /// The file that this core has loaded, or gave up.
    pub(super) loaded: Option<Arc<Loading>>,
    /// There is more to do at once.
    pub(super) is_busy: bool,
    /// Claims on keys whose large values are saved before what was sent to change them runs.
    claims: Vec<SavedFirst>,
    /// A buffer for the next block.
    spare: Vec<u8>,
    /// Until when the processor counts as shared with others.
    crowded_until: u64,
    /// The next slice of saving does not begin before.
    rests_until: u64,
    /// What slices since the last rest took, in microseconds.
    unrested: u64,
}

impl Core {
    /// Takes the next place in the replies of `conn`, for a reply that comes when a snapshot has ended.
    pub fn expect_outcome(&mut self, conn: ConnId) -> Waiter {
        Waiter { conn, seq: self.expect_plan(conn).0, hears_failure: true }
    }

    /// Begins a snapshot, unless one is under way: what `conn` sends from now on comes behind its cut.
    pub fn begin_save(&mut self, kind: Kind, waiter: Option<Waiter>) -> bool {
        let now = self.clock.now();
        let config = self.shared.config();
        let from = waiter.filter(|_| kind != Kind::Background).map(|waiter| (self.id, waiter));
        let log = &self.shared.log;
        let Some(job) = self.shared.snapshots.begin(kind, from, &config, log, now) else { return false };
        if kind.ends_epoch() && (log.is_on() || kind == Kind::Rewrite) {
            self.begin_at_barrier(Arc::clone(&job));
        } else {
            for batch in &mut self.batches {
                batch.messages.push(Message::Cut(Arc::clone(&job)));
            }
        }
        if kind == Kind::Background {
            tracing::info!("Background saving started by pid {}", std::process::id());
            self.saves.announced = waiter.map(|waiter| (job, waiter));
        } else if kind == Kind::Rewrite {
            tracing::info!("Background append only file rewriting started by pid {}", std::process::id());
        } else {
            self.saves.begun = Some((job, waiter));
        }
        true
    }

    /// Begins a snapshot as soon as none is under way. One in the background is dropped for the last one of all.
    pub fn want_save(&mut self, kind: Kind, waiter: Option<Waiter>) {
        if matches!(kind, Kind::Shutdown { .. }) {
            self.shared.dialogues.end_soon(self.clock.now());
        }
        self.shared.snapshots.count_wanted(kind, true);
        self.saves.wanted.push_back((kind, waiter));
        self.begin_wanted();
    }

    fn begin_wanted(&mut self) {
        while let Some(&(kind, waiter)) = self.saves.wanted.front() {
            if self.saves.begun.is_some() || !self.begin_save(kind, waiter) {
                let current = self.shared.snapshots.current();
                if let (Some(job), Kind::Shutdown { .. }) = (current, kind)
                    && job.kind.is_background()
                {
                    job.cancel();
                }
                return;
            }
            self.saves.wanted.pop_front();
            self.shared.snapshots.count_wanted(kind, false);
        }
    }

    /// Tells who asked for a snapshot in the background that it has begun. The cut reaches all shards in one push, which may
    /// have to be put off; what anybody does who knows of this reply comes behind it.
    fn announce_cut(&mut self, job: &Arc<Job>) {
        if let Some((_, Waiter { conn, seq, .. })) = self.saves.announced.take_if(|(begun, _)| Arc::ptr_eq(begun, job))
        {
            let mut bytes = Vec::new();
            Reply::new(&mut bytes, Resp::V2).simple("Background saving started");
            self.fill(conn, seq, &bytes);
        }
    }

    /// Commands of `conn` that follow in this tick do not run in place: something before them is to be pushed.
    pub fn push_before_more(&mut self, conn: ConnId) {
        self.routed(conn);
    }

    /// The cut of this shard: it has the whole of it, by `ticket`.
    pub(super) fn cut(&mut self, job: Arc<Job>, ticket: Ticket) {
        self.note_outcome();
        let (mut keys, options) = (0, job.options());
        for (number, database) in self.shard.databases.iter_mut().enumerate() {
            keys += database.len() as u64;
            if job.kind.saves() {
                database.begin_saving(number as u32, options);
            }
        }
        if self.id == ShardId(0) {
            // The log of the first shard has what is recorded of them before.
            job.libraries.get_or_init(|| self.shared.scripts.libraries());
        }
        job.cut(keys, self.shard.counters.dirty);
        // What was emptied is saved by this.
        self.shard.emptied &= job.kind == Kind::Rewrite || !job.kind.saves();
        self.shard.snapshot = Some(Arc::clone(&job));
        if job.kind.holds() {
            self.saves.ticket = Some(ticket);
        } else {
            self.locks.release(ticket);
        }
        self.announce_cut(&job);
        self.saves.job = Some(job);
        self.saves.is_busy = true;
    }

    /// What there is to do for snapshots at the end of a tick.
    pub(super) fn tend_saves(&mut self) {
        self.saves.is_busy = false;
        self.release_saved();
        if self.saves.job.is_some() {
            self.note_outcome();
        }
        if self.saves.begun.is_some() {
            self.end_begun();
        }
        if !self.saves.wanted.is_empty() {
            self.begin_wanted();
        }
        if self.shared.snapshots.has_loading()
            && let Some(loading) = self.shared.snapshots.loading()
        {
            self.load_slice(&loading, false);
        }
        if self.id.index() == 0 {
            if self.shared.snapshots.has_orders() && !self.cron_paused {
                self.obey_orders();
            }
            // So that what was emptied does not come back with the file of before.
            let is_wanted = self.saves.wanted.iter().any(|(kind, _)| *kind == Kind::Foreground)
                || self.saves.begun.as_ref().is_some_and(|(job, _)| job.kind == Kind::Foreground && !self.has_cut(job));
            let emptied = std::mem::take(&mut self.shard.emptied);
            if emptied && !is_wanted && !self.shard.config.save.points.is_empty() {
                self.want_save(Kind::Foreground, None);
            }
        }
    }

    /// Whether the cut of this snapshot was made here, and what follows behind it is not done.
    fn has_cut(&self, job: &Arc<Job>) -> bool {
        self.saves.job.as_ref().is_some_and(|own| Arc::ptr_eq(own, job))
    }

    /// Saves a slice of the shard, of which there is a snapshot, unless this core rests.
    pub(super) fn save_some(&mut self, is_wanted: &mut dyn FnMut() -> bool) {
        if self.clock.micros() >= self.saves.rests_until {
            self.save_slice(is_wanted);
            // Whoever waits for what is saved is served by the next tick.
            self.saves.is_busy |= !self.saves.claims.is_empty() || self.shard.snapshot.is_none();
        }
    }

    /// Whether a server that is emptied saves that before it says so: else the file of before brings all back after a crash.
    pub(super) fn saves_emptiness(&self) -> bool {
        !self.shard.config.save.points.is_empty() && !self.shard.is_replaying
    }

    /// What `conn` has just sent empties everything, and is answered when that is saved, or could not be.
    pub(super) fn answer_when_saved(&mut self, conn: ConnId) {
        let waiter = Waiter { hears_failure: false, ..self.expect_outcome(conn) };
        self.want_save(Kind::Foreground, Some(waiter));
    }

    /// Whether there is more to do at once.
    pub(super) fn is_saving(&self) -> bool {
        self.saves.is_busy
    }

    /// How long this core may sleep at most for the sake of a snapshot, in microseconds.
    pub(super) fn rest_of_saving(&self) -> Option<u64> {
        let rests = self.shard.snapshot.is_some() && self.saves.rests_until > 0;
        rests.then(|| self.saves.rests_until.saturating_sub(self.clock.micros()).max(1))
    }

    /// A slice of saving that began at `began` ends, with more to do. Who takes all of a processor that others want too is
    /// sent behind them, for milliseconds, and his clients with him; who sleeps now and then is let in when he wakes. So
    /// saving takes half of a processor that turns out to be shared.
    fn end_slice(&mut self, began: u64, longest_gap: u64) {
        let now = self.clock.micros();
        if longest_gap >= GAP_MICROS {
            self.saves.crowded_until = now + CROWDED_MICROS;
        }
        self.saves.unrested += now - began;
        if now < self.saves.crowded_until && self.saves.unrested >= UNRESTED_MICROS_MAX {
            self.saves.rests_until = now + self.saves.unrested.min(GAP_MICROS);
            self.saves.unrested = 0;
        } else {
            self.saves.is_busy = true;
        }
    }

    fn obey_orders(&mut self) {
        for order in self.shared.snapshots.take_orders() {
            match order {
                Order::Shutdown { force } => self.want_save(Kind::Shutdown { force, by_signal: true }, None),
                Order::Stop => self.shared.request_stop(Stop::Orderly(0)),
            }
        }
    }

    /// Saves some of the shard: while the core works for clients, for a part of its time, else for a whole slice, unless it
    /// is wanted before.
    fn save_slice(&mut self, is_wanted: &mut dyn FnMut() -> bool) {
        let job = Arc::clone(self.shard.snapshot.as_ref().expect("looked at before"));
        let began = self.clock.micros();
        let worked = began.saturating_sub(self.tick_began);
        let least = began + (worked / WORK_SHARE).clamp(SLICE_MICROS_MIN, SLICE_MICROS);
        let most = began + SLICE_MICROS;
        let mut is_due = |micros| micros >= most || (micros >= least && job.kind.is_background() && is_wanted());
        let delay = u64::try_from(self.shard.config.rdb_key_save_delay).unwrap_or(0);
        let is_abandoned = job.is_abandoned();
        self.saves.rests_until = 0;
        let (mut is_over, mut goes_on, mut last, mut longest_gap) = (true, false, began, 0);
        for database in &mut self.shard.databases {
            if is_abandoned {
                database.abandon_saving();
            }
            while database.is_saving() {
                let micros = self.clock.micros();
                longest_gap = longest_gap.max(micros - last);
                last = micros;
                let elapsed = self.clock.now().0.saturating_sub(job.began.0) as u64 * 1000;
                let is_early = delay > 0 && !is_abandoned && job.keys_done.load(Ordering::Relaxed) * delay >= elapsed;
                let awaits_piece = || database.saves_large().is_some_and(|db| job.awaits_piece(self.id, db));
                let waits = is_early || (job.is_full() && !awaits_piece());
                let is_due = is_due(micros);
                let walked = !waits && !is_due && database.save_step(ENTRIES_PER_STEP, BLOCK_BYTES);
                if (walked || delay > 0 || database.saved_bytes() >= BLOCK_BYTES)
                    && let Some(block) = database.take_saved(&mut self.saves.spare)
                {
                    self.saves.spare = job.hand_in(self.id, block);
                }
                while let Some(block) = database.take_piece(BLOCK_BYTES, &mut self.saves.spare) {
                    self.saves.spare = job.hand_in(self.id, block);
                }
                self.shard.garbage.extend(std::iter::from_fn(|| database.take_written()));
                job.ahead_bytes.fetch_add(database.take_ahead_bytes(), Ordering::Relaxed);
                if walked {
                    self.shard.garbage.extend(database.end_saving());
                } else if waits || is_due {
                    is_over = false;
                    goes_on |= !waits;
                    if is_early {
                        self.next_cron = self.next_cron.min(UnixMillis(self.tick_time.0 + 1));
                    }
                    break;
                }
            }
        }
        if goes_on && job.kind.is_background() {
            self.end_slice(began, longest_gap);
        } else {
            self.saves.is_busy |= goes_on;
        }
        // Those that a transaction has taken elsewhere come back, with what is left to save in them.
        let all_here = self.saves.ticket.is_some() || self.locks.is_idle();
        if is_over && all_here {
            self.shard.snapshot = None;
            self.saves.spare = Vec::new();
            self.shared.snapshots.shard_done(&self.shared, &job);
        }
    }

    /// A command that writes has come for this shard: if it is for a large value that is not saved, or not all of it, the
    /// key is claimed until it is. Such a claim waits for nothing, so nobody can wait for it in a circle.
    pub(super) fn claim_for_saving(&mut self, db: DbId, row: &Row, args: &Args<'_>) {
        let goes_on = self.saves.job.as_ref().is_some_and(|job| !job.kind.holds());
        if !goes_on || !row.command.flags.has(Flag::Write) {
            return;
        }
        let change = if MOVING.contains(&row.full_name.as_str()) { Change::Moves } else { Change::Stays };
        row.command.visit_keys(args, |place| {
            let key = args.at(place);
            let claims = [storage::key_hash(key)];
            if self.locks.are_free(&claims) && self.awaits_saving(db, key, change) {
                let ticket = self.locks.hold(Claims::Keys(claims.to_vec()));
                self.saves.claims.push(SavedFirst { ticket, db, key: key.to_vec(), change });
            }
        });
    }

    fn awaits_saving(&mut self, db: DbId, key: &[u8], change: Change) -> bool {
        let limit = usize::try_from(self.shard.config.snapshot_buffer_limit).unwrap_or(usize::MAX);
        let kept_bytes_max = if limit == 0 { usize::MAX } else { limit };
        self.shard.databases[db.index()].awaits_saving(key, change, kept_bytes_max)
    }

    /// Lets go of the keys whose values are saved.
    fn release_saved(&mut self) {
        if self.saves.claims.is_empty() {
            return;
        }
        let mut released = false;
        for claim in std::mem::take(&mut self.saves.claims) {
            if self.awaits_saving(claim.db, &claim.key, claim.change) {
                self.saves.claims.push(claim);
            } else {
                self.release(claim.ticket);
                released = true;
            }
        }
        if released {
            self.serve_waiters();
        }
    }

    /// What follows on this shard when the file is there, or will not be.
    fn note_outcome(&mut self) {
        let Some(job) = self.saves.job.clone() else { return };
        let Some(outcome) = job.outcome() else { return };
        let is_over = match (job.kind, outcome) {
            // A server that is about to end acknowledges nothing more.
            (Kind::Shutdown { .. }, Ok(())) | (Kind::Shutdown { force: true, .. }, Err(_)) => false,
            (Kind::Reload { flush, .. }, Ok(())) => match job.reload.get() {
                None => false,
                Some(None) => true,
                Some(Some(loading)) => {
                    self.load_slice(loading, flush);
                    loading.is_over()
                }
            },
            (Kind::LoadLog, Ok(())) => match job.reload.get() {
                None => false,
                Some(None) => true,
                Some(Some(loading)) => {
                    self.load_slice(loading, false);
                    loading.is_over()
                }
            },
            _ => true,
        };
        if is_over && self.shard.snapshot.is_none() {
            self.saves.job = None;
            self.unlock_shard();
        }
    }

    /// What follows at the core that began the snapshot.
    fn end_begun(&mut self) {
        let Some((job, waiter)) = self.saves.begun.clone() else { return };
        let Some(outcome) = job.outcome() else { return };
        let error = match (job.kind, outcome) {
            (Kind::Background | Kind::Foreground | Kind::Rewrite, Ok(())) => None,
            (Kind::Background | Kind::Foreground | Kind::Rewrite, Err(_)) => Some(NOT_SAVED),
            (Kind::Shutdown { force, by_signal }, outcome) => {
                self.saves.begun = None;
                return self.end_shutdown(waiter, outcome.is_ok() || force, by_signal, outcome.is_err());
            }
            (Kind::Reload { merge, flush, .. }, Ok(())) => match job.reload.get() {
                None => {
                    job.reload.set(self.open_reload(&job, merge)).expect("it is opened once, here");
                    return self.shared.wake_all();
                }
                Some(None) => Some(NOT_LOADED),
                Some(Some(loading)) if !loading.is_over() => return,
                Some(Some(loading)) => loading.failure().map(|why| self.reload_failed(&why, flush)),
            },
            (Kind::LoadLog, Ok(())) => match job.reload.get() {
                // What was recorded up to its cut is to be there.
                None if !job.all_done() || !self.shared.log.epochs.is_complete(job.barrier.load(Ordering::Acquire)) => {
                    self.saves.is_busy = true;
                    return;
                }
                None => {
                    job.reload.set(self.open_log()).expect("it is opened once, here");
                    return self.shared.wake_all();
                }
                Some(None) => Some(NO_LOG_LOADED),
                Some(Some(loading)) if !loading.is_over() => return,
                Some(Some(loading)) => loading.failure().map(|why| {
                    tracing::warn!("{why}");
                    self.shared.request_stop(Stop::Orderly(1));
                    NO_LOG_LOADED
                }),
            },
            (Kind::Reload { .. } | Kind::LoadLog, Err(_)) => Some(NOT_SAVED),
        };
        self.saves.begun = None;
        self.shared.wake_all();
        self.answer_waiter(waiter, error.as_ref());
    }

    /// What was emptied for a file that cannot be loaded is there no more: the server ends, and the file stays, as in Redis.
    fn reload_failed(&self, why: &str, emptied: bool) -> CommandError {
        tracing::warn!("{why}");
        if emptied {
            tracing::error!("Terminating server after rdb file reading failure.");
            self.shared.request_stop(Stop::Orderly(1));
        }
        NOT_LOADED
    }

    fn end_shutdown(&mut self, waiter: Option<Waiter>, ends: bool, by_signal: bool, failed: bool) {
        if failed {
            tracing::error!("Error trying to save the DB, can't exit.");
        }
        if ends {
            self.shared.request_stop(Stop::Orderly(0));
            return;
        }
        self.shared.dialogues.go_on();
        if by_signal {
            tracing::warn!("Errors trying to shut down the server. Check the logs for more information.");
            self.shared.snapshots.shutdown_failed();
        }
        self.answer_waiter(waiter, Some(&NOT_SHUT_DOWN));
    }

    fn answer_waiter(&mut self, waiter: Option<Waiter>, error: Option<&CommandError>) {
        let Some(Waiter { conn, seq, hears_failure }) = waiter else { return };
        let mut bytes = Vec::new();
        let mut reply = Reply::new(&mut bytes, Resp::V2);
        match error.filter(|_| hears_failure) {
            None => reply.ok(),
            Some(error) => {
                self.stats.error(error.code());
                reply.error(error.as_bytes());
            }
        }
        self.fill(conn, seq, &bytes);
    }

    /// Lets the commands go on that stand behind the cut of what is loaded.
    pub(super) fn unlock_shard(&mut self) {
        if let Some(ticket) = self.saves.ticket.take() {
            self.release(ticket);
            self.serve_waiters();
        }
    }

    /// Begins a snapshot if a save point is reached.
    pub(super) fn heed_save_points(&mut self) {
        let hub = &self.shared.snapshots;
        hub.note_changes(self.id, self.shard.counters.dirty);
        if self.id.index() != 0 || hub.current().is_some() {
            return;
        }
        self.heed_rewrites();
        let hub = &self.shared.snapshots;
        let config = Arc::clone(&self.shard.config);
        let last_save = self.shared.last_save_seconds.load(Ordering::Relaxed);
        if let Some((changes, seconds)) = hub.save_point_reached(&config, self.tick_time, last_save) {
            tracing::info!("{changes} changes in {seconds} seconds. Saving...");
            self.begin_save(Kind::Background, None);
        }
    }

    /// Why a command with these flags may not run while a file is loaded, or after a snapshot failed.
    pub(super) fn refused_for_snapshots(&self, row: &Row, flags: Flags) -> Option<CommandError> {
        let hub = &self.shared.snapshots;
        if (flags.has(Flag::Write) || row.full_name == "ping") && hub.refuses_writes(&self.shard.config) {
            return Some(MISCONF);
        }
        if flags.has(Flag::Write) || row.full_name == "ping" {
            let refusal = self.shared.log.refusal();
            if refusal.is_some() {
                return refusal;
            }
        }
        let loads = hub.has_loading() && !row.command.flags.has(Flag::Loading);
        loads.then_some(LOADING)
    }
}
