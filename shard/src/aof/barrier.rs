//! One barrier: its number, who has a part in it, and what becomes of the files behind it.

use std::fs::File;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use storage::log::Members;

use crate::ids::ShardId;
use crate::journal::Stretch;
use crate::snapshot::Job;

/// A file that a shard appends to.
#[derive(Clone, Debug)]
pub struct LogFile {
    /// The file.
    pub file: Arc<File>,
    /// Where the next group begins.
    pub offset: u64,
}

/// What a shard hands to the keeper instead of writing it.
#[derive(Debug, Default)]
pub struct Handed {
    /// The file that it has been writing; none if it begins to.
    pub file: Option<LogFile>,
    /// What it has recorded up to its cut.
    pub stretches: Vec<Stretch>,
}

/// A point between two epochs, on its way to all shards.
#[derive(Debug)]
pub struct Barrier {
    /// Its number.
    pub number: u64,
    /// The epoch that it ends, in the files.
    pub epoch: u64,
    /// The shards that have a part in it: all but the idle ones.
    pub members: Members,
    /// A snapshot whose cut is at the same point.
    pub job: Option<Arc<Job>>,
    /// Files of their own follow it.
    pub begins_generation: bool,
    missing: AtomicUsize,
    handed: Mutex<Vec<Option<Handed>>>,
    files: OnceLock<Option<Vec<LogFile>>>,
}

impl Barrier {
    /// A barrier for these shards of so many.
    pub fn new(numbers: (u64, u64), members: Members, shards: usize, job: Option<Arc<Job>>) -> Barrier {
        let missing = AtomicUsize::new(members.iter().count());
        let begins_generation = job.as_ref().is_some_and(|job| job.kind.begins_log());
        let handed = Mutex::new((0..shards).map(|_| None).collect());
        let (number, epoch) = numbers;
        Barrier { number, epoch, members, job, begins_generation, missing, handed, files: OnceLock::new() }
    }

    /// A shard has done its part; whether it was the last.
    pub fn done(&self) -> bool {
        self.missing.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// A shard leaves its part to the keeper.
    pub fn hand_in(&self, shard: ShardId, handed: Handed) {
        let before = self.handed()[shard.index()].replace(handed);
        assert!(before.is_none(), "a shard has one part in a barrier");
    }

    /// What shards have handed in, by shard.
    pub fn handed(&self) -> MutexGuard<'_, Vec<Option<Handed>>> {
        self.handed.lock().expect("no one panics while handing in records")
    }

    /// Whether every shard has a file to go on with if there are to be no new ones.
    pub fn has_files(&self) -> bool {
        self.handed().iter().all(|handed| handed.as_ref().is_some_and(|handed| handed.file.is_some()))
    }

    /// The shards go on with these files; with none if the log was turned off.
    pub fn set_files(&self, files: Option<Vec<LogFile>>) {
        self.files.set(files).expect("the keeper is done with a barrier once");
    }

    /// The file that a shard goes on with, once that is known.
    pub fn file_of(&self, shard: ShardId) -> Option<LogFile> {
        self.files.get()?.as_ref().map(|files| files[shard.index()].clone())
    }
}
