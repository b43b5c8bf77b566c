//! A ranked set against sorted vectors.

use std::collections::BTreeMap;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;

/// What a ranked set is supposed to be: members with scores, sorted when asked.
#[derive(Default)]
struct Model(BTreeMap<Vec<u8>, f64>);

impl Model {
    fn sorted(&self) -> Vec<(Vec<u8>, f64)> {
        let mut records: Vec<_> = self.0.iter().map(|(member, &score)| (member.clone(), score)).collect();
        records.sort_by(|one, other| compare((one.1, &one.0), (other.1, &other.0)));
        records
    }
}

/// An edit of a set.
#[derive(Debug)]
enum Op {
    /// Insert, or change the score.
    Put(Vec<u8>, f64),
    Remove(Vec<u8>),
    RemoveRanks(usize, usize),
}

/// How a run draws members, scores and edits.
#[derive(Clone, Copy, Debug)]
struct Taste {
    members: u32,
    scores: u32,
    long_members: bool,
    /// Out of 100 edits, how many insert.
    growth: u32,
}

fn member(rng: &mut SmallRng, taste: Taste) -> Vec<u8> {
    let number = rng.random_range(0..taste.members);
    let mut member = format!("member:{number}").into_bytes();
    if taste.long_members {
        // The length depends on the number, so that a member drawn again is the same.
        let len = [0, 3, 40, 243, 250, 300, 2_000][number as usize % 7];
        member.splice(0..0, std::iter::repeat_n(b'm', len));
    }
    member
}

fn score(rng: &mut SmallRng, taste: Taste) -> f64 {
    match rng.random_range(0..40) {
        0 => f64::INFINITY,
        1 => f64::NEG_INFINITY,
        2 => -0.0,
        _ => f64::from(rng.random_range(0..taste.scores)) - 3.0,
    }
}

fn op(rng: &mut SmallRng, taste: Taste, len: usize) -> Op {
    match rng.random_range(0..100) {
        draw if draw < taste.growth => Op::Put(member(rng, taste), score(rng, taste)),
        draw if draw < 99 => Op::Remove(member(rng, taste)),
        _ => {
            let start = rng.random_range(0..=len);
            Op::RemoveRanks(start, start + rng.random_range(0..=len / 4 + 1))
        }
    }
}

fn apply(set: &mut Ranked, model: &mut Model, op: Op) {
    match op {
        Op::Put(member, score) => {
            let old = model.0.insert(member.clone(), score);
            assert_eq!(set.update(&member, score), old);
            if old.is_none() {
                set.insert(&member, score);
            }
        }
        Op::Remove(member) => assert_eq!(set.remove(&member), model.0.remove(&member)),
        Op::RemoveRanks(start, end) => {
            let sorted = model.sorted();
            let gone = &sorted[start.min(sorted.len())..end.min(sorted.len())];
            let mut told = Vec::new();
            set.remove_ranks(start..end, |member, score| told.push((member.to_vec(), score)));
            assert_eq!(told, gone);
            model.0.retain(|member, _| !gone.iter().any(|record| record.0 == *member));
        }
    }
}

fn owned<'a>(records: impl Iterator<Item = (&'a [u8], f64)>) -> Vec<(Vec<u8>, f64)> {
    records.map(|(member, score)| (member.to_vec(), score)).collect()
}

