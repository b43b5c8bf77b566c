//! What a reply should be: the notation of the conformance files, parsed and matched.

use super::command::{Variables, unquote};
use crate::support::{Protocol, Value};

/// The reply expected in each version of the protocol.
#[derive(Debug)]
pub struct Expected {
    resp2: Pattern,
    resp3: Pattern,
}

/// A pattern for one value.
#[derive(Clone, Debug, PartialEq)]
enum Pattern {
    Any,
    AnyInteger(i64, i64),
    AnyBulk,
    Simple(Text),
    Error(Text),
    Integer(i64),
    Bulk(Text),
    Null,
    NullArray,
    Array(Items),
    Set(Items),
    Push(Items),
    Map(Vec<(Pattern, Pattern)>, bool),
    Double(Vec<u8>),
    Boolean(bool),
    BigNumber(Vec<u8>),
    Verbatim(Vec<u8>, Text),
    Lines(Vec<String>),
    Equal(String),
    Capture(String, Box<Pattern>),
}

#[derive(Clone, Debug, PartialEq)]
enum Text {
    Exact(Vec<u8>),
    Glob(Vec<u8>),
}

#[derive(Clone, Debug, PartialEq)]
struct Items {
    patterns: Vec<Pattern>,
    ordered: bool,
    open: bool,
}

impl Expected {
    /// Reads the indented lines under a command.
    pub fn parse(lines: &[&str]) -> Result<Self, String> {
        let is_version = |line: &str, version: &str| line.trim_start().starts_with(version);
        let second = lines.iter().position(|line| is_version(line, "2:"));
        let third = lines.iter().position(|line| is_version(line, "3:"));
        match (second, third) {
            (None, None) => {
                let pattern = parse_lines(lines, "")?;
                Ok(Self { resp2: pattern.clone(), resp3: pattern })
            }
            (Some(0), Some(third)) => {
                Ok(Self { resp2: parse_lines(&lines[..third], "2:")?, resp3: parse_lines(&lines[third..], "3:")? })
            }
            _ => Err("`2:` and `3:` go together, in this order".to_owned()),
        }
    }

    /// Whether `value` is as expected; captures texts into `variables`.
    pub fn matches(&self, value: &Value, protocol: Protocol, variables: &mut Variables) -> bool {
        let pattern = if protocol == Protocol::Resp2 { &self.resp2 } else { &self.resp3 };
        Matcher { protocol, variables }.matches(pattern, value)
    }
}

