//! The texts of ids, and the ids that new entries get. Expected values were taken from a Redis server.

use super::*;

#[test]
fn texts_of_ids() {
    let parse = |text: &str| StreamId::parse(text.as_bytes(), 9);
    assert_eq!(parse("5-6"), Ok(id(5, 6)));
    assert_eq!(parse("5"), Ok(id(5, 9)));
    assert_eq!(parse("007-01"), Ok(id(7, 1)));
    assert_eq!(parse("+5-+6"), Ok(id(5, 6)));
    assert_eq!(parse(" 7-1"), Ok(id(7, 1)));
    assert_eq!(parse("18446744073709551615-1"), Ok(id(u64::MAX, 1)));
    for text in ["", "-", "+", "9-", "-9", "20--5", "30-5x", "18446744073709551616-1", "1-2-3", "(60", "*", "5-*"] {
        assert_eq!(parse(text), Err(IdError::Invalid), "{text}");
    }
    assert_eq!(parse(&format!("{}1-1", "0".repeat(124))), Ok(id(1, 1)));
    assert_eq!(parse(&format!("{}1-1", "0".repeat(125))), Err(IdError::Invalid));
    assert_eq!(id(5, 6).to_string(), "5-6");
}

#[test]
fn bounds_of_ranges() {
    assert_eq!(StreamId::parse_start(b"-"), Ok(StreamId::MIN));
    assert_eq!(StreamId::parse_start(b"+"), Ok(StreamId::MAX));
    assert_eq!(StreamId::parse_start(b"7"), Ok(id(7, 0)));
    assert_eq!(StreamId::parse_end(b"7"), Ok(id(7, u64::MAX)));
    assert_eq!(StreamId::parse_start(b"(7"), Ok(id(7, 1)));
    assert_eq!(StreamId::parse_start(b"(7-18446744073709551615"), Ok(id(8, 0)));
    assert_eq!(StreamId::parse_end(b"(7-0"), Ok(id(6, u64::MAX)));
    assert_eq!(StreamId::parse_end(b"(0"), Ok(id(0, u64::MAX - 1)));
    let max = b"(18446744073709551615-18446744073709551615";
    assert_eq!(StreamId::parse_start(max), Err(IdError::NothingBehindStart));
    assert_eq!(StreamId::parse_end(b"(0-0"), Err(IdError::NothingBeforeEnd));
    for text in [&b"(-"[..], b"(+", b"("] {
        assert_eq!(StreamId::parse_start(text), Err(IdError::Invalid));
        assert_eq!(StreamId::parse_end(text), Err(IdError::Invalid));
    }
}

#[test]
fn ids_of_new_entries() {
    assert_eq!(NewId::parse(b"*"), Ok(NewId::Auto));
    assert_eq!(NewId::parse(b"5-*"), Ok(NewId::AutoSeq(5)));
    assert_eq!(NewId::parse(b"5-7"), Ok(NewId::Exact(id(5, 7))));
    assert_eq!(NewId::parse(b"5"), Ok(NewId::Exact(id(5, 0))));
    for text in [&b""[..], b"-*", b"*-*", b"5-*x", b"x-*", b"-", b"+", b"1-2-*"] {
        assert_eq!(NewId::parse(text), Err(IdError::Invalid));
    }
    let mut stream = Stream::new();
    let next = |stream: &Stream, text: &[u8], ms| stream.next_id(NewId::parse(text).unwrap(), UnixMillis(ms));
    assert_eq!(next(&stream, b"0-0", 5), Err(AppendError::Zero));
    assert_eq!(next(&stream, b"0-*", 5), Ok(id(0, 1)));
    assert_eq!(next(&stream, b"*", 5), Ok(id(5, 0)));
    assert_eq!(next(&stream, b"*", 0), Ok(id(0, 1)));
    add(&mut stream, id(7, 3), &[("a", "b")]);
    assert_eq!(next(&stream, b"*", 5), Ok(id(7, 4)));
    assert_eq!(next(&stream, b"*", 7), Ok(id(7, 4)));
    assert_eq!(next(&stream, b"*", 8), Ok(id(8, 0)));
    assert_eq!(next(&stream, b"*", -8), Ok(id(7, 4)));
    assert_eq!(next(&stream, b"7-*", 8), Ok(id(7, 4)));
    assert_eq!(next(&stream, b"8-*", 0), Ok(id(8, 0)));
    assert_eq!(next(&stream, b"6-*", 0), Err(AppendError::NotLarger));
    assert_eq!(next(&stream, b"7-3", 0), Err(AppendError::NotLarger));
    add(&mut stream, id(9, u64::MAX), &[("a", "b")]);
    assert_eq!(next(&stream, b"9-*", 0), Err(AppendError::NotLarger));
    assert_eq!(next(&stream, b"*", 9), Ok(id(10, 0)));
    add(&mut stream, StreamId::MAX, &[("a", "b")]);
    assert_eq!(next(&stream, b"*", 9), Err(AppendError::Exhausted));
    assert_eq!(next(&stream, b"18446744073709551615-*", 9), Err(AppendError::Exhausted));
    assert_eq!(stream.range(id(9, 0), StreamId::MAX).count(), 2);
}
