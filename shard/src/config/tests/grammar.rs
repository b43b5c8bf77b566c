use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::config::grammar::{quoted, split_words};
use crate::config::number;
use crate::config::{Config, RewriteOptions};

fn words(line: &str) -> Option<Vec<String>> {
    let words = split_words(line.as_bytes())?;
    Some(words.into_iter().map(|word| String::from_utf8_lossy(&word).into_owned()).collect())
}

#[test]
fn words_are_split_at_white_space_and_quotes_resolved() {
    let cases: [(&str, Option<&[&str]>); 14] = [
        ("", Some(&[])),
        ("  \t ", Some(&[])),
        ("a b  c", Some(&["a", "b", "c"])),
        (r#""a b" c"#, Some(&["a b", "c"])),
        (r#"a"b c" d"#, Some(&["ab c", "d"])),
        (r#""\x41\n\q\"""#, Some(&["A\nq\""])),
        (r#""\xZZ""#, Some(&["xZZ"])),
        (r"'a\'b' '\n'", Some(&["a'b", r"\n"])),
        ("''", Some(&[""])),
        ("\"\" x", Some(&["", "x"])),
        ("\"a", None),
        ("'a", None),
        ("\"a\"b", None),
        ("'a'b", None),
    ];
    for (line, expected) in cases {
        let expected = expected.map(|words| words.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(words(line), expected, "{line}");
    }
}

#[test]
fn quoting_is_undone_by_splitting() {
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..2_000 {
        let word: Vec<u8> = (0..random.random_range(0..40)).map(|_| random.random()).collect();
        assert_eq!(split_words(&quoted(&word)), Some(vec![word]));
    }
}

/// Files that were damaged in any way are refused or read, and what was read survives being rewritten.
#[test]
fn damaged_files_do_not_break_the_parser() {
    let good = "port 7777\nbind 127.0.0.1 -::1\nsave 900 1 300 10\nmaxmemory 100mb\nrequirepass \"a\\x00b c\"\n\
        client-output-buffer-limit normal 1mb 2mb 60 pubsub 3 4 5\nuser bob on '>x y' ~*\nrename-command A \"\"\n\
        notify-keyspace-events KEA\nshutdown-on-sigterm \"nosave now\"\nmaxmemory-clients 5%\nunixsocketperm 755\n\
        oom-score-adj-values 1 2 3\nlatency-tracking-info-percentiles 1 99.9\nproc-title-template '{title} {port}'\n";
    let mut random = StdRng::seed_from_u64(11);
    let mut accepted = 0;
    for _ in 0..5_000 {
        let mut text = good.as_bytes().to_vec();
        for _ in 0..random.random_range(1..6) {
            let at = random.random_range(0..text.len());
            match random.random_range(0..4) {
                0 => text[at] = random.random(),
                1 => drop(text.remove(at)),
                2 => text.insert(at, b" \"'\\\n#0%-{"[random.random_range(0..10)]),
                _ => text.truncate(at.max(8)),
            }
        }
        // A damaged line must not name files of this machine.
        if text.windows(7).any(|part| part.eq_ignore_ascii_case(b"include")) {
            continue;
        }
        let Ok(config) = Config::parse_text(&text) else {
            continue;
        };
        accepted += 1;
        let again = config.rewritten(&text, &RewriteOptions::default());
        let loaded = Config::parse_text(&again).expect("a rewritten file loads");
        assert_eq!(loaded.get(&["*"]), config.get(&["*"]), "{}", String::from_utf8_lossy(&again));
    }
    assert!(accepted > 100, "some damage is harmless, {accepted}");
}

#[test]
fn numbers_are_as_strict_as_those_of_redis() {
    for (text, expected) in [
        ("0", Some(0)),
        ("-1", Some(-1)),
        ("9223372036854775807", Some(i64::MAX)),
        ("-9223372036854775808", Some(i64::MIN)),
        ("9223372036854775808", None),
        ("", None),
        ("-", None),
        ("-0", None),
        ("07", None),
        ("+5", None),
        (" 5", None),
        ("5 ", None),
    ] {
        assert_eq!(number::integer(text.as_bytes()), expected, "{text}");
    }
    for (text, expected) in [
        ("", Some(0)),
        ("mb", Some(0)),
        ("10b", Some(10)),
        ("1k", Some(1_000)),
        ("1KB", Some(1_024)),
        ("3mb", Some(3 << 20)),
        ("1G", Some(1_000_000_000)),
        ("18446744073709551616", Some(u64::MAX)),
        ("-1", None),
        ("1tb", None),
        ("1 mb", None),
        ("1.5mb", None),
    ] {
        assert_eq!(number::memory(text.as_bytes()), expected, "{text}");
    }
    for (bytes, expected) in
        [(0, "0"), (1, "1"), (1024, "1kb"), (1536, "1536"), (100 << 20, "100mb"), (1 << 40, "1024gb")]
    {
        assert_eq!(number::memory_with_unit(bytes), expected);
    }
    for (text, expected) in [(" 5", Some(5)), ("+5", Some(5)), ("", Some(0)), ("5 ", None), ("x", None), (" ", None)] {
        assert_eq!(number::lenient(text.as_bytes()), expected, "{text:?}");
    }
    assert_eq!(number::lenient(b"-99999999999999999999"), Some(i64::MIN));
}
