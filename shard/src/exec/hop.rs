//! Commands over several shards that must look before they act: plans that run in hops, under locks.
//!
//! The push that places a plan gives each of its shards a part, which waits there until its keys (or the whole shard)
//! are free and then holds them. When all parts are granted, the coordinator (the client's own core) drives the plan:
//! each [`Step`] sends an operation to some of the shards and gets their [`HopValue`]s back, until the plan is finished
//! and the parts release what they hold. No lock is ever asked for later than the push (design: order, rule 4).

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use net::{Args, Reply, Resp};
use storage::keyspace::Detached;

use super::CommandError;
use super::ctx::Ctx;
use crate::core::{Asked, Core};
use crate::ids::{DbId, ShardId};
use crate::mesh::Claims;
use crate::migrate::ExchangeId;
use crate::script::running::Running;
use crate::slot::SlotMap;
use crate::wait::WaitRequest;

/// What one shard does in one hop.
pub type HopOp = Box<dyn FnOnce(&mut Ctx<'_>) -> HopValue + Send>;

/// What an operation gives back.
pub enum HopValue {
    /// Nothing.
    None,
    /// A truth.
    Flag(bool),
    /// Bytes: a string's value, or a reply.
    Bytes(Option<Vec<u8>>),
    /// An entry on its way.
    Entry(Option<Box<Detached>>),
    /// Something that the plan alone knows.
    Made(Box<dyn Any + Send>),
    /// The operation met an error.
    Error(CommandError),
}

impl fmt::Debug for HopValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HopValue::None => "None",
            HopValue::Flag(true) => "Flag(true)",
            HopValue::Flag(false) => "Flag(false)",
            HopValue::Bytes(_) => "Bytes",
            HopValue::Entry(_) => "Entry",
            HopValue::Made(_) => "Made",
            HopValue::Error(_) => "Error",
        })
    }
}

/// What a plan does next.
pub enum Step {
    /// These operations, on shards of the plan; their values come back in the same order.
    Run(Vec<(ShardId, HopOp)>),
    /// These operations, each shard releasing its locks behind its own; then `step` is called once more, for the reply.
    RunLast(Vec<(ShardId, HopOp)>),
    /// As [`Step::RunLast`], but each operation when the one before has run, its shard's locks are released, and whoever
    /// waited there is served.
    RunInTurn(Vec<(ShardId, HopOp)>),
    /// Every core's share of this command; they come back in order of shards.
    Shares(Arc<Asked>),
    /// The client waits for keys. These operations are run, each shard releasing its locks behind its own, and no step
    /// follows.
    Wait(WaitRequest, Vec<(ShardId, HopOp)>),
    /// Its slice of time is over: it is asked for this step again when others have had theirs.
    Later,
    /// It is asked for this step again when something has come from its client, who debugs the script in it.
    Listen(Arc<Running>),
    /// It is asked for this step again when this dialogue with another server is over. With it the script that waits for it,
    /// if one does, and what that keeps others waiting for.
    Outside(ExchangeId, Option<(Arc<Running>, Claims)>),
    /// Nothing more: this is the reply, a whole one. An empty one is none: whoever waits goes on waiting.
    Reply(Vec<u8>),
}

impl Step {
    /// Nothing more: this error is the reply.
    pub fn error(error: &CommandError) -> Step {
        let mut reply = Vec::new();
        Reply::new(&mut reply, Resp::V2).error(error.as_bytes());
        Step::Reply(reply)
    }
}

/// A command that runs in hops.
pub trait Plan: Send {
    /// The next step. `values` are those of the step before; empty at first.
    fn step(&mut self, values: Vec<HopValue>) -> Step;

    /// The next step, of a plan that does something of it on the coordinator itself.
    fn step_on(&mut self, _core: &mut Core, values: Vec<HopValue>) -> Step {
        self.step(values)
    }
}

/// What a plan is made of.
pub struct PlanInput<'a> {
    /// The arguments, name first.
    pub args: Args<'a>,
    /// The client's database.
    pub db: DbId,
    /// The client's protocol version.
    pub resp: Resp,
    /// The shard of each key, in the order of the keys.
    pub owners: &'a [ShardId],
    /// Number of databases, for commands that name another one.
    pub databases: u32,
    /// Which shard owns which slot, for plans that learn of more keys as they go.
    pub slots: &'a Arc<SlotMap>,
}
