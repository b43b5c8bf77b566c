//! What keys a script touches.

/// What keys a script touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touches {
    /// None but those declared.
    Declared,
    /// Perhaps others.
    Anything,
}

/// Of a script.
pub fn of_script(_: &[u8]) -> Touches {
    Touches::Anything
}

/// Of a library.
pub fn of_library(_: &[u8]) -> Touches {
    Touches::Anything
}
