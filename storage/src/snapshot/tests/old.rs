//! Types that are read and not written any more.

use super::super::*;
use super::seal;
use crate::keyspace::UnixMillis;
use crate::types::hash::FieldExpiry;
use crate::types::list::End;
use crate::types::{Limits, OwnedValue, Value};

/// Entries of a ziplist: each without the length of the one before it.
const ENTRIES: [&[u8]; 12] = [
    b"\x03one",
    b"\xf5",
    b"\xfe\x80",
    b"\xc0\x00\x80",
    b"\xf0\x00\x00\x80",
    b"\xd0\x15\xcd\x5b\x07",
    b"\xe0\x00\x00\x00\x00\x00\x00\x00\x80",
    b"\x00",
    b"\xf1",
    b"\xfd",
    b"\x80\x00\x00\x00\x02hi",
    b"\xf0\x01\x00\x00",
];
/// What they stand for.
const TEXTS: [&str; 12] =
    ["one", "4", "-128", "-32768", "-8388608", "123456789", "-9223372036854775808", "", "0", "12", "hi", "1"];

fn ziplist(entries: &[&[u8]]) -> Vec<u8> {
    let (mut body, mut before, mut last) = (Vec::new(), 0, 10);
    for entry in entries {
        last = 10 + body.len();
        let start = body.len();
        if before < 254 {
            body.push(before as u8);
        } else {
            body.push(254);
            body.extend((before as u32).to_le_bytes());
        }
        body.extend(*entry);
        before = body.len() - start;
    }
    let mut bytes = (body.len() as u32 + 11).to_le_bytes().to_vec();
    bytes.extend((last as u32).to_le_bytes());
    bytes.extend((entries.len() as u16).to_le_bytes());
    bytes.extend(body);
    bytes.push(0xff);
    bytes
}

fn with_strings(type_byte: u8, count: Option<u64>, strings: &[&[u8]]) -> Vec<u8> {
    let mut writer = Writer::new(false);
    writer.put(&[type_byte]);
    if let Some(count) = count {
        writer.put_length(count);
    }
    for string in strings {
        writer.put_bytes(string);
    }
    writer.take()
}

fn read(body: &[u8]) -> Result<OwnedValue, RestoreError> {
    restore(&seal(body, 6), true, &Limits::default())
}

/// One payload of each old type, of the same few words.
pub(super) fn samples() -> Vec<Vec<u8>> {
    let long = [b"\x41\x00".as_slice(), &[b'x'; 256]].concat();
    let ends = ziplist(&[b"\x01a", &long, b"\x01b", b"\xf2"]);
    let pairs = ziplist(&[b"\x01a", b"\xf1", b"\x01b", b"\x031.5"]);
    let zipmap = b"\x02\x01a\x03\x02oneXX\x01b\x00\x00\xff";
    let text_scores = b"\x03\x03\x01a\x011\x01b\xff\x01c\x042.25";
    let old_stream = with_block(TYPE_STREAM);
    vec![
        with_strings(TYPE_LIST, Some(2), &[b"a", b"7"]),
        text_scores.to_vec(),
        with_strings(TYPE_HASH_ZIPMAP, None, &[zipmap]),
        with_strings(TYPE_LIST_ZIPLIST, None, &[&ends]),
        with_strings(TYPE_ZSET_ZIPLIST, None, &[&pairs]),
        with_strings(TYPE_HASH_ZIPLIST, None, &[&pairs]),
        with_strings(TYPE_LIST_QUICKLIST, Some(2), &[&ends, &pairs]),
        old_stream,
        b"\x16\x02\x05\x01a\x01v\x00\x01b\x01w".to_vec(),
        hash_listpack_ttl_old(),
    ]
}

/// A stream of one entry, 5-0, with a group that has read it and a consumer that has not acknowledged it.
fn with_block(type_byte: u8) -> Vec<u8> {
    let mut writer = Writer::new(false);
    writer.put(&[type_byte]);
    writer.put_length(1);
    writer.put_bytes(&[0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0]);
    let elements = b"\x01\x01\x00\x01\x01\x01\x81f\x02\x00\x01\x02\x01\x00\x01\x00\x01\x81v\x02\x04\x01";
    let mut listpack = vec![elements.len() as u8 + 7, 0, 0, 0, 10, 0];
    listpack.extend(elements);
    listpack.push(0xff);
    writer.put_bytes(&listpack);
    for number in [1, 5, 0, 1] {
        writer.put_length(number);
    }
    writer.put_bytes(b"group");
    for number in [5, 0, 1] {
        writer.put_length(number);
    }
    let pending = [0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0];
    writer.put(&pending);
    writer.put(&9_i64.to_le_bytes());
    for number in [3, 1] {
        writer.put_length(number);
    }
    writer.put_bytes(b"consumer");
    writer.put(&8_i64.to_le_bytes());
    writer.put_length(1);
    writer.put(&pending);
    writer.take()
}