fn parse_lines(lines: &[&str], version: &str) -> Result<Pattern, String> {
    let text = lines.join("\n");
    let text = text.trim_start();
    let text = text.strip_prefix(version).unwrap_or(text).trim_start();
    // Texts of simple strings and errors need no quotes where nothing follows them.
    let (kind, rest) = text.split_at(usize::from(!text.is_empty()));
    if matches!(kind, "+" | "-") && !rest.starts_with(['"', '~']) {
        let text = Text::Exact(rest.into());
        return Ok(if kind == "+" { Pattern::Simple(text) } else { Pattern::Error(text) });
    }
    let mut parser = Parser { text: text.as_bytes(), at: 0 };
    let pattern = parser.pattern()?;
    parser.skip_space();
    if parser.at < parser.text.len() {
        return Err(format!("{:?} follows the reply", &text[parser.at..]));
    }
    Ok(pattern)
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn pattern(&mut self) -> Result<Pattern, String> {
        self.skip_space();
        match self.peek() {
            Some(b'"' | b'~') => Ok(Pattern::Bulk(self.text()?)),
            Some(b'+') => {
                self.at += 1;
                Ok(Pattern::Simple(self.text()?))
            }
            Some(b'-') => {
                self.at += 1;
                Ok(Pattern::Error(self.text()?))
            }
            Some(b':') => {
                self.at += 1;
                let digits = self.word();
                Ok(Pattern::Integer(number(&digits)?))
            }
            Some(b',') => {
                self.at += 1;
                Ok(Pattern::Double(self.word().into()))
            }
            Some(b'$') => self.variable(),
            Some(b'[') => self.items(b'[', true).map(Pattern::Array),
            Some(_) => self.named(),
            None => Err("a reply is missing".to_owned()),
        }
    }

    fn variable(&mut self) -> Result<Pattern, String> {
        self.at += 1;
        let name = self.word();
        let mark = self.at;
        self.skip_space();
        if self.take(b'=') {
            return Ok(Pattern::Capture(name, Box::new(self.pattern()?)));
        }
        self.at = mark;
        Ok(Pattern::Equal(name))
    }

    fn named(&mut self) -> Result<Pattern, String> {
        let name = self.word();
        match (name.as_str(), self.peek()) {
            ("any", _) => Ok(Pattern::Any),
            ("bulk", _) => Ok(Pattern::AnyBulk),
            ("nil", _) => Ok(Pattern::Null),
            ("nil-array", _) => Ok(Pattern::NullArray),
            ("true", _) => Ok(Pattern::Boolean(true)),
            ("false", _) => Ok(Pattern::Boolean(false)),
            ("int", Some(b'(')) => {
                let range = self.parenthesised()?;
                let (low, high) = range.split_once("..").ok_or("int(LOW..HIGH)")?;
                let low = if low.is_empty() { i64::MIN } else { number(low)? };
                let high = if high.is_empty() { i64::MAX } else { number(high)? };
                Ok(Pattern::AnyInteger(low, high))
            }
            ("int", _) => Ok(Pattern::AnyInteger(i64::MIN, i64::MAX)),
            ("big", Some(b'(')) => Ok(Pattern::BigNumber(self.parenthesised()?.into())),
            ("lines", Some(b'(')) => self.lines(),
            ("set", Some(b'[')) => self.items(b'[', false).map(Pattern::Set),
            ("push", Some(b'[')) => self.items(b'[', true).map(Pattern::Push),
            ("unordered", Some(b'[')) => self.items(b'[', false).map(Pattern::Array),
            ("map", Some(b'{')) => self.map(),
            (format, Some(b'"' | b'~')) if format.len() == 3 => Ok(Pattern::Verbatim(format.into(), self.text()?)),
            (other, _) => Err(format!("no reply is written {other:?}")),
        }
    }

    fn text(&mut self) -> Result<Text, String> {
        let glob = self.take(b'~');
        if self.peek() != Some(b'"') {
            return Err("a text in quotes is missing".to_owned());
        }
        let (bytes, used) = unquote(&self.text[self.at..])?;
        self.at += used;
        Ok(if glob { Text::Glob(bytes) } else { Text::Exact(bytes) })
    }

    fn items(&mut self, open: u8, ordered: bool) -> Result<Items, String> {
        assert!(self.take(open), "the caller has seen it");
        let mut items = Items { patterns: Vec::new(), ordered, open: false };
        loop {
            self.skip_space();
            if self.take(b']') {
                return Ok(items);
            }
            if self.rest().starts_with(b"...") {
                self.at += 3;
                items.open = true;
            } else {
                items.patterns.push(self.pattern()?);
            }
        }
    }

    fn map(&mut self) -> Result<Pattern, String> {
        assert!(self.take(b'{'), "the caller has seen it");
        let (mut pairs, mut open) = (Vec::new(), false);
        loop {
            self.skip_space();
            if self.take(b'}') {
                return Ok(Pattern::Map(pairs, open));
            }
            if self.rest().starts_with(b"...") {
                self.at += 3;
                open = true;
                continue;
            }
            let key = self.pattern()?;
            if !self.take(b':') {
                return Err("a map's key is followed by a colon".to_owned());
            }
            pairs.push((key, self.pattern()?));
            self.skip_space();
            self.take(b',');
        }
    }

    fn lines(&mut self) -> Result<Pattern, String> {
        assert!(self.take(b'('), "the caller has seen it");
        let mut globs = Vec::new();
        loop {
            self.skip_space();
            if self.take(b')') {
                return Ok(Pattern::Lines(globs));
            }
            let (Text::Exact(bytes) | Text::Glob(bytes)) = self.text()?;
            globs.push(String::from_utf8(bytes).map_err(|_| "lines are text")?);
        }
    }

    fn parenthesised(&mut self) -> Result<String, String> {
        let rest = self.rest();
        let end = rest.iter().position(|&byte| byte == b')').ok_or("a parenthesis is not closed")?;
        let inner = String::from_utf8_lossy(&rest[1..end]).into_owned();
        self.at += end + 1;
        Ok(inner)
    }

    fn word(&mut self) -> String {
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"[]{}(),:\"=~".contains(byte);
        let len = self.rest().iter().position(ends).unwrap_or(self.rest().len());
        let word = String::from_utf8_lossy(&self.rest()[..len]).into_owned();
        self.at += len;
        word
    }

    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }
}

