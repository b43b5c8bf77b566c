//! MODULE, of a server that has no modules and cannot load those of Redis, which are libraries for its own insides.
//!
//! Tools ask for the list when they connect, and get an empty one. Whether a client may try to load one is checked as in
//! Redis (`enable-module-command`); who may is told that it failed, and the server's log tells why.

use net::{Args, Reply};

use crate::commands::help;
use crate::core::SessionCtx;
use crate::exec::{CommandError, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group};

const NOT_LOADED: CommandError = CommandError::new("ERR Error loading the extension. Please check the server logs.");
const NOT_THERE: CommandError = CommandError::new("ERR Error unloading module: no such module with that name");

const CHANGES: Flags = Flags::of(&[Flag::Admin, Flag::Noscript, Flag::NoAsyncLoading, Flag::Modules]);

const PATH: Argument = Argument::new("path", ArgumentKind::String);

/// MODULE subcommand
pub const MODULE: Command = Command {
    name: "module",
    arity: Arity::AtLeast(2),
    docs: Docs {
        summary: "Commands about modules.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "Depends on subcommand.",
        ..Docs::BLANK
    },
    subcommands: &[
        help::command(Group::Server, "5.0.0"),
        LIST,
        change(
            "load",
            Arity::AtLeast(3),
            ("4.0.0", "Loads a module."),
            &[PATH, Argument::new("arg", ArgumentKind::String).optional().multiple()],
            load,
        ),
        change(
            "loadex",
            Arity::AtLeast(3),
            ("7.0.0", "Loads a module with values for its directives."),
            &[
                PATH,
                Argument {
                    multiple_token: true,
                    ..Argument::new(
                        "configs",
                        ArgumentKind::Block(&[
                            Argument::new("name", ArgumentKind::String),
                            Argument::new("value", ArgumentKind::String),
                        ]),
                    )
                }
                .after("CONFIG")
                .optional()
                .multiple(),
                Argument::new("args", ArgumentKind::String).after("ARGS").optional().multiple(),
            ],
            load,
        ),
        change(
            "unload",
            Arity::Exactly(3),
            ("4.0.0", "Unloads a module."),
            &[Argument::new("name", ArgumentKind::String)],
            |_, _, _| Err(NOT_THERE),
        ),
    ],
    run: Run::Container,
    ..Command::BLANK
};

/// MODULE LIST
const LIST: Command = Command {
    name: "list",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Admin, Flag::Noscript]),
    tips: &["nondeterministic_output_order"],
    docs: Docs {
        summary: "Lists the modules that are loaded.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of modules.",
        ..Docs::BLANK
    },
    run: Run::Session(|_, _, reply| {
        reply.array(0);
        Ok(())
    }),
    ..Command::BLANK
};

const fn change(
    name: &'static str,
    arity: Arity,
    (since, summary): (&'static str, &'static str),
    arguments: &'static [Argument],
    run: fn(&mut SessionCtx<'_>, &Args<'_>, &mut Reply<'_>) -> Outcome,
) -> Command {
    Command {
        name,
        arity,
        flags: CHANGES,
        docs: Docs { summary, since, group: Group::Server, arguments, ..Docs::BLANK },
        run: Run::Session(run),
        ..Command::BLANK
    }
}

fn load(_: &mut SessionCtx<'_>, args: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    tracing::warn!("Module {} failed to load: modules of Redis need its insides", args.at(2).escape_ascii());
    Err(NOT_LOADED)
}
