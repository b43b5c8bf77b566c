//! MULTI, EXEC, DISCARD.

use net::{Args, Reply};

use super::AT_ONCE;
use crate::core::SessionCtx;
use crate::exec::error::{DISCARD_WITHOUT_MULTI, EXEC_ABORT, EXEC_WITHOUT_MULTI, NESTED_MULTI};
use crate::exec::{Outcome, Run};
use crate::mesh::Rule;
use crate::spec::table::Row;
use crate::spec::{Arity, Command, Docs, Flag, Flags, Group};
use crate::txn::exec::Exec;

/// MULTI
pub const MULTI: Command = Command {
    name: "multi",
    arity: Arity::Exactly(1),
    flags: AT_ONCE,
    docs: Docs {
        summary: "Begins a transaction: the commands behind it are kept until EXEC.",
        since: "1.2.0",
        group: Group::Transactions,
        ..Docs::BLANK
    },
    run: Run::Session(multi),
    ..Command::BLANK
};

fn multi(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let transaction = ctx.session().transaction.get_or_insert_default();
    if transaction.is_open {
        return Err(NESTED_MULTI);
    }
    transaction.is_open = true;
    let queue = ctx.core.take_queue();
    ctx.session().transaction.get_or_insert_default().queue = queue;
    reply.ok();
    Ok(())
}

/// EXEC
pub const EXEC: Command = Command {
    name: "exec",
    arity: Arity::Exactly(1),
    flags: Flags::of(&[Flag::Noscript, Flag::Loading, Flag::Stale, Flag::SkipSlowlog, Flag::NotQueued]),
    docs: Docs {
        summary: "Runs the commands of the transaction, if no watched key was changed.",
        since: "1.2.0",
        group: Group::Transactions,
        complexity: "That of its commands",
        ..Docs::BLANK
    },
    run: Run::Placed(exec),
    ..Command::BLANK
};

fn exec(ctx: &mut SessionCtx<'_>, row: &'static Row, args: &Args<'_>) -> Outcome {
    let Some(transaction) = ctx.session().transaction.take_if(|transaction| transaction.is_open) else {
        return Err(EXEC_WITHOUT_MULTI);
    };
    if transaction.is_broken {
        if let Some(watching) = &transaction.watching {
            ctx.core.unwatch(watching);
        }
        return Err(EXEC_ABORT);
    }
    let claims_watched = ctx.core.shared.mesh.holds(Rule::WatchedKeysAreLocked);
    let conn = ctx.conn;
    let user = ctx.core.restricted_user(conn);
    let mut work = Exec::new(transaction.queue, transaction.watching, claims_watched, user);
    work.judge(ctx.core, conn);
    ctx.place_work(row, args, Box::new(work));
    Ok(())
}

/// DISCARD
pub const DISCARD: Command = Command {
    name: "discard",
    arity: Arity::Exactly(1),
    flags: AT_ONCE,
    docs: Docs {
        summary: "Ends the transaction, and forgets its commands and what is watched.",
        since: "2.0.0",
        group: Group::Transactions,
        complexity: "O(N) where N is the number of commands kept",
        ..Docs::BLANK
    },
    run: Run::Session(discard),
    ..Command::BLANK
};

fn discard(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    if !ctx.session().in_transaction() {
        return Err(DISCARD_WITHOUT_MULTI);
    }
    ctx.core.drop_transaction(ctx.conn);
    reply.ok();
    Ok(())
}
