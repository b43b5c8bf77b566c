//! The words of a command: quotes and escapes as redis-cli reads them, and variables.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// A word of a command.
#[derive(Debug, PartialEq)]
pub enum Word {
    /// These bytes.
    Literal(Vec<u8>),
    /// A variable's name and a number to add.
    Variable(String, i64),
    /// A text, so many times.
    Repeat(String, usize),
}

/// What sections remember: texts that replies were captured in.
pub type Variables = HashMap<String, Vec<u8>>;

impl Word {
    /// Splits a line into words.
    pub fn split(line: &str) -> Result<Vec<Self>, String> {
        let mut words = Vec::new();
        let mut rest = line.trim_start().as_bytes();
        while !rest.is_empty() {
            let (word, used) = Self::first(rest)?;
            words.push(word);
            rest = rest[used..].trim_ascii_start();
        }
        if words.is_empty() { Err("no command".to_owned()) } else { Ok(words) }
    }

    /// The bytes of a line that is one quoted word.
    pub fn quoted(line: &str) -> Result<Vec<u8>, String> {
        match Self::split(line)?.as_slice() {
            [Self::Literal(bytes)] => Ok(bytes.clone()),
            _ => Err("raw bytes are one quoted word".to_owned()),
        }
    }

    fn first(text: &[u8]) -> Result<(Self, usize), String> {
        if matches!(text[0], b'"' | b'\'') {
            let (bytes, used) = unquote(text)?;
            return Ok((Self::Literal(bytes), used));
        }
        let used = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
        let word = std::str::from_utf8(&text[..used]).map_err(|_| "words without quotes are text")?;
        let Some(name) = word.strip_prefix('$') else { return Ok((Self::Literal(word.into()), used)) };
        if let Some(repeat) = name.strip_prefix("repeat:") {
            let (text, count) = repeat.rsplit_once(':').ok_or("$repeat:TEXT:COUNT")?;
            let count = count.parse().map_err(|_| format!("{count:?} is not a count"))?;
            return Ok((Self::Repeat(text.to_owned(), count), used));
        }
        let end = name.find(['+', '-']).unwrap_or(name.len());
        let (name, offset) = name.split_at(end);
        let offset = match offset {
            "" => 0,
            offset => offset.parse().map_err(|_| format!("{offset:?} is not an offset"))?,
        };
        Ok((Self::Variable(name.to_owned(), offset), used))
    }

    /// The bytes to send.
    pub fn expand(&self, variables: &Variables) -> Vec<u8> {
        match self {
            Self::Literal(bytes) => bytes.clone(),
            Self::Repeat(text, count) => text.repeat(*count).into_bytes(),
            Self::Variable(name, offset) => {
                let value = match name.as_str() {
                    "now_ms" => now_ms().to_string().into_bytes(),
                    "now_s" => (now_ms() / 1000).to_string().into_bytes(),
                    name => variables.get(name).unwrap_or_else(|| panic!("${name} was not captured")).clone(),
                };
                if *offset == 0 { value } else { add(&value, *offset) }
            }
        }
    }
}

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_millis()
}

fn add(number: &[u8], offset: i64) -> Vec<u8> {
    let text = std::str::from_utf8(number).expect("an offset goes with a number");
    let number: i64 = text.parse().expect("an offset goes with a number");
    (number + offset).to_string().into_bytes()
}

/// Reads a text in quotes from the front; gives the bytes it stands for and its length as written.
pub fn unquote(text: &[u8]) -> Result<(Vec<u8>, usize), String> {
    let quote = text[0];
    let mut bytes = Vec::new();
    let mut at = 1;
    loop {
        let Some(&byte) = text.get(at) else { return Err("a quote is not closed".to_owned()) };
        at += 1;
        match byte {
            _ if byte == quote => return Ok((bytes, at)),
            b'\\' if quote == b'"' => {
                let (byte, used) = escape(&text[at..])?;
                bytes.push(byte);
                at += used;
            }
            b'\\' if text.get(at) == Some(&b'\'') => {
                bytes.push(b'\'');
                at += 1;
            }
            _ => bytes.push(byte),
        }
    }
}

/// The byte that an escape stands for, and the escape's length behind the backslash.
fn escape(text: &[u8]) -> Result<(u8, usize), String> {
    match text {
        [b'x', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
            let digits = [*high, *low];
            let digits = std::str::from_utf8(&digits).expect("hexadecimal digits are text");
            Ok((u8::from_str_radix(digits, 16).expect("two hexadecimal digits are a byte"), 3))
        }
        [b'n', ..] => Ok((b'\n', 1)),
        [b'r', ..] => Ok((b'\r', 1)),
        [b't', ..] => Ok((b'\t', 1)),
        [b'a', ..] => Ok((7, 1)),
        [b'b', ..] => Ok((8, 1)),
        [other, ..] => Ok((*other, 1)),
        [] => Err("a quote is not closed".to_owned()),
    }
}

#[test]
fn words_are_split_as_redis_cli_splits_them() {
    let words = Word::split(r#"SET "a \"b\"\x00\n" 'c\'d\n' $now_ms+5 $repeat:ab:3 plain"#).unwrap();
    assert_eq!(words.len(), 6);
    assert_eq!(words[1], Word::Literal(b"a \"b\"\0\n".to_vec()));
    assert_eq!(words[2], Word::Literal(b"c'd\\n".to_vec()));
    assert_eq!(words[3], Word::Variable("now_ms".to_owned(), 5));
    assert_eq!(words[4].expand(&Variables::new()), b"ababab");
    assert!(Word::split("SET \"open").is_err());
}
