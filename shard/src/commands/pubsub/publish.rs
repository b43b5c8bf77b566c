//! PUBLISH and SPUBLISH.

use crate::exec::Run;
use crate::pubsub::Space;
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const FLAGS: Flags = Flags::of(&[Flag::Pubsub, Flag::Loading, Flag::Stale, Flag::Fast, Flag::HeldWithWrites]);

/// PUBLISH channel message
pub const PUBLISH: Command = Command {
    name: "publish",
    arity: Arity::Exactly(3),
    flags: FLAGS,
    docs: Docs {
        summary: "Sends a message to all who hear the channel, and answers how many those are.",
        since: "2.0.0",
        group: Group::Pubsub,
        complexity: "O(N+M) where N is the number of subscribers of the channel and M the number of patterns that any \
                     client has subscribed to",
        arguments: &[Argument::new("channel", ArgumentKind::String), Argument::new("message", ArgumentKind::String)],
        ..Docs::BLANK
    },
    run: Run::Publish(Space::Channels),
    ..Command::BLANK
};

/// SPUBLISH shardchannel message
pub const SPUBLISH: Command = Command {
    name: "spublish",
    arity: Arity::Exactly(3),
    flags: FLAGS,
    keys: &[KeySpec::one(1, &[KeyFlag::NotKey])],
    docs: Docs {
        summary: "Sends a message to all who hear the shard channel, and answers how many those are.",
        since: "7.0.0",
        group: Group::Pubsub,
        complexity: "O(N) where N is the number of subscribers of the shard channel",
        arguments: &[
            Argument::new("shardchannel", ArgumentKind::String),
            Argument::new("message", ArgumentKind::String),
        ],
        ..Docs::BLANK
    },
    run: Run::Publish(Space::ShardChannels),
    ..Command::BLANK
};
