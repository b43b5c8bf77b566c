//! Lua values as MessagePack.

use mlua::{Table, Value};

use super::Problem;

/// Tables within tables are written to this depth.
const DEPTH_MAX: usize = 16;

/// Appends `value` to `out`.
pub(super) fn pack(value: &Value, out: &mut Vec<u8>) -> Result<(), Problem> {
    write(value, out, 0)
}

fn write(value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<(), Problem> {
    match value {
        Value::Boolean(truth) => out.push(0xc2 + u8::from(*truth)),
        Value::Integer(number) => write_integer(*number, out),
        Value::Number(number) => write_number(*number, out),
        Value::String(text) => {
            let text = text.as_bytes();
            write_length(text.len(), [(0xa0, 31), (0xd9, 0xff), (0xda, 0xffff), (0xdb, u32::MAX)], out);
            out.extend_from_slice(&text);
        }
        Value::Table(table) if depth < DEPTH_MAX => write_table(table, out, depth)?,
        _ => out.push(0xc0),
    }
    Ok(())
}

/// The head of a string, an array or a map: for each of its forms the first byte and the longest length. The first form has
/// the length in the byte itself, the others in 1, 2 or 4 bytes (a second form that holds nothing is left out).
fn write_length(len: usize, [fixed, short, middle, long]: [(u8, u32); 4], out: &mut Vec<u8>) {
    let len = u32::try_from(len).expect("Lua holds nothing of 4 GiB");
    if len <= fixed.1 {
        out.push(fixed.0 | len as u8);
    } else if len <= short.1 {
        out.extend_from_slice(&[short.0, len as u8]);
    } else if len <= middle.1 {
        out.push(middle.0);
        out.extend_from_slice(&(len as u16).to_be_bytes());
    } else {
        out.push(long.0);
        out.extend_from_slice(&len.to_be_bytes());
    }
}

fn write_integer(number: i64, out: &mut Vec<u8>) {
    match number {
        -32..=0x7f => out.push(number as u8),
        0x80..=0xff => out.extend_from_slice(&[0xcc, number as u8]),
        0x100..=0xffff => {
            out.push(0xcd);
            out.extend_from_slice(&(number as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(0xce);
            out.extend_from_slice(&(number as u32).to_be_bytes());
        }
        0x1_0000_0000.. => {
            out.push(0xcf);
            out.extend_from_slice(&number.to_be_bytes());
        }
        -0x80..-32 => out.extend_from_slice(&[0xd0, number as u8]),
        -0x8000..-0x80 => {
            out.push(0xd1);
            out.extend_from_slice(&(number as i16).to_be_bytes());
        }
        -0x8000_0000..-0x8000 => {
            out.push(0xd2);
            out.extend_from_slice(&(number as i32).to_be_bytes());
        }
        _ => {
            out.push(0xd3);
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}

fn write_number(number: f64, out: &mut Vec<u8>) {
    let short = number as f32;
    if f64::from(short).to_bits() == number.to_bits() {
        out.push(0xca);
        out.extend_from_slice(&short.to_be_bytes());
    } else {
        out.push(0xcb);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn write_table(table: &Table, out: &mut Vec<u8>, depth: usize) -> Result<(), Problem> {
    let (mut items, mut max, mut is_array) = (0, 0, true);
    for pair in table.pairs::<Value, Value>() {
        items += 1;
        match pair?.0 {
            Value::Integer(index) if index > 0 => max = max.max(index as usize),
            _ => is_array = false,
        }
    }
    if is_array && max == items {
        write_length(items, [(0x90, 15), (0, 0), (0xdc, 0xffff), (0xdd, u32::MAX)], out);
        for index in 1..=items {
            write(&table.raw_get(index)?, out, depth + 1)?;
        }
        return Ok(());
    }
    write_length(items, [(0x80, 15), (0, 0), (0xde, 0xffff), (0xdf, u32::MAX)], out);
    for pair in table.pairs::<Value, Value>() {
        let (name, value) = pair?;
        write(&name, out, depth + 1)?;
        write(&value, out, depth + 1)?;
    }
    Ok(())
}
