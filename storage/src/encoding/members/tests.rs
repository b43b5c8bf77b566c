//! Tables against a map of the standard library, and what is promised of draws, cursors and memory.

use std::collections::{HashMap, HashSet};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

type Model = HashMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

/// What is done to a table and to its model.
#[derive(Clone, Debug)]
enum Op {
    Set(Vec<u8>, Vec<u8>),
    SetExpire(Vec<u8>, Option<i64>),
    Remove(Vec<u8>),
    RemoveRandom,
    Expire(i64),
}

fn random_bytes(rng: &mut StdRng, len_max: usize) -> Vec<u8> {
    match rng.random_range(0..20) {
        0..4 => (rng.random::<i64>() >> rng.random_range(0..64)).to_string().into_bytes(),
        4 if len_max > 100 => vec![rng.random(); rng.random_range(245..270)],
        5 if len_max > 100 => vec![rng.random(); rng.random_range(0..3_000)],
        _ => {
            let len = rng.random_range(0..=len_max);
            rng.random_iter().take(len).collect()
        }
    }
}

fn random_op(rng: &mut StdRng, fields: u32, growing: bool, len_max: usize) -> Op {
    let number = rng.random_range(0..fields);
    let field = match number % 8 {
        0 => number.to_string().into_bytes(),
        1 if len_max > 100 => format!("{number}:{}", "f".repeat(245 + number as usize % 16)).into_bytes(),
        _ => format!("field:{number}").into_bytes(),
    };
    let expire_at = rng.random_range(0..100_000);
    match rng.random_range(0..20) {
        0..2 => Op::SetExpire(field, rng.random_bool(0.7).then_some(expire_at)),
        2 => Op::RemoveRandom,
        3 if rng.random_bool(0.02) => Op::Expire(expire_at / 4),
        4..10 if !growing => Op::Remove(field),
        10..16 if !growing => Op::RemoveRandom,
        4..6 => Op::Remove(field),
        _ => Op::Set(field, random_bytes(rng, len_max)),
    }
}

fn apply(op: &Op, table: &mut FieldTable, model: &mut Model, rng: &mut StdRng) {
    match op {
        Op::Set(field, value) => {
            let expected = if model.contains_key(field) { Outcome::Replaced } else { Outcome::Added };
            assert_eq!(table.set(field, value), expected);
            model.entry(field.clone()).or_default().0.clone_from(value);
        }
        Op::SetExpire(field, expire_at) => {
            let place = table.find(field);
            assert_eq!(place.is_some(), model.contains_key(field));
            if let Some(place) = place {
                table.set_expire(place, *expire_at);
                model.get_mut(field).unwrap().1 = *expire_at;
            }
        }
        Op::Remove(field) => assert_eq!(table.remove(field), model.remove(field).is_some()),
        Op::RemoveRandom => {
            let place = table.random(rng);
            assert_eq!(place.is_some(), !model.is_empty());
            if let Some(place) = place {
                let record = table.record(place);
                let (value, expire_at) = model.remove(&record.field.to_vec()).unwrap();
                assert!(record.value.eq_bytes(&value) && record.expire_at == expire_at);
                table.remove_at(place);
            }
        }
        Op::Expire(now) => {
            let budget = rng.random_range(1..500);
            loop {
                let mut removed = 0;
                let sweep = table.expire(*now, budget, |record| {
                    let (value, expire_at) = model.remove(&record.field.to_vec()).unwrap();
                    assert!(record.value.eq_bytes(&value) && expire_at.unwrap() < *now);
                    removed += 1;
                });
                assert_eq!(sweep.removed, removed);
                if sweep.complete {
                    break;
                }
            }
            assert!(model.values().all(|(_, expire_at)| expire_at.is_none_or(|at| at >= *now)));
            assert!(table.earliest().is_none_or(|at| at >= *now));
        }
    }
}

