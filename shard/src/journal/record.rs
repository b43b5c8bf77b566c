//! Records: commands as RESP, the way clients send them and append-only files hold them.

use std::io::Write;

use net::Args;
use storage::number::{INTEGER_TEXT_BYTES_MAX, write_i64};
use storage::types::stream::StreamId;

/// A word of a record.
#[derive(Clone, Copy, Debug)]
pub enum Word<'a> {
    /// As it is.
    Bytes(&'a [u8]),
    /// In digits.
    Number(i64),
    /// The id of an entry of a stream.
    Id(StreamId),
}

impl<'a> From<&'a [u8]> for Word<'a> {
    fn from(bytes: &'a [u8]) -> Word<'a> {
        Word::Bytes(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for Word<'a> {
    fn from(bytes: &'a Vec<u8>) -> Word<'a> {
        Word::Bytes(bytes)
    }
}

impl<'a> From<&'a str> for Word<'a> {
    fn from(text: &'a str) -> Word<'a> {
        Word::Bytes(text.as_bytes())
    }
}

impl From<i64> for Word<'_> {
    fn from(number: i64) -> Self {
        Word::Number(number)
    }
}

impl From<StreamId> for Word<'_> {
    fn from(id: StreamId) -> Self {
        Word::Id(id)
    }
}

/// Writes a record of these words.
pub fn put_words(out: &mut Vec<u8>, words: &[Word<'_>]) {
    put_length(out, b'*', words.len());
    for word in words {
        match word {
            Word::Bytes(bytes) => put_bytes(out, bytes),
            Word::Number(number) => put_bytes(out, write_i64(*number, &mut [0; INTEGER_TEXT_BYTES_MAX])),
            Word::Id(id) => {
                let mut text = [0; 2 * INTEGER_TEXT_BYTES_MAX + 1];
                let mut rest = &mut text[..];
                write!(rest, "{id}").expect("two numbers and a hyphen have room");
                let left = rest.len();
                let len = text.len() - left;
                put_bytes(out, &text[..len]);
            }
        }
    }
}

/// Writes a command as a record.
pub fn put_args(out: &mut Vec<u8>, args: &Args<'_>) {
    out.reserve(args.total_bytes() + 16 * (args.len() + 1));
    put_length(out, b'*', args.len());
    args.from(0).for_each(|word| put_bytes(out, word));
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, b'$', bytes.len());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

/// Most lengths have one digit or two: those are put in one piece, of a size that the compiler knows.
#[inline]
fn put_length(out: &mut Vec<u8>, kind: u8, len: usize) {
    let digit = |number: usize| b'0' + number as u8;
    match len {
        0..10 => out.extend_from_slice(&[kind, digit(len), b'\r', b'\n']),
        10..100 => out.extend_from_slice(&[kind, digit(len / 10), digit(len % 10), b'\r', b'\n']),
        _ => put_long_length(out, kind, len),
    }
}

fn put_long_length(out: &mut Vec<u8>, kind: u8, len: usize) {
    out.push(kind);
    out.extend_from_slice(write_i64(len as i64, &mut [0; INTEGER_TEXT_BYTES_MAX]));
    out.extend_from_slice(b"\r\n");
}
