//! The manifest: which files make up the log, in the order in which they are read.
//!
//! ```text
//! appendonlydir/appendonly.aof.manifest
//!   file appendonly.aof.2.base.rdb seq 2 type b epoch 16              all that there was up to epoch 16
//!   file appendonly.aof.5.incr.aof seq 5 type i generation 3 shard 0 shards 2
//!   file appendonly.aof.6.incr.aof seq 6 type i generation 3 shard 1 shards 2
//!   file appendonly.aof.7.incr.aof seq 7 type i generation 4 shard 0 shards 1      FLUSHALL
//!   file appendonly.aof.8.incr.aof seq 8 type i generation 5 shard 0 shards 2
//!   file appendonly.aof.9.incr.aof seq 9 type i generation 5 shard 1 shards 2
//!   file appendonly.aof.1.base.rdb seq 1 type h                       to be removed
//! ```
//!
//! The format is Redis's: pairs of words, of which Redis knows `file`, `seq` and `type` (`b` base, `i` incremental, `h` history)
//! and passes over the others; lines that begin with `#` are comments. It replays the base, then the incremental files one
//! after the other. That is right for our files too, because those of one generation tell of different keys, and
//! what concerns all keys has a generation of its own, with one file, written by one shard.
//!
//! When Redis writes the manifest anew our words are lost; then it has replayed whatever was in the files, and they are
//! files like its own.

use std::fmt::{self, Write as _};
use std::io::{self, Read};
use std::path::Path;

use crate::io::Disk;
use crate::words;

/// A line is shorter than this, in bytes, its end included.
const LINE_BYTES_MAX: usize = 1024;

/// What is behind the name of the log in the name of its manifest.
const MANIFEST_SUFFIX: &str = ".manifest";

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// The data set at one point: an RDB file, or commands.
    Base,
    /// Commands behind that.
    Incremental,
    /// Not part of the log any more.
    History,
}

impl FileKind {
    const fn letter(self) -> char {
        match self {
            Self::Base => 'b',
            Self::Incremental => 'i',
            Self::History => 'h',
        }
    }
}

/// Whose groups are in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Writer {
    /// The generation: the files that were written together.
    pub generation: u64,
    /// Which of its shards wrote this one.
    pub shard: usize,
    /// How many files the generation has.
    pub shards: usize,
}

/// A file of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestFile {
    /// Its name, in the directory of the manifest.
    pub name: String,
    /// Its number among those of its kind.
    pub seq: u64,
    /// What it is.
    pub kind: FileKind,
    /// Who wrote it, if it consists of groups.
    pub writer: Option<Writer>,
    /// Of a base: the last epoch that is in it.
    pub epoch: Option<u64>,
}

/// Some files that are read one after the other with what else there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// The base.
    Base(&'a ManifestFile),
    /// Commands, one after the other.
    Plain(&'a ManifestFile),
    /// Files of groups, by shard.
    Generation(Vec<&'a ManifestFile>),
}

/// The files of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The files, in the order of their lines.
    pub files: Vec<ManifestFile>,
}

/// Why a manifest cannot be read, as Redis says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestError {
    /// The number of the line and the line, if one is to blame.
    pub line: Option<(usize, String)>,
    /// What is wrong.
    pub text: &'static str,
}

const NEVER_FULL: &str = "a string takes what is written";

const EMPTY: &str = "Found an empty AOF manifest";
const LONG_LINE: &str = "The AOF manifest file contains too long line";
const FORMAT: &str = "Invalid AOF manifest file format";
const NO_PATH: &str = "File can't be a path, just a filename";
const UNKNOWN_KIND: &str = "Unknown AOF file type";
const TWO_BASES: &str = "Found duplicate base file information";
const NOT_MONOTONIC: &str = "Found a non-monotonic sequence number";
const BROKEN_GENERATION: &str = "Found a generation of files that is not whole";

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\n*** FATAL AOF MANIFEST FILE ERROR ***\n")?;
        if let Some((number, line)) = &self.line {
            writeln!(f, "Reading the manifest file, at line {number}\n>>> '{line}'")?;
        }
        f.write_str(self.text)
    }
}

/// The name of the manifest of the log `file_name`.
pub fn manifest_name(file_name: &str) -> String {
    format!("{file_name}{MANIFEST_SUFFIX}")
}

