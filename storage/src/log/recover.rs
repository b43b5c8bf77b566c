//! Recovery: what of a directory is history that was, and cutting off the rest.
//!
//! ```text
//!                                       ╎ cut
//!   log of shard 0  │ 17 {0,1} │ 18 {0} ╎ │ 19 {0,1} │            19 is not whole in log 1, so nobody was told of it;
//!   log of shard 1  │ 17 {0,1} │        ╎ │ 19 {0,1  ~            and of no later one
//! ```
//!
//! The logs are read side by side, each once, epoch by epoch: the next one counts if every shard that its heads name has
//! its group, whole, and all heads agree. Behind the last that counts every log is cut, and synced: the number of the epoch
//! that was not complete will be given again, and its old groups must not come back after the next power cut.
//!
//! A log may end short, which is what a crash leaves, and `aof-load-truncated no` refuses. What cannot be read *ahead* of a
//! group that can is no crash but damage; cutting there would throw away what was acknowledged, so that is refused.
//!
//! If a Redis has appended commands to a log, it has loaded all the logs before, whole epochs or not, and served from that:
//! then they are left as they are.

use std::fmt;
use std::io;
use std::path::Path;

use super::group::{GroupHead, GroupScan, Tail, behind, find_line};
use super::manifest::{Manifest, ManifestFile, Part};
use crate::io::{Disk, error_text};

/// A log that is to be written on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPlace {
    /// Its file.
    pub name: String,
    /// Its length in bytes.
    pub length: u64,
}

/// What recovery has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The last complete epoch; the next one to be written has the next number.
    pub last_epoch: u64,
    /// The logs of the last generation, by shard, if they can be written on.
    pub resume: Option<Vec<LogPlace>>,
    /// What was cut off: files, and their lengths since.
    pub cuts: Vec<LogPlace>,
}

/// Why the logs cannot be loaded.
#[derive(Debug)]
pub enum RecoverError {
    /// The system gives no more of a file.
    Io {
        /// Which.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// A file is not there.
    Missing {
        /// Which.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// A log ends with something else than a complete epoch, and that is not to be cut off.
    Truncated(LogPlace),
    /// A log is damaged in the middle.
    Damaged {
        /// Where the damage begins.
        place: LogPlace,
        /// Where there is a group behind it.
        intact_at: u64,
    },
    /// An epoch comes again.
    Repeated {
        /// Where.
        place: LogPlace,
        /// Which.
        epoch: u64,
    },
}

impl fmt::Display for RecoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const BACKUP: &str = "make a backup of your AOF file, then use tessera --check-aof --fix <filename.manifest>";
        match self {
            Self::Io { name, error } => {
                write!(f, "Unrecoverable error reading the append only file {name}: {}", error_text(error))
            }
            Self::Missing { name, error } => {
                write!(f, "Unable to obtain the AOF file {name} length. stat: {}", error_text(error))
            }
            Self::Truncated(place) => f.write_str(&unexpected_end(&place.name, place.length)),
            Self::Damaged { place: LogPlace { name, length }, intact_at } => write!(
                f,
                "Bad file format reading the append only file {name}: it is damaged at offset {length}, and goes on at \
                 offset {intact_at}; {BACKUP}"
            ),
            Self::Repeated { place: LogPlace { name, length }, epoch } => write!(
                f,
                "Bad file format reading the append only file {name}: epoch {epoch} comes again at offset {length}; {BACKUP}"
            ),
        }
    }
}

/// What is said of a file that ends within a record, if that is not to be cut off.
pub fn unexpected_end(name: &str, offset: u64) -> String {
    format!(
        "Unexpected end of file reading the append only file {name}: what begins at offset {offset} is not whole. You can: \
         1) Make a backup of your AOF file, then use tessera --check-aof --fix <filename.manifest>. 2) Alternatively you can \
         set the 'aof-load-truncated' configuration option to yes and restart the server."
    )
}

/// Finds the last complete epoch of the logs that `manifest` names, and cuts off what is behind it, if `may_cut`.
pub fn recover(
    disk: &dyn Disk,
    directory: &Path,
    manifest: &Manifest,
    may_cut: bool,
) -> Result<Recovered, RecoverError> {
    let found = examine(disk, directory, manifest)?;
    if let Some(cut) = found.cuts.first().filter(|_| !may_cut) {
        return Err(RecoverError::Truncated(cut.clone()));
    }
    for cut in &found.cuts {
        let truncated = disk.open(&directory.join(&cut.name)).and_then(|mut file| {
            file.truncate(cut.length)?;
            file.sync()
        });
        truncated.map_err(|error| RecoverError::Io { name: cut.name.clone(), error })?;
    }
    Ok(found)
}

/// Finds what [`recover`] would cut, and changes nothing.
pub fn examine(disk: &dyn Disk, directory: &Path, manifest: &Manifest) -> Result<Recovered, RecoverError> {
    follow_all(disk, directory, manifest, false)
}

/// As [`examine`], where everything behind damage is taken for lost.
pub fn examine_damaged(disk: &dyn Disk, directory: &Path, manifest: &Manifest) -> Result<Recovered, RecoverError> {
    follow_all(disk, directory, manifest, true)
}

