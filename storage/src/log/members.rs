//! Sets of shards, as the lines of an epoch name them.

use std::fmt;

/// The most shards there can be, which bounds the length of a line.
pub const SHARDS_MAX: usize = 1024;

const WORD_BITS: usize = u64::BITS as usize;

/// The shards that have a part in an epoch. Its text is a hexadecimal number whose bit `s` stands for shard `s`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// The bits, lowest word first; the last word is not 0.
    words: Vec<u64>,
}

impl Members {
    /// The set of these shards.
    pub fn of(shards: impl IntoIterator<Item = usize>) -> Members {
        let mut members = Members::default();
        for shard in shards {
            members.insert(shard);
        }
        members
    }

    /// Adds a shard.
    pub fn insert(&mut self, shard: usize) {
        assert!(shard < SHARDS_MAX, "the configuration bounds the number of shards");
        let word = shard / WORD_BITS;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (shard % WORD_BITS);
    }

    /// Whether a shard is among them.
    pub fn contains(&self, shard: usize) -> bool {
        self.words.get(shard / WORD_BITS).is_some_and(|word| word >> (shard % WORD_BITS) & 1 == 1)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The shards, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.words.len() * WORD_BITS).filter(|&shard| self.contains(shard))
    }

    /// Reads the text.
    pub(super) fn parse(text: &[u8]) -> Option<Members> {
        if text.is_empty() || text.len() > SHARDS_MAX / 4 || text[0] == b'0' {
            return None;
        }
        let mut words = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (before, word) = rest.split_at(rest.len().saturating_sub(WORD_BITS / 4));
            words.push(super::group::hexadecimal(word)?);
            rest = before;
        }
        Some(Members { words })
    }
}

impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((last, others)) = self.words.split_last() else { return f.write_str("0") };
        write!(f, "{last:x}")?;
        others.iter().rev().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_numbers() {
        let far = format!("2{}20", "0".repeat(30));
        for (shards, text) in [(&[0][..], "1"), (&[0, 3], "9"), (&[64], "10000000000000000"), (&[5, 129], &far)] {
            let members = Members::of(shards.iter().copied());
            assert_eq!(members.to_string(), text);
            assert_eq!(Members::parse(text.as_bytes()), Some(members.clone()));
            assert_eq!(members.iter().collect::<Vec<_>>(), shards);
            assert!(!members.contains(1) && !members.contains(5000));
        }
    }

    #[test]
    fn other_texts_are_none() {
        let long = "f".repeat(SHARDS_MAX / 4);
        assert!(Members::parse(long.as_bytes()).is_some_and(|members| members.contains(SHARDS_MAX - 1)));
        for text in ["", "0", "01", "g", "+1", "-1", "F", &format!("1{long}")] {
            assert_eq!(Members::parse(text.as_bytes()), None, "{text}");
        }
    }
}
