//! Lists against a deque of the standard library, and the limits at which they change their encoding.

use std::collections::VecDeque;

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::*;

type Bytes = Vec<u8>;

#[derive(Clone, Debug)]
enum Op {
    Push(End, Vec<Bytes>),
    Pop(End, usize),
    Set(i64, Bytes),
    Insert(Bytes, Side, Bytes),
    Remove(Bytes, i64),
    Trim(i64, i64),
    /// CONFIG SET
    Limits(i32, u32),
    /// Through the nodes, as a snapshot does.
    Reload,
    Read,
}

struct Pair {
    list: List,
    model: VecDeque<Bytes>,
    limits: ListLimits,
    rng: SmallRng,
    /// How large elements are, about.
    scale: usize,
}

impl Pair {
    fn new(seed: u64) -> Self {
        let rng = SmallRng::seed_from_u64(seed);
        let scale = [4, 30, 400, 3_000][seed as usize % 4];
        Self { list: List::new(), model: VecDeque::new(), limits: ListLimits::default(), rng, scale }
    }

    fn element(&mut self) -> Bytes {
        let rng = &mut self.rng;
        match rng.random_range(0..100) {
            0 => vec![b'L'; rng.random_range(5_000..20_000)],
            1..40 => rng.random_range(-40..40_i64).to_string().into_bytes(),
            40..45 => rng.random::<i64>().to_string().into_bytes(),
            45 => Vec::new(),
            46..70 => vec![b'x'; rng.random_range(0..self.scale)],
            _ => (0..rng.random_range(0..self.scale)).map(|_| rng.random()).collect(),
        }
    }

    /// An element that is there, as a rule.
    fn known(&mut self) -> Bytes {
        if self.model.is_empty() || self.rng.random_bool(0.1) {
            return self.element();
        }
        let index = self.rng.random_range(0..self.model.len());
        self.model[index].clone()
    }

    fn index(&mut self) -> i64 {
        let len = self.model.len() as i64;
        self.rng.random_range(-len - 2..=len + 2)
    }

    fn op(&mut self) -> Op {
        let end = if self.rng.random() { End::Head } else { End::Tail };
        match self.rng.random_range(0..100) {
            0..36 => {
                let count = if self.rng.random_bool(0.1) { 60 } else { self.rng.random_range(1..4) };
                Op::Push(end, (0..count).map(|_| self.element()).collect())
            }
            36..50 => Op::Pop(end, [1, 1, 2, 5, 90][self.rng.random_range(0..5)]),
            50..60 => Op::Set(self.index(), self.element()),
            60..78 => {
                let side = if self.rng.random() { Side::Before } else { Side::After };
                Op::Insert(self.known(), side, self.element())
            }
            78..86 => Op::Remove(self.known(), self.rng.random_range(-3..4)),
            86..88 => {
                let (first, last) = (self.index(), self.index());
                if self.rng.random_bool(0.7) { Op::Trim(first.min(3), last.max(-4)) } else { Op::Trim(first, last) }
            }
            88..90 => {
                let size = [-1, -2, -5, -2, 1, 3, 64, 0][self.rng.random_range(0..8)];
                Op::Limits(size, [0, 0, 1, 2][self.rng.random_range(0..4)])
            }
            90..92 => Op::Reload,
            _ => Op::Read,
        }
    }

