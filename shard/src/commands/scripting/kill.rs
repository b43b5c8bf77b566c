//! SCRIPT KILL, FUNCTION KILL, FUNCTION STATS: what runs for long now.

use net::{Args, Reply};

use crate::core::{SessionCtx, busy_error};
use crate::exec::{CommandError, Outcome, Run};
use crate::script::Kind;
use crate::spec::{Arity, Command, Docs, Flag, Flags, Group};

const NOT_BUSY: CommandError = CommandError::new("NOTBUSY No scripts in execution right now.");
const UNKILLABLE: CommandError = CommandError::new(
    "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script \
     termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.",
);

pub(super) const SCRIPT_KILL: Command = Command {
    name: "kill",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Noscript, Flag::AllowBusy]),
    tips: &["request_policy:all_shards", "response_policy:one_succeeded"],
    docs: Docs {
        summary: "Ends the script that runs, unless it has written.",
        since: "2.6.0",
        group: Group::Scripting,
        ..Docs::BLANK
    },
    run: Run::Session(|ctx, _, reply| kill(ctx, reply, Kind::Script)),
    ..Command::BLANK
};

pub(super) const FUNCTION_KILL: Command = Command {
    docs: Docs {
        summary: "Ends the function that runs, unless it has written.",
        since: "7.0.0",
        group: Group::Scripting,
        ..Docs::BLANK
    },
    run: Run::Session(|ctx, _, reply| kill(ctx, reply, Kind::Function)),
    ..SCRIPT_KILL
};

fn kill(ctx: &mut SessionCtx<'_>, reply: &mut Reply<'_>, kind: Kind) -> Outcome {
    let running = ctx.core.shared.scripts.running();
    let (of_kind, others): (Vec<_>, Vec<_>) = running.iter().partition(|running| running.kind == kind);
    if of_kind.is_empty() {
        // The other command would have to be called.
        return match others.iter().find(|other| other.is_busy()) {
            None => Err(NOT_BUSY),
            Some(other) if other.has_written() => Err(UNKILLABLE),
            Some(other) => Err(busy_error(other.kind)),
        };
    }
    // Every one of them is asked, though one that agrees is enough.
    let killed: Vec<_> = of_kind.into_iter().filter(|running| running.kill()).collect();
    if killed.is_empty() {
        return Err(UNKILLABLE);
    }
    for home in killed.iter().filter_map(|running| running.debugged_on) {
        ctx.core.tell_killed(home);
    }
    tracing::warn!(
        "Lua script killed by user with {}.",
        if kind == Kind::Script { "SCRIPT KILL" } else { "FUNCTION KILL" }
    );
    reply.ok();
    Ok(())
}

pub(super) const STATS: Command = Command {
    name: "stats",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Noscript, Flag::AllowBusy]),
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    docs: Docs {
        summary: "Tells which function runs, for how long, and what there is.",
        since: "7.0.0",
        group: Group::Scripting,
        ..Docs::BLANK
    },
    run: Run::Session(stats),
    ..Command::BLANK
};

fn stats(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let registry = &ctx.core.shared.scripts;
    let all = registry.running();
    if all.iter().any(|running| running.kind == Kind::Script && running.is_busy()) {
        return Err(busy_error(Kind::Script));
    }
    reply.map(2);
    reply.bulk(b"running_script");
    match all.into_iter().find(|running| running.kind == Kind::Function) {
        None => reply.null(),
        Some(running) => {
            reply.map(3);
            reply.bulk(b"name");
            reply.bulk(&running.name);
            reply.bulk(b"command");
            let command = running.command.as_args();
            reply.array(command.len());
            command.from(0).for_each(|arg| reply.bulk(arg));
            reply.bulk(b"duration_ms");
            reply.integer(running.since.elapsed().as_millis() as i64);
        }
    }
    let libraries = registry.libraries();
    reply.bulk(b"engines");
    reply.map(1);
    reply.bulk(b"LUA");
    reply.map(2);
    reply.bulk(b"libraries_count");
    reply.integer(libraries.all().len() as i64);
    reply.bulk(b"functions_count");
    reply.integer(libraries.functions() as i64);
    Ok(())
}
