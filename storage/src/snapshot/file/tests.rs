//! Files: they come back whole, in whatever pieces they are read; damage is told with its place.

use std::io::{self, Read};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::super::tests::values::samples;
use super::*;
use crate::keyspace::{Access, Database, Expiry, UnixMillis};
use crate::snapshot::crc64::crc64;
use crate::types::{Limits, OwnedValue};

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

/// Gives a few bytes at a time.
struct Dribble<'a>(&'a [u8], usize);

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.1.min(buffer.len()).min(self.0.len());
        let (now, later) = self.0.split_at(len);
        buffer[..len].copy_from_slice(now);
        self.0 = later;
        Ok(len)
    }
}

/// A file around these blocks.
fn file_of(version: u16, blocks: &[u8]) -> Vec<u8> {
    let mut sum = FileSum::default();
    let mut aux = Vec::new();
    put_aux(&mut aux, "redis-bits", "64");
    sum.add_bytes(&aux);
    sum.add_bytes(blocks);
    sum.add_bytes(&[end_mark()]);
    let header = header(version);
    let crc = sum.with_header(&header);
    let file = [header.as_slice(), &aux, blocks, &[end_mark()]].concat();
    assert_eq!(crc, crc64(0, &file), "pieces combine");
    [file, crc.to_le_bytes().to_vec()].concat()
}

/// Some of everything, in database 2.
fn database(rng: &mut SmallRng) -> Database {
    let mut db = Database::new();
    for (number, value) in
        (0..8).flat_map(|_| samples(rng, &Limits::default())).collect::<Vec<_>>().into_iter().enumerate()
    {
        let expire = if number % 3 == 0 { Expiry::At(UnixMillis(NOW.0 + number as i64)) } else { Expiry::Clear };
        drop(db.set_value(&format!("key:{number}"), value, expire, Access::lru_idle(NOW, number as u32)));
    }
    db
}

fn blocks(db: &mut Database, access: KeptAccess) -> Vec<Block> {
    db.begin_saving(2, RecordOptions { compression: true, access, now: NOW });
    let mut blocks = Vec::new();
    while !db.save_step(1, 1 << 12) {
        blocks.extend(db.take_saved(&mut Vec::new()));
    }
    blocks.extend(db.take_saved(&mut Vec::new()));
    drop(db.end_saving());
    blocks
}

fn check_file(file: &[u8], db: &Database, piece: usize, idle: bool) {
    let mut reader = FileReader::new(Dribble(file, piece), true).expect("a good header");
    let (mut keys, mut aux, mut number) = (0, 0, 0);
    loop {
        match reader.next_item().expect("a good file") {
            Item::Entry(head) => {
                let key = reader.key().to_vec();
                let stored = db.find(&key).expect("it was written");
                if keys % 2 == 0 {
                    let value = reader.value(&Limits::default()).expect("a good value");
                    assert_eq!(value, Some(stored.value().to_owned()));
                } else {
                    reader.skip_value().expect("a good value");
                }
                assert_eq!(head.expire_at, stored.expire_at());
                let seconds = stored.access().idle_millis(NOW) / 1000;
                assert_eq!(head.idle_seconds, idle.then_some(seconds));
                keys += 1;
            }
            Item::Database(db) => assert_eq!(db, 2),
            Item::Aux { name, value } => {
                assert_eq!((name.as_slice(), value.as_slice()), (&b"redis-bits"[..], &b"64"[..]));
                aux += 1;
            }
            Item::Sizes(all, expiring) => {
                assert_eq!((all as usize, expiring as usize), (db.len(), db.expires()));
                number += 1;
            }
            Item::Function(_) => panic!("there is none"),
            Item::End => break,
        }
    }
    assert_eq!((keys, aux, number), (db.len(), 1, 1));
    assert_eq!(reader.offset(), file.len() as u64);
}

#[test]
fn files_come_back_in_whatever_pieces_they_are_read() {
    let mut rng = SmallRng::seed_from_u64(1);
    let mut db = database(&mut rng);
    for (access, idle) in [(KeptAccess::None, false), (KeptAccess::Idle, true)] {
        let blocks = blocks(&mut db, access);
        assert!(blocks.len() > 3 && blocks.iter().map(|block| block.keys).sum::<u64>() == db.len() as u64);
        let version = blocks.iter().map(|block| block.version).max().expect("there are some");
        let bytes: Vec<u8> = blocks.iter().rev().flat_map(|block| block.bytes.clone()).collect();
        for piece in [7, 4096, usize::MAX] {
            check_file(&file_of(version, &bytes), &db, piece, idle);
        }
    }
}

#[test]
fn a_value_is_skipped_as_far_as_it_is_read() {
    let mut rng = SmallRng::seed_from_u64(2);
    for value in samples(&mut rng, &Limits::default()) {
        let mut writer = super::super::Writer::new(true);
        let type_byte = super::super::Writer::type_byte(value.as_value());
        writer.put_value(value.as_value());
        writer.put(b"rest");
        let bytes = writer.take();
        let mut reader = super::super::Reader::new(&bytes);
        assert!(reader.skip_value(type_byte).is_ok());
        assert_eq!(reader.rest(), b"rest", "type {type_byte}");
        for cut in [1, bytes.len() / 2, bytes.len() - 5] {
            let mut reader = super::super::Reader::new(&bytes[..cut.min(bytes.len() - 5)]);
            assert!(reader.skip_value(type_byte).is_err() && reader.missing_bytes() > 0, "type {type_byte}");
        }
    }
}

