use super::*;

fn sum(left: &str, right: &str) -> Option<String> {
    let number = |text: &str| LongDouble::parse(text.as_bytes()).expect("it is a number");
    let sum = number(left).checked_add(number(right))?;
    Some(String::from_utf8(sum.to_text()).expect("digits are ASCII"))
}

#[test]
fn integers_are_strict() {
    for (text, number) in [
        ("0", Some(0)),
        ("-1", Some(-1)),
        ("9223372036854775807", Some(i64::MAX)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("9223372036854775808", None),
        ("-9223372036854775809", None),
        ("99999999999999999999", None),
        ("", None),
        ("-", None),
        ("-0", None),
        ("00", None),
        ("+1", None),
        (" 1", None),
        ("1 ", None),
        ("1a", None),
    ] {
        assert_eq!(parse_i64(text.as_bytes()), number, "{text:?}");
    }
    assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
    assert_eq!(parse_u64(b"18446744073709551616"), None);
    for shift in 0..64 {
        for number in [i64::MAX >> shift, i64::MIN >> shift, 1_i64.rotate_left(shift) / 10 * 10] {
            let mut scratch = [0; INTEGER_TEXT_BYTES_MAX];
            let text = write_i64(number, &mut scratch);
            assert_eq!(text, number.to_string().as_bytes());
            assert_eq!((parse_i64(text), integer_text_len(number)), (Some(number), text.len()));
        }
    }
}

#[test]
fn long_doubles_add_as_the_processor_does() {
    for (left, right, expected) in [
        ("0.1", "0.2", "0.3"),
        ("1", "1.5", "2.5"),
        ("3.0e3", "0", "3000"),
        ("1.23", "-1.23", "0"),
        ("-0", "-0", "0"),
        ("10.5", "0.1", "10.6"),
        ("5.0e3", "2.0e2", "5200"),
        ("17179869184", "1.5", "17179869185.5"),
        ("9007199254740993", "0", "9007199254740993"),
        ("0.00000000000000001", "0", "0.00000000000000001"),
        ("0.000000000000000001", "0", "0"),
        ("0.1", "1000000000000000", "1000000000000000.0999755859375"),
        ("0x1.8p1", "1", "4"),
        ("1e4932", "-1e4932", "0"),
        (".5", "5.", "5.5"),
        ("0", "-1e-18", "0"),
        ("0", "5e-18", "0"),
        ("1", "-0.9", "0.1"),
        ("100000000000003009", "0.1", "100000000000003009.1015625"),
        ("18446744073709551615", "1", "18446744073709551616"),
        ("18446744073709551616", "0.5", "18446744073709551616"),
        ("9223372036854775807", "0.5", "9223372036854775807.5"),
        ("1e30", "-1e30", "0"),
        ("1e40", "0", "9999999999999999999783686092270256259072"),
        ("3000", "-0.1", "2999.89999999999999991"),
    ] {
        assert_eq!(sum(left, right).as_deref(), Some(expected), "{left} + {right}");
    }
    assert_eq!(sum("1e4932", "1e4932"), None);
}

#[test]
fn a_long_double_is_the_same_however_it_is_written() {
    for text in ["0.1", "3.14159", "123456789.987654321", "0.000001", "999999999999999999.9"] {
        let tail = format!("{text}{}", "0".repeat(40));
        assert_eq!(LongDouble::parse(text.as_bytes()), LongDouble::parse(tail.as_bytes()), "{text}");
    }
    for (one, other) in [
        ("1e25", "10000000000000000000000000.0"),
        ("0x1p70", "1180591620717411303424"),
        ("1e-30", "0.000000000000000000000000000001"),
        ("0x1.8P-1", "+.75"),
        ("0e99999999999", "0"),
    ] {
        assert!(LongDouble::parse(one.as_bytes()).is_some(), "{one}");
        assert_eq!(LongDouble::parse(one.as_bytes()), LongDouble::parse(other.as_bytes()), "{one}");
    }
    assert!(LongDouble::parse(b"1e-4940").is_some_and(|smallest| smallest != LongDouble::ZERO));
}

#[test]
fn long_doubles_are_read_strictly() {
    for text in ["", " 1", "1 ", "1e", "e1", ".", "-", "--1", "0x", "nan", "1e5000", "1e-5000", "1_0", "infinit", "1e+"]
    {
        assert_eq!(LongDouble::parse(text.as_bytes()), None, "{text:?}");
    }
    assert!(LongDouble::parse(b"-Infinity").is_some_and(LongDouble::is_infinite));
    assert_eq!(sum("inf", "-inf"), None);
    assert_eq!(LongDouble::parse(&[b'1'; LONG_DOUBLE_TEXT_BYTES_MAX + 1]), None);
    assert_eq!(LongDouble::from_i64(-3), LongDouble::parse(b"-3").expect("it is a number"));
}

#[test]
fn doubles() {
    for (number, text) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (0.1, "0.10000000000000001"),
        (1e15, "1000000000000000"),
        (1e16, "10000000000000000"),
        (1e17, "1e+17"),
        (1.5e300, "1.5000000000000001e+300"),
        (1e-5, "1.0000000000000001e-05"),
        (0.000_123, "0.00012300000000000001"),
        (3.5, "3.5"),
        (-2.0, "-2"),
        (-4_503_599_627_370_496.0, "-4503599627370496"),
        (1e19, "1e+19"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        assert_eq!(String::from_utf8_lossy(&format_f64(number)), text);
    }
    for (text, number) in [
        ("1.5", Some(1.5)),
        ("+.5e1", Some(5.0)),
        ("5.", Some(5.0)),
        ("-inf", Some(f64::NEG_INFINITY)),
        ("0x10", Some(16.0)),
        ("-0x.8p1", Some(-1.0)),
        ("0e999", Some(0.0)),
        ("1e400", None),
        ("1e-400", None),
        ("nan", None),
        ("1 ", None),
        (" 1", None),
        ("", None),
        (".", None),
        ("0x", None),
        ("--1", None),
        ("infinitys", None),
    ] {
        assert_eq!(parse_f64(text.as_bytes()), number, "{text:?}");
    }
}
