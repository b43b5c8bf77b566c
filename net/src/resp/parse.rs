//! Reading requests: a multibulk (`*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`) or an inline line (`GET k\r\n`).
//!
//! The parser works on the bytes where they were received and remembers how far it has looked, so input that comes in
//! pieces is looked at once. The caller keeps the bytes of an unfinished command together, from its first byte on; the
//! parser's positions are relative to that byte.
//!
//! ```text
//!   *3\r\n      $3\r\nSET\r\n       $1\r\nk\r\n        $5\r\nhel          (lo\r\n still to come)
//!   └Count──┘  └Length┘└Payload──┘ └Length┘└Payload─┘ └Length┘└Payload───────────────►
//!                                                             ^ at                    ^ needed
//! ```
//!
//! What is accepted is what Redis accepts, down to its habits: the two bytes behind a length or an argument are skipped
//! without a look, a line that holds a NUL never ends (so it is refused once it is too long), and a number has no sign
//! `+`, no leading zero and no blank. One thing is made firm: a line longer than 64 KiB is always refused, where Redis
//! lets it pass if its end happens to come with the same read.

use std::ops::Range;

use crate::limits::{
    ARGUMENTS_MAX, BIG_ARGUMENT_BYTES, COMMAND_BYTES_MAX, LINE_BYTES_MAX, SPANS_KEPT, UNAUTHENTICATED_ARGUMENTS_MAX,
    UNAUTHENTICATED_BULK_BYTES_MAX,
};
use crate::resp::args::{Args, Span};
use crate::resp::inline;
use crate::service::{InputLimits, ProtocolError};

/// What stands at the front of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// A command of this many bytes: [`Parser::args`] has its arguments.
    Command(usize),
    /// This many bytes that ask for nothing: an empty line, or a multibulk of no argument.
    Nothing(usize),
    /// The command's end has not arrived; nothing can be said before the input is this long.
    Incomplete(usize),
}

/// What the parser expects next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expect {
    /// The first byte of a command.
    #[default]
    Start,
    /// The end of an inline command's line.
    Inline,
    /// `*` and the number of arguments.
    Count,
    /// `$` and the length of an argument.
    Length,
    /// An argument of this length and two more bytes.
    Payload(u32),
}

/// The state of one command on its way in, to be reused from command to command.
#[derive(Debug, Default)]
pub struct Parser {
    expect: Expect,
    /// Where the line or argument begins that comes next.
    at: usize,
    /// The line's bytes before this position hold no line break.
    searched: usize,
    /// Arguments still to come, the one under way included.
    missing: u32,
    /// Bytes of those complete arguments that are big ones.
    big_bytes: usize,
    spans: Vec<Span>,
    /// The arguments of an inline command, unquoted.
    unquoted: Vec<u8>,
    is_inline: bool,
}

impl Parser {
    /// A parser at the beginning of a command.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether nothing of a command was seen yet.
    pub fn is_fresh(&self) -> bool {
        self.expect == Expect::Start
    }

    /// Bytes of the unfinished command that are complete big arguments. Redis keeps such arguments out of the query
    /// buffer, so they do not count against its limit.
    pub fn big_bytes(&self) -> usize {
        self.big_bytes
    }

    /// Bytes of heap held.
    pub fn heap_bytes(&self) -> usize {
        self.spans.capacity() * size_of::<Span>() + self.unquoted.capacity()
    }

    /// Makes ready for the next command.
    #[inline]
    pub fn reset(&mut self) {
        self.expect = Expect::Start;
        self.at = 0;
        self.searched = 0;
        self.missing = 0;
        self.big_bytes = 0;
        if self.spans.capacity() > SPANS_KEPT {
            self.spans = Vec::new();
        }
        self.spans.clear();
        if self.is_inline {
            self.is_inline = false;
            self.unquoted = Vec::new();
        }
    }

    /// The arguments of the command that [`Parser::advance`] just found at the front of `input`.
    #[inline]
    pub fn args<'a>(&'a self, input: &'a [u8]) -> Args<'a> {
        Args::new(if self.is_inline { &self.unquoted } else { input }, &self.spans)
    }

    /// Looks at `input`, which begins with the command's first byte and holds at least what it held before. `limits` is
    /// asked only where a limit may matter.
    #[inline]
    pub fn advance(&mut self, input: &[u8], limits: impl Fn() -> InputLimits) -> Result<Parsed, ProtocolError> {
        if self.expect == Expect::Start {
            self.expect = match input.first() {
                None => return Ok(Parsed::Incomplete(1)),
                Some(b'*') => Expect::Count,
                Some(_) => Expect::Inline,
            };
        }
        if self.expect == Expect::Inline {
            return self.inline(input);
        }
        if self.expect == Expect::Count {
            let Some(count) = self.count(input, &limits)? else {
                return Ok(Parsed::Incomplete(input.len() + 1));
            };
            if count <= 0 {
                return Ok(Parsed::Nothing(self.at));
            }
            self.missing = count as u32;
            self.expect = Expect::Length;
        }
        self.arguments(input, &limits)
    }

    /// Takes arguments as long as there are complete ones.
    #[inline]
    fn arguments(&mut self, input: &[u8], limits: &impl Fn() -> InputLimits) -> Result<Parsed, ProtocolError> {
        loop {
            let len = match self.expect {
                Expect::Payload(len) => len,
                _ => match self.length(input, limits)? {
                    Some(len) => len,
                    None => return Ok(Parsed::Incomplete(input.len() + 1)),
                },
            };
            let end = self.at + len as usize + 2;
            if end > input.len() {
                self.expect = Expect::Payload(len);
                return Ok(Parsed::Incomplete(end));
            }
            self.spans.push(Span { start: self.at as u32, len });
            if len as usize >= BIG_ARGUMENT_BYTES {
                self.big_bytes += len as usize;
            }
            self.at = end;
            self.searched = end;
            self.missing -= 1;
            if self.missing == 0 {
                return Ok(Parsed::Command(end));
            }
            self.expect = Expect::Length;
        }
    }

