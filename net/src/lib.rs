//! Bytes, RESP and sockets.
//!
//! This crate moves bytes between sockets and one [`Service`] per core. It knows the Redis serialisation protocol
//! (requests in [`resp::parse`] and [`resp::inline`], replies in [`resp::reply`]) and io_uring; it never sees a key, a
//! command's meaning or a data type.

pub mod resp;
pub mod service;

pub use resp::{Args, Reply, Resp};
pub use service::{ConnId, Flow, Service};
