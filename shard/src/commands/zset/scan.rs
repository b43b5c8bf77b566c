//! ZSCAN: all members and scores, a few at a time.

use net::{Args, Reply};
use storage::number::{INTEGER_TEXT_BYTES_MAX, format_f64, write_i64};
use storage::types::zset::{Item, ZSet, ZSetEncoding};

use super::READ_KEY;
use crate::commands::parse::{ScanOptions, parse_cursor};
use crate::commands::walk::{reply_nothing, reply_walk};
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group};

/// ZSCAN key cursor [MATCH pattern] [COUNT count]
pub const ZSCAN: Command = Command {
    name: "zscan",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Readonly]),
    keys: READ_KEY,
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Returns some members of a sorted set with their scores, and a cursor to get more with.",
        since: "2.8.0",
        group: Group::SortedSet,
        complexity: "O(1) for a call, O(N) for all calls from cursor 0 to cursor 0, where N is the number of members",
        arguments: &[
            Argument::key("key"),
            Argument::new("cursor", ArgumentKind::Integer),
            Argument::new("pattern", ArgumentKind::Pattern).after("MATCH").optional(),
            Argument::new("count", ArgumentKind::Integer).after("COUNT").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(zscan),
    ..Command::BLANK
};

/// The largest whole score that a packed set keeps as an integer.
const PACKED_INTEGER_MAX: f64 = (1_u64 << 62) as f64;

fn zscan(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let cursor = parse_cursor(args.at(2))?;
    // As in Redis, the options of a scan of nothing are not looked at.
    let Some(set) = ctx.read_as::<ZSet>(args.at(1))? else {
        reply_nothing(reply);
        return Ok(());
    };
    let options = ScanOptions::parse(args.from(3), false)?;
    reply_walk(reply, cursor, &options, |cursor, found| {
        set.scan(cursor, options.count, |record| {
            if found.admits(record.member) {
                found.put(record.member);
                found.put(Item::Bytes(&score_text(record.score, set.encoding())));
            }
        })
    });
    Ok(())
}

/// A packed set keeps whole scores as integers, and a scan shows them as they are kept.
fn score_text(score: f64, encoding: ZSetEncoding) -> Vec<u8> {
    let is_integer = score.abs() <= PACKED_INTEGER_MAX && score.fract() == 0.0;
    if encoding == ZSetEncoding::Listpack && is_integer {
        write_i64(score as i64, &mut [0; INTEGER_TEXT_BYTES_MAX]).to_vec()
    } else {
        format_f64(score)
    }
}
