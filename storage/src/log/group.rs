//! Groups: what one shard writes for one epoch, in one piece.
//!
//! ```text
//! #E 17 5 1042 90a1b2c3d4e5f607\r\n      epoch 17 · of the shards 0 and 2 · 1042 bytes follow · CRC64
//! *3\r\n$3\r\nSET\r\n…                    the records
//!
//! The checksum is that of `#E 17 5 1042 ` and of the records.
//! ```
//!
//! To Redis the first line is an annotation, which it skips. It stands ahead of what it tells of, which has two uses:
//! whoever looks for the last epoch can go from line to line; and commands that a Redis appended, which loaded the file
//! in between, are told apart from a group that was torn when the power went.

use std::io::{self, ErrorKind, Read};

use super::members::{Members, SHARDS_MAX};
use crate::snapshot::crc64::crc64;

/// Redis skips annotations that are shorter than this, in bytes.
pub const LINE_BYTES_MAX: usize = 1024;

/// What a line begins with.
pub(super) const MARK: &[u8] = b"#E ";

/// Digits of a number of 64 bits, and of a checksum.
const DIGITS_MAX: usize = 20;
const CRC_DIGITS: usize = 16;

const _: () = assert!(
    MARK.len() + 2 * (DIGITS_MAX + 1) + SHARDS_MAX / 4 + 1 + CRC_DIGITS + 2 < LINE_BYTES_MAX,
    "the longest line is one that Redis skips"
);

/// What the line of a group says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupHead {
    /// The epoch.
    pub epoch: u64,
    /// The shards that have a group of this epoch.
    pub members: Members,
    /// Bytes of records that follow.
    pub length: u64,
    crc: u64,
}

/// The line for these records.
pub fn group_head(epoch: u64, members: &Members, records: &[u8]) -> Vec<u8> {
    let begin = format!("#E {epoch} {members} {} ", records.len());
    let crc = crc64(crc64(0, begin.as_bytes()), records);
    format!("{begin}{crc:016x}\r\n").into_bytes()
}

/// Appends a group: the line and the records.
pub fn put_group(out: &mut Vec<u8>, epoch: u64, members: &Members, records: &[u8]) {
    out.extend_from_slice(&group_head(epoch, members, records));
    out.extend_from_slice(records);
}

impl GroupHead {
    /// Reads a line, its end included.
    pub(super) fn parse(line: &[u8]) -> Option<GroupHead> {
        let text = line.strip_prefix(MARK)?.strip_suffix(b"\r\n")?;
        let mut fields = text.split(|&byte| byte == b' ');
        let (epoch, members, length, crc) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        if fields.next().is_some() || crc.len() != CRC_DIGITS {
            return None;
        }
        Some(GroupHead {
            epoch: decimal(epoch)?,
            members: Members::parse(members)?,
            length: decimal(length)?,
            crc: hexadecimal(crc)?,
        })
    }

    /// The checksum of what stands ahead of it in its line.
    fn begin_crc(&self) -> u64 {
        crc64(0, format!("#E {} {} {} ", self.epoch, self.members, self.length).as_bytes())
    }
}

/// What stands behind the last whole group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Nothing.
    None,
    /// The beginning of a group, or what is left of one.
    Torn,
    /// Commands, or an annotation of Redis's.
    Commands,
}

/// Goes from group to group of a file, and sees whether they are whole.
pub(super) struct GroupScan {
    source: Box<dyn Read>,
    /// Bytes that were read and not used, from `at` on.
    window: Vec<u8>,
    at: usize,
    /// Where the next group begins.
    pub(super) offset: u64,
}

/// Bytes that are read at once.
const WINDOW_BYTES: usize = 64 << 10;

impl GroupScan {
    pub(super) fn new(source: Box<dyn Read>) -> GroupScan {
        GroupScan { source, window: Vec::new(), at: 0, offset: 0 }
    }

