//! The libraries of scripts, in Rust.
//!
//! A function of a library fails with a [`Problem`]. On its way through Lua that is a value of mlua's own; wherever a script
//! could get hold of it, `sandbox.lua` has it made what the script expects ([`convert`]): a string that begins with the
//! script's line, or, of the functions of `redis`, a table with the field `err`.

pub(super) mod argument;
pub(super) mod bit;
pub(super) mod cjson;
pub(super) mod cmsgpack;
pub(super) mod math;
pub(super) mod redis;
pub(super) mod structure;

use std::fmt;

use mlua::{FromLuaMulti, IntoLua, IntoLuaMulti, Lua, Table, Value};

use super::vm::SANDBOX_NAME;

/// A function's results are so many at most: each takes one of a limited number of places while it is handed to Lua.
pub(super) const RESULTS_MAX: usize = 6_000;

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

/// A script's error on its way through Lua.
#[derive(Debug)]
pub(super) struct Raised {
    text: Vec<u8>,
    /// It is to be a table, not a string.
    is_table: bool,
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text))
    }
}

impl std::error::Error for Raised {}

impl Raised {
    /// The value that a script gets.
    fn value(&self, lua: &Lua) -> mlua::Result<Value> {
        let text = lua.create_string(&self.text)?;
        if !self.is_table {
            return Ok(Value::String(text));
        }
        let table = lua.create_table_with_capacity(0, 1)?;
        table.raw_set("err", text)?;
        Ok(Value::Table(table))
    }
}

/// What a script gets for a value that was raised: functions of Rust raise what scripts know nothing of.
pub(super) fn convert(lua: &Lua, value: Value) -> mlua::Result<Value> {
    let Value::Error(error) = value else { return Ok(value) };
    let mut error = *error;
    loop {
        match error {
            mlua::Error::CallbackError { cause, .. } => error = (*cause).clone(),
            mlua::Error::ExternalError(inner) => {
                return match inner.downcast_ref::<Raised>() {
                    Some(raised) => raised.value(lua),
                    None => inner.to_string().into_lua(lua),
                };
            }
            mlua::Error::RuntimeError(text) => return text.into_lua(lua),
            other => return other.to_string().into_lua(lua),
        }
    }
}

/// Where the function was called that runs now, as Lua begins its errors. Between the two is what guards the function.
fn line_of_caller(lua: &Lua) -> String {
    for level in 2.. {
        let found = lua.inspect_stack(level, |debug| {
            let source = debug.source();
            let between = source.what == "tail" || source.source.is_some_and(|name| name == SANDBOX_NAME);
            (!between).then(|| (source.short_src.map(std::borrow::Cow::into_owned), debug.current_line()))
        });
        match found {
            // What stands between a script and a function is no place of the script's.
            Some(None) => {}
            Some(Some((Some(source), Some(line)))) => return format!("{source}:{line}: "),
            Some(Some(_)) | None => break,
        }
    }
    String::new()
}

/// Puts a function into a table, whose errors begin with the caller's line.
pub(super) fn add<A: FromLuaMulti, R: IntoLuaMulti>(
    lua: &Lua,
    table: &Table,
    name: &str,
    function: impl Fn(&Lua, A) -> Result<R, Problem> + 'static,
) -> mlua::Result<()> {
    let function = lua.create_function(move |lua, args: A| {
        function(lua, args).map_err(|problem| match problem {
            Problem::Text(text) => {
                let text = [line_of_caller(lua).into_bytes(), text].concat();
                mlua::Error::external(Raised { text, is_table: false })
            }
            Problem::Lua(error) => error,
        })
    })?;
    table.raw_set(name, function)
}

/// Puts a function into a table, whose errors are tables.
pub(super) fn add_of_redis<A: FromLuaMulti, R: IntoLuaMulti>(
    lua: &Lua,
    table: &Table,
    name: &str,
    function: impl Fn(&Lua, A) -> Result<R, Problem> + 'static,
) -> mlua::Result<()> {
    let function = lua.create_function(move |lua, args: A| {
        function(lua, args).map_err(|problem| match problem {
            Problem::Text(text) => {
                mlua::Error::external(Raised { text: [b"ERR ", text.as_slice()].concat(), is_table: true })
            }
            Problem::Lua(error) => error,
        })
    })?;
    table.raw_set(name, function)
}

/// Puts a constant into a table.
pub(super) fn fact(table: &Table, name: &str, value: impl IntoLua) -> mlua::Result<()> {
    table.raw_set(name, value)
}

/// A number, if it is one.
pub(super) fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(*number as f64),
        Value::Number(number) => Some(*number),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
