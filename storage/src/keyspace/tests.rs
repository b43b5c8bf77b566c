//! A database against a model: a map of the standard library, driven by seeded random operations.

use std::collections::{HashMap, HashSet};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::types::list::{End, List};
use crate::types::string::{OwnedString, StringEncoding, StringRef, StringValue};
use crate::types::{Limits, OwnedValue};

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
const UNBOUNDED: SweepBudget =
    SweepBudget { segments_max: usize::MAX, entries_max: usize::MAX, expired_max: usize::MAX };

/// The bytes of a string, or none of anything else.
fn text(value: &OwnedValue) -> Option<Vec<u8>> {
    value.as_value().as_string().map(StringRef::to_vec)
}

fn set(db: &mut Database, key: &[u8], value: &[u8]) {
    drop(db.set_string(key, StringValue::Bytes(value), Expiry::Clear, Access::default()));
}

fn value(db: &Database, key: &[u8]) -> Option<Vec<u8>> {
    db.find(key)?.value().as_string().map(StringRef::to_vec)
}

fn key(number: usize) -> Vec<u8> {
    format!("key:{number:012}").into_bytes()
}

/// What a model knows of a key.
#[derive(Clone, Debug, PartialEq)]
struct Modelled {
    value: OwnedValue,
    expire_at: Option<i64>,
    access: u32,
}

struct Pair {
    db: Database,
    model: HashMap<Vec<u8>, Modelled>,
    rng: SmallRng,
    keys: usize,
}

impl Pair {
    fn new(seed: u64, keys: usize) -> Self {
        Self { db: Database::new(), model: HashMap::new(), rng: SmallRng::seed_from_u64(seed), keys }
    }

    fn random_key(&mut self) -> Vec<u8> {
        let number = self.rng.random_range(0..self.keys);
        let mut bytes = number.to_string().into_bytes();
        let pad = match number % 50 {
            0 => 2_000,
            1 => 961,
            2 => 960,
            3 => 191,
            4 => 192,
            5 => 250,
            _ => number % 24,
        };
        bytes.resize(bytes.len() + pad, b'.');
        bytes
    }

    fn random_bytes(&mut self) -> Vec<u8> {
        let len = match self.rng.random_range(0..100) {
            0 => self.rng.random_range(3_000..3_200),
            1 => self.rng.random_range(3_000..80_000),
            2..5 => self.rng.random_range(180..1_000),
            _ => self.rng.random_range(0..70),
        };
        if self.rng.random_bool(0.3) {
            let shift = self.rng.random_range(0..64);
            return (self.rng.random::<i64>() >> shift).to_string().into_bytes();
        }
        (0..len).map(|_| self.rng.random()).collect()
    }

    fn random_expiry(&mut self) -> i64 {
        match self.rng.random_range(0..20) {
            0 => i64::MAX - 5,
            1 => -1,
            2 => 1 << 48,
            _ => NOW.0 + self.rng.random_range(0..10_000),
        }
    }

    fn step(&mut self) {
        let key = self.random_key();
        match self.rng.random_range(0..100) {
            0..25 => self.set(key),
            25..38 => self.push(key),
            38..50 => {
                let removed = self.db.remove(&key);
                let expected = self.model.remove(&key).map(|entry| entry.value);
                assert_eq!(removed, expected);
            }
            50..58 => {
                let there = self.model.remove(&key).is_some();
                if self.rng.random() {
                    assert_eq!(self.db.delete(&key), there);
                } else {
                    assert_eq!(self.db.unlink(&key).is_some(), there);
                }
            }
            58..66 => self.append(&key),
            66..72 => self.set_range(&key),
            72..80 => {
                let at = if self.rng.random_bool(0.7) { Some(self.random_expiry()) } else { None };
                let found = self.db.find_mut(&key).map(|mut entry| entry.set_expire(at.map(UnixMillis)));
                assert_eq!(found.is_some(), self.model.contains_key(&key));
                if let Some(entry) = self.model.get_mut(&key) {
                    entry.expire_at = at;
                }
            }
            80..85 => {
                let number = self.rng.random::<i64>() >> self.rng.random_range(0..64);
                if let Some(modelled) = self.model.get_mut(&key).filter(|entry| text(&entry.value).is_some()) {
                    self.db.find_mut(&key).expect("it is there, too").set_int(number);
                    modelled.value = OwnedString::Int(number).into();
                }
            }
            85..92 => self.rename(&key),
            92..94 => {
                if let Some(mut entry) = self.db.find_mut(&key) {
                    let access = Access::from_bits(self.rng.random());
                    entry.touch(access);
                    self.model.get_mut(&key).expect("the model has it, too").access = access.bits();
                }
            }
            _ => self.compare(&key),
        }
    }

