//! The thread that changes files: whatever is more than appending a group.
//!
//! ```text
//!   shard 0   R R │ FLUSHALL │ R          epoch 5  generation 3: what both recorded before
//!   shard 1   R   │ FLUSHALL │ R R   ─►   epoch 6  generation 4: FLUSHALL, one file
//!                                         epoch 7  generation 5: what both recorded behind it
//! ```
//!
//! A command for all keys of all shards stands in every journal of its epoch, as often and in the same order. Redis replays
//! the files one after another; so it gets a file of its own between those of the shards, and an epoch of its own. The
//! shards of such an epoch write nothing, but hand in what they have, and go on with the files that the keeper makes. The
//! cut of a rewrite goes the same way: behind it every shard has a new file, and what is before is in the base.
//!
//! It works with plain calls that wait for the disk. What fails is tried again from the start until it succeeds: nothing
//! counts before the manifest names it. Meanwhile writes are refused; with `always` the server ends. A rewrite has nothing
//! that could not stay where it is: if its new files cannot be made it has failed, and the shards go on with the old ones.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use storage::io::{RealDisk, error_text};
use storage::log::{Manifest, Members, put_group};

use super::barrier::{Barrier, Handed, LogFile};
use super::hub::Log;
use crate::config::types::choices::AppendFsync;
use crate::ids::ShardId;
use crate::journal::Stretch;
use crate::memory;
use crate::shared::{Shared, Stop};

/// What has failed is tried again after so long.
const RETRY: Duration = Duration::from_millis(500);

/// Writes what shards hand in, until the server ends.
pub fn run(shared: &Shared) {
    let log = &shared.log;
    while let Some(barrier) = log.next_order() {
        let Ok(files) = keep_trying(shared, &barrier) else { return };
        // What could not be synced may have come to light.
        shared.snapshots.judge_log(shared);
        barrier.set_files(files);
        for (shard, handed) in barrier.handed().iter().enumerate() {
            if handed.is_some() {
                log.epochs.note_unsynced(ShardId(shard as u16), 0);
            }
        }
        log.epochs.complete(barrier.number, &shared.mesh, None);
        memory::settle_thread();
    }
}

/// The server ends before what was handed in could be written.
struct ServerEnds;

/// The files that follow a barrier; none if the log was turned off meanwhile.
fn keep_trying(shared: &Shared, barrier: &Barrier) -> Result<Option<Vec<LogFile>>, ServerEnds> {
    let log = &shared.log;
    let mut begins = barrier.begins_generation;
    let mut fails = false;
    let life = log.life();
    let files = loop {
        if !log.is_on() || log.life() != life {
            break None;
        }
        let is_always = shared.config().appendfsync == AppendFsync::Always;
        let why = match log.keep(barrier, begins, is_always) {
            Ok(files) => break Some(files),
            Err(why) => why,
        };
        if begins && barrier.has_files() {
            tracing::warn!("Can't begin new append-only files: {}", error_text(&why));
            log.rewrite_failed(error_text(&why));
            if let Some(job) = &barrier.job {
                job.abandon();
            }
            begins = false;
            continue;
        }
        if is_always {
            tracing::error!(
                "Error writing to the AOF file: {}. Can't recover from AOF write error when the AOF fsync policy is \
                 'always'. Exiting...",
                error_text(&why)
            );
            log.epochs.give_up();
            shared.request_stop(Stop::Orderly(1));
            return Err(ServerEnds);
        }
        log.note_failure(&why);
        if !std::mem::replace(&mut fails, true) {
            tracing::warn!("Error writing the append-only files: {}", error_text(&why));
            log.epochs.set_failing(true, &shared.mesh);
            shared.snapshots.judge_log(shared);
        }
        if shared.stop() != Stop::No {
            log.epochs.give_up();
            shared.wake_all();
        }
        if log.waits_to_close(RETRY) {
            return Err(ServerEnds);
        }
    };
    if fails {
        log.epochs.set_failing(false, &shared.mesh);
        shared.snapshots.judge_log(shared);
    }
    Ok(files)
}

/// Writes what waits, if anything does; whether anything did. For the simulation, whose disk never fails here.
#[cfg(feature = "simulation")]
pub fn keep_waiting(shared: &Shared) -> bool {
    let log = &shared.log;
    let Some(barrier) = log.lock().orders.pop_front() else { return false };
    let files = log.keep(&barrier, barrier.begins_generation, false).expect("a simulated disk takes everything");
    barrier.set_files(Some(files));
    log.epochs.complete(barrier.number, &shared.mesh, None);
    true
}

/// Files that are written side by side, by shard; none where nothing is written yet.
type Files = Vec<Option<LogFile>>;

/// What the shards recorded between two commands for all keys, by shard.
type Segment = Vec<Vec<u8>>;

impl Log {
    fn next_order(&self) -> Option<Arc<Barrier>> {
        let mut state = self.lock();
        loop {
            if let Some(barrier) = state.orders.pop_front() {
                return Some(barrier);
            }
            if state.closed {
                return None;
            }
            state = self.to_do.wait(state).expect("no one panics while looking at the log's files");
        }
    }

    fn waits_to_close(&self, time: Duration) -> bool {
        let state = self.lock();
        let waited = self.to_do.wait_timeout_while(state, time, |state| !state.closed);
        waited.is_ok_and(|(state, _)| state.closed)
    }

