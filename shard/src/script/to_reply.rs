//! A script's result as a reply.
//!
//! A table is what its first such field says: `err`, `ok`, `double`, `map`, `set`, `big_number`, `verbatim_string`; else
//! an array up to the first nil. Numbers lose their fraction; what has no form in the protocol is null.

use net::{Reply, Resp};

use super::number::write_g;
use super::stack::{Stack, Type};
use super::to_lua::IS_COUNTED;
use super::vm::Failure;

/// Tables within tables are answered to this depth.
const DEPTH_MAX: usize = 6_000;

/// A table's fields and elements take so many places of the stack at most, beside those of the values in them.
const PLACES: i32 = 5;

const TOO_DEEP: &[u8] = b"ERR reached lua stack limit";

/// Takes the value on top of the stack, and appends it to `out` for a client of version `resp`. `spoken` is the version that
/// the script speaks.
pub(super) fn write_value(stack: &mut Stack, spoken: Resp, resp: Resp, out: &mut Vec<u8>) {
    write(stack, spoken, &mut Reply::new(out, resp), 0);
}

fn write(stack: &mut Stack, spoken: Resp, reply: &mut Reply<'_>, depth: usize) {
    match stack.type_of(-1) {
        Type::String => reply.bulk(stack.bytes(-1).unwrap_or_default()),
        Type::Boolean => match (spoken, stack.truth(-1)) {
            (Resp::V3, truth) => reply.boolean(truth),
            (Resp::V2, true) => reply.integer(1),
            (Resp::V2, false) => reply.null(),
        },
        Type::Number => reply.integer(truncated(stack.number(-1).unwrap_or_default())),
        Type::Table if depth > DEPTH_MAX || !stack.has_room(PLACES) => reply.error(TOO_DEEP),
        Type::Table => write_table(stack, spoken, reply, depth),
        Type::Nil | Type::Function | Type::Thread | Type::Userdata | Type::LightUserdata | Type::Other => reply.null(),
    }
    stack.pop(1);
}

/// As C converts a double to a long on this machine: what does not fit becomes the least number.
fn truncated(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if number.is_nan() || !(-LIMIT..LIMIT).contains(&number) { i64::MIN } else { number as i64 }
}

/// What is done with a string on top of the stack, or with a number as Lua would make it one; nothing with other values,
/// which stay there as these do.
fn with_text<T>(stack: &Stack, then: impl FnOnce(&[u8]) -> T) -> Option<T> {
    if let Some(number) = stack.number(-1) {
        let mut digits = Vec::new();
        write_g(&mut digits, number, 14);
        return Some(then(&digits));
    }
    stack.bytes(-1).map(then)
}

/// The same with a field of the table on top of the stack.
fn with_field<T>(stack: &mut Stack, name: &[u8], then: impl FnOnce(&[u8]) -> T) -> Option<T> {
    stack.push_field(-1, name);
    let done = with_text(stack, then);
    stack.pop(1);
    done
}

/// Whether the field of the table on top of the stack is a table, which is on top then.
fn enters_field(stack: &mut Stack, name: &[u8]) -> bool {
    stack.push_field(-1, name);
    let is_table = stack.type_of(-1) == Type::Table;
    if !is_table {
        stack.pop(1);
    }
    is_table
}

fn write_table(stack: &mut Stack, spoken: Resp, reply: &mut Reply<'_>, depth: usize) {
    if with_field(stack, b"err", |message| write_error(message, reply)).is_some()
        || with_field(stack, b"ok", |status| write_status(status, reply)).is_some()
    {
        return;
    }
    stack.push_field(-1, b"double");
    let double = stack.number(-1);
    stack.pop(1);
    if let Some(number) = double {
        let mut digits = Vec::new();
        write_g(&mut digits, number, 17);
        reply.double_text(&digits);
    } else if enters_field(stack, b"map") {
        write_pairs(stack, spoken, reply, depth);
        stack.pop(1);
    } else if enters_field(stack, b"set") {
        write_members(stack, spoken, reply, depth);
        stack.pop(1);
    } else if with_field(stack, b"big_number", |digits| reply.big_number(&in_one_line(digits))).is_none()
        && !write_verbatim(stack, reply)
    {
        write_array(stack, spoken, reply, depth);
    }
}

