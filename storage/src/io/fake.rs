//! A disk in memory that does what disks do to those who trust them too much.
//!
//! ```text
//!   file        durable │ changes since the last sync: append, append, cut, append …
//!   directory   durable │ changes since the last sync: new name, rename, removal …
//!
//!   power cut   of each list some changes from its beginning have reached the disk, by chance; of the last append among
//!               them only some bytes, and what stands there for the rest may be zeros
//! ```
//!
//! A sync that fails drops its file's changes for good, while they can still be read, and later syncs succeed: that is what
//! Linux does with pages that could not be written.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use rand::Rng;

use super::{Disk, DiskFile};

/// What goes wrong with the next call of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An append finds no room.
    NoSpace,
    /// An append writes at most so many bytes, and says so.
    Short(usize),
    /// An append fails.
    Append,
    /// A sync fails.
    Sync,
}

/// A disk in memory; clones are the same disk.
#[derive(Clone, Default)]
pub struct FakeDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    files: Vec<Content>,
    /// Names as they are now, and as they are on the disk; numbers of files.
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    /// Changes of names that no sync of their directory has made durable.
    name_changes: Vec<NameChange>,
    faults: VecDeque<Fault>,
    ignores_syncs: bool,
    /// Changes that are still made before the power goes.
    changes_left: Option<usize>,
}

#[derive(Default)]
struct Content {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    changes: Vec<Change>,
    /// A sync failed: nothing reaches the disk any more.
    is_lost: bool,
}

enum Change {
    Append(Vec<u8>),
    Cut(u64),
}

enum NameChange {
    Set(PathBuf, usize),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl NameChange {
    fn is_in(&self, directory: &Path) -> bool {
        match self {
            Self::Set(path, _) | Self::Rename(_, path) | Self::Remove(path) => path.parent() == Some(directory),
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Set(path, file) => drop(names.insert(path.clone(), *file)),
            Self::Remove(path) => drop(names.remove(path)),
            Self::Rename(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
        }
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Append(more) => bytes.extend_from_slice(more),
            Self::Cut(length) => bytes.truncate(*length as usize),
        }
    }
}

impl FakeDisk {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no one panics while looking at the disk")
    }

    /// The next call that this can happen to fails so.
    pub fn fail_next(&self, fault: Fault) {
        self.lock().faults.push_back(fault);
    }

    /// From now on syncs do nothing, and say that all is well.
    pub fn ignore_syncs(&self, ignored: bool) {
        self.lock().ignores_syncs = ignored;
    }

    /// The power goes after so many more changes: whatever is tried then fails, until it comes back by
    /// [`Self::power_cut`].
    pub fn lose_power_after(&self, changes: usize) {
        self.lock().changes_left = Some(changes);
    }

    /// Whether it has gone.
    pub fn is_off(&self) -> bool {
        self.lock().changes_left == Some(0)
    }

    /// The power goes, and comes back.
    pub fn power_cut(&self, rng: &mut impl Rng) {
        let mut state = self.lock();
        for file in &mut state.files {
            file.power_cut(rng);
        }
        let kept = rng.random_range(0..=state.name_changes.len());
        let State { durable_names, name_changes, .. } = &mut *state;
        for change in name_changes.drain(..).take(kept) {
            change.apply(durable_names);
        }
        state.names = state.durable_names.clone();
        state.faults.clear();
        state.changes_left = None;
    }

    /// All bytes of a file, for a test to look at.
    pub fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.lock();
        state.names.get(path).map(|&file| state.files[file].bytes.clone())
    }

    /// Puts a file there, as if it had always been there.
    pub fn place(&self, path: &Path, bytes: &[u8]) {
        let mut state = self.lock();
        let file = state.files.len();
        state.files.push(Content { bytes: bytes.to_vec(), durable: bytes.to_vec(), ..Content::default() });
        state.names.insert(path.to_owned(), file);
        state.durable_names.insert(path.to_owned(), file);
    }
}

impl Content {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.bytes);
        if !self.is_lost {
            self.changes.push(change);
        }
    }

    fn sync(&mut self) {
        for change in self.changes.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    fn power_cut(&mut self, rng: &mut impl Rng) {
        let kept = rng.random_range(0..=self.changes.len());
        let mut changes: Vec<Change> = self.changes.drain(..).take(kept).collect();
        if let Some(Change::Append(bytes)) = changes.last_mut() {
            let torn = rng.random_range(0..=bytes.len());
            if rng.random_bool(0.5) {
                bytes.truncate(torn);
            } else {
                bytes[torn..].fill(0);
            }
        }
        for change in changes {
            change.apply(&mut self.durable);
        }
        self.bytes.clone_from(&self.durable);
        self.is_lost = false;
    }
}

