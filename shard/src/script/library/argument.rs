//! Arguments of a library's functions, taken as Lua's own libraries take them.

use mlua::Value;

use super::Problem;
use crate::script::number::{write_g, write_integer};

/// The error that argument `place` (from 1) of `function` is bad.
pub(in crate::script) fn bad(place: usize, function: &str, why: &str) -> Problem {
    Problem::from(format!("bad argument #{place} to '{function}' ({why})"))
}

fn kind(value: Option<&Value>) -> &'static str {
    value.map_or("no value", type_name)
}

/// A value's type, as Lua names it.
pub(in crate::script) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "number",
        Value::LightUserData(_) => "userdata",
        other => other.type_name(),
    }
}

/// Argument `place` as a number.
pub(in crate::script) fn number(value: Option<&Value>, place: usize, function: &str) -> Result<f64, Problem> {
    let found = match value {
        Some(Value::Integer(number)) => Some(*number as f64),
        Some(Value::Number(number)) => Some(*number),
        Some(Value::String(text)) => text_number(&text.as_bytes()),
        _ => None,
    };
    found.ok_or_else(|| bad(place, function, &format!("number expected, got {}", kind(value))))
}

/// A number in a string, as Lua reads it: decimal or hexadecimal, blanks around it.
fn text_number(text: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(text).ok()?.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if let Some(hexadecimal) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return u64::from_str_radix(hexadecimal, 16).ok().map(|number| sign * number as f64);
    }
    // Words that Rust takes for numbers are none here.
    let is_decimal = digits.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'.');
    is_decimal.then(|| digits.parse::<f64>().ok().map(|number| sign * number)).flatten()
}

/// Argument `place` as bytes.
pub(in crate::script) fn string(value: Option<&Value>, place: usize, function: &str) -> Result<Vec<u8>, Problem> {
    value.and_then(text_of).ok_or_else(|| bad(place, function, &format!("string expected, got {}", kind(value))))
}

/// The bytes of a string, or of a number as Lua shows it.
pub(in crate::script) fn text_of(value: &Value) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match value {
        Value::String(text) => out.extend_from_slice(&text.as_bytes()),
        Value::Integer(number) if number.unsigned_abs() < 100_000_000_000_000 => write_integer(&mut out, *number),
        Value::Integer(number) => write_g(&mut out, *number as f64, 14),
        Value::Number(number) => write_g(&mut out, *number, 14),
        _ => return None,
    }
    Some(out)
}

/// A number cut to an integer of the machine's C `int`.
pub(in crate::script) fn integer(value: Option<&Value>, place: usize, function: &str) -> Result<i64, Problem> {
    Ok(number(value, place, function)? as i64)
}
