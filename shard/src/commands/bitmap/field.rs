//! BITFIELD: several integers of any width, read and written in one command.

use std::ops::Range;

use net::{Args, Reply};
use storage::Key;
use storage::number::INTEGER_TEXT_BYTES_MAX;
use storage::types::bitmap::{self, FieldType, Overflow};

use super::bit::{parse_offset, told_change, write_bits};
use crate::commands::parse::{is_word, parse_i64};
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const BAD_TYPE: CommandError = CommandError::new(
    "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
);
const BAD_OVERFLOW: CommandError = CommandError::new("ERR Invalid OVERFLOW type specified");
const ONLY_GET: CommandError = CommandError::new("ERR BITFIELD_RO only supports the GET subcommand");

const PLACE: [Argument; 2] =
    [Argument::new("encoding", ArgumentKind::String), Argument::new("offset", ArgumentKind::Integer)];

/// BITFIELD key [GET encoding offset | [OVERFLOW WRAP | SAT | FAIL] SET encoding offset value | INCRBY encoding offset
/// increment ...]
pub const BITFIELD: Command = Command {
    name: "bitfield",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(1, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Update, KeyFlag::VariableFlags])
        .noting("RW and UPDATE for the operations `SET` and `INCRBY`")],
    find_keys: Some(used_key),
    docs: Docs {
        summary: "Reads, writes and counts up integers of any width in the string stored at a key.",
        since: "3.2.0",
        group: Group::Bitmap,
        complexity: "O(1) for each operation",
        arguments: &[
            Argument::key("key"),
            Argument::new(
                "operation",
                ArgumentKind::OneOf(&[
                    Argument::new("encoding_offset", ArgumentKind::Block(&PLACE)).after("GET"),
                    Argument::new("write", ArgumentKind::Block(&[OVERFLOW, WRITES])),
                ]),
            )
            .optional()
            .multiple(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(bitfield),
    ..Command::BLANK
};

const OVERFLOW: Argument = Argument::new(
    "wrap_sat_fail",
    ArgumentKind::OneOf(&[
        Argument::word("wrap", "WRAP"),
        Argument::word("sat", "SAT"),
        Argument::word("fail", "FAIL"),
    ]),
)
.after("OVERFLOW")
.optional();

const WRITES: Argument = Argument::new(
    "write_operation",
    ArgumentKind::OneOf(&[
        Argument::new(
            "encoding_offset_value",
            ArgumentKind::Block(&[PLACE[0], PLACE[1], Argument::new("value", ArgumentKind::Integer)]),
        )
        .after("SET"),
        Argument::new(
            "encoding_offset_increment",
            ArgumentKind::Block(&[PLACE[0], PLACE[1], Argument::new("increment", ArgumentKind::Integer)]),
        )
        .after("INCRBY"),
    ]),
);

/// BITFIELD_RO key [GET encoding offset ...]
pub const BITFIELD_RO: Command = Command {
    name: "bitfield_ro",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])],
    docs: Docs {
        summary: "Reads integers of any width in the string stored at a key.",
        since: "6.0.0",
        group: Group::Bitmap,
        complexity: "O(1) for each operation",
        arguments: &[
            Argument::key("key"),
            Argument {
                multiple_token: true,
                ..Argument::new("encoding_offset", ArgumentKind::Block(&PLACE)).after("GET").optional().multiple()
            },
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(bitfield_ro),
    ..Command::BLANK
};

/// BITFIELD that only gets reads its key, whatever it is that it tries to get.
fn used_key(args: &Args<'_>, visit: &mut dyn FnMut(usize, &'static [KeyFlag])) -> bool {
    let mut at = 2;
    while let Some(word) = args.get(at) {
        at += match args.len() - at {
            3.. if is_word(word, "GET") => 3,
            2.. if is_word(word, "OVERFLOW") => 2,
            _ => break,
        };
    }
    let flags: &[KeyFlag] = if at == args.len() {
        &[KeyFlag::Ro, KeyFlag::Access]
    } else {
        &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Update]
    };
    visit(1, flags);
    true
}

/// What is done with a field.
#[derive(Clone, Copy, Debug)]
enum Action {
    Get,
    Set(i64),
    IncrBy(i64),
}

/// One operation.
#[derive(Clone, Copy, Debug)]
struct Operation {
    kind: FieldType,
    offset: u64,
    action: Action,
    overflow: Overflow,
}

/// All operations of a command.
struct Operations {
    list: Vec<Operation>,
    /// The string must have so many bytes for those that write; `None` if none does.
    bytes_min: Option<u64>,
}

