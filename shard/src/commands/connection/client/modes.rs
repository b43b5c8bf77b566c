//! CLIENT REPLY, NO-EVICT, NO-TOUCH: what the client wants of the server.

use net::{Args, Reply};

use super::{ON_OR_OFF, OTHERS, OWN};
use crate::core::SessionCtx;
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Outcome, Run};
use crate::session::ReplyMode;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Group};

/// CLIENT REPLY ON | OFF | SKIP
pub const REPLY: Command = Command {
    name: "reply",
    arity: Arity::Exactly(3),
    flags: OWN,
    docs: Docs {
        summary: "Says whether the server replies to this connection's commands.",
        since: "3.2.0",
        group: Group::Connection,
        arguments: &[Argument::new(
            "on_off_skip",
            ArgumentKind::OneOf(&[
                Argument::word("on", "ON"),
                Argument::word("off", "OFF"),
                Argument::word("skip", "SKIP"),
            ]),
        )],
        ..Docs::BLANK
    },
    run: Run::Session(reply_mode),
    ..Command::BLANK
};

/// ON is answered, and takes back a SKIP; OFF and SKIP are not answered.
fn reply_mode(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let mode = &mut ctx.session().reply_mode;
    match args.at(2).to_ascii_lowercase().as_slice() {
        b"on" => {
            *mode = ReplyMode::On;
            reply.ok();
        }
        b"off" => *mode = ReplyMode::Off,
        b"skip" if *mode == ReplyMode::Off => {}
        b"skip" => *mode = ReplyMode::SkipNext,
        _ => return Err(SYNTAX),
    }
    Ok(())
}

/// CLIENT NO-EVICT ON | OFF
pub const NO_EVICT: Command = Command {
    name: "no-evict",
    arity: Arity::Exactly(3),
    flags: OTHERS,
    docs: Docs {
        summary: "Says whether the connection may be closed for the memory that clients take.",
        since: "7.0.0",
        group: Group::Connection,
        arguments: ON_OR_OFF,
        ..Docs::BLANK
    },
    run: Run::Session(no_evict),
    ..Command::BLANK
};

fn no_evict(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    ctx.session().no_evict = on_or_off(args.at(2))?;
    reply.ok();
    Ok(())
}

/// CLIENT NO-TOUCH ON | OFF
pub const NO_TOUCH: Command = Command {
    name: "no-touch",
    arity: Arity::Exactly(3),
    flags: OWN,
    docs: Docs {
        summary: "Says whether the connection's commands leave no trace in the access times of keys.",
        since: "7.2.0",
        group: Group::Connection,
        arguments: ON_OR_OFF,
        ..Docs::BLANK
    },
    run: Run::Session(no_touch),
    ..Command::BLANK
};

fn no_touch(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    ctx.session().no_touch = on_or_off(args.at(2))?;
    reply.ok();
    Ok(())
}

fn on_or_off(word: &[u8]) -> Result<bool, CommandError> {
    match word.to_ascii_lowercase().as_slice() {
        b"on" => Ok(true),
        b"off" => Ok(false),
        _ => Err(SYNTAX),
    }
}
