//! Inline commands: a line of words, for people with `telnet` and for scripts with `nc`.
//!
//! Words are separated by blanks. A word, or a part of it, may be quoted:
//!
//! | in the line | in the argument |
//! |---|---|
//! | `"..."` | `\n \r \t \b \a` and `\xHH` stand for bytes; a backslash before anything else stands for that byte |
//! | `'...'` | only `\'` is special |
//!
//! A closing quote ends the word, so a blank or the end of the line must follow. Unlike a request in multibulk form
//! the arguments may differ from what was received, so they are written to a buffer of their own.

use crate::resp::args::Span;

/// A quote that was not closed, or that was closed in the middle of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unbalanced;

/// Splits `line`, which has no line break at its end, into words: their bytes are appended to `bytes`, their positions
/// in `bytes` to `spans`.
pub fn split(line: &[u8], bytes: &mut Vec<u8>, spans: &mut Vec<Span>) -> Result<(), Unbalanced> {
    let mut at = 0;
    loop {
        while line.get(at).is_some_and(|&b| is_space(b)) {
            at += 1;
        }
        if at == line.len() {
            return Ok(());
        }
        let start = bytes.len();
        at = word(line, at, bytes)?;
        spans.push(Span { start: start as u32, len: (bytes.len() - start) as u32 });
    }
}

/// Reads the word that begins at `at`; returns where it ends.
fn word(line: &[u8], mut at: usize, out: &mut Vec<u8>) -> Result<usize, Unbalanced> {
    while let Some(&byte) = line.get(at) {
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => break,
            b'"' => return closed(line, double_quoted(line, at + 1, out)?),
            b'\'' => return closed(line, single_quoted(line, at + 1, out)?),
            _ => out.push(byte),
        }
        at += 1;
    }
    Ok(at)
}

/// A word that ended with a quote at `at - 1` must be followed by a blank or by nothing.
fn closed(line: &[u8], at: usize) -> Result<usize, Unbalanced> {
    match line.get(at) {
        Some(&byte) if !is_space(byte) => Err(Unbalanced),
        _ => Ok(at),
    }
}

fn double_quoted(line: &[u8], mut at: usize, out: &mut Vec<u8>) -> Result<usize, Unbalanced> {
    loop {
        match line[at.min(line.len())..] {
            [] => return Err(Unbalanced),
            [b'\\', b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex(high) << 4 | hex(low));
                at += 4;
            }
            [b'\\', escaped, ..] => {
                out.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => other,
                });
                at += 2;
            }
            [b'"', ..] => return Ok(at + 1),
            [byte, ..] => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

fn single_quoted(line: &[u8], mut at: usize, out: &mut Vec<u8>) -> Result<usize, Unbalanced> {
    loop {
        match line[at.min(line.len())..] {
            [] => return Err(Unbalanced),
            [b'\\', b'\'', ..] => {
                out.push(b'\'');
                at += 2;
            }
            [b'\'', ..] => return Ok(at + 1),
            [byte, ..] => {
                out.push(byte);
                at += 1;
            }
        }
    }
}

/// What C's `isspace` takes for a blank.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

/// The value of a hexadecimal digit.
fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}

#[cfg(test)]
mod tests;
