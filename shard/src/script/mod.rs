//! Scripts and functions: Lua 5.1 with the libraries of Redis.
//!
//! | file | what it does |
//! |---|---|
//! | `registry.rs`, `functions.rs` | the scripts and libraries that all cores know |
//! | `flags.rs` | what a script says of itself in its first line |
//! | `analysis/` | from a script's text: are all keys that it touches among those declared? |
//! | `engine.rs`, `state.rs` | a core's Lua states, and what is compiled in them |
//! | `vm.rs`, `sandbox.lua` | a Lua state, and what scripts see of it |
//! | `native.rs`, `stack.rs` | the way into a script and out to commands, on Lua's own stack |
//! | `guard.rs` | other functions of Rust, called with too many arguments |
//! | `debugger/` | stopping a script before its lines, and looking around |
//! | `library/` | `redis`, `cjson`, `cmsgpack`, `struct`, `bit`, `math.random` |
//! | `work.rs` | a call of a script: what it claims, and on what it runs |
//! | `run.rs`, `drive.rs` | running a script: its commands, its time, its end |
//! | `running.rs` | a long script as others see it: whom it keeps waiting, and how it is killed |
//! | `to_lua.rs`, `to_reply.rs`, `number.rs`, `random.rs` | conversions |
//!
//! # Where a script runs
//!
//! What locks a script takes is decided before it runs, from its text ([`analysis`]). If every key that it touches is
//! provably one of those declared, it runs as any command of those keys does: on the shard that owns them, or, when there
//! are several, where they are brought together. Otherwise it holds all shards.
//!
//! # How it runs
//!
//! Lua runs on a stack of its own and stops for every command ([`drive`]). So the state, and what is on its stack, never
//! refers to the data of a shard; whoever drives the script ([`run`]) has that, and runs the command on it ([`Host`]).
//!
//! A script that is not over when its slice of time is gives way: it stays where it stopped, keeps what it has claimed, and
//! is driven on in a later tick ([`crate::core`], `long.rs`). The server's clients are served meanwhile, but for those who
//! want what it has claimed: they wait, and are told BUSY once it has run for `busy-reply-threshold`.

pub mod analysis;
pub mod debugger;
mod drive;
pub mod engine;
pub mod flags;
pub mod functions;
mod guard;
mod library;
mod native;
pub(crate) mod number;
mod random;
pub mod registry;
pub mod run;
pub mod running;
mod stack;
mod state;
mod to_lua;
mod to_reply;
mod vm;
pub mod work;

use net::{Args, Resp};

pub use registry::{Registry, Script};
pub use vm::Kind;

use crate::acl::Denied;
use crate::exec::CommandError;
use crate::migrate::ExchangeId;
use crate::spec::table::Row;
use debugger::Heard;

/// What became of a command that a script calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Called {
    /// It was run.
    Replied,
    /// Every core is to give its share of it first.
    AsksCores,
    /// This dialogue with another server is to be over first.
    AsksOutside(ExchangeId),
}

/// On what a script's commands run.
pub trait Host {
    /// Runs a command that a script may call; appends its reply, in version `resp`, to `out`. A command that would block
    /// does not: it answers as if its time were over. If it has not been run, nothing is written, and it is to be called again
    /// when the script is driven on.
    fn call(&mut self, row: &'static Row, args: &Args<'_>, resp: Resp, out: &mut Vec<u8>) -> Called;

    /// A command that a script may not call was refused: `row`, if there is one of its name.
    fn refused(&mut self, row: Option<&'static Row>, args: &Args<'_>, error: &CommandError);

    /// The user that calls the script was denied something.
    fn denied(&mut self, denied: Denied);

    /// Whether the script is to give way, as far as is known without a look at the clock.
    fn is_time_up(&self) -> bool;

    /// Looks at the clock: whether the script is to give way.
    fn look_at_time(&mut self) -> bool;

    /// For how long the script has run since it was driven on, in microseconds.
    fn driven_micros(&self) -> u64;

    /// Sends the client of a script that is debugged a reply of the debugger.
    fn say(&mut self, reply: &[u8]);

    /// What has come from the client of a script that is debugged.
    fn hear(&mut self) -> Heard;
}