fn compare_reads(set: &Ranked, model: &Model, rng: &mut SmallRng, taste: Taste) {
    let sorted = model.sorted();
    assert_eq!(set.len(), sorted.len());
    assert_eq!(owned(set.records(0..usize::MAX)), sorted);
    let mut backwards = owned(set.records(0..sorted.len()).rev());
    backwards.reverse();
    assert_eq!(backwards, sorted);
    for _ in 0..8 {
        let member = member(rng, taste);
        let rank = sorted.iter().position(|record| record.0 == member);
        assert_eq!(set.rank(&member), rank.map(|rank| (rank, sorted[rank].1)));
        let limit = score(rng, taste);
        assert_eq!(set.rank_of_cut(Cut::BeforeScore(limit)), sorted.partition_point(|record| record.1 < limit));
        assert_eq!(set.rank_of_cut(Cut::AfterScore(limit)), sorted.partition_point(|record| record.1 <= limit));
        let start = rng.random_range(0..=sorted.len());
        let end = rng.random_range(start..=sorted.len());
        assert_eq!(owned(set.records(start..end).take(40)), sorted[start..end.min(start + 40)]);
        let skip = rng.random_range(0..40);
        assert_eq!(
            owned(set.records(start..end).nth(skip).into_iter()),
            sorted[start..end].iter().skip(skip).take(1).cloned().collect::<Vec<_>>()
        );
        assert_eq!(
            owned(set.records(start..end).rev().nth(skip).into_iter()),
            sorted[start..end].iter().rev().skip(skip).take(1).cloned().collect::<Vec<_>>()
        );
    }
    assert_eq!((set.rank_of_cut(Cut::Start), set.rank_of_cut(Cut::End)), (0, sorted.len()));
}

fn run(seed: u64, taste: Taste, ops: usize) {
    let mut rng = SmallRng::seed_from_u64(seed);
    let (mut set, mut model) = (Ranked::default(), Model::default());
    let mut taste = taste;
    for number in 0..ops {
        if number % (ops / 4) == ops / 4 - 1 {
            taste.growth = 120 - taste.growth;
        }
        let op = op(&mut rng, taste, set.len());
        apply(&mut set, &mut model, op);
        if number % 16 == 0 {
            set.check_invariants();
        }
        if number % 256 == 0 {
            compare_reads(&set, &model, &mut rng, taste);
        }
    }
    set.check_invariants();
    set.clone().check_invariants();
    compare_reads(&set, &model, &mut rng, taste);
}

#[test]
fn edits_agree_with_a_sorted_vector() {
    let base = Taste { members: 3_000, scores: 1_000, long_members: false, growth: 90 };
    let tastes = [
        base,
        Taste { scores: 4, ..base },
        Taste { long_members: true, members: 700, ..base },
        Taste { long_members: true, members: 700, scores: 1, ..base },
        Taste { members: 40, growth: 60, ..base },
        Taste { members: 100_000, growth: 85, ..base },
    ];
    for (index, taste) in tastes.into_iter().enumerate() {
        for seed in 0..3 {
            run(seed * 10 + index as u64, taste, 4_000);
        }
    }
}

#[test]
fn a_set_of_three_levels_grows_and_shrinks() {
    let mut rng = SmallRng::seed_from_u64(5);
    let mut set = Ranked::default();
    let mut members: Vec<u32> = (0..120_000).collect();
    for &number in &members {
        set.insert(format!("member:{number:09}").as_bytes(), rng.random_range(0.0..1e6));
    }
    set.check_invariants();
    assert!(set.height >= 2);
    for (step, left) in [60_000, 20_000, 2_000, 10, 0].into_iter().enumerate() {
        while set.len() > left {
            if step % 2 == 0 {
                let number = members.swap_remove(rng.random_range(0..members.len()));
                set.remove(format!("member:{number:09}").as_bytes());
            } else {
                let start = rng.random_range(0..set.len());
                let end = (start + 1_000).min(start + set.len() - left);
                set.remove_ranks(start..end, |_, _| ());
            }
        }
        set.check_invariants();
        members.retain(|number| set.score(format!("member:{number:09}").as_bytes()).is_some());
        assert_eq!(members.len(), left);
    }
    assert_eq!((set.height, set.index.len()), (0, 0));
}

