//! Words and quotes of inline commands.

use super::*;

fn words(line: &str) -> Result<Vec<Vec<u8>>, Unbalanced> {
    let (mut bytes, mut spans) = (Vec::new(), Vec::new());
    split(line.as_bytes(), &mut bytes, &mut spans)?;
    Ok(spans.iter().map(|s| bytes[s.start as usize..(s.start + s.len) as usize].to_vec()).collect())
}

fn check(line: &str, expected: &[&[u8]]) {
    assert_eq!(words(line), Ok(expected.iter().map(|w| w.to_vec()).collect()), "{line:?}");
}

#[test]
fn words_are_split_as_redis_splits_them() {
    check("", &[]);
    check(" \t\x0b\x0c ", &[]);
    check("PING", &[b"PING"]);
    check("  GET   a ", &[b"GET", b"a"]);
    check("ECHO\ta\x0bb", &[b"ECHO", b"a\x0bb"]);
    check("PING\r", &[b"PING"]);
    check(r#"ECHO "a\x41\n\r\t\b\a\q\"z""#, &[b"ECHO", b"aA\n\r\t\x08\x07q\"z"]);
    check(r#"ECHO "\xZZ\xff""#, &[b"ECHO", b"xZZ\xff"]);
    check(r"ECHO 'a\'b\n'", &[b"ECHO", b"a'b\\n"]);
    check(r#"ECHO a"b""#, &[b"ECHO", b"ab"]);
    check(r#""" ''"#, &[b"", b""]);
}

#[test]
fn quotes_must_be_closed_at_the_end_of_a_word() {
    for line in ["\"", "'", "a \"b", "a 'b", "\"a\"b", "'a'b", "\"a\\", "\"a\\\"", "'a\\'", "\"a\\x4"] {
        assert_eq!(words(line), Err(Unbalanced), "{line:?}");
    }
}
