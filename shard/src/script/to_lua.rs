//! A command's reply as Lua values.
//!
//! | reply | Lua |
//! |---|---|
//! | integer | number |
//! | bulk string | string |
//! | array | table |
//! | status | table with the field `ok` |
//! | error | table with the field `err` |
//! | null | false; nil if the script speaks RESP3 |
//! | double, big number, verbatim string | table with the field `double`, `big_number`, `verbatim_string` |
//! | map, set | table with the field `map` or `set`, which is a table |
//! | boolean | boolean |

use super::stack::{Stack, Type};

/// A value takes so many places of the stack at most, beside those of the values in it.
const PLACES: i32 = 5;

/// Reads replies from bytes that are whole ones.
pub(super) struct Replies<'a> {
    rest: &'a [u8],
}

impl<'a> Replies<'a> {
    /// Reads from `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Replies<'a> {
        Replies { rest: bytes }
    }

    /// The byte that says what the next reply is.
    pub(super) fn kind(&mut self) -> u8 {
        let kind = self.rest[0];
        self.rest = &self.rest[1..];
        kind
    }

    /// What is left of the line that [`Self::kind`] has begun.
    pub(super) fn line(&mut self) -> &'a [u8] {
        let end = self.rest.iter().position(|&byte| byte == b'\r').expect("a reply has lines");
        let line = &self.rest[..end];
        self.rest = &self.rest[end + 2..];
        line
    }

    /// So many bytes, and the end of a line behind them.
    pub(super) fn bytes(&mut self, len: usize) -> &'a [u8] {
        let bytes = &self.rest[..len];
        self.rest = &self.rest[len + 2..];
        bytes
    }

    /// Pushes the next reply. No command's reply is as deep as Lua's stack.
    pub(super) fn push(&mut self, stack: &mut Stack) {
        let kind = self.kind();
        let line = self.line();
        match kind {
            b':' => stack.push_number(number(line) as f64),
            b'$' => match number(line) {
                -1 => stack.push_boolean(false),
                len => stack.push_bytes(self.bytes(len as usize)),
            },
            b'+' => push_field(stack, b"ok", |stack| stack.push_bytes(line)),
            b'-' => push_error(stack, line, true),
            b'*' | b'>' => match number(line) {
                -1 => stack.push_boolean(false),
                len => self.push_array(stack, len as usize),
            },
            b'_' => stack.push_nil(),
            b'#' => stack.push_boolean(line == b"t"),
            b',' => push_field(stack, b"double", |stack| stack.push_number(double(line))),
            b'(' => push_field(stack, b"big_number", |stack| stack.push_bytes(line)),
            b'=' => {
                let text = self.bytes(number(line) as usize);
                push_field(stack, b"verbatim_string", |stack| push_verbatim(stack, text));
            }
            b'%' => push_field(stack, b"map", |stack| self.push_map(stack, number(line) as usize)),
            b'~' => push_field(stack, b"set", |stack| self.push_set(stack, number(line) as usize)),
            b'|' => {
                self.push_map(stack, number(line) as usize);
                stack.pop(1);
                self.push(stack);
            }
            other => unreachable!("no reply begins with {other}"),
        }
    }

    fn push_array(&mut self, stack: &mut Stack, len: usize) {
        assert!(stack.has_room(PLACES), "no reply is as deep as Lua's stack");
        stack.push_table(len, 0);
        for (_, index) in (0..len).zip(1..) {
            self.push(stack);
            stack.set_at(-2, index);
        }
    }

    fn push_map(&mut self, stack: &mut Stack, pairs: usize) {
        assert!(stack.has_room(PLACES), "no reply is as deep as Lua's stack");
        stack.push_table(0, pairs);
        for _ in 0..pairs {
            self.push(stack);
            self.push(stack);
            set(stack);
        }
    }

    fn push_set(&mut self, stack: &mut Stack, len: usize) {
        assert!(stack.has_room(PLACES), "no reply is as deep as Lua's stack");
        stack.push_table(0, len);
        for _ in 0..len {
            self.push(stack);
            stack.push_boolean(true);
            set(stack);
        }
    }
}

/// Takes a key and its value into the table below them; nil is no key.
fn set(stack: &mut Stack) {
    if stack.type_of(-2) == Type::Nil {
        stack.pop(2);
    } else {
        stack.set(-3);
    }
}

/// Pushes a table with one field.
fn push_field(stack: &mut Stack, name: &[u8], push: impl FnOnce(&mut Stack)) {
    stack.push_table(0, 1);
    stack.push_bytes(name);
    push(stack);
    stack.set(-3);
}

/// The field of an error that says that it was a command's, under the name that Redis has for it.
pub(super) const IS_COUNTED: &[u8] = b"ignore_error_stats_update";

/// Pushes an error; whether it is the reply of a command, which has been counted as one.
pub(super) fn push_error(stack: &mut Stack, text: &[u8], is_reply: bool) {
    stack.push_table(0, 2);
    stack.push_bytes(b"err");
    stack.push_bytes(text);
    stack.set(-3);
    if is_reply {
        stack.push_bytes(IS_COUNTED);
        stack.push_boolean(true);
        stack.set(-3);
    }
}

/// `txt:` and the text.
fn push_verbatim(stack: &mut Stack, text: &[u8]) {
    stack.push_table(0, 2);
    stack.push_bytes(b"format");
    stack.push_bytes(&text[..3]);
    stack.set(-3);
    stack.push_bytes(b"string");
    stack.push_bytes(&text[4..]);
    stack.set(-3);
}

fn number(line: &[u8]) -> i64 {
    let digits = line.strip_prefix(b"-").unwrap_or(line);
    let magnitude = digits.iter().fold(0i64, |n, digit| n.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')));
    if digits.len() < line.len() { magnitude.wrapping_neg() } else { magnitude }
}

fn double(line: &[u8]) -> f64 {
    std::str::from_utf8(line).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}
