//! EVAL, EVALSHA, FCALL, and the same for scripts that only read.

use std::sync::Arc;
use std::time::Duration;

use net::Args;

use crate::acl::Caller;
use crate::core::SessionCtx;
use crate::exec::{CommandError, Outcome, Run};
use crate::script::flags::ScriptFlags;
use crate::script::run::Session;
use crate::script::work::{CalledBy, ScriptWork};
use crate::session::DebugMode;
use crate::shared::Shared;
use crate::spec::table::Row;
use crate::spec::{Argument, ArgumentKind, Arity, Begin, Command, Docs, Find, Flag, Flags, Group, KeyFlag, KeySpec};

/// A client that debugs has the source at hand.
const NO_SOURCE: CommandError = CommandError::new("ERR Please use EVAL instead of EVALSHA for debugging");

const DEBUGGED_IN_PIPELINE: CommandError =
    CommandError::new("ERR A script that is debugged must be called outside a pipeline");

/// A script that is debugged may run for so long without a stop, if nothing else is set.
const PATIENCE_MILLIS: u64 = 5000;

const WRITING: Flags = Flags::of(&[
    Flag::Noscript,
    Flag::Stale,
    Flag::SkipMonitor,
    Flag::NoMandatoryKeys,
    Flag::Movablekeys,
    Flag::HeldWithWrites,
]);
const READING: Flags = Flags::of(&[
    Flag::Readonly,
    Flag::Noscript,
    Flag::Stale,
    Flag::SkipMonitor,
    Flag::NoMandatoryKeys,
    Flag::Movablekeys,
]);

/// The keys behind their number.
const fn counted_keys(flags: &'static [KeyFlag], notes: &'static str) -> KeySpec {
    KeySpec { flags, begin: Begin::Index(2), find: Find::Keynum { at: 0, first: 1, step: 1 }, notes }
}

const ANY_USE: &[KeyFlag] = &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Update];
const ANY_READ: &[KeyFlag] = &[KeyFlag::Ro, KeyFlag::Access];
const WORST: &str = "We cannot tell how the keys will be used so we assume the worst, RW and UPDATE";
const WORST_READ: &str = "We cannot tell how the keys will be used so we assume the worst, RO and ACCESS";

const fn arguments(what: &'static str) -> [Argument; 4] {
    [
        Argument::new(what, ArgumentKind::String),
        Argument::new("numkeys", ArgumentKind::Integer),
        Argument::key("key").optional().multiple(),
        Argument::new("arg", ArgumentKind::String).optional().multiple(),
    ]
}

const BY_SOURCE: [Argument; 4] = arguments("script");
const BY_SHA: [Argument; 4] = arguments("sha1");
const BY_NAME: [Argument; 4] = arguments("function");

const fn docs(summary: &'static str, since: &'static str, arguments: &'static [Argument]) -> Docs {
    Docs {
        summary,
        since,
        group: Group::Scripting,
        complexity: "Depends on what the script does.",
        arguments,
        ..Docs::BLANK
    }
}

/// EVAL script numkeys \[key ...\] \[arg ...\]
pub const EVAL: Command = Command {
    name: "eval",
    arity: Arity::AtLeast(3),
    flags: WRITING,
    keys: &[counted_keys(ANY_USE, WORST)],
    docs: docs("Runs a Lua script.", "2.6.0", &BY_SOURCE),
    run: Run::Placed(|ctx, row, args| call(ctx, row, args, CalledBy::Source, false)),
    ..Command::BLANK
};

/// EVAL_RO script numkeys \[key ...\] \[arg ...\]
pub const EVAL_RO: Command = Command {
    name: "eval_ro",
    flags: READING,
    keys: &[counted_keys(ANY_READ, WORST_READ)],
    docs: docs("Runs a Lua script that may not write.", "7.0.0", &BY_SOURCE),
    run: Run::Placed(|ctx, row, args| call(ctx, row, args, CalledBy::Source, true)),
    ..EVAL
};

/// EVALSHA sha1 numkeys \[key ...\] \[arg ...\]
pub const EVALSHA: Command = Command {
    name: "evalsha",
    keys: &[counted_keys(ANY_USE, "")],
    docs: docs("Runs a Lua script that the server knows by its SHA-1.", "2.6.0", &BY_SHA),
    run: Run::Placed(|ctx, row, args| call(ctx, row, args, CalledBy::Sha, false)),
    ..EVAL
};

/// EVALSHA_RO sha1 numkeys \[key ...\] \[arg ...\]
pub const EVALSHA_RO: Command = Command {
    name: "evalsha_ro",
    flags: READING,
    keys: &[counted_keys(ANY_READ, "")],
    docs: docs("Runs a Lua script that the server knows by its SHA-1 and that may not write.", "7.0.0", &BY_SHA),
    run: Run::Placed(|ctx, row, args| call(ctx, row, args, CalledBy::Sha, true)),
    ..EVAL
};

