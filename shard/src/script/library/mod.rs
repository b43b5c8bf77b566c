//! The libraries of scripts, in Rust.
//!
//! A function of a library raises no error of its own: it returns true and its result, or false and a text, which
//! `sandbox.lua` raises where the script called ([`Answer`]).

pub(super) mod argument;
pub(super) mod bit;
pub(super) mod cjson;
pub(super) mod cmsgpack;
pub(super) mod math;
pub(super) mod redis;
pub(super) mod structure;

use mlua::{FromLuaMulti, IntoLua, IntoLuaMulti, Lua, MultiValue, Table, Value};

/// What a function answers: its result, or the text of an error.
pub(super) enum Answer<T> {
    Done(T),
    Failed(Vec<u8>),
}

impl<T: IntoLuaMulti> IntoLuaMulti for Answer<T> {
    fn into_lua_multi(self, lua: &Lua) -> mlua::Result<MultiValue> {
        match self {
            Answer::Done(values) => {
                let mut values = values.into_lua_multi(lua)?;
                values.push_front(Value::Boolean(true));
                Ok(values)
            }
            Answer::Failed(text) => (false, lua.create_string(text)?).into_lua_multi(lua),
        }
    }
}

/// An error of a library's function.
#[derive(Debug)]
pub(super) enum Problem {
    /// For the script, which may catch it.
    Text(Vec<u8>),
    /// Lua has no memory left.
    Lua(mlua::Error),
}

impl From<String> for Problem {
    fn from(text: String) -> Problem {
        Problem::Text(text.into_bytes())
    }
}

impl From<&str> for Problem {
    fn from(text: &str) -> Problem {
        Problem::Text(text.as_bytes().to_vec())
    }
}

impl From<mlua::Error> for Problem {
    fn from(error: mlua::Error) -> Problem {
        Problem::Lua(error)
    }
}

/// Puts a function into a table.
pub(super) fn add<A: FromLuaMulti, R: IntoLuaMulti>(
    lua: &Lua,
    table: &Table,
    name: &str,
    function: impl Fn(&Lua, A) -> Result<R, Problem> + 'static,
) -> mlua::Result<()> {
    let function = lua.create_function(move |lua, args: A| match function(lua, args) {
        Ok(values) => Ok(Answer::Done(values)),
        Err(Problem::Text(text)) => Ok(Answer::Failed(text)),
        Err(Problem::Lua(error)) => Err(error),
    })?;
    table.raw_set(name, function)
}

/// Puts a constant into a table.
pub(super) fn fact(table: &Table, name: &str, value: impl IntoLua) -> mlua::Result<()> {
    table.raw_set(name, value)
}
