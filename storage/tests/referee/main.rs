//! Values against those of Redis itself, on random cases.
//!
//! These tests need a `redis-server` (7.0 or later) on the path, and start one for themselves, so they are ignored unless
//! asked for: `cargo test -p storage --test referee -- --ignored`.

mod bitmap;
mod geohash;
mod hyperloglog;
mod list;
mod server;
mod snapshot;
