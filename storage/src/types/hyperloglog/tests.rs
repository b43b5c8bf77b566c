//! What Redis has after the same additions, recorded from Redis 7.0; and damaged strings.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;

/// `hll-sparse-max-bytes` as it is by default.
const SPARSE_BYTES_MAX: usize = 3_000;

fn with_elements(numbers: std::ops::Range<usize>) -> Vec<u8> {
    let mut bytes = create();
    for number in numbers {
        add(&mut bytes, format!("e{number}").as_bytes(), SPARSE_BYTES_MAX).expect("it is well-formed");
    }
    bytes
}

/// A digest of a long string, to be compared with that of what Redis has.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("it is hex")).collect()
}

#[test]
fn bytes_are_those_of_redis() {
    let mut bytes = create();
    forget_cardinality(&mut bytes);
    assert_eq!(bytes, hex("48594c4c0100000000000000000000807fff"));
    for element in ["a", "b", "c"] {
        assert_eq!(add(&mut bytes, element.as_bytes(), SPARSE_BYTES_MAX), Ok(true));
    }
    assert_eq!(add(&mut bytes, b"b", SPARSE_BYTES_MAX), Ok(false));
    assert_eq!(bytes, hex("48594c4c01000000000000000000008060f38050b1844bfb80425a"));
    assert_eq!(cached_cardinality(&bytes), Ok(None));
    let counted = cardinality(&bytes).expect("it is well-formed");
    cache_cardinality(&mut bytes, counted).expect("it is well-formed");
    assert_eq!(bytes, hex("48594c4c01000000030000000000000060f38050b1844bfb80425a"));
    assert_eq!(cached_cardinality(&bytes), Ok(Some(3)));
}

#[test]
fn larger_ones_are_those_of_redis() {
    for (elements, len, digest, counted) in [
        (10, 48, 0x4afc_b65d_27f7_d346, 10),
        (100, 285, 0xb8de_76da_b4a4_065e, 100),
        (1_000, 1_906, 0x5935_de02_3280_6824, 1_008),
        (2_000, DENSE_BYTES, 0x1b55_76fa_1f6b_8092, 2_000),
        (5_000, DENSE_BYTES, 0x8052_4675_3a1c_dada, 4_968),
        (100_000, DENSE_BYTES, 0xafbf_1713_dc5b_a3c8, 100_853),
    ] {
        let bytes = with_elements(0..elements);
        assert_eq!((bytes.len(), fnv1a(&bytes)), (len, digest), "{elements} elements");
        assert_eq!(cardinality(&bytes), Ok(counted));
    }
}

#[test]
fn unions_are_those_of_redis() {
    let (one, other) = (with_elements(0..200), with_elements(100..400));
    let mut union = Union::new();
    union.include(&one).expect("it is well-formed");
    union.include(&other).expect("it is well-formed");
    assert_eq!(union.cardinality(), 403);
    let mut merged = create();
    union.write_to(&mut merged, SPARSE_BYTES_MAX).expect("it is well-formed");
    assert_eq!((merged.len(), fnv1a(&merged)), (893, 0x2452_8a39_1d74_5cab));
    assert_eq!((cached_cardinality(&merged), cardinality(&merged)), (Ok(None), Ok(403)));

    // One dense source makes the destination dense, and the registers are the same.
    let mut dense = one.clone();
    to_dense(&mut dense).expect("it is well-formed");
    let mut with_dense = Union::new();
    with_dense.include(&dense).expect("it is well-formed");
    with_dense.include(&other).expect("it is well-formed");
    assert_eq!(with_dense.registers(), union.registers());
    let mut merged_dense = create();
    with_dense.write_to(&mut merged_dense, SPARSE_BYTES_MAX).expect("it is well-formed");
    assert_eq!(encoding(&merged_dense), Ok(Encoding::Dense));
    to_dense(&mut merged).expect("it is well-formed");
    assert_eq!(merged, merged_dense);
}

