//! Where a command's keys stand among its arguments: Redis 7's key specifications.
//!
//! A specification finds the first key ([`Begin`]) and from there the others ([`Find`]). Almost every command has one,
//! with the first key at a fixed place.

use net::Args;

/// What a command does with a key, as COMMAND GETKEYSANDFLAGS names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum KeyFlag {
    /// Reads and writes.
    Rw,
    /// Reads only.
    Ro,
    /// Overwrites whatever was there.
    Ow,
    /// Removes the key.
    Rm,
    /// The value, or a part of it, is returned, copied or used.
    Access,
    /// The value is changed by data in the value or the arguments.
    Update,
    /// Data is added, nothing changed or removed.
    Insert,
    /// Something is removed explicitly.
    Delete,
    /// Not really a key (a channel, say), but treated as one by Cluster.
    NotKey,
    /// The specification may miss keys.
    Incomplete,
    /// What it does with the key depends on the arguments.
    VariableFlags,
}

impl KeyFlag {
    /// The name that COMMAND shows.
    pub const fn name(self) -> &'static str {
        match self {
            KeyFlag::Rw => "RW",
            KeyFlag::Ro => "RO",
            KeyFlag::Ow => "OW",
            KeyFlag::Rm => "RM",
            KeyFlag::Access => "access",
            KeyFlag::Update => "update",
            KeyFlag::Insert => "insert",
            KeyFlag::Delete => "delete",
            KeyFlag::NotKey => "not_key",
            KeyFlag::Incomplete => "incomplete",
            KeyFlag::VariableFlags => "variable_flags",
        }
    }
}

/// How to find the first key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// It stands at this place.
    Index(u16),
    /// It follows this word, searched from `from` on (from the end backwards if negative).
    Keyword {
        /// The word, upper case.
        word: &'static str,
        /// Where to begin the search.
        from: i16,
    },
    /// The arguments alone do not tell, or only to the command's own [`FindKeys`].
    Unknown,
}

/// How to find the keys behind the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find {
    /// Each `step`-th argument up to `last` (relative to the first key; negative counts from the end of the command).
    Range {
        /// The last key, relative to the first; -1 is the command's last argument.
        last: i16,
        /// Distance from key to key.
        step: u16,
        /// If `last` is -1: stop at the 1/`limit`-th of the rest (0 and 1: no limit).
        limit: u16,
    },
    /// An argument tells how many.
    Keynum {
        /// Where the number stands, relative to the begin.
        at: u16,
        /// Where the first key stands, relative to the begin.
        first: u16,
        /// Distance from key to key.
        step: u16,
    },
    /// As [`Begin::Unknown`].
    Unknown,
}

/// Visits the place of each key among the arguments, with what the command does with it. False when the arguments make no
/// sense. For commands whose options decide about keys, or about what is done with them.
pub type FindKeys = fn(&Args<'_>, &mut dyn FnMut(usize, &'static [KeyFlag])) -> bool;

/// One key specification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpec {
    /// What the command does with these keys.
    pub flags: &'static [KeyFlag],
    /// Where they begin.
    pub begin: Begin,
    /// Where they go on.
    pub find: Find,
    /// What the flags alone do not tell, or empty.
    pub notes: &'static str,
}

impl KeySpec {
    /// One key, the argument `index`.
    pub const fn one(index: u16, flags: &'static [KeyFlag]) -> KeySpec {
        KeySpec { flags, begin: Begin::Index(index), find: Find::Range { last: 0, step: 1, limit: 0 }, notes: "" }
    }

    /// Every argument from `index` on, each `step`-th.
    pub const fn all_from(index: u16, step: u16, flags: &'static [KeyFlag]) -> KeySpec {
        KeySpec { flags, begin: Begin::Index(index), find: Find::Range { last: -1, step, limit: 0 }, notes: "" }
    }

    /// With a word on what the flags alone do not tell.
    #[must_use]
    pub const fn noting(self, notes: &'static str) -> KeySpec {
        KeySpec { notes, ..self }
    }

    /// Calls `visit` with the place of each key of `args`. False when the arguments contradict the specification (a
    /// number of keys that is none, or larger than the rest).
    pub fn visit(&self, args: &Args<'_>, mut visit: impl FnMut(usize)) -> bool {
        let Some(begin) = self.first(args) else { return true };
        match self.find {
            Find::Range { last, step, limit } => {
                let last = if last >= 0 {
                    begin + last as usize
                } else {
                    let end = if limit > 1 { begin + (args.len() - begin) / usize::from(limit) } else { args.len() };
                    end.saturating_sub(usize::from(last.unsigned_abs()))
                };
                if last < begin || last >= args.len() {
                    return false;
                }
                (begin..=last).step_by(usize::from(step)).for_each(visit);
                true
            }
            Find::Keynum { at, first, step } => {
                let count = args
                    .get(begin + usize::from(at))
                    .and_then(|n| std::str::from_utf8(n).ok())
                    .and_then(|n| n.parse::<usize>().ok());
                let Some(count) = count else { return false };
                let first = begin + usize::from(first);
                let step = usize::from(step);
                let fits = count.checked_sub(1).is_none_or(|gaps| {
                    gaps.checked_mul(step).and_then(|n| n.checked_add(first)).is_some_and(|last| last < args.len())
                });
                if fits {
                    (0..count).for_each(|i| visit(first + i * step));
                }
                fits
            }
            Find::Unknown => true,
        }
    }

    fn first(&self, args: &Args<'_>) -> Option<usize> {
        match self.begin {
            Begin::Index(index) => (usize::from(index) < args.len()).then_some(usize::from(index)),
            Begin::Keyword { word, from } => {
                let is_word = |&i: &usize| args.at(i).eq_ignore_ascii_case(word.as_bytes());
                let found = if from >= 0 {
                    (from as usize..args.len()).find(is_word)
                } else {
                    (1..args.len().saturating_sub(from.unsigned_abs() as usize - 1)).rev().find(is_word)
                };
                found.map(|i| i + 1).filter(|&i| i < args.len())
            }
            Begin::Unknown => None,
        }
    }
}
