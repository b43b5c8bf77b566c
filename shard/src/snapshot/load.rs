//! Loading the data set: on every core at once, a slice at a time, stage by stage.
//!
//! An RDB file is one stage. Each core reads the whole file and makes the values of the keys that are its own; it skips over
//! those of others, which costs little more than reading. No core waits for another, and what is in memory twice is a
//! window of the file. The first core looks after the rest: the checksum, what the file says of itself, functions.
//!
//! A log has stages behind that: see `replay/mod.rs`. No core begins a stage before all are done with the one before.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use storage::UnixMillis;

use super::loader::SnapshotLoader;
use crate::config::error::system_text;
use crate::exec::ShardState;
use crate::replay::{LogFile, LogReader};
use crate::script::Registry;
use crate::script::engine::library_of;

/// What becomes of a key that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The file is not loaded.
    Fail,
    /// It is replaced.
    Replace,
}

/// What all cores do before they go on.
#[derive(Debug)]
pub enum Stage {
    /// They empty their shards.
    Empty,
    /// They load an RDB file, or one that begins like one.
    Snapshot(SnapshotFile),
    /// They run the commands of these files, each core those of some.
    Logs(Vec<LogFile>),
}

/// An RDB file to be loaded.
#[derive(Debug)]
pub struct SnapshotFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its length, in bytes.
    pub bytes: u64,
    /// Its name, if it is part of a log.
    pub part_of_log: Option<String>,
}