/// Sparse and dense ones against registers in an array.
#[test]
fn registers_agree_with_a_model() {
    for seed in 0..20 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut model = [0_u8; REGISTERS];
        let mut bytes = create();
        let spread = [40, 500, REGISTERS][seed as usize % 3];
        for _ in 0..3_000 {
            let (index, value) =
                (rng.random_range(0..spread), rng.random_range(1..=32_u8).min(rng.random_range(1..=32)));
            let kind = encoding(&bytes).expect("it is well-formed");
            let raised = raise(&mut bytes, kind, index, value, SPARSE_BYTES_MAX);
            assert_eq!(raised, Ok(model[index] < value));
            model[index] = model[index].max(value);
        }
        let mut union = Union::new();
        union.include(&bytes).expect("it is well-formed");
        assert_eq!(union.registers(), &model);
        assert_eq!(cardinality(&bytes), Ok(union.cardinality()));
        if let Some(runs) = runs(&bytes).expect("it is well-formed") {
            assert_eq!(runs.map(|run| run.len).sum::<usize>(), REGISTERS);
            assert!(bytes.len() <= SPARSE_BYTES_MAX);
        }
        let before = bytes.clone();
        to_dense(&mut bytes).expect("it is well-formed");
        assert_eq!(bytes[CARDINALITY_AT..HEADER_BYTES], before[CARDINALITY_AT..HEADER_BYTES]);
        assert!(dense::registers(&bytes[HEADER_BYTES..]).eq(model));
    }
}

#[test]
fn a_value_above_32_needs_the_dense_form() {
    let mut bytes = create();
    assert_eq!(raise(&mut bytes, Encoding::Sparse, 7, 33, SPARSE_BYTES_MAX), Ok(true));
    assert_eq!(encoding(&bytes), Ok(Encoding::Dense));
    assert_eq!(raise(&mut bytes, Encoding::Dense, REGISTERS - 1, 51, SPARSE_BYTES_MAX), Ok(true));
    assert_eq!(raise(&mut bytes, Encoding::Dense, REGISTERS - 1, 51, SPARSE_BYTES_MAX), Ok(false));
    let values: Vec<u8> = dense::registers(&bytes[HEADER_BYTES..]).collect();
    assert_eq!((values[7], values[REGISTERS - 1], values.iter().filter(|value| **value > 0).count()), (33, 51, 2));
}

#[test]
fn what_has_a_wrong_header_is_none() {
    let good = with_elements(0..5);
    let mut wrong_magic = good.clone();
    wrong_magic[0] = b'h';
    let mut wrong_encoding = good.clone();
    wrong_encoding[ENCODING_AT] = 2;
    let mut short_dense = good.clone();
    short_dense[ENCODING_AT] = 0;
    for bytes in [b"".to_vec(), b"HYLL".to_vec(), good[..15].to_vec(), wrong_magic, wrong_encoding, short_dense] {
        assert_eq!(encoding(&bytes), Err(Error::NotHyperLogLog));
        assert_eq!(cardinality(&bytes), Err(Error::NotHyperLogLog));
        assert_eq!(add(&mut bytes.clone(), b"x", SPARSE_BYTES_MAX), Err(Error::NotHyperLogLog));
    }
    let too_few = good[..good.len() - 1].to_vec();
    assert_eq!(cardinality(&too_few), Err(Error::Corrupted));
    assert_eq!(to_dense(&mut too_few.clone()), Err(Error::Corrupted));
    assert_eq!(Union::new().include(&[&good[..], &[0]].concat()), Err(Error::Corrupted));
}

/// Whatever the bytes are: a result or an error, no panic, and no more bytes than a dense one has.
#[test]
fn damaged_ones_do_no_harm() {
    let mut rng = SmallRng::seed_from_u64(1);
    let originals = [with_elements(0..3), with_elements(0..900), with_elements(0..4_000)];
    let mut outcomes = [0, 0];
    for round in 0..30_000 {
        let mut bytes = originals[round % originals.len()].clone();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(HEADER_BYTES..bytes.len());
            match rng.random_range(0..8) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, rng.random()),
                2 => drop(bytes.remove(at)),
                _ => bytes[at] = rng.random(),
            }
            if bytes.len() <= HEADER_BYTES {
                break;
            }
        }
        let counted = cardinality(&bytes);
        assert_eq!(counted.is_ok(), Union::new().include(&bytes).is_ok());
        outcomes[usize::from(counted.is_ok())] += 1;
        let len = bytes.len();
        let element: [u8; 4] = rng.random();
        let added = add(&mut bytes, &element, SPARSE_BYTES_MAX);
        assert!(bytes.len() <= (len + 3).max(DENSE_BYTES));
        if counted.is_ok() {
            assert!(added.is_ok() && cardinality(&bytes).is_ok());
        }
    }
    assert!(outcomes[0] > 1_000 && outcomes[1] > 1_000, "{outcomes:?}");
}
