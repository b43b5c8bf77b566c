use super::*;

fn sum(a: &str, b: &str) -> String {
    let read = |text: &str| LongDouble::parse(text.as_bytes()).expect("a number");
    String::from_utf8(read(a).plus(read(b)).to_text()).expect("ASCII")
}

#[test]
fn sums_are_those_of_redis() {
    for (a, b, expected) in [
        ("10.5", "0.1", "10.6"),
        ("0", "1.1", "1.1"),
        ("3", "1.1", "4.1"),
        ("1", "-0.9", "0.1"),
        ("5.0e3", "200", "5200"),
        ("0x1p3", "0", "8"),
        ("100000000000003009", "0.1", "100000000000003009.1015625"),
        ("17179869184", "1.5", "17179869185.5"),
        ("1", "-1", "0"),
        ("-0", "0", "0"),
        ("0", "-1e-18", "0"),
        ("0", "5e-18", "0"),
        ("0", "1e-17", "0.00000000000000001"),
        ("18446744073709551615", "1", "18446744073709551616"),
        ("18446744073709551616", "0.5", "18446744073709551616"),
        ("9223372036854775807", "0.5", "9223372036854775807.5"),
        ("1e30", "-1e30", "0"),
        ("3000", "-0.1", "2999.89999999999999991"),
    ] {
        assert_eq!(sum(a, b), expected, "{a} + {b}");
    }
}

#[test]
fn texts_are_read_as_strtold_reads_them() {
    let valid = [
        "1.",
        ".5",
        "+1",
        "-1e+3",
        "0x.8",
        "0x1.8P-1",
        "0e99999999999",
        "1e-4940",
        "1e4932",
        "iNf",
        "-Infinity",
        "007",
    ];
    for text in valid {
        assert!(LongDouble::parse(text.as_bytes()).is_some(), "{text}");
    }
    let invalid = [
        "", " 1", "1 ", "1e", "1e+", ".", "-", "+-1", "0x", "0x1p", "nan", "1e5000", "1e-5000", "9e4932", "1.2.3",
        "1\0", "in", "1_0",
    ];
    for text in invalid {
        assert!(LongDouble::parse(text.as_bytes()).is_none(), "{text}");
    }
    assert!(LongDouble::parse(&[b'1'; 5120]).is_none());
}

#[test]
fn all_ways_of_reading_agree() {
    // The same number with a tail of zeros takes the way through long division, or through unbounded integers.
    for text in ["0.1", "3.14159", "123456789.987654321", "0.000001", "999999999999999999.9"] {
        let tail = format!("{text}{}", "0".repeat(40));
        assert_eq!(LongDouble::parse(text.as_bytes()), LongDouble::parse(tail.as_bytes()), "{text}");
    }
    assert_eq!(LongDouble::parse(b"1e25"), LongDouble::parse(b"10000000000000000000000000.0"));
    assert_eq!(LongDouble::parse(b"0x1p70"), LongDouble::parse(b"1180591620717411303424"));
    assert_eq!(LongDouble::parse(b"1e-30"), LongDouble::parse(b"0.000000000000000000000000000001"));
}

#[test]
fn an_infinite_sum_is_seen() {
    let read = |text: &str| LongDouble::parse(text.as_bytes()).expect("a number");
    assert!(!read("inf").plus(read("1")).is_finite());
    assert!(!read("1").plus(read("-inf")).is_finite());
    assert!(!read("inf").plus(read("-inf")).is_finite());
    assert!(!read("1e4932").plus(read("1e4932")).plus(read("1e4932")).is_finite() || read("1.18e4932").is_finite());
    let largest = read("1.18973149535723176e4932");
    assert!(!largest.plus(largest).is_finite());
}

#[test]
fn long_texts_come_back() {
    for text in ["1", "0.5", "123456789012345678", "1267650600228229401496703205376"] {
        assert_eq!(sum(text, "0"), text);
    }
    assert_eq!(sum("1e40", "0"), "9999999999999999999783686092270256259072");
}
