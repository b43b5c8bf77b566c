//! Watched hashes, with a clock that is turned by hand.

use std::collections::HashMap;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::super::{Access, Database, Expiry, Key, UnixMillis};
use crate::types::OwnedValue;
use crate::types::hash::{FieldExpiry, Hash, HashLimits};

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

fn after(millis: i64) -> UnixMillis {
    UnixMillis(NOW.0 + millis)
}

fn name(number: usize) -> Vec<u8> {
    format!("field:{number}").into_bytes()
}

/// A hash of so many fields, the first of which expire at the given times.
fn hash(fields: usize, expiries: &[i64]) -> Hash {
    let mut hash = Hash::default();
    for number in 0..fields {
        hash.set(&name(number), b"value", FieldExpiry::Clear, &HashLimits::default());
    }
    for (number, millis) in expiries.iter().enumerate() {
        hash.set_field_expire(&name(number), Some(after(*millis)));
    }
    hash
}

fn store(database: &mut Database, key: &str, hash: Hash) {
    drop(database.set_value(key, OwnedValue::Hash(hash), Expiry::Clear, Access::default()));
}

/// Sets the expiry of a field as a command does.
fn expire(database: &mut Database, key: &str, field: usize, at: Option<UnixMillis>) {
    let key = Key::new(key.as_bytes());
    let Some(mut entry) = database.find_mut(key) else { return };
    let (before, after) = entry.edit(|value| {
        let OwnedValue::Hash(hash) = value else { panic!("it is a hash") };
        let before = hash.as_ref().next_field_expire();
        hash.set_field_expire(&name(field), at);
        (before, hash.as_ref().next_field_expire())
    });
    if let Some(at) = after
        && before.is_none_or(|before| at < before)
    {
        database.watch_fields(key.hash(), at);
    }
}

/// Sweeps to the end; the keys at which fields were removed, with how many, and whether the key went with them.
fn sweep(database: &mut Database, now: UnixMillis) -> Vec<(String, usize, bool)> {
    let mut swept: Vec<(String, usize, bool)> = Vec::new();
    let mut done = false;
    for _ in 0..10_000 {
        done = database.sweep_fields(now, 16, &mut |_| false, &mut |fields| {
            let key = String::from_utf8(fields.key.to_vec()).expect("keys are text");
            match swept.iter_mut().find(|(name, _, _)| *name == key) {
                Some((_, removed, gone)) => (*removed, *gone) = (*removed + fields.names.len(), fields.gone),
                None => swept.push((key, fields.names.len(), fields.gone)),
            }
        });
        database.check_invariants();
        if done {
            break;
        }
    }
    assert!(done, "a sweep ends");
    swept.sort();
    swept
}

#[test]
fn fields_go_when_they_are_due_and_the_last_one_takes_the_key_along() {
    let mut database = Database::new();
    assert!(!database.watches_fields());
    store(&mut database, "none", hash(3, &[]));
    assert!(!database.watches_fields(), "a hash without such fields is not watched");
    store(&mut database, "some", hash(3, &[10, 20]));
    store(&mut database, "all", hash(2, &[10, 30]));
    store(&mut database, "large", hash(5_000, &vec![10; 4_000]));
    assert_eq!(sweep(&mut database, after(10)), []);
    let at_eleven = [("all", 1, false), ("large", 4_000, false), ("some", 1, false)];
    assert_eq!(sweep(&mut database, after(11)), at_eleven.map(|(key, n, gone)| (key.to_owned(), n, gone)));
    assert_eq!(sweep(&mut database, after(31)), [("all".to_owned(), 1, true), ("some".to_owned(), 1, false)]);
    assert!(!database.contains("all"));
    assert_eq!(database.len(), 3);
    assert!(!database.watches_fields(), "nothing is left that expires");
}

#[test]
fn a_hash_that_is_moved_is_watched_where_it_is() {
    let (mut one, mut other) = (Database::new(), Database::new());
    store(&mut one, "key", hash(2, &[10]));
    let detached = one.take("key").expect("it was stored");
    drop(other.put("renamed", detached));
    let copy = other.copy("renamed").expect("it was put in");
    drop(other.put("copied", copy));
    assert_eq!(sweep(&mut one, after(11)), []);
    assert!(!one.watches_fields(), "the watch has found nothing");
    assert_eq!(sweep(&mut other, after(11)), [("copied".to_owned(), 1, false), ("renamed".to_owned(), 1, false)]);
    store(&mut other, "late", hash(1, &[100]));
    drop(other.clear());
    assert!(!other.watches_fields());
}

#[test]
fn what_is_claimed_is_left_alone() {
    let mut database = Database::new();
    store(&mut database, "claimed", hash(1, &[10]));
    store(&mut database, "free", hash(1, &[10]));
    let claimed = Key::new(b"claimed").hash();
    let mut gone = Vec::new();
    assert!(database.sweep_fields(after(11), 16, &mut |hash| hash == claimed, &mut |fields| {
        gone.push(fields.key.to_vec());
    }));
    assert_eq!(gone, [b"free"]);
    assert!(database.contains("claimed"));
    assert_eq!(sweep(&mut database, after(11)), [("claimed".to_owned(), 1, true)]);
}

#[test]
fn watches_that_say_nothing_are_forgotten() {
    let mut database = Database::new();
    store(&mut database, "key", hash(2, &[]));
    for round in 0..100_000 {
        expire(&mut database, "key", 0, Some(after(1_000_000 + round)));
        expire(&mut database, "key", 0, None);
    }
    assert!(database.watches.heap.len() <= super::WATCHES_FREE);
    database.check_invariants();
}

#[test]
fn random_changes_leave_every_field_to_its_time() {
    const KEYS: usize = 40;
    let mut rng = SmallRng::seed_from_u64(7);
    let mut database = Database::new();
    let mut model: HashMap<(usize, usize), Option<UnixMillis>> = HashMap::new();
    let mut now = NOW;
    for _ in 0..20_000 {
        let key = rng.random_range(0..KEYS);
        let key_name = key.to_string();
        match rng.random_range(0..10) {
            0 => {
                let fields = if rng.random_range(0..4) == 0 { 300 } else { 4 };
                store(&mut database, &key_name, hash(fields, &[]));
                model.retain(|(of, _), _| *of != key);
                model.extend((0..fields).map(|field| ((key, field), None)));
            }
            1 => {
                database.delete(&key_name);
                model.retain(|(of, _), _| *of != key);
            }
            2 => {
                now = UnixMillis(now.0 + rng.random_range(0..50));
                sweep(&mut database, now);
                model.retain(|_, at| at.is_none_or(|at| !at.is_past(now)));
                let stored: usize = (0..KEYS)
                    .filter_map(|key| database.find(&key.to_string()))
                    .map(|entry| entry.value().items())
                    .sum();
                assert_eq!(stored, model.len());
            }
            _ => {
                let field = rng.random_range(0..4);
                let at = rng.random_bool(0.8).then(|| UnixMillis(now.0 + rng.random_range(1..500)));
                expire(&mut database, &key_name, field, at);
                if let Some(expiry) = model.get_mut(&(key, field)) {
                    *expiry = at;
                }
            }
        }
    }
    database.check_invariants();
}
