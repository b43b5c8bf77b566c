//! Ranges of members: ZRANGE, the commands that it replaces, and ZRANGESTORE.
//!
//! ```text
//! ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]
//! ```
//!
//! All of them are a [`Query`], which a sorted set answers with a range of ranks and a direction. The older commands fix
//! the kind of the range and the direction, and take the other options only.

pub(super) mod replaced;
pub(super) mod store;

use std::ops::Range;

use net::{Args, Reply};
use storage::types::zset::{MemberRange, ScoreRange, ZSet, ZSetRef};

use super::READ_KEY;
use super::bound::{parse_members, parse_scores};
use super::score::write_records;
use crate::commands::parse::{is_word, parse_i64};
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group};

/// ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]
pub const ZRANGE: Command = Command {
    name: "zrange",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Readonly]),
    keys: READ_KEY,
    docs: Docs {
        summary: "Returns members of a sorted set within a range of ranks, of scores, or of members.",
        since: "1.2.0",
        group: Group::SortedSet,
        complexity: "O(log(N)+M) where N is the number of members in the sorted set and M the number of those returned",
        history: &[("6.2.0", "Options `REV`, `BYSCORE`, `BYLEX` and `LIMIT`.")],
        arguments: &[
            Argument::key("key"),
            Argument::new("start", ArgumentKind::String),
            Argument::new("stop", ArgumentKind::String),
            SORT_BY.since("6.2.0"),
            REV.since("6.2.0"),
            LIMIT.since("6.2.0"),
            WITHSCORES,
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(zrange),
    ..Command::BLANK
};

const SORT_BY: Argument = Argument::new(
    "sortby",
    ArgumentKind::OneOf(&[Argument::word("byscore", "BYSCORE"), Argument::word("bylex", "BYLEX")]),
)
.optional();
const REV: Argument = Argument::word("rev", "REV").optional();
const LIMIT: Argument = Argument::new(
    "offset_count",
    ArgumentKind::Block(&[
        Argument::new("offset", ArgumentKind::Integer),
        Argument::new("count", ArgumentKind::Integer),
    ]),
)
.after("LIMIT")
.optional();
const WITHSCORES: Argument = Argument::word("withscores", "WITHSCORES").optional();

/// LIMIT with a range of ranks.
const LIMIT_OF_RANKS: CommandError =
    CommandError::new("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
/// WITHSCORES with a range of members.
const SCORES_OF_MEMBERS: CommandError =
    CommandError::new("ERR syntax error, WITHSCORES not supported in combination with BYLEX");

/// What a range is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Member,
}

/// What a command lets its arguments choose.
#[derive(Clone, Copy, Debug)]
struct Syntax {
    /// Where the key of the source stands; the range follows.
    source: usize,
    /// The kind of the range, if it is fixed.
    by: Option<By>,
    /// The direction, if it is fixed.
    reverse: Option<bool>,
    /// Scores can be asked for.
    scores: bool,
}

enum Ends<'a> {
    Ranks(i64, i64),
    Scores(ScoreRange),
    Members(MemberRange<'a>),
}

/// A range, and what of it is wanted.
struct Query<'a> {
    ends: Ends<'a>,
    reverse: bool,
    offset: i64,
    /// No limit if negative.
    limit: i64,
    with_scores: bool,
}

impl<'a> Query<'a> {
    fn parse(args: &Args<'a>, syntax: Syntax) -> Result<Query<'a>, CommandError> {
        let Syntax { source, mut by, mut reverse, scores } = syntax;
        let (mut offset, mut limit, mut with_scores) = (0, -1, false);
        let mut place = source + 3;
        while let Some(word) = args.get(place) {
            if scores && is_word(word, "WITHSCORES") {
                with_scores = true;
            } else if is_word(word, "LIMIT") && place + 2 < args.len() {
                offset = parse_i64(args.at(place + 1))?;
                limit = parse_i64(args.at(place + 2))?;
                place += 2;
            } else if reverse.is_none() && is_word(word, "REV") {
                reverse = Some(true);
            } else if by.is_none() && is_word(word, "BYLEX") {
                by = Some(By::Member);
            } else if by.is_none() && is_word(word, "BYSCORE") {
                by = Some(By::Score);
            } else {
                return Err(SYNTAX);
            }
            place += 1;
        }
        let (by, reverse) = (by.unwrap_or(By::Rank), reverse.unwrap_or(false));
        if by == By::Rank && limit != -1 {
            return Err(LIMIT_OF_RANKS);
        }
        if by == By::Member && with_scores {
            return Err(SCORES_OF_MEMBERS);
        }
        let (first, second) = (args.at(source + 1), args.at(source + 2));
        // Backwards, the upper end comes first.
        let (min, max) = if reverse { (second, first) } else { (first, second) };
        let ends = match by {
            By::Rank => Ends::Ranks(parse_i64(first)?, parse_i64(second)?),
            By::Score => Ends::Scores(parse_scores(min, max)?),
            By::Member => Ends::Members(parse_members(min, max)?),
        };
        Ok(Query { ends, reverse, offset, limit, with_scores })
    }

    /// The ranks that are wanted, from below.
    fn ranks(&self, set: ZSetRef<'_>) -> Range<usize> {
        let range = match self.ends {
            Ends::Ranks(start, stop) => {
                let ranks = rank_range(start, stop, set.len());
                return if self.reverse { set.len() - ranks.end..set.len() - ranks.start } else { ranks };
            }
            Ends::Scores(scores) => set.score_ranks(scores),
            Ends::Members(members) => set.member_ranks(members),
        };
        let Ok(offset) = usize::try_from(self.offset) else { return 0..0 };
        let left = range.len().saturating_sub(offset);
        let count = usize::try_from(self.limit).map_or(left, |limit| limit.min(left));
        if self.reverse {
            let end = range.start + left;
            end - count..end
        } else {
            let start = range.end - left;
            start..start + count
        }
    }
}

/// The ranks from `start` to `stop`, both included; negative ones count from the end.
pub(super) fn rank_range(start: i64, stop: i64, len: usize) -> Range<usize> {
    let place = |rank: i64| if rank < 0 { rank.saturating_add(len as i64) } else { rank };
    let (start, stop) = (place(start).max(0), place(stop).min(len as i64 - 1));
    if start > stop { 0..0 } else { start as usize..stop as usize + 1 }
}

fn zrange(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    write_range(ctx, args, Syntax { source: 1, by: None, reverse: None, scores: true }, reply)
}

fn write_range(ctx: &mut Ctx<'_>, args: &Args<'_>, syntax: Syntax, reply: &mut Reply<'_>) -> Outcome {
    let query = Query::parse(args, syntax)?;
    let Some(set) = ctx.read_as::<ZSet>(args.at(syntax.source))? else {
        reply.array(0);
        return Ok(());
    };
    let records = set.range(query.ranks(set));
    if query.reverse {
        write_records(records.rev(), query.with_scores, reply);
    } else {
        write_records(records, query.with_scores, reply);
    }
    Ok(())
}
