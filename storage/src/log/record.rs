//! Records: commands as a client would send them, and annotations between them.
//!
//! ```text
//! *2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n        a command: how many arguments, then each with its length
//! #TS:1700000000\r\n                       an annotation: the time of what follows, in seconds (aof-timestamp-enabled)
//! #E 17 5 1042 90a1b2c3d4e5f607\r\n        an annotation: the head of a group
//! ```
//!
//! [`RecordReader`] reads what Redis reads: lines end with `\n`, numbers are the digits that they begin with. Nothing is
//! allocated on the word of a number: arguments are taken in as far as there are bytes in the file.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};

use super::group::LINE_BYTES_MAX;

/// A line that holds a number is shorter than this, in bytes.
const NUMBER_LINE_BYTES_MAX: usize = 128;

/// A command has at most so many arguments, and so many bytes in all: a session takes no more.
const ARGUMENTS_MAX: i64 = 1 << 30;
const COMMAND_BYTES_MAX: u64 = u32::MAX as u64;

/// Room for the arguments is made in pieces of so many bytes.
const PIECE_BYTES: u64 = 1 << 20;

/// Bytes that are read at once.
const READ_BYTES: usize = 256 << 10;

/// Appends a command.
pub fn put_record<'a>(out: &mut Vec<u8>, args: impl ExactSizeIterator<Item = &'a [u8]>) {
    put_number(out, b'*', args.len());
    for arg in args {
        put_number(out, b'$', arg.len());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
}

fn put_number(out: &mut Vec<u8>, kind: u8, number: usize) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.push(kind);
    out.extend_from_slice(&digits[at..]);
    out.extend_from_slice(b"\r\n");
}

/// Appends the time of what follows.
pub fn put_timestamp(out: &mut Vec<u8>, unix_seconds: i64) {
    out.extend_from_slice(format!("#TS:{unix_seconds}\r\n").as_bytes());
}

/// The arguments of a command: bytes, and where each argument ends in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Arguments {
    /// How many.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Argument `index`; the name is 0.
    pub fn at(&self, index: usize) -> &[u8] {
        let begin = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[begin..self.ends[index]]
    }

    /// The bytes of all of them, one behind the other.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where each begins in [`Self::bytes`], and its length.
    pub fn spans(&self) -> impl ExactSizeIterator<Item = (usize, usize)> {
        let mut begin = 0;
        self.ends.iter().map(move |&end| {
            let span = (begin, end - begin);
            begin = end;
            span
        })
    }

    /// All of them.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.len()).map(|index| self.at(index))
    }

    /// Whether the command is the one of this name, given in lower case.
    pub fn is(&self, name: &str) -> bool {
        !self.is_empty() && self.at(0).eq_ignore_ascii_case(name.as_bytes())
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// Something in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A command; its arguments are [`RecordReader::arguments`].
    Command,
    /// An annotation: the line without its end.
    Note(Vec<u8>),
    /// The end of the file, between two records.
    End,
}

/// Why a log cannot be read on.
#[derive(Debug)]
pub struct RecordError {
    /// Where the record begins that cannot be read, in bytes.
    pub offset: u64,
    /// What is wrong.
    pub kind: RecordErrorKind,
}

/// What is wrong with a log.
#[derive(Debug)]
pub enum RecordErrorKind {
    /// The system gives no more of it.
    Io(io::Error),
    /// It ends within a record.
    Truncated,
    /// What stands there is no record.
    Malformed {
        /// What was expected.
        expected: &'static str,
        /// Where.
        at: u64,
    },
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = self.offset;
        match &self.kind {
            RecordErrorKind::Io(error) => write!(f, "{error}"),
            RecordErrorKind::Truncated => write!(f, "it ends within the record at offset {offset}"),
            RecordErrorKind::Malformed { expected, at } => {
                write!(f, "{expected} is missing at offset {at}, in the record at offset {offset}")
            }
        }
    }
}

/// Reads a log, record by record.
#[derive(Debug)]
pub struct RecordReader<R> {
    source: BufReader<R>,
    /// Bytes that were read.
    position: u64,
    /// Where the record begins that was read last.
    begin: u64,
    line: Vec<u8>,
    /// Lines that were read, an argument being one.
    lines: u64,
    arguments: Arguments,
}

type Step<T> = Result<T, RecordErrorKind>;

