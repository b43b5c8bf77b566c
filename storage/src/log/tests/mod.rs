//! The parts of a log, and the whole of it under power cuts.

mod groups;
mod manifest;
mod power;
mod records;
