//! Sets against a set of the standard library; the rules by which they change their encoding.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;

type Model = BTreeSet<Vec<u8>>;

const LIMITS: SetLimits =
    SetLimits { intset_entries_max: 512, listpack_entries_max: 128, listpack_value_bytes_max: 64 };

fn set_of(members: impl IntoIterator<Item = impl ToString>) -> Set {
    let mut set = Set::for_members(b"1", 1, &LIMITS);
    for member in members {
        set.insert(member.to_string().as_bytes(), &LIMITS);
    }
    set
}

fn name(set: &Set) -> &'static str {
    set.as_ref().encoding().name()
}

#[test]
fn the_first_member_and_their_number_choose_the_encoding() {
    for (first, members, expected) in [
        ("1", 1, "intset"),
        ("1", 512, "intset"),
        ("1", 513, "hashtable"),
        ("a", 128, "listpack"),
        ("a", 129, "hashtable"),
        ("01", 1, "listpack"),
    ] {
        assert_eq!(name(&Set::for_members(first.as_bytes(), members, &LIMITS)), expected, "{first} and {members}");
    }
    let few = SetLimits { intset_entries_max: 4, ..LIMITS };
    assert_eq!(name(&Set::for_members(b"1", 5, &few)), "listpack");
}

#[test]
fn many_members_at_once_make_a_table() {
    for (member, members, expected) in
        [("1", 512, "intset"), ("1", 513, "hashtable"), ("a", 128, "listpack"), ("a", 129, "hashtable")]
    {
        let mut set = set_of([member]);
        set.prepare(members, &LIMITS);
        assert_eq!((name(&set), set.as_ref().len()), (expected, 1), "{member} and {members} more");
    }
}

#[test]
fn an_intset_with_too_many_integers_is_a_table() {
    let mut set = set_of(0..512);
    assert_eq!(name(&set), "intset");
    assert!(!set.insert(b"511", &LIMITS));
    assert_eq!(name(&set), "intset");
    assert!(set.insert(b"512", &LIMITS));
    assert_eq!((name(&set), set.as_ref().len()), ("hashtable", 513));
    assert!(set.remove(b"512"));
    assert_eq!(name(&set), "hashtable");
}

#[test]
fn an_intset_that_gets_a_word_is_a_listpack_if_it_may_be() {
    let long = "x".repeat(65);
    for (integers, word, expected) in [
        (127, "word", "listpack"),
        (128, "word", "hashtable"),
        (3, &long[..64], "listpack"),
        (3, &long[..], "hashtable"),
    ] {
        let mut set = set_of(0..integers);
        assert!(set.insert(word.as_bytes(), &LIMITS));
        assert_eq!((name(&set), set.as_ref().len()), (expected, integers as usize + 1));
        assert!(set.as_ref().contains(word.as_bytes()) && set.as_ref().contains(b"2"));
    }
    let short = SetLimits { listpack_value_bytes_max: 4, ..LIMITS };
    for (number, expected) in [("9999", "listpack"), ("-9999", "hashtable"), ("10000", "hashtable")] {
        let mut set = set_of(["1", number, "17"]);
        assert!(set.insert(b"word", &short));
        assert_eq!(name(&set), expected, "{number} as a member");
    }
}

#[test]
fn a_listpack_becomes_a_table_when_it_may_not_take_a_member() {
    let mut set = set_of((0..128).map(|number| format!("m{number}")));
    assert_eq!(name(&set), "listpack");
    assert!(!set.insert(b"m5", &LIMITS));
    assert_eq!(name(&set), "listpack");
    assert!(set.insert(b"one more", &LIMITS));
    assert_eq!((name(&set), set.as_ref().len()), ("hashtable", 129));
    let mut set = set_of(["a"]);
    assert!(set.insert(&[b'x'; 64], &LIMITS));
    assert_eq!(name(&set), "listpack");
    assert!(set.insert(&[b'x'; 65], &LIMITS));
    assert_eq!((name(&set), set.as_ref().len()), ("hashtable", 3));
}

#[test]
fn a_computed_set_of_integers_is_an_intset() {
    let mut set = set_of(["word", "7", "-3", "500000"]);
    set.compact(&LIMITS);
    assert_eq!(name(&set), "listpack");
    set.remove(b"word");
    set.compact(&LIMITS);
    assert_eq!(name(&set), "intset");
    let members: Vec<_> = set.as_ref().iter().map(Item::to_vec).collect();
    assert_eq!(members, [b"-3".to_vec(), b"7".to_vec(), b"500000".to_vec()]);
    let mut large = set_of((0..513).map(|number| number * 1000));
    large.compact(&LIMITS);
    assert_eq!(name(&large), "hashtable");
}

#[test]
fn payloads_with_a_member_twice_are_refused() {
    let Set::Packed(bytes) = set_of(["a", "b"]) else { panic!("a listpack") };
    assert!(Set::from_packed(bytes.clone(), &SetLimits::default()).is_ok());
    let mut twice = bytes.clone();
    crate::encoding::listpack::push_back(&mut twice, b"a");
    assert!(Set::from_packed(twice, &SetLimits::default()).is_err());
    assert!(
        Set::from_packed(bytes[1..].to_vec(), &SetLimits::default()).is_err()
            && Set::from_intset(bytes, &SetLimits::default()).is_err()
    );
    let Set::Intset(bytes) = set_of([5, 6]) else { panic!("an intset") };
    assert!(Set::from_intset(bytes, &SetLimits::default()).is_ok_and(|set| set.as_ref().contains(b"6")));
}

