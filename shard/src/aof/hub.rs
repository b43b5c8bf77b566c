//! What all cores know of the log: whether there is one, its files, and the numbers that INFO shows.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use storage::io::{Disk, RealDisk, error_text};
use storage::log::Manifest;

use super::barrier::{Barrier, LogFile};
use super::epochs::Epochs;
use crate::config::Config;
use crate::ids::ShardId;

/// The log of one server.
#[derive(Debug)]
pub struct Log {
    /// The numbers of barriers.
    pub epochs: Epochs,
    /// There is a log: it is written, or is about to be.
    is_on: AtomicBool,
    /// Somebody has asked for a rewrite.
    is_wanted: AtomicBool,
    /// A sync has failed: what the files hold nobody knows.
    is_doubtful: AtomicBool,
    pub(super) state: Mutex<State>,
    /// Held by whoever changes files and their manifest, which takes time.
    pub(super) changing: Mutex<()>,
    pub(super) to_do: Condvar,
    /// Bytes in the file of each shard.
    sizes: Box<[AtomicU64]>,
    base_bytes: AtomicU64,
    /// Bytes of all files behind the last rewrite, or at the start.
    bytes_at_rewrite: AtomicU64,
    /// Bytes that wait to be written.
    pub buffered: AtomicU64,
    /// Syncs that take longer than they should.
    pub delayed_syncs: AtomicU64,
    /// Groups written, and syncs of files: what a test of batching looks at.
    pub writes: AtomicU64,
    /// Syncs that ended well.
    pub syncs: AtomicU64,
    last_retry: AtomicI64,
    /// Commands about libraries of functions, in their order, for the log of the first shard.
    functions: Mutex<Vec<Vec<u8>>>,
    has_functions: AtomicBool,
}

/// The files, under their lock.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) directory: PathBuf,
    pub(super) name: String,
    pub(super) manifest: Manifest,
    /// The manifest is not written before the base is there.
    pub(super) is_pending: bool,
    pub(super) rewrite: Option<Rewrite>,
    pub(super) orders: VecDeque<Arc<Barrier>>,
    pub(super) closed: bool,
    /// Files to begin with.
    pub(super) start: Vec<LogFile>,
    status: Status,
}

/// A rewrite under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Rewrite {
    pub(super) base: String,
    pub(super) seq: u64,
    /// The last epoch that is in the base, and the generation that follows it: known behind the cut.
    pub(super) cut: Option<(u64, u64)>,
    pub(super) began_at: i64,
}

/// The last rewrite.
#[derive(Clone, Copy, Debug)]
pub struct Status {
    /// It succeeded, or there was none.
    pub rewrite_succeeded: bool,
    /// Seconds it took; -1 if there was none.
    pub rewrite_seconds: i64,
    /// When the one under way began, in seconds.
    pub rewriting_since: Option<i64>,
    /// How many succeeded.
    pub rewrites: u64,
    /// How many have failed since.
    pub failures: u64,
}

impl Default for Status {
    fn default() -> Self {
        Status { rewrite_succeeded: true, rewrite_seconds: -1, rewriting_since: None, rewrites: 0, failures: 0 }
    }
}

impl Log {
    /// There is no log.
    pub fn new(shards: usize) -> Log {
        Log {
            epochs: Epochs::new(shards),
            is_on: AtomicBool::new(false),
            is_wanted: AtomicBool::new(false),
            is_doubtful: AtomicBool::new(false),
            state: Mutex::default(),
            changing: Mutex::default(),
            to_do: Condvar::new(),
            sizes: (0..shards).map(|_| AtomicU64::new(0)).collect(),
            base_bytes: AtomicU64::new(0),
            bytes_at_rewrite: AtomicU64::new(0),
            buffered: AtomicU64::new(0),
            delayed_syncs: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            syncs: AtomicU64::new(0),
            last_retry: AtomicI64::new(0),
            functions: Mutex::default(),
            has_functions: AtomicBool::new(false),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no one panics while looking at the log's files")
    }

    pub(super) fn change(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().expect("no one panics while changing the log's files")
    }

    /// Whether there is a log.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Acquire)
    }

    pub(super) fn set_on(&self) {
        self.is_on.store(true, Ordering::Release);
    }

    /// The file that a shard begins with, if the server was started with a log.
    pub fn start_of(&self, shard: ShardId) -> Option<LogFile> {
        self.lock().start.get(shard.index()).cloned()
    }

