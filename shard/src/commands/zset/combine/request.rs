//! What the arguments of a combining command ask for.

use net::Args;
use storage::number::parse_f64;

use super::no_keys;
use crate::commands::parse::{is_word, parse_i64};
use crate::exec::CommandError;
use crate::exec::error::SYNTAX;

/// A weight is no number.
const WEIGHT_NO_FLOAT: CommandError = CommandError::new("ERR weight value is not a float");
/// A limit is below 0, or no number.
const LIMIT_NEGATIVE: CommandError = CommandError::new("ERR LIMIT can't be negative");

/// How sources are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// What is in any.
    Union,
    /// What is in all.
    Intersection,
    /// What is in the first alone.
    Difference,
}

impl Operation {
    /// The command that replies it.
    pub(super) const fn command(self) -> &'static str {
        match self {
            Operation::Union => "zunion",
            Operation::Intersection => "zinter",
            Operation::Difference => "zdiff",
        }
    }
}

/// What becomes of the scores of a member in several sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregate {
    /// Their sum.
    Sum,
    /// The least.
    Min,
    /// The greatest.
    Max,
}

impl Aggregate {
    /// One of two scores, or their sum; that of opposite infinities is 0.
    pub(super) fn apply(self, score: f64, other: f64) -> f64 {
        match self {
            Aggregate::Sum => zero_if_nan(score + other),
            Aggregate::Min if other < score => other,
            Aggregate::Max if other > score => other,
            Aggregate::Min | Aggregate::Max => score,
        }
    }
}

/// Scores are never NaN: infinity times nothing, say, is 0.
pub(super) fn zero_if_nan(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// What stands behind the keys.
pub(super) struct Request {
    /// How the sources are combined.
    pub(super) operation: Operation,
    /// What the scores of each source are multiplied with; empty if that is 1 for all.
    pub(super) weights: Vec<f64>,
    /// What becomes of several scores.
    pub(super) aggregate: Aggregate,
    /// Scores are replied, too.
    pub(super) with_scores: bool,
}

impl Request {
    /// Reads it. Only what replies takes `WITHSCORES`.
    pub(super) fn parse(
        args: Args<'_>,
        operation: Operation,
        keys: usize,
        replies: bool,
    ) -> Result<Request, CommandError> {
        let mut request = Request { operation, weights: Vec::new(), aggregate: Aggregate::Sum, with_scores: false };
        let scores = operation != Operation::Difference;
        let mut place = 0;
        while let Some(word) = args.get(place) {
            let left = args.len() - place - 1;
            if scores && left >= keys && is_word(word, "WEIGHTS") {
                let weights = args.from(place + 1).take(keys).map(|weight| parse_f64(weight).ok_or(WEIGHT_NO_FLOAT));
                request.weights = weights.collect::<Result<_, _>>()?;
                place += keys;
            } else if scores && left >= 1 && is_word(word, "AGGREGATE") {
                request.aggregate = match args.at(place + 1) {
                    word if is_word(word, "SUM") => Aggregate::Sum,
                    word if is_word(word, "MIN") => Aggregate::Min,
                    word if is_word(word, "MAX") => Aggregate::Max,
                    _ => return Err(SYNTAX),
                };
                place += 1;
            } else if replies && is_word(word, "WITHSCORES") {
                request.with_scores = true;
            } else {
                return Err(SYNTAX);
            }
            place += 1;
        }
        Ok(request)
    }

    /// The weight of a source.
    pub(super) fn weight(&self, source: usize) -> f64 {
        self.weights.get(source).copied().unwrap_or(1.0)
    }
}

/// The keys of the sources, whose number is the argument `at`.
pub(super) fn keys<'a>(args: &Args<'a>, at: usize, command: &str) -> Result<Vec<&'a [u8]>, CommandError> {
    let count = parse_i64(args.at(at))?;
    let count = usize::try_from(count).ok().filter(|&count| count > 0).ok_or_else(|| no_keys(command))?;
    if count > args.len() - at - 1 {
        return Err(SYNTAX);
    }
    Ok(args.from(at + 1).take(count).collect())
}

/// The limit of ZINTERCARD; 0 is none.
pub(super) fn limit<'a>(mut options: impl Iterator<Item = &'a [u8]>) -> Result<usize, CommandError> {
    let mut limit = 0;
    while let Some(word) = options.next() {
        let value = options.next().filter(|_| is_word(word, "LIMIT")).ok_or(SYNTAX)?;
        limit = parse_i64(value).ok().and_then(|limit| usize::try_from(limit).ok()).ok_or(LIMIT_NEGATIVE)?;
    }
    Ok(if limit == 0 { usize::MAX } else { limit })
}