impl<R: Read> RecordReader<R> {
    /// Reads `source`, whose first byte is byte `offset` of the file.
    pub fn new(source: R, offset: u64) -> Self {
        let source = BufReader::with_capacity(READ_BYTES, source);
        Self { source, position: offset, begin: offset, line: Vec::new(), lines: 1, arguments: Arguments::default() }
    }

    /// Where the record begins that was read last.
    pub const fn begin(&self) -> u64 {
        self.begin
    }

    /// Where the next record begins.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The number of the line that was come to, an argument being one.
    pub const fn lines(&self) -> u64 {
        self.lines
    }

    /// The arguments of the command that was read last.
    pub const fn arguments(&self) -> &Arguments {
        &self.arguments
    }

    /// Reads the next record.
    pub fn next_record(&mut self) -> Result<Record, RecordError> {
        self.begin = self.position;
        self.record().map_err(|kind| RecordError { offset: self.begin, kind })
    }

    fn record(&mut self) -> Step<Record> {
        if self.source.fill_buf().map_err(RecordErrorKind::Io)?.is_empty() {
            return Ok(Record::End);
        }
        self.read_line()?;
        if self.line.first() == Some(&b'#') {
            let text = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
            return Ok(Record::Note(text.strip_suffix(b"\r").unwrap_or(text).to_vec()));
        }
        let count = self.number(b'*', "a number of arguments")?;
        if !(1..=ARGUMENTS_MAX).contains(&count) {
            return Err(self.malformed_line("a number of arguments"));
        }
        self.arguments.clear();
        for _ in 0..count {
            self.read_line()?;
            let length = self.number(b'$', "the length of an argument")?;
            let room = COMMAND_BYTES_MAX - self.arguments.bytes.len() as u64;
            let length = u64::try_from(length).ok().filter(|&length| length <= room);
            self.argument(length.ok_or_else(|| self.malformed_line("the length of an argument"))?)?;
        }
        Ok(Record::Command)
    }

    /// Reads a line, its end included.
    fn read_line(&mut self) -> Step<()> {
        self.line.clear();
        let mut limited = self.source.by_ref().take(LINE_BYTES_MAX as u64);
        let got = limited.read_until(b'\n', &mut self.line).map_err(RecordErrorKind::Io)?;
        self.position += got as u64;
        self.lines += 1;
        let longest = if self.line.first() == Some(&b'#') { LINE_BYTES_MAX } else { NUMBER_LINE_BYTES_MAX };
        if self.line.last() == Some(&b'\n') && got < longest {
            return Ok(());
        }
        // Whatever it is, it is no line if it is so long.
        if got >= longest { Err(self.malformed_line("the end of a line")) } else { Err(RecordErrorKind::Truncated) }
    }

    fn malformed_line(&self, expected: &'static str) -> RecordErrorKind {
        RecordErrorKind::Malformed { expected, at: self.position - self.line.len() as u64 }
    }

    /// The number in the line, behind the byte that tells of what it is.
    fn number(&self, kind: u8, expected: &'static str) -> Step<i64> {
        let digits = self.line.strip_prefix(&[kind]).unwrap_or_default();
        let length = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
        let text = std::str::from_utf8(&digits[..length]).expect("digits are ASCII");
        text.parse().map_err(|_| self.malformed_line(expected))
    }

    /// Reads an argument of this length and the end of its line.
    fn argument(&mut self, length: u64) -> Step<()> {
        let mut missing = length;
        while missing > 0 {
            let piece = missing.min(PIECE_BYTES);
            let got = self.source.by_ref().take(piece).read_to_end(&mut self.arguments.bytes);
            let got = got.map_err(RecordErrorKind::Io)? as u64;
            self.position += got;
            if got < piece {
                return Err(RecordErrorKind::Truncated);
            }
            missing -= piece;
        }
        self.arguments.ends.push(self.arguments.bytes.len());
        let mut end = [0; 2];
        for byte in &mut end {
            match self.source.read(std::slice::from_mut(byte)).map_err(RecordErrorKind::Io)? {
                0 => return Err(RecordErrorKind::Truncated),
                read => self.position += read as u64,
            }
        }
        self.lines += 1;
        if &end == b"\r\n" {
            Ok(())
        } else {
            Err(RecordErrorKind::Malformed { expected: "the end of an argument", at: self.position - 2 })
        }
    }

    /// What was not read, to be read by somebody else.
    pub fn into_source(self) -> BufReader<R> {
        self.source
    }
}
