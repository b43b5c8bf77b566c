//! One reply of the server, in either version of the protocol.

use std::fmt::{self, Write as _};
use std::io::{self, BufRead, Read};

/// A reply as it came over the wire: what RESP2 and RESP3 write differently stays different here.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `+text`
    Simple(Vec<u8>),
    /// `-CODE text`
    Error(Vec<u8>),
    /// `:n`
    Integer(i64),
    /// `$len`
    Bulk(Vec<u8>),
    /// `$-1`, or RESP3's `_`
    Null,
    /// RESP2's `*-1`
    NullArray,
    /// `*len`
    Array(Vec<Value>),
    /// RESP3's `%len`
    Map(Vec<(Value, Value)>),
    /// RESP3's `~len`
    Set(Vec<Value>),
    /// RESP3's `,text`, kept as text
    Double(Vec<u8>),
    /// RESP3's `#t` and `#f`
    Boolean(bool),
    /// RESP3's `(digits`
    BigNumber(Vec<u8>),
    /// RESP3's `=len`: three letters of format, then the text
    Verbatim(Vec<u8>, Vec<u8>),
    /// RESP3's `>len`, out of band
    Push(Vec<Value>),
    /// RESP3's `|len`, then the value it describes
    Attributed(Vec<(Value, Value)>, Box<Value>),
}

impl Value {
    /// A bulk string.
    pub fn bulk(bytes: impl AsRef<[u8]>) -> Self {
        Self::Bulk(bytes.as_ref().to_vec())
    }

    /// `+OK`.
    pub fn ok() -> Self {
        Self::Simple(b"OK".to_vec())
    }

    /// Reads one whole value.
    pub fn read(from: &mut impl BufRead) -> io::Result<Self> {
        let line = read_line(from)?;
        let (&kind, rest) = line.split_first().ok_or_else(|| malformed("an empty line"))?;
        match kind {
            b'+' => Ok(Self::Simple(rest.to_vec())),
            b'-' => Ok(Self::Error(rest.to_vec())),
            b':' => Ok(Self::Integer(integer(rest)?)),
            b'_' => Ok(Self::Null),
            b',' => Ok(Self::Double(rest.to_vec())),
            b'(' => Ok(Self::BigNumber(rest.to_vec())),
            b'#' => match rest {
                b"t" => Ok(Self::Boolean(true)),
                b"f" => Ok(Self::Boolean(false)),
                _ => Err(malformed("neither #t nor #f")),
            },
            b'$' | b'=' => match integer(rest)? {
                -1 => Ok(Self::Null),
                len => Self::read_text(from, len, kind == b'='),
            },
            b'*' if rest == b"-1" => Ok(Self::NullArray),
            b'*' => Ok(Self::Array(Self::read_many(from, integer(rest)?)?)),
            b'~' => Ok(Self::Set(Self::read_many(from, integer(rest)?)?)),
            b'>' => Ok(Self::Push(Self::read_many(from, integer(rest)?)?)),
            b'%' => Ok(Self::Map(Self::read_pairs(from, integer(rest)?)?)),
            b'|' => {
                let attributes = Self::read_pairs(from, integer(rest)?)?;
                Ok(Self::Attributed(attributes, Box::new(Self::read(from)?)))
            }
            other => Err(malformed(&format!("a reply beginning with {:?}", other as char))),
        }
    }

    fn read_text(from: &mut impl Read, len: i64, verbatim: bool) -> io::Result<Self> {
        let len = usize::try_from(len).map_err(|_| malformed("a negative length"))?;
        let mut bytes = vec![0; len + 2];
        from.read_exact(&mut bytes)?;
        if !bytes.ends_with(b"\r\n") {
            return Err(malformed("a bulk string without its CRLF"));
        }
        bytes.truncate(len);
        if !verbatim {
            return Ok(Self::Bulk(bytes));
        }
        if bytes.get(3) != Some(&b':') {
            return Err(malformed("a verbatim string without a format"));
        }
        let text = bytes.split_off(4);
        bytes.truncate(3);
        Ok(Self::Verbatim(bytes, text))
    }

    fn read_many(from: &mut impl BufRead, len: i64) -> io::Result<Vec<Self>> {
        (0..len).map(|_| Self::read(from)).collect()
    }

    fn read_pairs(from: &mut impl BufRead, len: i64) -> io::Result<Vec<(Self, Self)>> {
        (0..len).map(|_| Ok((Self::read(from)?, Self::read(from)?))).collect()
    }

