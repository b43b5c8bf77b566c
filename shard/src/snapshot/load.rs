//! Loading an RDB file: on every core at once, a slice at a time.
//!
//! Each core reads the whole file and makes the values of the keys that are its own; it skips over those of others, which
//! costs little more than reading. No core waits for another, and what is in memory twice is a window of the file. The
//! first core looks after the rest: the checksum, what the file says of itself, functions.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use storage::snapshot::file::{EntryHead, FileError, FileReader, Item};
use storage::{Access, Detached, UnixMillis};

use crate::config::error::system_text;
use crate::exec::ShardState;
use crate::script::Registry;
use crate::script::engine::library_of;

/// Access bits tell no longer times, in seconds.
const IDLE_SECONDS_MAX: u64 = (1 << 24) - 1;

/// What becomes of a key that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The file is not loaded.
    Fail,
    /// It is replaced.
    Replace,
}

/// A file that all cores load.
#[derive(Debug)]
pub struct Loading {
    path: PathBuf,
    /// Its length, in bytes.
    pub total_bytes: u64,
    /// When it began.
    pub began: UnixMillis,
    conflict: Conflict,
    /// The server starts: commands are refused meanwhile.
    starts: bool,
    check_sum: bool,
    cores_left: AtomicUsize,
    read_bytes: Box<[AtomicU64]>,
    keys_loaded: AtomicU64,
    keys_expired: AtomicU64,
    keys_empty: AtomicU64,
    functions: Mutex<Vec<Vec<u8>>>,
    failed: AtomicBool,
    failure: Mutex<Option<String>>,
}