    fn set(&mut self, key: Vec<u8>) {
        let bytes = self.random_bytes();
        let (value, stored) = match self.rng.random_range(0..5) {
            0 => (StringValue::Text(&bytes), OwnedString::Bytes { bytes: bytes.clone(), modified: false }),
            1 => (StringValue::Raw(&bytes), OwnedString::Bytes { bytes: bytes.clone(), modified: true }),
            2 => (StringValue::Owned(OwnedString::encode(bytes.clone())), OwnedString::encode(bytes.clone())),
            _ => (StringValue::Bytes(&bytes), OwnedString::encode(bytes.clone())),
        };
        let old_expiry = self.model.get(&key).and_then(|entry| entry.expire_at);
        let (expire, expire_at) = match self.rng.random_range(0..4) {
            0 => {
                let at = self.random_expiry();
                (Expiry::At(UnixMillis(at)), Some(at))
            }
            1 => (Expiry::Keep, old_expiry),
            _ => (Expiry::Clear, None),
        };
        let access = Access::from_bits(self.rng.random());
        let old_len = self.model.get(&key).map_or(0, |entry| entry.value.heap_bytes());
        let discarded = self.db.set_string(&key, value, expire, access);
        assert!(discarded.is_none() || old_len > VALUE_LONG, "only long values are handed back");
        self.model.insert(key, Modelled { value: stored.into(), expire_at, access: access.bits() });
    }

    /// Appends to a list, which is made of whatever was there.
    fn push(&mut self, key: Vec<u8>) {
        let elements: Vec<Vec<u8>> = (0..self.rng.random_range(1..4)).map(|_| self.random_bytes()).collect();
        let limits = Limits::default().list;
        let push = |value: &mut OwnedValue| {
            if !matches!(value, OwnedValue::List(_)) {
                *value = OwnedValue::List(List::new());
            }
            let OwnedValue::List(list) = value else { unreachable!("it was made one") };
            list.push(End::Tail, elements.iter().map(Vec::as_slice), limits);
        };
        let Some(modelled) = self.model.get_mut(&key) else {
            let mut value = OwnedValue::List(List::new());
            push(&mut value);
            let access = Access::from_bits(self.rng.random());
            assert!(self.db.set_value(&key, value.clone(), Expiry::Clear, access).is_none());
            self.model.insert(key, Modelled { value, expire_at: None, access: access.bits() });
            return;
        };
        push(&mut modelled.value);
        self.db.find_mut(&key).expect("it is there, too").edit(push);
    }

    fn append(&mut self, key: &[u8]) {
        let bytes = self.random_bytes();
        let Some(modelled) = self.model.get_mut(key) else { return };
        let Some(mut all) = text(&modelled.value) else { return };
        let mut entry = self.db.find_mut(key).expect("it is there, too");
        let len = entry.append(&bytes);
        all.extend(bytes);
        assert_eq!(len, all.len());
        modelled.value = OwnedString::Bytes { bytes: all, modified: true }.into();
    }

    fn set_range(&mut self, key: &[u8]) {
        let bytes = self.random_bytes();
        let offset = if self.rng.random_bool(0.9) { self.rng.random_range(0..100) } else { 5_000 };
        let Some(modelled) = self.model.get_mut(key) else { return };
        let Some(mut all) = text(&modelled.value) else { return };
        let mut entry = self.db.find_mut(key).expect("it is there, too");
        let len = entry.set_range(offset, &bytes);
        all.resize(all.len().max(offset + bytes.len()), 0);
        all[offset..offset + bytes.len()].copy_from_slice(&bytes);
        assert_eq!(len, all.len());
        modelled.value = OwnedString::Bytes { bytes: all, modified: true }.into();
    }

