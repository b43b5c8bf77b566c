use super::*;

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

fn time(number: &str, unit: Unit, since: Since) -> Time<'_> {
    Time { number: number.as_bytes(), unit, since }
}

#[test]
fn cursors_are_read_as_strtoul_reads_them() {
    for (text, number) in
        [("", 0), ("0", 0), ("+5", 5), ("-1", u64::MAX), ("007", 7), ("18446744073709551615", u64::MAX)]
    {
        assert_eq!(parse_cursor(text.as_bytes()), Ok(number), "{text}");
    }
    for text in ["abc", " 1", "1 ", "0x1", "18446744073709551616", "-", "+", "--1"] {
        assert_eq!(parse_cursor(text.as_bytes()), Err(INVALID_CURSOR), "{text}");
    }
}

#[test]
fn a_deadline_never_overflows() {
    let set = |number, unit| time(number, unit, Since::Now).deadline(NOW, "set");
    assert_eq!(set("10", Unit::Seconds), Ok(UnixMillis(NOW.0 + 10_000)));
    assert_eq!(set("1", Unit::Milliseconds), Ok(UnixMillis(NOW.0 + 1)));
    let invalid = Err(error::invalid_expire("set"));
    for (number, unit) in [
        ("0", Unit::Seconds),
        ("-1", Unit::Milliseconds),
        ("9223372036854775807", Unit::Seconds),
        ("9223372036854775807", Unit::Milliseconds),
        ("9223372036854775", Unit::Seconds),
    ] {
        assert_eq!(set(number, unit), invalid, "{number}");
    }
    assert_eq!(set("9223372036854775808", Unit::Seconds), Err(NOT_AN_INTEGER));
    let expire = |number, unit| time(number, unit, Since::Now).deadline_or_past(NOW, "expire");
    assert_eq!(expire("-9223372036854775", Unit::Seconds), Ok(UnixMillis(NOW.0 - 9_223_372_036_854_775_000)));
    assert_eq!(expire("-9223372036854776", Unit::Seconds), Err(error::invalid_expire("expire")));
    assert_eq!(expire("-9223372036854775808", Unit::Milliseconds), Ok(UnixMillis(NOW.0 + i64::MIN)));
}

#[test]
fn databases_are_counted_from_zero() {
    assert_eq!(parse_db(b"15", 16), Ok(DbId(15)));
    assert_eq!(parse_db(b"16", 16), Err(DB_OUT_OF_RANGE));
    assert_eq!(parse_db(b"-1", 16), Err(DB_OUT_OF_RANGE));
    let wide = "ERR value is out of range, value must between -2147483648 and 2147483647";
    assert_eq!(parse_db(b"2147483648", 16), Err(CommandError::text(wide)));
    assert_eq!(parse_db(b"x", 16), Err(NOT_AN_INTEGER));
}
