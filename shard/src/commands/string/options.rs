//! The options that SET, MSETEX and GETEX share: conditions, and what becomes of the key's expiry.
//!
//! Options that exclude each other are a syntax error; the same one twice is not, and the last number counts.

use storage::{Expiry, UnixMillis};

use super::compare::Comparison;
use crate::commands::parse::{Since, Time, Unit, is_word};
use crate::exec::CommandError;
use crate::exec::error::SYNTAX;

/// When a value is stored at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition<'a> {
    /// In any case.
    Always,
    /// If there is no such key (`NX`).
    Absent,
    /// If there is one (`XX`).
    Present,
    /// If its string is, or is not, what the client says (`IFEQ` and its kin).
    Compared(Comparison<'a>),
}

/// What becomes of the key's expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lifetime<'a> {
    /// What the command does by itself.
    Unsaid,
    /// It stays (`KEEPTTL`).
    Keep,
    /// It goes (`PERSIST`).
    Persist,
    /// It is this (`EX`, `PX`, `EXAT`, `PXAT`).
    Until(Time<'a>),
}

/// The options of SET, MSETEX or GETEX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Options<'a> {
    pub(super) condition: Condition<'a>,
    /// Reply with the value that was there (`GET`).
    pub(super) get: bool,
    pub(super) lifetime: Lifetime<'a>,
}

/// Whose options are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// Those of SET.
    Set,
    /// Those of MSETEX: as of SET, but nothing is returned or compared.
    MSetEx,
    /// Those of GETEX.
    GetEx,
}

/// The words that a time follows.
const TIMES: [(&str, Unit, Since); 4] = [
    ("EX", Unit::Seconds, Since::Now),
    ("PX", Unit::Milliseconds, Since::Now),
    ("EXAT", Unit::Seconds, Since::Epoch),
    ("PXAT", Unit::Milliseconds, Since::Epoch),
];

impl<'a> Options<'a> {
    /// Reads them from `words`.
    pub(super) fn parse(
        mut words: impl Iterator<Item = &'a [u8]> + Clone,
        syntax: Syntax,
    ) -> Result<Options<'a>, CommandError> {
        let mut options = Options { condition: Condition::Always, get: false, lifetime: Lifetime::Unsaid };
        while let Some(word) = words.next() {
            if options.take_word(word, syntax) {
                continue;
            }
            if syntax == Syntax::Set && options.condition == Condition::Always {
                let mut rest = words.clone();
                if let Some(comparison) = Comparison::parse(word, rest.next())? {
                    options.condition = Condition::Compared(comparison);
                    words = rest;
                    continue;
                }
            }
            let time = TIMES.iter().find(|(name, _, _)| is_word(word, name)).ok_or(SYNTAX)?;
            options.take_time(*time, words.next().ok_or(SYNTAX)?)?;
        }
        Ok(options)
    }

    /// Takes note of an option that is a word alone, if `word` is one and does not contradict those before.
    fn take_word(&mut self, word: &[u8], syntax: Syntax) -> bool {
        let set = syntax != Syntax::GetEx;
        if set && is_word(word, "NX") && matches!(self.condition, Condition::Always | Condition::Absent) {
            self.condition = Condition::Absent;
        } else if set && is_word(word, "XX") && matches!(self.condition, Condition::Always | Condition::Present) {
            self.condition = Condition::Present;
        } else if syntax == Syntax::Set && is_word(word, "GET") {
            self.get = true;
        } else if set && is_word(word, "KEEPTTL") && matches!(self.lifetime, Lifetime::Unsaid | Lifetime::Keep) {
            self.lifetime = Lifetime::Keep;
        } else if !set && is_word(word, "PERSIST") && matches!(self.lifetime, Lifetime::Unsaid | Lifetime::Persist) {
            self.lifetime = Lifetime::Persist;
        } else {
            return false;
        }
        true
    }

    fn take_time(&mut self, (_, unit, since): (&str, Unit, Since), number: &'a [u8]) -> Result<(), CommandError> {
        match self.lifetime {
            Lifetime::Unsaid => {}
            Lifetime::Until(earlier) if earlier.unit == unit && earlier.since == since => {}
            _ => return Err(SYNTAX),
        }
        self.lifetime = Lifetime::Until(Time { number, unit, since });
        Ok(())
    }
}

impl Lifetime<'_> {
    /// As the storage is told, for a value that is stored now by `command`.
    pub(super) fn expiry(self, now: UnixMillis, command: &str) -> Result<Expiry, CommandError> {
        Ok(match self {
            Lifetime::Unsaid | Lifetime::Persist => Expiry::Clear,
            Lifetime::Keep => Expiry::Keep,
            Lifetime::Until(time) => Expiry::At(time.deadline(now, command)?),
        })
    }
}
