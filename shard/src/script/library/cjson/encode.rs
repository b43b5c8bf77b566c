//! Lua values as JSON.
//!
//! A table with nothing but positive integers for keys is an array, holes in it being null; any other is an object. One
//! that is empty is an object, too. With too many holes it is refused, or made an object, as the settings say.

use mlua::{Table, Value};

use super::{DEPTH_LIMIT, Invalid, Problem, Settings, type_name};
use crate::script::library::float;
use crate::script::number::write_g;

/// Appends `value` to `out`.
pub(super) fn encode(settings: &Settings, value: &Value, out: &mut Vec<u8>) -> Result<(), Problem> {
    write(settings, value, out, 0)
}

fn write(settings: &Settings, value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<(), Problem> {
    match value {
        Value::Nil => out.extend_from_slice(b"null"),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::Integer(number) => write_number(settings, *number as f64, out)?,
        Value::Number(number) => write_number(settings, *number, out)?,
        Value::String(text) => write_string(&text.as_bytes(), out),
        Value::Table(table) => write_table(settings, table, out, depth + 1)?,
        null if null.is_null() => out.extend_from_slice(b"null"),
        other => return Err(refused(other, "type not supported")),
    }
    Ok(())
}

fn refused(value: &Value, why: &str) -> Problem {
    Problem::from(format!("Cannot serialise {}: {why}", type_name(value)))
}

fn write_number(settings: &Settings, number: f64, out: &mut Vec<u8>) -> Result<(), Problem> {
    if number.is_finite() {
        write_g(out, number, settings.precision as usize);
        return Ok(());
    }
    match settings.encode_invalid {
        Invalid::Refused => return Err(refused(&Value::Number(number), "must not be NaN or Inf")),
        Invalid::Null => out.extend_from_slice(b"null"),
        Invalid::Written => write_g(out, number, settings.precision as usize),
    }
    Ok(())
}

fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text {
        let escaped: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'/' => b"\\/",
            0x08 => b"\\b",
            0x0c => b"\\f",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..0x20 | 0x7f => {
                out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(escaped);
    }
    out.push(b'"');
}

fn write_table(settings: &Settings, table: &Table, out: &mut Vec<u8>, depth: usize) -> Result<(), Problem> {
    if depth as i64 > settings.encode_depth_max || depth > DEPTH_LIMIT {
        return Err(Problem::from(format!("Cannot serialise, excessive nesting ({depth})")));
    }
    match array_len(settings, table)? {
        Some(len @ 1..) => {
            out.push(b'[');
            for index in 1..=len {
                if index > 1 {
                    out.push(b',');
                }
                write(settings, &table.raw_get(index)?, out, depth)?;
            }
            out.push(b']');
        }
        _ => write_object(settings, table, out, depth)?,
    }
    Ok(())
}

/// The length of a table that is an array.
fn array_len(settings: &Settings, table: &Table) -> Result<Option<i64>, Problem> {
    let (mut max, mut items) = (0, 0);
    for pair in table.pairs::<Value, Value>() {
        match pair?.0 {
            Value::Integer(index) if index >= 1 => {
                max = max.max(index);
                items += 1;
            }
            _ => return Ok(None),
        }
    }
    let ratio = settings.sparse_ratio;
    if ratio > 0 && max > items * ratio && max > settings.sparse_safe {
        if !settings.sparse_converts {
            return Err("Cannot serialise table: excessively sparse array".into());
        }
        return Ok(None);
    }
    Ok(Some(max))
}

fn write_object(settings: &Settings, table: &Table, out: &mut Vec<u8>, depth: usize) -> Result<(), Problem> {
    out.push(b'{');
    let mut is_first = true;
    for pair in table.pairs::<Value, Value>() {
        let (name, value) = pair?;
        if !std::mem::replace(&mut is_first, false) {
            out.push(b',');
        }
        match &name {
            Value::String(text) => write_string(&text.as_bytes(), out),
            Value::Integer(_) | Value::Number(_) => {
                out.push(b'"');
                write_number(settings, float(&name).unwrap_or_default(), out)?;
                out.push(b'"');
            }
            other => return Err(refused(other, "table key must be a number or string")),
        }
        out.push(b':');
        write(settings, &value, out, depth)?;
    }
    out.push(b'}');
    Ok(())
}
