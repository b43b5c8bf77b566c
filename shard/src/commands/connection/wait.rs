//! WAIT and WAITAOF: waiting until what the client has written is somewhere safe.
//!
//! There are no replicas, so whoever waits for one waits until its time is over. For this server's own files see
//! `core/logging/acks.rs`. In a transaction, where nothing waits, both say how far things are.

use std::sync::Arc;

use net::{Args, Flow, Reply};
use storage::UnixMillis;

use crate::commands::parse::{parse_i64, parse_in};
use crate::core::{Blocked, NO_LOG, SessionCtx, Tries};
use crate::exec::{CommandError, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, CommandTable, Docs, Flag, Flags, Group};
use crate::wait::{Claim, Nothing};

const TIMEOUT_NOT_AN_INTEGER: CommandError = CommandError::new("ERR timeout is not an integer or out of range");
const TIMEOUT_NEGATIVE: CommandError = CommandError::new("ERR timeout is negative");
const TIMEOUT_OUT_OF_RANGE: CommandError = CommandError::new("ERR timeout is out of range");
const NOT_POSITIVE: CommandError = CommandError::new("ERR value is out of range, must be positive");

/// WAIT numreplicas timeout
pub const WAIT: Command = Command {
    name: "wait",
    arity: Arity::Exactly(3),
    flags: Flags::of(&[Flag::Noscript]),
    tips: &["request_policy:all_shards", "response_policy:agg_min"],
    docs: Docs {
        summary: "Waits until replicas have what the connection has written, and says how many do.",
        since: "3.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        arguments: &[
            Argument::new("numreplicas", ArgumentKind::Integer),
            Argument::new("timeout", ArgumentKind::Integer),
        ],
        ..Docs::BLANK
    },
    run: Run::Session(wait),
    ..Command::BLANK
};

fn wait(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let replicas = parse_i64(args.at(1))?;
    let deadline = parse_millis(args.at(2), ctx.now())?;
    if replicas <= 0 || ctx.session().info.executes.is_some() {
        reply.integer(0);
    } else {
        hold(ctx, args, deadline, Nothing::Zero);
    }
    Ok(())
}

/// WAITAOF numlocal numreplicas timeout
pub const WAITAOF: Command = Command {
    name: "waitaof",
    arity: Arity::Exactly(4),
    flags: Flags::of(&[Flag::Noscript, Flag::Blocking]),
    tips: &["request_policy:all_shards", "response_policy:agg_min"],
    docs: Docs {
        summary: "Waits until what the connection has written is synced to the append-only files, here and at replicas.",
        since: "7.2.0",
        group: Group::Generic,
        complexity: "O(1)",
        arguments: &[
            Argument::new("numlocal", ArgumentKind::Integer),
            Argument::new("numreplicas", ArgumentKind::Integer),
            Argument::new("timeout", ArgumentKind::Integer),
        ],
        ..Docs::BLANK
    },
    run: Run::Session(waitaof),
    ..Command::BLANK
};

fn waitaof(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let wants_local = parse_in(args.at(1), 0..=1)? == 1;
    let replicas = parse_i64(args.at(2)).ok().filter(|&replicas| replicas >= 0).ok_or(NOT_POSITIVE)?;
    let deadline = parse_millis(args.at(3), ctx.now())?;
    if wants_local && !ctx.core.shared.log.is_on() {
        return Err(NO_LOG);
    }
    let asks_only = !wants_local && replicas == 0;
    if asks_only || ctx.session().info.executes.is_some() {
        let is_synced = ctx.core.is_synced(ctx.conn);
        reply.array(2);
        reply.integer(i64::from(is_synced));
        reply.integer(0);
    } else {
        let seq = hold(ctx, args, deadline, Nothing::Synced);
        ctx.core.wait_for_sync(ctx.conn, seq, wants_local, replicas > 0);
    }
    Ok(())
}

/// When a timeout in milliseconds is over; none for 0, which is for ever.
fn parse_millis(arg: &[u8], now: UnixMillis) -> Result<Option<UnixMillis>, CommandError> {
    let millis = parse_i64(arg).map_err(|_| TIMEOUT_NOT_AN_INTEGER)?;
    match millis {
        ..0 => Err(TIMEOUT_NEGATIVE),
        0 => Ok(None),
        _ => now.0.checked_add(millis).map(UnixMillis).map(Some).ok_or(TIMEOUT_OUT_OF_RANGE),
    }
}

/// The client waits, and is not read meanwhile; the place of its reply.
fn hold(ctx: &mut SessionCtx<'_>, args: &Args<'_>, deadline: Option<UnixMillis>, nothing: Nothing) -> u32 {
    let seq = ctx.core.expect_outcome(ctx.conn).seq;
    let row = CommandTable::global().find(args.at(0)).expect("it was found when it came");
    let blocked = Blocked {
        seq,
        claim: Claim::default(),
        deadline,
        look_again: None,
        nothing,
        shards: Vec::new(),
        command: row.id,
        args: Arc::new(args.to_owned()),
        is_whole: true,
        tries: Tries::None,
    };
    ctx.core.block(ctx.conn, blocked);
    ctx.core.hold_if_blocked(ctx.conn);
    ctx.flow = Flow::Hold;
    seq
}
