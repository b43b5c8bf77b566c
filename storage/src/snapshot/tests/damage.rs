//! Payloads that are damaged: an error or some other value, never a panic, never much memory.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::super::*;
use super::values::{check_invariants, samples};
use super::{old, seal};
use crate::types::{Limits, OwnedValue};

/// What a large collection takes for itself.
const STRUCTURE_BYTES_MAX: usize = 64 << 10;

/// The payload with its checksum not looked at, as an attacker who knows the algorithm would have it.
fn read(payload: &[u8]) -> Result<OwnedValue, RestoreError> {
    let restored = restore(payload, false, &Limits::default());
    if let Ok(value) = &restored {
        check_invariants(value);
        let max = payload.len() * lzf::EXPANSION_MAX * 4 + STRUCTURE_BYTES_MAX;
        assert!(value.as_value().items() == 0 || value.heap_bytes() <= max);
        // What was believed can be written and read again.
        assert_eq!(restore(&dump(value.as_value()), true, &Limits::default()).as_ref(), Ok(value));
    }
    restored
}

fn damage(payload: &mut Vec<u8>, rng: &mut SmallRng) {
    let at = rng.random_range(0..payload.len());
    match rng.random_range(0..8) {
        0 => payload[at] ^= 1 << rng.random_range(0..8),
        1 => payload[at] = [0, 1, 0x40, 0x7f, 0x80, 0x81, 0xc3, 0xfe, 0xff][rng.random_range(0..9)],
        2 => {
            payload.remove(at);
        }
        3 => payload.insert(at, rng.random()),
        4 => {
            let end = (at + rng.random_range(1..16)).min(payload.len());
            payload.copy_within(at..end, 0);
        }
        5 => {
            let end = (at + 8).min(payload.len());
            payload[at..end].fill(0xff);
        }
        6 => payload[0] = rng.random_range(0..27),
        _ => payload[at] = payload[at].wrapping_add(1),
    }
}

#[test]
fn damaged_payloads_of_all_types_are_no_danger() {
    let mut rng = SmallRng::seed_from_u64(6);
    let mut payloads: Vec<Vec<u8>> = old::samples().iter().map(|body| seal(body, 6)).collect();
    for _ in 0..3 {
        payloads.extend(samples(&mut rng, &Limits::default()).iter().map(|value| dump(value.as_value())));
    }
    let mut writer = Writer::new(false);
    for value in samples(&mut rng, &Limits::default()) {
        writer.put(&[Writer::type_byte(value.as_value())]);
        writer.put_value(value.as_value());
        payloads.push(seal(&writer.take(), 12));
    }
    let (mut refused, mut taken) = (0, 0);
    for payload in &payloads {
        assert!(read(payload).is_ok());
        let rounds = if payload.len() < 2_000 { 3_000 } else { 150 };
        for _ in 0..rounds {
            let mut damaged = payload.clone();
            for _ in 0..rng.random_range(1..4) {
                damage(&mut damaged, &mut rng);
            }
            *(if read(&damaged).is_ok() { &mut taken } else { &mut refused }) += 1;
        }
        for len in (0..payload.len() - 10).step_by(payload.len() / 500 + 1) {
            assert!(read(&seal(&payload[..len], 12)).is_err(), "{len} of {} bytes", payload.len());
        }
    }
    assert!(taken > 1_000 && refused > taken, "{taken} taken, {refused} refused");
}

#[test]
fn claimed_lengths_reserve_nothing() {
    let huge = [0x81, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff];
    for type_byte in 0..30_u8 {
        for prefix in [&[][..], &[0; 8], &[1], &[0xc3, 1]] {
            let body = [&[type_byte][..], prefix, &huge, &huge].concat();
            // A few of these begin with a short string or an empty stream, and what is behind that is ignored.
            let heap_bytes = read(&seal(&body, 12)).map_or(0, |value| value.heap_bytes());
            assert!(heap_bytes < 1_000, "type {type_byte}");
        }
    }
}
