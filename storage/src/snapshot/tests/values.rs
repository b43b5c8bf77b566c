//! Values of all types, there and back.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::super::*;
use crate::keyspace::UnixMillis;
use crate::types::hash::{FieldExpiry, Hash};
use crate::types::list::{End, List};
use crate::types::set::Set;
use crate::types::stream::{Claim, NewId, Stream, StreamId};
use crate::types::string::OwnedString;
use crate::types::zset::ZSet;
use crate::types::{Limits, OwnedValue};

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

fn text(rng: &mut SmallRng) -> Vec<u8> {
    match rng.random_range(0..12) {
        0..4 => rng.random_range(-300..300_i64).to_string().into_bytes(),
        4 | 5 => (rng.random::<i64>() >> rng.random_range(0..64)).to_string().into_bytes(),
        6 => vec![b'a' + rng.random_range(0..26); rng.random_range(0..400)],
        _ => (0..rng.random_range(0..30)).map(|_| rng.random()).collect(),
    }
}

fn list(rng: &mut SmallRng, items: usize, limits: &Limits) -> OwnedValue {
    let mut list = List::new();
    for _ in 0..items {
        list.push(End::Tail, std::iter::once(&text(rng)[..]), limits.list);
    }
    if items > 50 {
        list.push(End::Head, std::iter::once(&vec![b'x'; 20_000][..]), limits.list);
    }
    OwnedValue::List(list)
}

fn hash(rng: &mut SmallRng, items: usize, expiring: bool, limits: &Limits) -> OwnedValue {
    let mut hash = Hash::default();
    for _ in 0..items {
        let name = text(rng);
        hash.set(&name, &text(rng), FieldExpiry::Keep, &limits.hash);
        if expiring && rng.random() {
            hash.set_field_expire(&name, Some(UnixMillis(rng.random_range(1..1 << 48))));
        }
    }
    OwnedValue::Hash(hash)
}

fn set(rng: &mut SmallRng, items: usize, integers: bool, limits: &Limits) -> OwnedValue {
    let mut set = Set::default();
    for _ in 0..items {
        let member = if integers { rng.random::<i32>().to_string().into_bytes() } else { text(rng) };
        set.insert(&member, &limits.set);
    }
    OwnedValue::Set(set)
}

fn sorted_set(rng: &mut SmallRng, items: usize, limits: &Limits) -> OwnedValue {
    let mut set = ZSet::default();
    for _ in 0..items {
        let score = match rng.random_range(0..5) {
            0 => f64::from(rng.random_range(-9..9)),
            1 => [f64::INFINITY, f64::NEG_INFINITY, 0.1, 1e300][rng.random_range(0..4)],
            _ => rng.random_range(-1e6..1e6),
        };
        let member = text(rng);
        if set.as_ref().score(&member).is_none() {
            set.insert(&member, score, &limits.zset);
        }
    }
    OwnedValue::SortedSet(set)
}

/// A stream with gaps, and with groups at work.
fn stream(rng: &mut SmallRng, items: usize, groups: usize, limits: &Limits) -> OwnedValue {
    let mut stream = Stream::new();
    for index in 0..items as u64 {
        let fields: Vec<(Vec<u8>, Vec<u8>)> =
            (0..rng.random_range(1..4)).map(|number| (vec![b'f', number], text(rng))).collect();
        let fields = fields.iter().map(|(name, value)| (&name[..], &value[..]));
        let id = StreamId::new(index / 3 + 1, index % 3);
        stream.append(NewId::Exact(id), fields, NOW, limits.stream).unwrap();
        if rng.random_range(0..5) == 0 {
            stream.delete(StreamId::new(rng.random_range(0..=index / 3) + 1, rng.random_range(0..3)));
        }
    }
    for number in 0..groups {
        let name = [b'g', number as u8];
        stream.create_group(&name, StreamId::MIN, rng.random::<bool>().then_some(0));
        for consumer in [&b"one"[..], b"two", b"idle"] {
            stream.edit_group(&name, |group| group.create_consumer(consumer, NOW).unwrap()).unwrap();
        }
        for consumer in [&b"one"[..], b"two"] {
            let consumer = stream.group(&name).unwrap().find_consumer(consumer).unwrap();
            stream.deliver(&name, consumer, false, NOW).unwrap().take(items / 3).for_each(drop);
            let claim =
                Claim { consumer, idle_min: 0, delivered: NOW, deliveries: Some(7), just_id: true, force: true };
            stream.claim(&name, StreamId::new(1, 1), &claim, UnixMillis(NOW.0 + 5));
        }
    }
    OwnedValue::Stream(Box::new(stream))
}

