//! The lines of a configuration text.
//!
//! A line is words separated by white space, with quotes and escapes as [`storage::words`] reads them. A NUL byte ends it.
//! Lines that are empty or whose first byte is `#` after trimming are comments. The same grammar reads what `CONFIG REWRITE`
//! writes with [`quoted`], byte for byte.

pub use storage::words::quoted;

/// Splits a line into its words, with quotes and escapes resolved; `None` if quotes are unbalanced.
pub fn split_words(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    storage::words::split(line.split(|&byte| byte == 0).next().unwrap_or_default())
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