    fn apply(&mut self, op: Op) {
        let limits = self.limits;
        match op {
            Op::Push(end, elements) => {
                self.list.push(end, elements.iter().map(Vec::as_slice), limits);
                for element in elements {
                    match end {
                        End::Head => self.model.push_front(element),
                        End::Tail => self.model.push_back(element),
                    }
                }
            }
            Op::Pop(end, count) => {
                let mut popped = Vec::new();
                let number = self.list.pop_each(end, count, limits, |item| popped.push(item.to_vec()));
                let pop =
                    |model: &mut VecDeque<Bytes>| if end == End::Head { model.pop_front() } else { model.pop_back() };
                let model: Vec<Bytes> = (0..count).map_while(|_| pop(&mut self.model)).collect();
                assert_eq!((number, popped), (model.len(), model));
            }
            Op::Set(index, element) => {
                let at = absolute(index, self.model.len());
                assert_eq!(self.list.set(index, &element, limits), at.is_some());
                if let Some(at) = at {
                    self.model[at] = element;
                }
            }
            Op::Insert(pivot, side, element) => {
                let at = self.model.iter().position(|other| *other == pivot);
                assert_eq!(self.list.insert(&pivot, side, &element, limits), at.is_some());
                if let Some(at) = at {
                    self.model.insert(at + usize::from(side == Side::After), element);
                }
            }
            Op::Remove(value, count) => {
                let removed = self.list.remove(&value, Removal::new(count), limits);
                assert_eq!(removed, remove_from_model(&mut self.model, &value, count));
            }
            Op::Trim(first, last) => {
                let kept = self.list.as_ref().range(first, last);
                assert_eq!(kept, model_range(first, last, self.model.len()));
                let before = self.list.as_ref().len();
                let cut_off = self.list.trim(kept.clone(), limits);
                assert!(cut_off.as_ref().map_or(0, |list| list.len()) <= before - kept.len());
                if let Some(mut cut_off) = cut_off {
                    cut_off.check_invariants();
                    while !cut_off.free_some(2) {}
                }
                self.model = self.model.drain(kept).collect();
            }
            Op::Limits(size, depth) => self.limits = ListLimits::new(size, depth),
            Op::Reload => self.reload(),
            Op::Read => self.read(),
        }
    }

    fn reload(&mut self) {
        let mut builder = ListBuilder::new(self.limits);
        for node in self.list.as_ref().nodes() {
            match node {
                NodeContents::Listpack(bytes) => builder.push_listpack(bytes.into_owned()).expect("it is well-formed"),
                NodeContents::Plain(element) => builder.push_plain(element.into_owned()),
            }
        }
        let list = builder.finish();
        assert_eq!(list, self.list);
        assert_eq!(self.list.as_ref().node_count(), self.list.as_ref().nodes().count());
        self.list = list;
    }

    fn read(&mut self) {
        let index = self.index();
        let expected = absolute(index, self.model.len()).map(|at| &self.model[at]);
        let list = self.list.as_ref();
        assert_eq!(list.element(index).map(|element| element.item().to_vec()).as_ref(), expected);
        let skip = self.rng.random_range(0..=self.model.len() + 1);
        for from in [End::Head, End::Tail] {
            let mut walk = list.walk(from, skip);
            for step in 0..=self.model.len().saturating_sub(skip) {
                let behind = self.model.len().checked_sub(skip + step + 1);
                let at = if from == End::Head { behind.map(|_| skip + step) } else { behind };
                assert_eq!(walk.next().map(Item::to_vec).as_ref(), at.map(|at| &self.model[at]));
            }
        }
        let value = self.known();
        for from in [End::Head, End::Tail] {
            let (skip, count) = (self.rng.random_range(0..3), self.rng.random_range(0..3));
            let compared_max = [0, 1, 10, 1_000][self.rng.random_range(0..4)];
            let found = self.list.as_ref().positions(Search { value: &value, from, skip, count, compared_max });
            let mut order: Vec<usize> = (0..self.model.len()).collect();
            if from == End::Tail {
                order.reverse();
            }
            let unlimited = |max: usize| if max == 0 { usize::MAX } else { max };
            order.truncate(unlimited(compared_max));
            let matches = order.into_iter().filter(|at| self.model[*at] == value).skip(skip);
            assert_eq!(found, matches.take(unlimited(count)).collect::<Vec<_>>());
        }
    }

    fn check(&self) {
        self.list.check_invariants();
        assert_eq!(self.list.as_ref().len(), self.model.len());
        let mut walk = self.list.as_ref().walk(End::Head, 0);
        for element in &self.model {
            assert!(walk.next().is_some_and(|item| item.eq_bytes(element)));
        }
        assert!(walk.next().is_none());
    }
}

fn absolute(index: i64, len: usize) -> Option<usize> {
    let at = if index < 0 { index + len as i64 } else { index };
    usize::try_from(at).ok().filter(|at| *at < len)
}