/// Values of every type in every encoding. None is an empty collection but for one of the streams.
pub(in crate::snapshot) fn samples(rng: &mut SmallRng, limits: &Limits) -> Vec<OwnedValue> {
    let few = rng.random_range(1..20);
    let many = rng.random_range(600..900);
    let mut samples = vec![OwnedValue::String(OwnedString::encode(text(rng)))];
    for items in [few, many] {
        samples.extend([
            list(rng, items, limits),
            hash(rng, items, false, limits),
            hash(rng, items, true, limits),
            set(rng, items, false, limits),
            set(rng, items, true, limits),
            sorted_set(rng, items, limits),
            stream(rng, items, 0, limits),
            stream(rng, items, 2, limits),
        ]);
    }
    samples.push(OwnedValue::Stream(Box::default()));
    samples
}

pub(super) fn check_invariants(value: &OwnedValue) {
    match value {
        OwnedValue::String(_) => {}
        OwnedValue::List(list) => list.check_invariants(),
        OwnedValue::Hash(hash) => hash.check_invariants(),
        OwnedValue::Set(set) => set.check_invariants(),
        OwnedValue::SortedSet(set) => set.check_invariants(),
        OwnedValue::Stream(stream) => stream.check_invariants(),
    }
}

#[test]
fn values_of_all_types_come_back() {
    let (mut rng, limits) = (SmallRng::seed_from_u64(3), Limits::default());
    for _ in 0..30 {
        for value in samples(&mut rng, &limits) {
            let restored = restore(&dump(value.as_value()), true, &limits).unwrap();
            check_invariants(&restored);
            assert_eq!(restored, value);
        }
    }
}

/// The type byte and the version of a payload.
fn head(value: &OwnedValue) -> (u8, u8) {
    let payload = dump(value.as_value());
    (payload[0], payload[payload.len() - 10])
}

#[test]
fn payloads_have_the_lowest_version_that_loses_nothing() {
    let (rng, limits) = (&mut SmallRng::seed_from_u64(4), &Limits::default());
    assert_eq!(head(&list(rng, 3, limits)), (18, 10));
    assert_eq!(head(&set(rng, 3, true, limits)), (11, 10));
    let words = OwnedValue::Set([&b"a"[..], b"b"].iter().fold(Set::default(), |mut set, member| {
        set.insert(member, &limits.set);
        set
    }));
    assert_eq!((words.as_value().encoding_name(), head(&words)), ("listpack", (2, 10)));
    assert_eq!(head(&set(rng, 900, false, limits)), (2, 10));
    assert_eq!([head(&sorted_set(rng, 3, limits)), head(&sorted_set(rng, 900, limits))], [(17, 10), (5, 10)]);
    assert_eq!(head(&stream(rng, 9, 0, limits)), (19, 10));
    assert_eq!(head(&stream(rng, 9, 1, limits)), (21, 11));
    for (items, plain, expiring) in [(2, 16, 25), (200, 4, 24)] {
        let mut hash = Hash::default();
        (0..items).for_each(|number: i32| {
            hash.set(&number.to_le_bytes(), b"v", FieldExpiry::Clear, &limits.hash);
        });
        assert_eq!(head(&OwnedValue::Hash(hash.clone())), (plain, 10));
        hash.set_field_expire(&1_i32.to_le_bytes(), Some(NOW));
        assert_eq!(head(&OwnedValue::Hash(hash.clone())), (expiring, 12));
        hash.set_field_expire(&1_i32.to_le_bytes(), None);
        assert_eq!(head(&OwnedValue::Hash(hash.clone())), (plain, 10));
    }
}

#[test]
fn limits_decide_on_the_encoding() {
    let (mut rng, mut limits) = (SmallRng::seed_from_u64(5), Limits::default());
    limits.hash.listpack_value_bytes_max = 1_000;
    limits.zset.packed_member_bytes_max = 1_000;
    let mut small = limits;
    small.hash.listpack_entries_max = 2;
    small.set.listpack_entries_max = 2;
    small.set.intset_entries_max = 2;
    small.zset.packed_entries_max = 2;
    let encoding = |value: &OwnedValue, limits| {
        let restored = restore(&dump(value.as_value()), true, limits).unwrap();
        restored.as_value().encoding_name()
    };
    let rng = &mut rng;
    let cases = [
        (hash(rng, 9, false, &limits), "hashtable"),
        (hash(rng, 9, true, &limits), "hashtable"),
        (set(rng, 9, true, &limits), "hashtable"),
        (sorted_set(rng, 9, &limits), "skiplist"),
    ];
    for (value, large) in cases {
        assert_eq!(encoding(&value, &small), large);
        assert_ne!(encoding(&value, &limits), large);
    }
    let listpack = [0, 0, 0, 0, 3, 0, 0x81, b'a', 2, 0x81, b'b', 2, 0x81, b'c', 2, 0xff];
    let mut body = vec![TYPE_SET_LISTPACK, listpack.len() as u8];
    body.extend(listpack);
    body[2] = listpack.len() as u8;
    for (limits, name) in [(&limits, "listpack"), (&small, "hashtable")] {
        let set = restore(&super::seal(&body, 11), true, limits).unwrap();
        assert_eq!((set.as_value().items(), set.as_value().encoding_name()), (3, name));
    }
}