    fn rename(&mut self, from: &[u8]) {
        let to = self.random_key();
        let copy = self.db.copy(from);
        let detached = self.db.take(from);
        assert_eq!(copy, detached);
        let entry = self.model.remove(from);
        assert_eq!(detached.is_some(), entry.is_some());
        if let (Some(detached), Some(entry)) = (detached, entry) {
            drop(self.db.put(&to, detached));
            self.model.insert(to, entry);
        }
    }

    fn compare(&self, key: &[u8]) {
        let found = self.db.find(key).map(|entry| {
            let expire_at = entry.expire_at().map(|at| at.0);
            Modelled { value: entry.value().to_owned(), expire_at, access: entry.access().bits() }
        });
        assert_eq!(found.as_ref(), self.model.get(key));
    }

    fn compare_all(&self) {
        self.db.check_invariants();
        assert_eq!(self.db.len(), self.model.len());
        assert_eq!(self.db.expires(), self.model.values().filter(|entry| entry.expire_at.is_some()).count());
        let mut keys: Vec<&Vec<u8>> = self.model.keys().collect();
        keys.sort();
        let mut found: Vec<Vec<u8>> = Vec::new();
        self.db.for_each(|entry| found.push(entry.key().to_vec()));
        found.sort();
        assert!(keys.into_iter().eq(&found));
        for key in self.model.keys() {
            self.compare(key);
        }
    }
}

const VALUE_LONG: usize = crate::encoding::block::VALUE_INLINE_BYTES_MAX;

#[test]
fn agrees_with_a_model() {
    for (seed, keys) in [(1, 3), (2, 40), (3, 1_000), (4, 12_000)] {
        let mut pair = Pair::new(seed, keys);
        for round in 0..30_000 {
            pair.step();
            if round % 5_000 == 4_999 {
                pair.compare_all();
            }
        }
        while pair.db.defragment_step(1_000) {}
        pair.compare_all();
        let removed: Vec<_> = pair.model.keys().cloned().collect();
        for key in removed {
            pair.compare(&key);
            assert!(pair.db.delete(&key));
            pair.model.remove(&key);
        }
        pair.compare_all();
        assert_eq!(pair.db.memory().outside, 0);
    }
}

#[test]
fn sweep_removes_what_is_due_and_nothing_else() {
    let mut pair = Pair::new(5, 8_000);
    for _ in 0..60_000 {
        pair.step();
    }
    let mut now = NOW;
    while now.0 < NOW.0 + 12_000 {
        now.0 += 500;
        let due = |entry: &Modelled| entry.expire_at.is_some_and(|at| now.0 > at);
        let mut removed = HashSet::new();
        let budget = SweepBudget { segments_max: 3, entries_max: 300, expired_max: 37 };
        for _ in 0..10_000 {
            let mut skip = |key: &[u8], hash: u64| {
                assert_eq!(hash, key_hash(key));
                key.starts_with(b"77")
            };
            let outcome = pair.db.sweep(now, budget, &mut skip, &mut |key, value| {
                let entry = pair.model.get(key).expect("it was there");
                assert!(due(entry) && !key.starts_with(b"77"));
                assert_eq!(value, entry.value);
                assert!(removed.insert(key.to_vec()));
            });
            assert!(outcome.expired <= 37 + 12);
            if outcome.expired == 0 && outcome.complete {
                break;
            }
        }
        pair.db.sweep(now, UNBOUNDED, &mut |key, _| key.starts_with(b"77"), &mut |key, _| {
            removed.insert(key.to_vec());
        });
        pair.model.retain(|key, entry| !due(entry) || key.starts_with(b"77"));
        assert!(removed.iter().all(|key| !pair.model.contains_key(key)));
        pair.compare_all();
    }
    assert!(pair.db.avg_ttl() > 0);
}

