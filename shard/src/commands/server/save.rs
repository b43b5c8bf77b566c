//! SAVE and BGSAVE: snapshots on request.
//!
//! Both make the same cut and write the same file, and neither holds other clients up. Whoever calls SAVE is answered when
//! the file is on disk; whoever calls BGSAVE, when the cut is made, so what is written behind the reply is not in the file.

use net::{Args, Reply};

use crate::commands::parse::is_word;
use crate::core::SessionCtx;
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, Outcome, Run};
use crate::snapshot::Kind;
use crate::spec::{Argument, Arity, Command, Docs, Flag, Flags, Group};

const IN_PROGRESS: CommandError = CommandError::new("ERR Background save already in progress");

/// SAVE
pub const SAVE: Command = Command {
    name: "save",
    arity: Arity::Exactly(1),
    flags: Flags::of(&[Flag::Admin, Flag::Noscript, Flag::NoAsyncLoading, Flag::NoMulti]),
    docs: Docs {
        summary: "Writes a snapshot of the data set to disk, and answers when it is there.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(N) where N is the number of keys in all databases",
        ..Docs::BLANK
    },
    run: Run::Session(save),
    ..Command::BLANK
};

/// BGSAVE \[SCHEDULE\]
pub const BGSAVE: Command = Command {
    name: "bgsave",
    arity: Arity::AtLeast(1),
    flags: Flags::of(&[Flag::Admin, Flag::Noscript, Flag::NoAsyncLoading]),
    docs: Docs {
        summary: "Writes a snapshot of the data set to disk in the background.",
        since: "1.0.0",
        group: Group::Server,
        complexity: "O(1)",
        history: &[("3.2.2", "Option `SCHEDULE`.")],
        arguments: &[Argument::word("schedule", "SCHEDULE").optional().since("3.2.2")],
        ..Docs::BLANK
    },
    run: Run::Session(bgsave),
    ..Command::BLANK
};

/// A snapshot that somebody asked for by SAVE is waited for, as in Redis; one in the background is not.
fn refuse_second(ctx: &SessionCtx<'_>) -> Outcome {
    match ctx.core.shared.snapshots.current() {
        Some(job) if job.kind == Kind::Background => Err(IN_PROGRESS),
        _ => Ok(()),
    }
}

fn save(ctx: &mut SessionCtx<'_>, _: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    refuse_second(ctx)?;
    let waiter = ctx.core.expect_outcome(ctx.conn);
    ctx.core.want_save(Kind::Foreground, Some(waiter));
    Ok(())
}

/// It may wait for a rewrite of the append-only file, for a disk that is full, and in a transaction for its end: then it is
/// scheduled. Redis wants to be told `SCHEDULE` for the first, since it refuses otherwise; here that makes no difference.
fn bgsave(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    if args.len() > 2 || args.get(1).is_some_and(|word| !is_word(word, "SCHEDULE")) {
        return Err(SYNTAX);
    }
    refuse_second(ctx)?;
    let shared = &ctx.core.shared;
    let waits = shared.snapshots.current().is_some_and(|job| job.kind == Kind::Rewrite)
        || (shared.log.is_on() && shared.log.epochs.is_failing());
    if waits || ctx.session().info.executes.is_some() {
        ctx.core.want_save(Kind::Background, None);
        reply.simple("Background saving scheduled");
        return Ok(());
    }
    let waiter = ctx.core.expect_outcome(ctx.conn);
    ctx.core.want_save(Kind::Background, Some(waiter));
    ctx.core.push_before_more(ctx.conn);
    Ok(())
}
