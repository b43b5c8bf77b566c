//! Numbers as text, by Redis's rules.
mod integer;
pub use integer::{INTEGER_TEXT_BYTES_MAX, integer_text_len, parse_i64, parse_u64, write_i64};
