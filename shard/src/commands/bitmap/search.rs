//! Counting bits, and finding the first of a kind.
//!
//! A key that is not there is answered before the range is read, whatever the range says.

use net::{Args, Reply};
use storage::number::INTEGER_TEXT_BYTES_MAX;
use storage::types::bitmap::{self, BitRange, Unit};

use crate::commands::parse::{is_word, parse_i64};
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const NOT_A_BIT: CommandError = CommandError::new("ERR The bit argument must be 1 or 0.");

const UNITS: Argument =
    Argument::new("index_unit", ArgumentKind::OneOf(&[Argument::word("byte", "BYTE"), Argument::word("bit", "BIT")]))
        .since("7.0.0")
        .optional();

/// BITCOUNT key [start end [BYTE | BIT]]
pub const BITCOUNT: Command = Command {
    name: "bitcount",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])],
    docs: Docs {
        summary: "Counts the bits set in the string stored at a key, or in a part of it.",
        since: "2.6.0",
        group: Group::Bitmap,
        complexity: "O(N) where N is the number of bytes looked at",
        history: &[("7.0.0", "Options `BYTE` and `BIT`.")],
        arguments: &[
            Argument::key("key"),
            Argument::new(
                "index",
                ArgumentKind::Block(&[
                    Argument::new("start", ArgumentKind::Integer),
                    Argument::new("end", ArgumentKind::Integer),
                    UNITS,
                ]),
            )
            .optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(bitcount),
    ..Command::BLANK
};

/// BITPOS key bit [start [end [BYTE | BIT]]]
pub const BITPOS: Command = Command {
    name: "bitpos",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])],
    docs: Docs {
        summary: "Returns the place of the first bit that is set, or that is clear, in the string stored at a key.",
        since: "2.8.7",
        group: Group::Bitmap,
        complexity: "O(N) where N is the number of bytes looked at",
        history: &[("7.0.0", "Options `BYTE` and `BIT`.")],
        arguments: &[
            Argument::key("key"),
            Argument::new("bit", ArgumentKind::Integer),
            Argument::new(
                "index",
                ArgumentKind::Block(&[
                    Argument::new("start", ArgumentKind::Integer),
                    Argument::new(
                        "end_index",
                        ArgumentKind::Block(&[Argument::new("end", ArgumentKind::Integer), UNITS]),
                    )
                    .optional(),
                ]),
            )
            .optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(bitpos),
    ..Command::BLANK
};

fn bitcount(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let mut scratch = [0; INTEGER_TEXT_BYTES_MAX];
    let Some(string) = ctx.read_string(args.at(1))? else {
        reply.integer(0);
        return Ok(());
    };
    let bytes = string.as_bytes(&mut scratch);
    let range = match args.len() {
        2 => BitRange::whole(bytes.len()),
        4 | 5 => {
            let (first, last) = (parse_i64(args.at(2))?, parse_i64(args.at(3))?);
            // Nothing is counted whatever the fifth word says, as in Redis.
            if first < 0 && last < 0 && first > last {
                None
            } else {
                BitRange::for_count(first, last, parse_unit(args.get(4))?, bytes.len())
            }
        }
        _ => return Err(SYNTAX),
    };
    reply.integer(range.map_or(0, |range| bitmap::count(bytes, range)) as i64);
    Ok(())
}

fn bitpos(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let wanted = match parse_i64(args.at(2))? {
        0 => false,
        1 => true,
        _ => return Err(NOT_A_BIT),
    };
    let mut scratch = [0; INTEGER_TEXT_BYTES_MAX];
    let Some(string) = ctx.read_string(args.at(1))? else {
        reply.integer(if wanted { -1 } else { 0 });
        return Ok(());
    };
    let bytes = string.as_bytes(&mut scratch);
    let range = match args.len() {
        3 => BitRange::whole(bytes.len()),
        4..=6 => {
            let (first, unit) = (parse_i64(args.at(3))?, parse_unit(args.get(5))?);
            let last = args.get(4).map_or(Ok(-1), parse_i64)?;
            BitRange::new(first, last, unit, bytes.len())
        }
        _ => return Err(SYNTAX),
    };
    let found = range.and_then(|range| bitmap::position(bytes, wanted, range));
    // A string goes on with clear bits, unless the client said where it ends.
    let behind = (range.is_some() && !wanted && args.len() <= 4).then_some(bytes.len() as u64 * 8);
    reply.integer(found.or(behind).map_or(-1, |place| place as i64));
    Ok(())
}

fn parse_unit(word: Option<&[u8]>) -> Result<Unit, CommandError> {
    match word {
        None => Ok(Unit::Byte),
        Some(word) if is_word(word, "BYTE") => Ok(Unit::Byte),
        Some(word) if is_word(word, "BIT") => Ok(Unit::Bit),
        Some(_) => Err(SYNTAX),
    }
}
