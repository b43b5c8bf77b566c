//! Glob patterns as `CONFIG GET` and `include` understand them.
//!
//! `*` matches any run of bytes, `?` one byte, `[a-c]` one of a set and `[^a-c]` one outside it; a backslash takes the
//! next byte literally. Case is ignored when asked. An unclosed `[` is closed by the end of the pattern, as in Redis.

/// Whether a letter's case matters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// `A` and `a` are different.
    Sensitive,
    /// `A` and `a` are the same.
    Ignored,
}

/// Whether `text` as a whole matches `pattern`.
///
/// Only the last `*` is ever returned to, so the work is at most the product of both lengths.
pub fn matches(pattern: &[u8], text: &[u8], case: Case) -> bool {
    let (mut at, mut here) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while here < text.len() || at < pattern.len() {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            star = Some((at, here));
            continue;
        }
        if at < pattern.len() && here < text.len() {
            let (fits, next) = matches_one(pattern, at, text[here], case);
            if fits {
                at = next;
                here += 1;
                continue;
            }
        }
        match star {
            Some((after, from)) if from < text.len() => {
                at = after;
                here = from + 1;
                star = Some((after, here));
            }
            _ => return false,
        }
    }
    true
}

/// Whether the element of `pattern` at `at` matches `byte`, and where the next element begins.
fn matches_one(pattern: &[u8], at: usize, byte: u8, case: Case) -> (bool, usize) {
    match pattern[at] {
        b'?' => (true, at + 1),
        b'[' => matches_set(pattern, at + 1, byte, case),
        b'\\' if at + 1 < pattern.len() => (same(pattern[at + 1], byte, case), at + 2),
        literal => (same(literal, byte, case), at + 1),
    }
}

/// Like [`matches_one`] for a set whose first byte after the bracket is at `at`.
fn matches_set(pattern: &[u8], mut at: usize, byte: u8, case: Case) -> (bool, usize) {
    let negated = pattern.get(at) == Some(&b'^');
    at += usize::from(negated);
    let mut found = false;
    while at < pattern.len() && pattern[at] != b']' {
        if pattern[at] == b'\\' && at + 1 < pattern.len() {
            at += 1;
            found |= same(pattern[at], byte, case);
            at += 1;
        } else if at + 2 < pattern.len() && pattern[at + 1] == b'-' {
            found |= within(pattern[at], pattern[at + 2], byte, case);
            at += 3;
        } else {
            found |= same(pattern[at], byte, case);
            at += 1;
        }
    }
    (found != negated, at + 1)
}

fn same(left: u8, right: u8, case: Case) -> bool {
    left == right || (case == Case::Ignored && left.eq_ignore_ascii_case(&right))
}

fn within(from: u8, to: u8, byte: u8, case: Case) -> bool {
    let fold = |b: u8| {
        if case == Case::Ignored { b.to_ascii_lowercase() } else { b }
    };
    let (from, to, byte) = (fold(from), fold(to), fold(byte));
    (from.min(to)..=from.max(to)).contains(&byte)
}
