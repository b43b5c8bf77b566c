//! Blocks, their limits, trimming, memory.

use super::*;

const EXACT: Trim = Trim { to: TrimTo::MaxLen(0), approximate: false, limit: None, references: References::Keep };

#[test]
fn fields_are_kept_once_for_equal_ones() {
    let mut stream = Stream::new();
    add(&mut stream, id(1, 0), &[("sensor", "1"), ("temp", "-20"), ("note", "")]);
    add(&mut stream, id(2, 0), &[("sensor", "2"), ("temp", "0020"), ("note", "x")]);
    let before = stream.block_bytes;
    add(&mut stream, id(2, 1), &[("sensor", "3"), ("note", "x")]);
    add(&mut stream, id(2, 2), &[("temp", "3"), ("sensor", "3"), ("note", "x")]);
    add(&mut stream, id(2, 3), &[("sensor", "3"), ("temp", "3"), ("note", "9223372036854775807")]);
    assert_eq!(stream.block_count(), 1);
    assert!(stream.block_bytes - before < 100);
    let last = stream.last().unwrap();
    assert_eq!(last.id, id(2, 3));
    assert_eq!(texts(&last)[2], (b"note".to_vec(), b"9223372036854775807".to_vec()));
    assert_eq!(texts(&stream.entry(id(2, 1)).unwrap()).len(), 2);
    assert_eq!(texts(&stream.entry(id(2, 0)).unwrap())[1].1, b"0020");
    assert_eq!(texts(&stream.entry(id(2, 2)).unwrap())[0], (b"temp".to_vec(), b"3".to_vec()));
    assert!(stream.entry(id(2, 4)).is_none() && stream.entry(id(0, 1)).is_none());
    stream.check_invariants();
}

#[test]
fn blocks_end_at_their_limits() {
    let limits = StreamLimits { block_bytes_max: 4096, block_entries_max: 3 };
    let mut stream = Stream::new();
    for number in 1..=10 {
        add_with(&mut stream, id(number, 0), &[("n", "v")], limits);
    }
    assert_eq!(stream.block_count(), 4);
    assert_eq!(stream.blocks().map(BlockRef::len).collect::<Vec<_>>(), [3, 3, 3, 1]);
    // A deleted entry makes no room for another one, as in Redis; but a block that is gone does not count.
    assert!(stream.delete(id(8, 0)));
    assert!(stream.delete(id(10, 0)));
    for number in 11..=14 {
        add_with(&mut stream, id(number, 0), &[("n", "v")], limits);
    }
    assert_eq!(stream.blocks().map(BlockRef::len).collect::<Vec<_>>(), [3, 3, 2, 3, 1]);
    let unlimited = StreamLimits { block_bytes_max: 0, block_entries_max: 0 };
    for number in 15..=5_000 {
        add_with(&mut stream, id(number, 0), &[("n", "v")], unlimited);
    }
    assert_eq!(stream.block_count(), 5);
    stream.check_invariants();
}

#[test]
fn entries_of_any_size() {
    let mut stream = Stream::new();
    let mut expected = Vec::new();
    for len in [0, 1, 14, 15, 29, 30, 62, 63, 64, 127, 128, 2_000, 4_094, 4_095, 4_096, 5_000, 70_000] {
        let fields = [(vec![b'f'; len % 7], vec![b'v'; len])];
        let added = stream.append(NewId::Auto, pairs(&fields), NOW, StreamLimits::default()).unwrap();
        expected.push((added, fields.to_vec()));
    }
    let found: Vec<_> = stream.range(StreamId::MIN, StreamId::MAX).map(|entry| (entry.id, texts(&entry))).collect();
    assert_eq!(found, expected);
    assert_eq!(reload(&stream), stream);
    stream.check_invariants();
}

#[test]
fn approximate_trimming_stops_at_whole_blocks() {
    let mut stream = counted(1_000);
    let approximate = Trim { approximate: true, ..EXACT };
    assert_eq!(stream.trim(Trim { to: TrimTo::MaxLen(555), ..approximate }), 400);
    assert_eq!(stream.trim(Trim { to: TrimTo::MaxLen(0), limit: Some(250), ..approximate }), 200);
    assert_eq!(stream.trim(Trim { to: TrimTo::MaxLen(0), limit: Some(99), ..approximate }), 0);
    assert_eq!(stream.trim(Trim { to: TrimTo::MinId(id(750, 0)), ..approximate }), 100);
    assert_eq!(stream.trim(Trim { to: TrimTo::MinId(id(750, 0)), ..EXACT }), 49);
    assert_eq!(stream.first_id(), id(750, 0));
    assert_eq!(stream.trim(Trim { to: TrimTo::MaxLen(3), ..EXACT }), 248);
    assert_eq!(ids(&stream), [998, 999, 1_000]);
    assert_eq!((stream.max_deleted_id(), stream.entries_added()), (StreamId::MIN, 1_000));
    assert_eq!(stream.trim(EXACT), 3);
    assert_eq!((stream.first_id(), stream.last_id(), stream.block_count()), (StreamId::MIN, id(1_000, 0), 0));
    stream.check_invariants();
}

