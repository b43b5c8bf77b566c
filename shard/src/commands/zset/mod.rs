//! Sorted sets: a key holds members, each with a score, in the order of the scores.
//!
//! | file | commands |
//! |---|---|
//! | `add.rs` | ZADD, ZINCRBY |
//! | `remove.rs` | ZREM, ZREMRANGEBYRANK, ZREMRANGEBYSCORE, ZREMRANGEBYLEX |
//! | `read.rs` | ZCARD, ZSCORE, ZMSCORE, ZRANK, ZREVRANK |
//! | `count.rs` | ZCOUNT, ZLEXCOUNT |
//! | `range.rs`, `range/` | ZRANGE and the commands that it replaces, ZRANGESTORE |
//! | `pop.rs` | ZPOPMIN, ZPOPMAX, ZMPOP |
//! | `wait.rs` | BZPOPMIN, BZPOPMAX, BZMPOP |
//! | `random.rs` | ZRANDMEMBER |
//! | `scan.rs` | ZSCAN |
//! | `combine/` | ZUNION, ZINTER, ZDIFF, their kin that store, ZINTERCARD |
//! | `bound.rs`, `score.rs` | scores, and the ends of ranges, as clients write them |
//! | `result.rs` | storing what a command has made |
//!
//! # What all have in common
//!
//! - A missing key reads as an empty sorted set; a key of another type is an error and stays as it was. Only what
//!   combines several sources takes sets, too: each of their members has the score 1.
//! - A sorted set that a command leaves without members goes with its key.
//! - Members of equal scores are in the order of their bytes. Ranges by score and by member become ranges of ranks before
//!   anything is read or removed; a range by member makes sense where all scores are equal, and is not checked for that.
//! - Scores are doubles, infinity included, and never NaN. What a combination of infinities would make NaN is 0; ZADD
//!   refuses it. They are printed as C's `%.17g` prints them.
//! - In RESP3 members with scores are pairs; in RESP2 they take turns in one array.
//!
//! How the bytes lie, and what an operation costs, is the business of [`storage::types::zset`].

#![allow(clippy::unnecessary_wraps, reason = "handlers have one type, and many of them cannot fail")]

pub(super) mod add;
mod bound;
mod combine;
mod count;
mod pop;
mod random;
mod range;
mod read;
mod remove;
pub(super) mod result;
mod scan;
pub(super) mod score;
#[cfg(test)]
mod tests;
mod wait;

use crate::spec::{Command, KeyFlag, KeySpec};

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &wait::BZMPOP,
    &wait::BZPOPMAX,
    &wait::BZPOPMIN,
    &add::ZADD,
    &read::ZCARD,
    &count::ZCOUNT,
    &combine::ZDIFF,
    &combine::ZDIFFSTORE,
    &add::ZINCRBY,
    &combine::ZINTER,
    &combine::ZINTERCARD,
    &combine::ZINTERSTORE,
    &count::ZLEXCOUNT,
    &pop::ZMPOP,
    &read::ZMSCORE,
    &pop::ZPOPMAX,
    &pop::ZPOPMIN,
    &random::ZRANDMEMBER,
    &range::ZRANGE,
    &range::replaced::ZRANGEBYLEX,
    &range::replaced::ZRANGEBYSCORE,
    &range::store::ZRANGESTORE,
    &read::ZRANK,
    &remove::ZREM,
    &remove::ZREMRANGEBYLEX,
    &remove::ZREMRANGEBYRANK,
    &remove::ZREMRANGEBYSCORE,
    &range::replaced::ZREVRANGE,
    &range::replaced::ZREVRANGEBYLEX,
    &range::replaced::ZREVRANGEBYSCORE,
    &read::ZREVRANK,
    &scan::ZSCAN,
    &read::ZSCORE,
    &combine::ZUNION,
    &combine::ZUNIONSTORE,
];

/// One key, of which something is returned.
const READ_KEY: &[KeySpec] = &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])];

/// One key, of which something is removed.
const SHRINK_KEY: &[KeySpec] = &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Delete])];
