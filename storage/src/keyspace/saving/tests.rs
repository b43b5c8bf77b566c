//! A snapshot holds what was there at its cut, each key once, whatever happens while it is saved.

use std::collections::BTreeMap;
use std::iter::once;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::encoding::hash::key_hash;
use crate::keyspace::{Access, Change, Database, Expiry, SweepBudget, UnixMillis};
use crate::snapshot::dump;
use crate::snapshot::file::{Block, FileReader, Item, KeptAccess, Part, RecordOptions, end_mark, header};
use crate::types::hash::{FieldExpiry, Hash};
use crate::types::list::{End, List};
use crate::types::set::Set;
use crate::types::string::{OwnedString, StringValue};
use crate::types::zset::ZSet;
use crate::types::{Limits, OwnedValue, Value};

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
                entry.string_mut(10, once(4..5))[4] ^= 1;
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
                    blocks.extend(db.take_saved(&mut Vec::new()));
                }
                if rng.random_bool(0.1) {
                    while db.defragment_step(100) {}
                }
                db.check_invariants();
            }
            blocks.extend(db.take_saved(&mut Vec::new()));
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
        assert!(db.take_saved(&mut Vec::new()).is_none());
        drop(db.end_saving());
        db.check_invariants();
        let expected = contents(&db);
        db.begin_saving(0, OPTIONS);
        while !db.save_step(100, usize::MAX) {}
        let block = db.take_saved(&mut Vec::new()).expect("there are keys");
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
    let block = db.take_saved(&mut Vec::new()).expect("there are keys");
    drop(db.end_saving());
    assert_eq!(loaded(&[block]).len(), 250);
    db.check_invariants();
}

#[test]
fn an_empty_database_has_nothing_to_save() {
    let mut db = Database::new();
    db.begin_saving(0, OPTIONS);
    assert!(
        !db.is_saving() && db.save_step(1, 1) && db.take_saved(&mut Vec::new()).is_none() && db.end_saving().is_none()
    );
}

/// Values that are saved in pieces, of each type, under these keys.
const LARGE: [&str; 5] = ["string", "list", "hash", "set", "zset"];

fn put_large(db: &mut Database, rng: &mut SmallRng) {
    let limits = Limits::default();
    let text = |number: usize| format!("{number}:{:0>40}", number.wrapping_mul(0x9e37_79b9) % 100_000);
    let (mut list, mut hash, mut set, mut zset) = (List::new(), Hash::default(), Set::default(), ZSet::default());
    for number in 0..12_000 {
        let element = text(number);
        list.push(End::Tail, std::iter::once(element.as_bytes()), limits.list);
        hash.set(element.as_bytes(), element.as_bytes(), FieldExpiry::Keep, &limits.hash);
        set.insert(element.as_bytes(), &limits.set);
        zset.insert(element.as_bytes(), rng.random_range(-1e9..1e9), &limits.zset);
    }
    for number in (0..12_000).step_by(7) {
        let at = UnixMillis(NOW.0 + rng.random_range(1_000_000..2_000_000));
        hash.set_field_expire(text(number).as_bytes(), Some(at));
    }
    let string = OwnedString::encode((0..3 << 20).map(|_| rng.random_range(b'a'..=b'z')).collect());
    let values = [
        OwnedValue::String(string),
        OwnedValue::List(list),
        OwnedValue::Hash(hash),
        OwnedValue::Set(set),
        OwnedValue::SortedSet(zset),
    ];
    for (key, value) in LARGE.into_iter().zip(values) {
        let expire = if key == "set" { Expiry::At(UnixMillis(NOW.0 + 5_000)) } else { Expiry::Clear };
        drop(db.set_value(key, value, expire, Access::default()));
    }
}

