//! MessagePack as Lua values.

use mlua::{Lua, Value, Variadic};

use super::Problem;
use crate::script::library::RESULTS_MAX;

/// So many values are held at once at most, those around the one that is read and those before it: a table takes one place
/// while its elements are read, and a name one while its value is.
const HELD_MAX: usize = RESULTS_MAX;

/// Some or all values of `text` from `from` on. `with_rest` puts the place of the rest before
/// them: -1 if there is none.
pub(super) fn unpack(
    lua: &Lua,
    text: &[u8],
    from: i64,
    limit: i64,
    with_rest: bool,
) -> Result<Variadic<Value>, Problem> {
    let len = text.len();
    if from < 0 || limit < 0 {
        // The library names the length in place of the limit.
        return Err(Problem::from(format!("Invalid request to unpack with offset of {from} and limit of {len}.")));
    }
    if from as usize > len {
        return Err(Problem::from(format!("Start offset {from} greater than input length {len}.")));
    }
    let mut reader = Reader { lua, text, at: from as usize };
    let mut values = Variadic::new();
    let mut left = if limit == 0 { i64::MAX } else { limit };
    while reader.at < len && left > 0 {
        if values.len() >= RESULTS_MAX {
            return Err("too many return values at once; use unpack_one or unpack_limit instead.".into());
        }
        let value = reader.value(values.len())?;
        values.push(value);
        left -= 1;
    }
    if with_rest {
        values.insert(0, Value::Integer(if reader.at < len { reader.at as i64 } else { -1 }));
    }
    Ok(values)
}

struct Reader<'a> {
    lua: &'a Lua,
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn bytes(&mut self, len: usize) -> Result<&[u8], Problem> {
        let bytes = self.text[self.at..].get(..len).ok_or_else(|| Problem::from("Missing bytes in input."))?;
        self.at += len;
        Ok(bytes)
    }

    fn number<const N: usize>(&mut self) -> Result<[u8; N], Problem> {
        Ok(self.bytes(N)?.try_into().expect("so many bytes were asked for"))
    }

    fn value(&mut self, held: usize) -> Result<Value, Problem> {
        if held > HELD_MAX {
            return Err("stack overflow (in function mp_decode_to_lua_type)".into());
        }
        let [head] = self.number()?;
        let number = |number: f64| Ok(Value::Number(number));
        match head {
            0x00..=0x7f => number(f64::from(head)),
            0xe0..=0xff => number(f64::from(head as i8)),
            0x80..=0x8f => self.map(usize::from(head & 15), held),
            0x90..=0x9f => self.array(usize::from(head & 15), held),
            0xa0..=0xbf => self.string(usize::from(head & 31)),
            0xc0 => Ok(Value::Nil),
            0xc2 => Ok(Value::Boolean(false)),
            0xc3 => Ok(Value::Boolean(true)),
            0xca => number(f64::from(f32::from_be_bytes(self.number()?))),
            0xcb => number(f64::from_be_bytes(self.number()?)),
            0xcc => number(f64::from(u8::from_be_bytes(self.number()?))),
            0xcd => number(f64::from(u16::from_be_bytes(self.number()?))),
            0xce => number(f64::from(u32::from_be_bytes(self.number()?))),
            // Unsigned ones above the largest signed one come out negative, as from the library.
            0xcf => number(i64::from_be_bytes(self.number()?) as f64),
            0xd0 => number(f64::from(i8::from_be_bytes(self.number()?))),
            0xd1 => number(f64::from(i16::from_be_bytes(self.number()?))),
            0xd2 => number(f64::from(i32::from_be_bytes(self.number()?))),
            0xd3 => number(i64::from_be_bytes(self.number()?) as f64),
            0xd9 => {
                let len = u8::from_be_bytes(self.number()?);
                self.string(usize::from(len))
            }
            0xda => {
                let len = u16::from_be_bytes(self.number()?);
                self.string(usize::from(len))
            }
            0xdb => {
                let len = u32::from_be_bytes(self.number()?);
                self.string(len as usize)
            }
            0xdc => {
                let len = u16::from_be_bytes(self.number()?);
                self.array(usize::from(len), held)
            }
            0xdd => {
                let len = u32::from_be_bytes(self.number()?);
                self.array(len as usize, held)
            }
            0xde => {
                let len = u16::from_be_bytes(self.number()?);
                self.map(usize::from(len), held)
            }
            0xdf => {
                let len = u32::from_be_bytes(self.number()?);
                self.map(len as usize, held)
            }
            _ => Err("Bad data format in input.".into()),
        }
    }

    fn string(&mut self, len: usize) -> Result<Value, Problem> {
        let lua = self.lua;
        let bytes = self.bytes(len)?;
        Ok(Value::String(lua.create_string(bytes)?))
    }

    fn array(&mut self, len: usize, held: usize) -> Result<Value, Problem> {
        let table = self.lua.create_table()?;
        for index in 1..=len {
            let value = self.value(held + 1)?;
            table.raw_set(index, value)?;
        }
        Ok(Value::Table(table))
    }

    fn map(&mut self, len: usize, held: usize) -> Result<Value, Problem> {
        let table = self.lua.create_table()?;
        for _ in 0..len {
            let (name, value) = (self.value(held + 1)?, self.value(held + 2)?);
            if name.is_nil() {
                return Err("table index is nil".into());
            }
            if matches!(name, Value::Number(number) if number.is_nan()) {
                return Err("table index is NaN".into());
            }
            table.raw_set(name, value)?;
        }
        Ok(Value::Table(table))
    }
}
