//! XLEN, XRANGE and XREVRANGE: reading a stream as it is.

use net::{Args, Reply};
use storage::types::stream::Stream;

use super::parse::{parse_count, parse_end, parse_start};
use super::reply::put_entries;
use crate::commands::parse::is_word;
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// XLEN key
pub const XLEN: Command = Command {
    name: "xlen",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro])],
    docs: Docs {
        summary: "Tells how many entries a stream has.",
        since: "5.0.0",
        group: Group::Stream,
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(xlen),
    ..Command::BLANK
};

const COUNT: Argument = Argument::new("count", ArgumentKind::Integer).after("COUNT").optional();

/// XRANGE key start end [COUNT count]
pub const XRANGE: Command = Command {
    name: "xrange",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])],
    docs: Docs {
        summary: "Returns the entries of a stream whose ids are within a range.",
        since: "5.0.0",
        group: Group::Stream,
        complexity: "O(N) with N being the number of entries returned, O(1) if that is bounded by COUNT.",
        history: &[("6.2.0", "Added exclusive ranges.")],
        arguments: &[
            Argument::key("key"),
            Argument::new("start", ArgumentKind::String),
            Argument::new("end", ArgumentKind::String),
            COUNT,
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(xrange),
    ..Command::BLANK
};

/// XREVRANGE key end start [COUNT count]
pub const XREVRANGE: Command = Command {
    name: "xrevrange",
    docs: Docs {
        summary: "Returns the entries of a stream whose ids are within a range, the largest id first.",
        arguments: &[
            Argument::key("key"),
            Argument::new("end", ArgumentKind::String),
            Argument::new("start", ArgumentKind::String),
            COUNT,
        ],
        ..XRANGE.docs
    },
    run: Run::Shard(xrevrange),
    ..XRANGE
};

fn xlen(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let len = ctx.read_as::<Stream>(args.at(1))?.map_or(0, Stream::len);
    reply.integer(len as i64);
    Ok(())
}

fn xrange(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (start, end) = (parse_start(args.at(2))?, parse_end(args.at(3))?);
    let count = parse_options(args)?;
    match (ctx.read_as::<Stream>(args.at(1))?, count) {
        (None, _) => reply.array(0),
        (_, Some(0)) => reply.null_array(),
        (Some(stream), count) => put_entries(reply, stream.range(start, end).take(count.unwrap_or(usize::MAX))),
    }
    Ok(())
}

fn xrevrange(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (start, end) = (parse_start(args.at(3))?, parse_end(args.at(2))?);
    let count = parse_options(args)?;
    match (ctx.read_as::<Stream>(args.at(1))?, count) {
        (None, _) => reply.array(0),
        (_, Some(0)) => reply.null_array(),
        (Some(stream), count) => {
            put_entries(reply, stream.range_reverse(start, end).take(count.unwrap_or(usize::MAX)));
        }
    }
    Ok(())
}

/// COUNT, if it is there.
fn parse_options(args: &Args<'_>) -> Result<Option<usize>, CommandError> {
    let mut options = args.from(4);
    let mut count = None;
    while let Some(word) = options.next() {
        let value = options.next().filter(|_| is_word(word, "COUNT")).ok_or(SYNTAX)?;
        count = Some(parse_count(value)?);
    }
    Ok(count)
}
