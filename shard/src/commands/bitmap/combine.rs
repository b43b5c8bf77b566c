//! BITOP: strings combined bit by bit.

use net::{Args, Reply};
use storage::number::INTEGER_TEXT_BYTES_MAX;
use storage::types::bitmap::{Operation, combine};
use storage::{Expiry, OwnedString, StringRef, StringValue};

use crate::commands::parse::is_word;
use crate::config::types::events::Events;
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const NOT_OF_ONE: CommandError = CommandError::new("ERR BITOP NOT must be called with a single source key.");

/// The operations, and how many source keys each wants at least.
const OPERATIONS: [(&str, Operation, usize); 8] = [
    ("AND", Operation::And, 1),
    ("OR", Operation::Or, 1),
    ("XOR", Operation::Xor, 1),
    ("NOT", Operation::Not, 1),
    ("DIFF", Operation::Diff, 2),
    ("DIFF1", Operation::Diff1, 2),
    ("ANDOR", Operation::AndOr, 2),
    ("ONE", Operation::One, 1),
];

/// BITOP operation destkey key [key ...]
pub const BITOP: Command = Command {
    name: "bitop",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(2, &[KeyFlag::Ow, KeyFlag::Update]), KeySpec::all_from(3, 1, &[KeyFlag::Ro, KeyFlag::Access])],
    docs: Docs {
        summary: "Combines strings bit by bit and stores the result.",
        since: "2.6.0",
        group: Group::Bitmap,
        complexity: "O(N) where N is the number of bytes of all strings",
        history: &[("8.2.0", "Operations `DIFF`, `DIFF1`, `ANDOR` and `ONE`.")],
        arguments: &[
            Argument::new("operation", ArgumentKind::String),
            Argument::key("destkey"),
            Argument::new("key", ArgumentKind::Key(1)).multiple(),
        ],
        ..Docs::BLANK
    },
    run: Run::Keys(bitop),
    ..Command::BLANK
};

fn bitop(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let operation = parse_operation(args)?;
    let target = args.at(2);
    // Every source is looked up before any is read: a look-up may remove what has expired.
    let mut present = Vec::with_capacity(args.len() - 3);
    for key in args.from(3) {
        present.push(ctx.read_string(key)?.is_some());
    }
    let result = combined(ctx, args, &present, operation);
    let len = result.len();
    if len > 0 {
        let string = OwnedString::Bytes { bytes: result, modified: true };
        ctx.set_string(target, StringValue::Owned(string), Expiry::Clear);
        ctx.notify(Events::STRING, "set", target);
        ctx.changed(1);
    } else if ctx.remove(target) {
        ctx.notify(Events::GENERIC, "del", target);
        ctx.changed(1);
    }
    reply.integer(len as i64);
    Ok(())
}

fn parse_operation(args: &Args<'_>) -> Result<Operation, CommandError> {
    let known = OPERATIONS.iter().find(|(name, ..)| is_word(args.at(1), name));
    let &(name, operation, sources_min) = known.ok_or(SYNTAX)?;
    let sources = args.len() - 3;
    if operation == Operation::Not && sources != 1 {
        return Err(NOT_OF_ONE);
    }
    if sources < sources_min {
        let text = format!("ERR BITOP {name} must be called with at least two source keys.");
        return Err(CommandError::text(text));
    }
    Ok(operation)
}

/// The result of those strings that are present; the others count as empty.
fn combined(ctx: &mut Ctx<'_>, args: &Args<'_>, present: &[bool], operation: Operation) -> Vec<u8> {
    let database = &*ctx.database();
    let string = |(key, is_present): (&[u8], &bool)| {
        database.find(key).filter(|_| *is_present).and_then(|entry| entry.value().as_string())
    };
    let strings: Vec<Option<StringRef<'_>>> = args.from(3).zip(present).map(string).collect();
    let mut texts = vec![[0; INTEGER_TEXT_BYTES_MAX]; strings.len()];
    let sources: Vec<&[u8]> = strings
        .iter()
        .zip(&mut texts)
        .map(|(string, text)| string.map_or(&[][..], |string| string.as_bytes(text)))
        .collect();
    combine(operation, &sources)
}