#[test]
fn sweep_costs_nothing_when_nothing_is_due() {
    let mut db = Database::new();
    for number in 0..50_000 {
        let expire = if number % 2 == 0 { Expiry::At(UnixMillis(NOW.0 + 1_000_000)) } else { Expiry::Clear };
        db.set_string(&key(number), StringValue::Int(1), expire, Access::default());
    }
    let outcome = db.sweep(NOW, UNBOUNDED, &mut |_, _| false, &mut |_, _| panic!("nothing is due"));
    assert!(outcome.complete && outcome.entries == 0);
    let outcome = db.sweep(UnixMillis(NOW.0 + 1_000_000), UNBOUNDED, &mut |_, _| false, &mut |_, _| panic!("not yet"));
    assert!(outcome.complete && outcome.entries == 0);
    let mut expired = 0;
    let later = UnixMillis(NOW.0 + 1_000_001);
    assert!(db.sweep(later, UNBOUNDED, &mut |_, _| false, &mut |_, _| expired += 1).complete);
    assert_eq!((expired, db.expires(), db.len()), (25_000, 0, 25_000));
}

#[test]
fn scan_returns_every_key_that_stays() {
    let mut rng = SmallRng::seed_from_u64(6);
    for (stay, from, to) in [(500, 0, 60_000), (3_000, 60_000, 0), (0, 0, 0), (1, 0, 0), (20_000, 20_000, 40_000)] {
        let mut db = Database::new();
        let stays: Vec<Vec<u8>> = (0..stay).map(|number| format!("stay{number}").into_bytes()).collect();
        for key in &stays {
            set(&mut db, key, b"");
        }
        (0..from).for_each(|number| set(&mut db, &key(number), b""));
        let (mut seen, mut cursor, mut steps, mut visited) = (HashSet::new(), 0, 0, 0);
        let mut others = from;
        loop {
            cursor = db.scan(cursor, |entry| {
                visited += 1;
                seen.insert(entry.key().to_vec());
            });
            steps += 1;
            assert!(cursor < 1 << Database::CURSOR_BITS && steps < 100_000);
            if cursor == 0 {
                break;
            }
            for _ in 0..rng.random_range(0..100) {
                if others < to {
                    set(&mut db, &key(others), b"");
                    others += 1;
                } else if others > to {
                    others -= 1;
                    assert!(db.delete(&key(others)));
                }
            }
        }
        assert!(stays.iter().all(|key| seen.contains(key)));
        assert!(visited <= seen.len() * 2 + 100, "{visited} visits of {} keys", seen.len());
        db.check_invariants();
    }
}

