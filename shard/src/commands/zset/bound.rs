//! The ends of ranges as clients write them.
//!
//! ```text
//! by score    5    (5    -inf    +inf         a number as C's strtod reads it; ( leaves out what is just there
//! by member   [m   (m    -       +            with, without; before all members, behind all of them
//! ```
//!
//! Scores of ranges are read more leniently than scores that are stored: blanks may stand before them, nothing at all is 0,
//! a number that is too large is infinite, and they end where a C string does.

use storage::number::parse_f64;
use storage::types::zset::{MemberBound, MemberRange, ScoreBound, ScoreRange};

use crate::exec::CommandError;

/// An end of a range of scores is no number.
const NO_SCORE_RANGE: CommandError = CommandError::new("ERR min or max is not a float");
/// An end of a range of members is none.
const NO_MEMBER_RANGE: CommandError = CommandError::new("ERR min or max not valid string range item");

/// The range of scores from `min` to `max`.
pub(super) fn parse_scores(min: &[u8], max: &[u8]) -> Result<ScoreRange, CommandError> {
    match (parse_score_bound(min), parse_score_bound(max)) {
        (Some(min), Some(max)) => Ok(ScoreRange { min, max }),
        _ => Err(NO_SCORE_RANGE),
    }
}

/// The range of members from `min` to `max`.
pub(super) fn parse_members<'a>(min: &'a [u8], max: &'a [u8]) -> Result<MemberRange<'a>, CommandError> {
    match (parse_member_bound(min), parse_member_bound(max)) {
        (Some(min), Some(max)) => Ok(MemberRange { min, max }),
        _ => Err(NO_MEMBER_RANGE),
    }
}

fn parse_score_bound(text: &[u8]) -> Option<ScoreBound> {
    match text {
        [b'(', score @ ..] => Some(ScoreBound { score: parse_lenient(score)?, exclusive: true }),
        score => Some(ScoreBound { score: parse_lenient(score)?, exclusive: false }),
    }
}

/// Reads a number as a C program does that takes what `strtod` leaves it.
fn parse_lenient(text: &[u8]) -> Option<f64> {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    let blanks = text.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b'\x0b').count();
    let number = &text[blanks..];
    parse_f64(number).or_else(|| parse_out_of_range(number))
}

/// A decimal number too large or too close to nought for a double, which [`parse_f64`] refuses.
fn parse_out_of_range(number: &[u8]) -> Option<f64> {
    let is_part = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E');
    if !number.iter().all(is_part) {
        return None;
    }
    std::str::from_utf8(number).ok()?.parse().ok()
}

fn parse_member_bound(text: &[u8]) -> Option<MemberBound<'_>> {
    match text {
        b"-" => Some(MemberBound::Lowest),
        b"+" => Some(MemberBound::Highest),
        [b'[', member @ ..] => Some(MemberBound::Inclusive(member)),
        [b'(', member @ ..] => Some(MemberBound::Exclusive(member)),
        _ => None,
    }
}
