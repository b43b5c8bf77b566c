//! Glob patterns, as KEYS, SCAN MATCH, PSUBSCRIBE, CONFIG GET and ACL rules understand them.
//!
//! ```text
//! *          any bytes, also none              [abc]     one of these bytes
//! ?          any one byte                      [^abc]    one byte that is none of these
//! \x         the byte x itself                 [a-z]     one byte of a range, ends in either order
//! ```
//!
//! The corners are Redis's: a class without its `]` ends with the pattern; `[]` matches nothing and `[^]` anything; inside a
//! class an escaped byte is compared exactly even where case is ignored; a range compares bytes as signed numbers; a
//! lone backslash at the end stands for itself; and the empty text is matched by the empty pattern alone, not by `*`.
//!
//! # Cost
//!
//! Every element but `*` consumes exactly one byte. So when a match fails behind a star, only the last star can help by
//! taking one byte more: an earlier star would only have offered the later elements a suffix of what they were offered
//! already. That bounds the work by the product of both lengths, whatever the pattern.

#[cfg(test)]
mod tests;

/// Whether letters match only themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// `a` matches only `a`.
    Sensitive,
    /// `a` matches `A`, too (ASCII letters only).
    Insensitive,
}

impl Case {
    const fn fold(self, byte: u8) -> u8 {
        match self {
            Self::Sensitive => byte,
            Self::Insensitive => byte.to_ascii_lowercase(),
        }
    }
}

/// A pattern with more groups of stars matches nothing, as in Redis, where each is a level of recursion.
const STAR_GROUPS_MAX: usize = 1000;

/// Whether the whole of `text` matches `pattern`.
pub fn glob_match(pattern: &[u8], text: &[u8], case: Case) -> bool {
    let (mut rest, mut at, mut groups) = (pattern, 0, 0);
    // What follows the last star, and where in the text it was tried last.
    let mut star: Option<(&[u8], usize)> = None;
    while at < text.len() {
        if rest.first() == Some(&b'*') {
            rest = skip_stars(rest);
            if rest.is_empty() {
                return true;
            }
            groups += 1;
            if groups > STAR_GROUPS_MAX {
                return false;
            }
            star = Some((rest, at));
            continue;
        }
        match match_element(rest, text[at], case) {
            Some(behind) => {
                rest = behind;
                at += 1;
            }
            None => match &mut star {
                Some((behind, tried)) => {
                    *tried += 1;
                    (rest, at) = (behind, *tried);
                    if at == text.len() {
                        return false;
                    }
                }
                None => return false,
            },
        }
    }
    if text.is_empty() { pattern.is_empty() } else { skip_stars(rest).is_empty() }
}

fn skip_stars(pattern: &[u8]) -> &[u8] {
    let stars = pattern.iter().take_while(|&&byte| byte == b'*').count();
    &pattern[stars..]
}

/// Matches one byte with the first element of a pattern, which is no star; returns the pattern behind it.
fn match_element(pattern: &[u8], byte: u8, case: Case) -> Option<&[u8]> {
    let (matched, behind) = match pattern {
        [] => return None,
        [b'?', behind @ ..] => (true, behind),
        [b'[', class @ ..] => match_class(class, byte, case),
        [b'\\', escaped, behind @ ..] => (case.fold(*escaped) == case.fold(byte), behind),
        [literal, behind @ ..] => (case.fold(*literal) == case.fold(byte), behind),
    };
    matched.then_some(behind)
}

/// Matches one byte with a class, given what follows its opening bracket; also returns the pattern behind the class.
fn match_class(mut class: &[u8], byte: u8, case: Case) -> (bool, &[u8]) {
    let negated = class.first() == Some(&b'^');
    if negated {
        class = &class[1..];
    }
    let mut matched = false;
    let behind = loop {
        class = match class {
            [] => break class,
            [b'\\', escaped, behind @ ..] => {
                matched |= *escaped == byte;
                behind
            }
            [b']', behind @ ..] => break behind,
            [start, b'-', end, behind @ ..] => {
                matched |= in_range(*start, *end, byte, case);
                behind
            }
            [literal, behind @ ..] => {
                matched |= case.fold(*literal) == case.fold(byte);
                behind
            }
        };
    };
    (matched != negated, behind)
}

fn in_range(start: u8, end: u8, byte: u8, case: Case) -> bool {
    let (low, high) = if (start as i8) <= (end as i8) { (start, end) } else { (end, start) };
    let signed = |byte| case.fold(byte) as i8;
    (signed(low)..=signed(high)).contains(&signed(byte))
}