fn check(table: &FieldTable, model: &Model) {
    table.check_invariants();
    assert_eq!(table.len(), model.len());
    assert_eq!(table.volatile(), model.values().filter(|(_, expire_at)| expire_at.is_some()).count());
    let mut seen = HashSet::new();
    for record in table.iter() {
        let (value, expire_at) = &model[&record.field.to_vec()];
        assert!(record.value.eq_bytes(value) && record.expire_at == *expire_at);
        assert!(seen.insert(record.field.to_vec()));
    }
    assert_eq!(seen.len(), model.len());
}

#[test]
fn every_edit_does_what_it_does_to_a_map() {
    for seed in 0..12 {
        let mut rng = StdRng::seed_from_u64(seed);
        let (mut table, mut model) = (FieldTable::default(), Model::new());
        let (fields, len_max) = ([40, 400, 4_000][seed as usize % 3], if seed % 2 == 0 { 30 } else { 300 });
        for step in 0..12_000 {
            let op = random_op(&mut rng, fields, step / 4_000 % 2 == 0, len_max);
            apply(&op, &mut table, &mut model, &mut rng);
            assert_eq!(table.len(), model.len());
            if step % 100 == 0 || (seed < 3 && step < 400) {
                check(&table, &model);
            }
        }
        check(&table, &model);
        let mut left = usize::MAX;
        while left > 0 {
            let now_left = table.free_some(100);
            assert!(now_left < left);
            left = now_left;
        }
        table.check_invariants();
    }
}

fn set_of(count: u32) -> MemberTable {
    let mut table = MemberTable::default();
    for number in 0..count {
        assert!(table.insert(format!("member:{number:09}").as_bytes()));
    }
    table
}

#[test]
fn a_member_is_there_once() {
    let mut table = set_of(5_000);
    assert!((0..5_000).all(|number| !table.insert(format!("member:{number:09}").as_bytes())));
    assert!(table.insert(b"17") && !table.insert(b"17") && table.insert(b"017"));
    assert!(table.find_item(Item::Int(17)).is_some() && table.find_item(Item::Bytes(b"17")).is_some());
    assert!(table.find(b"18").is_none());
    table.check_invariants();
}

/// Pearson's test: with k members and many draws the sum is about k, with a deviation of sqrt(2k).
fn assert_uniform(counts: &[u32], draws: u32) {
    let expected = f64::from(draws) / counts.len() as f64;
    let sum: f64 = counts.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
    let freedom = counts.len() as f64 - 1.0;
    assert!(sum < freedom + 5.0 * (2.0 * freedom).sqrt(), "chi-square {sum} with {freedom} degrees of freedom");
}

#[test]
fn random_members_are_uniform() {
    for count in [7, 150, 300, 1_000] {
        let mut table = set_of(count);
        for number in 0..count * 2 / 3 {
            if number % 3 == 0 {
                assert!(table.remove(format!("member:{number:09}").as_bytes()));
            }
        }
        let mut rng = StdRng::seed_from_u64(u64::from(count));
        let index: HashMap<Vec<u8>, usize> =
            table.iter().enumerate().map(|(index, record)| (record.field.to_vec(), index)).collect();
        let mut counts = vec![0; index.len()];
        let draws = 200 * count;
        for _ in 0..draws {
            let place = table.random(&mut rng).unwrap();
            counts[index[&table.record(place).field.to_vec()]] += 1;
        }
        assert_uniform(&counts, draws);
    }
}

/// Members that are there during the whole scan are visited, whatever comes and goes meanwhile.
#[test]
fn a_scan_misses_nothing_that_stays() {
    for seed in 0..6 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut table = set_of(3_000);
        let mut missing: HashSet<Vec<u8>> = (0..500).map(|number| format!("member:{number:09}").into_bytes()).collect();
        let (mut cursor, mut next_member, mut steps) = (0, 3_000, 0);
        loop {
            cursor = table.scan_step(cursor, |record| {
                missing.remove(&record.field.to_vec());
            });
            steps += 1;
            if cursor == 0 {
                break;
            }
            for _ in 0..rng.random_range(0..60) {
                if seed % 2 == 0 {
                    table.insert(format!("member:{next_member:09}").as_bytes());
                    next_member += 1;
                } else {
                    table.remove(format!("member:{:09}", rng.random_range(500..3_000)).as_bytes());
                }
            }
        }
        assert!(missing.is_empty(), "{} of the members that stayed", missing.len());
        assert!(steps > 100, "{steps} steps");
    }
}

