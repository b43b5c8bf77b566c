//! Words of a manifest, quoted as in Redis's configuration files.

use std::fmt::Write;

/// The words of a line; none if its quotes do not match.
pub(super) fn split(line: &str) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut rest = line.as_bytes();
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return Some(words);
        }
        let (word, behind) = word(rest)?;
        words.push(word);
        rest = behind;
    }
}

/// The first word, and what is behind it.
fn word(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    while let Some((&first, behind)) = rest.split_first() {
        if first.is_ascii_whitespace() {
            break;
        }
        rest = match first {
            b'"' => double_quoted(behind, &mut word)?,
            b'\'' => single_quoted(behind, &mut word)?,
            other => {
                word.push(other);
                behind
            }
        };
    }
    Some((word, rest))
}

/// What is behind the closing quote, which ends the word.
fn closed(rest: &[u8]) -> Option<&[u8]> {
    rest.first().is_none_or(u8::is_ascii_whitespace).then_some(rest)
}

fn double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, used) = match *rest {
            [b'"', ..] => return closed(&rest[1..]),
            [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                let digit = |digit: u8| (digit as char).to_digit(16).expect("it was looked at") as u8;
                (digit(high) << 4 | digit(low), 4)
            }
            [b'\\', escaped, ..] => (unescaped(escaped), 2),
            [byte, ..] => (byte, 1),
            [] => return None,
        };
        word.push(byte);
        rest = &rest[used..];
    }
}

const fn unescaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        other => other,
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, used) = match *rest {
            [b'\'', ..] => return closed(&rest[1..]),
            [b'\\', b'\'', ..] => (b'\'', 2),
            [byte, ..] => (byte, 1),
            [] => return None,
        };
        word.push(byte);
        rest = &rest[used..];
    }
}

/// Appends a word, in quotes if it needs them.
pub(super) fn put(out: &mut String, word: &str) {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if !word.is_empty() && word.bytes().all(is_plain) {
        out.push_str(word);
        return;
    }
    out.push('"');
    for byte in word.bytes() {
        // Writing to a string does not fail.
        let _ = match byte {
            b'"' | b'\\' => write!(out, "\\{}", byte as char),
            b'\n' => write!(out, "\\n"),
            b'\r' => write!(out, "\\r"),
            b'\t' => write!(out, "\\t"),
            b' '..=b'~' => write!(out, "{}", byte as char),
            other => write!(out, "\\x{other:02x}"),
        };
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        for word in ["", "a", "a b", "\"", "'", "\\", "a\nb\r\t\u{7}", "å", "#x"] {
            let mut line = String::from("x ");
            put(&mut line, word);
            line.push_str("  y");
            let words = split(&line).expect("quotes match");
            assert_eq!(words, [b"x", word.as_bytes(), b"y"], "{line}");
            assert!(line.is_ascii());
        }
    }

    #[test]
    fn quotes_match_or_nothing_is_read() {
        for wrong in ["\"a", "'a", "\"a\"b", "'a'b", "\"\\"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
        assert_eq!(split("a'b c' 'd\\'e'"), Some(vec![b"ab c".to_vec(), b"d'e".to_vec()]));
    }
}