/// A change of a large value, or of what was put in its place; or its end.
fn change_large(db: &mut Database, rng: &mut SmallRng) {
    let key = LARGE[rng.random_range(0..LARGE.len())];
    if rng.random_bool(0.2) {
        return change_string(db, rng);
    }
    match rng.random_range(0..6) {
        0 => drop(db.unlink(key)),
        1 => set(db, key.as_bytes(), b"small"),
        2 => drop(db.take(key).and_then(|detached| db.put(format!("renamed {key}").as_str(), detached))),
        3 => {
            if let Some(mut entry) = db.find_mut(key) {
                entry.set_expire(Some(UnixMillis(NOW.0 + 9_000)));
            }
        }
        _ => {
            if let Some(mut entry) = db.find_mut(key) {
                entry.edit(|value| match value {
                    OwnedValue::List(list) => drop(list.pop(End::Head, Limits::default().list)),
                    OwnedValue::Hash(hash) => drop(hash.set(b"new", b"1", FieldExpiry::Keep, &Limits::default().hash)),
                    OwnedValue::Set(set) => drop(set.insert(b"new", &Limits::default().set)),
                    OwnedValue::SortedSet(zset) if zset.as_ref().score(b"new").is_some() => drop(zset.remove(b"new")),
                    OwnedValue::SortedSet(zset) => zset.insert(b"new", 1.0, &Limits::default().zset),
                    OwnedValue::String(_) | OwnedValue::Stream(_) => *value = OwnedValue::String(OwnedString::Int(7)),
                });
            }
        }
    }
}

/// A change of the long string where it is, if it is there.
fn change_string(db: &mut Database, rng: &mut SmallRng) {
    let Some(mut entry) = db.find_mut("string").filter(|entry| entry.value().as_string().is_some()) else { return };
    match rng.random_range(0..4) {
        0 => {
            entry.append(b"more");
        }
        1 => {
            entry.set_range(rng.random_range(0..4 << 20), &vec![b'#'; 40_000]);
        }
        2 => {
            let at = rng.random_range(0..3 << 20);
            entry.string_mut(at + 1, once(at..at + 1))[at] = b'!';
        }
        _ => entry.set_expire(None),
    }
}

type Values = BTreeMap<Vec<u8>, (OwnedValue, Option<UnixMillis>)>;

/// The value, a string in the encoding that it has when it is loaded.
fn as_loaded(value: OwnedValue) -> OwnedValue {
    match value {
        OwnedValue::String(string) => OwnedValue::String(OwnedString::encode(string.into_bytes())),
        other => other,
    }
}

fn values(db: &Database) -> Values {
    let mut values = Values::new();
    db.for_each(|entry| {
        values.insert(entry.key().to_vec(), (as_loaded(entry.value().to_owned()), entry.expire_at()));
    });
    values
}

/// The blocks as a file has them: those of a value in pieces together.
#[derive(Default)]
struct Written {
    blocks: Vec<Block>,
    open: Vec<Block>,
    pieces: usize,
}

impl Written {
    fn take(&mut self, db: &mut Database) {
        self.blocks.extend(db.take_saved(&mut Vec::new()));
        while let Some(block) = db.take_piece(64 << 10, &mut Vec::new()) {
            let is_last = block.part == Part::LastPiece;
            assert!(is_last || block.part == Part::Piece);
            self.pieces += 1;
            self.open.push(block);
            if is_last {
                self.blocks.append(&mut self.open);
            }
        }
    }

    fn values(&self) -> Values {
        let mut file = header(12).to_vec();
        self.blocks.iter().for_each(|block| file.extend(&block.bytes));
        file.push(end_mark());
        file.extend([0; 8]);
        let mut reader = FileReader::new(file.as_slice(), true).expect("a good header");
        let mut values = Values::new();
        loop {
            match reader.next_item().expect("a good file") {
                Item::Entry(head) => {
                    let key = reader.key().to_vec();
                    let value = reader.value(&Limits::default()).expect("a good value").expect("not an empty one");
                    assert!(values.insert(key, (as_loaded(value), head.expire_at)).is_none(), "each key is there once");
                }
                Item::End => return values,
                _ => {}
            }
        }
    }
}

