//! Channels: whoever has subscribed gets what is published, and nothing is kept.
//!
//! | file | commands |
//! |---|---|
//! | `subscribe.rs` | SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and their opposites |
//! | `publish.rs` | PUBLISH, SPUBLISH |
//! | `inspect.rs` | PUBSUB and its subcommands |
//!
//! Channels know no databases. A client may subscribe to channels by name, to all channels that match a pattern, and to
//! *shard channels*, a space of their own that Cluster assigns to slots. It gets a message once for each of its
//! subscriptions that the message's channel is in. With RESP2 a client that has subscribed can do little else, for messages
//! look like replies; with RESP3 they are pushes and stand between replies.
//!
//! How messages travel between cores, and in which order, is told in [`crate::pubsub`]. PUBLISH takes time in proportion to
//! the subscribers of the channel, and to the patterns of all clients of the cores that have any.

#![allow(clippy::unnecessary_wraps, reason = "handlers have one type, and many of them cannot fail")]

mod inspect;
mod publish;
mod subscribe;

pub use subscribe::drop_subscriptions;

use crate::spec::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[
    &subscribe::PSUBSCRIBE,
    &publish::PUBLISH,
    &inspect::PUBSUB,
    &subscribe::PUNSUBSCRIBE,
    &publish::SPUBLISH,
    &subscribe::SSUBSCRIBE,
    &subscribe::SUBSCRIBE,
    &subscribe::SUNSUBSCRIBE,
    &subscribe::UNSUBSCRIBE,
];
