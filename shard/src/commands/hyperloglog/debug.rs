//! PFDEBUG: the registers behind a HyperLogLog.

use std::fmt::Write as _;

use net::{Args, Reply};
use storage::Key;
use storage::types::hyperloglog::{self, Encoding, Error, Runs, Union};

use super::value;
use crate::commands::parse::is_word;
use crate::exec::{CommandError, Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const NO_KEY: CommandError = CommandError::new("ERR The specified key does not exist");
const NOT_SPARSE: CommandError = CommandError::new("ERR HLL encoding is not sparse");

/// PFDEBUG GETREG | DECODE | ENCODING | TODENSE key
pub const PFDEBUG: Command = Command {
    name: "pfdebug",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Admin]),
    keys: &[KeySpec::one(2, &[KeyFlag::Rw, KeyFlag::Access])],
    docs: Docs {
        summary: "For developers: shows how the HyperLogLog stored at a key lies in memory.",
        since: "2.8.9",
        group: Group::Hyperloglog,
        complexity: "N/A",
        arguments: &[Argument::new("subcommand", ArgumentKind::String), Argument::key("key")],
        system: true,
        ..Docs::BLANK
    },
    run: Run::Shard(pfdebug),
    ..Command::BLANK
};

fn pfdebug(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let (word, key) = (args.at(1), Key::new(args.at(2)));
    let encoding = value::read(ctx, key.bytes(), hyperloglog::encoding)?.ok_or(NO_KEY)?;
    if is_word(word, "GETREG") {
        // Redis makes it dense on the way.
        make_dense(ctx, key, encoding)?;
        let registers = |bytes: &[u8]| -> Result<Union, Error> {
            let mut union = Union::new();
            union.include(bytes).map(|()| union)
        };
        let union = value::read(ctx, key.bytes(), registers)?.ok_or(NO_KEY)?;
        reply.array(union.registers().len());
        union.registers().iter().for_each(|register| reply.integer(i64::from(*register)));
    } else if is_word(word, "DECODE") {
        let text = value::read(ctx, key.bytes(), |bytes| Ok(hyperloglog::runs(bytes)?.map(describe)))?;
        reply.bulk(text.flatten().ok_or(NOT_SPARSE)?.as_bytes());
    } else if is_word(word, "ENCODING") {
        reply.simple(encoding.name());
    } else if is_word(word, "TODENSE") {
        reply.integer(i64::from(make_dense(ctx, key, encoding)?));
    } else {
        return Err(CommandError::bytes([b"ERR Unknown PFDEBUG subcommand '", word, b"'"].concat()));
    }
    Ok(())
}

/// Whether it was sparse.
fn make_dense(ctx: &mut Ctx<'_>, key: Key<'_>, encoding: Encoding) -> Result<bool, CommandError> {
    if encoding == Encoding::Dense {
        return Ok(false);
    }
    value::edit(ctx, key, hyperloglog::to_dense)?;
    ctx.changed(1);
    Ok(true)
}

/// The runs: `z:` and `Z:` with the length of a short or long one of zeros, `v:` with value and length of another.
fn describe(runs: Runs<'_>) -> String {
    let mut text = String::new();
    for run in runs {
        let written = match (run.value, run.width) {
            (0, 1) => write!(text, "z:{} ", run.len),
            (0, _) => write!(text, "Z:{} ", run.len),
            (value, _) => write!(text, "v:{value},{} ", run.len),
        };
        written.expect("a String takes any text");
    }
    text.truncate(text.trim_end().len());
    text
}
