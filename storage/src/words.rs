//! Words of a line, as in Redis's configuration files and manifests of logs.
//!
//! Words are separated by white space. A word may contain quoted parts:
//!
//! ```text
//! "..."   \n \r \t \b \a \xHH are escapes, a backslash before any other byte stands for that byte
//! '...'   \' is a quote, everything else stands for itself
//! ```
//!
//! A closing quote ends the word: what follows it must be white space or the end of the line, anything else is an
//! error (so is a quote that is never closed).

/// Splits a line into its words, with quotes and escapes resolved; `None` if quotes are unbalanced.
pub fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut at = 0;
    loop {
        while at < line.len() && is_space(line[at]) {
            at += 1;
        }
        if at == line.len() {
            return Some(words);
        }
        let (word, end) = read_word(line, at)?;
        words.push(word);
        at = end;
    }
}

/// Reads the word that begins at `at`; returns it and the position after it.
fn read_word(line: &[u8], mut at: usize) -> Option<(Vec<u8>, usize)> {
    let mut word = Vec::new();
    while at < line.len() {
        match line[at] {
            b'"' => return read_double_quoted(line, at + 1, word),
            b'\'' => return read_single_quoted(line, at + 1, word),
            byte if is_space(byte) => break,
            byte => word.push(byte),
        }
        at += 1;
    }
    Some((word, at))
}

fn read_double_quoted(line: &[u8], mut at: usize, mut word: Vec<u8>) -> Option<(Vec<u8>, usize)> {
    loop {
        match *line.get(at)? {
            b'"' => return ends_word(line, at + 1).then_some((word, at + 1)),
            b'\\' if at + 1 < line.len() => {
                if let [b'\\', b'x', high, low, ..] = line[at..]
                    && let (Some(high), Some(low)) = (hex_digit(high), hex_digit(low))
                {
                    word.push(high << 4 | low);
                    at += 4;
                    continue;
                }
                word.push(match line[at + 1] {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'a' => 7,
                    other => other,
                });
                at += 2;
            }
            byte => {
                word.push(byte);
                at += 1;
            }
        }
    }
}

fn read_single_quoted(line: &[u8], mut at: usize, mut word: Vec<u8>) -> Option<(Vec<u8>, usize)> {
    loop {
        match *line.get(at)? {
            b'\'' => return ends_word(line, at + 1).then_some((word, at + 1)),
            b'\\' if line.get(at + 1) == Some(&b'\'') => {
                word.push(b'\'');
                at += 2;
            }
            byte => {
                word.push(byte);
                at += 1;
            }
        }
    }
}

fn ends_word(line: &[u8], at: usize) -> bool {
    line.get(at).is_none_or(|&byte| is_space(byte))
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// White space as C's `isspace` has it (which includes the vertical tab that `is_ascii_whitespace` leaves out).
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// `word` in double quotes, so that [`split`] reads it back unchanged.
pub fn quoted(word: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(word.len() + 2);
    out.push(b'"');
    for &byte in word {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            7 => out.extend_from_slice(b"\\a"),
            8 => out.extend_from_slice(b"\\b"),
            b' '..=b'~' => out.push(byte),
            _ => out.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
        }
    }
    out.push(b'"');
    out
}

/// `word` as it may stand in a line, in quotes if it needs them.
pub fn written(word: &[u8]) -> Vec<u8> {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if !word.is_empty() && word.iter().all(is_plain) { word.to_vec() } else { quoted(word) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        for word in ["", "a", "a b", "\"", "'", "\\", "a\nb\r\t\u{7}\u{8}", "å", "#x"] {
            let line = [b"x ".as_slice(), &written(word.as_bytes()), b"  y"].concat();
            assert_eq!(split(&line).expect("quotes match"), [b"x", word.as_bytes(), b"y"], "{word}");
            assert!(line.is_ascii());
        }
    }

    #[test]
    fn quotes_match_or_nothing_is_read() {
        for wrong in ["\"a", "'a", "\"a\"b", "'a'b", "\"\\"] {
            assert_eq!(split(wrong.as_bytes()), None, "{wrong}");
        }
        assert_eq!(split(b"a'b c' 'd\\'e'"), Some(vec![b"ab c".to_vec(), b"d'e".to_vec()]));
        assert_eq!(split(b" a\x0bb\x0c"), Some(vec![b"a".to_vec(), b"b".to_vec()]), "white space is that of C");
    }
}
