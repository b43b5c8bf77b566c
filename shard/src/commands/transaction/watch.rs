//! WATCH, UNWATCH.

use net::{Args, Reply};

use super::{AT_ONCE, CONTROL};
use crate::core::SessionCtx;
use crate::exec::error::WATCH_IN_MULTI;
use crate::exec::{Outcome, Run};
use crate::spec::table::Row;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flags, Group, KeyFlag, KeySpec};

/// WATCH key [key ...]
pub const WATCH: Command = Command {
    name: "watch",
    arity: Arity::AtLeast(2),
    flags: AT_ONCE,
    keys: &[KeySpec::all_from(1, 1, &[KeyFlag::Ro])],
    docs: Docs {
        summary: "Makes the next EXEC fail if one of the keys is changed until then.",
        since: "2.2.0",
        group: Group::Transactions,
        complexity: "O(1) for every key.",
        arguments: &[Argument::new("key", ArgumentKind::Key(0)).multiple()],
        ..Docs::BLANK
    },
    run: Run::Placed(watch),
    ..Command::BLANK
};

fn watch(ctx: &mut SessionCtx<'_>, row: &'static Row, args: &Args<'_>) -> Outcome {
    if ctx.session().in_transaction() {
        return Err(WATCH_IN_MULTI);
    }
    ctx.place_watch(row, args);
    Ok(())
}

/// UNWATCH
pub const UNWATCH: Command = Command {
    name: "unwatch",
    arity: Arity::Exactly(1),
    flags: Flags::of(CONTROL),
    docs: Docs { summary: "Forgets what is watched.", since: "2.2.0", group: Group::Transactions, ..Docs::BLANK },
    run: Run::Session(unwatch),
    ..Command::BLANK
};

/// Within EXEC there is nothing left to forget: EXEC has looked at it.
fn unwatch(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    if !ctx.session().in_transaction() {
        ctx.core.drop_transaction(ctx.conn);
    }
    reply.ok();
    Ok(())
}