fn number(digits: &str) -> Result<i64, String> {
    digits.parse().map_err(|_| format!("{digits:?} is not a number"))
}

struct Matcher<'v> {
    protocol: Protocol,
    variables: &'v mut Variables,
}

impl Matcher<'_> {
    fn matches(&mut self, pattern: &Pattern, value: &Value) -> bool {
        let resp2 = self.protocol == Protocol::Resp2;
        match (pattern, value) {
            (Pattern::Any, _) => true,
            (Pattern::AnyInteger(low, high), Value::Integer(value)) => (low..=high).contains(&value),
            (Pattern::AnyBulk, Value::Bulk(_)) => true,
            (Pattern::Integer(expected), Value::Integer(value)) => expected == value,
            (Pattern::Simple(text), Value::Simple(value)) => text.matches(value),
            (Pattern::Error(text), Value::Error(value)) => text.matches(value),
            (Pattern::Bulk(text), Value::Bulk(value)) => text.matches(value),
            (Pattern::Null, Value::Null) => true,
            (Pattern::NullArray, value) => *value == if resp2 { Value::NullArray } else { Value::Null },
            (Pattern::Double(text), Value::Bulk(value)) if resp2 => text == value,
            (Pattern::Double(text), Value::Double(value)) => text == value,
            (Pattern::Boolean(truth), Value::Integer(value)) if resp2 => i64::from(*truth) == *value,
            (Pattern::Boolean(truth), Value::Boolean(value)) => truth == value,
            (Pattern::BigNumber(digits), Value::Bulk(value)) if resp2 => digits == value,
            (Pattern::BigNumber(digits), Value::BigNumber(value)) => digits == value,
            (Pattern::Verbatim(_, text), Value::Bulk(value)) if resp2 => text.matches(value),
            (Pattern::Verbatim(format, text), Value::Verbatim(kind, value)) => format == kind && text.matches(value),
            (Pattern::Lines(globs), value) => value.as_bytes().is_some_and(|text| has_lines(text, globs)),
            (Pattern::Array(items), Value::Array(values)) => self.all(items, values),
            (Pattern::Set(items) | Pattern::Push(items), Value::Array(values)) if resp2 => self.all(items, values),
            (Pattern::Set(items), Value::Set(values)) => self.all(items, values),
            (Pattern::Push(items), Value::Push(values)) => self.all(items, values),
            (Pattern::Map(pairs, open), Value::Map(values)) => self.pairs(pairs, *open, values),
            (Pattern::Map(pairs, open), Value::Array(values)) if resp2 && values.len() % 2 == 0 => {
                let values: Vec<_> = values.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
                self.pairs(pairs, *open, &values)
            }
            (Pattern::Equal(name), value) => text_of(value).is_some_and(|text| self.variables.get(name) == Some(&text)),
            (Pattern::Capture(name, inner), value) => self.capture(name, inner, value),
            _ => false,
        }
    }

    fn capture(&mut self, name: &str, inner: &Pattern, value: &Value) -> bool {
        let Some(text) = text_of(value) else { return false };
        let matches = self.matches(inner, value);
        if matches {
            self.variables.insert(name.to_owned(), text);
        }
        matches
    }

    fn all(&mut self, items: &Items, values: &[Value]) -> bool {
        let patterns = &items.patterns;
        if values.len() < patterns.len() || (!items.open && values.len() > patterns.len()) {
            return false;
        }
        if items.ordered {
            return patterns.iter().zip(values).all(|(pattern, value)| self.matches(pattern, value));
        }
        let mut left: Vec<&Value> = values.iter().collect();
        patterns.iter().all(|pattern| match left.iter().position(|value| self.matches(pattern, value)) {
            Some(index) => {
                left.swap_remove(index);
                true
            }
            None => false,
        })
    }

    fn pairs(&mut self, pairs: &[(Pattern, Pattern)], open: bool, values: &[(Value, Value)]) -> bool {
        if !open && pairs.len() != values.len() {
            return false;
        }
        pairs.iter().all(|(key, pattern)| {
            values.iter().any(|(name, value)| self.matches(key, name) && self.matches(pattern, value))
        })
    }
}

