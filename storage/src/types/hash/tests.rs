//! Hashes against a map of the standard library; thresholds, expiries, payloads.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::encoding::listpack;
use crate::keyspace::UnixMillis;

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<UnixMillis>)>;

const LIMITS: HashLimits = HashLimits { listpack_entries_max: 128, listpack_value_bytes_max: 64 };

fn hash_of(fields: impl IntoIterator<Item = impl ToString>) -> Hash {
    let mut hash = Hash::default();
    for field in fields {
        let field = field.to_string();
        hash.set(field.as_bytes(), format!("value of {field}").as_bytes(), FieldExpiry::Clear, &LIMITS);
    }
    hash
}

fn name(hash: &Hash) -> &'static str {
    hash.as_ref().encoding().name()
}

#[test]
fn too_many_fields_make_a_table() {
    let mut hash = hash_of(0..128);
    assert_eq!(name(&hash), "listpack");
    assert!(!hash.set(b"5", b"new", FieldExpiry::Clear, &LIMITS));
    assert_eq!(name(&hash), "listpack");
    assert!(hash.set(b"128", b"", FieldExpiry::Clear, &LIMITS));
    assert_eq!((name(&hash), hash.as_ref().len()), ("hashtable", 129));
    assert!(hash.as_ref().get(b"5").unwrap().eq_bytes(b"new"));
    assert!(hash.remove(b"128") && !hash.remove(b"128"));
    assert_eq!(name(&hash), "hashtable");
}

#[test]
fn a_long_element_makes_a_table() {
    for (field_len, value_len, expected) in
        [(64, 64, "listpack"), (65, 1, "hashtable"), (1, 65, "hashtable"), (5_000, 5_000, "hashtable")]
    {
        let mut hash = hash_of(0..3);
        let (field, value) = (vec![b'f'; field_len], vec![b'v'; value_len]);
        assert!(hash.set(&field, &value, FieldExpiry::Clear, &LIMITS));
        assert_eq!((name(&hash), hash.as_ref().len()), (expected, 4));
        assert!(hash.as_ref().get(&field).unwrap().eq_bytes(&value));
    }
}

#[test]
fn arguments_of_a_command_are_looked_at_before_the_first_is_set() {
    for (lens, expected) in [
        (vec![1; 256], "listpack"),
        (vec![1; 258], "hashtable"),
        (vec![64, 64], "listpack"),
        (vec![1, 1, 1, 65], "hashtable"),
    ] {
        let mut hash = hash_of(0..1);
        hash.prepare(lens.into_iter(), &LIMITS);
        assert_eq!((name(&hash), hash.as_ref().len()), (expected, 1));
    }
}

#[test]
fn an_expiry_makes_a_listpackex_in_the_order_of_times() {
    let mut hash = hash_of(["a", "b", "c", "d"]);
    assert_eq!(hash.set_field_expire(b"x", Some(UnixMillis(5))), None);
    assert_eq!(hash.set_field_expire(b"a", None), Some(None));
    assert_eq!(name(&hash), "listpack");
    for (field, at) in [(b"c", 300), (b"a", 200), (b"d", 250)] {
        assert_eq!(hash.set_field_expire(field, Some(UnixMillis(at))), Some(None));
    }
    assert_eq!(name(&hash), "listpackex");
    let order = |hash: &Hash| hash.as_ref().iter().map(|field| field.name.to_vec()).collect::<Vec<_>>().concat();
    assert_eq!(order(&hash), b"adcb");
    assert_eq!(hash.as_ref().next_field_expire(), Some(UnixMillis(200)));
    assert_eq!(hash.set_field_expire(b"a", Some(UnixMillis(400))), Some(Some(UnixMillis(200))));
    assert_eq!(order(&hash), b"dcab");
    assert!(!hash.set(b"c", b"kept", FieldExpiry::Keep, &LIMITS));
    assert_eq!((order(&hash), hash.as_ref().volatile_fields()), (b"dcab".to_vec(), 3));
    assert!(!hash.set(b"c", b"new", FieldExpiry::Clear, &LIMITS));
    assert_eq!((order(&hash), hash.as_ref().volatile_fields()), (b"dabc".to_vec(), 2));
    assert_eq!(hash.set_field_expire(b"d", None), Some(Some(UnixMillis(250))));
    assert_eq!(hash.set_field_expire(b"a", None), Some(Some(UnixMillis(400))));
    assert_eq!((name(&hash), hash.as_ref().next_field_expire()), ("listpackex", None));
}