impl Manifest {
    /// Reads a manifest.
    pub fn parse(text: &[u8]) -> Result<Manifest, ManifestError> {
        let whole = |text| ManifestError { line: None, text };
        if text.is_empty() {
            return Err(whole(EMPTY));
        }
        let mut manifest = Manifest::default();
        for (index, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
            if line.first() == Some(&b'#') {
                continue;
            }
            if line.last() != Some(&b'\n') || line.len() >= LINE_BYTES_MAX {
                return Err(whole(LONG_LINE));
            }
            let line = String::from_utf8_lossy(line);
            let line = line.trim_matches([' ', '\t', '\r', '\n']);
            let file = parse_line(line).and_then(|file| manifest.admit(&file).map(|()| file));
            let fails = |text| ManifestError { line: Some((index + 1, line.to_owned())), text };
            manifest.files.push(file.map_err(fails)?);
        }
        if manifest.parts_of_generations().any(|part| part.is_none()) {
            return Err(whole(BROKEN_GENERATION));
        }
        Ok(manifest)
    }

    /// Whether a file may follow those that are there.
    fn admit(&self, file: &ManifestFile) -> Result<(), &'static str> {
        match file.kind {
            FileKind::Base if self.base().is_some() => Err(TWO_BASES),
            FileKind::Incremental if self.last_seq(FileKind::Incremental) >= file.seq => Err(NOT_MONOTONIC),
            _ => Ok(()),
        }
    }

    /// The manifest as it is written.
    pub fn to_text(&self) -> String {
        // Written as Redis does: the base, the history, then the rest.
        let order = [FileKind::Base, FileKind::History, FileKind::Incremental];
        let in_order = order.iter().flat_map(|&kind| self.files.iter().filter(move |file| file.kind == kind));
        let mut text = String::new();
        for file in in_order {
            text.push_str("file ");
            text.push_str(&String::from_utf8(words::written(file.name.as_bytes())).expect("what is written is ASCII"));
            write!(text, " seq {} type {}", file.seq, file.kind.letter()).expect(NEVER_FULL);
            if let Some(writer) = file.writer.filter(|_| file.kind == FileKind::Incremental) {
                let Writer { generation, shard, shards } = writer;
                write!(text, " generation {generation} shard {shard} shards {shards}").expect(NEVER_FULL);
            }
            if let Some(epoch) = file.epoch {
                write!(text, " epoch {epoch}").expect(NEVER_FULL);
            }
            text.push('\n');
        }
        text
    }

    /// The base.
    pub fn base(&self) -> Option<&ManifestFile> {
        self.files.iter().find(|file| file.kind == FileKind::Base)
    }

    /// Files of commands behind the base, in order.
    pub fn incremental(&self) -> impl Iterator<Item = &ManifestFile> {
        self.files.iter().filter(|file| file.kind == FileKind::Incremental)
    }

    /// What is to be read, in order.
    pub fn parts(&self) -> Vec<Part<'_>> {
        let base = self.base().map(Part::Base);
        base.into_iter().chain(self.parts_of_generations().flatten()).collect()
    }

    /// What is to be read behind the base; none in place of a generation that lacks files.
    fn parts_of_generations(&self) -> impl Iterator<Item = Option<Part<'_>>> {
        let files: Vec<&ManifestFile> = self.incremental().collect();
        let mut parts = Vec::new();
        let same = |a: &&ManifestFile, b: &&ManifestFile| {
            a.writer.is_some() && a.writer.map(|writer| writer.generation) == b.writer.map(|writer| writer.generation)
        };
        for together in files.chunk_by(same) {
            let Some(Writer { shards, .. }) = together[0].writer else {
                parts.push(Some(Part::Plain(together[0])));
                continue;
            };
            let is_whole = together.len() == shards
                && together.iter().enumerate().all(|(place, file)| {
                    file.writer.is_some_and(|writer| writer.shard == place && writer.shards == shards)
                });
            parts.push(is_whole.then(|| Part::Generation(together.to_vec())));
        }
        parts.into_iter()
    }

    fn last_seq(&self, kind: FileKind) -> u64 {
        self.files.iter().filter(|file| file.kind == kind).map(|file| file.seq).max().unwrap_or(0)
    }

    /// The number of the last generation; 0 if there is none.
    pub fn last_generation(&self) -> u64 {
        self.incremental().filter_map(|file| Some(file.writer?.generation)).max().unwrap_or(0)
    }

    /// Adds a generation of empty files, one for each of so many shards; its number, and the names in the order of shards.
    pub fn begin_generation(&mut self, file_name: &str, shards: usize) -> (u64, Vec<String>) {
        let generation = self.last_generation() + 1;
        let mut first = self.last_seq(FileKind::Incremental) + 1;
        // What is history keeps its name until it is removed.
        let is_taken = |seq| self.files.iter().any(|file| file.name == incremental_name(file_name, seq));
        while (first..first + shards as u64).any(is_taken) {
            first += 1;
        }
        let names = (0..shards).map(|shard| {
            let seq = first + shard as u64;
            let name = incremental_name(file_name, seq);
            let writer = Some(Writer { generation, shard, shards });
            let kind = FileKind::Incremental;
            self.files.push(ManifestFile { name: name.clone(), seq, kind, writer, epoch: None });
            name
        });
        (generation, names.collect())
    }

    /// The name of the next base, and its number.
    pub fn next_base(&self, file_name: &str, is_rdb: bool) -> (String, u64) {
        // A base that is history may still be there.
        let mut seq = self.last_seq(FileKind::Base);
        loop {
            seq += 1;
            let name = format!("{file_name}.{seq}.base.{}", if is_rdb { "rdb" } else { "aof" });
            if self.files.iter().all(|file| file.name != name) {
                return (name, seq);
            }
        }
    }

    /// Makes `name` the base, which holds everything up to `epoch`; what is before generation `first_kept` becomes history.
    pub fn set_base(&mut self, name: String, seq: u64, epoch: u64, first_kept: u64) {
        for file in &mut self.files {
            let is_kept = file.writer.is_some_and(|writer| writer.generation >= first_kept);
            if !is_kept {
                file.kind = FileKind::History;
            }
        }
        let kind = FileKind::Base;
        self.files.insert(0, ManifestFile { name, seq, kind, writer: None, epoch: Some(epoch) });
    }

    /// Takes out the names of files that are not needed any more: to be removed once a manifest without them is there.
    pub fn take_history(&mut self) -> Vec<String> {
        let history = self.files.extract_if(.., |file| file.kind == FileKind::History);
        history.map(|file| file.name).collect()
    }

    /// Reads the manifest of the log `file_name`; none if there is no such file.
    pub fn load(
        disk: &dyn Disk,
        directory: &Path,
        file_name: &str,
    ) -> io::Result<Option<Result<Manifest, ManifestError>>> {
        let mut text = Vec::new();
        match disk.read(&directory.join(manifest_name(file_name))) {
            Ok(mut source) => source.read_to_end(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(Manifest::parse(&text)))
    }

    /// Writes the manifest of the log `file_name` in place of the one that is there, for good.
    pub fn persist(&self, disk: &dyn Disk, directory: &Path, file_name: &str) -> io::Result<()> {
        let name = manifest_name(file_name);
        let temporary = directory.join(format!("temp-{name}"));
        let mut file = disk.create(&temporary)?;
        file.append_all(self.to_text().as_bytes())?;
        file.sync()?;
        disk.rename(&temporary, &directory.join(&name))?;
        disk.sync_directory(directory)
    }
}

