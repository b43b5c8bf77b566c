//! MONITOR.

use net::{Args, Reply};

use super::ADMIN;
use crate::core::SessionCtx;
use crate::exec::{Outcome, Run};
use crate::spec::{Arity, Command, Docs, Group};

/// MONITOR
pub const MONITOR: Command = Command {
    name: "monitor",
    arity: Arity::Exactly(1),
    flags: ADMIN,
    docs: Docs {
        summary: "Shows every command that is run, until the connection is closed or reset.",
        since: "1.0.0",
        group: Group::Server,
        ..Docs::BLANK
    },
    run: Run::Session(monitor),
    ..Command::BLANK
};

/// A client that monitors already gets no reply, as in Redis.
fn monitor(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let conn = ctx.conn;
    if ctx.core.monitor(conn, true) {
        reply.ok();
    }
    Ok(())
}
