//! A snapshot holds what was there at its cut, each key once, whatever happens while it is saved.

use std::collections::BTreeMap;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::keyspace::{Access, Database, Expiry, SweepBudget, UnixMillis};
use crate::snapshot::dump;
use crate::snapshot::file::{Block, FileReader, Item, KeptAccess, RecordOptions, end_mark, header};
use crate::types::string::{OwnedString, StringValue};
use crate::types::{Limits, OwnedValue};

const NOW: UnixMillis = UnixMillis(1_000_000);
const OPTIONS: RecordOptions = RecordOptions { compression: true, access: KeptAccess::None, now: NOW };

/// Payloads of values, and when they expire.
type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<UnixMillis>)>;

fn contents(db: &Database) -> Model {
    let mut model = Model::new();
    db.for_each(|entry| {
        model.insert(entry.key().to_vec(), (dump(entry.value()), entry.expire_at()));
    });
    model
}

/// What a file of these blocks holds.
fn loaded(blocks: &[Block]) -> Model {
    let mut file = header(12).to_vec();
    for block in blocks {
        file.extend(&block.bytes);
    }
    file.push(end_mark());
    file.extend([0; 8]);
    let mut reader = FileReader::new(file.as_slice(), true).expect("a good header");
    let mut model = Model::new();
    loop {
        match reader.next_item().expect("a good file") {
            Item::Entry(head) => {
                let key = reader.key().to_vec();
                let value = reader.value(&Limits::default()).expect("a good value").expect("not an empty one");
                let before = model.insert(key, (dump(value.as_value()), head.expire_at));
                assert!(before.is_none(), "each key is in the file once");
            }
            Item::End => return model,
            _ => {}
        }
    }
}

fn set(db: &mut Database, key: &[u8], value: &[u8]) {
    drop(db.set_string(key, StringValue::Bytes(value), Expiry::Clear, Access::default()));
}

/// One change of any kind.
fn change(db: &mut Database, rng: &mut SmallRng) {
    let key = format!("key:{}", rng.random_range(0..600)).into_bytes();
    let bytes = vec![b'a' + rng.random_range(0..26); rng.random_range(0..100)];
    match rng.random_range(0..14) {
        0..=2 => set(db, &key, &bytes),
        3 => drop(db.delete(&key)),
        4 => drop(db.unlink(&key)),
        5 => drop(db.remove(&key)),
        6 => {
            if let Some(detached) = db.take(&key) {
                drop(db.put(b"renamed", detached));
            }
        }
        7 => {
            if let Some(mut entry) = db.find_mut(&key) {
                entry.set_expire(rng.random_bool(0.5).then_some(UnixMillis(NOW.0 + rng.random_range(1..1000))));
            }
        }
        8 => {
            if let Some(mut entry) = db.find_mut(&key).filter(|entry| entry.value().as_string().is_some()) {
                entry.append(&bytes);
            }
        }
        9 => {
            if let Some(mut entry) = db.find_mut(&key).filter(|entry| entry.value().as_string().is_some()) {
                entry.set_range(3, &bytes);
            }
        }
        10 => {
            if let Some(mut entry) = db.find_mut(&key).filter(|entry| entry.value().as_string().is_some()) {
                entry.set_int(rng.random());
            }
        }
        11 => {
            if let Some(mut entry) = db.find_mut(&key).filter(|entry| entry.value().as_string().is_some()) {
                entry.string_mut(10)[4] ^= 1;
            }
        }
        12 => {
            let value = OwnedValue::String(OwnedString::encode(bytes));
            drop(db.set_value(&key, value, Expiry::Keep, Access::default()));
        }
        _ => {
            if let Some(mut entry) = db.find_mut(&key) {
                entry.edit(|value| *value = OwnedValue::String(OwnedString::Int(7)));
            }
        }
    }
}

#[test]
fn a_snapshot_under_a_storm_is_what_was_there_at_the_cut() {
    for seed in 0..60 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut db = Database::new();
        (0..rng.random_range(1..3000)).for_each(|_| change(&mut db, &mut rng));
        for _ in 0..3 {
            let expected = contents(&db);
            db.begin_saving(3, OPTIONS);
            let mut blocks = Vec::new();
            let clears = rng.random_range(0..4) == 0;
            let mut steps = 0;
            while !db.save_step(rng.random_range(1..40), 4096) {
                steps += 1;
                (0..rng.random_range(0..30)).for_each(|_| change(&mut db, &mut rng));
                if clears && steps == 5 {
                    let mut old = db.clear();
                    assert!(old.free_step(usize::MAX) && db.is_empty());
                }
                if rng.random_bool(0.3) {
                    blocks.extend(db.take_saved());
                }
                if rng.random_bool(0.1) {
                    while db.defragment_step(100) {}
                }
                db.check_invariants();
            }
            blocks.extend(db.take_saved());
            drop(db.end_saving());
            assert!(loaded(&blocks) == expected, "seed {seed}");
            db.check_invariants();
            (0..50).for_each(|_| change(&mut db, &mut rng));
        }
    }
}

#[test]
fn a_snapshot_that_is_abandoned_leaves_nothing_behind() {
    for clears in [false, true] {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut db = Database::new();
        (0..2000).for_each(|_| change(&mut db, &mut rng));
        db.begin_saving(0, OPTIONS);
        assert!(!db.save_step(100, usize::MAX) && db.saved_bytes() > 0);
        db.abandon_saving();
        assert_eq!(db.saved_bytes(), 0);
        (0..100).for_each(|_| change(&mut db, &mut rng));
        if clears {
            drop(db.clear());
            set(&mut db, b"new", b"1");
        }
        while !db.save_step(100, usize::MAX) {}
        assert!(db.take_saved().is_none());
        drop(db.end_saving());
        db.check_invariants();
        let expected = contents(&db);
        db.begin_saving(0, OPTIONS);
        while !db.save_step(100, usize::MAX) {}
        let block = db.take_saved().expect("there are keys");
        drop(db.end_saving());
        assert!(loaded(&[block]) == expected);
    }
}

#[test]
fn what_expires_meanwhile_may_be_missing_and_the_marks_agree() {
    let mut db = Database::new();
    for number in 0..500_i64 {
        let expire = if number % 2 == 0 { Expiry::At(UnixMillis(NOW.0 + number)) } else { Expiry::Clear };
        let key = format!("key:{number}");
        drop(db.set_string(&key, StringValue::Bytes(b"v"), expire, Access::default()));
    }
    db.begin_saving(0, OPTIONS);
    let budget = SweepBudget { segments_max: 100, entries_max: 10_000, expired_max: 10_000 };
    let swept = db.sweep(UnixMillis(NOW.0 + 10_000), budget, &mut |_, _| false, &mut |_, _| ());
    assert_eq!(swept.expired, 250);
    while !db.save_step(100, usize::MAX) {}
    let block = db.take_saved().expect("there are keys");
    drop(db.end_saving());
    assert_eq!(loaded(&[block]).len(), 250);
    db.check_invariants();
}

#[test]
fn an_empty_database_has_nothing_to_save() {
    let mut db = Database::new();
    db.begin_saving(0, OPTIONS);
    assert!(!db.is_saving() && db.save_step(1, 1) && db.take_saved().is_none() && db.end_saving().is_none());
}
