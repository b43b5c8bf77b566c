//! XTRIM, and the options that XADD has in common with it.

use net::{Args, Reply};
use storage::types::stream::{NewId, References, Stream, Trim, TrimTo};

use super::error::{
    LIMIT_OF_EXACT, LIMIT_WITHOUT_TRIM, MAXLEN_AND_MINID, NEGATIVE_LIMIT, NEGATIVE_MAXLEN, NO_STRATEGY,
};
use super::parse::{id_error, parse_id};
use crate::commands::parse::{is_word, parse_i64};
use crate::config::types::events::Events;
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run, Tools};
use crate::journal::Word;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// XTRIM key MAXLEN | MINID [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED]
pub const XTRIM: Command = Command {
    name: "xtrim",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Write]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Delete])],
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Removes the oldest entries of a stream.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N), with N being the number of entries removed; whole blocks of entries go at once.",
        history: &[
            ("6.2.0", "Added the `MINID` trimming strategy and the `LIMIT` option."),
            ("8.2.0", "Added the `KEEPREF`, `DELREF` and `ACKED` options."),
        ],
        arguments: &[Argument::key("key"), Argument::new("trim", ArgumentKind::Block(TRIM_ARGUMENTS)), REFERENCES],
        ..Docs::BLANK
    },
    run: Run::Shard(xtrim),
    ..Command::BLANK
};

/// What is to be trimmed, in the syntax of XADD and XTRIM.
pub(super) const TRIM_ARGUMENTS: &[Argument] = &[
    Argument::new(
        "strategy",
        ArgumentKind::OneOf(&[Argument::word("maxlen", "MAXLEN"), Argument::word("minid", "MINID").since("6.2.0")]),
    ),
    Argument::new(
        "operator",
        ArgumentKind::OneOf(&[Argument::word("equal", "="), Argument::word("approximately", "~")]),
    )
    .optional(),
    Argument::new("threshold", ArgumentKind::String),
    Argument::new("count", ArgumentKind::Integer).after("LIMIT").since("6.2.0").optional(),
];

/// What becomes of references to entries that go.
pub(super) const REFERENCES: Argument = Argument::new(
    "condition",
    ArgumentKind::OneOf(&[
        Argument::word("keepref", "KEEPREF"),
        Argument::word("delref", "DELREF"),
        Argument::word("acked", "ACKED"),
    ]),
)
.since("8.2.0")
.optional();

/// An approximate trimming without a limit of its own removes at most as many entries as go into this many full blocks.
const BLOCKS_PER_TRIM: u64 = 100;
/// The same where blocks have no limit of entries.
const LIMIT_DEFAULT: u64 = 10_000;
const LIMIT_MAX: u64 = 1_000_000;

/// What the word says of references, if it is one of those.
pub(super) fn references(word: &[u8]) -> Option<References> {
    match word {
        _ if is_word(word, "KEEPREF") => Some(References::Keep),
        _ if is_word(word, "DELREF") => Some(References::Remove),
        _ if is_word(word, "ACKED") => Some(References::Acknowledged),
        _ => None,
    }
}

/// The options of XADD and XTRIM.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options {
    to: Option<TrimTo>,
    approximate: bool,
    limit: Option<u64>,
    /// What was said of references, if anything.
    references: Option<References>,
    /// XADD NOMKSTREAM.
    pub(super) no_create: bool,
    /// XADD: the id, and where it stands among the arguments.
    pub(super) id: Option<(NewId, usize)>,
}

impl Options {
    /// Reads those of XADD, up to the id.
    pub(super) fn of_xadd(args: &Args<'_>) -> Result<Options, CommandError> {
        Options::default().parse(args, true)
    }

    fn of_xtrim(args: &Args<'_>) -> Result<Options, CommandError> {
        Options::default().parse(args, false)
    }

