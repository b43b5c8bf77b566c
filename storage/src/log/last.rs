//! Where a log ends: what may be torn.

use std::io::Read as _;
use std::path::Path;

use super::{ManifestFile, Part};
use crate::io::Disk;

/// A file with more bytes is taken to hold records.
const NO_RECORD_BYTES_MAX: u64 = 4096;

/// The place among `parts`, which are not empty, of the last one that holds a record, or of the first one. What is torn
/// there is the end of all that was recorded: a server that ended while it began has left files of its own behind it, and
/// nothing in them.
pub fn last_part(disk: &dyn Disk, directory: &Path, parts: &[Part<'_>]) -> usize {
    let holds_one = |part: &Part<'_>| files_of(part).iter().any(|file| holds_record(disk, &directory.join(&file.name)));
    (1..parts.len()).rev().find(|&place| holds_one(&parts[place])).unwrap_or(0)
}

fn files_of<'a>(part: &Part<'a>) -> Vec<&'a ManifestFile> {
    match part {
        Part::Base(file) | Part::Plain(file) => vec![file],
        Part::Generation(files) => files.clone(),
    }
}

/// Whether a file says more than which epochs there were; one that cannot be read may.
fn holds_record(disk: &dyn Disk, path: &Path) -> bool {
    if disk.length(path).is_ok_and(|bytes| bytes > NO_RECORD_BYTES_MAX) {
        return true;
    }
    let mut text = Vec::new();
    let read = disk.read(path).and_then(|mut source| source.read_to_end(&mut text));
    read.is_err() || text.split(|&byte| byte == b'\n').any(|line| !line.is_empty() && line[0] != b'#')
}
