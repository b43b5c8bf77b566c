//! `bit`: operations on the 32 bits of a number.
//!
//! A number is taken modulo 2^32, a fraction rounded to the nearest integer (ties to even), and the result is signed.

use mlua::{Lua, Table, Value, Variadic};

use super::argument::number;
use super::{Problem, add as add_function};

/// What turns a double's low mantissa bits into its value modulo 2^32: 2^52 + 2^51.
const SHIFT_TO_MANTISSA: f64 = 6_755_399_441_055_744.0;

type Unary = fn(u32) -> u32;
type Folded = fn(u32, u32) -> u32;

const UNARY: [(&str, Unary); 3] = [("tobit", |x| x), ("bnot", |x| !x), ("bswap", u32::swap_bytes)];

const SHIFTS: [(&str, Folded); 5] = [
    ("lshift", |x, n| x << (n & 31)),
    ("rshift", |x, n| x >> (n & 31)),
    ("arshift", |x, n| (x as i32 >> (n & 31)) as u32),
    ("rol", |x, n| x.rotate_left(n & 31)),
    ("ror", |x, n| x.rotate_right(n & 31)),
];

const FOLDS: [(&str, Folded); 3] = [("band", |x, y| x & y), ("bor", |x, y| x | y), ("bxor", |x, y| x ^ y)];

/// Adds the functions to what the sandbox is built from.
pub(in crate::script) fn add(lua: &Lua, raw: &Table) -> mlua::Result<()> {
    let bit = lua.create_table()?;
    for (name, operation) in UNARY {
        add_function(lua, &bit, name, move |_, args: Variadic<Value>| {
            Ok(signed(operation(bits(args.first(), 1, name)?)))
        })?;
    }
    for (name, operation) in SHIFTS {
        add_function(lua, &bit, name, move |_, args: Variadic<Value>| {
            Ok(signed(operation(bits(args.first(), 1, name)?, bits(args.get(1), 2, name)?)))
        })?;
    }
    add_function(lua, &bit, "tohex", |lua, args: Variadic<Value>| Ok(lua.create_string(tohex(&args)?)?))?;
    for (name, operation) in FOLDS {
        add_function(lua, &bit, name, move |_, args: Variadic<Value>| {
            let mut result = bits(args.first(), 1, name)?;
            for (index, operand) in args.iter().enumerate().skip(1) {
                result = operation(result, bits(Some(operand), index + 1, name)?);
            }
            Ok(signed(result))
        })?;
    }
    raw.set("bit", bit)
}

fn bits(value: Option<&Value>, place: usize, function: &str) -> Result<u32, Problem> {
    Ok((number(value, place, function)? + SHIFT_TO_MANTISSA).to_bits() as u32)
}

fn signed(bits: u32) -> f64 {
    f64::from(bits as i32)
}

/// The last digits of a number in hexadecimal: 8 of them, or so many; upper case if that is negative.
fn tohex(args: &[Value]) -> Result<String, Problem> {
    let number = bits(args.first(), 1, "tohex")?;
    let digits = match args.get(1) {
        None => 8,
        some => bits(some, 2, "tohex")? as i32,
    };
    let shown = digits.unsigned_abs().min(8) as usize;
    let text = if digits < 0 { format!("{number:08X}") } else { format!("{number:08x}") };
    Ok(text[8 - shown..].to_owned())
}
