//! `cmsgpack`: MessagePack, as the library of that name reads and writes it.
//!
//! Integers take the shortest form, floats 4 bytes where nothing is lost. A table is an array if its keys are 1..n. Beyond 16
//! tables within each other, nil is written.

mod pack;
mod unpack;

use mlua::{Lua, Table, Value};

use super::argument::{bad, integer, string};
use super::{Problem, add as add_function, fact};

/// Adds the functions to what the sandbox is built from.
pub(in crate::script) fn add(lua: &Lua, raw: &Table) -> mlua::Result<()> {
    let packing = lua.create_table()?;
    add_function(lua, &packing, "pack", |lua, (values, count): (Table, usize)| {
        if count == 0 {
            return Err(bad(0, "pack", "MessagePack pack needs input."));
        }
        let mut out = Vec::new();
        for index in 1..=count {
            pack::pack(&values.raw_get(index)?, &mut out)?;
        }
        Ok(lua.create_string(out)?)
    })?;
    raw.raw_set("cmsgpack_pack", packing)?;
    let unpacking = lua.create_table()?;
    add_function(lua, &unpacking, "unpack", |lua, (count, text): (usize, Value)| {
        let text = string(given(count, 1, &text), 1, "unpack")?;
        unpack::unpack(lua, &text, 0, 0, false)
    })?;
    add_function(lua, &unpacking, "unpack_one", |lua, (count, text, from): (usize, Value, Value)| {
        let text = string(given(count, 1, &text), 1, "unpack_one")?;
        let from = if from.is_nil() { 0 } else { integer(Some(&from), 2, "unpack_one")? };
        unpack::unpack(lua, &text, from, 1, true)
    })?;
    add_function(lua, &unpacking, "unpack_limit", |lua, (count, text, limit, from): (usize, Value, Value, Value)| {
        let text = string(given(count, 1, &text), 1, "unpack_limit")?;
        let limit = integer(given(count, 2, &limit), 2, "unpack_limit")?;
        let from = if from.is_nil() { 0 } else { integer(Some(&from), 3, "unpack_limit")? };
        unpack::unpack(lua, &text, from, limit, limit != 0)
    })?;
    raw.raw_set("cmsgpack_unpack", unpacking)?;
    let facts = lua.create_table()?;
    fact(&facts, "_NAME", "cmsgpack")?;
    fact(&facts, "_VERSION", "lua-cmsgpack 0.4.0")?;
    fact(&facts, "_COPYRIGHT", "Copyright (C) 2012, Salvatore Sanfilippo")?;
    fact(&facts, "_DESCRIPTION", "MessagePack C implementation for Lua")?;
    raw.raw_set("cmsgpack_facts", facts)
}

/// Argument `place` of `count`, if there are so many.
fn given(count: usize, place: usize, value: &Value) -> Option<&Value> {
    (place <= count).then_some(value)
}
