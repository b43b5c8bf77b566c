//! CLIENT TRACKINGINFO and GETREDIR: how the connection tracks.

use std::collections::BTreeSet;

use net::{Args, Reply};

use super::OWN;
use crate::core::SessionCtx;
use crate::exec::{Outcome, Run};
use crate::spec::{Arity, Command, Docs, Group};
use crate::tracking::{Choice, Mode};

/// CLIENT GETREDIR
pub const GETREDIR: Command = Command {
    name: "getredir",
    arity: Arity::Exactly(2),
    flags: OWN,
    docs: Docs {
        summary: "Answers to which client this one's invalidation messages go, or -1 if it tracks nothing.",
        since: "6.0.0",
        group: Group::Connection,
        ..Docs::BLANK
    },
    run: Run::Session(redirection),
    ..Command::BLANK
};

fn redirection(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    reply.integer(redirect_of(ctx.session().tracking.as_deref()));
    Ok(())
}

/// The client that is told in place of one that tracks so: 0 if it is told itself, -1 if it does not track.
pub(super) fn redirect_of(mode: Option<&Mode>) -> i64 {
    mode.map_or(-1, |mode| mode.redirect.map_or(0, |client| client.0 as i64))
}

/// CLIENT TRACKINGINFO
pub const TRACKINGINFO: Command = Command {
    name: "trackinginfo",
    arity: Arity::Exactly(2),
    flags: OWN,
    docs: Docs {
        summary: "Tells whether and how the connection is told of changed keys.",
        since: "6.2.0",
        group: Group::Connection,
        ..Docs::BLANK
    },
    run: Run::Session(tracking),
    ..Command::BLANK
};

fn tracking(ctx: &mut SessionCtx<'_>, _: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let mode = ctx.session().tracking.as_deref();
    reply.map(3);
    reply.bulk(b"flags");
    let flags = flags(mode);
    reply.set(flags.len());
    for flag in flags {
        reply.bulk(flag.as_bytes());
    }
    reply.bulk(b"redirect");
    reply.integer(redirect_of(mode));
    reply.bulk(b"prefixes");
    let prefixes = mode.map(|mode| &mode.prefixes);
    reply.array(prefixes.map_or(0, BTreeSet::len));
    for prefix in prefixes.into_iter().flatten() {
        reply.bulk(prefix);
    }
    Ok(())
}

fn flags(mode: Option<&Mode>) -> Vec<&'static str> {
    let Some(mode) = mode else { return vec!["off"] };
    let flags = [
        (true, "on"),
        (mode.broadcast, "bcast"),
        (mode.choice == Choice::OptIn, "optin"),
        (mode.choice == Choice::OptIn && mode.caching, "caching-yes"),
        (mode.choice == Choice::OptOut, "optout"),
        (mode.choice == Choice::OptOut && mode.caching, "caching-no"),
        (mode.no_loop, "noloop"),
        (mode.is_broken, "broken_redirect"),
    ];
    flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).collect()
}
