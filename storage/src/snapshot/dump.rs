//! The payloads of DUMP and RESTORE: one value, with a version and a checksum behind it.
//!
//! A reader refuses payloads of a later version than its own. Redis 7.0 reads up to 10, 7.2 up to 11, 8 up to 12; the
//! encoding of a string is the same in all of them. So payloads are written as version 10, which every server of the last
//! years accepts, and read up to version 12: a type or encoding that is not known here is refused when it is met, not
//! because of the number at the end.

use super::crc64::crc64;
use super::{Reader, Writer};
use crate::types::{Limits, OwnedValue, Value};

/// The version that payloads are written with.
pub const DUMP_VERSION: u16 = 10;

/// The latest version that is read.
pub const RESTORE_VERSION_MAX: u16 = 12;

/// Bytes of version and checksum.
const FOOTER_BYTES: usize = 2 + 8;

/// Why a payload was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// The footer is missing, of a version too late, or the checksum is not that of the payload.
    VersionOrChecksum,
    /// The footer is right, but what is before it is no value.
    BadFormat,
}

/// The payload of a value.
pub fn dump(value: Value<'_>) -> Vec<u8> {
    let mut writer = Writer::new(true);
    writer.put(&[Writer::type_byte(value)]);
    writer.put_value(value);
    writer.put(&DUMP_VERSION.to_le_bytes());
    let crc = crc64(0, writer.bytes());
    writer.put(&crc.to_le_bytes());
    writer.take()
}

/// The value in a payload. `check_sum` is off only for DEBUG SET-SKIP-CHECKSUM-VALIDATION. As in Redis, bytes between value
/// and footer are ignored.
pub fn restore(payload: &[u8], check_sum: bool, limits: &Limits) -> Result<OwnedValue, RestoreError> {
    let body_len = payload.len().checked_sub(FOOTER_BYTES).ok_or(RestoreError::VersionOrChecksum)?;
    let (body, footer) = payload.split_at(body_len);
    let mut footer = Reader::new(footer);
    let mut take = |len| footer.bytes(len).map_err(|_| RestoreError::VersionOrChecksum);
    let version = take(2)?.iter().rev().fold(0, |number, &byte| number << 8 | u16::from(byte));
    let crc = take(8)?.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte));
    if version > RESTORE_VERSION_MAX || (check_sum && crc != crc64(0, &payload[..body_len + 2])) {
        return Err(RestoreError::VersionOrChecksum);
    }
    let mut reader = Reader::new(body);
    let value = reader.byte().and_then(|type_byte| reader.value(type_byte, limits));
    value.map_err(|_| RestoreError::BadFormat)
}