/// FCALL function numkeys \[key ...\] \[arg ...\]
pub const FCALL: Command = Command {
    name: "fcall",
    docs: docs("Calls a function of a library.", "7.0.0", &BY_NAME),
    run: Run::Placed(|ctx, row, args| call(ctx, row, args, CalledBy::Function, false)),
    ..EVAL
};

/// FCALL_RO function numkeys \[key ...\] \[arg ...\]
pub const FCALL_RO: Command = Command {
    name: "fcall_ro",
    docs: docs("Calls a function of a library that may not write.", "7.0.0", &BY_NAME),
    run: Run::Placed(|ctx, row, args| call(ctx, row, args, CalledBy::Function, true)),
    ..EVAL_RO
};

fn call(ctx: &mut SessionCtx<'_>, row: &'static Row, args: &Args<'_>, by: CalledBy, read_only: bool) -> Outcome {
    let mode = ctx.session().debugging.as_ref().map_or(DebugMode::Off, |debugging| debugging.mode);
    if mode != DebugMode::Off && by != CalledBy::Function {
        if by == CalledBy::Sha {
            return Err(NO_SOURCE);
        }
        return debug(ctx, row, args, read_only, mode);
    }
    let caller = ctx.core.caller_of_script(ctx.conn);
    let work = ScriptWork::new(&ctx.core.shared, args, by, read_only)?.called_by(caller);
    ctx.core.check_not_busy(&work)?;
    ctx.place_work(row, args, Box::new(work));
    Ok(())
}

/// Runs a script for a client that debugs it.
fn debug(ctx: &mut SessionCtx<'_>, row: &'static Row, args: &Args<'_>, read_only: bool, mode: DebugMode) -> Outcome {
    // Replies that wait for the log would wait for the end of the session, and what the debugger says behind them.
    if ctx.session().has_replies_to_come() {
        return Err(DEBUGGED_IN_PIPELINE);
    }
    let work = match ScriptWork::new(&ctx.core.shared, args, CalledBy::Source, read_only) {
        Ok(work) => work,
        Err(error) => {
            ctx.end_debugging();
            return Err(error);
        }
    };
    let patience = u64::try_from(ctx.config().busy_reply_threshold).unwrap_or(0);
    let patience = Duration::from_millis(if patience == 0 { PATIENCE_MILLIS } else { patience });
    let work = work.called_by(ctx.core.caller_of_script(ctx.conn));
    let discards = mode == DebugMode::Discard;
    let work = work.debugged(Session { home: ctx.core.id, patience, discards });
    ctx.core.check_not_busy(&work)?;
    ctx.begin_debugging();
    ctx.place_work(row, args, Box::new(work));
    Ok(())
}

/// A script that is called within other work, which has claimed everything; nothing if `row` calls none.
pub fn within(
    shared: &Shared,
    row: &Row,
    args: &Args<'_>,
    caller: Option<Arc<Caller>>,
) -> Option<Result<ScriptWork, CommandError>> {
    let (by, read_only) = called_by(row)?;
    let work = ScriptWork::new(shared, args, by, read_only);
    Some(work.map(|work| work.with_everything().called_by(caller)))
}

/// What `row` calls a script by, and whether that may only read; nothing if it calls none.
fn called_by(row: &Row) -> Option<(CalledBy, bool)> {
    Some(match row.command.name {
        "eval" => (CalledBy::Source, false),
        "eval_ro" => (CalledBy::Source, true),
        "evalsha" => (CalledBy::Sha, false),
        "evalsha_ro" => (CalledBy::Sha, true),
        "fcall" => (CalledBy::Function, false),
        "fcall_ro" => (CalledBy::Function, true),
        _ => return None,
    })
}

/// What a script's flags decide in the place of its command's.
const DECLARED: Flags = Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Stale, Flag::HeldWithWrites]);

/// The flags of a command as it is called by `args`. A script that says what it does is taken by its word, before it runs;
/// of one that does not, each command is judged when it comes.
pub fn flags_of_call(shared: &Shared, row: &Row, args: &Args<'_>) -> Flags {
    let own = row.command.flags;
    let declared = called_by(row).and_then(|(by, _)| by.flags_of(&shared.scripts, args.at(1)));
    let Some(declared) = declared.filter(|flags| !flags.has(ScriptFlags::UNDECLARED)) else { return own };
    let mut flags = own.without(DECLARED);
    let reads = declared.has(ScriptFlags::NO_WRITES);
    if !reads {
        flags = flags.with(Flag::Write);
    }
    if !reads && !declared.has(ScriptFlags::ALLOW_OOM) {
        flags = flags.with(Flag::Denyoom);
    }
    if declared.has(ScriptFlags::ALLOW_STALE) { flags.with(Flag::Stale) } else { flags }
}