#[test]
fn a_large_value_is_saved_in_pieces_as_it_was_at_the_cut() {
    for seed in 0..12 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut db = Database::new();
        (0..2000).for_each(|_| change(&mut db, &mut rng));
        put_large(&mut db, &mut rng);
        let expected = values(&db);
        db.begin_saving(3, OPTIONS);
        let mut written = Written::default();
        let (changes, clears) = (seed % 3 != 0, seed % 4 == 1);
        let mut steps = 0;
        while !db.save_step(20, 64 << 10) {
            steps += 1;
            (0..rng.random_range(0..3)).for_each(|_| change(&mut db, &mut rng));
            if changes && rng.random_bool(0.05) {
                change_large(&mut db, &mut rng);
            }
            if clears && steps == 120 {
                drop(db.clear());
            }
            // What expires meanwhile is not removed while some of it is in the file.
            let budget = SweepBudget { segments_max: 100, entries_max: 10_000, expired_max: 10_000 };
            if seed % 3 == 0 && db.hash_in_pieces().is_some_and(|hash| hash == key_hash(b"set")) {
                let swept = db.sweep(UnixMillis(NOW.0 + 6_000), budget, &mut |_, _| false, &mut |_, _| ());
                assert_eq!((swept.skipped, db.contains("set")), (1, true));
            }
            if seed % 3 == 0 && db.hash_in_pieces().is_some_and(|hash| hash == key_hash(b"hash")) {
                db.sweep_fields(UnixMillis(NOW.0 + 3_000_000), 1000, &mut |_| false, &mut |_| ());
                let Some(Value::Hash(fields)) = db.find("hash").map(|entry| entry.value()) else {
                    panic!("it is gone")
                };
                assert_eq!(fields.len(), 12_000);
            }
            written.take(&mut db);
            db.check_invariants();
        }
        written.take(&mut db);
        drop(db.end_saving());
        assert!(changes || written.pieces > 60, "{} pieces", written.pieces);
        // Small keys that the sweep has removed may be missing.
        let kept = |values: Values| {
            let stays = |key: &[u8], at: Option<UnixMillis>| {
                changes || at.is_none() || LARGE.iter().any(|large| large.as_bytes() == key)
            };
            values.into_iter().filter(|(key, (_, at))| stays(key, *at)).collect::<Values>()
        };
        assert!(kept(written.values()) == kept(expected), "seed {seed}");
        db.check_invariants();
    }
}

#[test]
fn who_wants_to_change_a_large_value_waits_until_it_is_saved() {
    let mut rng = SmallRng::seed_from_u64(1);
    let mut db = Database::new();
    put_large(&mut db, &mut rng);
    assert!(!db.awaits_saving("hash", Change::Stays, 0), "nobody saves");
    let expected = values(&db);
    db.begin_saving(0, OPTIONS);
    assert!(!db.awaits_saving("nothing", Change::Stays, 0));
    let mut written = Written::default();
    for key in ["zset", "hash"] {
        assert!(db.awaits_saving(key, Change::Stays, 0));
        let mut steps = 0;
        while db.awaits_saving(key, Change::Stays, 0) {
            assert!(!db.save_step(20, 64 << 10));
            written.take(&mut db);
            steps += 1;
        }
        assert!(steps > 5, "it is saved next, and not at once: {steps} steps");
        assert_eq!(db.saved_bytes(), 0, "nothing else was");
        db.find_mut(key).expect("it is there").edit(|value| assert!(!value.as_value().is_empty_collection()));
        assert_eq!(db.take_ahead_bytes(), 0);
    }
    while !db.save_step(20, 64 << 10) {
        written.take(&mut db);
    }
    drop(db.end_saving());
    assert!(written.values() == expected);
}

#[test]
fn a_snapshot_that_is_abandoned_within_a_large_value_leaves_nothing_behind() {
    for clears in [false, true] {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut db = Database::new();
        put_large(&mut db, &mut rng);
        db.begin_saving(0, OPTIONS);
        assert!(db.awaits_saving("hash", Change::Stays, 0));
        while db.hash_in_pieces().is_none() {
            assert!(!db.save_step(1, 64 << 10));
        }
        db.abandon_saving();
        assert!(!db.awaits_saving("hash", Change::Stays, 0) && db.saves_large().is_none());
        if clears {
            drop(db.clear());
        }
        while !db.save_step(100, usize::MAX) {}
        assert!(db.take_saved(&mut Vec::new()).is_none() && db.take_piece(0, &mut Vec::new()).is_none());
        drop(db.end_saving());
        db.check_invariants();
    }
}

