//! A core's life: what it is told, in which order it acts, and what it answers.
//!
//! [`core::Core`] is one core without its I/O: a slice of the keyspace, the sessions of the clients that live here, and
//! the core's ends of the mesh. The network loop drives it through [`net::Service`]; a simulation drives many of them in
//! one thread through the same functions. [`spec`] says what a command is, [`exec`] how one runs, [`commands`] holds
//! them all.

pub mod acl;
pub mod aof;
pub mod budget;
pub mod clock;
pub mod commands;
pub mod config;
pub mod core;
pub mod exec;
pub mod ids;
pub mod journal;
pub mod limits;
pub mod memory;
pub mod mesh;
pub mod migrate;
pub mod monitor;
pub mod os;
pub mod pubsub;
pub mod replay;
pub mod runtime;
pub mod script;
pub mod session;
pub mod sha1;
pub mod sha256;
pub mod shared;
pub mod slot;
pub mod snapshot;
pub mod spec;
pub mod stats;
pub mod tracking;
pub mod txn;
pub mod version;
pub mod wait;
