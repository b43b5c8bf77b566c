//! `struct`: numbers and strings in the layouts of C.
//!
//! ```text
//!  <  >        little, big endian from here on          b B h H l L T   integers of 1, 2, 8 bytes (T: as size_t)
//!  !n          align to n at most (a power of 2; 8)     in In           integers of n bytes (4)
//!  x           a byte of padding                        f d             float, double
//!  (blank)     nothing                                  s cn            a string up to a zero byte; of n bytes (1), or,
//!                                                                       if n is 0, of the length before it
//! ```
//!
//! Nothing is aligned before a `!`.

use mlua::{Lua, Table, Value, Variadic};

use super::argument::{bad, number, string};
use super::{Problem, RESULTS_MAX, add as add_function, float};

const ALIGN_DEFAULT: usize = 8;
const INTEGER_BYTES_DEFAULT: usize = 4;
const INTEGER_BYTES_MAX: usize = 32;

/// Adds the functions to what the sandbox is built from.
pub(in crate::script) fn add(lua: &Lua, raw: &Table) -> mlua::Result<()> {
    let table = lua.create_table()?;
    add_function(lua, &table, "pack", |lua, values: Variadic<Value>| Ok(lua.create_string(pack(&values)?)?))?;
    add_function(lua, &table, "unpack", |lua, args: Variadic<Value>| {
        let format = string(args.first(), 1, "unpack")?;
        let data = string(args.get(1), 2, "unpack")?;
        let from = args.get(2).filter(|from| !from.is_nil());
        let from = from.map_or(Ok(1.0), |from| number(Some(from), 3, "unpack"))?;
        unpack(lua, &format, &data, from as i64)
    })?;
    add_function(lua, &table, "size", |_, args: Variadic<Value>| size(&string(args.first(), 1, "size")?))?;
    raw.raw_set("struct", table)
}

/// One option of a format.
struct Item {
    option: u8,
    size: usize,
    /// Bytes of padding before it.
    padding: usize,
    is_little: bool,
}

/// Reads a format.
struct Format<'a> {
    rest: &'a [u8],
    function: &'static str,
    align: usize,
    is_little: bool,
}

impl<'a> Format<'a> {
    fn new(format: &'a [u8], function: &'static str) -> Format<'a> {
        Format { rest: format, function, align: 1, is_little: cfg!(target_endian = "little") }
    }

    /// The next option that stands for data, when `at` bytes are before it.
    fn next(&mut self, at: usize) -> Result<Option<Item>, Problem> {
        while let Some((&option, rest)) = self.rest.split_first() {
            self.rest = rest;
            let size = match option {
                b'x' | b'b' | b'B' => 1,
                b'h' | b'H' => 2,
                b'l' | b'L' | b'T' | b'd' => 8,
                b'f' => 4,
                b's' => 0,
                b'c' => self.count(1)?,
                b'i' | b'I' => self.integer_size()?,
                _ => {
                    self.control(option)?;
                    continue;
                }
            };
            let padding = self.padding(option, size, at);
            return Ok(Some(Item { option, size, padding, is_little: self.is_little }));
        }
        Ok(None)
    }

    fn control(&mut self, option: u8) -> Result<(), Problem> {
        match option {
            b' ' => {}
            b'<' => self.is_little = true,
            b'>' => self.is_little = false,
            b'!' => {
                let align = self.count(ALIGN_DEFAULT)?;
                if !align.is_power_of_two() {
                    return Err(Problem::from(format!("alignment {align} is not a power of 2")));
                }
                self.align = align;
            }
            other => {
                let why = format!("invalid format option '{}'", char::from(other));
                return Err(bad(1, self.function, &why));
            }
        }
        Ok(())
    }

    fn integer_size(&mut self) -> Result<usize, Problem> {
        let size = self.count(INTEGER_BYTES_DEFAULT)?;
        if size > INTEGER_BYTES_MAX {
            let limit = INTEGER_BYTES_MAX;
            return Err(Problem::from(format!("integral size {size} is larger than limit of {limit}")));
        }
        Ok(size)
    }

    /// The number that follows, or `default`.
    fn count(&mut self, default: usize) -> Result<usize, Problem> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits == 0 {
            return Ok(default);
        }
        let (digits, rest) = self.rest.split_at(digits);
        self.rest = rest;
        let text = std::str::from_utf8(digits).expect("digits are ASCII");
        let count: i32 = text.parse().map_err(|_| Problem::from("integral size overflow"))?;
        Ok(count as usize)
    }

    /// The library's own arithmetic, which for sizes that are no power of 2 aligns to something of its own.
    fn padding(&self, option: u8, size: usize, at: usize) -> usize {
        if size == 0 || option == b'c' {
            return 0;
        }
        let align = size.min(self.align);
        if align > 1 { (align - (at & (align - 1))) & (align - 1) } else { 0 }
    }
}