fn follow_all(
    disk: &dyn Disk,
    directory: &Path,
    manifest: &Manifest,
    gives_up_damaged: bool,
) -> Result<Recovered, RecoverError> {
    let parts = manifest.parts();
    let mut found =
        Recovered { last_epoch: manifest.base().and_then(|base| base.epoch).unwrap_or(0), ..Recovered::default() };
    let last_plain = parts.iter().rposition(|part| matches!(part, Part::Plain(_)));
    for (place, part) in parts.iter().enumerate() {
        match part {
            Part::Base(file) | Part::Plain(file) => {
                let length = disk.length(&directory.join(&file.name));
                length.map_err(|error| RecoverError::Missing { name: file.name.clone(), error })?;
                found.resume = None;
            }
            Part::Generation(files) => {
                let mut logs =
                    files.iter().map(|file| Log::open(disk, directory, file)).collect::<Result<Vec<Log>, _>>()?;
                // Only if a Redis has gone on behind it.
                let is_settled = last_plain.is_some_and(|plain| place < plain);
                found.resume = follow(&mut logs, &mut found, is_settled, gives_up_damaged)?;
            }
        }
    }
    Ok(found)
}

/// One log on its way through the epochs.
struct Log<'a> {
    disk: &'a dyn Disk,
    directory: &'a Path,
    name: String,
    length: u64,
    scan: GroupScan,
    /// Where the last epoch that counts ends.
    kept: u64,
    /// The group behind it, and its end; or what is there instead.
    next: Result<(GroupHead, u64), Tail>,
}

impl<'a> Log<'a> {
    fn open(disk: &'a dyn Disk, directory: &'a Path, file: &ManifestFile) -> Result<Log<'a>, RecoverError> {
        let name = file.name.clone();
        let path = directory.join(&name);
        let opened = disk.length(&path).and_then(|length| Ok((length, disk.read(&path)?)));
        let (length, source) = opened.map_err(|error| RecoverError::Missing { name: name.clone(), error })?;
        let scan = GroupScan::new(source);
        let mut log = Log { disk, directory, name, length, scan, kept: 0, next: Err(Tail::None) };
        log.look()?;
        Ok(log)
    }

    fn look(&mut self) -> Result<(), RecoverError> {
        self.next = self.scan.next().map_err(|error| RecoverError::Io { name: self.name.clone(), error })?;
        Ok(())
    }

    fn place(&self, length: u64) -> LogPlace {
        LogPlace { name: self.name.clone(), length }
    }

    /// The group of epoch `epoch`, if it comes next.
    fn group(&self, epoch: u64) -> Option<&GroupHead> {
        self.next.as_ref().ok().map(|(head, _)| head).filter(|head| head.epoch == epoch)
    }

    fn advance(&mut self) -> Result<(), RecoverError> {
        if let Ok((_, end)) = self.next {
            self.kept = end;
        }
        self.look()
    }

    /// Looks at all that does not count, and refuses what no crash leaves behind. What stands at the end, and the last
    /// epoch of which there is a group.
    fn look_behind(&mut self, last_epoch: u64, gives_up_damaged: bool) -> Result<(Tail, u64), RecoverError> {
        let mut last = last_epoch;
        loop {
            match &self.next {
                Ok((head, _)) if head.epoch <= last => {
                    let place = self.place(self.kept);
                    return Err(RecoverError::Repeated { place, epoch: head.epoch });
                }
                Ok((head, _)) => last = head.epoch,
                Err(tail) => {
                    let tail = *tail;
                    if tail == Tail::Torn && !gives_up_damaged {
                        self.refuse_damage()?;
                    }
                    return Ok((tail, last));
                }
            }
            self.look()?;
        }
    }

    /// Behind what cannot be read there must be nothing that can.
    fn refuse_damage(&self) -> Result<(), RecoverError> {
        let damaged_at = self.scan.offset;
        let rest = self.disk.read(&self.directory.join(&self.name)).and_then(|source| behind(source, damaged_at + 1));
        match rest.and_then(find_line) {
            Ok(None) => Ok(()),
            Ok(Some(at)) => {
                Err(RecoverError::Damaged { place: self.place(damaged_at), intact_at: damaged_at + 1 + at })
            }
            Err(error) => Err(RecoverError::Io { name: self.name.clone(), error }),
        }
    }
}

/// Follows the epochs through the logs of one generation. The logs to go on with, if there are such.
fn follow(
    logs: &mut [Log<'_>],
    found: &mut Recovered,
    is_settled: bool,
    gives_up_damaged: bool,
) -> Result<Option<Vec<LogPlace>>, RecoverError> {
    // Behind a log that was cut nothing is complete.
    while found.cuts.is_empty() && is_complete(logs, found.last_epoch + 1) {
        found.last_epoch += 1;
        for log in &mut *logs {
            if log.group(found.last_epoch).is_some() {
                log.advance()?;
            }
        }
    }
    let (mut is_settled, mut last_of_all) = (is_settled, found.last_epoch);
    for log in &mut *logs {
        let (tail, last) = log.look_behind(found.last_epoch, gives_up_damaged)?;
        is_settled |= tail == Tail::Commands;
        last_of_all = last_of_all.max(last);
    }
    if is_settled {
        found.last_epoch = last_of_all;
        return Ok(None);
    }
    found.cuts.extend(logs.iter().filter(|log| log.kept < log.length).map(|log| log.place(log.kept)));
    Ok(Some(logs.iter().map(|log| log.place(log.kept)).collect()))
}

/// Whether every shard that the heads of an epoch name has its group, and all heads name the same ones.
fn is_complete(logs: &[Log<'_>], epoch: u64) -> bool {
    let mut heads = logs.iter().filter_map(|log| log.group(epoch));
    let Some(first) = heads.next() else { return false };
    heads.all(|head| head.members == first.members)
        && first.members.iter().all(|shard| logs.get(shard).is_some_and(|log| log.group(epoch).is_some()))
        && logs.iter().enumerate().all(|(shard, log)| log.group(epoch).is_none() || first.members.contains(shard))
}
