//! Records come back, and what is none is told with its place.

use std::io::Read;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::super::*;

/// What a reader finds, a line each.
fn read(bytes: impl Read, offset: u64) -> Vec<String> {
    let mut reader = RecordReader::new(bytes, offset);
    let mut found = Vec::new();
    loop {
        let record = reader.next_record();
        let text = match &record {
            Ok(Record::Command) => {
                let words = reader.arguments().iter().map(|word| word.escape_ascii().to_string());
                format!("{} {}", reader.begin(), words.collect::<Vec<_>>().join(" "))
            }
            Ok(Record::Note(line)) => format!("{} #{}", reader.begin(), line[1..].escape_ascii()),
            Ok(Record::End) => format!("{} end", reader.position()),
            Err(error) => error.to_string(),
        };
        found.push(text);
        if !matches!(record, Ok(Record::Command | Record::Note(_))) {
            return found;
        }
    }
}

fn record(words: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    put_record(&mut out, words.iter().map(|word| word.as_bytes()));
    out
}

#[test]
fn records_and_annotations_come_back() {
    let mut log = record(&["SELECT", "0"]);
    assert_eq!(log, b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n");
    put_timestamp(&mut log, 1_700_000_000);
    log.extend(record(&["SET", "", "a\r\nb"]));
    assert_eq!(read(log.as_slice(), 7), ["7 SELECT 0", "30 #TS:1700000000", "46 SET  a\\r\\nb", "75 end"]);
}

#[test]
fn a_log_may_end_between_records_only() {
    let log = [record(&["SET", "key", "value"]), record(&["DEL", "key"])].concat();
    let first = record(&["SET", "key", "value"]).len();
    for end in 0..=log.len() {
        let found = read(&log[..end], 0);
        let last = found.last().expect("there is an end");
        match end {
            0 => assert_eq!(last, "0 end"),
            _ if end == first || end == log.len() => assert_eq!(last, &format!("{end} end")),
            _ => {
                let offset = if end > first { first } else { 0 };
                assert_eq!(last, &format!("it ends within the record at offset {offset}"), "cut at {end}");
            }
        }
    }
}

#[test]
fn what_is_no_record_is_told_with_its_place() {
    let cases = [
        ("SET k v\r\n", "a number of arguments is missing at offset 0, in the record at offset 0"),
        ("*0\r\n", "a number of arguments is missing at offset 0, in the record at offset 0"),
        ("*-1\r\n", "a number of arguments is missing at offset 0, in the record at offset 0"),
        ("*1\r\n+3\r\n", "the length of an argument is missing at offset 4, in the record at offset 0"),
        ("*1\r\n$-1\r\n", "the length of an argument is missing at offset 4, in the record at offset 0"),
        ("*1\r\n$4294967296\r\n", "the length of an argument is missing at offset 4, in the record at offset 0"),
        ("*1\r\n$1\r\nabc", "the end of an argument is missing at offset 9, in the record at offset 0"),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text.as_bytes(), 0), [expected], "{text}");
    }
    let long = format!("*1{}\r\n", "0".repeat(200));
    assert_eq!(read(long.as_bytes(), 0), ["the end of a line is missing at offset 0, in the record at offset 0"]);
}

#[test]
fn a_claimed_length_allocates_nothing() {
    let mut reader = RecordReader::new(b"*1000000000\r\n$4000000000\r\nabc".as_slice(), 0);
    let error = reader.next_record().expect_err("there are three bytes");
    assert!(matches!(error.kind, RecordErrorKind::Truncated));
}

#[test]
fn damage_is_an_error_or_another_log() {
    let mut rng = SmallRng::seed_from_u64(5);
    let whole =
        [record(&["SET", "key", "value"]), record(&["RPUSH", "list", "a", "b"]), record(&["DEL", "key"])].concat();
    for _ in 0..20_000 {
        let mut log = whole.clone();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..log.len());
            match rng.random_range(0..3) {
                0 => log[at] = rng.random(),
                1 => drop(log.remove(at)),
                _ => log.insert(at, b"0123456789*$\r\n#"[rng.random_range(0..15)]),
            }
        }
        let mut reader = RecordReader::new(log.as_slice(), 0);
        let mut last = 0;
        while let Ok(Record::Command | Record::Note(_)) = reader.next_record() {
            assert!(reader.begin() >= last && reader.position() > reader.begin());
            last = reader.position();
        }
        assert!(reader.position() <= log.len() as u64);
    }
}
