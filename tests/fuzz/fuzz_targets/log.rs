//! Append-only files out of any bytes: records and groups are read or refused, and a manifest that is read can be written
//! and is the same again.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use storage::io::FakeDisk;
use storage::log::{Manifest, Record, RecordReader, examine, put_record, recover};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(manifest) = Manifest::parse(bytes) {
        let again = Manifest::parse(manifest.to_text().as_bytes());
        assert_eq!(again.map(|again| again.to_text()), Ok(manifest.to_text()));
    }
    records(bytes);
    logs(bytes);
});

/// What is read as a command and written again is the same command.
fn records(bytes: &[u8]) {
    let mut reader = RecordReader::new(bytes, 0);
    let mut last = 0;
    while let Ok(record) = reader.next_record() {
        assert!(reader.begin() == last && reader.position() <= bytes.len() as u64);
        last = reader.position();
        match record {
            Record::End => break,
            Record::Note(_) => {}
            Record::Command => {
                let mut out = Vec::new();
                put_record(&mut out, reader.arguments().iter());
                let mut again = RecordReader::new(out.as_slice(), 0);
                assert_eq!(again.next_record().ok(), Some(Record::Command));
                assert_eq!(again.arguments(), reader.arguments());
            }
        }
    }
}

/// Recovery leaves logs that need no more of it.
fn logs(bytes: &[u8]) {
    let disk = FakeDisk::default();
    let mut manifest = Manifest::default();
    let directory = Path::new("d");
    let (_, names) = manifest.begin_generation("log", 2);
    let (first, second) = bytes.split_at(bytes.len() / 2);
    disk.place(&directory.join(&names[0]), first);
    disk.place(&directory.join(&names[1]), second);
    if let Ok(found) = recover(&disk, directory, &manifest, true) {
        let again = examine(&disk, directory, &manifest).expect("it is whole now");
        assert_eq!((again.last_epoch, again.cuts.len()), (found.last_epoch, 0));
    }
}