impl State {
    fn file(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Makes one of the changes that the power lasts for.
    fn spend(&mut self) -> io::Result<()> {
        match &mut self.changes_left {
            None => Ok(()),
            Some(0) => Err(io::Error::other("the power is off")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    fn rename(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_changes.push(change);
    }

    /// The fault that is due, if it is one of those.
    fn fault(&mut self, is_one: impl Fn(Fault) -> bool) -> Option<Fault> {
        let due = self.faults.front().copied().filter(|&fault| is_one(fault))?;
        self.faults.pop_front();
        Some(due)
    }
}

impl Disk for FakeDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.lock();
        state.spend()?;
        if let Ok(file) = state.file(path) {
            state.files[file].change(Change::Cut(0));
        } else {
            let file = state.files.len();
            state.files.push(Content::default());
            state.rename(NameChange::Set(path.to_owned(), file));
        }
        drop(state);
        self.open(path)
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let number = self.lock().file(path)?;
        Ok(Box::new(FakeFile { disk: self.clone(), number }))
    }

    fn read(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        let bytes = self.bytes(path).ok_or(ErrorKind::NotFound)?;
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn length(&self, path: &Path) -> io::Result<u64> {
        let state = self.lock();
        state.file(path).map(|file| state.files[file].bytes.len() as u64)
    }

    fn names(&self, directory: &Path) -> io::Result<Vec<String>> {
        let state = self.lock();
        let inside = state.names.keys().filter(|path| path.parent() == Some(directory));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.file(from)?;
        state.spend()?;
        state.rename(NameChange::Rename(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.file(path)?;
        state.spend()?;
        state.rename(NameChange::Remove(path.to_owned()));
        Ok(())
    }

    fn make_directory(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.spend()?;
        if state.ignores_syncs {
            return Ok(());
        }
        let State { durable_names, name_changes, .. } = &mut *state;
        name_changes.retain(|change| {
            let is_in = change.is_in(path);
            if is_in {
                change.apply(durable_names);
            }
            !is_in
        });
        Ok(())
    }
}

/// A file of a [`FakeDisk`].
struct FakeFile {
    disk: FakeDisk,
    number: usize,
}

impl DiskFile for FakeFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.lock();
        state.spend()?;
        let written = match state.fault(|fault| fault != Fault::Sync) {
            None | Some(Fault::Sync) => bytes.len(),
            Some(Fault::Short(most)) => most.min(bytes.len()),
            Some(Fault::NoSpace) => return Err(ErrorKind::StorageFull.into()),
            Some(Fault::Append) => return Err(io::Error::other("the disk does not answer")),
        };
        state.files[self.number].change(Change::Append(bytes[..written].to_vec()));
        Ok(written)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.spend()?;
        let fails = state.fault(|fault| fault == Fault::Sync).is_some();
        if state.ignores_syncs {
            return Ok(());
        }
        let file = &mut state.files[self.number];
        if fails {
            file.is_lost = true;
            file.changes.clear();
            return Err(io::Error::other("the disk did not take it"));
        }
        file.sync();
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.spend()?;
        state.files[self.number].change(Change::Cut(length));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    fn after_cuts(seed: u64, write: impl Fn(&FakeDisk)) -> Option<Vec<u8>> {
        let disk = FakeDisk::default();
        write(&disk);
        disk.power_cut(&mut SmallRng::seed_from_u64(seed));
        disk.bytes(Path::new("d/f"))
    }

    #[test]
    fn what_was_synced_is_there_and_the_rest_may_be() {
        let (mut lost, mut kept, mut torn, mut nameless) = (0, 0, 0, 0);
        for seed in 0..200 {
            let left = after_cuts(seed, |disk| {
                let mut file = disk.create(Path::new("d/f")).expect("it can be made");
                file.append_all(b"durable").expect("there is room");
                file.sync().expect("it syncs");
                disk.sync_directory(Path::new("d")).expect("it syncs");
                file.append_all(b" and more").expect("there is room");
            });
            let left = left.expect("its directory was synced");
            assert!(left.starts_with(b"durable"), "seed {seed}");
            match left.len() {
                7 => lost += 1,
                16 if left.ends_with(b"more") => kept += 1,
                _ => torn += 1,
            }
            let unnamed = after_cuts(seed, |disk| {
                disk.create(Path::new("d/f")).expect("it can be made").sync().expect("it syncs");
            });
            nameless += usize::from(unnamed.is_none());
        }
        assert!([lost, kept, torn, nameless].iter().all(|&count| count > 0), "{lost} {kept} {torn} {nameless}");
    }

    #[test]
    fn a_failed_sync_loses_what_it_was_to_save() {
        let left = after_cuts(1, |disk| {
            let mut file = disk.create(Path::new("d/f")).expect("it can be made");
            disk.sync_directory(Path::new("d")).expect("it syncs");
            file.append_all(b"gone").expect("there is room");
            disk.fail_next(Fault::Sync);
            assert!(file.sync().is_err());
            file.sync().expect("the second one succeeds, and lies");
        });
        assert_eq!(left, Some(Vec::new()));
    }

    #[test]
    fn appends_fail_as_told() {
        let disk = FakeDisk::default();
        let mut file = disk.create(Path::new("d/f")).expect("it can be made");
        disk.fail_next(Fault::Short(2));
        disk.fail_next(Fault::NoSpace);
        assert_eq!(file.append(b"abc").expect("some of it"), 2);
        assert_eq!(file.append(b"c").expect_err("no room").kind(), ErrorKind::StorageFull);
        disk.fail_next(Fault::Short(0));
        assert_eq!(file.append_all(b"c").expect_err("nothing goes").kind(), ErrorKind::WriteZero);
        assert_eq!(disk.bytes(Path::new("d/f")), Some(b"ab".to_vec()));
    }
}
