//! A command's reply as Lua values.
//!
//! | reply | Lua |
//! |---|---|
//! | integer | number |
//! | bulk string | string |
//! | array | table |
//! | status | table with the field `ok` |
//! | error | table with the field `err` |
//! | null | false; nil if the script speaks RESP3 |
//! | double, big number, verbatim string | table with the field `double`, `big_number`, `verbatim_string` |
//! | map, set | table with the field `map` or `set`, which is a table |
//! | boolean | boolean |

use mlua::{Lua, Table, Value};

/// Reads replies from bytes that are whole ones.
pub(super) struct Replies<'a> {
    lua: &'a Lua,
    rest: &'a [u8],
}

impl<'a> Replies<'a> {
    /// Reads from `bytes`.
    pub(super) fn new(lua: &'a Lua, bytes: &'a [u8]) -> Replies<'a> {
        Replies { lua, rest: bytes }
    }

    fn line(&mut self) -> &'a [u8] {
        let end = self.rest.iter().position(|&byte| byte == b'\r').expect("a reply has lines");
        let line = &self.rest[..end];
        self.rest = &self.rest[end + 2..];
        line
    }

    fn bytes(&mut self, len: usize) -> &'a [u8] {
        let bytes = &self.rest[..len];
        self.rest = &self.rest[len + 2..];
        bytes
    }

    /// The next reply.
    pub(super) fn value(&mut self) -> mlua::Result<Value> {
        let kind = self.rest[0];
        self.rest = &self.rest[1..];
        let line = self.line();
        match kind {
            b':' => Ok(Value::Number(number(line) as f64)),
            b'$' => match number(line) {
                -1 => Ok(Value::Boolean(false)),
                len => Ok(Value::String(self.lua.create_string(self.bytes(len as usize))?)),
            },
            b'+' => self.field("ok", Value::String(self.lua.create_string(line)?)),
            b'-' => self.error(line),
            b'*' | b'>' => match number(line) {
                -1 => Ok(Value::Boolean(false)),
                len => Ok(Value::Table(self.array(len as usize)?)),
            },
            b'_' => Ok(Value::Nil),
            b'#' => Ok(Value::Boolean(line == b"t")),
            b',' => self.field("double", Value::Number(double(line))),
            b'(' => self.field("big_number", Value::String(self.lua.create_string(line)?)),
            b'=' => self.verbatim(number(line) as usize),
            b'%' => {
                let map = self.map(number(line) as usize)?;
                self.field("map", Value::Table(map))
            }
            b'~' => {
                let set = self.set(number(line) as usize)?;
                self.field("set", Value::Table(set))
            }
            b'|' => {
                self.map(number(line) as usize)?;
                self.value()
            }
            other => unreachable!("no reply begins with {other}"),
        }
    }

    fn field(&self, name: &str, value: Value) -> mlua::Result<Value> {
        let table = self.lua.create_table_with_capacity(0, 1)?;
        table.raw_set(name, value)?;
        Ok(Value::Table(table))
    }

    fn error(&self, text: &[u8]) -> mlua::Result<Value> {
        let table = self.lua.create_table_with_capacity(0, 2)?;
        table.raw_set("err", self.lua.create_string(text)?)?;
        table.raw_set("ignore_error_stats_update", true)?;
        Ok(Value::Table(table))
    }

    fn array(&mut self, len: usize) -> mlua::Result<Table> {
        let table = self.lua.create_table_with_capacity(len, 0)?;
        for index in 1..=len {
            let value = self.value()?;
            table.raw_set(index, value)?;
        }
        Ok(table)
    }

    fn map(&mut self, pairs: usize) -> mlua::Result<Table> {
        let table = self.lua.create_table_with_capacity(0, pairs)?;
        for _ in 0..pairs {
            let (name, value) = (self.value()?, self.value()?);
            if !name.is_nil() {
                table.raw_set(name, value)?;
            }
        }
        Ok(table)
    }

    fn set(&mut self, len: usize) -> mlua::Result<Table> {
        let table = self.lua.create_table_with_capacity(0, len)?;
        for _ in 0..len {
            let member = self.value()?;
            if !member.is_nil() {
                table.raw_set(member, true)?;
            }
        }
        Ok(table)
    }

    /// `txt:` and the text.
    fn verbatim(&mut self, len: usize) -> mlua::Result<Value> {
        let text = self.bytes(len);
        let table = self.lua.create_table_with_capacity(0, 2)?;
        table.raw_set("format", self.lua.create_string(&text[..3])?)?;
        table.raw_set("string", self.lua.create_string(&text[4..])?)?;
        self.field("verbatim_string", Value::Table(table))
    }
}

fn number(line: &[u8]) -> i64 {
    let digits = line.strip_prefix(b"-").unwrap_or(line);
    let magnitude = digits.iter().fold(0i64, |n, digit| n.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')));
    if digits.len() < line.len() { magnitude.wrapping_neg() } else { magnitude }
}

fn double(line: &[u8]) -> f64 {
    std::str::from_utf8(line).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}
