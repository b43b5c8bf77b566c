//! Comparing the string stored at a key with what a client expects: the conditions IFEQ, IFNE, IFDEQ and IFDNE, and the
//! digest that the last two go by.
//!
//! The digest is the 64-bit XXH3 of the bytes, with seed 0, in 16 hexadecimal digits: clients compute it themselves.

use net::{Args, Reply};
use storage::StringRef;
use storage::number::INTEGER_TEXT_BYTES_MAX;
use xxhash_rust::xxh3::xxh3_64;

use crate::commands::parse::is_word;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// Hexadecimal digits of a digest.
const DIGEST_DIGITS: usize = 16;

const BAD_DIGEST: CommandError = CommandError::new("ERR Digest must be exactly 16 hexadecimal characters");

/// DIGEST key
pub const DIGEST: Command = Command {
    name: "digest",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro])],
    docs: Docs {
        summary: "Returns a digest of the string stored at a key, to compare it by.",
        since: "8.4.0",
        group: Group::String,
        complexity: "O(N) where N is the length of the string",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(digest),
    ..Command::BLANK
};

/// The arguments of SET and DELEX that are comparisons.
pub(super) const ARGUMENTS: [Argument; 4] = [
    Argument::new("ifeq-value", ArgumentKind::String).after("IFEQ").since("8.4.0"),
    Argument::new("ifne-value", ArgumentKind::String).after("IFNE").since("8.4.0"),
    Argument::new("ifdeq-digest", ArgumentKind::String).after("IFDEQ").since("8.4.0"),
    Argument::new("ifdne-digest", ArgumentKind::String).after("IFDNE").since("8.4.0"),
];

/// What the string at a key is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum With<'a> {
    Value(&'a [u8]),
    Digest(u64),
}

/// A condition on the string at a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comparison<'a> {
    with: With<'a>,
    /// Whether it is to be equal, or to differ.
    equal: bool,
}

impl<'a> Comparison<'a> {
    /// The condition that `word` names, with its argument; `None` if it names none.
    pub(super) fn parse(word: &[u8], argument: Option<&'a [u8]>) -> Result<Option<Comparison<'a>>, CommandError> {
        const WORDS: [(&str, bool, bool); 4] =
            [("IFEQ", false, true), ("IFNE", false, false), ("IFDEQ", true, true), ("IFDNE", true, false)];
        let Some((_, by_digest, equal)) = WORDS.iter().find(|(name, ..)| is_word(word, name)) else { return Ok(None) };
        let Some(argument) = argument else { return Ok(None) };
        let with = if *by_digest { With::Digest(parse_digest(argument)?) } else { With::Value(argument) };
        Ok(Some(Comparison { with, equal: *equal }))
    }

    /// Whether the condition holds of a string; one that is not there differs from all.
    pub(super) fn holds(self, string: Option<StringRef<'_>>) -> bool {
        let Some(string) = string else { return !self.equal };
        let mut scratch = [0; INTEGER_TEXT_BYTES_MAX];
        let bytes = string.as_bytes(&mut scratch);
        let same = match self.with {
            With::Value(value) => bytes == value,
            With::Digest(digest) => xxh3_64(bytes) == digest,
        };
        same == self.equal
    }
}

fn parse_digest(text: &[u8]) -> Result<u64, CommandError> {
    let digits = std::str::from_utf8(text)
        .ok()
        .filter(|digits| digits.len() == DIGEST_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).ok_or(BAD_DIGEST)
}

fn digest(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    match ctx.read_string(args.at(1))? {
        Some(string) => {
            let digest = xxh3_64(string.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX]));
            reply.bulk(format!("{digest:0DIGEST_DIGITS$x}").as_bytes());
        }
        None => reply.null(),
    }
    Ok(())
}