    fn parse(mut self, args: &Args<'_>, xadd: bool) -> Result<Options, CommandError> {
        let mut at = 2;
        while let Some(word) = args.get(at) {
            let value = args.get(at + 1);
            match value {
                _ if xadd && word == b"*" => {
                    self.id = Some((NewId::Auto, at));
                    break;
                }
                Some(_) if is_word(word, "MAXLEN") || is_word(word, "MINID") => {
                    at = self.parse_threshold(args, at)?;
                }
                Some(value) if is_word(word, "LIMIT") => {
                    self.limit = Some(u64::try_from(parse_i64(value)?).map_err(|_| NEGATIVE_LIMIT)?);
                    at += 1;
                }
                _ if xadd && is_word(word, "NOMKSTREAM") => self.no_create = true,
                // A second word on references is no option any more.
                _ => match references(word).filter(|_| self.references.is_none()) {
                    Some(references) => self.references = Some(references),
                    None if xadd => {
                        self.id = Some((NewId::parse(word).map_err(id_error)?, at));
                        break;
                    }
                    None => return Err(SYNTAX),
                },
            }
            at += 1;
        }
        match (self.limit, self.to) {
            (Some(1..), None) => Err(LIMIT_WITHOUT_TRIM),
            (_, None) if !xadd => Err(NO_STRATEGY),
            (Some(_), _) if !self.approximate => Err(LIMIT_OF_EXACT),
            _ => Ok(self),
        }
    }

    /// Reads `MAXLEN` or `MINID` and what belongs to it; returns the place of its last argument.
    fn parse_threshold(&mut self, args: &Args<'_>, mut at: usize) -> Result<usize, CommandError> {
        if self.to.is_some() {
            return Err(MAXLEN_AND_MINID);
        }
        let is_length = is_word(args.at(at), "MAXLEN");
        at += 1;
        self.approximate = false;
        if at + 1 < args.len() && matches!(args.at(at), b"~" | b"=") {
            self.approximate = args.at(at) == b"~";
            at += 1;
        }
        let threshold = args.at(at);
        self.to = Some(if is_length {
            TrimTo::MaxLen(u64::try_from(parse_i64(threshold)?).map_err(|_| NEGATIVE_MAXLEN)?)
        } else {
            TrimTo::MinId(parse_id(threshold)?)
        });
        Ok(at)
    }

    /// The trimming in a record: to what is left, where what is removed is left to the stream. None if no words tell it.
    pub(super) fn told(&self, trimmed: bool, len: u64) -> Option<Vec<Word<'static>>> {
        if !trimmed {
            return Some(Vec::new());
        }
        // Which entries went is not a matter of how many are left, then.
        if self.approximate && self.references == Some(References::Acknowledged) {
            return None;
        }
        let mut words = match self.to {
            Some(TrimTo::MinId(id)) if !self.approximate => vec!["MINID".into(), "=".into(), id.into()],
            Some(TrimTo::MaxLen(max)) if !self.approximate => vec!["MAXLEN".into(), "=".into(), number(max)],
            _ => vec!["MAXLEN".into(), "=".into(), number(len)],
        };
        words.extend(match self.references.unwrap_or_default() {
            References::Keep => None,
            References::Remove => Some(Word::from("DELREF")),
            References::Acknowledged => Some(Word::from("ACKED")),
        });
        Some(words)
    }

    /// How to trim, if at all.
    pub(super) fn trim(&self, ctx: &Ctx<'_>) -> Option<Trim> {
        let Options { to, approximate, limit, references, .. } = *self;
        let entries_max = ctx.shard.limits.stream.block_entries_max as u64;
        let usual = match entries_max {
            0 => LIMIT_DEFAULT,
            _ => entries_max.saturating_mul(BLOCKS_PER_TRIM).min(LIMIT_MAX),
        };
        let limit = if approximate { Some(limit.unwrap_or(usual)).filter(|&limit| limit > 0) } else { None };
        Some(Trim { to: to?, approximate, limit, references: references.unwrap_or_default() })
    }
}

/// A number of entries in a record.
fn number(entries: u64) -> Word<'static> {
    i64::try_from(entries).unwrap_or(i64::MAX).into()
}

fn xtrim(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let options = Options::of_xtrim(args)?;
    let trim = options.trim(ctx).expect("XTRIM without a strategy is refused");
    let trim = |stream: &mut Stream, _: &mut Tools<'_>| (stream.trim(trim), stream.len());
    let (removed, len) = ctx.edit_unsignalled(args.at(1), trim)?.unwrap_or_default();
    if removed > 0 {
        ctx.notify(Events::STREAM, "xtrim", args.at(1));
        ctx.changed(removed as usize);
        match options.told(true, len) {
            None => ctx.effect_content(args.at(1)),
            Some(trimming) => {
                let words: Vec<Word<'_>> = ["XTRIM".into(), args.at(1).into()].into_iter().chain(trimming).collect();
                ctx.effect(args.at(1), &words);
            }
        }
    }
    reply.integer(removed as i64);
    Ok(())
}
