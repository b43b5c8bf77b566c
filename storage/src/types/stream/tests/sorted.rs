//! The sorted sequence against a map of the standard library.

use std::collections::BTreeMap;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::types::stream::sorted::{CHUNK_RECORDS_MAX, Position, Record, Sorted};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Item {
    key: u32,
    level: i64,
}

impl Record for Item {
    type Key = u32;

    fn key(&self) -> u32 {
        self.key
    }

    fn level(&self) -> i64 {
        self.level
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Insert(u32, i64),
    Append(u32, i64),
    Remove(u32),
    RemoveFirst,
    Edit(u32, i64),
    Retain(u32),
    Look(u32),
    Free(usize),
}

fn random_op(rng: &mut SmallRng, keys: u32, shrinking: bool) -> Op {
    let (key, level) = (rng.random_range(0..keys), rng.random_range(0..1_000));
    match rng.random_range(0..1_000) {
        0..300 if !shrinking => Op::Insert(key, level),
        0..600 if !shrinking => Op::Append(rng.random_range(1..4), level),
        0..600 => Op::Remove(key),
        600..700 => Op::RemoveFirst,
        700..800 => Op::Edit(key, level),
        800 => Op::Retain(rng.random_range(2..5)),
        801 => Op::Free(rng.random_range(0..600)),
        _ => Op::Look(key),
    }
}

fn apply(op: Op, sorted: &mut Sorted<Item>, model: &mut BTreeMap<u32, i64>) {
    match op {
        Op::Insert(key, level) => {
            assert_eq!(sorted.insert(Item { key, level }), !model.contains_key(&key));
            model.entry(key).or_insert(level);
        }
        Op::Append(step, level) => {
            let key = model.last_key_value().map_or(0, |(key, _)| key + step);
            sorted.push(Item { key, level });
            model.insert(key, level);
        }
        Op::Remove(key) => assert_eq!(sorted.remove_key(key).map(|item| item.level), model.remove(&key)),
        Op::RemoveFirst => {
            let removed = sorted.at(Position::START).is_some().then(|| sorted.remove(Position::START));
            assert_eq!(removed.map(|item| (item.key, item.level)), model.pop_first());
        }
        Op::Edit(key, level) => {
            let found = sorted.find(key).map(|position| sorted.edit(position, |item| item.level = level));
            let expected = model.get_mut(&key).map(|old| *old = level);
            assert_eq!(found, expected);
        }
        Op::Retain(divisor) => {
            let before = model.len();
            model.retain(|key, _| key % divisor != 0);
            assert_eq!(sorted.retain(|item| item.key % divisor != 0), before - model.len());
        }
        Op::Look(key) => look(key, sorted, model),
        Op::Free(count) => {
            let expected = count.min(model.len());
            for _ in 0..expected {
                model.pop_first();
            }
            assert_eq!(sorted.free_some(count), expected);
        }
    }
}

fn look(key: u32, sorted: &Sorted<Item>, model: &BTreeMap<u32, i64>) {
    let keys = |found: Option<&Item>| found.map(|item| item.key);
    assert_eq!(sorted.get(key).map(|item| item.level), model.get(&key).copied());
    let at = sorted.lower_bound(key);
    let behind: Vec<_> = model.range(key..).map(|(key, _)| *key).take(400).collect();
    assert_eq!(sorted.iter_from(at).map(|item| item.key).take(400).collect::<Vec<_>>(), behind);
    assert_eq!(keys(sorted.at(sorted.next(at))), behind.get(1).copied());
    let before = model.range(..key).next_back().map(|(key, _)| *key);
    assert_eq!(keys(sorted.previous(at).and_then(|position| sorted.at(position))), before);
    let floor = model.range(..=key).next_back().map(|(key, _)| *key);
    assert_eq!(keys(sorted.floor(key).and_then(|position| sorted.at(position))), floor);
    assert_eq!(keys(sorted.last()), model.last_key_value().map(|(key, _)| *key));
    assert_eq!(keys(sorted.first()), model.first_key_value().map(|(key, _)| *key));
}

#[test]
fn agrees_with_a_map() {
    for seed in 0..12 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let (mut sorted, mut model) = (Sorted::new(), BTreeMap::new());
        let keys = [50, 5_000][seed as usize % 2];
        for step in 0..20_000 {
            let op = random_op(&mut rng, keys, step / 4_000 % 2 == 1);
            apply(op, &mut sorted, &mut model);
            if step % 50 == 0 {
                sorted.check_invariants();
                assert!(
                    sorted
                        .iter()
                        .map(|item| (item.key, item.level))
                        .eq(model.iter().map(|(key, level)| (*key, *level)))
                );
                let lows: Vec<_> = sorted.lows().collect();
                for (low, chunk) in lows {
                    assert!(sorted.chunk_by_level(chunk).all(|item| item.level >= low));
                }
            }
        }
    }
}

#[test]
fn appended_chunks_are_full_and_emptied_ones_give_memory_back() {
    let mut sorted = Sorted::new();
    for key in 0..100 * CHUNK_RECORDS_MAX as u32 {
        sorted.push(Item { key, level: 0 });
    }
    assert_eq!(sorted.lows().count(), 100);
    assert!(sorted.heap_bytes() < sorted.len() * (size_of::<Item>() + 1));
    sorted.retain(|item| item.key % 64 == 0);
    assert_eq!(sorted.len(), 400);
    assert!(sorted.lows().count() < 10);
    assert!(sorted.heap_bytes() < 20_000, "{}", sorted.heap_bytes());
    sorted.retain(|_| false);
    assert_eq!(sorted.heap_bytes(), 0);
}
