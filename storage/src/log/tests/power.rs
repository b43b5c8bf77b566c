//! Shards write epochs, the power goes at any moment, and what recovery finds is a state that was.
//!
//! The writers here do what the server does (see the essay of the module), with operations that have numbers instead of
//! effects. An operation is of one shard or of several, and belongs to one epoch. After each power cut the logs are
//! recovered, and what is in them is compared with the history:
//!
//! - it is all operations up to some epoch, and nothing else: no part of one alone, none without those before it;
//! - every operation is among them that was acknowledged (`always`), or that was there at the last sync (`everysec`).
//!
//! Then the writers go on behind it. For each clause of the rule there is a mutant without it, which must be found out.

use std::io;
use std::path::PathBuf;

use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::super::group::{GroupHead, GroupScan};
use super::super::*;
use crate::io::{Disk, DiskFile, FakeDisk, Fault};

const LOG: &str = "a";

/// What is left out of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutant {
    None,
    /// An operation is acknowledged when its own shard's group is on disk.
    AcknowledgesEarly,
    /// An epoch that is whole counts, whatever became of those before.
    SkipsGaps,
    /// A group counts, whatever became of the others of its epoch.
    ForgetsMembers,
    /// A group counts if it is as long as it should be.
    TrustsLengths,
    /// What was cut off is not synced.
    LeavesCutsUnsynced,
    /// A generation begins before the one before it is on disk.
    SwitchesEarly,
}

/// An operation, and what is told of it.
struct Operation {
    epoch: u64,
    shards: Vec<usize>,
    number: u64,
}

struct World {
    rng: SmallRng,
    disk: FakeDisk,
    mutant: Mutant,
    always: bool,
    manifest: Manifest,
    /// Of the last generation: the open files, and whether they have what is not synced.
    logs: Vec<(Box<dyn DiskFile>, u64, bool)>,
    history: Vec<Operation>,
    next_number: u64,
    epoch: u64,
    /// The last epoch that was promised.
    promised: u64,
}

fn directory() -> PathBuf {
    PathBuf::from("d")
}

impl World {
    fn new(seed: u64, mutant: Mutant) -> World {
        let mut rng = SmallRng::seed_from_u64(seed);
        let always = rng.random_bool(0.5);
        World {
            rng,
            disk: FakeDisk::default(),
            mutant,
            always,
            manifest: Manifest::default(),
            logs: Vec::new(),
            history: Vec::new(),
            next_number: 0,
            epoch: 0,
            promised: 0,
        }
    }

    /// Writes until the power goes.
    fn write(&mut self) -> io::Result<()> {
        let shards = self.rng.random_range(1..4);
        if self.logs.len() != shards {
            self.begin_generation(shards)?;
        }
        loop {
            match self.rng.random_range(0..30) {
                0 => self.begin_generation(shards)?,
                1 => self.rewrite()?,
                2 => self.sync_all()?,
                _ => self.write_epoch()?,
            }
        }
    }

    fn begin_generation(&mut self, shards: usize) -> io::Result<()> {
        let (_, names) = self.manifest.begin_generation(LOG, shards);
        let mut logs = Vec::new();
        for name in &names {
            logs.push((self.disk.create(&directory().join(name))?, 0, false));
        }
        self.disk.sync_directory(&directory())?;
        self.manifest.persist(&self.disk, &directory(), LOG)?;
        if self.mutant != Mutant::SwitchesEarly {
            self.sync_all()?;
        }
        self.logs = logs;
        Ok(())
    }

    fn sync_all(&mut self) -> io::Result<()> {
        for (file, _, is_dirty) in &mut self.logs {
            if std::mem::take(is_dirty) {
                file.sync()?;
            }
        }
        self.promised = self.promised.max(self.epoch);
        Ok(())
    }

    /// A base of all there is, and a generation behind it.
    fn rewrite(&mut self) -> io::Result<()> {
        let shards = self.logs.len();
        self.begin_generation(shards)?;
        let generation = self.manifest.last_generation();
        let mut bytes = Vec::new();
        for operation in &self.history {
            for &shard in &operation.shards {
                put_operation(&mut bytes, shard, operation.number);
            }
        }
        let mut file = self.disk.create(&directory().join("temp-base"))?;
        file.append_all(&bytes)?;
        file.sync()?;
        let (name, seq) = self.manifest.next_base(LOG, false);
        self.disk.rename(&directory().join("temp-base"), &directory().join(&name))?;
        self.disk.sync_directory(&directory())?;
        self.manifest.set_base(name, seq, self.epoch, generation);
        self.manifest.persist(&self.disk, &directory(), LOG)?;
        let history = self.manifest.take_history();
        self.manifest.persist(&self.disk, &directory(), LOG)?;
        history.iter().try_for_each(|name| self.disk.remove(&directory().join(name)))
    }

