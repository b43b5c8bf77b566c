//! INFO: what the server is and does, in sections of `name:value` lines.
//!
//! | file | what it holds |
//! |---|---|
//! | `section.rs` | which sections there are, and which are asked for |
//! | `share.rs` | what each core tells, and the sum |
//! | `text.rs` | writing sections and lines |
//! | `server.rs` | Server, Clients, CPU, Modules, Cluster |
//! | `memory.rs` | Memory |
//! | `activity.rs` | Persistence, Stats, Replication, Shards, Keyspace |
//! | `commands.rs` | Commandstats, Errorstats, Latencystats |
//!
//! Sections and fields are those of Redis 7, in its order, with `Shards` and a few fields more. A field whose subject does
//! not exist here has the value that a Redis without it shows.

mod activity;
mod commands;
mod memory;
mod section;
mod server;
mod share;
mod text;

use net::{Args, Reply};

use section::{Section, Sections};
use share::{CoreShare, Totals};
use text::Report;

use super::shares_of;
use crate::commands::server::unchecked;
use crate::core::SessionCtx;
use crate::exec::{Outcome, Run, Share};
use crate::spec::{Argument, ArgumentKind, Arity, Categories, Category, Command, Docs, Flag, Flags, Group};

/// INFO \[section...\]
pub const INFO: Command = Command {
    name: "info",
    arity: Arity::AtLeast(1),
    flags: Flags::of(&[Flag::Loading, Flag::Stale, Flag::LooksAtKeys]),
    categories: Categories::of(&[Category::Dangerous]),
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    docs: Docs {
        summary: "Tells what the server is and what it has done.",
        since: "1.0.0",
        group: Group::Server,
        history: &[("7.0.0", "Takes several sections.")],
        arguments: &[Argument::new("section", ArgumentKind::String).optional().multiple()],
        ..Docs::BLANK
    },
    run: Run::Everywhere {
        check: unchecked,
        share: |core, call| Box::new(CoreShare::of(core, Sections::parse(&call.args))),
        merge,
    },
    ..Command::BLANK
};

fn merge(ctx: &mut SessionCtx<'_>, args: &Args<'_>, shares: Vec<Share>, reply: &mut Reply<'_>) -> Outcome {
    let sections = Sections::parse(args);
    let shares: Vec<CoreShare> = shares_of(shares).collect();
    let totals = Totals::of(&shares);
    let mut report = Report::default();
    for section in Section::ALL.into_iter().filter(|section| sections.has(*section)) {
        report.section(section.title());
        match section {
            Section::Server => server::server(ctx, &mut report),
            Section::Clients => server::clients(&ctx.config(), &totals, &ctx.core.shared.trackers, &mut report),
            Section::Memory => memory::memory(ctx, &totals, &mut report),
            Section::Persistence => activity::persistence(ctx, &totals, &mut report),
            Section::Stats => activity::stats(ctx, &totals, &mut report),
            Section::Replication => activity::replication(ctx, &mut report),
            Section::Cpu => server::cpu(&shares, &mut report),
            Section::Modules => {}
            Section::Commandstats => commands::calls(&totals, &mut report),
            Section::Errorstats => commands::errors(&totals, &mut report),
            Section::Latencystats => commands::latencies(&totals, &ctx.config(), &mut report),
            Section::Cluster => server::cluster(&ctx.config(), &mut report),
            Section::Shards => activity::shards(&shares, &mut report),
            Section::Keyspace => activity::keyspace(&totals, &mut report),
        }
    }
    reply.verbatim("txt", report.text().as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests;