/// Reads all of a file; where it ends, or why it cannot be read on.
fn read(file: &[u8]) -> Result<u64, FileError> {
    let mut reader = FileReader::new(file, true)?;
    loop {
        match reader.next_item()? {
            Item::Entry(_) => drop(reader.value(&Limits::default())?),
            Item::End => return Ok(reader.offset()),
            _ => {}
        }
    }
}

fn check_error(body: &[u8], offset: u64, text: &str) {
    let error = read(body).expect_err("it is damaged");
    assert_eq!((error.offset, error.kind.to_string().as_str()), (offset, text));
}

#[test]
fn damage_is_told_with_its_place() {
    check_error(b"", 0, "Unexpected EOF reading RDB file");
    check_error(b"RABIS0010", 9, "Wrong signature trying to load DB from file");
    check_error(b"REDIS00x0", 9, "Wrong signature trying to load DB from file");
    check_error(b"REDIS0013", 9, "Can't handle RDB format version 13");
    check_error(b"REDIS0000", 9, "Can't handle RDB format version 0");
    check_error(b"REDIS0010", 9, "Unexpected EOF reading RDB file");
    check_error(b"REDIS0010\xfe\x00\x00\x01k", 14, "Unexpected EOF reading RDB file");
    check_error(b"REDIS0010\xfe\x00\x1b\x01k\x01v", 12, "Unknown RDB encoding type 27");
    check_error(b"REDIS0010\xf6\x00", 10, "Pre-release function format not supported.");
    check_error(b"REDIS0010\xfe\x00\x00\x82", 13, "Bad data format");
    let module = read(b"REDIS0010\xf7\x00").expect_err("it has a module's data");
    assert!(matches!(module.kind, FileErrorKind::Module));
    let mut wrong = b"REDIS0010\xff".to_vec();
    wrong.extend(1_u64.to_le_bytes());
    let error = read(&wrong).expect_err("the checksum is wrong").to_string();
    assert!(
        error.starts_with("Internal error in RDB reading offset 18 -> Wrong RDB checksum expected: (1)"),
        "{error}"
    );
}

#[test]
fn old_files_have_no_checksum_and_odd_ones_none() {
    assert_eq!(read(b"REDIS0003\xfe\x00\xfd\x01\x00\x00\x00\x00\x01k\x01v\xff").expect("a good file"), 22);
    assert_eq!(read(b"REDIS0010\xf4\x05\x06\x07\xff\0\0\0\0\0\0\0\0").expect("a good file"), 22);
    // A set without members, as old servers wrote: it is nothing.
    assert_eq!(read(b"REDIS0009\x02\x01k\x00\xff\0\0\0\0\0\0\0\0").expect("a good file"), 22);
}

#[test]
fn a_length_that_is_made_up_takes_no_memory() {
    let file = b"REDIS0010\xfe\x00\x00\x01k\x81\x7f\xff\xff\xff\xff\xff\xff\xff";
    let error = read(file).expect_err("there are no such bytes");
    assert!(matches!(error.kind, FileErrorKind::Truncated), "{error}");
}

#[test]
fn damaged_files_are_no_danger() {
    let mut rng = SmallRng::seed_from_u64(3);
    let mut db = database(&mut rng);
    let blocks = blocks(&mut db, KeptAccess::Idle);
    for _ in 0..3000 {
        let block = &blocks[rng.random_range(0..blocks.len())];
        let mut file = file_of(12, &block.bytes);
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..file.len());
            file[at] = if rng.random_bool(0.5) { rng.random() } else { 0xff };
        }
        file.truncate(rng.random_range(1..=file.len()));
        match read(&file) {
            Ok(offset) => assert!(offset <= file.len() as u64),
            Err(error) => assert!(error.offset <= file.len() as u64, "{error}"),
        }
    }
}

#[test]
fn functions_are_carried() {
    let mut bytes = Vec::new();
    put_function(&mut bytes, b"#!lua name=lib\n");
    let file = file_of(10, &bytes);
    let mut reader = FileReader::new(file.as_slice(), true).expect("a good header");
    assert!(matches!(reader.next_item(), Ok(Item::Aux { .. })));
    assert_eq!(reader.next_item().expect("a good file"), Item::Function(b"#!lua name=lib\n".to_vec()));
    assert_eq!(reader.next_item().expect("a good file"), Item::End);
}

#[test]
fn the_version_is_the_least_that_tells_all() {
    let mut db = Database::new();
    let string = |text: &[u8]| OwnedValue::String(crate::types::string::OwnedString::encode(text.to_vec()));
    drop(db.set_value(b"plain", string(b"1"), Expiry::Clear, Access::default()));
    assert!(blocks(&mut db, KeptAccess::None).iter().all(|block| block.version == 10));
    let mut hash = crate::types::hash::Hash::default();
    let limits = Limits::default();
    hash.set(b"f", b"v", crate::types::hash::FieldExpiry::Keep, &limits.hash);
    hash.set_field_expire(b"f", Some(UnixMillis(NOW.0 + 1)));
    drop(db.set_value(b"hash", OwnedValue::Hash(hash), Expiry::Clear, Access::default()));
    assert_eq!(blocks(&mut db, KeptAccess::None).iter().map(|block| block.version).max(), Some(12));
}
