//! MEMORY USAGE: the bytes that one key takes.

use net::{Args, Reply};
use storage::number::parse_i64;

use crate::exec::error::{NOT_AN_INTEGER, SYNTAX};
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

/// MEMORY USAGE key \[SAMPLES count\]
pub const USAGE: Command = Command {
    name: "usage",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::one(2, &[KeyFlag::Ro])],
    docs: Docs {
        summary: "Answers how many bytes a key and its value take.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of samples.",
        arguments: &[Argument::key("key"), Argument::new("count", ArgumentKind::Integer).after("SAMPLES").optional()],
        ..Docs::BLANK
    },
    run: Run::Shard(usage),
    ..Command::BLANK
};

/// Values know their size, so there is nothing to sample; the number of samples is checked all the same.
fn usage(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let mut place = 3;
    while place < args.len() {
        let value = args.get(place + 1).filter(|_| args.at(place).eq_ignore_ascii_case(b"samples")).ok_or(SYNTAX)?;
        if parse_i64(value).ok_or(NOT_AN_INTEGER)? < 0 {
            return Err(SYNTAX);
        }
        place += 2;
    }
    match ctx.peek(args.at(2)) {
        Some(entry) => reply.integer(entry.heap_bytes() as i64),
        None => reply.null(),
    }
    Ok(())
}