    fn write_epoch(&mut self) -> io::Result<()> {
        let epoch = self.epoch + 1;
        let count = self.logs.len();
        let mut records: Vec<Vec<u8>> = vec![Vec::new(); count];
        for _ in 0..self.rng.random_range(1..4) {
            let mut shards: Vec<usize> = (0..count).filter(|_| self.rng.random_bool(0.5)).collect();
            if shards.is_empty() {
                shards.push(self.rng.random_range(0..count));
            }
            self.next_number += 1;
            for &shard in &shards {
                put_operation(&mut records[shard], shard, self.next_number);
            }
            self.history.push(Operation { epoch, shards, number: self.next_number });
        }
        let mut order: Vec<usize> = (0..count).filter(|&shard| !records[shard].is_empty()).collect();
        let members = Members::of(order.iter().copied());
        order.shuffle(&mut self.rng);
        for &shard in &order {
            self.append(shard, epoch, &members, &records[shard])?;
            if self.mutant == Mutant::AcknowledgesEarly && self.always {
                self.logs[shard].0.sync()?;
                self.promised = epoch;
            }
        }
        self.epoch = epoch;
        if self.always {
            self.sync_all()?;
        }
        Ok(())
    }

    /// One write; what went in of one that failed is cut off before it is tried again.
    fn append(&mut self, shard: usize, epoch: u64, members: &Members, records: &[u8]) -> io::Result<()> {
        let mut group = Vec::new();
        put_group(&mut group, epoch, members, records);
        if self.rng.random_bool(0.1) {
            let most = self.rng.random_range(0..group.len());
            self.disk.fail_next(if self.rng.random_bool(0.5) { Fault::NoSpace } else { Fault::Short(most) });
        }
        let (file, length, is_dirty) = &mut self.logs[shard];
        *is_dirty = true;
        loop {
            match file.append(&group) {
                Ok(written) if written == group.len() => {
                    *length += written as u64;
                    return Ok(());
                }
                Err(error) if error.kind() != io::ErrorKind::StorageFull => return Err(error),
                _ => file.truncate(*length)?,
            }
        }
    }

    /// The power comes back: recovers, and compares with the history.
    fn come_back(&mut self) -> Result<(), String> {
        self.disk.power_cut(&mut self.rng);
        self.logs.clear();
        let loaded = Manifest::load(&self.disk, &directory(), LOG).map_err(|error| error.to_string())?;
        let Some(manifest) = loaded else {
            self.manifest = Manifest::default();
            return self.compare(0);
        };
        self.manifest = manifest.map_err(|error| error.to_string())?;
        self.manifest.take_history();
        let found = self.recover()?;
        self.compare(found.last_epoch)?;
        for log in found.resume.unwrap_or_default() {
            let file = self.disk.open(&directory().join(&log.name)).map_err(|error| error.to_string())?;
            self.logs.push((file, log.length, false));
        }
        Ok(())
    }

    fn recover(&mut self) -> Result<Recovered, String> {
        let keeps: fn(&Log, &[Log]) -> bool = match self.mutant {
            Mutant::ForgetsMembers => |_, _| true,
            Mutant::SkipsGaps => |log, all| log.heads.last().is_none_or(|(head, _)| is_whole(head, all)),
            Mutant::TrustsLengths => return self.recover_by_lengths(),
            _ => {
                self.disk.ignore_syncs(self.mutant == Mutant::LeavesCutsUnsynced);
                let found = recover(&self.disk, &directory(), &self.manifest, true).map_err(|error| error.to_string());
                self.disk.ignore_syncs(false);
                return found;
            }
        };
        let files: Vec<ManifestFile> = self.manifest.incremental().cloned().collect();
        let mut logs: Vec<Log> = files.iter().map(|file| Log::read(&self.disk, file)).collect();
        for place in 0..logs.len() {
            while !keeps(&logs[place], &logs) {
                logs[place].heads.pop();
            }
        }
        let last = logs.iter().filter_map(|log| log.heads.last()).map(|(head, _)| head.epoch).max();
        let base = self.manifest.base().and_then(|base| base.epoch).unwrap_or(0);
        for log in logs {
            log.cut(&self.disk);
        }
        Ok(Recovered { last_epoch: last.unwrap_or(base), ..Recovered::default() })
    }

    /// Gives each torn group the checksum that it should have, and goes by the rule otherwise.
    fn recover_by_lengths(&self) -> Result<Recovered, String> {
        for file in self.manifest.incremental() {
            let path = directory().join(&file.name);
            let bytes = self.disk.bytes(&path).expect("the manifest names it");
            let end = Log::read(&self.disk, file).heads.last().map_or(0, |(_, end)| *end as usize);
            let rest = &bytes[end..];
            let line = rest.iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            if let Some(head) = GroupHead::parse(&rest[..line])
                && let Some(records) = rest[line..].get(..head.length as usize)
            {
                let mut repaired = bytes[..end].to_vec();
                put_group(&mut repaired, head.epoch, &head.members, records);
                self.disk.place(&path, &repaired);
            }
        }
        recover(&self.disk, &directory(), &self.manifest, true).map_err(|error| error.to_string())
    }

