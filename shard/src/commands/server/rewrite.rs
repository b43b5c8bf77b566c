//! BGREWRITEAOF: a new base for the append-only files, and new files behind it.

use net::{Args, Reply};

use crate::core::SessionCtx;
use crate::exec::{CommandError, Outcome, Run};
use crate::snapshot::Kind;
use crate::spec::{Arity, Command, Docs, Flag, Flags, Group};

const IN_PROGRESS: CommandError = CommandError::new("ERR Background append only file rewriting already in progress");

/// BGREWRITEAOF
pub const BGREWRITEAOF: Command = Command {
    name: "bgrewriteaof",
    arity: Arity::Exactly(1),
    flags: Flags::of(&[Flag::Admin, Flag::Noscript, Flag::NoAsyncLoading]),
    docs: Docs {
        summary: "Makes the append-only files anew, from what is in memory.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(1)",
        ..Docs::BLANK
    },
    run: Run::Session(bgrewriteaof),
    ..Command::BLANK
};

fn bgrewriteaof(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let shared = &ctx.core.shared;
    if shared.is_rewriting() {
        return Err(IN_PROGRESS);
    }
    let is_late = shared.snapshots.current().is_some() || ctx.session().info.executes.is_some();
    if is_late || !ctx.core.begin_save(Kind::Rewrite, None) {
        ctx.core.shared.log.want_rewrite();
    }
    let in_transaction = ctx.session().info.executes.is_some();
    let has_begun = !in_transaction && ctx.core.shared.is_rewriting();
    let what = if has_begun { "started" } else { "scheduled" };
    reply.simple(&format!("Background append only file rewriting {what}"));
    Ok(())
}