fn pack(values: &[Value]) -> Result<Vec<u8>, Problem> {
    let format = string(values.first(), 1, "pack")?;
    let mut format = Format::new(&format, "pack");
    let mut out = Vec::new();
    let mut place = 1;
    while let Some(item) = format.next(out.len())? {
        out.resize(out.len() + item.padding, 0);
        if item.option == b'x' {
            out.push(0);
            continue;
        }
        place += 1;
        // What is missing is nil.
        let value = values.get(place - 1).or(Some(&Value::Nil));
        match item.option {
            b's' => {
                out.extend_from_slice(&string(value, place, "pack")?);
                out.push(0);
            }
            b'c' => {
                let text = string(value, place, "pack")?;
                let size = if item.size == 0 { text.len() } else { item.size };
                let taken = text.get(..size).ok_or_else(|| bad(place + 1, "pack", "string too short"))?;
                out.extend_from_slice(taken);
            }
            b'f' => put(&mut out, &(number(value, place, "pack")? as f32).to_le_bytes(), item.is_little),
            b'd' => put(&mut out, &number(value, place, "pack")?.to_le_bytes(), item.is_little),
            _ => {
                let number = number(value, place, "pack")?;
                let bits = if number < 0.0 { number as i64 as u64 } else { number as u64 };
                let mut bytes = [0; INTEGER_BYTES_MAX];
                bytes[..8].copy_from_slice(&bits.to_le_bytes());
                put(&mut out, &bytes[..item.size], item.is_little);
            }
        }
    }
    Ok(out)
}

/// Appends little-endian bytes in the order that is asked for.
fn put(out: &mut Vec<u8>, bytes: &[u8], is_little: bool) {
    let start = out.len();
    out.extend_from_slice(bytes);
    if !is_little {
        out[start..].reverse();
    }
}

fn size(format: &[u8]) -> Result<f64, Problem> {
    let mut format = Format::new(format, "size");
    let mut total = 0usize;
    while let Some(item) = format.next(total)? {
        match (item.option, item.size) {
            (b's', _) => return Err(bad(1, "size", "option 's' has no fixed size")),
            (b'c', 0) => return Err(bad(1, "size", "option 'c0' has no fixed size")),
            _ => {
                let grown = total.checked_add(item.padding + item.size);
                total = grown.ok_or_else(|| Problem::from("integral size overflow"))?;
            }
        }
    }
    Ok(total as f64)
}

fn unpack(lua: &Lua, format: &[u8], data: &[u8], from: i64) -> Result<Variadic<Value>, Problem> {
    const SHORT: &str = "data string too short";
    if from == 0 {
        return Err(bad(3, "unpack", "offset must be 1 or greater"));
    }
    let mut at = usize::try_from(from - 1).unwrap_or(usize::MAX);
    let mut format = Format::new(format, "unpack");
    let mut values = Variadic::new();
    while let Some(item) = format.next(at)? {
        at = at.saturating_add(item.padding);
        let mut size = item.size;
        if item.option == b'c' && size == 0 {
            let Some(len) = values.last().and_then(float) else {
                return Err("format 'c0' needs a previous size".into());
            };
            size = if len < 0.0 { usize::MAX } else { len as usize };
            values.pop();
        }
        let end = at.checked_add(size).filter(|end| *end <= data.len());
        let bytes = end.map(|end| &data[at..end]).ok_or_else(|| bad(2, "unpack", SHORT))?;
        at += size;
        let value = match item.option {
            b'x' => continue,
            b's' => {
                let len = data[at..].iter().position(|&byte| byte == 0);
                let len = len.ok_or_else(|| Problem::from("unfinished string in data"))?;
                let text = lua.create_string(&data[at..at + len])?;
                at += len + 1;
                Value::String(text)
            }
            b'c' => Value::String(lua.create_string(bytes)?),
            _ => Value::Number(number_of(&item, bytes)),
        };
        if values.len() >= RESULTS_MAX {
            return Err("too many results".into());
        }
        values.push(value);
    }
    values.push(Value::Number(at.saturating_add(1) as f64));
    Ok(values)
}

fn number_of(item: &Item, bytes: &[u8]) -> f64 {
    let mut little = [0; INTEGER_BYTES_MAX];
    little[..bytes.len()].copy_from_slice(bytes);
    if !item.is_little {
        little[..bytes.len()].reverse();
    }
    let low = little.first_chunk().expect("an integer may have eight bytes and more");
    let bits = u64::from_le_bytes(*low);
    match item.option {
        b'f' => f64::from(f32::from_bits(bits as u32)),
        b'd' => f64::from_bits(bits),
        option if option.is_ascii_lowercase() => {
            let unused = 64usize.saturating_sub(8 * bytes.len()) as u32;
            if unused == 64 { 0.0 } else { ((bits << unused) as i64 >> unused) as f64 }
        }
        _ => bits as f64,
    }
}
