//! Sorted sets against a sorted vector, and against bytes that Redis wrote.

use std::collections::BTreeMap;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::encoding::listpack;

const LIMITS: ZSetLimits = ZSetLimits { packed_entries_max: 128, packed_member_bytes_max: 64 };

/// What Redis 7.0 stores for the records of [`redis_records`].
const REDIS_BYTES: &str = "a60000001a00826e6903842d696e6605836d353204f4000000000000f0ff09817a0200018474696e790596322e393939\
    39393939393939393939393939652d30371781700293302e31303030303030303030303030303030311481610283312e3504816302030\
    1f1393003110105011101846535326d05f4ffffffffffff0f00098365353204f400000000000010000983626967048531652b323006827069\
    0383696e6604ff";

fn redis_records() -> [(&'static str, f64); 13] {
    [
        ("c", 3.0),
        ("a", 1.5),
        ("z", -0.0),
        ("p", 0.1),
        ("big", 1e20),
        ("ni", f64::NEG_INFINITY),
        ("pi", f64::INFINITY),
        ("e52", 4_503_599_627_370_496.0),
        ("e52m", 4_503_599_627_370_495.0),
        ("m52", -4_503_599_627_370_496.0),
        ("12345", 17.0),
        ("tiny", 3e-7),
        ("5", 17.0),
    ]
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

#[test]
fn packed_bytes_are_those_of_redis() {
    let expected = from_hex(REDIS_BYTES);
    let mut set = ZSet::default();
    for (member, score) in redis_records() {
        set.insert(member.as_bytes(), 99.0, &LIMITS);
        assert_eq!(set.update(member.as_bytes(), score), Some(99.0));
    }
    assert_eq!(set.as_ref().score(b"z").map(f64::is_sign_negative), Some(false), "a packed zero has no sign");
    let records: Vec<_> = set.as_ref().iter().map(|record| (record.member.to_vec(), record.score)).collect();
    for set in [&set, &ZSet::from_sorted(records, &LIMITS), &ZSet::from_listpack(expected.clone(), &LIMITS).unwrap()] {
        let ZSet::Packed(bytes) = set else { panic!("thirteen members are packed") };
        assert_eq!(bytes, &expected);
    }
}

#[test]
fn a_limit_broken_makes_a_set_large_for_good() {
    let limits = ZSetLimits { packed_entries_max: 4, packed_member_bytes_max: 8 };
    let mut set = ZSet::default();
    for number in 0..4 {
        set.insert(format!("{number}").as_bytes(), f64::from(number), &limits);
    }
    assert_eq!(set.update(b"0", 9.0), Some(0.0));
    assert_eq!(set.as_ref().encoding().name(), "listpack");
    set.insert(b"4", -0.0, &limits);
    assert_eq!(set.as_ref().encoding().name(), "skiplist");
    assert_eq!(set.as_ref().score(b"4").map(f64::is_sign_negative), Some(true), "a large set keeps the sign of zero");
    set.remove_ranks(0..4, |_| ());
    assert_eq!((set.as_ref().len(), set.as_ref().encoding()), (1, ZSetEncoding::Skiplist));

    let mut set = ZSet::default();
    set.insert(b"12345678", 1.0, &limits);
    assert_eq!(set.as_ref().encoding(), ZSetEncoding::Listpack);
    set.insert(b"123456789", 1.0, &limits);
    assert_eq!(set.as_ref().encoding(), ZSetEncoding::Skiplist);

    let mut set = ZSet::default();
    set.insert(b"a", 1.0, &ZSetLimits { packed_entries_max: 0, ..limits });
    assert_eq!(set.as_ref().encoding(), ZSetEncoding::Skiplist);
}

fn bound(score: f64, exclusive: bool) -> ScoreBound {
    ScoreBound { score, exclusive }
}

#[test]
fn ranges_have_the_ends_they_are_given() {
    for limits in [LIMITS, ZSetLimits { packed_entries_max: 0, ..LIMITS }] {
        let scores = [f64::NEG_INFINITY, -1.0, 0.0, 0.0, 2.5, f64::INFINITY];
        let set = ZSet::from_sorted(scores.iter().zip(["a", "b", "c", "d", "e", "f"]).map(|(&s, m)| (m, s)), &limits);
        let ranks = |min, max| set.as_ref().score_ranks(ScoreRange { min, max });
        let infinity = f64::INFINITY;
        assert_eq!(ranks(bound(-infinity, false), bound(infinity, false)), 0..6);
        assert_eq!(ranks(bound(-infinity, true), bound(infinity, true)), 1..5);
        assert_eq!(ranks(bound(-0.0, false), bound(0.0, false)), 2..4);
        assert_eq!(ranks(bound(-1.0, true), bound(2.5, true)), 2..4);
        assert!(ranks(bound(0.0, true), bound(0.0, false)).is_empty());
        assert!(ranks(bound(3.0, false), bound(-3.0, false)).is_empty());

        let set = ZSet::from_sorted(["", "10", "2", "a", "ab", "b"].map(|member| (member, 0.0)), &limits);
        let ranks = |min, max| set.as_ref().member_ranks(MemberRange { min, max });
        use MemberBound::{Exclusive, Highest, Inclusive, Lowest};
        assert_eq!(ranks(Lowest, Highest), 0..6);
        assert_eq!(ranks(Inclusive(b"2"), Exclusive(b"ab")), 2..4);
        assert_eq!(ranks(Exclusive(b""), Inclusive(b"a\0")), 1..4);
        assert!(ranks(Highest, Lowest).is_empty());
        assert!(ranks(Inclusive(b"b"), Inclusive(b"a")).is_empty());
        assert_eq!(set.as_ref().rank(b"10"), Some((1, 0.0)));
    }
}

/// A random edit, applied to a set and to its model.
fn edit(set: &mut ZSet, model: &mut BTreeMap<Vec<u8>, f64>, rng: &mut SmallRng, limits: &ZSetLimits) {
    let number = rng.random_range(0..60_i64);
    let member = if number % 3 == 0 { (number - 20).to_string() } else { format!("m{number}") }.into_bytes();
    let score = [0.0, 1.0, -3.0, 0.5, 1e300, f64::INFINITY, 70_000.0][rng.random_range(0..7)];
    match rng.random_range(0..11) {
        0..6 => {
            let old = model.insert(member.clone(), score);
            assert_eq!(set.update(&member, score), old);
            if old.is_none() {
                set.insert(&member, score, limits);
            }
        }
        6..9 => assert_eq!(set.remove(&member), model.remove(&member)),
        9 => {
            let len = set.as_ref().len();
            let start = rng.random_range(0..=len);
            let ranks = start..rng.random_range(start..=len.min(start + 30));
            let gone: Vec<_> = set.as_ref().range(ranks.clone()).map(|record| record.member.to_vec()).collect();
            let is_most = matches!(set, ZSet::Large(_)) && ranks.len() > len / 2;
            let cut_off = set.cut_ranks(ranks);
            assert_eq!(cut_off.map(|set| set.as_ref().len()), is_most.then_some(len));
            model.retain(|member, _| !gone.contains(member));
        }
        _ => {
            let start = rng.random_range(0..=set.as_ref().len());
            let mut gone = Vec::new();
            set.remove_ranks(start..start + 5, |record| gone.push(record.member.to_vec()));
            assert!(gone.len() <= 5);
            model.retain(|member, _| !gone.contains(member));
        }
    }
}

#[test]
fn edits_agree_with_a_sorted_vector_in_both_encodings() {
    for seed in 0..40 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let limits = ZSetLimits { packed_entries_max: [1_000, 30, 5, 0][seed as usize % 4], ..LIMITS };
        let (mut set, mut model) = (ZSet::default(), BTreeMap::new());
        for _ in 0..400 {
            edit(&mut set, &mut model, &mut rng, &limits);
            set.check_invariants();
            let mut sorted: Vec<_> = model.iter().map(|(member, &score)| (score, member.clone())).collect();
            sorted.sort_by(|one, other| one.partial_cmp(other).unwrap());
            let view = set.as_ref();
            let owned = |record: Record<'_>| (record.score, record.member.to_vec());
            assert!(view.iter().map(owned).eq(sorted.iter().cloned()));
            assert!(view.iter().rev().map(owned).eq(sorted.iter().rev().cloned()));
            let start = rng.random_range(0..=sorted.len());
            let skip = rng.random_range(0..4);
            assert_eq!(view.range(start..sorted.len()).nth(skip).map(owned), sorted.get(start + skip).cloned());
            assert_eq!(
                view.range(0..start).rev().nth(skip).map(owned),
                sorted[..start].iter().rev().nth(skip).cloned()
            );
            if let Some((rank, (score, member))) = sorted.iter().enumerate().nth(start) {
                assert_eq!(view.rank(member), Some((rank, *score)));
            }
            let count = rng.random_range(0..10);
            let drawn: Vec<_> = view.random_distinct(&mut rng, count).map(owned).collect();
            assert_eq!(drawn.len(), count.min(sorted.len()));
            assert!(drawn.is_sorted_by(|one, other| one < other) && drawn.iter().all(|record| sorted.contains(record)));
            assert_eq!(view.random(&mut rng).is_some(), !sorted.is_empty());
            let mut seen = Vec::new();
            let mut cursor = 0;
            while {
                cursor = view.scan(cursor, 3, |record| seen.push(owned(record)));
                cursor != 0
            } {}
            seen.sort_by(|one, other| one.partial_cmp(other).unwrap());
            assert_eq!(seen, sorted);
        }
        assert_eq!(set, ZSet::from_sorted(set.as_ref().iter().map(|r| (r.member.to_vec(), r.score)), &LIMITS));
        assert_eq!(set, set.as_ref().to_owned());
        set.make_large();
        set.check_invariants();
    }
}

#[test]
fn random_records_are_equally_likely() {
    let mut rng = SmallRng::seed_from_u64(3);
    for limits in [LIMITS, ZSetLimits { packed_entries_max: 0, ..LIMITS }] {
        let set = ZSet::from_sorted((0..20_u8).map(|number| ([number], 1.0)), &limits);
        let mut drawn = [0_u32; 20];
        for _ in 0..20_000 {
            drawn[set.as_ref().random(&mut rng).map(|record| record.member.to_vec()[0]).unwrap() as usize] += 1;
        }
        assert!(drawn.iter().all(|count| (850..1_150).contains(count)), "{drawn:?}");
    }
}

fn listpack_of(elements: &[&str]) -> Vec<u8> {
    let mut bytes = listpack::create();
    for element in elements {
        listpack::push_back(&mut bytes, element.as_bytes());
    }
    bytes
}

#[test]
fn listpacks_from_outside_are_put_in_order_or_refused() {
    let load = |elements: &[&str]| ZSet::from_listpack(listpack_of(elements), &LIMITS);
    let set = load(&["b", "2", "a", "1", "c", "-inf"]).unwrap();
    set.check_invariants();
    assert!(set.as_ref().iter().map(|record| record.member.to_vec()).eq([b"c", b"a", b"b"].map(|name| name.to_vec())));
    for malformed in [&["a"][..], &["a", "x"], &["a", "nan"], &["a", "1", "a", "2"], &["a", ""], &["a", "1", "b"]] {
        assert!(load(malformed).is_err(), "{malformed:?}");
    }
    let many: Vec<_> = (0..129).map(|number| number.to_string()).collect();
    let elements: Vec<_> = many.iter().flat_map(|number| [number.as_str(); 2]).collect();
    assert_eq!(load(&elements).unwrap().as_ref().encoding(), ZSetEncoding::Skiplist);
    assert_eq!(load(&elements[2..]).unwrap().as_ref().encoding(), ZSetEncoding::Listpack);
}

#[test]
fn mutated_listpacks_do_no_harm() {
    let mut rng = SmallRng::seed_from_u64(11);
    let valid = from_hex(REDIS_BYTES);
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut bytes = valid.clone();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..bytes.len());
            bytes[at] = rng.random();
        }
        if rng.random_bool(0.1) {
            bytes.truncate(rng.random_range(0..bytes.len()));
        }
        match ZSet::from_listpack(bytes, &LIMITS) {
            Ok(set) => {
                set.check_invariants();
                accepted += 1;
            }
            Err(Malformed) => refused += 1,
        }
    }
    assert!(accepted > 1_000 && refused > 1_000, "{accepted} accepted, {refused} refused");
}

#[test]
fn sets_are_freed_to_nothing() {
    for entries in [20, 5_000_u32] {
        let records = (0..entries).map(|number| (number.to_be_bytes(), 1.0));
        let mut set = ZSet::from_sorted(records, &LIMITS);
        assert!(set.heap_bytes() > entries as usize * 6);
        let mut slices = 0;
        while set.free_some(50) > 0 {
            slices += 1;
        }
        assert!((entries as usize / 200..=entries as usize).contains(&slices), "{slices} slices");
    }
}

#[test]
fn the_books_follow_every_edit() {
    let mut rng = SmallRng::seed_from_u64(9);
    let mut set = ZSet::default();
    for number in 0..3_000 {
        set.insert(format!("member:{number}").as_bytes(), rng.random(), &LIMITS);
    }
    let full = set.heap_bytes();
    assert!((3_000 * 25..3_000 * 60).contains(&full), "{full} bytes for 3,000 members");
    set.remove_ranks(10..3_000, |_| ());
    assert!(set.heap_bytes() < full / 10, "{} bytes are left of {full}", set.heap_bytes());
}