fn hash_listpack_ttl_old() -> Vec<u8> {
    let listpack = b"\x17\x00\x00\x00\x06\x00\x81a\x02\x81v\x02\x05\x01\x81b\x02\x81w\x02\x00\x01\xff";
    with_strings(TYPE_HASH_LISTPACK_TTL_OLD, None, &[listpack])
}

#[test]
fn ziplists_are_read() {
    let value = read(&with_strings(TYPE_LIST_ZIPLIST, None, &[&ziplist(&ENTRIES)])).unwrap();
    let Value::List(list) = value.as_value() else { panic!("it is a list") };
    let mut walk = list.walk(End::Head, 0);
    let texts: Vec<_> = (0..list.len()).map(|_| String::from_utf8(walk.next().unwrap().to_vec()).unwrap()).collect();
    assert_eq!(texts, TEXTS);
}

#[test]
fn every_old_type_is_read() {
    let values: Vec<_> = samples().iter().map(|body| read(body).unwrap()).collect();
    let items: Vec<_> = values.iter().map(|value| value.as_value().items()).collect();
    assert_eq!(items, [2, 3, 2, 4, 2, 2, 8, 1, 2, 2]);
    let Value::SortedSet(scores) = values[1].as_value() else { panic!("it is a sorted set") };
    let scores: Vec<_> = scores.iter().map(|record| (record.member.to_vec(), record.score)).collect();
    assert_eq!(scores, [(b"b".to_vec(), f64::NEG_INFINITY), (b"a".to_vec(), 1.0), (b"c".to_vec(), 2.25)]);
    let Value::Hash(zipmap) = values[2].as_value() else { panic!("it is a hash") };
    assert!(zipmap.get(b"a").unwrap().eq_bytes(b"one") && zipmap.get(b"b").unwrap().eq_bytes(b""));
    let Value::SortedSet(pairs) = values[4].as_value() else { panic!("it is a sorted set") };
    assert_eq!((pairs.score(b"a"), pairs.score(b"b")), (Some(0.0), Some(1.5)));
    for index in [8, 9] {
        let Value::Hash(hash) = values[index].as_value() else { panic!("it is a hash") };
        assert_eq!(hash.field(b"a").unwrap().expire_at, Some(UnixMillis(5)));
        assert_eq!(hash.field(b"b").unwrap().expire_at, None);
    }
}

#[test]
fn groups_of_old_streams_get_the_counters_they_lack() {
    let value = read(&with_block(TYPE_STREAM)).unwrap();
    let Value::Stream(stream) = value.as_value() else { panic!("it is a stream") };
    let group = stream.group(b"group").unwrap();
    assert_eq!((stream.entries_added(), group.entries_read(), stream.lag(group)), (1, Some(1), Some(0)));
    let consumer = group.consumer(group.find_consumer(b"consumer").unwrap());
    assert_eq!((consumer.seen(), consumer.active()), (UnixMillis(8), Some(UnixMillis(8))));
    // Nobody's pending entries are a contradiction.
    let mut damaged = with_block(TYPE_STREAM);
    *damaged.last_mut().unwrap() = 1;
    assert!(matches!(read(&damaged), Err(RestoreError::BadFormat { .. })));
}

#[test]
fn expiries_of_hashes_are_relative_to_the_earliest() {
    let mut body = vec![TYPE_HASH_TTL];
    body.extend(1_000_i64.to_le_bytes());
    body.extend(b"\x03\x01\x01a\x01v\x00\x01b\x01w\x0b\x01c\x01x");
    let OwnedValue::Hash(hash) = read(&body).unwrap() else { panic!("it is a hash") };
    let at = |name| hash.as_ref().field(name).unwrap().expire_at;
    assert_eq!((at(b"a"), at(b"b"), at(b"c")), (Some(UnixMillis(1_000)), None, Some(UnixMillis(1_010))));
    // Beyond what a field can have.
    body[1..9].copy_from_slice(&(1_i64 << 48).to_le_bytes());
    assert!(matches!(read(&body), Err(RestoreError::BadFormat { .. })));
    body[1..9].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(matches!(read(&body), Err(RestoreError::BadFormat { .. })));
    // A field twice.
    let mut twice = hash;
    assert!(!twice.set(b"a", b"w", FieldExpiry::Keep, &Limits::default().hash));
    assert!(matches!(read(b"\x16\x02\x05\x01a\x01v\x00\x01a\x01w"), Err(RestoreError::BadFormat { .. })));
}
