//! A script's result as a reply.
//!
//! A table is what its first such field says: `err`, `ok`, `double`, `map`, `set`, `big_number`, `verbatim_string`; else
//! an array up to the first nil. Numbers lose their fraction; what has no form in the protocol is null.

use mlua::{Table, Value};
use net::{Reply, Resp};

use super::library::float;
use super::number::write_g;

/// Tables within tables are answered to this depth: what Lua's stack admits, less what else is on it.
const DEPTH_MAX: usize = 6_000;

const TOO_DEEP: &[u8] = b"ERR reached lua stack limit";

/// Appends `value` to `out` for a client of version `resp`. `spoken` is the version that the script speaks.
pub(super) fn write_value(value: &Value, spoken: Resp, resp: Resp, out: &mut Vec<u8>) {
    write(value, spoken, &mut Reply::new(out, resp), 0);
}

fn write(value: &Value, spoken: Resp, reply: &mut Reply<'_>, depth: usize) {
    if depth > DEPTH_MAX {
        return reply.error(TOO_DEEP);
    }
    match value {
        Value::String(text) => reply.bulk(&text.as_bytes()),
        Value::Boolean(truth) => match (spoken, *truth) {
            (Resp::V3, truth) => reply.boolean(truth),
            (Resp::V2, true) => reply.integer(1),
            (Resp::V2, false) => reply.null(),
        },
        Value::Integer(number) => reply.integer(*number),
        Value::Number(number) => reply.integer(truncated(*number)),
        Value::Table(table) => write_table(table, spoken, reply, depth),
        _ => reply.null(),
    }
}

/// As C converts a double to a long on this machine: what does not fit becomes the least number.
fn truncated(number: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if number.is_nan() || !(-LIMIT..LIMIT).contains(&number) { i64::MIN } else { number as i64 }
}

fn field(table: &Table, name: &str) -> Value {
    table.raw_get(name).unwrap_or(Value::Nil)
}

/// A string, or a number as Lua would make it one.
fn text(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Integer(number) => Some(number.to_string().into_bytes()),
        Value::Number(number) => {
            let mut out = Vec::new();
            write_g(&mut out, *number, 14);
            Some(out)
        }
        _ => None,
    }
}

fn write_table(table: &Table, spoken: Resp, reply: &mut Reply<'_>, depth: usize) {
    if let Some(message) = text(&field(table, "err")) {
        return write_error(&message, reply);
    }
    if let Some(status) = text(&field(table, "ok")) {
        let line: Vec<u8> = status.iter().map(|&b| if b == b'\r' || b == b'\n' { b' ' } else { b }).collect();
        return reply.raw(&[b"+", line.as_slice(), b"\r\n"].concat());
    }
    if let Value::Number(_) | Value::Integer(_) = field(table, "double") {
        let number = float(&field(table, "double")).unwrap_or_default();
        let mut digits = Vec::new();
        write_g(&mut digits, number, 17);
        return reply.double_text(&digits);
    }
    if let Value::Table(map) = field(table, "map") {
        return write_pairs(&map, spoken, reply, depth);
    }
    if let Value::Table(set) = field(table, "set") {
        return write_members(&set, spoken, reply, depth);
    }
    if let Some(digits) = text(&field(table, "big_number")) {
        let line: Vec<u8> = digits.iter().map(|&b| if b == b'\r' || b == b'\n' { b' ' } else { b }).collect();
        return reply.big_number(&line);
    }
    if let Value::Table(verbatim) = field(table, "verbatim_string")
        && let (Some(format), Some(string)) = (text(&field(&verbatim, "format")), text(&field(&verbatim, "string")))
    {
        let format: String = String::from_utf8_lossy(&format).chars().filter(char::is_ascii).take(3).collect();
        return reply.verbatim(&format!("{format:<3}"), &string);
    }
    write_array(table, spoken, reply, depth);
}

/// An error that a script returns: a `-` before it is not doubled, and a text of no words has no code.
pub(super) fn write_error(message: &[u8], reply: &mut Reply<'_>) {
    let message = message.strip_prefix(b"-").unwrap_or(message);
    let message = message.strip_suffix(b"\r\n").unwrap_or(message);
    reply.error(message);
}

fn write_pairs(map: &Table, spoken: Resp, reply: &mut Reply<'_>, depth: usize) {
    reply.map(map.pairs::<Value, Value>().flatten().count());
    for (name, value) in map.pairs::<Value, Value>().flatten() {
        write(&name, spoken, reply, depth + 1);
        write(&value, spoken, reply, depth + 1);
    }
}

fn write_members(set: &Table, spoken: Resp, reply: &mut Reply<'_>, depth: usize) {
    reply.set(set.pairs::<Value, Value>().flatten().count());
    for (member, _) in set.pairs::<Value, Value>().flatten() {
        write(&member, spoken, reply, depth + 1);
    }
}

fn write_array(table: &Table, spoken: Resp, reply: &mut Reply<'_>, depth: usize) {
    let mut len = 0;
    while !matches!(table.raw_get(len + 1), Ok(Value::Nil) | Err(_)) {
        len += 1;
    }
    reply.array(len);
    for index in 1..=len {
        write(&table.raw_get(index).unwrap_or(Value::Nil), spoken, reply, depth + 1);
    }
}
