use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::crc64::{crc64, crc64_combine};
use super::{RestoreError, dump, lzf, restore};
use crate::types::OwnedValue;
use crate::types::string::OwnedString;

fn string(bytes: &[u8]) -> OwnedValue {
    OwnedValue::String(OwnedString::encode(bytes.to_vec()))
}

#[test]
fn checksum_of_the_standard_digits() {
    assert_eq!(crc64(0, b"123456789"), 0xe9c6_d914_c4b8_d9ca);
    assert_eq!(crc64(crc64(0, b"1234"), b"56789"), 0xe9c6_d914_c4b8_d9ca);
}

#[test]
fn checksums_combine() {
    let mut rng = SmallRng::seed_from_u64(1);
    for _ in 0..200 {
        let bytes: Vec<u8> = (0..rng.random_range(0..3000)).map(|_| rng.random()).collect();
        let (left, right) = bytes.split_at(rng.random_range(0..=bytes.len()));
        let combined = crc64_combine(crc64(0, left), crc64(0, right), right.len() as u64);
        assert_eq!(combined, crc64(0, &bytes));
    }
}

#[test]
fn payloads_of_redis_7() {
    // DUMP of "10", as redis-server 7.0.15 answers it.
    let ten = b"\x00\xc0\n\n\x00n\x9fWE\x0e\xaec\xbb";
    assert_eq!(dump(string(b"10").as_value()), ten);
    assert_eq!(restore(ten, true), Ok(string(b"10")));
}

#[test]
fn values_survive_a_round_trip() {
    let mut rng = SmallRng::seed_from_u64(2);
    let mut values: Vec<Vec<u8>> = [-1i64, 0, 127, 128, -128, -129, 32768, i64::from(i32::MAX) + 1, i64::MIN]
        .map(|number| number.to_string().into_bytes())
        .to_vec();
    for len in [0, 1, 20, 21, 63, 64, 300, 16_383, 16_384, 100_000] {
        values.push(vec![b'x'; len]);
        values.push((0..len).map(|_| rng.random()).collect());
        values.push((0..len).map(|_| rng.random_range(b'a'..b'e')).collect());
    }
    for value in values {
        let payload = dump(string(&value).as_value());
        assert_eq!(restore(&payload, true), Ok(string(&value)));
        assert_eq!(restore(&payload[..payload.len() - 1], true), Err(RestoreError::VersionOrChecksum));
    }
}

#[test]
fn compression_is_reversible() {
    let mut rng = SmallRng::seed_from_u64(3);
    for _ in 0..300 {
        let alphabet = rng.random_range(1..40);
        let input: Vec<u8> = (0..rng.random_range(0..20_000)).map(|_| rng.random_range(0..alphabet)).collect();
        if let Some(compressed) = lzf::compress(&input, input.len()) {
            assert!(compressed.len() < input.len());
            assert_eq!(lzf::decompress(&compressed, input.len()), Some(input));
        }
    }
}

#[test]
fn mutated_payloads_are_refused_and_nothing_is_allocated_for_them() {
    let mut rng = SmallRng::seed_from_u64(4);
    let seeds = [dump(string(b"12345").as_value()), dump(string(&b"abc".repeat(100)).as_value())];
    for round in 0..20_000 {
        let mut payload = seeds[round % 2].clone();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..payload.len());
            match rng.random_range(0..3) {
                0 => payload[at] = rng.random(),
                1 => drop(payload.drain(at..)),
                _ => payload.insert(at, rng.random()),
            }
            if payload.is_empty() {
                break;
            }
        }
        // Without the checksum the decoder itself must cope.
        let _ = restore(&payload, false);
    }
    // A claim of 2^63 bytes.
    let mut huge = vec![0, 0x81];
    huge.extend((1u64 << 63).to_be_bytes());
    huge.extend([10, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(restore(&huge, false), Err(RestoreError::BadFormat));
}
