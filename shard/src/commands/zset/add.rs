//! Adding members and changing scores.

use net::{Args, Reply};
use storage::types::zset::{ZSet, ZSetLimits};

use super::score::{parse_score, write_score};
use crate::commands::parse::is_word;
use crate::config::types::events::Events;
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]
pub const ZADD: Command = Command {
    name: "zadd",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Update])],
    docs: Docs {
        summary: "Adds members with scores to a sorted set, or changes the scores of members that are there.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) for each member, where N is the number of members in the sorted set",
        history: &[
            ("2.4.0", "Several members at once."),
            ("3.0.2", "Options `XX`, `NX`, `CH` and `INCR`."),
            ("6.2.0", "Options `GT` and `LT`."),
        ],
        arguments: &[
            Argument::key("key"),
            Argument::new("condition", ArgumentKind::OneOf(&[Argument::word("nx", "NX"), Argument::word("xx", "XX")]))
                .since("3.0.2")
                .optional(),
            Argument::new("comparison", ArgumentKind::OneOf(&[Argument::word("gt", "GT"), Argument::word("lt", "LT")]))
                .since("6.2.0")
                .optional(),
            Argument::word("change", "CH").since("3.0.2").optional(),
            Argument::word("increment", "INCR").since("3.0.2").optional(),
            Argument::new(
                "score_member",
                ArgumentKind::Block(&[
                    Argument::new("score", ArgumentKind::Double),
                    Argument::new("member", ArgumentKind::String),
                ]),
            )
            .multiple(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(zadd),
    ..Command::BLANK
};

/// ZINCRBY key increment member
pub const ZINCRBY: Command = Command {
    name: "zincrby",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Update])],
    docs: Docs {
        summary: "Adds to the score of a member of a sorted set; a missing one counts as 0.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)) where N is the number of members in the sorted set",
        arguments: &[
            Argument::key("key"),
            Argument::new("increment", ArgumentKind::Integer),
            Argument::new("member", ArgumentKind::String),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(zincrby),
    ..Command::BLANK
};

/// Both NX and XX.
const NX_AND_XX: CommandError = CommandError::new("ERR XX and NX options at the same time are not compatible");
/// Two of GT, LT and NX.
const GT_LT_NX: CommandError = CommandError::new("ERR GT, LT, and/or NX options at the same time are not compatible");
/// INCR with several members.
const INCR_OF_MANY: CommandError = CommandError::new("ERR INCR option supports a single increment-element pair");
/// Infinity minus infinity.
const NOT_A_NUMBER: CommandError = CommandError::new("ERR resulting score is not a number (NaN)");

/// Which members are added and changed, and what is replied.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::commands) struct Options {
    /// Only members that are not there.
    pub(in crate::commands) nx: bool,
    /// Only members that are there.
    pub(in crate::commands) xx: bool,
    /// Scores only become greater.
    gt: bool,
    /// Scores only become less.
    lt: bool,
    /// Changed members are counted, too.
    pub(in crate::commands) ch: bool,
    /// The score is added to the one that is there, and the sum is the reply.
    incr: bool,
}

impl Options {
    /// Takes a word, if it is an option of ZADD.
    fn take(&mut self, word: &[u8]) -> bool {
        let option = match word {
            _ if is_word(word, "NX") => &mut self.nx,
            _ if is_word(word, "XX") => &mut self.xx,
            _ if is_word(word, "GT") => &mut self.gt,
            _ if is_word(word, "LT") => &mut self.lt,
            _ if is_word(word, "CH") => &mut self.ch,
            _ if is_word(word, "INCR") => &mut self.incr,
            _ => return false,
        };
        *option = true;
        true
    }

    fn check(self, members: usize) -> Result<(), CommandError> {
        if self.nx && self.xx {
            return Err(NX_AND_XX);
        }
        if [self.gt, self.lt, self.nx].into_iter().filter(|option| *option).count() > 1 {
            return Err(GT_LT_NX);
        }
        if self.incr && members > 1 { Err(INCR_OF_MANY) } else { Ok(()) }
    }
}

fn zadd(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    parse_and_add(ctx, args, Options::default(), reply)
}

/// As in Redis it is ZADD with `INCR`, which may stand there as well.
fn zincrby(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    parse_and_add(ctx, args, Options { incr: true, ..Options::default() }, reply)
}

fn parse_and_add(ctx: &mut Ctx<'_>, args: &Args<'_>, mut options: Options, reply: &mut Reply<'_>) -> Outcome {
    let words = args.from(2).take_while(|word| options.take(word)).count();
    let pairs = args.skip(2 + words);
    if pairs.is_empty() || pairs.len() % 2 == 1 {
        return Err(SYNTAX);
    }
    options.check(pairs.len() / 2)?;
    let parse = |place: usize| Ok((parse_score(pairs.at(place))?, pairs.at(place + 1)));
    let members = (0..pairs.len()).step_by(2).map(parse).collect::<Result<Vec<_>, CommandError>>()?;
    add(ctx, args.at(1), options, &members, reply)
}

/// What became of all members of a command.
#[derive(Default)]
struct Tally {
    added: usize,
    updated: usize,
    /// The score of the last member; `None` if the options left it as it was.
    score: Option<f64>,
}

/// Adds members, counts and tells the change, and replies.
pub(in crate::commands) fn add(
    ctx: &mut Ctx<'_>,
    key: &[u8],
    options: Options,
    members: &[(f64, &[u8])],
    reply: &mut Reply<'_>,
) -> Outcome {
    let add_all = |set: &mut ZSet, limits: &ZSetLimits| {
        let mut tally = Tally::default();
        for (score, member) in members {
            add_one(set, member, *score, options, limits, &mut tally)?;
        }
        Ok(tally)
    };
    let tally = if options.xx {
        ctx.edit(key, |set, tools| add_all(set, &tools.limits.zset))?.unwrap_or_else(|| Ok(Tally::default()))
    } else {
        ctx.edit_or_create(key, |set, tools| add_all(set, &tools.limits.zset))?
    }?;
    let changes = tally.added + tally.updated;
    match (options.incr, tally.score) {
        (true, Some(score)) => write_score(score, reply),
        (true, None) => reply.null(),
        (false, _) => reply.integer(if options.ch { changes } else { tally.added } as i64),
    }
    if changes > 0 {
        ctx.changed(changes);
        ctx.notify(Events::ZSET, if options.incr { "zincr" } else { "zadd" }, key);
    }
    Ok(())
}

/// Adds one member or changes its score, as the options allow. An error leaves it as it was; only INCR, which has one
/// member, can fail.
#[expect(clippy::float_cmp, reason = "a score is changed if it is not the very same; both are no NaN")]
fn add_one(
    set: &mut ZSet,
    member: &[u8],
    score: f64,
    options: Options,
    limits: &ZSetLimits,
    tally: &mut Tally,
) -> Result<(), CommandError> {
    tally.score = None;
    match set.as_ref().score(member) {
        None if options.xx => return Ok(()),
        None => {
            set.insert(member, score, limits);
            tally.added += 1;
            tally.score = Some(score);
        }
        Some(_) if options.nx => return Ok(()),
        Some(old) => {
            let new = if options.incr { old + score } else { score };
            if new.is_nan() {
                return Err(NOT_A_NUMBER);
            }
            if (options.lt && new >= old) || (options.gt && new <= old) {
                return Ok(());
            }
            if new != old {
                set.update(member, new);
                tally.updated += 1;
            }
            tally.score = Some(new);
        }
    }
    Ok(())
}