fn model_range(first: i64, last: i64, len: usize) -> std::ops::Range<usize> {
    let is_in = |at: &usize| {
        let (at, len) = (*at as i64, len as i64);
        (if first < 0 { first + len } else { first }) <= at && at <= (if last < 0 { last + len } else { last })
    };
    let kept: Vec<usize> = (0..len).filter(is_in).collect();
    kept.first().map_or(0..0, |first| *first..first + kept.len())
}

fn remove_from_model(model: &mut VecDeque<Bytes>, value: &[u8], count: i64) -> usize {
    let mut equal: Vec<usize> = (0..model.len()).filter(|at| model[*at] == value).collect();
    if count < 0 {
        equal.reverse();
    }
    if count != 0 {
        equal.truncate(count.unsigned_abs() as usize);
    }
    equal.sort_unstable();
    for at in equal.iter().rev() {
        model.remove(*at);
    }
    equal.len()
}

#[test]
fn lists_agree_with_a_deque() {
    let mut encodings = [0, 0];
    for seed in 0..60 {
        let mut pair = Pair::new(seed);
        for _ in 0..700 {
            let op = pair.op();
            pair.apply(op);
            pair.check();
            encodings[usize::from(matches!(pair.list, List::Large(_)))] += 1;
        }
    }
    assert!(encodings.iter().all(|count| *count > 5_000), "{encodings:?}");
}

fn pushed(limits: ListLimits, count: usize, bytes: usize) -> List {
    let mut list = List::new();
    for _ in 0..count {
        list.push(End::Tail, std::iter::once(&vec![b'x'; bytes][..]), limits);
    }
    list
}

fn encoding(list: &List) -> &'static str {
    list.as_ref().encoding()
}

/// The very element at which Redis 7.2 converts: header and end are 7 bytes, an element of 20 bytes takes 22, and the
/// element to come counts with its length alone.
#[test]
fn lists_become_large_where_those_of_redis_do() {
    let limits = ListLimits::default();
    let fits = (8_192 - 7 - 20) / 22 + 1;
    assert_eq!(encoding(&pushed(limits, fits, 20)), "listpack");
    assert_eq!(encoding(&pushed(limits, fits + 1, 20)), "quicklist");
    let counted = ListLimits::new(128, 0);
    assert_eq!(encoding(&pushed(counted, 128, 3)), "listpack");
    assert_eq!(encoding(&pushed(counted, 129, 3)), "quicklist");
    // Where elements are counted, 8 KiB are the limit all the same.
    assert_eq!(encoding(&pushed(counted, 100, 100)), "quicklist");
    // All elements of one command are judged together.
    let mut list = List::new();
    list.push(End::Head, vec![&[b'x'; 100][..]; 82].into_iter(), limits);
    assert_eq!(encoding(&list), "quicklist");
}

#[test]
fn lists_are_packed_again_at_half_the_limit() {
    let limits = ListLimits::new(10, 0);
    let mut list = pushed(limits, 11, 3);
    assert_eq!(encoding(&list), "quicklist");
    for left in (0..11).rev() {
        list.pop(End::Tail, limits);
        assert_eq!(encoding(&list), if left > 5 { "quicklist" } else { "listpack" }, "{left} left");
    }
    for end_of_range in [3, 4, 5, 6] {
        let mut list = pushed(limits, 11, 3);
        list.trim(0..end_of_range, limits);
        assert_eq!(encoding(&list), if end_of_range > 5 { "quicklist" } else { "listpack" });
    }
    let mut list = pushed(ListLimits::default(), 1, 9_000);
    assert_eq!(encoding(&list), "quicklist");
    assert!(list.set(0, b"small", ListLimits::default()));
    assert_eq!(encoding(&list), "listpack");
}