    /// There is to be a log from now on: its base is the next thing to be written.
    pub fn turn_on(&self, config: &Config) -> Result<(), String> {
        let directory = config.dir.join(&config.appenddirname);
        RealDisk.make_directory(&directory).map_err(|error| {
            format!("Can't open or create append-only dir {}: {}", config.appenddirname, error_text(&error))
        })?;
        let found = Manifest::load(&RealDisk, &directory, &config.appendfilename);
        let manifest = match found {
            Ok(None) => Manifest::default(),
            Ok(Some(manifest)) => manifest.map_err(|error| error.to_string())?,
            Err(error) => return Err(format!("Can't open the AOF manifest file: {}", error_text(&error))),
        };
        let mut state = self.lock();
        state.directory = directory;
        state.name.clone_from(&config.appendfilename);
        state.manifest = manifest;
        state.is_pending = true;
        drop(state);
        self.set_on();
        self.want_rewrite();
        Ok(())
    }

    /// There is no log any more.
    pub fn turn_off(&self) {
        self.is_on.store(false, Ordering::Release);
        self.is_wanted.store(false, Ordering::Release);
        self.lock().start.clear();
    }

    /// A rewrite is to begin as soon as it can.
    pub fn want_rewrite(&self) {
        self.is_wanted.store(true, Ordering::Release);
    }

