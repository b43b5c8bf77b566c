//! Writing replies in RESP2 or RESP3.
//!
//! One [`Reply`] writes one command's answer to the end of a byte vector. Aggregates announce their length first and
//! their elements follow; nothing is buffered and nothing is checked twice. Types that only RESP3 has fall back to what
//! Redis sends to a RESP2 client: maps and sets become arrays, doubles, big numbers and verbatim strings become bulk
//! strings, booleans integers, nulls `$-1` or `*-1`.
//!
//! Source: the RESP3 specification, and `networking.c`'s observable behaviour in Redis 7.

use std::fmt::Write as _;

use crate::append::append;

/// The protocol version that a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Resp {
    /// RESP2, what a connection begins with.
    #[default]
    V2,
    /// RESP3, after `HELLO 3`.
    V3,
}

/// The longest integer in decimal: its sign and 19 digits.
const INTEGER_BYTES_MAX: usize = 20;
/// The longest line of an integer: its kind, the integer and the line break.
const LINE_BYTES_MAX: usize = 1 + INTEGER_BYTES_MAX + 2;
/// A line with a number up to this takes no more than eight bytes.
const SHORT_MAX: i64 = 99_999;

/// Writes one reply.
pub struct Reply<'a> {
    out: &'a mut Vec<u8>,
    resp: Resp,
}

impl<'a> Reply<'a> {
    /// A reply in version `resp` to be appended to `out`.
    pub fn new(out: &'a mut Vec<u8>, resp: Resp) -> Self {
        Self { out, resp }
    }

    /// The client's protocol version.
    pub fn resp(&self) -> Resp {
        self.resp
    }

    /// Whether the client speaks RESP3.
    pub fn is_resp3(&self) -> bool {
        self.resp == Resp::V3
    }

    /// Goes on in another version, after HELLO.
    pub fn set_resp(&mut self, resp: Resp) {
        self.resp = resp;
    }

    /// Length of the output so far, a mark for [`Reply::rewind`].
    pub fn mark(&self) -> usize {
        self.out.len()
    }

    /// Takes back everything written since `mark`.
    pub fn rewind(&mut self, mark: usize) {
        self.out.truncate(mark);
    }

    /// What was written since `mark`.
    pub fn since(&self, mark: usize) -> &[u8] {
        &self.out[mark..]
    }

    /// Appends bytes that already are a whole reply.
    pub fn raw(&mut self, bytes: &[u8]) {
        append(self.out, bytes);
    }

    /// `+OK`.
    pub fn ok(&mut self) {
        self.out.extend_from_slice(b"+OK\r\n");
    }

    /// A simple string; `text` has no line break.
    pub fn simple(&mut self, text: &str) {
        debug_assert!(!text.contains(['\r', '\n']));
        self.out.push(b'+');
        self.out.extend_from_slice(text.as_bytes());
        self.crlf();
    }

    /// An error, its code first (`ERR ...`). Line breaks become spaces, as in Redis.
    pub fn error(&mut self, text: &[u8]) {
        // What an error quotes may hold line ends: at its own end they are left out, elsewhere they are spaces.
        let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
        self.out.push(b'-');
        self.out.extend(text[..end].iter().map(|&b| if b == b'\r' || b == b'\n' { b' ' } else { b }));
        self.crlf();
    }

    /// An integer.
    pub fn integer(&mut self, value: i64) {
        self.prefixed(b':', value);
    }

