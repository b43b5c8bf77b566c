//! FUNCTION: libraries of functions.

use net::{Args, Reply};

use super::{FLUSH_MODE, check_flush_mode, kill, library_dump, library_list};
use crate::commands::help;
use crate::commands::parse::is_word;
use crate::core::SessionCtx;
use crate::exec::{CommandError, Outcome, Run};
use crate::journal::put_args;
use crate::script::engine::library_of;
use crate::script::flags;
use crate::script::functions::Libraries;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group};

const FLUSH_SYNTAX: CommandError = CommandError::new("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
const NO_LIBRARY: CommandError = CommandError::new("ERR Library not found");

/// FUNCTION subcommand
pub const FUNCTION: Command = Command {
    name: "function",
    arity: Arity::AtLeast(2),
    docs: docs("Commands about functions.", "Depends on subcommand.", &[]),
    subcommands: &[
        DELETE,
        library_dump::DUMP,
        FLUSH,
        kill::FUNCTION_KILL,
        library_list::LIST,
        LOAD,
        library_dump::RESTORE,
        kill::STATS,
        help::command(Group::Scripting, "7.0.0"),
    ],
    run: Run::Container,
    ..Command::BLANK
};

pub(super) const fn docs(summary: &'static str, complexity: &'static str, arguments: &'static [Argument]) -> Docs {
    Docs { summary, since: "7.0.0", group: Group::Scripting, complexity, arguments, ..Docs::BLANK }
}

pub(super) const CHANGES: &[&str] = &["request_policy:all_shards", "response_policy:all_succeeded"];

const LOAD: Command = Command {
    name: "load",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Noscript]),
    tips: CHANGES,
    docs: docs(
        "Makes a library of functions.",
        "O(1) (considering compilation time is redundant)",
        &[Argument::word("replace", "REPLACE").optional(), Argument::new("function-code", ArgumentKind::String)],
    ),
    run: Run::Session(load),
    ..Command::BLANK
};

fn load(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let mut replace = false;
    for option in args.first(args.len() - 1).from(2) {
        if !is_word(option, "replace") {
            let text = format!("ERR Unknown option given: {}", String::from_utf8_lossy(option));
            return Err(CommandError::text(text));
        }
        replace = true;
    }
    let registry = &ctx.core.shared.scripts;
    let source = args.at(args.len() - 1);
    let (name, _) = flags::of_library(source).map_err(CommandError::text)?;
    // What is there is seen before the code is run, and judged once more when the library is added.
    if !replace && registry.libraries().named(&name).is_some() {
        return Err(CommandError::text(format!("ERR Library '{name}' already exists")));
    }
    let library = library_of(registry, source)?;
    change_libraries(ctx, args, |libraries| libraries.add(library, replace)).map_err(CommandError::text)?;
    reply.bulk(name.as_bytes());
    Ok(())
}

const DELETE: Command = Command {
    name: "delete",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Write, Flag::Noscript]),
    tips: CHANGES,
    docs: docs("Removes a library and its functions.", "O(1)", &[Argument::new("library-name", ArgumentKind::String)]),
    run: Run::Session(delete),
    ..Command::BLANK
};

fn delete(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let name = String::from_utf8_lossy(args.at(2)).into_owned();
    change_libraries(ctx, args, |libraries| if libraries.remove(&name) { Ok(()) } else { Err(NO_LIBRARY) })?;
    reply.ok();
    Ok(())
}

const FLUSH: Command = Command {
    name: "flush",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Write, Flag::Noscript]),
    tips: CHANGES,
    docs: docs("Removes all libraries.", "O(N) where N is the number of functions", &[FLUSH_MODE]),
    run: Run::Session(flush),
    ..Command::BLANK
};

fn flush(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    if args.len() > 3 {
        return Err(crate::exec::error::wrong_subcommand_arity(args.at(1), "function"));
    }
    check_flush_mode(args, FLUSH_SYNTAX)?;
    change_libraries(ctx, args, |libraries| {
        *libraries = Libraries::default();
        Ok::<(), CommandError>(())
    })?;
    reply.ok();
    Ok(())
}

/// Changes the libraries as the command `args` says. If it did, the log is told under the lock of the libraries, so that the
/// order there is that of the changes; the reply waits for the log.
pub(super) fn change_libraries<E>(
    ctx: &mut SessionCtx<'_>,
    args: &Args<'_>,
    change: impl FnOnce(&mut Libraries) -> Result<(), E>,
) -> Result<(), E> {
    let is_logged = ctx.core.shard.journal.is_on();
    let log = &ctx.core.shared.log;
    ctx.core.shared.scripts.change_libraries(|libraries| {
        change(libraries)?;
        if is_logged {
            let mut record = Vec::new();
            put_args(&mut record, args);
            log.put_function(record);
        }
        Ok(())
    })?;
    if is_logged {
        ctx.core.want_barrier_of_libraries();
    }
    Ok(())
}