#[test]
fn trimming_goes_on_where_its_budget_ended() {
    let mut stream = counted(1_050);
    let trim = Trim { to: TrimTo::MaxLen(7), ..EXACT };
    let (mut parts, mut from) = (Vec::new(), Some(StreamId::MIN));
    while let Some(start) = from {
        let part = stream.trim_some(trim, start, 4);
        parts.push(part.removed);
        from = part.next;
    }
    assert_eq!(parts, [400, 400, 243]);
    assert_eq!(stream.len(), 7);
    stream.check_invariants();
}

#[test]
fn a_capped_stream_does_not_grow() {
    let mut stream = Stream::new();
    for number in 1..=10_000 {
        add(&mut stream, id(number, number % 3), &[("field", "some value")]);
        stream.trim(Trim { to: TrimTo::MaxLen(10), ..EXACT });
        assert!(stream.heap_bytes() < 2_000);
    }
    stream.check_invariants();
    assert_eq!(ids(&stream), (9_991..=10_000).collect::<Vec<_>>());
}

#[test]
fn deleting_most_of_a_block_gives_its_memory_back() {
    let mut stream = counted(100);
    let before = stream.block_bytes;
    for number in (1..=100).filter(|number| number % 10 != 0) {
        assert!(stream.delete(id(number, 0)));
        assert!(!stream.delete(id(number, 0)));
        stream.check_invariants();
    }
    assert!(stream.block_bytes * 3 < before);
    assert_eq!(ids(&stream), [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    assert_eq!(stream.max_deleted_id(), id(99, 0));
}

#[test]
fn ids_may_go_back_behind_entries_trimmed_at_the_end() {
    let mut stream = counted(5);
    stream.create_group(b"g", StreamId::MAX, None);
    let consumer = stream.edit_group(b"g", |group| group.create_consumer(b"c", NOW).unwrap()).unwrap();
    let claim = Claim { consumer, idle_min: 0, delivered: NOW, deliveries: None, just_id: false, force: true };
    assert_eq!(stream.claim(b"g", id(2, 0), &claim, NOW), ClaimOutcome::Claimed);
    let trim = Trim { references: References::Acknowledged, ..EXACT };
    assert_eq!(stream.trim(trim), 4);
    assert_eq!(stream.set_last_id(id(1, 0), None, None), Err(SetIdError::BelowTop));
    assert_eq!(stream.set_last_id(id(2, 0), Some(0), None), Err(SetIdError::AddedBelowLength));
    assert_eq!(stream.set_last_id(id(2, 0), None, None), Ok(()));
    add(&mut stream, id(2, 1), &[("n", "again")]);
    assert_eq!(stream.range(StreamId::MIN, StreamId::MAX).count(), 2);
    stream.check_invariants();
    stream.delete(id(2, 1));
    assert_eq!(stream.set_last_id(id(2, 0), None, None), Err(SetIdError::BelowMaxDeleted));
}

#[test]
fn a_small_stream_is_small() {
    let mut stream = Stream::new();
    add(&mut stream, id(1_700_000_000_000, 0), &[("field", "value")]);
    assert!(size_of::<Stream>() + stream.heap_bytes() < 300, "{}", size_of::<Stream>() + stream.heap_bytes());
}

#[test]
fn an_entry_of_three_fields_takes_sixteen_bytes() {
    let mut stream = Stream::new();
    for number in 0..100_000_u64 {
        let (sensor, temp) = ((number % 100).to_string(), (20 + number % 15).to_string());
        let note = format!("{:08x}", number.wrapping_mul(0x9e37_79b9) as u32);
        add(&mut stream, id(1 + number / 100, number % 100), &[("sensor", &sensor), ("temp", &temp), ("note", &note)]);
    }
    let per_entry = stream.heap_bytes() as f64 / stream.len() as f64;
    assert!(per_entry < 17.0, "{per_entry}");
}

#[test]
fn freeing_in_slices_ends() {
    let mut stream = counted(5_000);
    for name in [b"g", b"h"] {
        stream.create_group(name, StreamId::MIN, None);
        let consumer = stream.edit_group(name, |group| group.create_consumer(b"c", NOW).unwrap()).unwrap();
        assert_eq!(stream.deliver(name, consumer, false, NOW).unwrap().count(), 5_000);
    }
    let mut freed = 0;
    loop {
        let part = stream.free_some(1_000);
        assert!(part <= 1_000);
        freed += part;
        if part < 1_000 {
            break;
        }
    }
    assert_eq!(freed, 50 + 2 * (5_000 + 5_000 + 1 + 1));
    assert_eq!((stream.block_count(), stream.groups().len()), (0, 0));
}