/// A field is there in the very millisecond of its expiry, and gone in the next, in each encoding.
#[test]
fn expired_fields_are_hidden_from_who_says_the_time() {
    for fields in [10, 1_000] {
        let mut hash = hash_of(0..fields);
        for field in 0..fields / 2 {
            hash.set_field_expire(field.to_string().as_bytes(), Some(UnixMillis(100)));
        }
        let (before, after) = (UnixMillis(100), UnixMillis(101));
        assert!(hash.as_ref().live_at(before).contains(b"3") && hash.as_ref().contains(b"3"));
        let live = hash.as_ref().live_at(after);
        assert!(!live.contains(b"3") && live.contains((fields - 1).to_string().as_bytes()));
        assert_eq!((live.len(), live.iter().count()), (fields, fields / 2));
        let mut rng = StdRng::seed_from_u64(1);
        let is_live = |field: Field<'_>| field.name.as_int().unwrap() >= fields as i64 / 2;
        assert!((0..200).all(|_| is_live(live.random(&mut rng).unwrap())));
        let mut count = 0;
        live.random_distinct(fields, &mut rng, |field| count += usize::from(is_live(field)));
        assert_eq!(count, fields / 2);
        live.random_repeated(fields, &mut rng, |field| count += usize::from(is_live(field)));
        assert_eq!(count, fields / 2 + fields);
        assert!(!hash.remove_if_expired(b"3", before) && hash.remove_if_expired(b"3", after));
        assert!(!hash.remove_if_expired(b"3", after));
        assert!(!hash.remove_if_expired((fields - 1).to_string().as_bytes(), after));
        let mut all_expired = hash.clone();
        for field in 0..fields {
            all_expired.set_field_expire(field.to_string().as_bytes(), Some(UnixMillis(100)));
        }
        assert!(all_expired.as_ref().live_at(after).random(&mut rng).is_none());
    }
}

#[test]
fn times_out_of_range_become_the_nearest() {
    for fields in [2, 200] {
        let mut hash = hash_of(0..fields);
        for (at, expected) in [(i64::MIN, 1), (0, 1), (1, 1), ((1 << 48) - 1, (1 << 48) - 1), (i64::MAX, (1 << 48) - 1)]
        {
            assert!(hash.set_field_expire(b"1", Some(UnixMillis(at))).is_some());
            assert_eq!(hash.as_ref().field(b"1").unwrap().expire_at, Some(UnixMillis(expected)));
        }
    }
}

#[test]
fn payloads_are_checked() {
    let Hash::Packed(good) = hash_of(["a", "b"]) else { panic!("a listpack") };
    assert!(Hash::from_packed(good.clone(), &HashLimits::default()).is_ok_and(|hash| hash.as_ref().len() == 2));
    let (mut odd, mut twice) = (good.clone(), good.clone());
    listpack::push_back(&mut odd, b"c");
    listpack::push_back(&mut twice, b"a");
    listpack::push_back(&mut twice, b"again");
    assert!(
        Hash::from_packed(odd, &HashLimits::default()).is_err()
            && Hash::from_packed(twice, &HashLimits::default()).is_err()
    );
    let triples = |times: &[&[u8]]| {
        let mut bytes = listpack::create();
        for (index, time) in times.iter().enumerate() {
            for element in [format!("f{index}").as_bytes(), b"value", time] {
                listpack::push_back(&mut bytes, element);
            }
        }
        Hash::from_packed_ttl(bytes, &HashLimits::default())
    };
    assert!(triples(&[b"10", b"10", b"20", b"0", b"0"]).is_ok_and(|hash| hash.as_ref().volatile_fields() == 3));
    assert!(triples(&[b"10", b"5"]).is_err() && triples(&[b"0", b"5"]).is_err());
    assert!(triples(&[b"-1"]).is_err() && triples(&[b"soon"]).is_err());
}

