//! JSON as Lua values.
//!
//! The reader takes a token at a time and says what it expected and what it found instead. It admits what the library
//! admits beyond JSON: control characters in strings, and, unless set otherwise, numbers like `0x10`, `+1`, `nan`.

use mlua::{Lua, Table, Value};

use super::{DEPTH_LIMIT, Problem, Settings};

/// The value that `text` holds.
pub(super) fn decode(lua: &Lua, settings: &Settings, text: &[u8]) -> Result<Value, Problem> {
    if text.len() >= 2 && (text[0] == 0 || text[1] == 0) {
        return Err("JSON parser does not support UTF-16 or UTF-32".into());
    }
    let mut reader = Reader { lua, settings, text, at: 0, start: 0, depth: 0 };
    let first = reader.token();
    let value = reader.value(first)?;
    match reader.token() {
        Token::End => Ok(value),
        other => Err(reader.unexpected("the end", &other)),
    }
}

enum Token {
    ObjectBegin,
    ObjectEnd,
    ArrayBegin,
    ArrayEnd,
    String(Vec<u8>),
    Number(f64),
    Boolean(bool),
    Null,
    Colon,
    Comma,
    End,
    Bad(&'static str),
}

impl Token {
    fn name(&self) -> &'static str {
        match self {
            Token::ObjectBegin => "T_OBJ_BEGIN",
            Token::ObjectEnd => "T_OBJ_END",
            Token::ArrayBegin => "T_ARR_BEGIN",
            Token::ArrayEnd => "T_ARR_END",
            Token::String(_) => "T_STRING",
            Token::Number(_) => "T_NUMBER",
            Token::Boolean(_) => "T_BOOLEAN",
            Token::Null => "T_NULL",
            Token::Colon => "T_COLON",
            Token::Comma => "T_COMMA",
            Token::End => "T_END",
            Token::Bad(what) => what,
        }
    }
}

struct Reader<'a> {
    lua: &'a Lua,
    settings: &'a Settings,
    text: &'a [u8],
    at: usize,
    /// Where the last token began, or what was wrong with it.
    start: usize,
    depth: usize,
}

impl Reader<'_> {
    fn unexpected(&self, expected: &str, found: &Token) -> Problem {
        Problem::from(format!("Expected {expected} but found {} at character {}", found.name(), self.start + 1))
    }

    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn token(&mut self) -> Token {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
        self.start = self.at;
        let simple = match self.peek() {
            0 => return Token::End,
            b'{' => Token::ObjectBegin,
            b'}' => Token::ObjectEnd,
            b'[' => Token::ArrayBegin,
            b']' => Token::ArrayEnd,
            b':' => Token::Colon,
            b',' => Token::Comma,
            b'"' => return self.string(),
            b'-' | b'0'..=b'9' => {
                if !self.settings.decode_invalid && self.is_invalid_number() {
                    return Token::Bad("invalid number");
                }
                return self.number();
            }
            _ => return self.word(),
        };
        self.at += 1;
        simple
    }

    fn word(&mut self) -> Token {
        let rest = &self.text[self.at..];
        for (word, token) in [("true", Token::Boolean(true)), ("false", Token::Boolean(false)), ("null", Token::Null)] {
            if rest.starts_with(word.as_bytes()) {
                self.at += word.len();
                return token;
            }
        }
        if self.settings.decode_invalid && self.is_invalid_number() {
            return self.number();
        }
        Token::Bad("invalid token")
    }

    /// Whether what comes is a number that JSON has not.
    fn is_invalid_number(&self) -> bool {
        let rest = &self.text[self.at..];
        if rest.first() == Some(&b'+') {
            return true;
        }
        let rest = rest.strip_prefix(b"-").unwrap_or(rest);
        if let [b'0', next, ..] = rest {
            return next.eq_ignore_ascii_case(&b'x') || next.is_ascii_digit();
        }
        rest.len() >= 3 && (rest[..3].eq_ignore_ascii_case(b"inf") || rest[..3].eq_ignore_ascii_case(b"nan"))
    }

    fn number(&mut self) -> Token {
        match read_number(&self.text[self.at..]) {
            Some((number, len)) => {
                self.at += len;
                Token::Number(number)
            }
            None => Token::Bad("invalid number"),
        }
    }

    fn string(&mut self) -> Token {
        let mut bytes = Vec::new();
        self.at += 1;
        loop {
            match self.text.get(self.at) {
                None | Some(0) => {
                    self.start = self.at;
                    return Token::Bad("unexpected end of string");
                }
                Some(b'"') => {
                    self.at += 1;
                    return Token::String(bytes);
                }
                Some(b'\\') => {
                    if let Err(what) = self.escape(&mut bytes) {
                        self.start = self.at;
                        return Token::Bad(what);
                    }
                }
                Some(&byte) => {
                    bytes.push(byte);
                    self.at += 1;
                }
            }
        }
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Result<(), &'static str> {
        let byte = match self.text.get(self.at + 1) {
            Some(b'b') => 0x08,
            Some(b't') => b'\t',
            Some(b'n') => b'\n',
            Some(b'f') => 0x0c,
            Some(b'r') => b'\r',
            Some(&byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'u') => return self.unicode(bytes),
            _ => return Err("invalid escape code"),
        };
        bytes.push(byte);
        self.at += 2;
        Ok(())
    }

    /// `\uXXXX`, or two of them that are one character.
    fn unicode(&mut self, bytes: &mut Vec<u8>) -> Result<(), &'static str> {
        const WRONG: &str = "invalid unicode escape code";
        let first = self.hexadecimal(self.at + 2).ok_or(WRONG)?;
        let (code, len) = match first {
            0xD800..0xDC00 => {
                let is_pair = self.text.get(self.at + 6..self.at + 8) == Some(b"\\u");
                let second = is_pair.then(|| self.hexadecimal(self.at + 8)).flatten();
                let second = second.filter(|second| (0xDC00..0xE000).contains(second)).ok_or(WRONG)?;
                (0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00), 12)
            }
            0xDC00..0xE000 => return Err(WRONG),
            code => (code, 6),
        };
        let character = char::from_u32(code).ok_or(WRONG)?;
        bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        self.at += len;
        Ok(())
    }

    fn hexadecimal(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        digits.iter().try_fold(0, |code, &digit| Some(code << 4 | char::from(digit).to_digit(16)?))
    }

    fn value(&mut self, token: Token) -> Result<Value, Problem> {
        match token {
            Token::String(bytes) => Ok(Value::String(self.lua.create_string(bytes)?)),
            Token::Number(number) => Ok(Value::Number(number)),
            Token::Boolean(truth) => Ok(Value::Boolean(truth)),
            Token::Null => Ok(Value::NULL),
            Token::ObjectBegin => self.nested(Self::object),
            Token::ArrayBegin => self.nested(Self::array),
            other => Err(self.unexpected("value", &other)),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Table, Problem>) -> Result<Value, Problem> {
        self.depth += 1;
        let depth = self.depth;
        if depth as i64 > self.settings.decode_depth_max || depth > DEPTH_LIMIT {
            let at = self.at;
            return Err(Problem::from(format!("Found too many nested data structures ({depth}) at character {at}")));
        }
        let table = read(self)?;
        self.depth -= 1;
        Ok(Value::Table(table))
    }

    fn object(&mut self) -> Result<Table, Problem> {
        let table = self.lua.create_table()?;
        let mut token = self.token();
        if matches!(token, Token::ObjectEnd) {
            return Ok(table);
        }
        loop {
            let Token::String(name) = token else { return Err(self.unexpected("object key string", &token)) };
            match self.token() {
                Token::Colon => {}
                other => return Err(self.unexpected("colon", &other)),
            }
            let first = self.token();
            let value = self.value(first)?;
            table.raw_set(self.lua.create_string(name)?, value)?;
            match self.token() {
                Token::ObjectEnd => return Ok(table),
                Token::Comma => token = self.token(),
                other => return Err(self.unexpected("comma or object end", &other)),
            }
        }
    }

    fn array(&mut self) -> Result<Table, Problem> {
        let table = self.lua.create_table()?;
        let mut token = self.token();
        if matches!(token, Token::ArrayEnd) {
            return Ok(table);
        }
        for index in 1.. {
            let value = self.value(token)?;
            table.raw_set(index, value)?;
            match self.token() {
                Token::ArrayEnd => break,
                Token::Comma => token = self.token(),
                other => return Err(self.unexpected("comma or array end", &other)),
            }
        }
        Ok(table)
    }
}

