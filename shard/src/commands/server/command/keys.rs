//! COMMAND GETKEYS and GETKEYSANDFLAGS: which arguments of a command are keys.

use net::{Args, Reply};

use super::info::write_key_flags;
use super::{CATEGORIES, FLAGS};
use crate::core::SessionCtx;
use crate::exec::{CommandError, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Begin, Command, CommandTable, Docs, Find, Flag, Group, KeyFlag};

const INVALID_COMMAND: CommandError = CommandError::new("ERR Invalid command specified");
const NO_KEYS: CommandError = CommandError::new("ERR The command has no key arguments");
const INVALID_ARITY: CommandError = CommandError::new("ERR Invalid number of arguments specified for command");
const INVALID_ARGUMENTS: CommandError = CommandError::new("ERR Invalid arguments specified for command");

const FULL_COMMAND: &[Argument] =
    &[Argument::new("command", ArgumentKind::String), Argument::new("arg", ArgumentKind::String).optional().multiple()];

/// COMMAND GETKEYS command \[arg...\]
pub const GETKEYS: Command = Command {
    name: "getkeys",
    arity: Arity::AtLeast(4),
    flags: FLAGS,
    categories: CATEGORIES,
    docs: Docs {
        summary: "Tells which arguments of a whole command are keys.",
        since: "2.8.13",
        group: Group::Server,
        complexity: "O(N) where N is the number of arguments to the command",
        arguments: FULL_COMMAND,
        ..Docs::BLANK
    },
    run: Run::Session(keys),
    ..Command::BLANK
};

fn keys(_: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let found = find(&args.skip(2))?;
    reply.array(found.len());
    for (key, _) in found {
        reply.bulk(key);
    }
    Ok(())
}

/// COMMAND GETKEYSANDFLAGS command \[arg...\]
pub const GETKEYSANDFLAGS: Command = Command {
    name: "getkeysandflags",
    arity: Arity::AtLeast(4),
    flags: FLAGS,
    categories: CATEGORIES,
    docs: Docs {
        summary: "Tells which arguments of a whole command are keys, and what it does with each.",
        since: "7.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of arguments to the command",
        arguments: FULL_COMMAND,
        ..Docs::BLANK
    },
    run: Run::Session(keys_and_flags),
    ..Command::BLANK
};

fn keys_and_flags(_: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let found = find(&args.skip(2))?;
    reply.array(found.len());
    for (key, flags) in found {
        reply.array(2);
        reply.bulk(key);
        write_key_flags(flags, reply);
    }
    Ok(())
}

/// A key, and what is done with it.
type UsedKey<'a> = (&'a [u8], &'static [KeyFlag]);

/// The keys of a command, and what it does with each.
pub(super) fn find<'a>(args: &Args<'a>) -> Result<Vec<UsedKey<'a>>, CommandError> {
    let row = CommandTable::global().resolve(args).ok().flatten().ok_or(INVALID_COMMAND)?;
    let command = row.command;
    if command.keys.is_empty() && command.find_keys.is_none() {
        return Err(NO_KEYS);
    }
    if !command.arity.admits(args.len()) {
        return Err(INVALID_ARITY);
    }
    let mut found = Vec::new();
    let mut fits = true;
    match command.find_keys.filter(|_| !command.specifications_tell()) {
        Some(visit) => fits = visit(args, &mut |place, flags| found.push((args.at(place), flags))),
        None => {
            for spec in command.keys {
                // PFMERGE with a target alone is a command, but Redis has no answer here.
                fits &= !matches!(spec.begin, Begin::Index(index) if usize::from(index) >= args.len());
                let before = found.len();
                fits &= spec.visit(args, |place| found.push((args.at(place), spec.flags)));
                // A number of keys may be 0 only where keys may be missing.
                let is_counted = matches!(spec.find, Find::Keynum { .. });
                fits &= !is_counted || found.len() > before || command.flags.has(Flag::NoMandatoryKeys);
            }
        }
    }
    if !fits || (found.is_empty() && !command.flags.has(Flag::NoMandatoryKeys)) {
        return Err(INVALID_ARGUMENTS);
    }
    Ok(found)
}
