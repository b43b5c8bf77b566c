//! Scripts and functions: Lua 5.1 with the libraries of Redis.
//!
//! | file | what it does |
//! |---|---|
//! | `registry.rs`, `functions.rs` | the scripts and libraries that all cores know |
//! | `flags.rs` | what a script says of itself in its first line |
//! | `analysis/` | from a script's text: are all keys that it touches among those declared? |
//! | `engine.rs` | a core's Lua states, and what is compiled in them |
//! | `vm.rs`, `sandbox.lua` | a Lua state, and what scripts see of it |
//! | `library/` | `redis`, `cjson`, `cmsgpack`, `struct`, `bit`, `math.random` |
//! | `work.rs` | a call of a script: what it claims, and on what it runs |
//! | `run.rs`, `drive.rs` | running a script: its commands, its time, its end |
//! | `running.rs` | a long script as other cores see it |
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

pub mod analysis;
mod drive;
pub mod engine;
pub mod flags;
pub mod functions;
mod library;
mod number;
mod random;
pub mod registry;
pub mod run;
mod running;
mod to_lua;
mod to_reply;
mod vm;
pub mod work;

use net::{Args, Resp};

pub use registry::{Registry, Script};
pub use vm::Kind;

use crate::spec::table::Row;

/// On what a script's commands run.
pub trait Host {
    /// Runs a command that a script may call; appends its reply, in version `resp`, to `out`. A command that would block
    /// does not: it answers as if its time were over.
    fn call(&mut self, row: &'static Row, args: &Args<'_>, resp: Resp, out: &mut Vec<u8>);
}
