//! The thread that writes snapshots.
//!
//! The header's version is known last, when all blocks were seen: it is written in the end, over a place left for it, and
//! the checksum, which covers it, is combined from its and that of all the rest.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use storage::log::{put_commands, put_record, put_timestamp};
use storage::snapshot::file::{
    Block, FileError, FileReader, FileSum, Item, Part, end_mark, header, put_aux, put_function,
};
use storage::types::Limits;

use super::job::{Job, Kind, Next};
use crate::config::error::system_text;
use crate::memory;
use crate::os::write_back;
use crate::shared::Shared;
use crate::version::REDIS_VERSION;

/// With `rdb-save-incremental-fsync`, the kernel begins to write to the disk after so many bytes, so that the last sync is
/// short. Begun with many, that keeps a processor for milliseconds, and whichever core's thread is to run there waits.
const WRITE_BACK_BYTES: u64 = 1 << 20;

/// No more than so many bytes are on their way to the disk.
const UNDER_WAY_BYTES_MAX: u64 = 16 << 20;

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
    if job.is_commands {
        return write_commands(shared, job, file);
    }
    let mut sum = FileSum::default();
    let mut version = VERSION_MIN;
    file.write_all(&header(version))?;
    let begin = preamble(job);
    file.write_all(&begin)?;
    sum.add_bytes(&begin);
    each_block(shared, job, file, |file, block| {
        file.write_all(&block.bytes)?;
        if job.check_sum {
            sum.add_bytes(&block.bytes);
        }
        version = version.max(block.version);
        Ok(())
    })?;
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

/// Writes the commands that make the data set (`aof-use-rdb-preamble no`).
fn write_commands(shared: &Shared, job: &Job, file: &mut File) -> io::Result<()> {
    let mut begin = Vec::new();
    if job.tells_time {
        put_timestamp(&mut begin, job.began.0 / 1000);
    }
    file.write_all(&begin)?;
    // The pieces of a value come one after the other; it is commands when it is complete.
    let mut pieces = Vec::new();
    each_block(shared, job, file, |file, block| {
        let mut commands = Vec::new();
        let bytes = match block.part {
            Part::Entries => &block.bytes,
            Part::Piece | Part::LastPiece => {
                pieces.extend_from_slice(&block.bytes);
                &pieces
            }
        };
        if block.part == Part::Piece {
            return Ok(());
        }
        put_block(&mut commands, block.version, bytes).map_err(|error| io::Error::other(error.to_string()))?;
        if block.part == Part::LastPiece {
            pieces = Vec::new();
        }
        file.write_all(&commands)
    })?;
    let mut end = Vec::new();
    for library in job.libraries.get().expect("all shards have made their cut").all() {
        put_record(&mut end, [&b"FUNCTION"[..], b"LOAD", &library.source].into_iter());
    }
    file.write_all(&end)?;
    file.sync_all()
}

/// Appends the commands for the entries of a block of this version, which is read as a file of its own.
fn put_block(out: &mut Vec<u8>, version: u16, bytes: &[u8]) -> Result<(), FileError> {
    // The checksum behind the mark is not looked at.
    let (head, end) = (header(version), [end_mark(), 0, 0, 0, 0, 0, 0, 0, 0]);
    let mut file = FileReader::new(head.chain(bytes).chain(&end[..]), false)?;
    loop {
        match file.next_item()? {
            Item::Entry(head) => {
                if let Some(value) = file.value(&Limits::default())? {
                    put_commands(out, file.key(), value.as_value(), head.expire_at);
                }
            }
            Item::Database(db) => put_record(out, [&b"SELECT"[..], db.to_string().as_bytes()].into_iter()),
            Item::End => return Ok(()),
            Item::Aux { .. } | Item::Function(_) | Item::Sizes(..) => {}
        }
    }
}

/// Has all blocks that the shards hand in written, one after the other.
fn each_block(
    shared: &Shared,
    job: &Job,
    file: &mut File,
    mut write: impl FnMut(&mut File, &Block) -> io::Result<()>,
) -> io::Result<()> {
    let (mut written_back, mut patient) = (WrittenBack::default(), false);
    loop {
        let block = match job.next(std::mem::take(&mut patient)) {
            Next::Block(block) => block,
            Next::Starved => {
                shared.wake_all();
                patient = true;
                continue;
            }
            Next::Complete => return Ok(()),
            Next::Abandoned => return Err(io::Error::other("the snapshot was cancelled")),
        };
        write(file, &block)?;
        if job.incremental_sync {
            written_back.go_on(file)?;
        }
        if job.written(block) {
            shared.wake_all();
        }
        // A core that has become ready meanwhile runs now, not when this thread has had its share.
        std::thread::yield_now();
        memory::settle_thread();
    }
}

/// How far the kernel has been told to write a file to its disk, and how far it has.
#[derive(Default)]
struct WrittenBack {
    begun: u64,
    done: u64,
}

impl WrittenBack {
    /// Has it go on with what was written to the file since, if that is enough.
    fn go_on(&mut self, file: &mut File) -> io::Result<()> {
        let end = file.stream_position()?;
        if end - self.begun < WRITE_BACK_BYTES {
            return Ok(());
        }
        write_back(file, self.begun..end, false)?;
        self.begun = end;
        if end - self.done > UNDER_WAY_BYTES_MAX {
            let due = self.done + UNDER_WAY_BYTES_MAX / 4;
            write_back(file, self.done..due, true)?;
            self.done = due;
        }
        Ok(())
    }
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
