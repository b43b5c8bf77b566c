//! The integration tests: servers over sockets, and Redis as the measure.
//!
//! `support` starts servers and speaks the protocol; `conformance` runs the command and reply pairs of
//! `tests/conformance`; every other module tests one aspect of a running server. To see whether a test asks for what
//! Redis does, run it with `TESSERA_TEST_TARGET=referee`.

mod acl;
mod aof;
mod asking;
mod audience;
mod bank;
mod blocking;
mod check_aof;
mod check_rdb;
mod clients;
mod commands;
mod config;
mod conformance;
mod crash;
mod damage;
mod debugger;
mod differential;
mod disk;
mod eviction;
mod expiry;
mod listening;
mod load;
mod memory;
mod migrate;
mod monitor;
mod order;
mod pipeline;
mod pubsub;
mod replay;
mod saving;
mod scan;
mod scripts;
mod severed;
mod snapshot;
mod soak;
mod start;
mod support;
mod tracking;
mod transactions;
mod waitaof;
