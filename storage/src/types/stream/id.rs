//! Entry ids: two numbers, and the texts that commands accept for them.

use std::fmt;

/// The id of an entry: the milliseconds of its creation, and a number that tells apart the entries of one millisecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// Milliseconds since 1970, if the server gave the id; clients may give any number.
    pub ms: u64,
    /// The sequence number within the millisecond.
    pub seq: u64,
}

/// A longer text is never an id: two numbers of 20 digits, and room for leading zeros.
const TEXT_BYTES_MAX: usize = 127;

/// Why a text is not taken for an id. Commands find the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// It is no id.
    Invalid,
    /// An exclusive start behind which no id is left.
    NothingBehindStart,
    /// An exclusive end before which there is no id.
    NothingBeforeEnd,
}

impl StreamId {
    /// The smallest id. No entry has it; as "last id" it means that there never was an entry.
    pub const MIN: Self = Self { ms: 0, seq: 0 };
    /// The largest id.
    pub const MAX: Self = Self { ms: u64::MAX, seq: u64::MAX };

    /// An id of these two numbers.
    pub const fn new(ms: u64, seq: u64) -> Self {
        Self { ms, seq }
    }

    /// The id behind this one.
    pub const fn next(self) -> Option<Self> {
        match (self.ms, self.seq) {
            (u64::MAX, u64::MAX) => None,
            (ms, u64::MAX) => Some(Self::new(ms + 1, 0)),
            (ms, seq) => Some(Self::new(ms, seq + 1)),
        }
    }

    /// The id before this one.
    pub const fn previous(self) -> Option<Self> {
        match (self.ms, self.seq) {
            (0, 0) => None,
            (ms, 0) => Some(Self::new(ms - 1, u64::MAX)),
            (ms, seq) => Some(Self::new(ms, seq - 1)),
        }
    }

    /// Reads `ms-seq`, or `ms` alone with `seq_missing` in the place of the other number.
    pub fn parse(text: &[u8], seq_missing: u64) -> Result<Self, IdError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(IdError::Invalid);
        }
        let (ms, seq) = split(text);
        let seq = seq.map_or(Some(seq_missing), parse_part);
        let (Some(ms), Some(seq)) = (parse_part(ms), seq) else {
            return Err(IdError::Invalid);
        };
        Ok(Self { ms, seq })
    }

    /// Reads an id where `-` and `+` stand for the smallest and the largest (XAUTOCLAIM's start, XPENDING, XREVRANGE).
    pub fn parse_with_edges(text: &[u8], seq_missing: u64) -> Result<Self, IdError> {
        match text {
            b"-" => Ok(Self::MIN),
            b"+" => Ok(Self::MAX),
            _ => Self::parse(text, seq_missing),
        }
    }

    /// Reads the start of a range: `-`, `+`, an id, or `(` and an id that is itself not meant.
    pub fn parse_start(text: &[u8]) -> Result<Self, IdError> {
        match text.split_first() {
            Some((b'(', id)) => Self::parse(id, 0)?.next().ok_or(IdError::NothingBehindStart),
            _ => Self::parse_with_edges(text, 0),
        }
    }

    /// Reads the end of a range, where `ms` alone means the whole millisecond.
    pub fn parse_end(text: &[u8]) -> Result<Self, IdError> {
        match text.split_first() {
            Some((b'(', id)) => Self::parse(id, u64::MAX)?.previous().ok_or(IdError::NothingBeforeEnd),
            _ => Self::parse_with_edges(text, u64::MAX),
        }
    }

    /// The 16 bytes that RDB keys blocks and pending entries with: big-endian, so that they sort as the ids do.
    pub fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.ms) << 64 | u128::from(self.seq)).to_be_bytes()
    }

    /// The id of such 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let number = u128::from_be_bytes(bytes);
        Self { ms: (number >> 64) as u64, seq: number as u64 }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

/// The id that a new entry is to have, as XADD is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewId {
    /// `*`: the time of day, and behind all there is.
    Auto,
    /// `ms-*`: the next free sequence number of that millisecond.
    AutoSeq(u64),
    /// This very id.
    Exact(StreamId),
}

impl NewId {
    /// Reads `*`, `ms-*`, `ms-seq` or `ms`.
    pub fn parse(text: &[u8]) -> Result<Self, IdError> {
        if text == b"*" {
            return Ok(Self::Auto);
        }
        match text.strip_suffix(b"-*") {
            Some(ms) if text.len() <= TEXT_BYTES_MAX => parse_part(ms).map(Self::AutoSeq).ok_or(IdError::Invalid),
            _ => StreamId::parse(text, 0).map(Self::Exact),
        }
    }
}

/// The texts before and behind the first hyphen.
fn split(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == b'-') {
        Some(hyphen) => (&text[..hyphen], Some(&text[hyphen + 1..])),
        None => (text, None),
    }
}

/// Reads one number. Blanks before it, a plus sign and leading zeros are accepted, as Redis does.
fn parse_part(text: &[u8]) -> Option<u64> {
    let text = text.trim_ascii_start();
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 { None } else { number.checked_mul(10)?.checked_add(u64::from(digit)) }
    })
}
