//! MEMORY PURGE and MALLOC-STATS: the allocator itself.

use net::{Args, Reply};

use super::TIPS;
use crate::commands::server::{ok, unchecked};
use crate::core::{Core, SessionCtx};
use crate::exec::{EverywhereCall, Outcome, Run, Share};
use crate::memory;
use crate::spec::{Arity, Command, Docs, Group};

/// MEMORY PURGE
pub const PURGE: Command = Command {
    name: "purge",
    arity: Arity::Exactly(2),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    docs: Docs {
        summary: "Has the allocator give unused memory back to the system.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "Depends on how much memory is allocated, could be slow",
        ..Docs::BLANK
    },
    run: Run::Everywhere { check: unchecked, share: purge, merge: ok },
    ..Command::BLANK
};

/// Each core gives back what its thread keeps; the last one to do so, or any before it, frees the pages of all.
fn purge(_: &mut Core, _: &EverywhereCall<'_>) -> Share {
    memory::flush_thread();
    memory::purge();
    Box::new(())
}

/// MEMORY MALLOC-STATS
pub const MALLOC_STATS: Command = Command {
    name: "malloc-stats",
    arity: Arity::Exactly(2),
    tips: TIPS,
    docs: Docs {
        summary: "Answers the allocator's own report.",
        since: "4.0.0",
        group: Group::Server,
        complexity: "Depends on how much memory is allocated, could be slow",
        ..Docs::BLANK
    },
    run: Run::Session(malloc_stats),
    ..Command::BLANK
};

fn malloc_stats(_: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    reply.verbatim("txt", &memory::allocator_report());
    Ok(())
}
