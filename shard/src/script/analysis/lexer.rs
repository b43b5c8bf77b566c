//! Lua 5.1 as tokens.
//!
//! The reader is for text that Lua itself has compiled or will: what it cannot read is reported as such, and the script is
//! then taken for one that may do anything.

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    Keyword(&'static str),
    /// A literal string.
    Text(Vec<u8>),
    /// A number, as it is written.
    Number(String),
    /// An operator or a mark.
    Mark(&'static str),
    End,
}

const KEYWORDS: [&str; 21] = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil", "not", "or",
    "repeat", "return", "then", "true", "until", "while",
];

/// Longer ones first.
const MARKS: [&str; 26] = [
    "...", "..", "==", "~=", "<=", ">=", "+", "-", "*", "/", "%", "^", "#", "<", ">", "=", "(", ")", "{", "}", "[",
    "]", ";", ":", ",", ".",
];

/// The tokens of `source`, or nothing if it is no Lua.
pub(super) fn tokens(source: &[u8]) -> Option<Vec<Token>> {
    let mut lexer = Lexer { source, at: 0 };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.token()?;
        let is_end = token == Token::End;
        tokens.push(token);
        if is_end {
            return Some(tokens);
        }
    }
}

struct Lexer<'a> {
    source: &'a [u8],
    at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &[u8] {
        &self.source[self.at..]
    }

    fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> &[u8] {
        let len = self.rest().iter().take_while(|byte| fits(**byte)).count();
        self.at += len;
        &self.source[self.at - len..self.at]
    }

    fn token(&mut self) -> Option<Token> {
        loop {
            self.take_while(|byte| byte.is_ascii_whitespace() || byte == 0x0b);
            if !self.rest().starts_with(b"--") {
                break;
            }
            self.at += 2;
            if self.long_bracket().is_some() {
                self.long_text()?;
            } else {
                self.take_while(|byte| byte != b'\n');
            }
        }
        let Some(&first) = self.rest().first() else { return Some(Token::End) };
        if first.is_ascii_alphabetic() || first == b'_' {
            let name = self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let name = std::str::from_utf8(name).ok()?;
            let keyword = KEYWORDS.into_iter().find(|keyword| *keyword == name);
            return Some(keyword.map_or_else(|| Token::Name(name.to_owned()), Token::Keyword));
        }
        let second_is_digit = self.rest().get(1).is_some_and(u8::is_ascii_digit);
        if first.is_ascii_digit() || (first == b'.' && second_is_digit) {
            return self.number();
        }
        if first == b'"' || first == b'\'' {
            return self.quoted(first);
        }
        if self.long_bracket().is_some() {
            return self.long_text().map(Token::Text);
        }
        let mark = MARKS.into_iter().find(|mark| self.rest().starts_with(mark.as_bytes()))?;
        self.at += mark.len();
        Some(Token::Mark(mark))
    }

    fn number(&mut self) -> Option<Token> {
        let start = self.at;
        self.take_while(|byte| byte.is_ascii_digit() || byte == b'.');
        if matches!(self.rest().first(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.rest().first(), Some(b'+' | b'-')) {
                self.at += 1;
            }
        }
        self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        Some(Token::Number(std::str::from_utf8(&self.source[start..self.at]).ok()?.to_owned()))
    }

    fn quoted(&mut self, quote: u8) -> Option<Token> {
        let mut text = Vec::new();
        self.at += 1;
        loop {
            let byte = *self.rest().first()?;
            self.at += 1;
            match byte {
                b'\n' => return None,
                b'\\' => self.escape(&mut text)?,
                _ if byte == quote => return Some(Token::Text(text)),
                _ => text.push(byte),
            }
        }
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Option<()> {
        let byte = *self.rest().first()?;
        if byte.is_ascii_digit() {
            let digits = self.rest().iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
            let number: u16 = std::str::from_utf8(&self.rest()[..digits]).ok()?.parse().ok()?;
            text.push(u8::try_from(number).ok()?);
            self.at += digits;
            return Some(());
        }
        self.at += 1;
        text.push(match byte {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            other => other,
        });
        Some(())
    }

    /// The level of the long bracket that begins here.
    fn long_bracket(&self) -> Option<usize> {
        let rest = self.rest().strip_prefix(b"[")?;
        let level = rest.iter().take_while(|byte| **byte == b'=').count();
        (rest.get(level) == Some(&b'[')).then_some(level)
    }

    fn long_text(&mut self) -> Option<Vec<u8>> {
        let level = self.long_bracket()?;
        self.at += level + 2;
        let mut close = vec![b'='; level + 2];
        (close[0], close[level + 1]) = (b']', b']');
        let len = self.rest().windows(close.len()).position(|window| window == close)?;
        let text = self.rest()[..len].to_vec();
        self.at += len + close.len();
        let text = text.strip_prefix(b"\r\n").or_else(|| text.strip_prefix(b"\n")).map_or(text.clone(), <[u8]>::to_vec);
        Some(text)
    }
}