    /// The bytes of any kind of text.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Simple(text) | Self::Error(text) | Self::Bulk(text) | Self::Verbatim(_, text) => Some(text),
            Self::Double(text) | Self::BigNumber(text) => Some(text),
            _ => None,
        }
    }

    /// Any kind of text, as a string; panics on anything else.
    pub fn text(&self) -> String {
        let bytes = self.as_bytes().unwrap_or_else(|| panic!("expected text, got {self}"));
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// An integer; panics on anything else.
    pub fn integer(&self) -> i64 {
        match self {
            Self::Integer(value) => *value,
            other => panic!("expected an integer, got {other}"),
        }
    }

    /// The elements of an array, set or push; panics on anything else.
    pub fn elements(&self) -> &[Value] {
        match self {
            Self::Array(items) | Self::Set(items) | Self::Push(items) => items,
            other => panic!("expected an array, got {other}"),
        }
    }

    /// The value under `key` of a map, or of an array of keys and values in turn.
    pub fn field(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Map(pairs) => pairs.iter().find(|(name, _)| name.as_bytes() == Some(key.as_bytes())).map(|p| &p.1),
            Self::Array(items) => {
                items.chunks_exact(2).find(|pair| pair[0].as_bytes() == Some(key.as_bytes())).map(|pair| &pair[1])
            }
            _ => None,
        }
    }

    /// Whether this is an error.
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Error(_))
    }

    /// The text of an error; panics on anything else.
    pub fn error(&self) -> String {
        match self {
            Self::Error(text) => String::from_utf8_lossy(text).into_owned(),
            other => panic!("expected an error, got {other}"),
        }
    }
}

fn read_line(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    if from.read_until(b'\n', &mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if !line.ends_with(b"\r\n") {
        return Err(malformed("a line without its CRLF"));
    }
    line.truncate(line.len() - 2);
    Ok(line)
}

fn integer(digits: &[u8]) -> io::Result<i64> {
    let text = std::str::from_utf8(digits).map_err(|_| malformed("a number that is not text"))?;
    text.parse().map_err(|_| malformed(&format!("{text:?} where a number should be")))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the server sent {what}"))
}

impl fmt::Display for Value {
    /// The notation of the conformance files.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple(text) => write!(out, "+{}", quoted(text)),
            Self::Error(text) => write!(out, "-{}", quoted(text)),
            Self::Integer(value) => write!(out, ":{value}"),
            Self::Bulk(text) => out.write_str(&quoted(text)),
            Self::Null => out.write_str("nil"),
            Self::NullArray => out.write_str("nil-array"),
            Self::Array(items) => list(out, "[", items),
            Self::Set(items) => list(out, "set[", items),
            Self::Push(items) => list(out, "push[", items),
            Self::Map(pairs) => map(out, "map{", pairs),
            Self::Double(text) => write!(out, ",{}", String::from_utf8_lossy(text)),
            Self::Boolean(truth) => write!(out, "{truth}"),
            Self::BigNumber(digits) => write!(out, "big({})", String::from_utf8_lossy(digits)),
            Self::Verbatim(format, text) => write!(out, "{}{}", String::from_utf8_lossy(format), quoted(text)),
            Self::Attributed(pairs, value) => {
                map(out, "attribute{", pairs)?;
                write!(out, " {value}")
            }
        }
    }
}

fn list(out: &mut fmt::Formatter<'_>, open: &str, items: &[Value]) -> fmt::Result {
    out.write_str(open)?;
    for (index, item) in items.iter().enumerate() {
        let space = if index == 0 { "" } else { " " };
        write!(out, "{space}{item}")?;
    }
    out.write_str("]")
}

fn map(out: &mut fmt::Formatter<'_>, open: &str, pairs: &[(Value, Value)]) -> fmt::Result {
    out.write_str(open)?;
    for (index, (key, value)) in pairs.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(out, "{comma}{key}: {value}")?;
    }
    out.write_str("}")
}

/// `text` between double quotes, with the escapes that redis-cli reads.
pub fn quoted(text: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for &byte in text {
        match byte {
            b'"' => quoted.push_str("\\\""),
            b'\\' => quoted.push_str("\\\\"),
            b'\n' => quoted.push_str("\\n"),
            b'\r' => quoted.push_str("\\r"),
            b'\t' => quoted.push_str("\\t"),
            b' '..=b'~' => quoted.push(byte as char),
            _ => write!(quoted, "\\x{byte:02x}").expect("a String takes any text"),
        }
    }
    quoted.push('"');
    quoted
}
