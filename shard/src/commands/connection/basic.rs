//! PING, ECHO, SELECT, RESET, QUIT.

use std::sync::Arc;

use net::{Args, Flow, Reply, Resp};

use crate::commands::parse::parse_db;
use crate::commands::pubsub::drop_subscriptions;
use crate::core::SessionCtx;
use crate::exec::error::wrong_arity;
use crate::exec::{Outcome, Run};
use crate::ids::DbId;
use crate::session::ReplyMode;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group};

/// What commands of a connection that anyone may send have in common.
pub(super) const ANYONE: Flags =
    Flags::of(&[Flag::Noscript, Flag::Loading, Flag::Stale, Flag::Fast, Flag::NoAuth, Flag::AllowBusy]);

/// PING \[message\]
pub const PING: Command = Command {
    name: "ping",
    arity: Arity::AtLeast(1),
    flags: Flags::of(&[Flag::Fast, Flag::WhileSubscribed]),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    docs: Docs {
        summary: "Answers PONG, or the message, so that a client sees the server is there.",
        since: "1.0.0",
        group: Group::Connection,
        arguments: &[Argument::new("message", ArgumentKind::String).optional()],
        ..Docs::BLANK
    },
    run: Run::Session(ping),
    ..Command::BLANK
};

/// A subscribed client of RESP2 gets an answer that looks like a message.
fn ping(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    // A script has no connection.
    let is_restricted = ctx.core.session(ctx.conn).is_some_and(|session| session.is_restricted());
    if args.len() <= 2 && is_restricted {
        reply.array(2);
        reply.bulk(b"pong");
        reply.bulk(args.get(1).unwrap_or_default());
        return Ok(());
    }
    match (args.len(), args.get(1)) {
        (..=2, None) => reply.simple("PONG"),
        (..=2, Some(message)) => reply.bulk(message),
        _ => return Err(wrong_arity("ping")),
    }
    Ok(())
}

/// ECHO message
pub const ECHO: Command = Command {
    name: "echo",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Loading, Flag::Stale, Flag::Fast]),
    docs: Docs {
        summary: "Answers the message.",
        since: "1.0.0",
        group: Group::Connection,
        arguments: &[Argument::new("message", ArgumentKind::String)],
        ..Docs::BLANK
    },
    run: Run::Session(echo),
    ..Command::BLANK
};

fn echo(_: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    reply.bulk(args.at(1));
    Ok(())
}

/// SELECT index
pub const SELECT: Command = Command {
    name: "select",
    arity: Arity::Exactly(2),
    flags: Flags::of(&[Flag::Loading, Flag::Stale, Flag::Fast]),
    docs: Docs {
        summary: "Chooses the database that the connection's further commands work on.",
        since: "1.0.0",
        group: Group::Connection,
        arguments: &[Argument::new("index", ArgumentKind::Integer)],
        ..Docs::BLANK
    },
    run: Run::Session(select),
    ..Command::BLANK
};

fn select(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let db = parse_db(args.at(1), ctx.core.shard.databases.len())?;
    ctx.session().db = db;
    reply.ok();
    Ok(())
}

/// RESET
pub const RESET: Command = Command {
    name: "reset",
    arity: Arity::Exactly(1),
    flags: ANYONE.with(Flag::WhileSubscribed).with(Flag::NotQueued),
    docs: Docs {
        summary: "Brings the connection back to the state in which it was opened.",
        since: "6.2.0",
        group: Group::Connection,
        ..Docs::BLANK
    },
    run: Run::Subscribe(reset),
    ..Command::BLANK
};

/// `CLIENT NO-EVICT` and the library's name stay, as in Redis: they are about the client and not about its state.
fn reset(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let conn = ctx.conn;
    ctx.core.track(conn, None);
    ctx.core.monitor(conn, false);
    ctx.core.drop_transaction(ctx.conn);
    ctx.core.refresh_users();
    let users = Arc::clone(ctx.core.users());
    let session = ctx.session();
    session.become_user(users.default_user(), users.default_user().is_open(), &users);
    session.db = DbId(0);
    session.resp = Resp::V2;
    session.reply_mode = ReplyMode::On;
    session.no_touch = false;
    session.info.name.clear();
    drop_subscriptions(ctx);
    reply.simple("RESET");
    Ok(())
}

/// QUIT
pub const QUIT: Command = Command {
    name: "quit",
    arity: Arity::AtLeast(1),
    flags: ANYONE.with(Flag::WhileSubscribed).with(Flag::NotQueued),
    docs: Docs {
        summary: "Closes the connection once everything before it was answered.",
        since: "1.0.0",
        group: Group::Connection,
        ..Docs::BLANK
    },
    run: Run::Session(quit),
    ..Command::BLANK
};

fn quit(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    ctx.flow = Flow::Close;
    reply.ok();
    Ok(())
}
