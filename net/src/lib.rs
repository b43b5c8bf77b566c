//! Bytes, RESP and sockets.
//!
//! This crate moves bytes between sockets and one [`Service`] per core. It knows the Redis serialisation protocol
//! (requests in [`resp::parse`] and [`resp::inline`], replies in [`resp::reply`]) and io_uring; it never sees a key, a
//! command's meaning or a data type.
//!
//! A core builds a [`Loop`] on its own thread and calls [`Loop::turn`] until it is told to stop. [`probe`] says at
//! start-up whether this system lets us.

mod acceptor;
mod append;
mod buf;
mod conn;
mod io;
pub mod limits;
pub mod link;
pub mod listen;
mod outside;
pub mod resp;
pub mod runtime;
pub mod service;
pub mod size;
mod turn;
mod waker;

pub use append::append;
pub use io::probe::probe;
pub use link::Link;
pub use listen::{Listener, Listeners};
pub use resp::{Args, OwnedArgs, Reply, Resp, Span, Upcoming};
pub use runtime::{Loop, LoopConfig};
pub use service::{ConnId, Flow, Service};
pub use turn::{Sleep, Turn};
pub use waker::Waker;
