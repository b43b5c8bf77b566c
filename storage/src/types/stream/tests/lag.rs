//! How far groups are behind.

use super::*;

fn lag(stream: &Stream, group: &[u8]) -> (Option<u64>, Option<i64>) {
    let group = stream.group(group).unwrap();
    (group.entries_read(), stream.lag(group))
}

fn read(stream: &mut Stream, group: &[u8], count: usize) {
    let consumer =
        stream.edit_group(group, |group| group.find_consumer(b"c").or_else(|| group.create_consumer(b"c", NOW)));
    let consumer = consumer.flatten().unwrap();
    stream.deliver(group, consumer, false, NOW).unwrap().take(count).for_each(drop);
}

#[test]
fn without_entries_there_is_no_lag() {
    let mut stream = Stream::new();
    stream.create_group(b"g", StreamId::MIN, None);
    assert_eq!(lag(&stream, b"g"), (None, Some(0)));
    add(&mut stream, id(1, 0), &[("a", "b")]);
    assert_eq!(lag(&stream, b"g"), (None, Some(1)));
    stream.delete(id(1, 0));
    assert_eq!(lag(&stream, b"g"), (None, Some(0)));
}

#[test]
fn what_is_read_is_counted() {
    let mut stream = counted(5);
    stream.create_group(b"g", StreamId::MIN, None);
    assert_eq!(lag(&stream, b"g"), (None, Some(5)));
    read(&mut stream, b"g", 1);
    assert_eq!(lag(&stream, b"g"), (Some(1), Some(4)));
    read(&mut stream, b"g", 10);
    assert_eq!(lag(&stream, b"g"), (Some(5), Some(0)));
    add(&mut stream, id(6, 0), &[("a", "b")]);
    assert_eq!(lag(&stream, b"g"), (Some(5), Some(1)));
    stream.edit_group(b"g", |group| group.set_last_id(id(6, 0), Some(9))).unwrap();
    assert_eq!(lag(&stream, b"g"), (Some(9), Some(-3)));
}

#[test]
fn a_gap_ahead_makes_it_unknown() {
    let mut stream = counted(5);
    stream.delete(id(3, 0));
    stream.create_group(b"g", StreamId::MIN, None);
    stream.create_group(b"h", StreamId::MIN, None);
    for _ in 0..4 {
        assert_eq!(lag(&stream, b"g"), (None, None));
        read(&mut stream, b"g", 1);
    }
    assert_eq!(lag(&stream, b"g"), (Some(5), Some(0)));
    add(&mut stream, id(6, 0), &[("a", "b")]);
    assert_eq!(lag(&stream, b"g"), (Some(5), Some(1)));
    for (min, behind) in [(3, 3), (5, 2)] {
        let to = TrimTo::MinId(id(min, 0));
        stream.trim(Trim { to, approximate: false, limit: None, references: References::Keep });
        assert_eq!(lag(&stream, b"g"), (Some(5), Some(1)));
        assert_eq!(lag(&stream, b"h"), (None, Some(behind)));
    }
}

#[test]
fn a_gap_made_later_ends_the_counting() {
    let mut stream = counted(5);
    stream.create_group(b"g", StreamId::MIN, None);
    read(&mut stream, b"g", 2);
    stream.delete(id(4, 0));
    assert_eq!(lag(&stream, b"g"), (Some(2), None));
    read(&mut stream, b"g", 1);
    assert_eq!(lag(&stream, b"g"), (None, None));
    read(&mut stream, b"g", 1);
    assert_eq!(lag(&stream, b"g"), (Some(5), Some(0)));
}

#[test]
fn trimming_past_the_group_counts_as_read() {
    let mut stream = counted(5);
    stream.create_group(b"g", StreamId::MIN, None);
    read(&mut stream, b"g", 1);
    stream.trim(Trim { to: TrimTo::MaxLen(1), approximate: false, limit: None, references: References::Keep });
    assert_eq!(lag(&stream, b"g"), (Some(1), Some(1)));
    read(&mut stream, b"g", 1);
    assert_eq!(lag(&stream, b"g"), (Some(5), Some(0)));
}

#[test]
fn certain_numbers() {
    let mut stream = counted(5);
    stream.trim(Trim { to: TrimTo::MaxLen(3), approximate: false, limit: None, references: References::Keep });
    assert_eq!(stream.entries_read_at(id(2, 0)), Some(2));
    assert_eq!(stream.entries_read_at(id(3, 0)), Some(3));
    assert_eq!(stream.entries_read_at(id(4, 0)), None);
    assert_eq!(stream.entries_read_at(id(5, 0)), Some(5));
    assert_eq!(stream.entries_read_at(id(6, 0)), None);
    stream.delete(id(4, 0));
    assert_eq!(stream.entries_read_at(id(3, 0)), None);
    assert_eq!(stream.entries_read_at(id(5, 0)), Some(5));
}