    /// The number of arguments, once its line is complete; [`Parser::at`] is behind it then.
    #[inline]
    fn count(&mut self, input: &[u8], limits: &impl Fn() -> InputLimits) -> Result<Option<i64>, ProtocolError> {
        let count = if let Some((count, end)) = short_number(input, 1) {
            self.at = end;
            i64::from(count)
        } else {
            let Some(line) = self.line(input, b'\r', "too big mbulk count string")? else { return Ok(None) };
            self.at = line.end + 2;
            number(&input[1..line.end])
                .filter(|&n| n <= ARGUMENTS_MAX)
                .ok_or_else(|| syntax("invalid multibulk length"))?
        };
        if count > UNAUTHENTICATED_ARGUMENTS_MAX && limits().unauthenticated {
            return Err(syntax("unauthenticated multibulk length"));
        }
        self.searched = self.at;
        Ok(Some(count))
    }

    /// The length of the next argument, once its line is complete; [`Parser::at`] is behind it then.
    #[inline]
    fn length(&mut self, input: &[u8], limits: &impl Fn() -> InputLimits) -> Result<Option<u32>, ProtocolError> {
        let dollar = input.get(self.at) == Some(&b'$');
        let (len, end) = match short_number(input, self.at + 1) {
            Some((len, end)) if dollar => (u64::from(len), end),
            _ => match self.line(input, b'\r', "too big bulk count string")? {
                None => return Ok(None),
                Some(line) => (Self::long_length(&input[line.clone()])?, line.end + 2),
            },
        };
        if len > UNAUTHENTICATED_BULK_BYTES_MAX {
            let limits = limits();
            if len > limits.bulk_bytes_max {
                return Err(syntax("invalid bulk length"));
            }
            if limits.unauthenticated {
                return Err(syntax("unauthenticated bulk length"));
            }
        }
        if end as u64 + len + 2 > COMMAND_BYTES_MAX {
            return Err(syntax("too big command, the limit is 4 GiB"));
        }
        self.at = end;
        Ok(Some(len as u32))
    }

    /// The length in a line that is not a plain short one: an error more often than not.
    #[cold]
    fn long_length(line: &[u8]) -> Result<u64, ProtocolError> {
        match line.first() {
            Some(b'$') => number(&line[1..])
                .and_then(|n| u64::try_from(n).ok())
                .filter(|&n| n <= i64::MAX as u64 - COMMAND_BYTES_MAX)
                .ok_or_else(|| syntax("invalid bulk length")),
            // An empty line begins with its own end.
            first => {
                Err(ProtocolError::Syntax([b"expected '$', got '", &[*first.unwrap_or(&b'\r')][..], b"'"].concat()))
            }
        }
    }

    /// An inline command.
    fn inline(&mut self, input: &[u8]) -> Result<Parsed, ProtocolError> {
        let Some(Range { end, .. }) = self.line(input, b'\n', "too big inline request")? else {
            return Ok(Parsed::Incomplete(input.len() + 1));
        };
        let line = input[..end].strip_suffix(b"\r").unwrap_or(&input[..end]);
        self.is_inline = true;
        inline::split(line, &mut self.unquoted, &mut self.spans)
            .map_err(|inline::Unbalanced| syntax("unbalanced quotes in request"))?;
        Ok(if self.spans.is_empty() { Parsed::Nothing(end + 1) } else { Parsed::Command(end + 1) })
    }

    /// The line at `at`, without its `end` byte, once that byte (and the `\n` behind a `\r`) is there.
    fn line(&mut self, input: &[u8], end: u8, too_big: &str) -> Result<Option<Range<usize>>, ProtocolError> {
        let from = self.searched.max(self.at);
        let to = input.len().min(self.at + LINE_BYTES_MAX + 1);
        let found = input[from..to.max(from)].iter().position(|&b| b == end || b == 0).map(|found| from + found);
        match found {
            Some(at) if input[at] == end => {
                self.searched = at;
                let tail = usize::from(end == b'\r');
                Ok((at + tail < input.len()).then_some(self.at..at))
            }
            // A NUL hides the rest of the line: `searched` stays on it, so the line never ends.
            stuck => {
                self.searched = stuck.unwrap_or(to.max(from));
                if input.len() - self.at > LINE_BYTES_MAX {
                    return Err(syntax(too_big));
                }
                Ok(None)
            }
        }
    }
}

/// The usual number: up to nine digits at `from`, then two bytes that end the line. Returns the position behind them;
/// `None` leaves the decision to the slow way.
#[inline]
fn short_number(input: &[u8], from: usize) -> Option<(u32, usize)> {
    let mut value = 0;
    let mut at = from;
    loop {
        let digit = input.get(at)?.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        if at - from == 9 {
            return None;
        }
        value = value * 10 + u32::from(digit);
        at += 1;
    }
    let digits = at - from;
    let plain = digits == 1 || (digits > 1 && input[from] != b'0');
    (plain && input[at] == b'\r' && at + 1 < input.len()).then_some((value, at + 2))
}

/// A decimal number as Redis takes it: an optional minus, no leading zero, nothing else.
fn number(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let plain = match digits {
        [] => false,
        [b'0'] => text.len() == 1,
        [b'0', ..] => false,
        _ => digits.iter().all(u8::is_ascii_digit),
    };
    // The standard library's parser checks the range.
    if plain { std::str::from_utf8(text).ok()?.parse().ok() } else { None }
}

fn syntax(text: &str) -> ProtocolError {
    ProtocolError::Syntax(text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests;
