//! The thread that writes snapshots.
//!
//! The header's version is known last, when all blocks were seen: it is written in the end, over a place left for it, and
//! the checksum, which covers it, is combined from its and that of all the rest.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use storage::snapshot::file::{FileSum, end_mark, header, put_aux, put_function};

use super::job::{Job, Kind, Next};
use crate::config::error::system_text;
use crate::memory;
use crate::shared::Shared;
use crate::version::REDIS_VERSION;

/// With `rdb-save-incremental-fsync`, what was written is synced after so many bytes, so that the last sync is short.
const SYNC_BYTES: u64 = 32 << 20;

/// The least version that is written.
const VERSION_MIN: u16 = 10;

/// Writes one snapshot after the other until [`super::hub::Hub::close`].
pub fn run(shared: &Shared) {
    let hub = &shared.snapshots;
    while let Some(job) = hub.next_job() {
        let outcome = if job.kind.saves() { write(shared, &job) } else { Ok(()) };
        hub.ended(shared, &job, outcome);
        drop(job);
        memory::settle_thread();
    }
}

/// Writes the snapshot that all shards have handed in whole, if there is one. For the simulation.
#[cfg(feature = "simulation")]
pub fn write_waiting(shared: &Shared) {
    let hub = &shared.snapshots;
    if hub.has_whole(shared)
        && let Some(job) = hub.next_job()
    {
        let outcome = if job.kind.saves() { write(shared, &job) } else { Ok(()) };
        hub.ended(shared, &job, outcome);
    }
}

/// Writes the file; or says why not, and leaves nothing behind.
fn write(shared: &Shared, job: &Job) -> Result<(), String> {
    let temporary = job.directory.join(super::temporary_name());
    let outcome = write_file(shared, job, &temporary).and_then(|()| publish(job, &temporary));
    if outcome.is_err() {
        job.abandon();
        // If it cannot be removed it was never made, or somebody else removed it.
        let _ = std::fs::remove_file(&temporary);
    }
    outcome
}

fn write_file(shared: &Shared, job: &Job, temporary: &Path) -> Result<(), String> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(temporary).map_err(|error| {
        let (name, why) = (temporary.display(), system_text(&error));
        format!("Failed opening the temp RDB file {name} for saving: {why}")
    })?;
    write_contents(shared, job, &mut file).map_err(|error| match error.get_ref() {
        Some(why) if job.is_cancelled() => why.to_string(),
        _ => format!("Write error while saving DB to the disk: {}", system_text(&error)),
    })
}

fn write_contents(shared: &Shared, job: &Job, file: &mut File) -> io::Result<()> {
    let mut sum = FileSum::default();
    let mut version = VERSION_MIN;
    let mut unsynced = 0;
    file.write_all(&header(version))?;
    let begin = preamble(job);
    file.write_all(&begin)?;
    sum.add_bytes(&begin);
    let mut patient = false;
    loop {
        let block = match job.next(std::mem::take(&mut patient)) {
            Next::Block(block) => block,
            Next::Starved => {
                shared.wake_all();
                patient = true;
                continue;
            }
            Next::Complete => break,
            Next::Abandoned => return Err(io::Error::other("the snapshot was cancelled")),
        };
        file.write_all(&block.bytes)?;
        if job.check_sum {
            sum.add_bytes(&block.bytes);
        }
        version = version.max(block.version);
        unsynced += block.bytes.len() as u64;
        if job.incremental_sync && unsynced >= SYNC_BYTES {
            file.sync_data()?;
            unsynced = 0;
        }
        if job.written(block) {
            shared.wake_all();
        }
        memory::settle_thread();
    }
    // They are known from the cut on, and may stand anywhere.
    let mut end = Vec::new();
    for library in job.libraries.get().expect("all shards have made their cut").all() {
        put_function(&mut end, &library.source);
    }
    end.push(end_mark());
    let head = header(version);
    sum.add_bytes(&end);
    let crc = if job.check_sum { sum.with_header(&head) } else { 0 };
    file.write_all(&end)?;
    file.write_all(&crc.to_le_bytes())?;
    file.write_all_at(&head, 0)?;
    file.sync_all()
}

/// What stands before all keys.
fn preamble(job: &Job) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_aux(&mut bytes, "redis-ver", REDIS_VERSION);
    put_aux(&mut bytes, "redis-bits", &usize::BITS.to_string());
    put_aux(&mut bytes, "ctime", &(job.began.0 / 1000).to_string());
    put_aux(&mut bytes, "used-mem", &memory::used_bytes().to_string());
    put_aux(&mut bytes, "aof-base", if job.kind == Kind::Rewrite { "1" } else { "0" });
    bytes
}

/// Puts the file in the place of the one before, for good.
fn publish(job: &Job, temporary: &Path) -> Result<(), String> {
    let target: PathBuf = job.directory.join(&job.name);
    std::fs::rename(temporary, &target).map_err(|error| {
        let (from, to, why) = (temporary.display(), target.display(), system_text(&error));
        format!("Error moving temp DB file {from} on the final destination {to}: {why}")
    })?;
    File::open(&job.directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| format!("Error syncing the directory of {}: {}", target.display(), system_text(&error)))
}