    /// Whether one is to begin.
    pub fn is_rewrite_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::Acquire)
    }

    /// A rewrite begins: where its base goes.
    pub fn begin_rewrite(&self, config: &Config, now_seconds: i64) -> (PathBuf, String) {
        self.is_wanted.store(false, Ordering::Release);
        let mut state = self.lock();
        if !self.is_on() {
            // BGREWRITEAOF without a log: what is written is what one would begin with.
            state.directory = config.dir.join(&config.appenddirname);
            state.name.clone_from(&config.appendfilename);
            // What cannot be made or read shows when the base is to be written there.
            let _ = RealDisk.make_directory(&state.directory);
            let found = Manifest::load(&RealDisk, &state.directory, &state.name);
            state.manifest = found.ok().flatten().and_then(Result::ok).unwrap_or_default();
        }
        let (base, seq) = state.manifest.next_base(&state.name, true);
        state.status.rewriting_since = Some(now_seconds);
        state.rewrite = Some(Rewrite { base: base.clone(), seq, cut: None, began_at: now_seconds });
        (state.directory.clone(), base)
    }

    /// The base is there, or will not be. One that is not wanted any more is no failure.
    pub fn rewrite_ended(
        &self,
        config: &Config,
        outcome: &Result<(), String>,
        is_wanted: bool,
        now_seconds: i64,
    ) -> Result<(), String> {
        self.await_cut(outcome.is_ok());
        let Some(rewrite) = self.lock().rewrite.clone() else { return Ok(()) };
        let result = match outcome {
            Ok(()) => self.take_base(config, &rewrite),
            Err(why) => Err(why.clone()),
        };
        let mut state = self.lock();
        state.rewrite = None;
        let status = &mut state.status;
        status.rewriting_since = None;
        status.rewrite_seconds = now_seconds - rewrite.began_at;
        status.rewrite_succeeded = result.is_ok() || (!is_wanted && status.rewrite_succeeded);
        if result.is_ok() {
            status.rewrites += 1;
            status.failures = 0;
        } else if is_wanted {
            status.failures += 1;
            self.last_retry.store(now_seconds, Ordering::Relaxed);
        }
        drop(state);
        if result.is_ok() {
            self.is_doubtful.store(false, Ordering::Release);
            self.bytes_at_rewrite.store(self.bytes(), Ordering::Relaxed);
        }
        result
    }

    /// A small base may be there before the files that follow it.
    fn await_cut(&self, is_base_there: bool) {
        const LOOK_AGAIN: Duration = Duration::from_millis(20);
        let mut state = self.lock();
        while is_base_there && self.is_on() && !state.closed && state.rewrite.as_ref().is_some_and(|r| r.cut.is_none())
        {
            let waited = self.to_do.wait_timeout(state, LOOK_AGAIN);
            state = waited.expect("no one panics while looking at the log's files").0;
        }
    }

    fn take_base(&self, config: &Config, rewrite: &Rewrite) -> Result<(), String> {
        let _changing = self.change();
        let (epoch, generation) = match rewrite.cut {
            Some(cut) if self.is_on() => cut,
            // Nothing follows the base.
            None if !self.is_on() => (self.epochs.next_epoch() - 1, u64::MAX),
            _ => return Err("the log was turned on or off meanwhile".to_owned()),
        };
        let disk: &dyn Disk = &RealDisk;
        let said = |what: &str, error: &std::io::Error| format!("{what}: {}", error_text(error));
        let (directory, log_name, mut manifest) = self.files();
        let bytes = disk.length(&directory.join(&rewrite.base)).map_err(|error| said("the base", &error))?;
        manifest.set_base(rewrite.base.clone(), rewrite.seq, epoch, generation);
        manifest.persist(disk, &directory, &log_name).map_err(|error| said("the manifest", &error))?;
        self.base_bytes.store(bytes, Ordering::Relaxed);
        if !config.aof_disable_auto_gc {
            for name in manifest.take_history() {
                if let Err(error) = disk.remove(&directory.join(&name)) {
                    tracing::warn!("Failed to remove the AOF file {name}: {}", error_text(&error));
                }
            }
            manifest.persist(disk, &directory, &log_name).map_err(|error| said("the manifest", &error))?;
        }
        let mut state = self.lock();
        state.manifest = manifest;
        state.is_pending = false;
        Ok(())
    }

    /// The directory, the name of the log, and the manifest.
    pub(super) fn files(&self) -> (PathBuf, String, Manifest) {
        let state = self.lock();
        (state.directory.clone(), state.name.clone(), state.manifest.clone())
    }

    /// Whether the base that a log begins with is still to be written, and nobody does.
    pub fn lacks_base(&self, now_seconds: i64) -> bool {
        const RETRY_SECONDS: i64 = 1;
        let doubtful = self.is_doubtful.load(Ordering::Acquire);
        let due = now_seconds - self.last_retry.load(Ordering::Relaxed) > RETRY_SECONDS;
        self.is_on() && due && {
            let state = self.lock();
            (state.is_pending || doubtful) && state.rewrite.is_none()
        }
    }

    /// A sync has failed: only a new base and new files are to be trusted again.
    pub fn doubt(&self) {
        self.is_doubtful.store(true, Ordering::Release);
    }

    /// Why writes are refused, if they are.
    pub fn refuses_writes(&self) -> bool {
        self.is_on() && (self.epochs.is_failing() || self.is_doubtful.load(Ordering::Relaxed))
    }

    /// The last rewrite, and the one under way.
    pub fn status(&self) -> Status {
        self.lock().status
    }

    /// Whether one is under way.
    pub fn is_rewriting(&self) -> bool {
        self.lock().rewrite.is_some()
    }

    /// A shard's file has so many bytes.
    pub fn note_size(&self, shard: ShardId, bytes: u64) {
        self.sizes[shard.index()].store(bytes, Ordering::Relaxed);
    }

    pub(super) fn note_start(&self, base_bytes: u64) {
        self.base_bytes.store(base_bytes, Ordering::Relaxed);
        self.bytes_at_rewrite.store(self.bytes(), Ordering::Relaxed);
    }

    /// Bytes of the base and of the files that follow it.
    pub fn bytes(&self) -> u64 {
        let incremental: u64 = self.sizes.iter().map(|size| size.load(Ordering::Relaxed)).sum();
        self.base_bytes.load(Ordering::Relaxed) + incremental
    }

    /// What they were behind the last rewrite.
    pub fn bytes_at_rewrite(&self) -> u64 {
        self.bytes_at_rewrite.load(Ordering::Relaxed)
    }

    /// Whether they have grown so much that it is time for a rewrite; by how many parts in a hundred.
    pub fn has_outgrown(&self, config: &Config) -> Option<u64> {
        let (bytes, before) = (self.bytes(), self.bytes_at_rewrite().max(1));
        let growth = bytes.saturating_sub(before) * 100 / before;
        let percentage = u64::from(config.auto_aof_rewrite_percentage);
        let min = config.auto_aof_rewrite_min_size;
        (self.is_on() && percentage > 0 && bytes > min && growth >= percentage).then_some(growth)
    }

    /// Records a command about functions; called in the order in which they take effect.
    pub fn put_function(&self, record: Vec<u8>) {
        if self.is_on() {
            self.functions.lock().expect("no one panics while recording a library").push(record);
            self.has_functions.store(true, Ordering::Release);
        }
    }

    /// Whether there are such.
    #[inline]
    pub fn has_functions(&self) -> bool {
        self.has_functions.load(Ordering::Acquire)
    }

    /// Takes them out, for the log of the first shard.
    pub fn take_functions(&self) -> Vec<Vec<u8>> {
        self.has_functions.store(false, Ordering::Release);
        std::mem::take(&mut *self.functions.lock().expect("no one panics while recording a library"))
    }

    /// All members of a barrier have handed in what they have: the keeper writes it.
    pub fn order(&self, barrier: Arc<Barrier>) {
        self.lock().orders.push_back(barrier);
        self.to_do.notify_all();
    }

    /// Whether the keeper has something to write.
    #[cfg(feature = "simulation")]
    pub fn has_orders(&self) -> bool {
        !self.lock().orders.is_empty()
    }

    /// Whether the files that follow a new base are still to be made.
    #[cfg(feature = "simulation")]
    pub fn awaits_cut(&self) -> bool {
        self.lock().rewrite.as_ref().is_some_and(|rewrite| rewrite.cut.is_none())
    }

    /// The server ends.
    pub fn close(&self) {
        self.lock().closed = true;
        self.to_do.notify_all();
    }
}
