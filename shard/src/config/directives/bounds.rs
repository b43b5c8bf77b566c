//! The bounds that many directives share: the limits of C's integers, which error messages print.

/// The greatest `int`.
pub(super) const INT_MAX: i128 = i32::MAX as i128;
/// The least `int`.
pub(super) const INT_MIN: i128 = i32::MIN as i128;
/// The greatest `unsigned int`.
pub(super) const UINT_MAX: i128 = u32::MAX as i128;
/// The greatest `long`.
pub(super) const LONG_MAX: i128 = i64::MAX as i128;
/// The greatest size that is kept in a signed integer.
pub(super) const SIGNED_MAX: u64 = i64::MAX as u64;
