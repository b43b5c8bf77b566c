//! How a command runs.
//!
//! A [`Run`] says where a command's handler works and how a command with keys on several shards is taken apart:
//!
//! | kind | handler works on | keys on several shards |
//! |---|---|---|
//! | `Shard` | the shard that owns the keys | cannot be: at most one key |
//! | `Split` | each shard, with its keys only | one hop; the answers are merged |
//! | `AllShards` | every shard, whole | one hop; the answers are merged |
//! | `Routed` | the shard that a function names | cannot be |
//! | `Hops` | the one shard, if it is one | a [`hop::Plan`], under locks |
//! | `AllHops` | the one shard, if there is one | a plan that holds all shards whole |
//! | `Keys` | the shard of the keys, or all keys brought together | two hops, under locks |
//! | `Session` | the client's own core | has no keys |
//! | `Subscribe` | the client's own core, at a point of its own | has no keys |
//! | `Publish` | the cores that have subscribers | has no keys |
//! | `Everywhere` | every core | has no keys; typed answers are merged |
//! | `Outside` | the keys, wherever they are, with another server asked in between | as [`work`] with these keys |
//! | `Placed` | wherever it places its own [`work`] | as the work says |
//! | `Chosen` | what the arguments say: a command of many words that are no subcommands | as chosen |
//!
//! Handlers are synchronous. They get a context ([`Ctx`] for data, [`SessionCtx`](crate::core::SessionCtx) for the
//! connection and its core), the arguments with the name first, and a reply to write. An error that they return is
//! written as the reply by the caller, in place of anything they have written.

pub mod away;
pub mod borrow;
pub mod ctx;
pub mod edit;
pub mod error;
pub mod garbage;
pub mod hop;
pub mod merge;
pub mod observe;
#[cfg(test)]
pub(crate) mod testing;
pub mod work;

use std::any::Any;
use std::fmt;

use net::{Args, Reply};

pub use ctx::{Ctx, ShardState};
pub use edit::Tools;
pub use error::CommandError;
pub use garbage::Garbage;
pub use merge::Merge;
pub use observe::Observers;

use crate::core::{Core, SessionCtx};
use crate::ids::ShardId;
use crate::migrate::Migration;
use crate::pubsub::Space;
use crate::spec::table::Row;

/// What a handler says: the reply is written, or this error is.
pub type Outcome = Result<(), CommandError>;

/// Works on the data of one shard.
pub type ShardHandler = fn(&mut Ctx<'_>, &Args<'_>, &mut Reply<'_>) -> Outcome;

/// Works on the client's own core.
pub type SessionHandler = fn(&mut SessionCtx<'_>, &Args<'_>, &mut Reply<'_>) -> Outcome;

/// Places the work of a command. An error is the reply.
pub type PlacingHandler = fn(&mut SessionCtx<'_>, &'static Row, &Args<'_>) -> Outcome;

/// One core's share of an answer that is no RESP.
pub type Share = Box<dyn Any + Send>;

/// How a command runs.
#[derive(Clone, Copy)]
pub enum Run {
    /// Only dispatches to its subcommands.
    Container,
    /// On the shard that owns its key (the client's own shard when it has none).
    Shard(ShardHandler),
    /// `name (key values...)+`: each shard gets the name and its own keys, all at one point.
    Split {
        /// Runs with some or all of the keys.
        part: ShardHandler,
        /// Makes one reply of the parts'.
        merge: Merge,
    },
    /// Every shard gets all arguments and stands for all its keys.
    AllShards {
        /// Runs on each shard.
        part: ShardHandler,
        /// Makes one reply of the parts'.
        merge: Merge,
    },
    /// On the shard that `route` names, standing for all its keys, with the arguments as they are.
    Routed {
        /// Names the shard; an error is the reply.
        route: fn(&Args<'_>, shards: usize) -> Result<ShardId, CommandError>,
        /// Runs there.
        run: ShardHandler,
    },
    /// At once if its keys are on one shard, else by a plan under locks.
    Hops {
        /// Runs when one shard owns all keys.
        local: ShardHandler,
        /// Makes the plan; an error is the reply.
        plan: fn(&hop::PlanInput<'_>) -> Result<Box<dyn hop::Plan>, CommandError>,
    },
    /// By a plan that holds all shards whole: what keys it needs is known only when it has begun (SORT with patterns).
    AllHops {
        /// Runs when there is one shard only.
        local: ShardHandler,
        /// Makes the plan, for which no key has an owner; an error is the reply.
        plan: fn(&hop::PlanInput<'_>) -> Result<Box<dyn hop::Plan>, CommandError>,
    },
    /// On the shard that owns its keys. If several do, the keys are brought together at the client's core under locks,
    /// the handler runs there, and they are brought back ([`borrow`]).
    Keys(ShardHandler),
    /// On the client's own core, at once.
    Session(SessionHandler),
    /// On the client's own core, where it may change the client's subscriptions: that takes effect at a point of its own.
    Subscribe(SessionHandler),
    /// On the cores that have subscribers of the channel, which is the first argument; the second is the message.
    Publish(Space),
    /// On every core, each giving a share; the client's core makes the reply of them.
    Everywhere {
        /// Checks the arguments on the client's own core, before anything is sent.
        check: SessionHandler,
        /// Runs on each core.
        share: fn(&mut Core, &EverywhereCall<'_>) -> Share,
        /// Makes the reply; the shares are in order of shards.
        merge: fn(&mut SessionCtx<'_>, &Args<'_>, Vec<Share>, &mut Reply<'_>) -> Outcome,
    },
    /// As work on its keys, which is put aside while another server is asked ([`crate::migrate`]). An error is the reply.
    Outside(fn(&Args<'_>) -> Result<Migration, CommandError>),
    /// As its handler says, which looks at the client's session and places [`work::Work`] of its own, or replies at once
    /// through [`SessionCtx`](crate::core::SessionCtx).
    Placed(PlacingHandler),
    /// As this function says of the arguments, always the same of the same ones (`DEBUG`). It chooses no `Chosen`.
    Chosen(fn(&Args<'_>) -> Run),
}

/// What a core gets for its share of an `Everywhere` command.
pub struct EverywhereCall<'a> {
    /// The client that called.
    pub client: crate::ids::ClientId,
    /// The client's database.
    pub db: crate::ids::DbId,
    /// The arguments, name first.
    pub args: Args<'a>,
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Run::Container => "Container",
            Run::Shard(_) => "Shard",
            Run::Split { .. } => "Split",
            Run::AllShards { .. } => "AllShards",
            Run::Routed { .. } => "Routed",
            Run::Hops { .. } => "Hops",
            Run::AllHops { .. } => "AllHops",
            Run::Keys(_) => "Keys",
            Run::Session(_) => "Session",
            Run::Subscribe(_) => "Subscribe",
            Run::Publish(_) => "Publish",
            Run::Everywhere { .. } => "Everywhere",
            Run::Outside(_) => "Outside",
            Run::Placed(_) => "Placed",
            Run::Chosen(_) => "Chosen",
        })
    }
}