/// What is done to a hash and to its model.
#[derive(Clone, Debug)]
enum Op {
    Set(Vec<u8>, Vec<u8>, FieldExpiry),
    Remove(Vec<u8>),
    SetExpire(Vec<u8>, Option<UnixMillis>),
    Expire(UnixMillis),
    Reload,
}

fn random_op(rng: &mut StdRng, round: u32) -> Op {
    let number = rng.random_range(0..[50, 150, 2_000][round as usize % 3]);
    let field = if number % 3 == 0 { number.to_string() } else { format!("field:{number}") }.into_bytes();
    let at = UnixMillis(rng.random_range(1..10_000));
    let long = round.is_multiple_of(2) && rng.random_bool(0.01);
    match rng.random_range(0..20) {
        0..3 if !round.is_multiple_of(4) => Op::SetExpire(field, rng.random_bool(0.7).then_some(at)),
        3 if rng.random_bool(0.1) => Op::Expire(UnixMillis(at.0 / 8)),
        4 if rng.random_bool(0.1) => Op::Reload,
        5..9 => Op::Remove(field),
        kind => {
            let value = if long { vec![b'v'; number] } else { rng.random_range(-500..500).to_string().into_bytes() };
            Op::Set(field, value, if kind < 12 { FieldExpiry::Keep } else { FieldExpiry::Clear })
        }
    }
}

fn apply(op: &Op, hash: &mut Hash, model: &mut Model) {
    match op {
        Op::Set(field, value, expiry) => {
            assert_eq!(hash.set(field, value, *expiry, &LIMITS), !model.contains_key(field));
            let entry = model.entry(field.clone()).or_default();
            entry.0.clone_from(value);
            if *expiry == FieldExpiry::Clear {
                entry.1 = None;
            }
        }
        Op::Remove(field) => assert_eq!(hash.remove(field), model.remove(field).is_some()),
        Op::SetExpire(field, at) => {
            let expected = model.get_mut(field).map(|entry| std::mem::replace(&mut entry.1, *at));
            assert_eq!(hash.set_field_expire(field, *at), expected);
        }
        Op::Expire(now) => loop {
            let mut removed = 0;
            let sweep = hash.expire_fields(*now, 7, |field| {
                let (value, at) = model.remove(&field.name.to_vec()).unwrap();
                assert!(field.value.eq_bytes(&value) && at.unwrap().is_past(*now));
                removed += 1;
            });
            assert_eq!(sweep.removed, removed);
            if sweep.complete {
                assert!(model.values().all(|(_, at)| at.is_none_or(|at| !at.is_past(*now))));
                break;
            }
        },
        Op::Reload => {
            let copy = match hash.clone() {
                Hash::Packed(bytes) => Hash::from_packed(bytes, &HashLimits::default()).unwrap(),
                Hash::PackedTtl(bytes) => Hash::from_packed_ttl(bytes, &HashLimits::default()).unwrap(),
                large @ Hash::Large(_) => large,
            };
            assert_eq!(*hash, copy);
            *hash = copy;
        }
    }
}

