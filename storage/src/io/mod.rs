//! The disk, as far as the append-only files need it: a small trait, so that a simulation can cut the power.
//!
//! ```text
//!                      log/ (manifest, recovery)
//!                                │ Disk, DiskFile
//!              ┌─────────────────┴──────────────────┐
//!       RealDisk: the system's files       FakeDisk: files in memory that forget at
//!                                          a power cut what was not synced
//! ```
//!
//! What a disk promises is what POSIX does, and no more: bytes survive once their file was synced, a name survives once its
//! directory was. Groups of records are written by the cores themselves, through their rings; what goes through here is
//! what happens seldom: reading at the start, cutting a log, and the manifest.

#[cfg(any(test, feature = "simulation"))]
mod fake;
mod real;

use std::io::{self, Read};
use std::path::Path;

#[cfg(any(test, feature = "simulation"))]
pub use fake::{FakeDisk, Fault};
pub use real::RealDisk;

/// Files and directories.
pub trait Disk {
    /// Makes an empty file, or empties the one that is there.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file that is there, to append to it or to cut it.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file to be read from its beginning.
    fn read(&self, path: &Path) -> io::Result<Box<dyn Read>>;

    /// The length of a file in bytes.
    fn length(&self, path: &Path) -> io::Result<u64>;

    /// The names in a directory, in order.
    fn names(&self, directory: &Path) -> io::Result<Vec<String>>;

    /// Gives a file another name, in place of what had that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes a directory, unless it is there.
    fn make_directory(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory survive.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
}

/// A file that is open for writing.
pub trait DiskFile {
    /// Appends bytes; how many, which may be less than all.
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Makes what is in the file survive. After an error nobody knows what does: the file is not to be trusted any more.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file to this length.
    fn truncate(&mut self, length: u64) -> io::Result<()>;

    /// Appends all of the bytes.
    fn append_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.append(bytes)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                written => bytes = &bytes[written..],
            }
        }
        Ok(())
    }
}

/// What the system says of an error, without its number.
pub fn error_text(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
