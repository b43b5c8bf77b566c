//! The Redis serialisation protocol, versions 2 and 3.

pub mod args;
pub mod reply;

pub use args::{Args, OwnedArgs, Span};
pub use reply::{Reply, Resp};
