//! All commands, by family. A family's `mod.rs` holds its essay and the list of its commands.

pub mod string;

use crate::spec::Command;

/// The families.
pub const FAMILIES: &[&[&Command]] = &[string::COMMANDS];
