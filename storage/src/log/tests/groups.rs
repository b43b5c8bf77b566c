//! Groups, and what recovery does with logs of them.

use std::path::Path;

use super::super::*;
use crate::io::{Disk, FakeDisk};

const DIRECTORY: &str = "d";

/// Groups as `epoch members records`, in one log.
fn log(groups: &[(u64, &[usize], &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (epoch, members, records) in groups {
        put_group(&mut out, *epoch, &Members::of(members.iter().copied()), records.as_bytes());
    }
    out
}

/// A generation of these logs behind a base of epoch `base`.
fn directory(base: u64, logs: &[Vec<u8>]) -> (FakeDisk, Manifest) {
    let disk = FakeDisk::default();
    let mut manifest = Manifest::default();
    let (_, names) = manifest.begin_generation("a", logs.len());
    let (name, seq) = manifest.next_base("a", true);
    disk.place(&Path::new(DIRECTORY).join(&name), b"");
    manifest.set_base(name, seq, base, 1);
    for (name, bytes) in names.iter().zip(logs) {
        disk.place(&Path::new(DIRECTORY).join(name), bytes);
    }
    (disk, manifest)
}

/// What recovery makes of the logs: the last epoch, and what is kept of each log.
fn check(base: u64, logs: &[Vec<u8>], expected: Result<(u64, &[usize]), &str>) {
    let (disk, manifest) = directory(base, logs);
    let found = recover(&disk, Path::new(DIRECTORY), &manifest, true);
    let found = found.map(|found| {
        let names = manifest.incremental().map(|file| Path::new(DIRECTORY).join(&file.name));
        let lengths: Vec<usize> = names.map(|path| disk.length(&path).expect("it is there") as usize).collect();
        if let Some(resume) = &found.resume {
            assert!(resume.iter().zip(&lengths).all(|(log, &length)| log.length == length as u64));
        }
        (found.last_epoch, lengths)
    });
    match expected {
        Ok((epoch, kept)) => assert_eq!(found.map_err(|error| error.to_string()), Ok((epoch, kept.to_vec()))),
        Err(part) => {
            let error = found.expect_err("it is refused").to_string();
            assert!(error.contains(part), "{error}");
            let (untouched, _) = directory(base, logs);
            for file in manifest.incremental() {
                let path = Path::new(DIRECTORY).join(&file.name);
                assert_eq!(disk.bytes(&path), untouched.bytes(&path), "what is refused is left as it is");
            }
        }
    }
}

#[test]
fn complete_epochs_are_kept() {
    let logs = [log(&[(17, &[0, 1], "a"), (18, &[0], "b")]), log(&[(17, &[0, 1], "c"), (19, &[1], "")])];
    let lengths = [logs[0].len(), logs[1].len()];
    check(16, &logs, Ok((19, &lengths)));
}

#[test]
fn everything_behind_the_first_incomplete_epoch_is_cut() {
    let kept = log(&[(1, &[0, 1], "a")]).len();
    let first = log(&[(1, &[0, 1], "a"), (2, &[0, 1], "b"), (3, &[0], "c")]);
    let second = log(&[(1, &[0, 1], "a")]);
    check(0, &[first.clone(), second.clone()], Ok((1, &[kept, kept])));
    // The group is there, and torn.
    let torn = log(&[(1, &[0, 1], "a"), (2, &[0, 1], "bbb")]);
    for end in kept..torn.len() {
        check(0, &[first.clone(), torn[..end].to_vec()], Ok((1, &[kept, kept])));
    }
    let mut zeros = torn.clone();
    zeros[kept + 5..].fill(0);
    check(0, &[first, zeros], Ok((1, &[kept, kept])));
}

#[test]
fn nothing_is_complete_behind_a_gap() {
    // Nobody has epoch 6.
    check(5, &[log(&[(7, &[0], "a")]), log(&[(8, &[1], "b")])], Ok((5, &[0, 0])));
    check(5, &[Vec::new(), Vec::new()], Ok((5, &[0, 0])));
}

#[test]
fn heads_that_disagree_make_no_epoch() {
    check(0, &[log(&[(1, &[0], "a")]), log(&[(1, &[0, 1], "b")])], Ok((0, &[0, 0])));
    check(0, &[log(&[(1, &[0], "a")]), log(&[(1, &[0], "b")])], Ok((0, &[0, 0])));
    // A shard that the generation does not have.
    check(0, &[log(&[(1, &[0, 7], "a")])], Ok((0, &[0])));
}

#[test]
fn damage_in_the_middle_is_refused_with_its_place() {
    let whole = log(&[(1, &[0], "first"), (2, &[0], "second"), (3, &[0], "third")]);
    let group = log(&[(1, &[0], "first")]).len();
    let second = log(&[(2, &[0], "second")]).len();
    for at in [group + 4, group + 12, group + second - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        let text = format!("damaged at offset {group}, and goes on at offset {}", group + second);
        check(0, &[damaged], Err(&text));
    }
    // At the end it looks like what a crash leaves.
    let mut last = whole.clone();
    let end = whole.len();
    last[end - 1] ^= 1;
    check(0, &[last], Ok((2, &[group + second])));
}

#[test]
fn an_epoch_that_comes_again_is_refused() {
    check(0, &[log(&[(1, &[0], "a"), (1, &[0], "a")])], Err("epoch 1 comes again"));
    check(4, &[log(&[(4, &[0], "a")])], Err("epoch 4 comes again at offset 0"));
}

#[test]
fn a_log_that_may_not_be_cut_is_refused() {
    let torn = log(&[(1, &[0], "a"), (2, &[0], "b")]);
    let (disk, manifest) = directory(0, &[torn[..torn.len() - 1].to_vec()]);
    let error = recover(&disk, Path::new(DIRECTORY), &manifest, false).expect_err("it is not whole").to_string();
    assert!(error.contains("Unexpected end of file reading the append only file a.1.incr.aof"), "{error}");
}

#[test]
fn what_a_redis_appended_stays() {
    let mut second = log(&[(1, &[0, 1], "b"), (3, &[1], "c")]);
    second.extend_from_slice(b"*1\r\n$4\r\nPING\r\n");
    // It has replayed epoch 3, whatever became of epoch 2.
    let logs = [log(&[(1, &[0, 1], "a")]), second];
    let (disk, manifest) = directory(0, &logs);
    let found = recover(&disk, Path::new(DIRECTORY), &manifest, true).expect("all is well");
    assert_eq!((found.last_epoch, found.resume, found.cuts), (3, None, vec![]));
}

#[test]
fn epochs_go_on_from_generation_to_generation() {
    let (disk, mut manifest) = directory(0, &[log(&[(1, &[0, 1], "a")]), log(&[(1, &[0, 1], "b"), (2, &[1], "c")])]);
    let mut add = |shards: usize, logs: &[Vec<u8>]| {
        let (_, names) = manifest.begin_generation("a", shards);
        for (name, bytes) in names.iter().zip(logs) {
            disk.place(&Path::new(DIRECTORY).join(name), bytes);
        }
    };
    add(1, &[log(&[(3, &[0], "FLUSHALL")])]);
    add(2, &[log(&[(4, &[0], "d")]), Vec::new()]);
    let found = recover(&disk, Path::new(DIRECTORY), &manifest, true).expect("all is well");
    assert_eq!((found.last_epoch, found.cuts.len()), (4, 0));
    assert_eq!(found.resume.map(|logs| logs.len()), Some(2));
    // What an earlier generation lacks, no later one makes up for.
    let path = Path::new(DIRECTORY).join("a.2.incr.aof");
    disk.place(&path, &log(&[(1, &[0, 1], "b")]));
    let found = recover(&disk, Path::new(DIRECTORY), &manifest, true).expect("it is cut");
    assert_eq!((found.last_epoch, found.cuts.len()), (1, 2));
}

#[test]
fn files_that_are_not_there_are_named() {
    let (disk, manifest) = directory(0, &[Vec::new()]);
    disk.remove(&Path::new(DIRECTORY).join("a.1.incr.aof")).expect("it is there");
    let error = recover(&disk, Path::new(DIRECTORY), &manifest, true).expect_err("a file is missing").to_string();
    assert!(error.starts_with("Unable to obtain the AOF file a.1.incr.aof length. stat: "), "{error}");
}
