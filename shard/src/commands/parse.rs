//! Reading numbers, words and times out of a command's arguments, with the errors that Redis gives.
//!
//! | function | takes | error |
//! |---|---|---|
//! | [`parse_i64`] | a canonical 64-bit integer | `value is not an integer or out of range` |
//! | [`parse_in`] | one within bounds | `value is out of range, value must between A and B` |
//! | [`parse_db`] | the number of a database | that of `parse_i64` or `parse_in`, or `DB index is out of range` |
//! | [`parse_cursor`] | a cursor of SCAN and its kin | `invalid cursor` |
//! | [`parse_timeout`] | how long to wait, in seconds, as a deadline | three of its own, see there |
//! | [`Time::deadline`] | a time to live, or a point in time | `invalid expire time in 'name' command` |
//!
//! Words are compared without regard to case ([`is_word`]).

use std::ops::RangeInclusive;

use storage::UnixMillis;
use storage::number::{LongDouble, parse_f64};

use crate::exec::CommandError;
use crate::exec::error::{self, DB_OUT_OF_RANGE, INVALID_CURSOR, NOT_AN_INTEGER, SYNTAX};
use crate::ids::DbId;

#[cfg(test)]
mod tests;

/// Whether `arg` is the word `word`, in any case of letters.
#[inline]
pub fn is_word(arg: &[u8], word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}

/// A signed 64-bit integer in canonical form: no blanks, no plus sign, no leading zeros.
#[inline]
pub fn parse_i64(arg: &[u8]) -> Result<i64, CommandError> {
    storage::number::parse_i64(arg).ok_or(NOT_AN_INTEGER)
}

/// An integer within `bounds`.
pub fn parse_in(arg: &[u8], bounds: RangeInclusive<i64>) -> Result<i64, CommandError> {
    let number = parse_i64(arg)?;
    if bounds.contains(&number) {
        return Ok(number);
    }
    let (low, high) = bounds.into_inner();
    Err(CommandError::text(format!("ERR value is out of range, value must between {low} and {high}")))
}

/// The number of one of so many `databases`.
pub fn parse_db(arg: &[u8], databases: usize) -> Result<DbId, CommandError> {
    let number = parse_in(arg, i64::from(i32::MIN)..=i64::from(i32::MAX))?;
    db_id(number, databases)
}

/// The database of this number, if there is one.
pub fn db_id(number: i64, databases: usize) -> Result<DbId, CommandError> {
    match u32::try_from(number) {
        Ok(index) if (index as usize) < databases => Ok(DbId(index)),
        _ => Err(DB_OUT_OF_RANGE),
    }
}

/// A cursor as C's `strtoul` reads it: a sign is allowed (a minus wraps around), and no digits at all are zero.
pub fn parse_cursor(arg: &[u8]) -> Result<u64, CommandError> {
    let (negative, digits) = match arg.split_first() {
        None => return Ok(0),
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        Some(_) => (false, arg),
    };
    if digits.is_empty() {
        return Err(INVALID_CURSOR);
    }
    let read = digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 { None } else { number.checked_mul(10)?.checked_add(u64::from(digit)) }
    });
    let number = read.ok_or(INVALID_CURSOR)?;
    Ok(if negative { number.wrapping_neg() } else { number })
}

const TIMEOUT_NOT_A_FLOAT: CommandError = CommandError::new("ERR timeout is not a float or out of range");
const TIMEOUT_NEGATIVE: CommandError = CommandError::new("ERR timeout is negative");
const TIMEOUT_OUT_OF_RANGE: CommandError = CommandError::new("ERR timeout is out of range");

/// How long a blocking command waits, in seconds with a fraction, rounded up to milliseconds: when that is over. `None`
/// for 0, which is for ever.
pub fn parse_timeout(arg: &[u8], now: UnixMillis) -> Result<Option<UnixMillis>, CommandError> {
    if LongDouble::parse(arg).is_none() {
        return Err(TIMEOUT_NOT_A_FLOAT);
    }
    // What is a number, but none of 64 bits, is beyond all bounds.
    let beyond = if arg.starts_with(b"-") { f64::NEG_INFINITY } else { f64::INFINITY };
    let millis = (parse_f64(arg).unwrap_or(beyond) * 1000.0).ceil();
    if millis < 0.0 {
        return Err(TIMEOUT_NEGATIVE);
    }
    // The largest integer is no f64: this compares with the next one.
    if millis >= i64::MAX as f64 {
        return Err(TIMEOUT_OUT_OF_RANGE);
    }
    match millis as i64 {
        0 => Ok(None),
        millis => now.0.checked_add(millis).map(UnixMillis).map(Some).ok_or(TIMEOUT_OUT_OF_RANGE),
    }
}

/// The options of SCAN and its kin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanOptions<'a> {
    /// `MATCH`: a glob; `None` for every name.
    pub pattern: Option<&'a [u8]>,
    /// `COUNT`: how many elements to look at, about.
    pub count: usize,
    /// `TYPE`: the name of a type.
    pub value_type: Option<&'a [u8]>,
}

/// Elements that a call of SCAN looks at, if nothing else is said.
const SCAN_COUNT_DEFAULT: usize = 10;

impl<'a> ScanOptions<'a> {
    /// Reads them from `options`, what stands behind the cursor. `TYPE` is for SCAN alone.
    pub fn parse(
        mut options: impl Iterator<Item = &'a [u8]>,
        takes_type: bool,
    ) -> Result<ScanOptions<'a>, CommandError> {
        let mut parsed = ScanOptions { pattern: None, count: SCAN_COUNT_DEFAULT, value_type: None };
        while let Some(word) = options.next() {
            let value = options.next().ok_or(SYNTAX)?;
            if is_word(word, "COUNT") {
                let count = parse_i64(value)?;
                parsed.count = usize::try_from(count).ok().filter(|&count| count > 0).ok_or(SYNTAX)?;
            } else if is_word(word, "MATCH") {
                parsed.pattern = (value != b"*").then_some(value);
            } else if takes_type && is_word(word, "TYPE") {
                parsed.value_type = Some(value);
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(parsed)
    }
}

/// Seconds or milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

/// From when a time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// From now: a time to live.
    Now,
    /// From the beginning of 1970: a point in time.
    Epoch,
}

/// When a key is to expire, as a client says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time<'a> {
    /// The number, yet to be read.
    pub number: &'a [u8],
    /// Its unit.
    pub unit: Unit,
    /// What it counts from.
    pub since: Since,
}

impl Time<'_> {
    /// When that is. A number that is no positive one, and a time that does not fit, is an error that names `command`.
    pub fn deadline(self, now: UnixMillis, command: &str) -> Result<UnixMillis, CommandError> {
        let number = parse_i64(self.number)?;
        let at = if number > 0 { self.add(number, now) } else { None };
        at.ok_or_else(|| error::invalid_expire(command))
    }

    /// When that is; a negative number is a time in the past (EXPIRE).
    pub fn deadline_or_past(self, now: UnixMillis, command: &str) -> Result<UnixMillis, CommandError> {
        let number = parse_i64(self.number)?;
        self.add(number, now).ok_or_else(|| error::invalid_expire(command))
    }

    fn add(self, number: i64, now: UnixMillis) -> Option<UnixMillis> {
        let millis = match self.unit {
            Unit::Seconds => number.checked_mul(1000)?,
            Unit::Milliseconds => number,
        };
        match self.since {
            Since::Now => millis.checked_add(now.0).map(UnixMillis),
            Since::Epoch => Some(UnixMillis(millis)),
        }
    }
}
