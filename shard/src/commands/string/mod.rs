//! Strings.

mod read;

use crate::spec::Command;

/// The family's commands.
pub const COMMANDS: &[&Command] = &[&read::GET];
