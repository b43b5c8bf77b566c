//! A seeded, deterministic simulation of a whole server in one thread.
//!
//! Two to four production cores ([`shard::core::Core`]) run over the production mesh, without sockets: the simulation
//! hands them their clients' commands, takes their output, turns their clock, and decides who acts next. A core's tick
//! is cut into stages that the others may stand between (collect, take, drain message by message, run command by
//! command, push, answer, end), so that a seed stands for one interleaving of what the cores of a server do.
//!
//! | file | what it holds |
//! |---|---|
//! | `program.rs` | what a scenario is: shards, first keys, clients and their requests, events |
//! | `plans.rs` | multi-shard requests that no command makes yet, as plans of the mesh |
//! | `client.rs` | clients: what they sent, what they were answered, when |
//! | `choice.rs` | who decides: a seed, or an exhaustive search over few switches |
//! | `schedule.rs` | the world: cores, their stages, what can happen next |
//! | `schedule/ticking.rs` | the stages of a core's tick |
//! | `schedule/network.rs` | the server to which keys are migrated |
//! | `schedule/keeping.rs` | what a run does with the disk and with memory: crashes, snapshots, evictions |
//! | `disk.rs` | the disk below append-only files: what a crash leaves of them |
//! | `restart.rs` | another server, which begins with those files |
//! | `oracle.rs` | is there a serial order that explains what the clients saw and what is left? |
//! | `oracle/model.rs` | the model of the server by which it judges |
//! | `letters.rs` | the model's lists, sets, bits and sketches |
//! | `verdict.rs` | running programs, and telling readably what went wrong |
//! | `litmus.rs` | small programs, each against one way of getting the order wrong |
//! | `mutants.rs` | each rule broken on purpose: the simulation must notice |
//! | `dealing.rs` | how random programs deal requests to clients |
//! | `random.rs` | random programs |
//! | `pubsub.rs` | small and random programs on channels |
//! | `lists.rs` | random programs on lists, with clients that wait |
//! | `transactions.rs` | programs of MULTI, EXEC and WATCH |
//! | `tracking.rs` | programs of clients that keep copies of what they have read |
//! | `durability.rs` | programs that are cut off at any step: what is there afterwards |
//! | `durability/programs.rs`, `random.rs` | the small ones, and random ones |
//! | `keyspace.rs` | programs beside a snapshot, and while keys are evicted |
//! | `migrate.rs` | programs that migrate keys to another server |
//! | `stores.rs` | programs of commands that read keys of some shards and write one of another |
//! | `scripts.rs` | programs of scripts, which declare their keys or do not |
//!
//! A failure names its seed; `SIM_SEED=n` runs that seed alone, `SIM_SCALE=n` runs n times as many seeds.

mod choice;
mod client;
mod dealing;
mod disk;
mod durability;
mod keyspace;
mod letters;
mod lists;
mod litmus;
mod migrate;
mod mutants;
mod oracle;
mod plans;
mod program;
mod pubsub;
mod random;
mod restart;
mod schedule;
mod scripts;
mod stores;
mod tracking;
mod transactions;
mod verdict;
