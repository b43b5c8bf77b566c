//! The files that a server with a log begins with: those that it has loaded, if it can go on with them; else new ones behind
//! them, for its shards.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::sync::Arc;

use storage::io::{Disk, RealDisk, error_text};
use storage::log::{FileKind, LogPlace, Manifest, ManifestFile};
use storage::snapshot::file::{FileSum, end_mark, header, put_aux};

use super::barrier::LogFile;
use super::hub::{Log, remove_history};
use super::keeper::create;
use crate::config::Config;
use crate::ids::ShardId;
use crate::replay::LogStart;
use crate::version::REDIS_VERSION;

/// The version of a base without keys.
const BASE_VERSION: u16 = 10;

impl Log {
    /// Opens or makes the files, and begins the log. Before any core turns.
    pub fn start(&self, config: &Config, start: &LogStart, shards: usize) -> Result<(), String> {
        let directory = config.dir.join(&config.appenddirname);
        let mut manifest = start.manifest.clone();
        let files = open(&directory, config, start, &mut manifest, shards).map_err(|error| {
            format!("Can't open or create the append-only files in {}: {}", directory.display(), error_text(&error))
        })?;
        if !config.aof_disable_auto_gc {
            remove_history(&directory, &config.appendfilename, &mut manifest);
        }
        let base_bytes = manifest.base().map_or(0, |base| RealDisk.length(&directory.join(&base.name)).unwrap_or(0));
        for (shard, file) in files.iter().enumerate() {
            self.note_size(ShardId(shard as u16), file.offset);
        }
        let mut state = self.lock();
        state.directory = directory;
        state.name.clone_from(&config.appendfilename);
        state.manifest = manifest;
        state.start = files;
        drop(state);
        self.epochs.set_next_epoch(start.last_epoch + 1);
        self.note_start(base_bytes);
        self.set_on();
        Ok(())
    }
}

fn open(
    directory: &Path,
    config: &Config,
    start: &LogStart,
    manifest: &mut Manifest,
    shards: usize,
) -> io::Result<Vec<LogFile>> {
    let (disk, name): (&dyn Disk, &str) = (&RealDisk, &config.appendfilename);
    if let Some(places) = start.resume.as_ref().filter(|places| places.len() == shards) {
        return places.iter().map(|place| reopen(directory, place)).collect();
    }
    disk.make_directory(directory)?;
    if manifest.files.is_empty() {
        let (base, seq) = manifest.next_base(name, config.aof_use_rdb_preamble);
        if config.aof_use_rdb_preamble {
            write_empty_base(disk, &directory.join(&base))?;
        } else {
            disk.create(&directory.join(&base))?.sync()?;
        }
        let file = ManifestFile { name: base, seq, kind: FileKind::Base, writer: None, epoch: Some(start.last_epoch) };
        manifest.files.push(file);
        tracing::info!("Creating AOF base file {} on server start", manifest.files[0].name);
    }
    let (_, names) = manifest.begin_generation(name, shards);
    let files: io::Result<Vec<LogFile>> = names
        .iter()
        .map(|name| {
            tracing::info!("Creating AOF incr file {name} on server start");
            Ok(LogFile { file: create(directory, name)?, offset: 0 })
        })
        .collect();
    manifest.persist(disk, directory, name)?;
    files
}

fn reopen(directory: &Path, place: &LogPlace) -> io::Result<LogFile> {
    tracing::info!("Opening AOF incr file {} on server start", place.name);
    let file = OpenOptions::new().write(true).open(directory.join(&place.name))?;
    Ok(LogFile { file: Arc::new(file), offset: place.length })
}

/// A snapshot of nothing.
fn write_empty_base(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let head = header(BASE_VERSION);
    let mut contents = Vec::new();
    put_aux(&mut contents, "redis-ver", REDIS_VERSION);
    put_aux(&mut contents, "redis-bits", &usize::BITS.to_string());
    put_aux(&mut contents, "aof-base", "1");
    contents.push(end_mark());
    let mut sum = FileSum::default();
    sum.add_bytes(&contents);
    let mut file = disk.create(path)?;
    file.append_all(&head)?;
    file.append_all(&contents)?;
    file.append_all(&sum.with_header(&head).to_le_bytes())?;
    file.sync()
}
