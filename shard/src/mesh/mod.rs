//! The mesh: what cores say to each other, and the order in which it counts.
//!
//! Every command takes effect at one point: the instant at which the inboxes it goes to are locked together. A core
//! collects what it routed during a tick in one [`batch::Batch`] per shard; at the tick's end it locks the inboxes of all
//! its batches in shard order, reads the clock, links the batches and unlocks ([`inbox::Mesh::push`]). A shard runs what
//! is in its inbox in that order, except that a command waits while one of its keys is held by an earlier multi-hop
//! command ([`locks`]).
//!
//! Answers go back through queues of their own, which have no order to keep ([`inbox::ReplyBatch`],
//! [`inbox::HopMessage`]).

pub mod batch;
pub mod inbox;
pub mod locks;
pub mod rules;

pub use batch::{Batch, Head, HopPart, Message, Spare};
pub use inbox::{HopMessage, Mesh, PlanId, Pushed, ReplyBatch, ReplyHead, Taken, Wake};
pub use locks::{Claims, Locks, Ticket};
pub use rules::{Rule, Rules};