impl Loading {
    /// The file at `path`, to be loaded by so many cores; `None` if there is none.
    pub fn open(
        path: &Path,
        shards: usize,
        check_sum: bool,
        conflict: Conflict,
        starts: bool,
        now: UnixMillis,
    ) -> Result<Option<Loading>, String> {
        let fatal =
            |error: &std::io::Error| format!("Fatal error loading the DB, check server logs: {}", system_text(error));
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(fatal(&error)),
        };
        let total_bytes = file.metadata().map_err(|error| fatal(&error))?.len();
        Ok(Some(Loading {
            path: path.to_owned(),
            total_bytes,
            began: now,
            conflict,
            starts,
            check_sum,
            cores_left: AtomicUsize::new(shards),
            read_bytes: (0..shards).map(|_| AtomicU64::new(0)).collect(),
            keys_loaded: AtomicU64::new(0),
            keys_expired: AtomicU64::new(0),
            keys_empty: AtomicU64::new(0),
            functions: Mutex::default(),
            failed: AtomicBool::new(false),
            failure: Mutex::default(),
        }))
    }

    /// Whether commands are answered `-LOADING`.
    pub fn refuses_commands(&self) -> bool {
        self.starts
    }

    /// Bytes of the file that every core has read.
    pub fn loaded_bytes(&self) -> u64 {
        self.read_bytes.iter().map(|bytes| bytes.load(Ordering::Relaxed)).min().unwrap_or(0)
    }

    /// Keys that were loaded, and those that were not, being expired.
    pub fn counts(&self) -> (u64, u64) {
        (self.keys_loaded.load(Ordering::Relaxed), self.keys_expired.load(Ordering::Relaxed))
    }

    /// Why the file cannot be loaded.
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().expect("no one panics while loading").clone()
    }

    fn fail(&self, why: String) {
        self.failure.lock().expect("no one panics while loading").get_or_insert(why);
        self.failed.store(true, Ordering::Release);
    }

    /// A core is done; whether it was the last.
    pub(super) fn core_done(&self) -> bool {
        self.cores_left.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Whether all cores are.
    pub fn is_over(&self) -> bool {
        self.cores_left.load(Ordering::Acquire) == 0
    }

    pub(super) fn log_end(&self) {
        let (loaded, expired) = self.counts();
        let empty = self.keys_empty.load(Ordering::Relaxed);
        tracing::info!(
            "Done loading RDB, keys loaded: {loaded}, keys expired: {expired}, empty keys skipped: {empty}."
        );
    }

    /// Makes the libraries that were in the file known to the server: done by the core that has read them, before it says
    /// that it is done. The first one that cannot be is why the file cannot.
    pub fn take_in_libraries(&self, registry: &Arc<Registry>) {
        let sources = std::mem::take(&mut *self.functions.lock().expect("no one panics while loading"));
        for source in sources {
            let added = library_of(registry, &source)
                .map_err(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
                .and_then(|library| {
                    registry.change_libraries(|all| all.add(library, self.conflict == Conflict::Replace))
                });
            if let Err(why) = added {
                return self.fail(format!("Failed loading library, {}", why.trim_start_matches("ERR ")));
            }
        }
    }
}

/// One core's way through a file.
#[derive(Debug)]
pub struct Loader {
    reader: FileReader<File>,
    db: usize,
    /// Keys that this core loaded.
    pub keys: u64,
}

impl Loader {
    /// Opens the file for the core of `shard`. An error fails the whole.
    pub fn open(loading: &Loading, shard: &ShardState) -> Option<Loader> {
        let check = loading.check_sum && shard.id.index() == 0;
        let opened = File::open(&loading.path).map_err(|error| system_text(&error));
        let reader = opened.and_then(|file| FileReader::new(file, check).map_err(|error| error.to_string()));
        match reader {
            Ok(reader) => Some(Loader { reader, db: 0, keys: 0 }),
            Err(why) => {
                loading.fail(why);
                None
            }
        }
    }

    /// Loads the next entry, or whatever comes next in the file; whether there is more.
    pub fn step(&mut self, loading: &Loading, shard: &mut ShardState) -> bool {
        let more = self.next(loading, shard).unwrap_or_else(|why| {
            loading.fail(why);
            false
        });
        loading.read_bytes[shard.id.index()].store(self.reader.offset(), Ordering::Relaxed);
        more && !loading.failed.load(Ordering::Acquire)
    }

    fn next(&mut self, loading: &Loading, shard: &mut ShardState) -> Result<bool, String> {
        match self.reader.next_item().map_err(describe)? {
            Item::Entry(head) => self.entry(loading, shard, head)?,
            Item::Database(db) => {
                let databases = shard.databases.len();
                self.db = usize::try_from(db).ok().filter(|db| *db < databases).ok_or_else(|| {
                    format!(
                        "FATAL: Data file was created with a server configured to handle more than {databases} \
                         databases. Exiting"
                    )
                })?;
            }
            Item::Aux { name, value } if shard.id.index() == 0 => log_aux(&name, &value, loading.began),
            Item::Function(payload) if shard.id.index() == 0 => {
                loading.functions.lock().expect("no one panics while loading").push(payload);
            }
            Item::Aux { .. } | Item::Function(_) | Item::Sizes(..) => {}
            Item::End => return Ok(false),
        }
        Ok(true)
    }

    fn entry(&mut self, loading: &Loading, shard: &mut ShardState, head: EntryHead) -> Result<(), String> {
        if !shard.owns(self.reader.key()) {
            return self.reader.skip_value().map_err(describe);
        }
        if head.expire_at.is_some_and(|at| at.is_past(shard.clock)) {
            loading.keys_expired.fetch_add(1, Ordering::Relaxed);
            return self.reader.skip_value().map_err(describe);
        }
        let value = self.reader.value(&shard.limits).map_err(|error| {
            let key = String::from_utf8_lossy(self.reader.key());
            tracing::warn!("The value of key '{key}' in DB {} cannot be read: {}", self.db, error.kind);
            describe(error)
        })?;
        let Some(value) = value else {
            loading.keys_empty.fetch_add(1, Ordering::Relaxed);
            let key = String::from_utf8_lossy(self.reader.key());
            tracing::info!("The RDB file has an empty collection: skipping empty key: {key}");
            return Ok(());
        };
        let detached = Detached { value, expire_at: head.expire_at, access: access(shard, head) };
        let database = &mut shard.databases[self.db];
        if loading.conflict == Conflict::Fail && database.contains(self.reader.key()) {
            let key = String::from_utf8_lossy(self.reader.key());
            return Err(format!("RDB has duplicated key '{key}' in DB {}", self.db));
        }
        let replaced = database.put(self.reader.key(), detached);
        shard.garbage.extend(replaced);
        self.keys += 1;
        loading.keys_loaded.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what an error is mapped with")]
fn describe(error: FileError) -> String {
    error.to_string()
}

/// The access bits of a loaded key: what the file tells, if the policy keeps that kind.
fn access(shard: &ShardState, head: EntryHead) -> Access {
    let policy = shard.config.maxmemory_policy;
    match (head.frequency, head.idle_seconds) {
        (Some(frequency), _) if policy.is_lfu() => Access::lfu(shard.clock, frequency),
        (_, Some(seconds)) if !policy.is_lfu() => Access::lru_idle(shard.clock, seconds.min(IDLE_SECONDS_MAX) as u32),
        _ if policy.is_lfu() => Access::lfu_new(shard.clock),
        _ => Access::lru(shard.clock),
    }
}

/// Logs what the file says of itself.
fn log_aux(name: &[u8], value: &[u8], now: UnixMillis) {
    let text = String::from_utf8_lossy(value);
    let number = || text.parse::<i64>().ok();
    match name {
        b"redis-ver" => tracing::info!("Loading RDB produced by version {text}"),
        b"ctime" => {
            if let Some(seconds) = number() {
                tracing::info!("RDB age {} seconds", (now.0 / 1000 - seconds).max(0));
            }
        }
        b"used-mem" => {
            if let Some(bytes) = number() {
                tracing::info!("RDB memory usage when created {:.2} Mb", bytes as f64 / f64::from(1 << 20));
            }
        }
        _ if name.first() == Some(&b'%') => {
            tracing::info!("RDB '{}': {text}", String::from_utf8_lossy(name));
        }
        _ => tracing::debug!("RDB field '{}' is of no use here", String::from_utf8_lossy(name)),
    }
}
