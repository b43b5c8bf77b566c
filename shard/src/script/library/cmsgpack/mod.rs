//! `cmsgpack`: MessagePack, as the library of that name reads and writes it.
//!
//! Integers take the shortest form, floats 4 bytes where nothing is lost. A table is an array if its keys are 1..n. Beyond 16
//! tables within each other, nil is written.

mod pack;
mod unpack;

use mlua::{Lua, Table, Value, Variadic};

use super::argument::{bad, integer, string};
use super::{Problem, add as add_function, fact};

/// Adds the functions to what the sandbox is built from.
pub(in crate::script) fn add(lua: &Lua, raw: &Table) -> mlua::Result<()> {
    let table = lua.create_table()?;
    add_function(lua, &table, "pack", |lua, values: Variadic<Value>| {
        if values.is_empty() {
            return Err(bad(0, "pack", "MessagePack pack needs input."));
        }
        let mut out = Vec::new();
        values.iter().try_for_each(|value| pack::pack(value, &mut out))?;
        Ok(lua.create_string(out)?)
    })?;
    add_function(lua, &table, "unpack", |lua, args: Variadic<Value>| {
        unpack::unpack(lua, &string(args.first(), 1, "unpack")?, 0, 0, false)
    })?;
    add_function(lua, &table, "unpack_one", |lua, args: Variadic<Value>| {
        let text = string(args.first(), 1, "unpack_one")?;
        unpack::unpack(lua, &text, offset(args.get(1), 2, "unpack_one")?, 1, true)
    })?;
    add_function(lua, &table, "unpack_limit", |lua, args: Variadic<Value>| {
        let text = string(args.first(), 1, "unpack_limit")?;
        let limit = integer(args.get(1), 2, "unpack_limit")?;
        unpack::unpack(lua, &text, offset(args.get(2), 3, "unpack_limit")?, limit, limit != 0)
    })?;
    for (name, value) in [
        ("_NAME", "cmsgpack"),
        ("_VERSION", "lua-cmsgpack 0.4.0"),
        ("_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo"),
        ("_DESCRIPTION", "MessagePack C implementation for Lua"),
    ] {
        fact(&table, name, value)?;
    }
    raw.raw_set("cmsgpack", table)
}

/// Where to begin, if it is said.
fn offset(value: Option<&Value>, place: usize, function: &str) -> Result<i64, Problem> {
    value.filter(|value| !value.is_nil()).map_or(Ok(0), |value| integer(Some(value), place, function))
}
