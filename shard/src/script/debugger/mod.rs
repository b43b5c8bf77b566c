//! The debugger of scripts: what `SCRIPT DEBUG` gives, in the words that Redis's clients know.
//!
//! | file | what it does |
//! |---|---|
//! | `listing.rs` | the script's lines, and the breakpoints among them |
//! | `order.rs` | what a client orders |
//! | `console.rs` | what a session knows, and has to say |
//! | `stop.rs` | where the script stops, and does what it is told |
//! | `frames.rs` | the variables of functions that run, on Lua's stack |
//! | `value.rs`, `reply.rs` | a value of Lua and a command's reply as text |
//! | `shown.rs` | the commands of a script that is stepped through |
//!
//! # A session
//!
//! The next EVAL of a client that asked for it opens a session. The script claims all shards, whatever its keys are, and
//! runs at its client's own core. Until it is over, what the client sends is for the debugger.
//!
//! ```text
//!   the core                                     the script's stack
//!   ────────                                     ──────────────────
//!   resume ────────────────────────────────────► Lua runs; its hook sees each line
//!                                                  it stops before one
//!   sends what was said   ◄── Pause::Listen ─────
//!   without an order the work is put aside, and
//!   the core does other things (core/long.rs)
//!   an order comes, and the work is driven on
//!   resume ────────────────────────────────────►   does it, and listens again or goes on
//! ```
//!
//! So nothing polls and no core waits. Others wait for the script as for any that holds all shards: after
//! `busy-reply-threshold` they are told BUSY, and SCRIPT KILL ends it, even if it has written, as its client could by
//! `abort`. A client that is gone leaves the script running on without a stop. The session's end closes its connection:
//! that is how clients know it.
//!
//! With `SCRIPT DEBUG YES` nobody is to see what the script changes. Redis forks for that; here its commands run on copies of
//! their keys, which are dropped in the end ([`crate::core`], `scratch.rs`).
//!
//! Only a script with a session has a hook for lines, and is driven through `shown.rs`: others run as if there was no debugger.

mod console;
mod frames;
mod listing;
mod order;
mod reply;
mod shown;
mod stop;
mod value;

#[cfg(test)]
mod tests;

pub(super) use console::Console;
pub use console::END;
pub(super) use frames::texts;
pub(super) use shown::Shown;
pub(super) use stop::{Debugged, at_event};

use net::OwnedArgs;

/// What has come from the client of a script that listens.
pub enum Heard {
    /// Nothing yet.
    Nothing,
    /// An order.
    Order(OwnedArgs),
    /// Nothing will: it is gone.
    Gone,
}
