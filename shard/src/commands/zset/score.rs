//! Scores as clients write them and read them.

use std::borrow::Cow;

use net::Reply;
use storage::number::{INTEGER_TEXT_BYTES_MAX, as_integer, format_f64, parse_f64, write_i64};
use storage::types::zset::{Item, Record};

use crate::exec::CommandError;
use crate::exec::error::NOT_A_FLOAT;

/// A score, or another number with a fraction.
pub(in crate::commands) fn parse_score(arg: &[u8]) -> Result<f64, CommandError> {
    parse_f64(arg).ok_or(NOT_A_FLOAT)
}

/// The text of a member; only that of an integer is made anew.
pub(in crate::commands) fn member_text(member: Item<'_>) -> Cow<'_, [u8]> {
    match member {
        Item::Bytes(bytes) => Cow::Borrowed(bytes),
        Item::Int(_) => Cow::Owned(member.to_vec()),
    }
}

/// Replies a score.
pub(super) fn write_score(score: f64, reply: &mut Reply<'_>) {
    match as_integer(score) {
        Some(integer) => reply.double_text(write_i64(integer, &mut [0; INTEGER_TEXT_BYTES_MAX])),
        None => reply.double_text(&format_f64(score)),
    }
}

/// Replies the member of a record.
pub(super) fn write_member(record: Record<'_>, reply: &mut Reply<'_>) {
    reply.bulk(record.member.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX]));
}

/// Replies records: their members, or members with scores, which are pairs in RESP3 and take turns in RESP2.
pub(super) fn write_records<'a>(
    records: impl ExactSizeIterator<Item = Record<'a>>,
    with_scores: bool,
    reply: &mut Reply<'_>,
) {
    if with_scores {
        let pairs = reply.is_resp3();
        write_scored(records, pairs, reply);
    } else {
        reply.array(records.len());
        records.for_each(|record| write_member(record, reply));
    }
}

/// Replies members with scores, as pairs or by turns.
pub(super) fn write_scored<'a>(records: impl ExactSizeIterator<Item = Record<'a>>, pairs: bool, reply: &mut Reply<'_>) {
    reply.array(if pairs { records.len() } else { records.len() * 2 });
    for record in records {
        if pairs {
            reply.array(2);
        }
        write_member(record, reply);
        write_score(record.score, reply);
    }
}
