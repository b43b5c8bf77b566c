//! Manifests, Redis's and ours.

use std::path::Path;

use super::super::*;
use crate::io::{Disk, FakeDisk};

fn fails(text: &str, expected: &str) {
    let error = Manifest::parse(text.as_bytes()).expect_err(text);
    assert_eq!(error.to_string().trim_start_matches("\n*** FATAL AOF MANIFEST FILE ERROR ***\n"), expected, "{text}");
}

#[test]
fn errors_are_those_of_redis() {
    let format = "Invalid AOF manifest file format";
    let at = |line: usize, text: &str, error: &str| {
        format!("Reading the manifest file, at line {line}\n>>> '{text}'\n{error}")
    };
    fails("", "Found an empty AOF manifest");
    fails("\n", &at(1, "", format));
    fails("file a seq 1 type i", "The AOF manifest file contains too long line");
    fails(&format!("file {} seq 1 type i\n", "x".repeat(1100)), "The AOF manifest file contains too long line");
    for line in [
        "file a seq 1 type",
        "file a seq 0 type i",
        "file a seq x type i",
        "file a seq 1 type i foo",
        "seq 1 type i aa b",
        "file \"a b seq 1 type i",
        "file \"\" seq 1 type i",
    ] {
        fails(&format!("{line}\n"), &at(1, line, format));
    }
    fails("#c\n  file a seq 1 type x \n", &at(2, "file a seq 1 type x", "Unknown AOF file type"));
    fails("file a/b seq 1 type b\n", &at(1, "file a/b seq 1 type b", "File can't be a path, just a filename"));
    let two = "file a seq 1 type b\nfile b seq 2 type b\n";
    fails(two, &at(2, "file b seq 2 type b", "Found duplicate base file information"));
    let again = "file a seq 1 type i\nfile b seq 1 type i\n";
    fails(again, &at(2, "file b seq 1 type i", "Found a non-monotonic sequence number"));
    fails("file a seq 1 type i generation 1 shard 0 shards 2\n", "Found a generation of files that is not whole");
}

#[test]
fn manifests_of_redis_are_read() {
    let text = "#comment\r\nfile x seq 2 type i\n  FILE \"a b\" SEQ 5 TYPE base \nfile y seq 3 type i startoffset 0\nfile z seq 1 type h\n";
    let manifest = Manifest::parse(text.as_bytes()).expect("it is one");
    let parts: Vec<String> = manifest
        .parts()
        .iter()
        .map(|part| match part {
            Part::Base(file) => format!("base {}", file.name),
            Part::Plain(file) => format!("plain {}", file.name),
            Part::Generation(files) => format!("generation of {}", files.len()),
        })
        .collect();
    assert_eq!(parts, ["base a b", "plain x", "plain y"]);
    let written = "file \"a b\" seq 5 type b\nfile z seq 1 type h\nfile x seq 2 type i\nfile y seq 3 type i\n";
    assert_eq!(manifest.to_text(), written);
    assert_eq!(Manifest::parse(b"# nothing\n").map(|manifest| manifest.files), Ok(Vec::new()));
}

#[test]
fn a_rewrite_keeps_what_came_behind_it() {
    let mut manifest = Manifest::default();
    assert_eq!(
        manifest.begin_generation("log", 2),
        (1, vec!["log.1.incr.aof".to_owned(), "log.2.incr.aof".to_owned()])
    );
    assert_eq!(manifest.begin_generation("log", 1).1, ["log.3.incr.aof"]);
    let (generation, _) = manifest.begin_generation("log", 2);
    let (name, seq) = manifest.next_base("log", true);
    manifest.set_base(name, seq, 16, generation);
    let again = Manifest::parse(manifest.to_text().as_bytes()).expect("it was written here");
    assert_eq!(again.to_text(), manifest.to_text());
    assert_eq!(again.base().map(|base| (base.name.as_str(), base.epoch)), Some(("log.1.base.rdb", Some(16))));
    assert!(matches!(&again.parts()[..], [Part::Base(_), Part::Generation(files)] if files.len() == 2));
    let mut history = manifest.take_history();
    history.sort();
    assert_eq!(history, ["log.1.incr.aof", "log.2.incr.aof", "log.3.incr.aof"]);
    let (name, seq) = manifest.next_base("log", false);
    assert_eq!((name.as_str(), seq), ("log.2.base.aof", 2));
    manifest.set_base(name, seq, 20, 4);
    assert_eq!(manifest.next_base("log", false).0, "log.3.base.aof");
}

#[test]
fn history_keeps_its_names() {
    let mut manifest = Manifest::default();
    manifest.begin_generation("log", 2);
    let (name, seq) = manifest.next_base("log", true);
    manifest.set_base(name, seq, 3, u64::MAX);
    let (_, names) = manifest.begin_generation("log", 2);
    assert_eq!(names, ["log.3.incr.aof", "log.4.incr.aof"]);
    assert!(manifest.take_history().iter().all(|name| !names.contains(name)));
    assert!(Manifest::parse(manifest.to_text().as_bytes()).is_ok());
}

#[test]
fn a_manifest_is_replaced_for_good() {
    let disk = FakeDisk::default();
    let mut manifest = Manifest::default();
    manifest.begin_generation("log", 1);
    manifest.persist(&disk, Path::new("d"), "log").expect("there is room");
    assert_eq!(disk.names(Path::new("d")).expect("it is there"), ["log.manifest"]);
    let loaded = Manifest::load(&disk, Path::new("d"), "log").expect("it can be read");
    assert_eq!(loaded, Some(Ok(manifest)));
    assert!(Manifest::load(&disk, Path::new("d"), "other").expect("it can be looked for").is_none());
}
