//! The disk below a run with append-only files: real files in memory, written late, synced late, and lost in part.
//!
//! ```text
//!   a core asks ─► pending ─► applied: the kernel has it ─► told to the core when it collects
//!                  │          └ a process that is killed here leaves it
//!                  └ one that is killed here leaves some of its first bytes, or none
//!
//!   file   │ durable: synced │ what came since: of it a power cut leaves some, the last of that may be zeros │
//! ```
//!
//! Requests of different files come to their end in any order. A sync covers what was applied when it was asked for. What
//! the keeper writes is synced before it goes on.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use net::service::{FileDone, FileOp, FileRequest};
use rand::Rng;
use rand::rngs::SmallRng;

use crate::choice::Choice;

/// Where files are in memory, if the system has such a place.
const MEMORY: &str = "/dev/shm";

/// One write in so many is a short one.
const SHORT_ONE_IN: u32 = 6;

/// A directory of its own, removed in the end.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// Makes one.
    pub fn new() -> Directory {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let base = if Path::new(MEMORY).is_dir() { PathBuf::from(MEMORY) } else { std::env::temp_dir() };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = base.join(format!("tessera-sim-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory can be made");
        Directory(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What is left over is a few bytes.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What takes the files away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The process is killed: what the kernel has stays.
    Kill,
    /// The power goes: what was synced stays, and some of the rest.
    PowerCut,
}

/// What a core has asked for and the kernel has not done.
#[derive(Debug)]
struct Pending {
    core: usize,
    request: FileRequest,
    /// The length of the file when it was asked for.
    covers: u64,
    /// The bytes whose write it was asked for with.
    behind: Option<Vec<u8>>,
}

/// The files of one run.
#[derive(Debug)]
pub struct Disk {
    directory: Directory,
    pending: Vec<Pending>,
    /// What was done and not told: for which core.
    done: Vec<(usize, FileDone)>,
    /// By the number of the file: what stands behind this length was not synced.
    synced: HashMap<u64, u64>,
}

impl Disk {
    /// An empty one.
    pub fn new() -> Disk {
        Disk { directory: Directory::new(), pending: Vec::new(), done: Vec::new(), synced: HashMap::new() }
    }

    /// Where its files are.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// A core asks for something.
    pub fn ask(&mut self, core: usize, request: FileRequest) {
        let covers = length_of(&request.file);
        self.pending.push(Pending { core, request, covers, behind: None });
    }

    /// How many requests are pending.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Whether this core is to be told of something.
    pub fn has_done(&self, core: usize) -> bool {
        self.done.iter().any(|(of, _)| *of == core)
    }

    /// What is to be told to a core.
    pub fn take_done(&mut self, core: usize) -> Vec<FileDone> {
        let own = self.done.extract_if(.., |(of, _)| *of == core);
        own.map(|(_, done)| done).collect()
    }

    /// Does what is pending at this place. What it was, for a reader.
    pub fn apply(&mut self, place: usize, choice: &mut dyn Choice) -> String {
        let Pending { core, request, covers, behind } = self.pending.remove(place);
        let FileRequest { number, file, op } = request;
        let inode = inode_of(&file);
        let (told, written, bytes, synced) = match op {
            FileOp::Write { offset, bytes, syncs } => {
                let short = bytes.len() > 1 && choice.oddity(SHORT_ONE_IN);
                let count = if short { 1 + choice.pick(bytes.len() - 1) } else { bytes.len() };
                file.write_all_at(&bytes[..count], offset).expect("there is room in memory");
                self.synced.entry(inode).or_insert(offset);
                let told = format!("{count} of {} bytes of core {core} are written", bytes.len());
                if syncs && !short {
                    let covers = length_of(&file);
                    let request = FileRequest { number, file, op: FileOp::Sync };
                    self.pending.push(Pending { core, request, covers, behind: Some(bytes) });
                    return told;
                }
                (told, count, bytes, None)
            }
            FileOp::Sync => {
                let is_all = covers >= length_of(&file);
                if is_all {
                    self.synced.remove(&inode);
                } else if let Some(synced) = self.synced.get_mut(&inode) {
                    *synced = covers.max(*synced);
                }
                let synced = behind.is_some().then_some(Ok(()));
                let bytes = behind.unwrap_or_default();
                (format!("the file of core {core} is synced"), bytes.len(), bytes, synced)
            }
        };
        self.done.push((core, FileDone { number, result: Ok(written), bytes, synced }));
        told
    }

    /// The keeper has written: what is longer than before was synced whole.
    pub fn keeper_wrote(&mut self, before: &HashMap<u64, u64>) {
        let after = self.lengths();
        self.synced.retain(|inode, _| before.get(inode) == after.get(inode));
    }

    /// The lengths of all files, by their numbers.
    pub fn lengths(&self) -> HashMap<u64, u64> {
        let files = files_below(self.path());
        files.iter().map(|path| fs::metadata(path).expect("it is there")).map(|file| (file.ino(), file.len())).collect()
    }

    /// A copy of what a crash would leave now.
    pub fn left_by(&self, crash: Crash, rng: &mut SmallRng) -> Directory {
        let copy = Directory::new();
        for path in files_below(self.path()) {
            let inode = fs::metadata(&path).expect("it is there").ino();
            let mut bytes = fs::read(&path).expect("it can be read");
            for Pending { request, .. } in &self.pending {
                if let FileOp::Write { offset, bytes: more, .. } = &request.op
                    && inode_of(&request.file) == inode
                {
                    bytes.truncate(*offset as usize);
                    bytes.extend_from_slice(&more[..rng.random_range(0..=more.len())]);
                }
            }
            let durable = self.synced.get(&inode).map_or(bytes.len(), |&length| length as usize);
            if crash == Crash::PowerCut && durable < bytes.len() {
                let (kept, there) = (rng.random_range(durable..=bytes.len()), rng.random_range(durable..=bytes.len()));
                bytes[kept..].fill(0);
                bytes.truncate(kept.max(there));
            }
            let target = copy.path().join(path.strip_prefix(self.path()).expect("it is below"));
            fs::create_dir_all(target.parent().expect("it is in a directory")).expect("a directory can be made");
            fs::write(target, bytes).expect("there is room in memory");
        }
        copy
    }
}

/// Takes the lines of groups out of all logs in `directory`, so that each is run to its own last whole group: what a
/// recovery does that looks at one log at a time.
pub fn cut_apart(directory: &Path) {
    for path in logs_in(directory) {
        let bytes = fs::read(&path).expect("it can be read");
        let (mut rest, mut commands) = (&bytes[..], Vec::new());
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n').filter(|_| rest.starts_with(b"#E ")) {
            let line = String::from_utf8_lossy(&rest[..end]);
            let length: usize =
                line.split(' ').nth(3).and_then(|field| field.parse().ok()).expect("a line tells the length");
            let Some(records) = rest.get(end + 1..end + 1 + length) else { break };
            commands.extend_from_slice(records);
            rest = &rest[end + 1 + length..];
        }
        fs::write(path, commands).expect("there is room in memory");
    }
}

/// The logs in a directory, without what they begin from.
pub fn logs_in(directory: &Path) -> Vec<PathBuf> {
    let mut files = files_below(directory);
    files.retain(|path| path.to_string_lossy().ends_with(".incr.aof"));
    files
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        let entries: io::Result<Vec<_>> = fs::read_dir(&directory).and_then(Iterator::collect);
        for entry in entries.expect("a directory can be read") {
            let path = entry.path();
            if path.is_dir() { directories.push(path) } else { files.push(path) }
        }
    }
    files.sort_unstable();
    files
}

fn inode_of(file: &File) -> u64 {
    file.metadata().expect("an open file has a number").ino()
}

fn length_of(file: &File) -> u64 {
    file.metadata().expect("an open file has a length").len()
}