    /// Compares what is in the files with the history, and goes back to that.
    fn compare(&mut self, epoch: u64) -> Result<(), String> {
        let mut found = Vec::new();
        for part in self.manifest.parts() {
            let files = match part {
                Part::Base(file) | Part::Plain(file) => vec![file],
                Part::Generation(files) => files,
            };
            for file in files {
                let bytes = self.disk.bytes(&directory().join(&file.name)).ok_or(format!("{} is gone", file.name))?;
                read_operations(&bytes, &mut found)?;
            }
        }
        found.sort_unstable();
        let mut expected = Vec::new();
        for operation in self.history.iter().filter(|operation| operation.epoch <= epoch) {
            expected.extend(operation.shards.iter().map(|&shard| (operation.number, shard)));
        }
        expected.sort_unstable();
        if found != expected {
            return Err(format!(
                "the files hold {found:?}, which was never so; up to epoch {epoch} it was {expected:?}"
            ));
        }
        if epoch < self.promised {
            return Err(format!("epoch {} was promised, and {epoch} is the last", self.promised));
        }
        self.history.retain(|operation| operation.epoch <= epoch);
        self.epoch = epoch;
        self.promised = epoch;
        Ok(())
    }
}

/// What a mutant reads of a log.
struct Log {
    path: PathBuf,
    shard: usize,
    generation: u64,
    heads: Vec<(GroupHead, u64)>,
}

impl Log {
    fn read(disk: &FakeDisk, file: &ManifestFile) -> Log {
        let path = directory().join(&file.name);
        let mut scan = GroupScan::new(disk.read(&path).expect("the manifest names it"));
        let mut heads = Vec::new();
        while let Ok(group) = scan.next().expect("it can be read") {
            heads.push(group);
        }
        let writer = file.writer.expect("these logs consist of groups");
        Log { path, shard: writer.shard, generation: writer.generation, heads }
    }

    fn cut(&self, disk: &FakeDisk) {
        let mut file = disk.open(&self.path).expect("it is there");
        file.truncate(self.heads.last().map_or(0, |(_, end)| *end)).expect("there is power");
        file.sync().expect("there is power");
    }
}

/// Whether all members of an epoch have their group.
fn is_whole(head: &GroupHead, logs: &[Log]) -> bool {
    let has = |log: &Log| log.heads.iter().any(|(other, _)| other.epoch == head.epoch);
    let generation = logs.iter().find(|log| has(log)).map(|log| log.generation);
    let mut of_generation = logs.iter().filter(|log| Some(log.generation) == generation);
    of_generation.all(|log| !head.members.contains(log.shard) || has(log))
}

fn put_operation(out: &mut Vec<u8>, shard: usize, number: u64) {
    let words = ["OP".to_owned(), shard.to_string(), number.to_string()];
    put_record(out, words.iter().map(String::as_bytes));
}

fn read_operations(bytes: &[u8], found: &mut Vec<(u64, usize)>) -> Result<(), String> {
    let mut reader = RecordReader::new(bytes, 0);
    loop {
        match reader.next_record().map_err(|error| error.to_string())? {
            Record::End => return Ok(()),
            Record::Note(_) => {}
            Record::Command => {
                let number = |index: usize| -> Option<u64> {
                    std::str::from_utf8(reader.arguments().at(index)).ok()?.parse().ok()
                };
                let (shard, number) = number(1).zip(number(2)).ok_or("an operation has two numbers")?;
                found.push((number, shard as usize));
            }
        }
    }
}

/// One life of a server, through some power cuts.
fn live(seed: u64, mutant: Mutant) -> Result<(), String> {
    let mut world = World::new(seed, mutant);
    for cut in 0..4 {
        let changes = world.rng.random_range(1..200);
        world.disk.lose_power_after(changes);
        let error = world.write().expect_err("it writes until the power goes");
        if !world.disk.is_off() {
            return Err(format!("cut {cut}: {error}"));
        }
        world.come_back().map_err(|why| format!("cut {cut}: {why}"))?;
    }
    Ok(())
}

#[test]
fn what_is_found_after_a_power_cut_was_there() {
    for seed in 0..3000 {
        if let Err(why) = live(seed, Mutant::None) {
            panic!("seed {seed}: {why}");
        }
    }
}

#[test]
fn every_clause_of_the_rule_is_needed() {
    for mutant in [
        Mutant::AcknowledgesEarly,
        Mutant::SkipsGaps,
        Mutant::ForgetsMembers,
        Mutant::TrustsLengths,
        Mutant::LeavesCutsUnsynced,
        Mutant::SwitchesEarly,
    ] {
        let found = (0..3000).find_map(|seed| live(seed, mutant).err().map(|why| (seed, why)));
        assert!(found.is_some(), "nobody noticed {mutant:?}");
    }
}