#[test]
fn a_scan_of_a_quiet_table_visits_each_member_once() {
    let table = set_of(10_000);
    let (mut cursor, mut seen, mut largest) = (0, HashSet::new(), 0);
    loop {
        let mut visited = 0;
        cursor = table.scan_step(cursor, |record| {
            assert!(seen.insert(record.field.to_vec()));
            visited += 1;
        });
        largest = largest.max(visited);
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(seen.len(), 10_000);
    assert!(largest < 64, "{largest} members in one step");
    assert_eq!(table.scan_step(u64::MAX, |_| panic!("no position")), 0);
}

/// Members whose hashes agree in all bits that lead to segments cannot be told apart: their segment grows, and goes on
/// to wide offsets; nothing else suffers.
#[test]
fn a_segment_grows_beyond_narrow_offsets() {
    let mut segment = Segment::<true>::default();
    let hash = 0x0123_4567_89ab_cdef;
    let value = vec![b'v'; 250];
    for number in 0..400 {
        let text = format!("field:{number}");
        let key = Key { encoded: Encoded::new(text.as_bytes()), hash };
        segment.insert(&key, hash, Some(Encoded::new(&value)));
    }
    assert!(segment.slots().is_wide() && segment.len() == 400);
    segment.check_bytes();
    for number in (0..400).rev() {
        let text = format!("field:{number}");
        let key = Key { encoded: Encoded::new(text.as_bytes()), hash };
        let slot = segment.find(&key, hash).unwrap();
        assert!(segment.record(slot).value.eq_bytes(&value));
        if number % 10 != 0 {
            segment.remove(slot);
        }
    }
    assert_eq!(segment.len(), 40);
    assert!(segment.heap_bytes() < 40 * 300 * 2, "{} bytes", segment.heap_bytes());
    segment.check_bytes();
}

#[test]
fn small_tables_are_compact_too() {
    for (count, bytes_max) in [(129, 27.0), (200, 27.0), (513, 26.0), (1_000, 26.0), (20_000, 25.0)] {
        let table = set_of(count);
        let bytes = (table.heap_bytes() + size_of::<MemberTable>()) as f64 / f64::from(count);
        assert!(bytes < bytes_max, "{count} members of 16 bytes take {bytes} bytes each");
    }
}

/// Values that change their length leave holes; memory must not grow for ever.
#[test]
fn replaced_values_do_not_pile_up() {
    let mut rng = StdRng::seed_from_u64(5);
    let mut table = FieldTable::default();
    for number in 0..2_000 {
        table.set(format!("field:{number}").as_bytes(), &[b'v'; 20]);
    }
    let before = table.heap_bytes();
    for _ in 0..50_000 {
        let field = format!("field:{}", rng.random_range(0..2_000));
        table.set(field.as_bytes(), &vec![b'w'; rng.random_range(10..30)]);
    }
    table.check_invariants();
    assert!(table.heap_bytes() < before * 5 / 4, "{} bytes, before {before}", table.heap_bytes());
}

#[test]
fn a_table_with_room_is_as_any_other() {
    for (reserved, members) in
        [(0, 10), (1, 1_000), (239, 240), (240, 240), (1_000, 1_000), (50_000, 50_000), (50_000, 3)]
    {
        let mut table = MemberTable::default();
        table.reserve(reserved);
        table.check_invariants();
        for number in 0..members {
            assert!(table.insert(format!("member {number}").as_bytes()));
        }
        table.check_invariants();
        assert_eq!((table.len(), table.iter().count()), (members, members));
        assert!((0..members).all(|number| table.find(format!("member {number}").as_bytes()).is_some()));
        assert!((0..members).all(|number| table.remove(format!("member {number}").as_bytes())));
        table.check_invariants();
    }
}