#[test]
fn inner_nodes_are_compressed_and_the_ends_are_not() {
    let limits = ListLimits::new(-1, 2);
    let compressed = |list: &List| match list {
        List::Large(large) => large.spots().iter_from(0).map(node::Node::is_compressed).collect::<Vec<_>>(),
        List::Packed(_) => panic!("the list is large"),
    };
    let mut list = pushed(limits, 20_000, 16);
    let expected = |nodes: usize| (0..nodes).map(|at| at >= 2 && at + 2 < nodes).collect::<Vec<_>>();
    assert_eq!(compressed(&list), expected(compressed(&list).len()));
    assert!(compressed(&list).len() > 50);
    let plain_bytes = pushed(ListLimits::new(-1, 0), 20_000, 16).heap_bytes();
    assert!(list.heap_bytes() * 5 < plain_bytes);

    for _ in 0..2_000 {
        list.pop(End::Head, limits);
        list.pop(End::Tail, limits);
    }
    assert_eq!(compressed(&list), expected(compressed(&list).len()));
    assert!(list.set(8_000, b"in the middle", limits));
    assert_eq!(list.as_ref().element(8_000).expect("it is there").item().to_vec(), b"in the middle");
    assert_eq!(compressed(&list), expected(compressed(&list).len()));
    list.trim(3_000..12_000, limits);
    assert_eq!(compressed(&list), expected(compressed(&list).len()));
    list.check_invariants();
}

/// Chunks of nodes are cut and joined: one element a node, and many of them.
#[test]
fn many_nodes_stay_in_order() {
    let limits = ListLimits::new(1, 0);
    let mut rng = SmallRng::seed_from_u64(3);
    let (mut list, mut model) = (List::new(), Vec::new());
    for number in 0..3_000 {
        let text = format!("element {number}").into_bytes();
        if number < 5 {
            list.push(End::Tail, std::iter::once(&text[..]), limits);
            model.push(text);
            continue;
        }
        let at = rng.random_range(0..model.len());
        assert!(list.insert(&model[at], Side::After, &text, limits));
        model.insert(at + 1, text);
    }
    list.check_invariants();
    while model.len() > 10 {
        let value = model.choose(&mut rng).expect("it is not empty").clone();
        assert_eq!(list.remove(&value, Removal::new(1), limits), 1);
        model.retain(|other| *other != value);
        if model.len() % 250 == 0 {
            list.check_invariants();
            for (index, expected) in model.iter().enumerate() {
                let element = list.as_ref().element(index as i64).expect("it is there");
                assert_eq!(element.item().to_vec(), *expected);
            }
        }
    }
    list.check_invariants();
}

#[test]
fn a_builder_takes_only_what_is_well_formed() {
    let mut builder = ListBuilder::new(ListLimits::default());
    let good = pushed(ListLimits::default(), 5, 3);
    let List::Packed(bytes) = &good else { panic!("it is small") };
    let mut damaged = bytes.clone();
    damaged[6] = 0xff;
    assert!(builder.push_listpack(damaged).is_err());
    assert_eq!(builder.push_listpack(crate::encoding::listpack::create()), Ok(()));
    assert_eq!(builder.push_listpack(bytes.clone()), Ok(()));
    assert_eq!(builder.finish(), good);
    assert!(ListBuilder::new(ListLimits::default()).finish().as_ref().is_empty());
}

/// Bytes per element at a million elements of 20 bytes, by the list's own counting.
#[test]
fn a_long_list_is_dense() {
    let mut list = pushed(ListLimits::default(), 1_000_000, 20);
    let bytes = list.heap_bytes();
    assert!(bytes as f64 / 1e6 < 22.3, "{bytes} bytes for a million elements");
    // A full node does not grow when an element is replaced by one of the same size.
    for index in (0..1_000_000).step_by(1_000) {
        assert!(list.set(index, &[b'y'; 20], ListLimits::default()));
    }
    assert_eq!(list.heap_bytes(), bytes);
    let small = pushed(ListLimits::default(), 100, 20);
    let List::Packed(bytes) = &small else { panic!("it is small") };
    assert_eq!(bytes.len(), 100 * 22 + 7);
}

#[test]
fn small_elements_stand_alone_where_the_limits_say_so() {
    let limits = ListLimits::default().with_plain_from(5);
    let mut list = List::new();
    list.push(End::Tail, [b"ab".as_slice(), b"abcde", b"cd"].into_iter(), limits);
    let is_plain = |node: NodeContents<'_>| matches!(node, NodeContents::Plain(_));
    assert_eq!(list.as_ref().nodes().map(is_plain).collect::<Vec<_>>(), [false, true, false]);
    list.check_invariants();
    assert!(list.set(1, b"x", limits));
    assert!(!list.as_ref().nodes().any(is_plain));
    assert_eq!(list.as_ref().len(), 3);
}
