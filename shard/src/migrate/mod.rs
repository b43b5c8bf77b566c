//! MIGRATE: keys that move to another server.
//!
//! ```text
//!   on the shards of the keys        this core's ring                       the other server
//!   ─────────────────────────        ────────────────                       ────────────────
//!   claim the keys
//!   DUMP ────────────────────► Exchange: connect, or take a socket ───────► AUTH, SELECT
//!   the work is put aside,                send                              RESTORE key ttl payload
//!   other keys are served                                                   RESTORE ...
//!                                         receive a line for each  ◄─────── +OK, -BUSYKEY ...
//!   DEL what was taken   ◄──── Outcome
//!   release, reply
//! ```
//!
//! Redis stands still for all that. Here the command is [`Work`](crate::exec::work::Work) that gives way while the network is
//! asked, and keeps what it claims: from the moment at which a key is read until it is deleted nobody else sees or changes
//! it, so that no write is lost between, and no shard waits for a socket. In a transaction and in a script it is the same,
//! with all that these have claimed.
//!
//! | file | what it is |
//! |---|---|
//! | `request.rs` | the arguments |
//! | `work.rs` | what is done on the shards, before and after |
//! | `exchange.rs` | the dialogue with the other server, without its I/O |
//! | `replies.rs` | the lines that come back |
//! | `cache.rs` | sockets that are kept for the next time |
//! | `dialogues.rs` | what all cores know of dialogues; names and their addresses |
//!
//! Every step of a dialogue, not the whole of it, has the time that the command names. A key is deleted when the other
//! server has said `+` to its RESTORE, whatever became of the others, and of the client. An answer that begins with neither
//! `+` nor `-` comes from no Redis: Redis takes it for a yes, and deletes the key; here it ends the dialogue. When the server
//! is about to end, dialogues get [`ENDING_MILLIS`] more.

mod cache;
mod dialogues;
mod exchange;
pub mod replies;
mod request;
mod work;

pub use cache::{Cache, Cached, Target};
pub use dialogues::{Dialogues, UnderWay, known_addresses, resolve};
pub use exchange::{Event, Exchange, Outcome, Parcel, Step};
pub use request::{find_keys, secrets};
pub use work::Migration;

/// A dialogue that is under way at the end of the server may go on for so long, in milliseconds.
pub const ENDING_MILLIS: i64 = 500;

/// Names a dialogue, on the core that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExchangeId(pub u64);
