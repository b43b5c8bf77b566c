//! CLIENT PAUSE, UNPAUSE, UNBLOCK.
//!
//! A pause holds back the commands of all clients on all cores, or those that may write, each where its client lives. A
//! second pause makes the first one longer or wider, never shorter or narrower. Meanwhile nothing expires: a key past its
//! time is hidden from who reads, and is removed when the pause is over.

use net::{Args, Reply};
use storage::UnixMillis;
use storage::number::parse_i64;

use super::OTHERS;
use crate::core::{Core, SessionCtx};
use crate::exec::error::{NOT_AN_INTEGER, wrong_subcommand_arity};
use crate::exec::{CommandError, EverywhereCall, Outcome, Run, Share};
use crate::ids::ClientId;
use crate::shared::Pause;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Group};
use crate::wait::Ended;

const BAD_MODE: CommandError = CommandError::new("ERR CLIENT PAUSE mode must be WRITE or ALL");
const TIMEOUT_NOT_AN_INTEGER: CommandError = CommandError::new("ERR timeout is not an integer or out of range");
const TIMEOUT_NEGATIVE: CommandError = CommandError::new("ERR timeout is negative");
const TIMEOUT_TOO_LONG: CommandError = CommandError::new("ERR timeout is out of range");
const BAD_REASON: CommandError = CommandError::new("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");

/// CLIENT PAUSE timeout \[WRITE | ALL\]
pub const PAUSE: Command = Command {
    name: "pause",
    arity: Arity::AtLeast(3),
    flags: OTHERS,
    docs: Docs {
        summary: "Holds all commands back for so many milliseconds, or only those that may write.",
        since: "2.9.50",
        group: Group::Connection,
        history: &[("6.2.0", "The mode, and with it `WRITE`.")],
        arguments: &[
            Argument::new("timeout", ArgumentKind::Integer),
            Argument::new(
                "mode",
                ArgumentKind::OneOf(&[Argument::word("write", "WRITE"), Argument::word("all", "ALL")]),
            )
            .optional()
            .since("6.2.0"),
        ],
        ..Docs::BLANK
    },
    run: Run::Session(pause),
    ..Command::BLANK
};

fn pause(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    if args.len() > 4 {
        return Err(wrong_subcommand_arity(args.at(1), "client"));
    }
    let all = match args.get(3) {
        Some(mode) if mode.eq_ignore_ascii_case(b"write") => false,
        Some(mode) if mode.eq_ignore_ascii_case(b"all") => true,
        Some(_) => return Err(BAD_MODE),
        None => true,
    };
    let millis = parse_i64(args.at(2)).ok_or(TIMEOUT_NOT_AN_INTEGER)?;
    if millis < 0 {
        return Err(TIMEOUT_NEGATIVE);
    }
    let now = ctx.now();
    let until = now.0.checked_add(millis).ok_or(TIMEOUT_TOO_LONG)?;
    ctx.core.shared.extend_pause(now, Pause { until: UnixMillis(until), all });
    // What comes behind in this very pipeline is paused, too.
    ctx.core.shard.expiry_held = true;
    reply.ok();
    Ok(())
}

/// CLIENT UNPAUSE
pub const UNPAUSE: Command = Command {
    name: "unpause",
    arity: Arity::Exactly(2),
    flags: OTHERS,
    docs: Docs {
        summary: "Ends a pause before its time.",
        since: "6.2.0",
        group: Group::Connection,
        complexity: "O(N) where N is the number of paused clients",
        ..Docs::BLANK
    },
    run: Run::Session(unpause),
    ..Command::BLANK
};

fn unpause(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    ctx.core.shared.set_pause(None);
    ctx.core.shard.expiry_held = false;
    reply.ok();
    Ok(())
}

/// CLIENT UNBLOCK client-id \[TIMEOUT | ERROR\]
pub const UNBLOCK: Command = Command {
    name: "unblock",
    arity: Arity::AtLeast(3),
    flags: OTHERS,
    docs: Docs {
        summary: "Ends the wait of another client's blocking command.",
        since: "5.0.0",
        group: Group::Connection,
        complexity: "O(log N) where N is the number of client connections",
        arguments: &[
            Argument::new("client-id", ArgumentKind::Integer),
            Argument::new(
                "timeout_error",
                ArgumentKind::OneOf(&[Argument::word("timeout", "TIMEOUT"), Argument::word("error", "ERROR")]),
            )
            .optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Everywhere { check: check_unblock, share: unblock, merge: unblocked },
    ..Command::BLANK
};

fn check_unblock(_: &mut SessionCtx<'_>, args: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    if args.len() > 4 {
        return Err(wrong_subcommand_arity(args.at(1), "client"));
    }
    reason(args)?;
    parse_i64(args.at(2)).ok_or(NOT_AN_INTEGER)?;
    Ok(())
}

/// How the wait is to end.
fn reason(args: &Args<'_>) -> Result<Ended, CommandError> {
    match args.get(3) {
        None => Ok(Ended::TimedOut),
        Some(word) if word.eq_ignore_ascii_case(b"timeout") => Ok(Ended::TimedOut),
        Some(word) if word.eq_ignore_ascii_case(b"error") => Ok(Ended::WithError),
        Some(_) => Err(BAD_REASON),
    }
}

fn unblock(core: &mut Core, call: &EverywhereCall<'_>) -> Share {
    let how = reason(&call.args).expect("the arguments were checked before they were sent");
    let client = parse_i64(call.args.at(2)).and_then(|id| u64::try_from(id).ok());
    Box::new(client.is_some_and(|id| core.unblock(ClientId(id), how)))
}

fn unblocked(_: &mut SessionCtx<'_>, _: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let waited = shares.into_iter().any(|share| *share.downcast::<bool>().expect("each core says whether it did"));
    reply.integer(i64::from(waited));
    Ok(())
}