#[test]
fn equal_scores_are_in_the_order_of_members() {
    let mut set = Ranked::default();
    let name = |number: u32| format!("{}{number:05}", "common".repeat(10 + number as usize % 3));
    let mut names: Vec<_> = (0..5_000).map(name).collect();
    for name in &names {
        set.insert(name.as_bytes(), 7.0);
    }
    set.check_invariants();
    names.sort();
    for (rank, name) in names.iter().enumerate() {
        let name = name.as_bytes();
        assert_eq!(set.rank(name), Some((rank, 7.0)));
        assert_eq!(set.rank_of_cut(Cut::BeforeMember(name)), rank);
        assert_eq!(set.rank_of_cut(Cut::AfterMember(name)), rank + 1);
        assert_eq!(
            set.rank_of_cut(Cut::AfterMember(&name[..name.len() - 1])),
            names.partition_point(
                |other| other.as_bytes() < name && !other.as_bytes().starts_with(&name[..name.len() - 1])
            )
        );
    }
}

#[test]
fn what_is_inserted_in_order_is_packed_densely() {
    let number = |number: u32| format!("member:{number:09}");
    let mut fresh = Ranked::default();
    (0..50_000).for_each(|at| fresh.push(number(at).as_bytes(), f64::from(at)));
    let mut ascending = Ranked::default();
    (0..50_000).for_each(|at| ascending.insert(number(at).as_bytes(), f64::from(at)));
    let mut descending = Ranked::default();
    (0..50_000).rev().for_each(|at| descending.insert(number(at).as_bytes(), f64::from(at)));
    for set in [&fresh, &ascending, &descending] {
        set.check_invariants();
        assert!(set.records(0..50_000).eq(fresh.records(0..50_000)));
        let used: usize = set.leaves.values().map(Leaf::used_bytes).sum();
        assert!(used * 10 > set.leaves.len() * leaf::LEAF_BYTES_MAX * 9, "{used} bytes in {} leaves", set.leaves.len());
    }
}

#[test]
fn a_scan_sees_what_stays_while_the_set_changes() {
    for seed in 0..6 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut set = Ranked::default();
        for number in 0..9_000 {
            set.insert(format!("stays:{number}").as_bytes(), rng.random());
        }
        let mut seen = std::collections::HashSet::new();
        let (mut cursor, mut steps) = (0, 0);
        loop {
            let next = set.scan(cursor, 10, |member, _| {
                seen.insert(member.to_vec());
            });
            assert!(next == 0 || next > cursor);
            for _ in 0..20 {
                let name = format!("passes:{}", rng.random_range(0..20_000));
                if rng.random_bool(if seed % 2 == 0 { 0.9 } else { 0.3 }) {
                    if set.update(name.as_bytes(), 1.0).is_none() {
                        set.insert(name.as_bytes(), rng.random());
                    }
                } else {
                    set.remove(name.as_bytes());
                }
                let stays = format!("stays:{}", rng.random_range(0..9_000));
                assert!(set.update(stays.as_bytes(), rng.random()).is_some());
            }
            (cursor, steps) = (next, steps + 1);
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(seen.iter().filter(|member| member.starts_with(b"stays")).count(), 9_000);
        assert!(steps > 400, "a step is bounded");
        set.check_invariants();
    }
}

#[test]
fn a_scan_from_any_cursor_ends() {
    let mut set = Ranked::default();
    assert_eq!(set.scan(0, 10, |_, _| panic!("there is nothing")), 0);
    (0..5_000).for_each(|number: u32| set.insert(&number.to_le_bytes(), 0.0));
    for cursor in [1, 1 << 31, (1 << 32) - 1, 1 << 32, u64::MAX] {
        let mut cursor = cursor;
        for _ in 0..5_000 {
            cursor = set.scan(cursor, 1, |_, _| ());
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(cursor, 0);
    }
}

#[test]
fn a_set_is_freed_in_slices() {
    let mut set = Ranked::default();
    for number in 0..20_000_u32 {
        let len = if number % 10 == 0 { 400 } else { 10 };
        let mut member = vec![b'x'; len];
        member.extend_from_slice(&number.to_le_bytes());
        set.insert(&member, 1.0);
    }
    let mut slices = 0;
    while set.free_some(100) > 0 {
        slices += 1;
    }
    assert!((100..1_500).contains(&slices), "{slices} slices");
    assert_eq!((set.leaves.values().count(), set.outside.values().count(), set.index.len()), (0, 0, 0));
}