fn incremental_name(file_name: &str, seq: u64) -> String {
    format!("{file_name}.{seq}.incr.aof")
}

/// Reads the words of a line.
fn parse_line(line: &str) -> Result<ManifestFile, &'static str> {
    let words = words::split(line.as_bytes()).ok_or(FORMAT)?;
    let words: Vec<String> = words.into_iter().map(|word| String::from_utf8_lossy(&word).into_owned()).collect();
    if words.len() < 6 || words.len() % 2 == 1 {
        return Err(FORMAT);
    }
    let value = |name: &str| {
        let mut pairs = words.chunks_exact(2).rev();
        pairs.find(|pair| pair[0].eq_ignore_ascii_case(name)).map(|pair| pair[1].as_str())
    };
    let number = |name: &str| value(name).and_then(|digits| digits.parse::<u64>().ok());
    let name = value("file").filter(|name| !name.is_empty()).ok_or(FORMAT)?;
    if name.contains('/') {
        return Err(NO_PATH);
    }
    let kind = match value("type").and_then(|kind| kind.chars().next()) {
        Some('b') => FileKind::Base,
        Some('h') => FileKind::History,
        Some('i') => FileKind::Incremental,
        Some(_) => return Err(UNKNOWN_KIND),
        None => return Err(FORMAT),
    };
    let seq = number("seq").filter(|&seq| seq > 0).ok_or(FORMAT)?;
    let writer = match (number("generation"), number("shard"), number("shards")) {
        (Some(generation), Some(shard), Some(shards)) if shard < shards => {
            Some(Writer { generation, shard: shard as usize, shards: shards as usize })
        }
        (None, None, None) => None,
        _ => return Err(FORMAT),
    };
    Ok(ManifestFile { name: name.to_owned(), seq, kind, writer, epoch: number("epoch") })
}
