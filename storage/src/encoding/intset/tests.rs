//! Intsets against a `BTreeSet`, and against bytes that Redis wrote.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

fn build(numbers: &[i64]) -> Vec<u8> {
    let mut bytes = create();
    for &number in numbers {
        insert(&mut bytes, number);
    }
    bytes
}

/// The bytes are those of the intset in the DUMP of a set that redis-server 7.0.15 made of the same members.
#[test]
fn bytes_are_those_of_redis() {
    assert_eq!(build(&[3, -1]), [2, 0, 0, 0, 2, 0, 0, 0, 0xff, 0xff, 3, 0]);
    assert_eq!(build(&[3, -1, 32_768]), [4, 0, 0, 0, 3, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 3, 0, 0, 0, 0, 0x80, 0, 0]);
    let mut expected = vec![8, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80];
    expected.extend_from_slice(&[0xff; 7]);
    expected.push(0x7f);
    assert_eq!(build(&[i64::MAX, i64::MIN]), expected);
}

#[test]
fn the_width_is_that_of_the_widest() {
    for (number, width) in [
        (i64::from(i16::MIN), 2),
        (i64::from(i16::MAX), 2),
        (i64::from(i16::MIN) - 1, 4),
        (i64::from(i16::MAX) + 1, 4),
        (i64::from(i32::MIN), 4),
        (i64::from(i32::MAX), 4),
        (i64::from(i32::MIN) - 1, 8),
        (i64::from(i32::MAX) + 1, 8),
    ] {
        let mut bytes = build(&[5, number, -5]);
        assert_eq!(usize::from(bytes[0]), width, "width of {number}");
        assert!(remove(&mut bytes, number) && !remove(&mut bytes, number));
        assert_eq!(usize::from(bytes[0]), width, "the width stays");
        assert_eq!(Intset::new(&bytes).iter().collect::<Vec<_>>(), [-5, 5]);
    }
}

#[test]
fn every_edit_does_what_it_does_to_a_set() {
    for seed in 0..40 {
        let mut rng = StdRng::seed_from_u64(seed);
        let (mut bytes, mut model) = (create(), BTreeSet::new());
        let shift_min = [0, 32, 48, 56][seed as usize % 4];
        for _ in 0..500 {
            let number = rng.random::<i64>() >> rng.random_range(shift_min..64);
            if rng.random_bool(0.6) {
                assert_eq!(insert(&mut bytes, number), model.insert(number));
            } else {
                assert_eq!(remove(&mut bytes, number), model.remove(&number));
            }
            let set = validate(&bytes).unwrap();
            assert_eq!(set.len(), model.len());
            assert!(set.iter().eq(model.iter().copied()));
            let probe = rng.random::<i64>() >> rng.random_range(shift_min..64);
            assert_eq!(set.contains(probe), model.contains(&probe));
        }
    }
}

#[test]
fn mutated_bytes_are_refused_or_safe() {
    let mut rng = StdRng::seed_from_u64(3);
    let mut passed = 0;
    for _ in 0..20_000 {
        let shift = rng.random_range(0..60);
        let mut bytes = build(&(0..rng.random_range(0..6)).map(|_| rng.random::<i64>() >> shift).collect::<Vec<_>>());
        let index = rng.random_range(0..bytes.len());
        match rng.random_range(0..3) {
            0 => bytes[index] = rng.random(),
            1 => bytes.truncate(index),
            _ => bytes.insert(index, rng.random()),
        }
        let Ok(set) = validate(&bytes) else { continue };
        passed += 1;
        assert!(set.iter().all(|number| set.contains(number)));
        let numbers: Vec<i64> = set.iter().collect();
        assert!(numbers.iter().all(|&number| remove(&mut bytes, number)));
        assert_eq!(Intset::new(&bytes).len(), 0);
    }
    assert!(passed > 1_000, "{passed} mutations were harmless");
}
