//! SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE, and their opposites.
//!
//! Each name is answered by a message of its own: what was done, the name, and how many subscriptions the client has then,
//! whether anything has changed or not.

use std::sync::Arc;

use net::{Args, Reply};

use crate::core::SessionCtx;
use crate::exec::{Outcome, Run, SessionHandler};
use crate::pubsub::{Change, Kind};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const FLAGS: Flags = Flags::of(&[Flag::Pubsub, Flag::Noscript, Flag::Loading, Flag::Stale, Flag::WhileSubscribed]);

/// What all of them have in common.
const fn command(name: &'static str, arity: u16, docs: Docs, run: SessionHandler) -> Command {
    Command {
        name,
        arity: Arity::AtLeast(arity),
        flags: FLAGS,
        docs: Docs { group: Group::Pubsub, ..docs },
        run: Run::Subscribe(run),
        ..Command::BLANK
    }
}

/// SUBSCRIBE channel \[channel...\]
pub const SUBSCRIBE: Command = command(
    "subscribe",
    2,
    Docs {
        summary: "Has the connection hear channels.",
        since: "2.0.0",
        complexity: "O(N) where N is the number of channels to subscribe to",
        arguments: &[Argument::new("channel", ArgumentKind::String).multiple()],
        ..Docs::BLANK
    },
    |ctx, args, reply| subscribe(ctx, args, reply, Kind::Channel),
);

/// PSUBSCRIBE pattern \[pattern...\]
pub const PSUBSCRIBE: Command = command(
    "psubscribe",
    2,
    Docs {
        summary: "Has the connection hear all channels whose names match one of the patterns.",
        since: "2.0.0",
        complexity: "O(N) where N is the number of patterns to subscribe to",
        arguments: &[Argument::new("pattern", ArgumentKind::Pattern).multiple()],
        ..Docs::BLANK
    },
    |ctx, args, reply| subscribe(ctx, args, reply, Kind::Pattern),
);

/// SSUBSCRIBE shardchannel \[shardchannel...\]
pub const SSUBSCRIBE: Command = Command {
    keys: SHARD_CHANNELS,
    ..command(
        "ssubscribe",
        2,
        Docs {
            summary: "Has the connection hear shard channels.",
            since: "7.0.0",
            complexity: "O(N) where N is the number of shard channels to subscribe to",
            arguments: &[Argument::new("shardchannel", ArgumentKind::String).multiple()],
            ..Docs::BLANK
        },
        |ctx, args, reply| subscribe(ctx, args, reply, Kind::ShardChannel),
    )
};

/// UNSUBSCRIBE \[channel...\]
pub const UNSUBSCRIBE: Command = command(
    "unsubscribe",
    1,
    Docs {
        summary: "Has the connection hear channels no longer: these, or all.",
        since: "2.0.0",
        complexity: "O(N) where N is the number of channels to unsubscribe from",
        arguments: &[Argument::new("channel", ArgumentKind::String).multiple().optional()],
        ..Docs::BLANK
    },
    |ctx, args, reply| unsubscribe(ctx, args, reply, Kind::Channel),
);

/// PUNSUBSCRIBE \[pattern...\]
pub const PUNSUBSCRIBE: Command = command(
    "punsubscribe",
    1,
    Docs {
        summary: "Has the connection hear channels by patterns no longer: by these, or by all.",
        since: "2.0.0",
        complexity: "O(N) where N is the number of patterns to unsubscribe from",
        arguments: &[Argument::new("pattern", ArgumentKind::Pattern).multiple().optional()],
        ..Docs::BLANK
    },
    |ctx, args, reply| unsubscribe(ctx, args, reply, Kind::Pattern),
);

/// SUNSUBSCRIBE \[shardchannel...\]
pub const SUNSUBSCRIBE: Command = Command {
    keys: SHARD_CHANNELS,
    ..command(
        "sunsubscribe",
        1,
        Docs {
            summary: "Has the connection hear shard channels no longer: these, or all.",
            since: "7.0.0",
            complexity: "O(N) where N is the number of shard channels to unsubscribe from",
            arguments: &[Argument::new("shardchannel", ArgumentKind::String).multiple().optional()],
            ..Docs::BLANK
        },
        |ctx, args, reply| unsubscribe(ctx, args, reply, Kind::ShardChannel),
    )
};

const SHARD_CHANNELS: &[KeySpec] = &[KeySpec::all_from(1, 1, &[KeyFlag::NotKey])];

fn subscribe(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>, kind: Kind) -> Outcome {
    for name in args.from(1) {
        let name = ctx.core.subscribers.shared_name(kind, name);
        let subscriptions = ctx.session().subscriptions.get_or_insert_default();
        let is_new = subscriptions.add(kind, &name);
        tell(reply, told(kind, true), Some(&name), subscriptions.told(kind));
        if is_new {
            ctx.core.subscribers.expect(kind, &name);
            ctx.core.changes.push(Change { kind, name, subscribes: true });
        }
    }
    Ok(())
}

fn unsubscribe(ctx: &mut SessionCtx<'_>, args: &Args<'_>, reply: &mut Reply<'_>, kind: Kind) -> Outcome {
    let mut subscriptions = ctx.session().subscriptions.take().unwrap_or_default();
    let names: Vec<Arc<[u8]>> = match args.len() {
        1 => subscriptions.of(kind).cloned().collect(),
        _ => args.from(1).map(Arc::from).collect(),
    };
    if names.is_empty() {
        tell(reply, told(kind, false), None, subscriptions.told(kind));
    }
    for name in names {
        let kept = subscriptions.remove(kind, &name);
        tell(reply, told(kind, false), Some(&name), subscriptions.told(kind));
        if let Some(name) = kept {
            ctx.core.changes.push(Change { kind, name, subscribes: false });
        }
    }
    if !subscriptions.is_empty() {
        ctx.session().subscriptions = Some(subscriptions);
    }
    Ok(())
}

/// Unsubscribes the client from everything, without a word (RESET).
pub fn drop_subscriptions(ctx: &mut SessionCtx<'_>) {
    let Some(subscriptions) = ctx.session().subscriptions.take() else { return };
    for kind in Kind::ALL {
        let change = |name: &Arc<[u8]>| Change { kind, name: Arc::clone(name), subscribes: false };
        ctx.core.changes.extend(subscriptions.of(kind).map(change));
    }
}

const fn told(kind: Kind, subscribes: bool) -> &'static str {
    match (kind, subscribes) {
        (Kind::Channel, true) => "subscribe",
        (Kind::Pattern, true) => "psubscribe",
        (Kind::ShardChannel, true) => "ssubscribe",
        (Kind::Channel, false) => "unsubscribe",
        (Kind::Pattern, false) => "punsubscribe",
        (Kind::ShardChannel, false) => "sunsubscribe",
    }
}

fn tell(reply: &mut Reply<'_>, what: &str, name: Option<&[u8]>, count: usize) {
    reply.push(3);
    reply.bulk(what.as_bytes());
    match name {
        Some(name) => reply.bulk(name),
        None => reply.null(),
    }
    reply.integer(count as i64);
}
