//! Blocks and groups from outside, as they should be and as they should not.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::encoding::listpack;
use crate::types::stream::BadAssignment;

/// The listpack of one block, as integers and strings.
fn pack(items: &[Item<'_>]) -> Vec<u8> {
    let mut bytes = listpack::create();
    for item in items {
        listpack::push_back_item(&mut bytes, *item);
    }
    bytes
}

fn ints(numbers: &[i64]) -> Vec<u8> {
    pack(&numbers.iter().map(|number| Item::Int(*number)).collect::<Vec<_>>())
}

fn load(listpack: &[u8]) -> Result<Stream, Malformed> {
    let mut stream = Stream::new();
    stream.load_block(id(1_000, 5), listpack)?;
    stream.check_invariants();
    Ok(stream)
}

/// Two entries with the block's field, a deleted one before them, one with fields of its own.
const GOOD: [i64; 27] = [3, 1, 1, 7, 0, 3, 0, 0, 70, 4, 2, 1, -5, 71, 4, 2, 1, 0, 72, 4, 0, 2, 0, 1, 8, 73, 6];

#[test]
fn a_block_of_redis() {
    // What Redis 7.0 keeps after XADD 1-1 a 1 b xyz, XADD 2-5 a 2 b xyz, XADD 2-6 c 300, XADD 9-0 a 4 b -70000, XDEL 2-5.
    let bytes = b"\x53\x00\x00\x00\x1f\x00\x03\x01\x01\x01\x02\x01\x81\x61\x02\x81\x62\x02\x00\x01\x02\x01\x00\x01\x00\
        \x01\x01\x01\x83\x78\x79\x7a\x04\x05\x01\x03\x01\x01\x01\x04\x01\x02\x01\x83\x78\x79\x7a\x04\x05\x01\
        \x00\x01\x01\x01\x05\x01\x01\x01\x81\x63\x02\xc1\x2c\x02\x06\x01\x02\x01\x08\x01\xdf\xff\x02\x04\x01\
        \xf2\x90\xee\xfe\x04\x05\x01\xff";
    let mut theirs = Stream::new();
    theirs.load_block(id(1, 1), bytes).unwrap();
    let counters = StreamCounters { len: 3, last_id: id(9, 0), max_deleted_id: id(2, 5), entries_added: 4 };
    theirs.load_counters(counters).unwrap();

    let mut ours = Stream::new();
    add(&mut ours, id(1, 1), &[("a", "1"), ("b", "xyz")]);
    add(&mut ours, id(2, 5), &[("a", "2"), ("b", "xyz")]);
    add(&mut ours, id(2, 6), &[("c", "300")]);
    add(&mut ours, id(9, 0), &[("a", "4"), ("b", "-70000")]);
    // The counter of live entries is all that deletion changes in Redis's length of the block, and it stays as wide.
    assert_eq!(ours.blocks.first().unwrap().listpack_bytes(), bytes.len());
    ours.delete(id(2, 5));
    assert_eq!(ours, theirs);
    assert_eq!(ours.blocks.first().unwrap().listpack_bytes(), bytes.len());
    assert_eq!(theirs.blocks.first().unwrap().listpack_bytes(), bytes.len());
}

#[test]
fn deleted_entries_are_dropped() {
    let stream = load(&ints(&GOOD)).unwrap();
    let found: Vec<_> = stream.range(StreamId::MIN, StreamId::MAX).map(|entry| (entry.id, texts(&entry))).collect();
    let text = |number: i64| number.to_string().into_bytes();
    let expected = [(id(1_001, 0), 7, 71), (id(1_001, 5), 7, 72), (id(1_002, 5), 8, 73)];
    assert_eq!(found, expected.map(|(id, name, value)| (id, vec![(text(name), text(value))])));
    assert_eq!(reload(&stream), stream);
    let mut listpack = Vec::new();
    let block = stream.blocks().next().unwrap();
    block.write_listpack(&mut listpack);
    assert_eq!(block.id(), id(1_000, 5));
    let without_deleted = [&[3, 0][..], &GOOD[2..5], &GOOD[10..]].concat();
    assert_eq!(listpack, ints(&without_deleted));
}

#[test]
fn claims_that_do_not_hold_are_refused() {
    let refused = |at: usize, number: i64| {
        let mut numbers = GOOD;
        numbers[at] = number;
        assert_eq!(load(&ints(&numbers)), Err(Malformed), "{number} at {at}");
    };
    for (at, wrong) in [(0, 4), (1, 0), (2, 2), (4, 1), (5, 1), (9, 5), (10, 4), (11, -1), (11, 3), (16, 0), (21, 1)] {
        refused(at, wrong);
    }
    for at in [0, 1, 2, 14, 23] {
        refused(at, -1);
        refused(at, i64::MAX);
        refused(at, i64::MIN);
    }
    for len in 0..GOOD.len() {
        assert_eq!(load(&ints(&GOOD[..len])), Err(Malformed), "{len}");
    }
    let mut stream = load(&ints(&GOOD)).unwrap();
    assert_eq!(stream.load_block(id(1_002, 5), &ints(&GOOD)), Err(Malformed));
    assert_eq!(stream.load_block(id(1_002, 6), &ints(&GOOD)), Ok(()));
    let counters =
        StreamCounters { len: 6, last_id: stream.last_id(), max_deleted_id: StreamId::MIN, entries_added: 6 };
    assert_eq!(stream.load_counters(StreamCounters { len: 5, ..counters }), Err(Malformed));
    assert_eq!(stream.load_counters(StreamCounters { last_id: id(1_003, 0), ..counters }), Err(Malformed));
    assert_eq!(stream.load_counters(StreamCounters { entries_added: 5, ..counters }), Err(Malformed));
    assert_eq!(stream.load_counters(counters), Ok(()));
}

#[test]
fn a_block_of_deleted_entries_is_none() {
    let stream = load(&ints(&[0, 1, 1, 7, 0, 3, 0, 0, 70, 4])).unwrap();
    assert_eq!((stream.block_count(), stream.len()), (0, 0));
}

#[test]
fn names_are_kept_once_even_if_their_entry_is_deleted() {
    let name = vec![b'n'; 60_000];
    let mut items = vec![Item::Int(1_000), Item::Int(1), Item::Int(1), Item::Bytes(&name), Item::Int(0)];
    for number in 0..1_001 {
        items.extend([
            Item::Int(2 + i64::from(number == 0)),
            Item::Int(0),
            Item::Int(number),
            Item::Int(1),
            Item::Int(4),
        ]);
    }
    let stream = load(&pack(&items)).unwrap();
    assert_eq!(stream.len(), 1_000);
    assert!(stream.heap_bytes() < 200_000);
}

#[test]
fn groups_that_contradict_themselves_are_refused() {
    let mut stream = counted(3);
    let mut loader = stream.load_group(b"g", id(2, 0), Some(2)).unwrap();
    loader.pending(id(1, 0), NOW, u64::MAX).unwrap();
    assert_eq!(loader.pending(id(1, 0), NOW, 1), Err(Malformed));
    let consumer = loader.consumer(b"c", NOW, None).unwrap();
    assert_eq!(loader.consumer(b"c", NOW, None), Err(Malformed));
    assert_eq!(loader.assign(consumer, id(2, 0)), Err(BadAssignment::Unknown));
    assert_eq!(loader.assign(consumer, id(1, 0)), Ok(()));
    assert_eq!(loader.assign(consumer, id(1, 0)), Err(BadAssignment::Taken));
    assert_eq!(loader.finish(), Ok(()));
    stream.check_invariants();
    assert_eq!(stream.group(b"g").unwrap().pending(id(1, 0)).unwrap().deliveries, u32::MAX);
    assert!(stream.load_group(b"g", id(2, 0), None).is_err());
    assert!(stream.load_group(b"h", id(2, 0), Some(u64::MAX)).is_err());
    let mut loader = stream.load_group(b"h", id(2, 0), None).unwrap();
    loader.pending(id(1, 0), NOW, 1).unwrap();
    assert_eq!(loader.finish(), Err(Malformed));
}

#[test]
fn mutated_blocks_do_no_harm() {
    let mut good = vec![ints(&GOOD)];
    let mut stream = counted(40);
    add(&mut stream, id(50, 7), &[("n", "text"), ("other", "-17")]);
    add(&mut stream, id(u64::MAX - 2, 7), &[("n", "text")]);
    for block in stream.blocks() {
        let mut listpack = Vec::new();
        block.write_listpack(&mut listpack);
        good.push(listpack);
    }
    let mut accepted = 0;
    for seed in 0..200_000 {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut bytes = good[rng.random_range(0..good.len())].clone();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(0..bytes.len());
            match rng.random_range(0..10) {
                0 => bytes.truncate(at.max(1)),
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, rng.random()),
                3 => bytes[at] ^= 1 << rng.random_range(0..8),
                _ => bytes[at] = rng.random(),
            }
            if bytes.is_empty() {
                bytes.push(0);
            }
        }
        // Most of the changes contradict the length in front.
        if let Some(total) = bytes.first_chunk_mut().filter(|_| rng.random()) {
            *total = 0_u32.to_le_bytes();
            let len = bytes.len() as u32;
            bytes[..4].copy_from_slice(&len.to_le_bytes());
        }
        let mut stream = Stream::new();
        let master = id(rng.random::<u64>() >> rng.random_range(0..64), rng.random::<u64>() >> rng.random_range(0..64));
        if stream.load_block(master, &bytes).is_ok() {
            accepted += 1;
            stream.check_invariants();
            assert_eq!(reload(&stream), stream);
            assert!(stream.heap_bytes() < 10_000);
        }
    }
    assert!(accepted > 1_000, "{accepted}");
}
