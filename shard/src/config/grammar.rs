//! The grammar of a configuration line.
//!
//! A line is words separated by white space. A word may contain quoted parts:
//!
//! ```text
//! "..."   \n \r \t \b \a \xHH are escapes, a backslash before any other byte stands for that byte
//! '...'   \' is a quote, everything else stands for itself
//! ```
//!
//! A closing quote ends the word: what follows it must be white space or the end of the line, anything else is an
//! error (so is a quote that is never closed). A NUL byte ends the line. Lines that are empty or whose first byte is
//! `#` after trimming are comments. The same grammar reads what `CONFIG REWRITE` writes with [`quoted`], byte for
//! byte.

/// Splits a line into its words, with quotes and escapes resolved; `None` if quotes are unbalanced.
pub fn split_words(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let line = line.split(|&byte| byte == 0).next().unwrap_or_default();
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

/// `word` in double quotes, so that [`split_words`] reads it back unchanged.
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

/// A line that says something, of a configuration text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: usize,
    /// Its bytes, without surrounding white space.
    pub text: &'a [u8],
}

/// The lines of `text` without surrounding white space, comments and empty ones included.
pub fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    text.split(|&byte| byte == b'\n').enumerate().map(|(index, line)| Line { number: index + 1, text: trimmed(line) })
}

impl Line<'_> {
    /// Whether the line is a comment or empty.
    pub fn is_silent(&self) -> bool {
        self.text.first().is_none_or(|&byte| byte == b'#')
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    let strip = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = line.iter().position(|byte| !strip(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !strip(byte)).map_or(start, |last| last + 1);
    &line[start..end]
}