fn check(hash: &Hash, model: &Model) {
    hash.check_invariants();
    let view = hash.as_ref();
    let entry = |field: Field<'_>| (field.name.to_vec(), (field.value.to_vec(), field.expire_at));
    assert_eq!(view.len(), model.len());
    assert_eq!(view.iter().map(entry).collect::<Model>(), *model);
    for (field, (value, at)) in model {
        let found = view.field(field).unwrap();
        assert!(found.value.eq_bytes(value) && found.value.len() == value.len() && found.expire_at == *at);
    }
    assert!(view.get(b"missing").is_none());
    assert_eq!(view.volatile_fields(), model.values().filter(|(_, at)| at.is_some()).count());
    let earliest = model.values().filter_map(|(_, at)| *at).min();
    match (view.next_field_expire(), earliest) {
        (None, None) => {}
        (Some(bound), Some(earliest)) => assert!(bound <= earliest),
        other => panic!("{other:?}"),
    }
    let (mut scanned, mut cursor) = (Model::new(), 0);
    loop {
        cursor = view.scan(cursor, |field| scanned.extend([entry(field)]));
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(scanned, *model);
}

#[test]
fn every_edit_does_what_it_does_to_a_map() {
    let mut names = BTreeSet::new();
    for round in 0..24 {
        let mut rng = StdRng::seed_from_u64(u64::from(round));
        let (mut hash, mut model) = (Hash::default(), Model::new());
        for step in 0..3_000 {
            let op = random_op(&mut rng, round);
            apply(&op, &mut hash, &mut model);
            names.insert(name(&hash));
            if step % 50 == 0 {
                check(&hash, &model);
            }
        }
        check(&hash, &model);
        assert_eq!(hash.as_ref().to_owned(), hash);
        while hash.free_some(50) > 0 {}
        assert!(hash.as_ref().is_empty());
    }
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["hashtable", "listpack", "listpackex"]);
}

#[test]
fn random_fields_are_uniform() {
    for fields in [30, 100, 700] {
        let (hash, mut rng) = (hash_of(0..fields), StdRng::seed_from_u64(8));
        let mut counts = vec![0_u32; fields];
        for _ in 0..fields * 100 {
            let field = hash.as_ref().random(&mut rng).unwrap();
            counts[field.name.as_int().unwrap() as usize] += 1;
        }
        let sum: f64 = counts.iter().map(|&count| (f64::from(count) - 100.0).powi(2) / 100.0).sum();
        let freedom = fields as f64 - 1.0;
        assert!(sum < freedom + 5.0 * (2.0 * freedom).sqrt(), "chi-square {sum}");
    }
}

/// Mutated payloads are refused, or make a hash that can be read and edited.
#[test]
fn mutated_payloads_are_refused_or_safe() {
    let (mut rng, mut passed) = (StdRng::seed_from_u64(4), 0);
    for _ in 0..10_000 {
        let mut hash = hash_of((0..rng.random_range(0..5)).map(|_| rng.random_range(0..1_000)));
        if rng.random_bool(0.5) {
            let field = hash.as_ref().iter().next().map(|field| field.name.to_vec()).unwrap_or_default();
            hash.set_field_expire(&field, Some(UnixMillis(rng.random_range(1..500))));
        }
        let (Hash::Packed(mut bytes) | Hash::PackedTtl(mut bytes)) = hash else { panic!("a small hash") };
        let index = rng.random_range(0..bytes.len());
        bytes[index] = rng.random();
        let hashes = [
            Hash::from_packed(bytes.clone(), &HashLimits::default()),
            Hash::from_packed_ttl(bytes, &HashLimits::default()),
        ];
        for mut hash in hashes.into_iter().flatten() {
            passed += 1;
            hash.check_invariants();
            hash.set(b"field", b"value", FieldExpiry::Clear, &LIMITS);
            hash.set_field_expire(b"field", Some(UnixMillis(1)));
            hash.expire_fields(UnixMillis(i64::MAX), usize::MAX, |_| ());
            assert!(hash.as_ref().volatile_fields() == 0 && !hash.as_ref().contains(b"field"));
        }
    }
    assert!(passed > 1_000, "{passed} mutations were harmless");
}