/// A data set that all cores load.
#[derive(Debug)]
pub struct Loading {
    stages: Vec<Stage>,
    /// Cores that have not begun with it.
    cores_to_begin: AtomicUsize,
    /// The stage under way.
    stage: AtomicUsize,
    /// Cores that are not done with it.
    stage_cores_left: AtomicUsize,
    stage_began: Mutex<Instant>,
    /// The length of all files, in bytes.
    pub total_bytes: u64,
    /// When it began.
    pub began: UnixMillis,
    pub(super) conflict: Conflict,
    /// The server starts: commands are refused meanwhile.
    starts: bool,
    pub(super) check_sum: bool,
    /// A log that ends within a record is loaded up to there, and cut.
    pub(crate) may_truncate: bool,
    shards: usize,
    cores_left: AtomicUsize,
    /// Bytes of earlier stages.
    done_bytes: AtomicU64,
    read_bytes: Box<[AtomicU64]>,
    /// Where the RDB part of a file ends that goes on with commands.
    pub(super) snapshot_end: AtomicU64,
    pub(super) keys_loaded: AtomicU64,
    pub(super) keys_expired: AtomicU64,
    pub(super) keys_empty: AtomicU64,
    commands: AtomicU64,
    pub(super) functions: Mutex<Vec<Vec<u8>>>,
    pub(super) failed: AtomicBool,
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
        let bytes = file.metadata().map_err(|error| fatal(&error))?.len();
        let stage = Stage::Snapshot(SnapshotFile { path: path.to_owned(), bytes, part_of_log: None });
        Ok(Some(Loading { conflict, starts, check_sum, ..Loading::of_stages(vec![stage], shards, now) }))
    }

    /// A log, to be loaded by so many cores; commands are refused meanwhile.
    pub fn of_log(stages: Vec<Stage>, shards: usize, check_sum: bool, may_truncate: bool, now: UnixMillis) -> Loading {
        Loading { check_sum, may_truncate, ..Loading::of_stages(stages, shards, now) }
    }

    fn of_stages(stages: Vec<Stage>, shards: usize, now: UnixMillis) -> Loading {
        let bytes_of = |stage: &Stage| match stage {
            Stage::Empty => 0,
            Stage::Snapshot(file) => file.bytes,
            Stage::Logs(files) => files.iter().map(|file| file.bytes).sum(),
        };
        Loading {
            total_bytes: stages.iter().map(bytes_of).sum(),
            stages,
            cores_to_begin: AtomicUsize::new(shards),
            stage: AtomicUsize::new(0),
            stage_cores_left: AtomicUsize::new(shards),
            stage_began: Mutex::new(Instant::now()),
            began: now,
            conflict: Conflict::Fail,
            starts: true,
            check_sum: false,
            may_truncate: false,
            shards,
            cores_left: AtomicUsize::new(shards),
            done_bytes: AtomicU64::new(0),
            read_bytes: (0..shards).map(|_| AtomicU64::new(0)).collect(),
            snapshot_end: AtomicU64::new(0),
            keys_loaded: AtomicU64::new(0),
            keys_expired: AtomicU64::new(0),
            keys_empty: AtomicU64::new(0),
            commands: AtomicU64::new(0),
            functions: Mutex::default(),
            failed: AtomicBool::new(false),
            failure: Mutex::default(),
        }
    }

    /// Whether commands are answered `-LOADING`.
    pub fn refuses_commands(&self) -> bool {
        self.starts
    }

    /// Whether it is a log that is loaded.
    pub fn is_log(&self) -> bool {
        let is_of_log = |stage: &Stage| match stage {
            Stage::Empty | Stage::Logs(_) => true,
            Stage::Snapshot(file) => file.part_of_log.is_some(),
        };
        self.stages.iter().all(is_of_log)
    }

    /// Bytes of the files that were read.
    pub fn loaded_bytes(&self) -> u64 {
        let read = self.read_bytes.iter().map(|bytes| bytes.load(Ordering::Relaxed));
        let of_stage = match self.stages.get(self.stage()) {
            // Every core reads all of it.
            Some(Stage::Snapshot(_)) => read.min().unwrap_or(0),
            _ => read.sum(),
        };
        (self.done_bytes.load(Ordering::Relaxed) + of_stage).min(self.total_bytes)
    }

    /// Keys that were loaded, and those that were not, being expired.
    pub fn counts(&self) -> (u64, u64) {
        (self.keys_loaded.load(Ordering::Relaxed), self.keys_expired.load(Ordering::Relaxed))
    }

    /// Why the data set cannot be loaded.
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().expect("no one panics while loading").clone()
    }

    /// Whether it has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    pub(crate) fn fail(&self, why: String) {
        self.failure.lock().expect("no one panics while loading").get_or_insert(why);
        self.failed.store(true, Ordering::Release);
    }

    /// A core has begun: its shard takes what is loaded, and expires nothing meanwhile. Whether it was the last.
    pub(crate) fn core_begins(&self) -> bool {
        self.cores_to_begin.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Whether all cores have begun. Before that, no command of a log may be sent to any of them.
    pub(crate) fn has_begun(&self) -> bool {
        self.cores_to_begin.load(Ordering::Acquire) == 0
    }

    /// The number of the stage under way.
    fn stage(&self) -> usize {
        self.stage.load(Ordering::Acquire)
    }

    /// A core has read so many bytes of this stage.
    pub(crate) fn note_read(&self, core: usize, bytes: u64) {
        self.read_bytes[core].store(bytes, Ordering::Relaxed);
    }

    /// A command was run.
    pub(crate) fn note_command(&self) {
        self.commands.fetch_add(1, Ordering::Relaxed);
    }

    /// Keys that were loaded and commands that were run.
    pub(crate) fn steps(&self) -> u64 {
        self.keys_loaded.load(Ordering::Relaxed) + self.commands.load(Ordering::Relaxed)
    }

    /// Where commands begin in a file that begins like an RDB file.
    pub(crate) fn snapshot_end(&self) -> u64 {
        self.snapshot_end.load(Ordering::Acquire)
    }

    /// A core is done with the stage under way; whether all are, and the next one has begun.
    pub(crate) fn stage_done(&self) -> bool {
        if self.stage_cores_left.fetch_sub(1, Ordering::AcqRel) > 1 {
            return false;
        }
        let stage = &self.stages[self.stage()];
        let mut began = self.stage_began.lock().expect("no one panics while loading");
        log_stage(stage, began.elapsed().as_secs_f64());
        *began = Instant::now();
        self.done_bytes.store(self.loaded_bytes(), Ordering::Relaxed);
        for bytes in &self.read_bytes {
            bytes.store(0, Ordering::Relaxed);
        }
        self.stage_cores_left.store(self.shards, Ordering::Relaxed);
        self.stage.fetch_add(1, Ordering::Release);
        true
    }

    /// A core is done with all; whether it was the last.
    pub(super) fn core_done(&self) -> bool {
        self.cores_left.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Whether all cores are.
    pub fn is_over(&self) -> bool {
        self.cores_left.load(Ordering::Acquire) == 0
    }

    pub(super) fn log_end(&self) {
        if self.stages.iter().all(|stage| !matches!(stage, Stage::Snapshot(_))) {
            return;
        }
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

fn log_stage(stage: &Stage, seconds: f64) {
    match stage {
        Stage::Snapshot(SnapshotFile { part_of_log: Some(name), .. }) => {
            tracing::info!("DB loaded from base file {name}: {seconds:.3} seconds");
        }
        Stage::Logs(files) => {
            for file in files.iter().filter(|file| !file.is_behind_snapshot) {
                let kind = if file.is_base { "base" } else { "incr" };
                tracing::info!("DB loaded from {kind} file {}: {seconds:.3} seconds", file.name);
            }
        }
        Stage::Empty | Stage::Snapshot(_) => {}
    }
}

/// One core's way through the stages.
#[derive(Debug)]
pub struct Loader {
    /// The stage that it is at.
    stage: usize,
    /// What there is to do.
    pub task: Task,
}

/// What a core has to do for a stage.
#[derive(Debug)]
pub enum Task {
    /// To empty its shard.
    Empty,
    /// To load its part of an RDB file.
    Snapshot(Box<SnapshotLoader>),
    /// To run the commands of some logs.
    Logs(Box<LogReader>),
    /// To wait for the others.
    Wait,
}

impl Loader {
    /// What the core of `shard` has to do next, `before` being what it had; none if all is done, or has failed.
    pub fn next(before: Option<Loader>, loading: &Loading, shard: &ShardState) -> Option<Loader> {
        let number = loading.stage();
        let stage = loading.stages.get(number).filter(|_| !loading.has_failed())?;
        if let Some(loader) = before.filter(|loader| loader.stage == number) {
            return Some(loader);
        }
        let task = match stage {
            Stage::Empty => Task::Empty,
            Stage::Snapshot(file) => Task::Snapshot(Box::new(SnapshotLoader::open(loading, file, shard)?)),
            Stage::Logs(files) => {
                let own = files.iter().enumerate().filter(|(place, _)| place % loading.shards == shard.id.index());
                Task::Logs(Box::new(LogReader::new(own.map(|(_, file)| file.clone()).collect())))
            }
        };
        Some(Loader { stage: number, task })
    }
}