/// The number that `text` begins with, as C's `strtod` reads it, and its length.
fn read_number(text: &[u8]) -> Option<(f64, usize)> {
    let sign_len = usize::from(matches!(text.first(), Some(b'-' | b'+')));
    let sign = if text.first() == Some(&b'-') { -1.0 } else { 1.0 };
    let rest = &text[sign_len..];
    for (word, value) in [("infinity", f64::INFINITY), ("inf", f64::INFINITY), ("nan", f64::NAN)] {
        if rest.len() >= word.len() && rest[..word.len()].eq_ignore_ascii_case(word.as_bytes()) {
            return Some((sign * value, sign_len + word.len()));
        }
    }
    if let [b'0', b'x' | b'X', first, ..] = rest
        && first.is_ascii_hexdigit()
    {
        let digits = rest[2..].iter().take_while(|byte| byte.is_ascii_hexdigit());
        let number = digits.clone().fold(0.0, |number, &digit| {
            number * 16.0 + f64::from(char::from(digit).to_digit(16).expect("it is such a digit"))
        });
        return Some((sign * number, sign_len + 2 + digits.count()));
    }
    let digits = |from: usize| rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(0);
    let mut len = whole;
    let mut fraction = 0;
    if rest.get(len) == Some(&b'.') {
        fraction = digits(len + 1);
        if whole + fraction > 0 {
            len += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return None;
    }
    if let Some(b'e' | b'E') = rest.get(len) {
        let signed = len + 1 + usize::from(matches!(rest.get(len + 1), Some(b'-' | b'+')));
        let exponent = rest.get(signed..).map_or(0, |_| digits(signed));
        if exponent > 0 {
            len = signed + exponent;
        }
    }
    let number: f64 = std::str::from_utf8(&rest[..len]).ok()?.parse().ok()?;
    Some((sign * number, sign_len + len))
}

#[cfg(test)]
mod tests {
    use super::read_number;

    #[test]
    fn numbers_end_where_c_ends_them() {
        let read = |text: &str| read_number(text.as_bytes()).map(|(number, len)| (number.to_string(), len));
        let number = |value: &str, len| Some((value.to_owned(), len));
        assert_eq!(read("12,"), number("12", 2));
        assert_eq!(read("-1.5e3]"), number("-1500", 6));
        assert_eq!(read("1.5e"), number("1.5", 3));
        assert_eq!(read("1.5e+"), number("1.5", 3));
        assert_eq!(read("0x1Fg"), number("31", 4));
        assert_eq!(read("0x"), number("0", 1));
        assert_eq!(read("-Infinity"), number("-inf", 9));
        assert_eq!(read("5."), number("5", 2));
        assert_eq!(read("-"), None);
        assert_eq!(read("."), None);
    }
}