fn text_of(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Integer(value) => Some(value.to_string().into_bytes()),
        other => other.as_bytes().map(<[u8]>::to_vec),
    }
}

fn has_lines(text: &[u8], globs: &[String]) -> bool {
    let text = String::from_utf8_lossy(text);
    globs.iter().all(|wanted| text.lines().any(|line| glob(wanted.as_bytes(), line.as_bytes())))
}

impl Text {
    fn matches(&self, value: &[u8]) -> bool {
        match self {
            Self::Exact(text) => text == value,
            Self::Glob(pattern) => glob(pattern, value),
        }
    }
}

/// Whether `text` matches a pattern of `*` (anything) and `?` (one byte).
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|skipped| glob(rest, &text[skipped..])),
        Some((b'?', rest)) => !text.is_empty() && glob(rest, &text[1..]),
        Some((byte, rest)) => text.first() == Some(byte) && glob(rest, &text[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(notation: &str, value: &Value, protocol: Protocol) -> bool {
        let lines: Vec<&str> = notation.lines().collect();
        let expected = Expected::parse(&lines).unwrap_or_else(|problem| panic!("{notation}: {problem}"));
        expected.matches(value, protocol, &mut Variables::new())
    }

    #[test]
    fn what_a_value_prints_matches_it() {
        let value = Value::Array(vec![
            Value::ok(),
            Value::Error(b"ERR no".to_vec()),
            Value::Map(vec![(Value::bulk("a\r\n\0"), Value::Integer(-3))]),
            Value::Set(vec![Value::Double(b"3.5".to_vec()), Value::Boolean(true)]),
            Value::Push(vec![Value::BigNumber(b"12".to_vec()), Value::Null]),
            Value::Verbatim(b"txt".to_vec(), b"x".to_vec()),
        ]);
        assert!(check(&value.to_string(), &value, Protocol::Resp3), "{value}");
    }

    #[test]
    fn resp2_writes_the_same_otherwise() {
        let flat = Value::Array(vec![Value::bulk("b"), Value::Null, Value::bulk("a"), Value::Integer(1)]);
        assert!(check("map{\"a\": :1, \"b\": nil}", &flat, Protocol::Resp2));
        assert!(!check("map{\"a\": :1, \"b\": nil}", &flat, Protocol::Resp3));
        assert!(check("2: [\"b\" ...]\n3: map{}", &flat, Protocol::Resp2));
        assert!(check("nil-array", &Value::NullArray, Protocol::Resp2));
        assert!(!check("nil-array", &Value::Null, Protocol::Resp2));
        assert!(check("nil-array", &Value::Null, Protocol::Resp3));
    }

    #[test]
    fn globs_and_ranges_match() {
        assert!(check("-~\"ERR *\"", &Value::Error(b"ERR what".to_vec()), Protocol::Resp2));
        assert!(check("-ERR what \"it\"", &Value::Error(b"ERR what \"it\"".to_vec()), Protocol::Resp2));
        assert!(check("int(1..3)", &Value::Integer(3), Protocol::Resp2));
        assert!(!check("int(1..3)", &Value::Integer(4), Protocol::Resp2));
        assert!(check("lines(\"b:?\" \"a:*\")", &Value::bulk("a:11\r\nb:2\r\n"), Protocol::Resp2));
        assert!(check(
            "unordered[\"a\" \"b\"]",
            &Value::Array(vec![Value::bulk("b"), Value::bulk("a")]),
            Protocol::Resp2
        ));
    }

    #[test]
    fn captured_texts_are_remembered() {
        let mut variables = Variables::new();
        let expected = Expected::parse(&["$id = int"]).unwrap();
        assert!(expected.matches(&Value::Integer(7), Protocol::Resp3, &mut variables));
        let again = Expected::parse(&["[$id \"x\"]"]).unwrap();
        let value = Value::Array(vec![Value::Integer(7), Value::bulk("x")]);
        assert!(again.matches(&value, Protocol::Resp3, &mut variables));
    }
}