fn in_one_line(text: &[u8]) -> Vec<u8> {
    text.iter().map(|&byte| if byte == b'\r' || byte == b'\n' { b' ' } else { byte }).collect()
}

fn write_status(status: &[u8], reply: &mut Reply<'_>) {
    reply.raw(&[b"+", in_one_line(status).as_slice(), b"\r\n"].concat());
}

/// An error that a script returns: a `-` before it is not doubled, and a text of no words has no code.
fn write_error(message: &[u8], reply: &mut Reply<'_>) {
    let message = message.strip_prefix(b"-").unwrap_or(message);
    let message = message.strip_suffix(b"\r\n").unwrap_or(message);
    reply.error(message);
}

/// False if the table on top of the stack is no verbatim string.
fn write_verbatim(stack: &mut Stack, reply: &mut Reply<'_>) -> bool {
    if !enters_field(stack, b"verbatim_string") {
        return false;
    }
    let mut format = [b' '; 3];
    let has_format = with_field(stack, b"format", |name| {
        let letters = name.iter().filter(|byte| byte.is_ascii());
        format.iter_mut().zip(letters).for_each(|(to, from)| *to = *from);
    });
    let format = str::from_utf8(&format).expect("only ASCII was taken");
    let written = has_format.and_then(|()| with_field(stack, b"string", |string| reply.verbatim(format, string)));
    stack.pop(1);
    written.is_some()
}

fn write_pairs(stack: &mut Stack, spoken: Resp, reply: &mut Reply<'_>, depth: usize) {
    reply.map(length(stack));
    stack.push_nil();
    while stack.next(-2) {
        stack.push_copy(-2);
        write(stack, spoken, reply, depth + 1);
        write(stack, spoken, reply, depth + 1);
    }
}

fn write_members(stack: &mut Stack, spoken: Resp, reply: &mut Reply<'_>, depth: usize) {
    reply.set(length(stack));
    stack.push_nil();
    while stack.next(-2) {
        stack.pop(1);
        stack.push_copy(-1);
        write(stack, spoken, reply, depth + 1);
    }
}

/// Number of fields of the table on top of the stack.
fn length(stack: &mut Stack) -> usize {
    let mut length = 0;
    stack.push_nil();
    while stack.next(-2) {
        stack.pop(1);
        length += 1;
    }
    length
}

fn write_array(stack: &mut Stack, spoken: Resp, reply: &mut Reply<'_>, depth: usize) {
    let mut len = 0;
    loop {
        stack.push_at(-1, len + 1);
        let is_end = stack.type_of(-1) == Type::Nil;
        stack.pop(1);
        if is_end {
            break;
        }
        len += 1;
    }
    reply.array(len as usize);
    for index in 1..=len {
        stack.push_at(-1, index);
        write(stack, spoken, reply, depth + 1);
    }
}

/// Whether the value on top of the stack is an error with which a command replied to the script.
pub(super) fn is_counted(stack: &mut Stack) -> bool {
    if stack.type_of(-1) != Type::Table {
        return false;
    }
    stack.push_field(-1, IS_COUNTED);
    let counted = stack.truth(-1);
    stack.pop(1);
    counted
}

/// What the sandbox made of an error, which is on top of the stack.
pub(super) fn failure(stack: &mut Stack, failure: &mut Failure) {
    if stack.type_of(-1) != Type::Table {
        failure.message.extend_from_slice(b"ERR ");
        with_text(stack, |text| failure.message.extend_from_slice(text));
        return;
    }
    if with_field(stack, b"err", |text| failure.message.extend_from_slice(text)).is_none() {
        failure.message.extend_from_slice(b"ERR unknown error");
    }
    let line = with_field(stack, b"line", |line| std::str::from_utf8(line).ok()?.parse().ok());
    if let Some(Some(line)) = line {
        failure.place = with_field(stack, b"source", |source| (source.to_vec(), line));
    }
}