#[test]
fn a_scan_at_rest_returns_each_key_once() {
    let mut db = Database::new();
    for number in 0..30_000 {
        set(&mut db, &key(number), b"");
    }
    let (mut seen, mut cursor) = (HashSet::new(), 0);
    loop {
        let mut count = 0;
        cursor = db.scan(cursor, |entry| {
            count += 1;
            assert!(seen.insert(entry.key().to_vec()));
        });
        assert!(count < 60, "a step is bounded");
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(seen.len(), 30_000);
    assert_eq!(db.scan(u64::MAX, |_| panic!("no entry is there")), 0);
}

#[test]
fn random_keys_are_about_uniform() {
    let mut rng = SmallRng::seed_from_u64(7);
    let mut db = Database::new();
    assert!(db.random(&mut rng).is_none() && db.random_volatile(&mut rng).is_none());
    for number in 0..500 {
        set(&mut db, &key(number), b"");
    }
    let mut counts: HashMap<Vec<u8>, usize> = HashMap::new();
    for _ in 0..50_000 {
        *counts.entry(db.random(&mut rng).expect("there are keys").key().to_vec()).or_default() += 1;
    }
    assert_eq!(counts.len(), 500);
    assert!(counts.values().all(|&count| (50..200).contains(&count)), "{counts:?}");
    db.find_mut(&key(123)).expect("it is there").set_expire(Some(NOW));
    assert_eq!(db.random_volatile(&mut rng).expect("one has an expiry").key(), key(123));
}

#[test]
fn cleared_contents_are_freed_in_steps() {
    let mut db = Database::new();
    for number in 0..20_000 {
        set(&mut db, &key(number), &vec![b'x'; number % 5_000]);
    }
    let bytes = db.memory().total();
    let mut old = db.clear();
    assert!(db.is_empty() && db.memory().total() == 0 && value(&db, &key(1)).is_none());
    assert!(old.items() == 20_000 && old.len_bytes() >= bytes * 9 / 10);
    set(&mut db, b"new", b"1");
    let mut old = std::thread::spawn(move || {
        let mut steps = 1;
        while !old.free_step(2_000) {
            steps += 1;
        }
        assert!(steps > 5);
        old
    })
    .join()
    .expect("it can be freed elsewhere");
    assert!(old.free_step(1) && old.items() == 0 && old.len_bytes() == 0);
    assert_eq!(value(&db, b"new").expect("it stays"), b"1");
    drop(db.clear());
    assert_eq!(Database::new().clear().items(), 0);
}

#[test]
fn big_values_are_handed_back() {
    let mut db = Database::new();
    set(&mut db, b"k", &vec![0; DISCARD_BYTES_MIN]);
    let old = db.set_string(b"k", StringValue::Int(1), Expiry::Clear, Access::default()).expect("it was big");
    assert!(old.len_bytes() >= DISCARD_BYTES_MIN && old.items() == 1);
    assert!(db.unlink(b"k").expect("it was there").is_none());
    set(&mut db, b"k", &vec![0; DISCARD_BYTES_MIN]);
    assert!(db.unlink(b"k").expect("it was there").is_some());
    assert!(db.unlink(b"k").is_none());
}

#[test]
fn long_strings_move_without_a_copy() {
    let mut db = Database::new();
    let bytes = vec![7; 100_000];
    let address = bytes.as_ptr();
    let string = OwnedString::Bytes { bytes, modified: false };
    db.set_string(b"a", StringValue::Owned(string), Expiry::At(NOW), Access::from_bits(9));
    let detached = db.take(b"a").expect("it is there");
    assert_eq!((detached.expire_at, detached.access.bits()), (Some(NOW), 9));
    let mut other = Database::new();
    other.put(b"b", detached);
    let entry = other.find(b"b").expect("it was put");
    assert_eq!(entry.value().as_string().and_then(StringRef::stored_bytes).map(<[u8]>::as_ptr), Some(address));
    assert_eq!(entry.expire_at(), Some(NOW));
    assert!(db.is_empty() && db.memory().outside == 0 && other.memory().outside == 100_000);
}

#[test]
fn encodings_follow_redis() {
    let mut db = Database::new();
    let encoding = |db: &Database| db.find(b"k").and_then(|entry| entry.value().as_string()).map(StringRef::encoding);
    let mut is = |bytes: &[u8], expected| {
        set(&mut db, b"k", bytes);
        assert_eq!(encoding(&db), Some(expected), "{}", String::from_utf8_lossy(bytes));
        assert_eq!(value(&db, b"k").as_deref(), Some(bytes));
    };
    is(b"0", StringEncoding::Int);
    is(b"-9223372036854775808", StringEncoding::Int);
    is(b"9223372036854775807", StringEncoding::Int);
    is(b"9223372036854775808", StringEncoding::Embstr);
    is(b"-0", StringEncoding::Embstr);
    is(b"01", StringEncoding::Embstr);
    is(b"+1", StringEncoding::Embstr);
    is(b"", StringEncoding::Embstr);
    is(&[b'a'; 44], StringEncoding::Embstr);
    is(&[b'a'; 45], StringEncoding::Raw);
    set(&mut db, b"k", b"12");
    assert_eq!(db.find_mut(b"k").expect("it is there").append(b""), 2);
    assert_eq!(encoding(&db), Some(StringEncoding::Raw));
    assert_eq!(db.find(b"k").and_then(|entry| entry.value().as_string()?.as_int()), Some(12));
    db.find_mut(b"k").expect("it is there").set_int(13);
    assert_eq!(encoding(&db), Some(StringEncoding::Int));
}

#[test]
fn keys_that_collide_cost_only_their_segment() {
    let mut db = Database::new();
    let collide = |key: &Vec<u8>| key_hash(key) >> 54 == 77;
    let colliding: Vec<Vec<u8>> = (0..).map(key).filter(collide).take(3_000).collect();
    for key in &colliding {
        set(&mut db, key, b"1");
    }
    db.check_invariants();
    assert!(db.memory().total() < 1_000_000, "{:?}", db.memory());
    let (mut seen, mut cursor) = (HashSet::new(), 0);
    loop {
        cursor = db.scan(cursor, |entry| assert!(seen.insert(entry.key().to_vec())));
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(seen.len(), colliding.len());
    for number in 0..20_000 {
        set(&mut db, &key(number), b"2");
    }
    db.check_invariants();
    for key in &colliding {
        assert!(db.delete(key));
    }
    db.check_invariants();
}

#[test]
fn databases_can_be_sent() {
    fn sendable<T: Send>() {}
    sendable::<Database>();
    sendable::<Detached>();
    sendable::<Discarded>();
}

#[test]
fn appending_byte_by_byte_is_linear() {
    let mut db = Database::new();
    set(&mut db, b"k", b"");
    for number in 0..300_000_usize {
        assert_eq!(db.find_mut(b"k").expect("it is there").append(&[number as u8]), number + 1);
    }
    let string = value(&db, b"k").expect("it is there");
    assert!(string.iter().enumerate().all(|(index, &byte)| byte == index as u8));
    db.check_invariants();
}

#[test]
fn memory_is_given_back_after_mass_deletes() {
    let mut rng = SmallRng::seed_from_u64(8);
    let mut db = Database::new();
    let count = 100_000;
    for number in 0..count {
        set(&mut db, &key(number), b"0123456789abcdef");
    }
    let full = db.memory();
    assert!(full.total() / count < 54, "{full:?}");
    for number in 0..count {
        if rng.random_bool(0.75) {
            assert!(db.delete(&key(number)));
        }
    }
    while db.defragment_step(500) {}
    db.check_invariants();
    let sparse = db.memory();
    assert!(sparse.total() < full.total() * 2 / 5, "{sparse:?} of {full:?}");
    for number in 0..count {
        db.delete(&key(number));
    }
    db.check_invariants();
    let empty = db.memory();
    assert!(empty.total() < 400_000, "{empty:?}");
}

#[test]
fn room_that_is_made_ahead_holds_what_is_there_and_what_comes() {
    for (before, reserved, after) in
        [(0, 0, 10), (0, 1_200, 1_200), (300, 50_000, 50_000), (3_000, 40_000, 2), (30_000, 50_000, 0)]
    {
        let mut db = Database::new();
        let entry = |number: usize| Detached {
            value: OwnedValue::String(OwnedString::Int(number as i64)),
            expire_at: number.is_multiple_of(3).then_some(UnixMillis(number as i64 + 1)),
            access: Access::default(),
        };
        for number in 0..before {
            assert_eq!(db.put_new(&number.to_string(), entry(number)), Ok(()));
        }
        db.reserve(reserved);
        db.check_invariants();
        for number in before..before + after {
            assert_eq!(db.put_new(&number.to_string(), entry(number)), Ok(()));
        }
        db.check_invariants();
        let all = before + after;
        assert!((0..all).all(|number| {
            db.find(&number.to_string()).is_some_and(|found| found.expire_at() == entry(number).expire_at)
        }));
        assert_eq!((db.len(), db.expires()), (all, all.div_ceil(3)));
        assert_eq!(db.put_new("1", entry(7)), Err(entry(7)), "it is there");
        db.shrink();
        db.check_invariants();
        assert!(db.memory().table < 200 * 1024 + all * 20, "room is given back of which there is too much");
    }
}
