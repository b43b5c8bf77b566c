//! `cjson`: JSON, as the library of that name reads and writes it.
//!
//! Every instance (`cjson.new()`) has settings of its own. JSON's null is a light userdata that points nowhere.

mod decode;
mod encode;

use std::cell::RefCell;
use std::rc::Rc;

use mlua::{IntoLua, Lua, Table, Value, Variadic};

use super::argument::{bad, integer, string, type_name};
use super::{Problem, add as add_function, fact};

/// Whatever a script sets, values nest no deeper: what the stacks admit.
const DEPTH_LIMIT: usize = 1_500;
const PRECISION_MAX: i64 = 14;
const C_INT_MAX: i64 = i32::MAX as i64;

/// What to do about numbers that JSON has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Invalid {
    Refused,
    Written,
    Null,
}

/// The settings of an instance.
#[derive(Clone, Debug)]
struct Settings {
    sparse_converts: bool,
    sparse_ratio: i64,
    sparse_safe: i64,
    encode_depth_max: i64,
    decode_depth_max: i64,
    precision: i64,
    keeps_buffer: bool,
    encode_invalid: Invalid,
    decode_invalid: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            sparse_converts: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encode_depth_max: 1000,
            decode_depth_max: 1000,
            precision: PRECISION_MAX,
            keeps_buffer: true,
            encode_invalid: Invalid::Refused,
            decode_invalid: true,
        }
    }
}

type Shared = Rc<RefCell<Settings>>;

/// Adds an instance to what the sandbox is built from.
pub(in crate::script) fn add(lua: &Lua, raw: &Table) -> mlua::Result<()> {
    raw.raw_set("cjson", instance(lua)?)
}

fn instance(lua: &Lua) -> mlua::Result<Table> {
    let settings = Shared::default();
    let table = lua.create_table()?;
    let own = Rc::clone(&settings);
    add_function(lua, &table, "encode", move |lua, args: Variadic<Value>| {
        let value = only(&args, "encode")?;
        let mut out = Vec::new();
        encode::encode(&own.borrow(), value, &mut out)?;
        Ok(lua.create_string(out)?)
    })?;
    let own = Rc::clone(&settings);
    add_function(lua, &table, "decode", move |lua, args: Variadic<Value>| {
        let text = string(Some(only(&args, "decode")?), 1, "decode")?;
        decode::decode(lua, &own.borrow(), &text)
    })?;
    add_settings(lua, &table, &settings)?;
    add_function(lua, &table, "encode_sparse_array", move |_, args: Variadic<Value>| {
        sparse_array(&mut settings.borrow_mut(), &args)
    })?;
    fact(&table, "null", Value::NULL)?;
    fact(&table, "_NAME", "cjson")?;
    fact(&table, "_VERSION", "2.1.0")?;
    table.raw_set("new", lua.create_function(|lua, ()| instance(lua))?)?;
    Ok(table)
}

fn only<'v>(args: &'v [Value], function: &str) -> Result<&'v Value, Problem> {
    if let [value] = args { Ok(value) } else { Err(bad(1, function, "expected 1 argument")) }
}

/// The functions that show a setting, and change it if they are given a value.
fn add_settings(lua: &Lua, table: &Table, settings: &Shared) -> mlua::Result<()> {
    type Field = fn(&mut Settings) -> &mut i64;
    let numbers: [(&'static str, i64, Field); 3] = [
        ("encode_max_depth", C_INT_MAX, |settings| &mut settings.encode_depth_max),
        ("decode_max_depth", C_INT_MAX, |settings| &mut settings.decode_depth_max),
        ("encode_number_precision", PRECISION_MAX, |settings| &mut settings.precision),
    ];
    for (name, max, field) in numbers {
        let own = Rc::clone(settings);
        add_function(lua, table, name, move |_, args: Variadic<Value>| {
            too_many(&args, 1, name)?;
            let mut settings = own.borrow_mut();
            let field = field(&mut settings);
            set_number(field, args.first(), 1, name, 1..=max)?;
            Ok(*field)
        })?;
    }
    let own = Rc::clone(settings);
    add_function(lua, table, "encode_keep_buffer", move |_, args: Variadic<Value>| {
        too_many(&args, 1, "encode_keep_buffer")?;
        set_flag(&mut own.borrow_mut().keeps_buffer, args.first(), "encode_keep_buffer")
    })?;
    let own = Rc::clone(settings);
    add_function(lua, table, "decode_invalid_numbers", move |_, args: Variadic<Value>| {
        too_many(&args, 1, "decode_invalid_numbers")?;
        set_flag(&mut own.borrow_mut().decode_invalid, args.first(), "decode_invalid_numbers")
    })?;
    let own = Rc::clone(settings);
    add_function(lua, table, "encode_invalid_numbers", move |lua, args: Variadic<Value>| {
        const NAME: &str = "encode_invalid_numbers";
        too_many(&args, 1, NAME)?;
        let field = &mut own.borrow_mut().encode_invalid;
        if let Some(value) = args.first().filter(|value| !value.is_nil()) {
            *field = match option(value, &["off", "on", "null"], NAME)? {
                0 => Invalid::Refused,
                1 => Invalid::Written,
                _ => Invalid::Null,
            };
        }
        Ok(match field {
            Invalid::Refused => Value::Boolean(false),
            Invalid::Written => Value::Boolean(true),
            Invalid::Null => "null".into_lua(lua)?,
        })
    })
}

fn too_many(args: &[Value], max: usize, function: &str) -> Result<(), Problem> {
    if args.len() > max { Err(bad(max + 1, function, "found too many arguments")) } else { Ok(()) }
}

fn set_number(
    field: &mut i64,
    value: Option<&Value>,
    place: usize,
    function: &str,
    range: std::ops::RangeInclusive<i64>,
) -> Result<(), Problem> {
    if value.is_none_or(Value::is_nil) {
        return Ok(());
    }
    let number = integer(value, place, function)?;
    if !range.contains(&number) {
        let why = format!("expected integer between {} and {}", range.start(), range.end());
        return Err(bad(place, function, &why));
    }
    *field = number;
    Ok(())
}

fn set_flag(field: &mut bool, value: Option<&Value>, function: &str) -> Result<bool, Problem> {
    if let Some(value) = value.filter(|value| !value.is_nil()) {
        *field = option(value, &["off", "on"], function)? == 1;
    }
    Ok(*field)
}

/// A truth, or one of some words.
fn option(value: &Value, words: &[&str], function: &str) -> Result<usize, Problem> {
    if let Value::Boolean(truth) = value {
        return Ok(usize::from(*truth));
    }
    let word = string(Some(value), 1, function)?;
    let found = words.iter().position(|known| known.as_bytes() == word);
    found.ok_or_else(|| bad(1, function, &format!("invalid option '{}'", String::from_utf8_lossy(&word))))
}

/// Shows and sets when an array has too many holes to be written as one.
fn sparse_array(settings: &mut Settings, args: &[Value]) -> Result<(bool, i64, i64), Problem> {
    const NAME: &str = "encode_sparse_array";
    too_many(args, 3, NAME)?;
    set_flag(&mut settings.sparse_converts, args.first(), NAME)?;
    set_number(&mut settings.sparse_ratio, args.get(1), 2, NAME, 0..=C_INT_MAX)?;
    set_number(&mut settings.sparse_safe, args.get(2), 3, NAME, 0..=C_INT_MAX)?;
    Ok((settings.sparse_converts, settings.sparse_ratio, settings.sparse_safe))
}