    /// Writes all that a barrier's members have handed in; the files that follow, new ones if they are to be.
    fn keep(&self, barrier: &Barrier, begins_generation: bool, is_always: bool) -> io::Result<Vec<LogFile>> {
        let _changing = self.change();
        let (directory, name, manifest) = self.files();
        let handed = barrier.handed();
        let shards = handed.len();
        let mut files: Files = handed.iter().map(|handed| handed.as_ref().and_then(|h| h.file.clone())).collect();
        let (segments, wholes) = segments(&handed, shards);
        // What stands in files that are left is not to wait for the kernel's time.
        for file in files.iter().flatten() {
            self.sync(&file.file, is_always)?;
        }
        let mut next =
            Next { log: self, is_always, directory: &directory, name: &name, manifest, epoch: barrier.epoch };
        for (place, segment) in segments.iter().enumerate() {
            next.write(&mut files, segment)?;
            if let Some(whole) = wholes.get(place) {
                let mut alone = next.begin(1)?;
                next.write(&mut alone, std::slice::from_ref(whole))?;
                files = next.begin(shards)?;
            }
        }
        let generation = if begins_generation {
            files = next.begin(shards)?;
            next.manifest.last_generation()
        } else {
            0
        };
        let is_changed = next.manifest != self.lock().manifest;
        if is_changed && !self.lock().is_pending {
            next.manifest.persist(&RealDisk, &directory, &name)?;
        }
        let mut state = self.lock();
        if begins_generation && let Some(rewrite) = &mut state.rewrite {
            rewrite.cut = Some((next.epoch - 1, generation));
            rewrite.doubts = self.doubts();
        }
        state.manifest = next.manifest;
        self.epochs.set_next_epoch(next.epoch);
        drop(state);
        for (shard, file) in files.iter().enumerate() {
            self.note_size(ShardId(shard as u16), file.as_ref().map_or(0, |file| file.offset));
        }
        Ok(files.into_iter().map(|file| file.expect("a generation has a file for every shard")).collect())
    }
}

impl Log {
    /// A sync that fails is not tried again: what the file holds nobody knows from then on. With `always` that is the end.
    fn sync(&self, file: &File, is_always: bool) -> io::Result<()> {
        match file.sync_data() {
            Err(error) if !is_always => {
                tracing::warn!("Fail to fsync the AOF file: {}", error_text(&error));
                self.doubt(&error);
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// How far the files will have come.
struct Next<'a> {
    log: &'a Log,
    is_always: bool,
    directory: &'a Path,
    name: &'a str,
    manifest: Manifest,
    epoch: u64,
}

impl Next<'_> {
    /// Writes an epoch, if there is anything in it.
    fn write(&mut self, files: &mut [Option<LogFile>], segment: &[Vec<u8>]) -> io::Result<()> {
        let members = Members::of((0..segment.len()).filter(|&shard| !segment[shard].is_empty()));
        if members.is_empty() {
            return Ok(());
        }
        for shard in members.iter() {
            let place = files[shard].as_mut().expect("who has recorded something has a file");
            let mut group = Vec::new();
            put_group(&mut group, self.epoch, &members, &segment[shard]);
            place.file.write_all_at(&group, place.offset)?;
            self.log.sync(&place.file, self.is_always)?;
            place.offset += group.len() as u64;
        }
        self.epoch += 1;
        Ok(())
    }

    /// Makes a generation of empty files.
    fn begin(&mut self, shards: usize) -> io::Result<Files> {
        let (_, names) = self.manifest.begin_generation(self.name, shards);
        names.iter().map(|name| Ok(Some(LogFile { file: create(self.directory, name)?, offset: 0 }))).collect()
    }
}

/// Makes an empty file of the log.
pub(super) fn create(directory: &Path, name: &str) -> io::Result<Arc<File>> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).open(directory.join(name)).map(Arc::new)
}

/// Divides what the shards have recorded at the commands for all keys, of which every one has all.
fn segments(handed: &[Option<Handed>], shards: usize) -> (Vec<Segment>, Vec<Vec<u8>>) {
    let (mut segments, mut wholes): (Vec<Segment>, Vec<Vec<u8>>) = (vec![vec![Vec::new(); shards]], Vec::new());
    for (shard, handed) in handed.iter().enumerate() {
        let stretches = handed.as_ref().map_or(&[][..], |handed| &handed.stretches);
        let mut place = 0;
        for stretch in stretches {
            match stretch {
                Stretch::Records(records) => segments[place][shard].extend_from_slice(records),
                Stretch::Whole(record) => {
                    place += 1;
                    if segments.len() == place {
                        segments.push(vec![Vec::new(); shards]);
                        wholes.push(record.clone());
                    }
                }
            }
        }
    }
    (segments, wholes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shards_recorded_is_divided_at_what_is_for_all() {
        let records = |text: &str| Stretch::Records(text.as_bytes().to_vec());
        let whole = |text: &str| Stretch::Whole(text.as_bytes().to_vec());
        let first = vec![records("a"), whole("W"), records("b"), whole("X")];
        let second = vec![whole("W"), whole("X"), records("c")];
        let handed = [first, second].map(|stretches| Some(Handed { file: None, stretches }));
        let (segments, wholes) = segments(&handed, 2);
        assert_eq!(wholes, [b"W", b"X"]);
        let text =
            |segment: &Segment| segment.iter().map(|r| String::from_utf8_lossy(r).into_owned()).collect::<Vec<_>>();
        let shown: Vec<Vec<String>> = segments.iter().map(text).collect();
        assert_eq!(shown, [["a", ""], ["b", ""], ["", "c"]]);
    }
}