    /// A bulk string.
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.out.reserve(LINE_BYTES_MAX + bytes.len() + 2);
        self.prefixed(b'$', bytes.len() as i64);
        append(self.out, bytes);
        self.crlf();
    }

    /// A bulk string of decimal digits.
    pub fn bulk_integer(&mut self, value: i64) {
        let mut digits = [0; INTEGER_BYTES_MAX];
        let len = format_i64(value, &mut digits);
        self.bulk(&digits[..len]);
    }

    /// The null of the place where a value would be: `$-1`, or `_` in RESP3.
    pub fn null(&mut self) {
        self.out.extend_from_slice(if self.is_resp3() { b"_\r\n" } else { b"$-1\r\n" });
    }

    /// The null of the place where an array would be: `*-1`, or `_` in RESP3.
    pub fn null_array(&mut self) {
        self.out.extend_from_slice(if self.is_resp3() { b"_\r\n" } else { b"*-1\r\n" });
    }

    /// An array of `len` elements, which follow.
    pub fn array(&mut self, len: usize) {
        self.prefixed(b'*', len as i64);
    }

    /// A map of `pairs` keys and values, which follow in turn.
    pub fn map(&mut self, pairs: usize) {
        if self.is_resp3() {
            self.prefixed(b'%', pairs as i64);
        } else {
            self.prefixed(b'*', pairs as i64 * 2);
        }
    }

    /// A set of `len` elements, which follow.
    pub fn set(&mut self, len: usize) {
        self.prefixed(if self.is_resp3() { b'~' } else { b'*' }, len as i64);
    }

    /// An out-of-band message of `len` elements, which follow.
    pub fn push(&mut self, len: usize) {
        self.prefixed(if self.is_resp3() { b'>' } else { b'*' }, len as i64);
    }

    /// An attribute of `pairs` keys and values. RESP3 only: the caller asks [`Reply::is_resp3`] first.
    pub fn attribute(&mut self, pairs: usize) {
        debug_assert!(self.is_resp3());
        self.prefixed(b'|', pairs as i64);
    }

    /// A truth value: `#t`, `#f`, or 1 and 0 in RESP2.
    pub fn boolean(&mut self, value: bool) {
        match (self.resp, value) {
            (Resp::V3, true) => self.out.extend_from_slice(b"#t\r\n"),
            (Resp::V3, false) => self.out.extend_from_slice(b"#f\r\n"),
            (Resp::V2, _) => self.integer(i64::from(value)),
        }
    }

    /// A floating-point number whose text (`%.17g` as Redis prints it) the caller made.
    pub fn double_text(&mut self, text: &[u8]) {
        if self.is_resp3() {
            self.out.push(b',');
            self.out.extend_from_slice(text);
            self.crlf();
        } else {
            self.bulk(text);
        }
    }

    /// A big number given as decimal digits.
    pub fn big_number(&mut self, digits: &[u8]) {
        if self.is_resp3() {
            self.out.push(b'(');
            self.out.extend_from_slice(digits);
            self.crlf();
        } else {
            self.bulk(digits);
        }
    }

    /// Text with a three-letter format (`txt`, `mkd`).
    pub fn verbatim(&mut self, format: &str, text: &[u8]) {
        debug_assert_eq!(format.len(), 3);
        if self.is_resp3() {
            self.prefixed(b'=', text.len() as i64 + 4);
            self.out.extend_from_slice(format.as_bytes());
            self.out.push(b':');
            self.out.extend_from_slice(text);
            self.crlf();
        } else {
            self.bulk(text);
        }
    }

    /// A bulk string made by `write` straight into the output, for text whose length is not known before.
    pub fn bulk_text(&mut self, args: std::fmt::Arguments<'_>) {
        let mut text = String::new();
        text.write_fmt(args).expect("a String takes any text");
        self.bulk(text.as_bytes());
    }

    fn prefixed(&mut self, kind: u8, value: i64) {
        let before = self.out.len();
        if (0..=SHORT_MAX).contains(&value) {
            // Nearly every line. It is made in a register, from its end to its front: bytes that were written one by one
            // cannot be read again as a word before all of them have arrived.
            let (mut line, mut length, mut rest) = (u64::from(u16::from_le_bytes(*b"\r\n")), 3, value as u64);
            loop {
                line = line << 8 | (u64::from(b'0') + rest % 10);
                length += 1;
                rest /= 10;
                if rest == 0 {
                    break;
                }
            }
            self.out.extend_from_slice(&(line << 8 | u64::from(kind)).to_le_bytes());
            self.out.truncate(before + length);
            return;
        }
        // The room of the longest line is added and what is left taken back: that is cheaper than a copy of some bytes.
        let mut line = [0; LINE_BYTES_MAX];
        line[0] = kind;
        let end = 1 + put_digits(value, &mut line[1..]);
        line[end..end + 2].copy_from_slice(b"\r\n");
        self.out.extend_from_slice(&line);
        self.out.truncate(before + end + 2);
    }

    fn crlf(&mut self) {
        self.out.extend_from_slice(b"\r\n");
    }
}

/// Writes `value` in decimal to the front of `digits`; returns the length (at most 20).
pub fn format_i64(value: i64, digits: &mut [u8; INTEGER_BYTES_MAX]) -> usize {
    put_digits(value, digits)
}

/// Writes `value` in decimal to the front of `room`, which has at least [`INTEGER_BYTES_MAX`] bytes; returns the length.
#[inline]
fn put_digits(value: i64, room: &mut [u8]) -> usize {
    let mut rest = value.unsigned_abs();
    let digits = rest.checked_ilog10().unwrap_or(0) as usize + 1;
    let start = usize::from(value < 0);
    if start == 1 {
        room[0] = b'-';
    }
    for place in room[start..start + digits].iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    start + digits
}

#[cfg(test)]
mod tests;