    /// The next group, and where it ends; or what there is in its place.
    pub(super) fn next(&mut self) -> io::Result<Result<(GroupHead, u64), Tail>> {
        let line = self.line()?;
        let Some(head) = line.and_then(GroupHead::parse) else {
            let rest = &self.window[self.at..];
            // A Redis that appends has loaded the file, so what it found was whole.
            let is_of_redis = rest.starts_with(b"*") || rest.starts_with(b"#TS");
            return Ok(Err(match rest {
                [] => Tail::None,
                _ if is_of_redis => Tail::Commands,
                _ => Tail::Torn,
            }));
        };
        let line_bytes = self.line_bytes();
        self.at += line_bytes;
        let Some(crc) = self.skip(head.length, head.begin_crc())? else { return Ok(Err(Tail::Torn)) };
        if crc != head.crc {
            return Ok(Err(Tail::Torn));
        }
        self.offset += line_bytes as u64 + head.length;
        Ok(Ok((head, self.offset)))
    }

    /// The line that begins here, its end included; none if there is no end near by.
    fn line(&mut self) -> io::Result<Option<&[u8]>> {
        if self.window.len() - self.at < LINE_BYTES_MAX {
            self.fill()?;
        }
        let length = self.line_bytes();
        Ok((length > 0).then(|| &self.window[self.at..self.at + length]))
    }

    fn line_bytes(&self) -> usize {
        let near = self.window[self.at..].iter().take(LINE_BYTES_MAX);
        near.clone().position(|&byte| byte == b'\n').map_or(0, |end| end + 1)
    }

    fn fill(&mut self) -> io::Result<()> {
        self.window.drain(..self.at);
        self.at = 0;
        let room = (WINDOW_BYTES - self.window.len()) as u64;
        self.source.by_ref().take(room).read_to_end(&mut self.window)?;
        Ok(())
    }

    /// Passes over so many bytes; their checksum behind `crc`, or none if there are not so many.
    fn skip(&mut self, mut length: u64, mut crc: u64) -> io::Result<Option<u64>> {
        while length > 0 {
            if self.at == self.window.len() {
                self.fill()?;
            }
            let here = &self.window[self.at..];
            let piece = &here[..here.len().min(usize::try_from(length).unwrap_or(usize::MAX))];
            if piece.is_empty() {
                return Ok(None);
            }
            crc = crc64(crc, piece);
            length -= piece.len() as u64;
            self.at += piece.len();
        }
        Ok(Some(crc))
    }
}

/// Looks for the line of a group anywhere in `source`. If there is one behind what cannot be read, then that is no torn
/// end. Where it begins, in bytes.
pub(super) fn find_line(source: Box<dyn Read>) -> io::Result<Option<u64>> {
    let mut scan = GroupScan::new(source);
    loop {
        if scan.line()?.is_some_and(|line| GroupHead::parse(line).is_some()) {
            return Ok(Some(scan.offset));
        }
        let rest = &scan.window[scan.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        // To the next byte that may be the first of a line.
        let behind = rest.iter().skip(1).position(|byte| byte == &MARK[0]).map_or(rest.len(), |found| found + 1);
        scan.at += behind;
        scan.offset += behind as u64;
    }
}

/// A number without signs, blanks or needless zeros.
fn decimal(digits: &[u8]) -> Option<u64> {
    let is_plain = digits.iter().all(u8::is_ascii_digit) && (digits.len() == 1 || !digits.starts_with(b"0"));
    std::str::from_utf8(digits).ok().filter(|_| is_plain)?.parse().ok()
}

/// A number of at most 16 lower-case digits.
pub(super) fn hexadecimal(digits: &[u8]) -> Option<u64> {
    let is_plain = digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let text = std::str::from_utf8(digits).ok().filter(|_| is_plain)?;
    u64::from_str_radix(text, 16).ok()
}

/// Gives a reader the bytes behind `offset`.
pub(super) fn behind(mut source: Box<dyn Read>, offset: u64) -> io::Result<Box<dyn Read>> {
    let passed = io::copy(&mut source.by_ref().take(offset), &mut io::sink())?;
    if passed < offset { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(source) }
}
