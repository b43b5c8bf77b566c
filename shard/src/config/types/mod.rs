//! The types of configuration values that are more than a number or a text.

pub mod bind;
pub mod choices;
pub mod directory;
pub mod events;
pub mod master;
pub mod oom;
pub mod output_limits;
pub mod percentiles;
pub mod save;
pub mod shutdown;
pub mod title;