/// What is done to a set and to its model.
#[derive(Clone, Debug)]
enum Op {
    Insert(Vec<u8>),
    Remove(Vec<u8>),
    Pop(usize),
    Reload,
}

fn random_op(rng: &mut StdRng, round: u32) -> Op {
    let number = rng.random_range(0..[60, 300, 1_500][round as usize % 3]);
    let member = match (round / 3) % 3 {
        0 => (number * 1_000 - 3_000).to_string(),
        1 => format!("member:{number}"),
        _ if number % 5 < 4 => number.to_string(),
        _ => format!("{number}:{}", "x".repeat(number as usize % 80)),
    };
    match rng.random_range(0..20) {
        0 => Op::Pop(rng.random_range(0..20)),
        1..7 => Op::Remove(member.into_bytes()),
        7 if rng.random_bool(0.1) => Op::Reload,
        _ => Op::Insert(member.into_bytes()),
    }
}

fn apply(op: &Op, set: &mut Set, model: &mut Model, rng: &mut StdRng) {
    match op {
        Op::Insert(member) => {
            if model.is_empty() {
                *set = Set::for_members(member, 1, &LIMITS);
            }
            assert_eq!(set.insert(member, &LIMITS), model.insert(member.clone()));
        }
        Op::Remove(member) => assert_eq!(set.remove(member), model.remove(member)),
        Op::Pop(count) => {
            let before = model.len();
            set.pop(*count, rng, |member| assert!(model.remove(&member.to_vec())));
            assert_eq!(before - model.len(), before.min(*count));
        }
        Op::Reload => {
            let copy = match set.clone() {
                Set::Intset(bytes) => Set::from_intset(bytes, &SetLimits::default()).unwrap(),
                Set::Packed(bytes) => Set::from_packed(bytes, &SetLimits::default()).unwrap(),
                large @ Set::Large(_) => large,
            };
            assert_eq!(*set, copy);
            *set = copy;
        }
    }
}

fn check(set: &Set, model: &Model, rng: &mut StdRng) {
    set.check_invariants();
    let view = set.as_ref();
    assert_eq!((view.len(), view.is_empty()), (model.len(), model.is_empty()));
    assert_eq!(view.iter().map(Item::to_vec).collect::<Model>(), *model);
    assert!(model.iter().all(|member| view.contains(member) && view.contains_item(Item::Bytes(member))));
    assert!(!view.contains(b"missing") && !view.contains(b"-99999"));
    let (mut scanned, mut cursor) = (Model::new(), 0);
    loop {
        cursor = view.scan(cursor, |member| assert!(scanned.insert(member.to_vec())));
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(scanned, *model);
    let count = rng.random_range(0..model.len() + 10);
    let mut chosen = Model::new();
    view.random_distinct(count, rng, |member| assert!(chosen.insert(member.to_vec())));
    assert!(chosen.len() == count.min(model.len()) && chosen.is_subset(model));
    let mut repeated = 0;
    view.random_repeated(count, rng, |member| repeated += usize::from(model.contains(&member.to_vec())));
    assert_eq!(repeated, if model.is_empty() { 0 } else { count });
    assert_eq!(view.random(rng).is_some(), !model.is_empty());
}

#[test]
fn every_edit_does_what_it_does_to_a_set() {
    let mut names = BTreeSet::new();
    for round in 0..18 {
        let mut rng = StdRng::seed_from_u64(u64::from(round));
        let (mut set, mut model) = (Set::for_members(b"a", 1, &LIMITS), Model::new());
        for step in 0..3_000 {
            let op = random_op(&mut rng, round);
            apply(&op, &mut set, &mut model, &mut rng);
            names.insert(name(&set));
            if step % 50 == 0 {
                check(&set, &model, &mut rng);
            }
        }
        check(&set, &model, &mut rng);
        assert_eq!(set.as_ref().to_owned(), set);
        while set.free_some(50) > 0 {}
        assert!(set.as_ref().is_empty());
    }
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["hashtable", "intset", "listpack"]);
}

/// Each of the three ways to draw, on each encoding, gives each member its share.
#[test]
fn draws_are_uniform() {
    let sets = [set_of(0..40), set_of((0..40).map(|number| format!("m{number}"))), set_of((0..600).map(|n| n * 7))];
    for set in sets {
        let (mut rng, view) = (StdRng::seed_from_u64(11), set.as_ref());
        let (members, rounds) = (view.len(), 300);
        for way in 0..4 {
            let mut counts = BTreeMap::new();
            let mut note = |item: Item<'_>| *counts.entry(item.to_vec()).or_insert(0_u32) += 1;
            for _ in 0..rounds {
                match way {
                    0 => (0..members / 4).filter_map(|_| view.random(&mut rng)).for_each(&mut note),
                    1 => view.random_distinct(members / 4, &mut rng, &mut note),
                    2 => view.random_repeated(members / 4, &mut rng, &mut note),
                    _ => set.clone().pop(members / 4, &mut rng, &mut note),
                }
            }
            let expected = f64::from(rounds) * (members / 4) as f64 / members as f64;
            let sum: f64 = counts.values().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
            let freedom = members as f64 - 1.0;
            assert!(counts.len() == members && sum < freedom + 5.0 * (2.0 * freedom).sqrt(), "way {way}: {sum}");
        }
    }
}
