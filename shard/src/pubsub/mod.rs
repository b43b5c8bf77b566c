//! Publishing and subscribing: who hears what, on which core.
//!
//! ```text
//!  core P                              all cores                    core H
//!  PUBLISH ──► registry: which cores? ─────────────► inbox ──► table: which clients? ──► their outputs
//!  SUBSCRIBE ─► session's sets, registry ──► own inbox ──► table
//! ```
//!
//! | file | what is there |
//! |---|---|
//! | `registry.rs` | which cores have a subscriber of a channel or pattern: shared by all cores |
//! | `table.rs` | which clients of one core they are |
//! | `subscriptions.rs` | what one client is subscribed to |
//! | `message.rs` | what is published, and its frames |
//!
//! # Order
//!
//! PUBLISH is one multi-push to the cores that have a subscriber. So all subscribers of a channel see one order, what one
//! client publishes arrives in its order, and a message stands at one point among all commands: who sees it in his stream
//! and then reads a key sees all that the publisher had written before it.
//!
//! SUBSCRIBE must have a point too, or this breaks: a client subscribes, reads a key that says "not yet", and waits for a
//! message that was published in between. Two things make one:
//!
//! 1. It enters the registry at once, and then goes through the inbox of its own core like any routed command. Its point is
//!    that push: what is linked there before is not for it, what is linked behind is. Its reply is sent from there, and what
//!    follows it on its connection is routed behind it.
//! 2. A publisher looks into the registry when it routes, but its point is its push. Under the locks of that push it asks
//!    whether the registry has changed since; if so it looks again, adds the cores that have come, and pushes anew.
//!
//! Suppose a subscriber S misses a message M, though S's point stands before M's in the order that clients can see. Some
//! chain of inboxes then leads from S's push to that of M. S entered the registry before its push, so M's publisher, who
//! asks behind the chain's last lock, finds the registry changed or had seen S when it looked. Contradiction. And if M's
//! point stands first, M is linked before S in the inbox of S's core or not at all, and S does not get it.
//!
//! What is published to subscribers of the publisher's own core alone needs no inbox: it is like a command run in place. Its
//! point is then this tick's tail, so the registry must be as it was at the tail: whoever has unsubscribed since then did so
//! behind it, and would have to get it.
//!
//! UNSUBSCRIBE leaves the table at its point, and the registry when the core has no other subscriber and none on its way.
//! A core may thus be sent what nobody there hears any more; never the other way round.

mod message;
mod registry;
mod subscriptions;
mod table;
#[cfg(test)]
mod tests;

pub use message::{Published, Space};
pub use registry::Registry;
pub use subscriptions::{Change, Kind, Subscriptions};
pub use table::SubscriberTable;
