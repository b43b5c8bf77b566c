//! The Redis serialisation protocol, versions 2 and 3.

pub mod args;
pub mod fuzz;
pub mod inline;
pub mod parse;
pub mod peek;
pub mod reply;

pub use args::{Args, OwnedArgs, Span};
pub use parse::{Parsed, Parser};
pub use peek::Upcoming;
pub use reply::{Reply, Resp};
