//! CONFIG: reading and changing the configuration while the server runs.
//!
//! A change is staged as a whole, its effects on the running server are put in place one after another (`effects.rs`), and
//! only then is it published: if any part fails, what was done is undone and nothing has changed. Cores take the new
//! configuration at the beginning of their next tick, before they run anything that came after the change.

mod effects;

use net::{Args, Reply};

use super::{ADMIN, ok, unchecked};
use crate::commands::help;
use crate::config::{Directive, RewriteOptions, SetContext, directives};
use crate::core::{Core, SessionCtx};
use crate::exec::error::SYNTAX;
use crate::exec::{CommandError, EverywhereCall, Outcome, Run, Share};
use crate::session::is_local;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Group};

/// CONFIG subcommand
pub const CONFIG: Command = Command {
    name: "config",
    arity: Arity::AtLeast(2),
    docs: Docs {
        summary: "Commands about the configuration.",
        since: "2.0.0",
        group: Group::Server,
        complexity: "Depends on subcommand.",
        ..Docs::BLANK
    },
    subcommands: &[GET, RESETSTAT, REWRITE, SET, help::command(Group::Server, "5.0.0")],
    run: Run::Container,
    ..Command::BLANK
};

const GET: Command = Command {
    name: "get",
    arity: Arity::AtLeast(3),
    flags: ADMIN,
    docs: Docs {
        summary: "Answers the directives that fit the patterns, and their values.",
        since: "2.0.0",
        group: Group::Server,
        complexity: "O(N) when N is the number of configuration parameters provided",
        history: &[("7.0.0", "Takes several patterns.")],
        arguments: &[Argument::new(
            "parameter",
            ArgumentKind::Block(&[Argument::new("parameter", ArgumentKind::String)]),
        )
        .multiple()],
        ..Docs::BLANK
    },
    run: Run::Session(get),
    ..Command::BLANK
};

fn get(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let patterns: Vec<&[u8]> = args.from(2).collect();
    let found = ctx.config().get(&patterns);
    reply.map(found.len());
    for (name, value) in found {
        reply.bulk(name.as_bytes());
        reply.bulk(&value);
    }
    Ok(())
}

const SET: Command = Command {
    name: "set",
    arity: Arity::AtLeast(4),
    flags: ADMIN,
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    docs: Docs {
        summary: "Gives directives new values, all or none of them.",
        since: "2.0.0",
        group: Group::Server,
        complexity: "O(N) when N is the number of configuration parameters provided",
        history: &[("7.0.0", "Takes several directives.")],
        arguments: &[Argument::new(
            "parameter_value",
            ArgumentKind::Block(&[
                Argument::new("parameter", ArgumentKind::String),
                Argument::new("value", ArgumentKind::String),
            ]),
        )
        .multiple()],
        ..Docs::BLANK
    },
    // Who is answered finds all cores obey: each has taken the configuration when it gives its share.
    run: Run::Everywhere { check: set, share: |_, _| Box::new(()), merge: ok },
    ..Command::BLANK
};

fn set(ctx: &mut SessionCtx<'_>, args: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    if !args.len().is_multiple_of(2) {
        return Err(SYNTAX);
    }
    let is_sensitive = |name: &[u8]| directives::lookup(name).is_some_and(Directive::is_sensitive);
    for place in (2..args.len()).step_by(2).filter(|&place| is_sensitive(args.at(place))) {
        ctx.redact(place + 1);
    }
    let pairs: Vec<(&[u8], &[u8])> = (2..args.len()).step_by(2).map(|at| (args.at(at), args.at(at + 1))).collect();
    let local = is_local(&ctx.session().info.endpoint);
    let allow_protected = ctx.config().enable_protected_configs.allows(local);
    let context = SetContext { allow_protected, loading: ctx.core.shared.snapshots.has_loading() };
    let shared = &ctx.core.shared;
    let changed = shared.change_config(|config| {
        let staged = config.stage(&pairs, context)?;
        effects::apply(shared, config, &staged)?;
        *config = staged.config;
        Ok(())
    });
    changed.map_err(|error: crate::config::ConfigError| CommandError::text(error.to_string()))?;
    ctx.core.refresh_config();
    Ok(())
}

const REWRITE: Command = Command {
    name: "rewrite",
    arity: Arity::Exactly(2),
    flags: ADMIN,
    docs: Docs {
        summary: "Brings the configuration file up to the configuration.",
        since: "2.8.0",
        group: Group::Server,
        ..Docs::BLANK
    },
    run: Run::Session(|ctx, _, reply| {
        rewrite(ctx, false)?;
        reply.ok();
        Ok(())
    }),
    ..Command::BLANK
};

/// Rewrites the configuration file; with every directive in it, if `force_all`.
pub(super) fn rewrite(ctx: &SessionCtx<'_>, force_all: bool) -> Outcome {
    let config = ctx.config();
    if config.file.is_none() {
        return Err(CommandError::new("ERR The server is running without a config file"));
    }
    // With a file of users that is what has them.
    let users = config.aclfile.is_empty().then(|| ctx.core.shared.acl.users().config_lines());
    config.rewrite(&RewriteOptions { users, force_all }).map_err(|error| {
        tracing::warn!("CONFIG REWRITE failed: {error}");
        CommandError::text(format!("ERR Rewriting config file: {}", crate::config::error::system_text(&error)))
    })?;
    tracing::info!("CONFIG REWRITE executed with success.");
    Ok(())
}

const RESETSTAT: Command = Command {
    name: "resetstat",
    arity: Arity::Exactly(2),
    flags: ADMIN,
    docs: Docs {
        summary: "Sets the counts that INFO shows to zero.",
        since: "2.0.0",
        group: Group::Server,
        ..Docs::BLANK
    },
    run: Run::Everywhere { check: unchecked, share: reset_stats, merge: ok },
    ..Command::BLANK
};

/// What counts events begins anew; what measures a state (changes since the last save, memory) stays.
fn reset_stats(core: &mut Core, _: &EverywhereCall<'_>) -> Share {
    core.stats.reset();
    core.rates = crate::core::Rates::default();
    let counters = &mut core.shard.counters;
    counters.hits = 0;
    counters.misses = 0;
    counters.expired_keys = 0;
    counters.expired_fields = 0;
    counters.evicted_keys = 0;
    counters.lazyfreed_objects = 0;
    if core.id.index() == 0 {
        core.shared.refused_clients.store(0, std::sync::atomic::Ordering::Relaxed);
        core.shared.acl.counts.reset();
        core.shared.budget.reset_exceeded(core.micros());
    }
    Box::new(())
}
