//! Reading lists.

use net::{Args, Reply};
use storage::types::list::{End, Item, List, ListRef, Search};

use crate::commands::parse::{is_word, parse_i64, parse_in};
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const RANK_ZERO: CommandError = CommandError::new(
    "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from \
     the end of the list",
);
const COUNT_NEGATIVE: CommandError = CommandError::new("ERR COUNT can't be negative");
const MAXLEN_NEGATIVE: CommandError = CommandError::new("ERR MAXLEN can't be negative");

/// LLEN key
pub const LLEN: Command = Command {
    name: "llen",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro])],
    docs: Docs {
        summary: "Tells how many elements a list has.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(1)",
        arguments: &[Argument::key("key")],
        ..Docs::BLANK
    },
    run: Run::Shard(llen),
    ..Command::BLANK
};

/// LINDEX key index
pub const LINDEX: Command = Command {
    name: "lindex",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])],
    docs: Docs {
        summary: "Returns the element at an index of a list.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(N) where N is the number of nodes between the element and the nearer end; O(1) at the ends",
        arguments: &[Argument::key("key"), Argument::new("index", ArgumentKind::Integer)],
        ..Docs::BLANK
    },
    run: Run::Shard(lindex),
    ..Command::BLANK
};

/// LRANGE key start stop
pub const LRANGE: Command = Command {
    name: "lrange",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])],
    docs: Docs {
        summary: "Returns the elements of a range of a list.",
        since: "1.0.0",
        group: Group::List,
        complexity: "O(S+N) where S is the number of nodes before the range and N is the number of elements in it",
        arguments: &[
            Argument::key("key"),
            Argument::new("start", ArgumentKind::Integer),
            Argument::new("stop", ArgumentKind::Integer),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(lrange),
    ..Command::BLANK
};

/// LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]
pub const LPOS: Command = Command {
    name: "lpos",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])],
    docs: Docs {
        summary: "Returns the indices of the elements of a list that are equal to a value.",
        since: "6.0.6",
        group: Group::List,
        complexity: "O(N) where N is the number of elements compared: up to MAXLEN, or up to the last match wanted",
        arguments: &[
            Argument::key("key"),
            Argument::new("element", ArgumentKind::String),
            Argument::new("rank", ArgumentKind::Integer).after("RANK").optional(),
            Argument::new("num-matches", ArgumentKind::Integer).after("COUNT").optional(),
            Argument::new("len", ArgumentKind::Integer).after("MAXLEN").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(lpos),
    ..Command::BLANK
};

fn llen(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let list = ctx.read_as::<List>(args.at(1))?;
    reply.integer(list.map_or(0, ListRef::len) as i64);
    Ok(())
}

fn lindex(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    // Without a list the index is not even read.
    let Some(list) = ctx.read_as::<List>(args.at(1))? else {
        reply.null();
        return Ok(());
    };
    match list.element(parse_i64(args.at(2))?) {
        Some(element) => write_item(reply, element.item()),
        None => reply.null(),
    }
    Ok(())
}

fn lrange(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (first, last) = (parse_i64(args.at(2))?, parse_i64(args.at(3))?);
    let Some(list) = ctx.read_as::<List>(args.at(1))? else {
        reply.array(0);
        return Ok(());
    };
    let range = list.range(first, last);
    reply.array(range.len());
    let mut walk = list.walk(End::Head, range.start);
    for _ in range {
        write_item(reply, walk.next().expect("a range lies within its list"));
    }
    Ok(())
}

fn lpos(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let Options { rank, count, compared_max } = Options::parse(args)?;
    let search = Search {
        value: args.at(2),
        from: if rank < 0 { End::Tail } else { End::Head },
        skip: usize::try_from(rank.unsigned_abs() - 1).unwrap_or(usize::MAX),
        count: count.unwrap_or(1),
        compared_max,
    };
    let found = ctx.read_as::<List>(args.at(1))?.map_or_else(Vec::new, |list| list.positions(search));
    if count.is_some() {
        reply.array(found.len());
        for index in found {
            reply.integer(index as i64);
        }
    } else {
        match found.first() {
            Some(&index) => reply.integer(index as i64),
            None => reply.null(),
        }
    }
    Ok(())
}

/// The options of LPOS.
struct Options {
    /// Which match is the first one wanted; negative if the search begins at the tail.
    rank: i64,
    /// How many matches; an array is the reply if it is given.
    count: Option<usize>,
    /// How many elements to compare; 0: all.
    compared_max: usize,
}

impl Options {
    fn parse(args: &Args<'_>) -> Result<Options, CommandError> {
        let mut parsed = Options { rank: 1, count: None, compared_max: 0 };
        let mut options = args.from(3);
        while let Some(word) = options.next() {
            let number = options.next().ok_or(SYNTAX)?;
            if is_word(word, "RANK") {
                parsed.rank = parse_in(number, -i64::MAX..=i64::MAX)?;
                if parsed.rank == 0 {
                    return Err(RANK_ZERO);
                }
            } else if is_word(word, "COUNT") {
                parsed.count = Some(not_negative(number, COUNT_NEGATIVE)?);
            } else if is_word(word, "MAXLEN") {
                parsed.compared_max = not_negative(number, MAXLEN_NEGATIVE)?;
            } else {
                return Err(SYNTAX);
            }
        }
        Ok(parsed)
    }
}

/// A number from 0 on; `error` if it is none.
fn not_negative(arg: &[u8], error: CommandError) -> Result<usize, CommandError> {
    parse_i64(arg).ok().and_then(|number| usize::try_from(number).ok()).ok_or(error)
}

/// Replies with an element.
pub(super) fn write_item(reply: &mut Reply<'_>, item: Item<'_>) {
    match item {
        Item::Int(number) => reply.bulk_integer(number),
        Item::Bytes(bytes) => reply.bulk(bytes),
    }
}
