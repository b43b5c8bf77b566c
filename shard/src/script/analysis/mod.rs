//! What keys a script touches, from its text.
//!
//! A script that touches only keys that its caller declares need claim no others. To know that for sure its text is read
//! once, and every call of a command in it must be seen to name no key but an element of `KEYS` (of a function: of its
//! first parameter). Values are followed through local variables, loops over the keys, calls of local functions, and
//! nowhere else: whatever else is done with `KEYS`, `redis` or `redis.call` makes the script one that may do anything, as
//! does a command whose name is not a literal.
//!
//! | file | what it does |
//! |---|---|
//! | `lexer.rs`, `parser.rs`, `expression.rs` | the text as expressions, and where they go |
//! | `flow.rs` | what the expressions stand for; is any of those that matter lost from sight? |
//! | `command.rs` | which of a command's arguments are keys |
//!
//! The verdict is about all ways in which the script can run. If it says "declared", an undeclared key is a bug of this
//! module, and where commands run it is refused ([`super::work`]).

mod command;
mod expression;
mod flow;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;

use flow::Flow;

/// What keys a script touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touches {
    /// None but those declared.
    Declared,
    /// Perhaps others.
    Anything,
}

/// What keys a script touches.
pub fn of_script(code: &[u8]) -> Touches {
    verdict(code, true)
}

/// What keys the functions of a library touch.
pub fn of_library(code: &[u8]) -> Touches {
    verdict(code, false)
}

/// Whether a script may set global variables, or try to; if it is none, nobody knows.
pub fn sets_globals(code: &[u8]) -> bool {
    parser::parse(code).is_none_or(|chunk| chunk.uses.iter().any(|how| matches!(how, parser::Use::Global)))
}

fn verdict(code: &[u8], has_keys: bool) -> Touches {
    let is_declared = parser::parse(code).is_some_and(|chunk| Flow::new(chunk, has_keys).is_declared());
    if is_declared { Touches::Declared } else { Touches::Anything }
}
