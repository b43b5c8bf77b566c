//! SCRIPT: the scripts that the server knows.

use net::{Args, Reply};

use super::{FLUSH_MODE, check_flush_mode, kill};
use crate::commands::help;
use crate::commands::parse::is_word;
use crate::core::SessionCtx;
use crate::exec::{CommandError, Outcome, Run};
use crate::script::engine::script_of;
use crate::session::DebugMode;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group};

const FLUSH_SYNTAX: CommandError = CommandError::new("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
const DEBUG_SYNTAX: CommandError = CommandError::new("ERR Use SCRIPT DEBUG YES/SYNC/NO");
const DEBUG_IN_PIPELINE: CommandError = CommandError::new("ERR SCRIPT DEBUG must be called outside a pipeline");

/// SCRIPT subcommand
pub const SCRIPT: Command = Command {
    name: "script",
    arity: Arity::AtLeast(2),
    docs: docs("Commands about scripts.", "2.6.0", "Depends on subcommand.", &[]),
    subcommands: &[DEBUG, EXISTS, FLUSH, kill::SCRIPT_KILL, LOAD, help::command(Group::Scripting, "5.0.0")],
    run: Run::Container,
    ..Command::BLANK
};

const fn docs(
    summary: &'static str,
    since: &'static str,
    complexity: &'static str,
    arguments: &'static [Argument],
) -> Docs {
    Docs { summary, since, group: Group::Scripting, complexity, arguments, ..Docs::BLANK }
}

const LOAD: Command = Command {
    name: "load",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Noscript, Flag::Stale]),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    docs: docs(
        "Makes a script known to the server without running it.",
        "2.6.0",
        "O(N) with N being the length of the script in bytes.",
        &[Argument::new("script", ArgumentKind::String)],
    ),
    run: Run::Session(load),
    ..Command::BLANK
};

fn load(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let script = script_of(&ctx.core.shared.scripts, args.at(2))?;
    reply.bulk(script.sha.as_bytes());
    Ok(())
}

const EXISTS: Command = Command {
    name: "exists",
    arity: Arity::AtLeast(3),
    flags: Flags::of(&[Flag::Noscript]),
    tips: &["request_policy:all_shards", "response_policy:agg_logical_and"],
    docs: docs(
        "Tells which scripts the server knows.",
        "2.6.0",
        "O(N) with N being the number of scripts to look for.",
        &[Argument::new("sha1", ArgumentKind::String).multiple()],
    ),
    run: Run::Session(exists),
    ..Command::BLANK
};

fn exists(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let registry = &ctx.core.shared.scripts;
    reply.array(args.len() - 2);
    for sha in args.from(2) {
        let known = std::str::from_utf8(sha).is_ok_and(|sha| registry.script(&sha.to_ascii_lowercase()).is_some());
        reply.integer(i64::from(known));
    }
    Ok(())
}

const FLUSH: Command = Command {
    name: "flush",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Noscript]),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    docs: Docs {
        history: &[("6.2.0", "Modes `ASYNC` and `SYNC`.")],
        ..docs(
            "Makes the server forget all scripts.",
            "2.6.0",
            "O(N) with N being the number of scripts.",
            &[FLUSH_MODE.since("6.2.0")],
        )
    },
    run: Run::Session(flush),
    ..Command::BLANK
};

fn flush(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    check_flush_mode(args, FLUSH_SYNTAX)?;
    ctx.core.shared.scripts.flush_scripts();
    reply.ok();
    Ok(())
}

const DEBUG: Command = Command {
    name: "debug",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Noscript]),
    docs: docs(
        "Has the next scripts of this connection debugged, or runs them as ever.",
        "3.2.0",
        "O(1)",
        &[Argument::new(
            "mode",
            ArgumentKind::OneOf(&[
                Argument::word("yes", "YES"),
                Argument::word("sync", "SYNC"),
                Argument::word("no", "NO"),
            ]),
        )],
    ),
    run: Run::Session(debug),
    ..Command::BLANK
};

fn debug(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    // The debugger's words would stand among replies that are still to be sent.
    if reply.mark() > 0 || !ctx.session().replies.is_empty() {
        return Err(DEBUG_IN_PIPELINE);
    }
    let word = args.at(2);
    let mode = if is_word(word, "no") {
        DebugMode::Off
    } else if is_word(word, "sync") {
        DebugMode::Keep
    } else if is_word(word, "yes") {
        DebugMode::Discard
    } else {
        return Err(DEBUG_SYNTAX);
    };
    ctx.session().debugging.get_or_insert_default().mode = mode;
    reply.ok();
    Ok(())
}
