//! One core's way through an RDB file: it reads a few entries, then puts them into the shard.
//!
//! What is put in lands anywhere in the table's memory. Where the entries that were just read will land is asked for before the
//! first of them is put in, so that the cache misses overlap. The table has room for all before they come, since files
//! tell how many keys a database has.

use std::fs::File;
use std::sync::atomic::Ordering;

use storage::keyspace::Key;
use storage::snapshot::file::{EntryHead, FileError, FileReader, Item};
use storage::{Access, Database, Detached, UnixMillis, key_hash};

use super::load::{Conflict, Loading, SnapshotFile};
use crate::config::error::system_text;
use crate::exec::ShardState;

/// Access bits tell no longer times, in seconds.
const IDLE_SECONDS_MAX: u64 = (1 << 24) - 1;

/// Items read before what was found is put in, ...
const ITEMS_PER_STEP: usize = 32;

/// ... unless they take so many bytes in the file.
const BYTES_PER_STEP: u64 = 64 << 10;

/// No entry takes less in a file: its type, a key and a value.
const ENTRY_BYTES_MIN: u64 = 4;

/// One core's way through an RDB file.
#[derive(Debug)]
pub struct SnapshotLoader {
    reader: FileReader<File>,
    file_bytes: u64,
    db: usize,
    /// Keys that the file has told of, of each database: as many as this shard may get.
    announced: Vec<usize>,
    found: Found,
}

/// Entries that were read and not put in.
#[derive(Debug, Default)]
struct Found {
    /// Their keys, one behind the other.
    keys: Vec<u8>,
    entries: Vec<FoundEntry>,
}

#[derive(Debug)]
struct FoundEntry {
    /// Where its key ends.
    key_end: usize,
    hash: u64,
    db: usize,
    detached: Detached,
}

impl SnapshotLoader {
    /// Opens the file for the core of `shard`. An error fails the whole.
    pub(super) fn open(loading: &Loading, file: &SnapshotFile, shard: &ShardState) -> Option<SnapshotLoader> {
        let check = loading.check_sum && shard.id.index() == 0;
        let opened = File::open(&file.path).map_err(|error| system_text(&error));
        let reader = opened.and_then(|file| FileReader::new(file, check).map_err(|error| error.to_string()));
        match reader {
            Ok(reader) => {
                let announced = vec![0; shard.databases.len()];
                Some(SnapshotLoader { reader, file_bytes: file.bytes, db: 0, announced, found: Found::default() })
            }
            Err(why) => {
                loading.fail(why);
                None
            }
        }
    }

    /// Loads some entries, or whatever comes next in the file; whether there is more.
    pub fn step(&mut self, loading: &Loading, shard: &mut ShardState) -> bool {
        let more = self.read_some(loading, shard);
        // What stands before a fault is put in, too.
        let put = self.put_found(loading, shard);
        let more = put.and(more).unwrap_or_else(|why| {
            loading.fail(why);
            false
        });
        loading.note_read(shard.id.index(), self.reader.offset());
        more && !loading.failed.load(Ordering::Acquire)
    }

    fn read_some(&mut self, loading: &Loading, shard: &mut ShardState) -> Result<bool, String> {
        let end = self.reader.offset() + BYTES_PER_STEP;
        for _ in 0..ITEMS_PER_STEP {
            if !self.next(loading, shard)? {
                return Ok(false);
            }
            if self.reader.offset() >= end {
                break;
            }
        }
        Ok(true)
    }

    /// Looks at the next item.
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
            Item::Aux { .. } | Item::Function(_) => {}
            Item::Sizes(keys, _) => self.announce(shard, keys),
            Item::End => {
                loading.snapshot_end.store(self.reader.offset(), Ordering::Release);
                shard.databases.iter_mut().for_each(Database::shrink);
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn entry(&mut self, loading: &Loading, shard: &mut ShardState, head: EntryHead) -> Result<(), String> {
        if !shard.owns(self.reader.key()) {
            return self.reader.skip_value().map_err(describe);
        }
        if head.expire_at.is_some_and(|at| at.is_past(shard.judged_at())) {
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
        self.found.add(self.reader.key(), self.db, detached);
        Ok(())
    }

    /// Makes room for the shard's part of so many keys. Their number is believed only as far as the file may have them.
    fn announce(&mut self, shard: &mut ShardState, keys: u64) {
        let left = self.file_bytes.saturating_sub(self.reader.offset()) / ENTRY_BYTES_MIN;
        let own = keys.min(left).div_ceil(shard.shards as u64) as usize;
        self.announced[self.db] += own;
        shard.databases[self.db].reserve(self.announced[self.db]);
    }

    /// Puts in what was read.
    fn put_found(&mut self, loading: &Loading, shard: &mut ShardState) -> Result<(), String> {
        for entry in &self.found.entries {
            shard.databases[entry.db].prefetch_line(entry.hash);
        }
        let (mut start, mut loaded) = (0, 0);
        let mut outcome = Ok(());
        for FoundEntry { key_end, hash, db, detached } in self.found.entries.drain(..) {
            let key = Key::with_hash(&self.found.keys[start..key_end], hash);
            start = key_end;
            let put = shard.databases[db].put_new(key, detached);
            if let Err(detached) = put {
                if loading.conflict == Conflict::Fail {
                    let key = String::from_utf8_lossy(key.bytes());
                    outcome = Err(format!("RDB has duplicated key '{key}' in DB {db}"));
                    break;
                }
                shard.garbage.extend(shard.databases[db].put(key, detached));
            }
            loaded += 1;
        }
        self.found.keys.clear();
        loading.keys_loaded.fetch_add(loaded, Ordering::Relaxed);
        outcome
    }
}

impl Found {
    fn add(&mut self, key: &[u8], db: usize, detached: Detached) {
        self.keys.extend_from_slice(key);
        self.entries.push(FoundEntry { key_end: self.keys.len(), hash: key_hash(key), db, detached });
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
