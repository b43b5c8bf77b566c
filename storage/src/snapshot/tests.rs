use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::types::string::OwnedString;
use crate::types::{Limits, OwnedValue};

mod damage;
mod old;
pub(super) mod values;

/// A payload with these bytes of type and value.
fn seal(body: &[u8], version: u16) -> Vec<u8> {
    let mut payload = body.to_vec();
    payload.extend(version.to_le_bytes());
    payload.extend(crc64::crc64(0, &payload).to_le_bytes());
    payload
}

fn string(bytes: &[u8]) -> OwnedValue {
    OwnedValue::String(OwnedString::encode(bytes.to_vec()))
}

#[test]
fn payloads_are_those_of_redis() {
    let hex = |bytes: &[u8]| {
        let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap());
        dump(string(bytes).as_value()).iter().flat_map(digits).collect::<String>()
    };
    // What redis-server 7.0.15 answers to DUMP.
    assert_eq!(hex(b"10"), "00c00a0a006e9f57450eae63bb");
    assert!(hex(b"hello").starts_with("000568656c6c6f0a00"));
    assert!(hex(b"-129").starts_with("00c17fff0a00"));
    assert!(hex(b"70000").starts_with("00c2701101000a00"));
    assert!(hex(b"9999999999").starts_with("000a39393939393939393939"));
}

#[test]
fn lengths() {
    let mut writer = Writer::new(false);
    let lengths = [0, 1, 0x3f, 0x40, 0x3fff, 0x4000, 0xffff_ffff, 0x1_0000_0000, u64::MAX];
    for len in lengths {
        writer.put_length(len);
    }
    let bytes = writer.take();
    let mut reader = Reader::new(&bytes);
    for len in lengths {
        assert_eq!(reader.length(), Ok(len));
    }
    assert!(reader.rest().is_empty() && reader.length() == Err(Malformed));
    assert_eq!(Reader::new(&[0x82, 0, 0, 0, 0]).length(), Err(Malformed));
    assert_eq!(Reader::new(&[0xc0, 0]).length(), Err(Malformed));
}

#[test]
fn strings_come_back() {
    let mut rng = SmallRng::seed_from_u64(1);
    for round in 0..2_000 {
        let value = match round % 4 {
            0 => OwnedValue::String(OwnedString::Int(rng.random::<i64>() >> rng.random_range(0..64))),
            1 => string(&vec![b'x'; rng.random_range(0..20_000)]),
            _ => {
                let len = rng.random_range(0..200);
                string(&(0..len).map(|_| rng.random_range(b'a'..=b'f')).collect::<Vec<u8>>())
            }
        };
        assert_eq!(restore(&dump(value.as_value()), true, &Limits::default()), Ok(value));
    }
    let changed = OwnedValue::String(OwnedString::Bytes { bytes: b"12".to_vec(), modified: true });
    assert_eq!(restore(&dump(changed.as_value()), true, &Limits::default()), Ok(string(b"12")));
}

#[test]
fn damaged_payloads_are_refused() {
    let mut rng = SmallRng::seed_from_u64(2);
    for value in [string(b"12345"), string(b"hello"), string(&b"abcd".repeat(500))] {
        let payload = dump(value.as_value());
        for len in 0..payload.len() {
            assert!(restore(&payload[..len], true, &Limits::default()).is_err());
        }
        for _ in 0..20_000 {
            let mut damaged = payload.clone();
            let at = rng.random_range(0..damaged.len());
            damaged[at] ^= 1 << rng.random_range(0..8);
            assert_eq!(restore(&damaged, true, &Limits::default()), Err(RestoreError::VersionOrChecksum));
            for _ in 0..rng.random_range(0..3) {
                let at = rng.random_range(0..damaged.len());
                damaged[at] = rng.random();
            }
            if let Ok(OwnedValue::String(string)) = restore(&damaged, false, &Limits::default()) {
                assert!(string.heap_bytes() <= damaged.len() * lzf::EXPANSION_MAX);
            }
        }
    }
    assert_eq!(restore(&seal(&[0, 1, b'a'], RESTORE_VERSION_MAX), true, &Limits::default()), Ok(string(b"a")));
    assert_eq!(restore(&seal(&[0, 1, b'a', 0], 6), true, &Limits::default()), Ok(string(b"a")));
    assert_eq!(
        restore(&seal(&[0, 1, b'a'], RESTORE_VERSION_MAX + 1), true, &Limits::default()),
        Err(RestoreError::VersionOrChecksum)
    );
    for body in [&[][..], &[0], &[4, 1], &[0, 2, b'a'], &[0, 0x81, 255, 255, 255, 255, 255, 255, 255, 255], &[0, 0xc4]]
    {
        assert!(matches!(restore(&seal(body, 10), true, &Limits::default()), Err(RestoreError::BadFormat { .. })));
    }
}