/// The long string is changed as `change` says while it is saved, when so many pieces of it are: what is in the file is as it
/// was at the cut, and what is kept for that is no more than `kept_max` bytes.
fn check_string(pieces: usize, kept_max: usize, mut change: impl FnMut(&mut Database)) {
    let mut rng = SmallRng::seed_from_u64(3);
    let mut db = Database::new();
    put_large(&mut db, &mut rng);
    let expected = values(&db);
    db.begin_saving(0, OPTIONS);
    let mut written = Written::default();
    while db.awaits_saving("string", Change::Moves, 0) && written.pieces < pieces {
        assert!(!db.save_step(1, 64 << 10));
        written.take(&mut db);
    }
    assert!(!db.awaits_saving("string", Change::Stays, 0), "nobody waits");
    change(&mut db);
    assert!(db.take_ahead_bytes() as usize <= kept_max, "too much is kept");
    assert_eq!(db.saved_bytes(), 0, "nothing is saved at once");
    db.check_invariants();
    while !db.save_step(1, 64 << 10) {
        written.take(&mut db);
    }
    written.take(&mut db);
    assert!(std::iter::from_fn(|| db.take_written()).count() <= 1);
    drop(db.end_saving());
    assert!(written.values() == expected);
    db.check_invariants();
}

#[test]
fn a_long_string_that_is_being_saved_may_change_at_once() {
    const WHOLE: usize = 3 << 20;
    for pieces in [0, 1, 20] {
        check_string(pieces, WHOLE, |db| drop(db.unlink("string")));
        check_string(pieces, WHOLE, |db| set(db, b"string", b"short"));
        check_string(pieces, WHOLE, |db| {
            assert!(db.delete("string"));
            set(db, b"string", &vec![b'x'; WHOLE]);
            set(db, b"string", b"short again");
        });
        check_string(pieces, 0, |db| {
            db.find_mut("string").expect("it is there").append(&vec![b'x'; WHOLE]);
        });
        check_string(pieces, 0, |db| db.find_mut("string").expect("it is there").set_expire(Some(UnixMillis(5))));
        check_string(pieces, 128 << 10, |db| {
            for _ in 0..2 {
                for offset in [0, 100_000, WHOLE - 5, WHOLE + 5] {
                    db.find_mut("string").expect("it is there").set_range(offset, b"0123456789");
                }
                db.find_mut("string").expect("it is there").string_mut(0, once(9_000..9_001))[9_000] = b'!';
            }
        });
        check_string(pieces, WHOLE + (16 << 10), |db| {
            db.find_mut("string").expect("it is there").set_range(2_000_000, b"0123456789");
            drop(db.unlink("string"));
        });
    }
}

#[test]
fn what_is_kept_of_long_strings_has_a_limit() {
    let mut db = Database::new();
    for key in ["one", "two", "three"] {
        set(&mut db, key.as_bytes(), &vec![b'a'; 2 << 20]);
    }
    db.begin_saving(0, OPTIONS);
    assert!(!db.awaits_saving("one", Change::Stays, 0), "one may always be kept");
    drop(db.unlink("one"));
    assert!(db.awaits_saving("two", Change::Stays, 3 << 20));
    assert!(!db.awaits_saving("two", Change::Stays, 5 << 20));
    db.abandon_saving();
    assert!(!db.awaits_saving("two", Change::Stays, 0));
    assert!(db.take_written().is_some() && db.take_written().is_none());
    while !db.save_step(100, usize::MAX) {}
    drop(db.end_saving());
    db.check_invariants();
}

#[test]
fn a_long_key_makes_no_long_string() {
    let key = vec![b'k'; 3 << 20];
    let mut db = Database::new();
    set(&mut db, &key, b"12");
    let expected = values(&db);
    for changes in [false, true] {
        db.begin_saving(0, OPTIONS);
        if changes {
            assert!(!db.awaits_saving(&key, Change::Moves, 0) && db.delete(&key));
        }
        let mut written = Written::default();
        while !db.save_step(20, usize::MAX) {
            written.take(&mut db);
        }
        written.take(&mut db);
        drop(db.end_saving());
        assert!(written.values() == expected);
    }
}