impl Operations {
    fn parse(args: &Args<'_>, bytes_max: u64) -> Result<Operations, CommandError> {
        let mut operations = Operations { list: Vec::new(), bytes_min: None };
        let mut overflow = Overflow::default();
        let mut place = 2;
        while place < args.len() {
            let (word, rest) = (args.at(place), args.len() - place - 1);
            if is_word(word, "OVERFLOW") && rest >= 1 {
                overflow = parse_overflow(args.at(place + 1))?;
                place += 2;
                continue;
            }
            let number = (is_word(word, "SET") || is_word(word, "INCRBY")) && rest >= 3;
            let get = is_word(word, "GET") && rest >= 2;
            if !(get || number) {
                return Err(SYNTAX);
            }
            let kind = parse_type(args.at(place + 1))?;
            let offset = parse_offset(args.at(place + 2), Some(kind.bits()), bytes_max)?;
            let mut action = Action::Get;
            if number {
                let end = (offset + kind.bits()).div_ceil(8);
                operations.bytes_min = operations.bytes_min.max(Some(end));
                let number = parse_i64(args.at(place + 3))?;
                action = if is_word(word, "SET") { Action::Set(number) } else { Action::IncrBy(number) };
            }
            operations.list.push(Operation { kind, offset, action, overflow });
            place += if number { 4 } else { 3 };
        }
        Ok(operations)
    }
}

fn parse_overflow(word: &[u8]) -> Result<Overflow, CommandError> {
    const KINDS: [(&str, Overflow); 3] =
        [("WRAP", Overflow::Wrap), ("SAT", Overflow::Saturate), ("FAIL", Overflow::Fail)];
    KINDS.iter().find(|(name, _)| is_word(word, name)).map(|(_, kind)| *kind).ok_or(BAD_OVERFLOW)
}

/// `i` or `u` and a width in bits.
fn parse_type(arg: &[u8]) -> Result<FieldType, CommandError> {
    let signed = match arg.first() {
        Some(b'i') => true,
        Some(b'u') => false,
        _ => return Err(BAD_TYPE),
    };
    let bits = storage::number::parse_i64(&arg[1..]).and_then(|bits| u64::try_from(bits).ok());
    bits.and_then(|bits| FieldType::new(signed, bits)).ok_or(BAD_TYPE)
}

fn bitfield(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let Operations { list, bytes_min } = Operations::parse(args, ctx.config().proto_max_bulk_len)?;
    let Some(bytes_min) = bytes_min else { return read_fields(ctx, args.at(1), &list, reply) };
    let key = Key::new(args.at(1));
    let mut values = Vec::with_capacity(list.len());
    let places = list.iter().map(Operation::bytes);
    let (changes, grown) = write_bits(ctx, key, bytes_min, places, |bytes| {
        values.extend(list.iter().map(|operation| operation.apply(bytes)));
        (values.iter().filter(|(_, changed)| *changed).count(), false)
    })?;
    // To write to a string that becomes longer is a change, whatever value the field had.
    let written = values.iter().zip(&list);
    let written = written.filter(|((value, _), op)| value.is_some() && !matches!(op.action, Action::Get)).count();
    let changes = if grown { written } else { changes };
    if changes > 0 {
        told_change(ctx, key, changes);
    }
    reply.array(values.len());
    for (value, _) in values {
        match value {
            Some(value) => reply.integer(value),
            None => reply.null(),
        }
    }
    Ok(())
}

fn bitfield_ro(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let Operations { list, bytes_min } = Operations::parse(args, ctx.config().proto_max_bulk_len)?;
    if bytes_min.is_some() {
        return Err(ONLY_GET);
    }
    read_fields(ctx, args.at(1), &list, reply)
}

fn read_fields(ctx: &mut Ctx<'_>, key: &[u8], list: &[Operation], reply: &mut Reply<'_>) -> Outcome {
    let mut scratch = [0; INTEGER_TEXT_BYTES_MAX];
    let string = ctx.read_string(key)?;
    let bytes = string.map_or(&[][..], |string| string.as_bytes(&mut scratch));
    reply.array(list.len());
    for Operation { kind, offset, .. } in list {
        reply.integer(bitmap::field(bytes, *kind, *offset));
    }
    Ok(())
}

impl Operation {
    /// The bytes that it may change.
    fn bytes(&self) -> Range<usize> {
        let end = (self.offset + self.kind.bits()).div_ceil(8);
        if matches!(self.action, Action::Get) { 0..0 } else { self.offset as usize / 8..end as usize }
    }

    /// What the client gets for it, and whether a field has another value now. Nothing is written, and nothing the answer,
    /// where the value does not fit and may not be made to.
    fn apply(&self, bytes: &mut [u8]) -> (Option<i64>, bool) {
        let Operation { kind, offset, action, overflow } = *self;
        let before = bitmap::field(bytes, kind, offset);
        let after = match action {
            Action::Get => return (Some(before), false),
            Action::Set(value) => kind.fit(value, overflow),
            Action::IncrBy(by) => kind.add(before, by, overflow),
        };
        let Some(after) = after else { return (None, false) };
        bitmap::set_field(bytes, kind, offset, after);
        let told = if matches!(action, Action::Set(_)) { before } else { after };
        (Some(told), before != after)
    }
}
