//! Numbers as text, by Redis's rules.
//!
//! - [`parse_i64`], [`write_i64`]: the strict form of integers. What one reads the other writes, byte for byte.
//! - [`parse_f64`], [`format_f64`]: scores and other doubles, in the shortest of the forms that `%.17g` gives.
//! - [`LongDouble`]: INCRBYFLOAT computes with the x86's 80-bit floating point numbers and prints 17 digits behind the
//!   point. This is a software version of just that, exact to the last bit.

mod decimal;
mod double;
mod integer;
mod long_double;
#[cfg(test)]
mod tests;

pub use double::{as_integer, format_f64, parse_f64};
pub use integer::{INTEGER_TEXT_BYTES_MAX, integer_text_len, parse_i64, parse_u64, write_i64};
pub use long_double::{LONG_DOUBLE_TEXT_BYTES_MAX, LongDouble};
