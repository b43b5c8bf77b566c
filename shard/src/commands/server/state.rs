//! TIME, LASTSAVE, ROLE.

use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use net::{Args, Reply};

use crate::core::SessionCtx;
use crate::exec::{Outcome, Run};
use crate::spec::{Arity, Categories, Category, Command, Docs, Flag, Flags, Group};

const NONDETERMINISTIC: &[&str] = &["nondeterministic_output"];

/// TIME
pub const TIME: Command = Command {
    name: "time",
    arity: Arity::Exactly(1),
    flags: Flags::of(&[Flag::Loading, Flag::Stale, Flag::Fast]),
    tips: NONDETERMINISTIC,
    docs: Docs {
        summary: "Answers the server's time: seconds since 1970 and microseconds of the running second.",
        since: "2.6.0",
        group: Group::Server,
        ..Docs::BLANK
    },
    run: Run::Session(time),
    ..Command::BLANK
};

fn time(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let micros = micros_since_1970(ctx);
    reply.array(2);
    reply.bulk_integer(micros / 1_000_000);
    reply.bulk_integer(micros % 1_000_000);
    Ok(())
}

/// The time of day to the microsecond; to the millisecond where a simulation turns the clock.
pub(super) fn micros_since_1970(ctx: &SessionCtx<'_>) -> i64 {
    let millis = ctx.now().0;
    let precise = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as i64;
    if precise / 1000 - millis <= 1 { precise.max(millis * 1000) } else { millis * 1000 }
}

/// LASTSAVE
pub const LASTSAVE: Command = Command {
    name: "lastsave",
    arity: Arity::Exactly(1),
    flags: Flags::of(&[Flag::Loading, Flag::Stale, Flag::Fast]),
    categories: Categories::of(&[Category::Admin, Category::Dangerous]),
    tips: NONDETERMINISTIC,
    docs: Docs {
        summary: "Answers when the data set was last saved, in seconds since 1970; at first, when the server started.",
        since: "1.0.0",
        group: Group::Server,
        ..Docs::BLANK
    },
    run: Run::Session(last_save),
    ..Command::BLANK
};

fn last_save(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    reply.integer(ctx.core.shared.last_save_seconds.load(Ordering::Relaxed));
    Ok(())
}

/// ROLE
pub const ROLE: Command = Command {
    name: "role",
    arity: Arity::Exactly(1),
    flags: Flags::of(&[Flag::Noscript, Flag::Loading, Flag::Stale, Flag::Fast]),
    categories: Categories::of(&[Category::Admin, Category::Dangerous]),
    docs: Docs {
        summary: "Tells the server's part in replication.",
        since: "2.8.12",
        group: Group::Server,
        ..Docs::BLANK
    },
    run: Run::Session(role),
    ..Command::BLANK
};

/// A master without replicas, whose stream of changes is at its beginning.
fn role(_: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    reply.array(3);
    reply.bulk(b"master");
    reply.integer(0);
    reply.array(0);
    Ok(())
}
