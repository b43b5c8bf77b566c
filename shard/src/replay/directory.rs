//! What there is to load: from a configuration to the stages of a load.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use storage::UnixMillis;
use storage::io::{Disk, RealDisk, error_text};
use storage::log::{FileKind, LogPlace, Manifest, ManifestFile, Part, last_part, manifest_name, recover};

use super::reader::LogFile;
use crate::config::Config;
use crate::snapshot::{Loading, SnapshotFile, Stage};

/// Where writing the log begins.
#[derive(Clone, Debug, Default)]
pub struct LogStart {
    /// The files that there are.
    pub manifest: Manifest,
    /// The last complete epoch; the next has the next number.
    pub last_epoch: u64,
    /// The logs to go on with, if those of the last generation can be written on by these shards.
    pub resume: Option<Vec<LogPlace>>,
}

/// A log that was found.
#[derive(Debug)]
pub struct Opened {
    /// What is to be loaded; none if there is no log, or nothing in it.
    pub loading: Option<Loading>,
    /// Where writing begins.
    pub start: LogStart,
}

/// Finds the log that `config` names, recovers it, and says what is to be loaded by so many shards, which are emptied
/// first if `empties`. An error is a text for the server's log.
pub fn open(config: &Config, shards: usize, empties: bool, now: UnixMillis) -> Result<Opened, String> {
    let disk: &dyn Disk = &RealDisk;
    let directory = Path::new(&config.dir.0).join(&config.appenddirname);
    let name = &config.appendfilename;
    let has_old = Path::new(&config.dir.0).join(name).is_file();
    let manifest = match read_manifest(disk, &directory, name)? {
        // A base that is nowhere is an error, which recovery finds.
        Some(manifest) if !has_old || !is_half_upgraded(disk, config, &directory, &manifest) => manifest,
        None if !has_old => return Ok(Opened { loading: None, start: LogStart::default() }),
        _ => upgrade(disk, config, &directory)?,
    };
    let recovered =
        recover(disk, &directory, &manifest, config.aof_load_truncated).map_err(|error| error.to_string())?;
    for LogPlace { name, length } in &recovered.cuts {
        tracing::warn!("!!! Warning: short read while loading the AOF file {name}!!!");
        tracing::warn!("AOF {name} loaded anyway because aof-load-truncated is enabled");
        tracing::warn!("Truncating the AOF {name} at offset {length}, behind epoch {}", recovered.last_epoch);
    }
    let mut stages = stages(disk, &directory, &manifest)?;
    let loading = (!stages.is_empty()).then(|| {
        if empties {
            stages.insert(0, Stage::Empty);
        }
        Loading::of_log(stages, shards, config.rdbchecksum, config.aof_load_truncated, now)
    });
    let resume = recovered.resume.filter(|logs| logs.len() == shards);
    Ok(Opened { loading, start: LogStart { manifest, last_epoch: recovered.last_epoch, resume } })
}

fn read_manifest(disk: &dyn Disk, directory: &Path, name: &str) -> Result<Option<Manifest>, String> {
    match Manifest::load(disk, directory, name) {
        Ok(None) => Ok(None),
        Ok(Some(manifest)) => manifest.map(Some).map_err(|error| error.to_string()),
        Err(error) => {
            let (name, why) = (manifest_name(name), error_text(&error));
            Err(format!("Fatal error: can't open the AOF manifest file {name} for reading: {why}"))
        }
    }
}

/// Whether the server ended between writing the manifest of an old log and moving that log.
fn is_half_upgraded(disk: &dyn Disk, config: &Config, directory: &Path, manifest: &Manifest) -> bool {
    let [only] = &manifest.files[..] else { return false };
    let is_old = only.kind == FileKind::Base && only.name == config.appendfilename;
    is_old && disk.length(&directory.join(&only.name)).is_err()
}

/// A log of before there were manifests becomes the base of one.
fn upgrade(disk: &dyn Disk, config: &Config, directory: &Path) -> Result<Manifest, String> {
    let name = &config.appendfilename;
    let base = ManifestFile { name: name.clone(), seq: 1, kind: FileKind::Base, writer: None, epoch: None };
    let manifest = Manifest { files: vec![base] };
    let upgraded = disk
        .make_directory(directory)
        .and_then(|()| manifest.persist(disk, directory, name))
        .and_then(|()| disk.rename(&Path::new(&config.dir.0).join(name), &directory.join(name)))
        .and_then(|()| disk.sync_directory(directory));
    let (dirname, why) = (&config.appenddirname, |error: &io::Error| error_text(error));
    upgraded
        .map_err(|error| format!("Error trying to move the old AOF file {name} into dir {dirname}: {}", why(&error)))?;
    tracing::info!("Successfully migrated an old-style AOF configuration ({name}) into the AOF directory ({dirname}).");
    Ok(manifest)
}

/// The stages of a log.
fn stages(disk: &dyn Disk, directory: &Path, manifest: &Manifest) -> Result<Vec<Stage>, String> {
    let mut stages = Vec::new();
    let parts = manifest.parts();
    let last = last_part(disk, directory, &parts);
    for (place, part) in parts.into_iter().enumerate() {
        match part {
            Part::Base(file) => {
                let log = log_file(disk, directory, file, place >= last)?;
                if begins_as_snapshot(disk, &log.path)? {
                    push_snapshot(&mut stages, log);
                } else {
                    stages.push(Stage::Logs(vec![log]));
                }
            }
            Part::Plain(file) => stages.push(Stage::Logs(vec![log_file(disk, directory, file, place >= last)?])),
            Part::Generation(files) => {
                let logs = files.into_iter().map(|file| {
                    // Recovery has cut it; commands of a Redis may follow.
                    log_file(disk, directory, file, place >= last)
                });
                stages.push(Stage::Logs(logs.collect::<Result<_, _>>()?));
            }
        }
    }
    Ok(stages)
}

/// A base that begins as an RDB file may go on with commands, as old logs do.
fn push_snapshot(stages: &mut Vec<Stage>, log: LogFile) {
    tracing::info!("Reading RDB base file on AOF loading...");
    stages.push(Stage::Snapshot(SnapshotFile {
        path: log.path.clone(),
        bytes: log.bytes,
        part_of_log: Some(log.name.clone()),
    }));
    stages.push(Stage::Logs(vec![LogFile { is_behind_snapshot: true, ..log }]));
}

fn log_file(disk: &dyn Disk, directory: &Path, file: &ManifestFile, is_last: bool) -> Result<LogFile, String> {
    let path: PathBuf = directory.join(&file.name);
    let bytes = disk
        .length(&path)
        .map_err(|error| format!("Unable to obtain the AOF file {} length. stat: {}", file.name, error_text(&error)))?;
    Ok(LogFile {
        path,
        name: file.name.clone(),
        bytes,
        is_base: file.kind == FileKind::Base,
        is_behind_snapshot: false,
        is_last,
    })
}

fn begins_as_snapshot(disk: &dyn Disk, path: &Path) -> Result<bool, String> {
    let mut begin = Vec::new();
    let read = disk.read(path).and_then(|source| source.take(5).read_to_end(&mut begin));
    read.map_err(|error| {
        format!("Unrecoverable error reading the append only file {}: {}", path.display(), error_text(&error))
    })?;
    Ok(begin == b"REDIS")
}
