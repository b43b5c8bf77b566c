//! The payloads of DUMP and RESTORE: one value, with a version and a checksum behind it.
//!
//! A reader refuses payloads of a later version than its own: Redis 7.0 reads up to 10, 7.2 up to 11, 8 up to 12. So a
//! payload has the lowest version with which nothing is lost, and what can be written in older ways is: only streams with
//! idle consumers (11) and hashes with fields that expire (12) ask for more than 10, and those mean nothing to the servers
//! that are kept out. Payloads are read up to version 12, and not by their number: a type that is not known here is
//! refused when it is met.

use super::crc64::crc64;
use super::{Reader, TYPE_HASH_LISTPACK_TTL, TYPE_HASH_TTL, TYPE_STREAM_3, VERSION_MIN, Writer};
use crate::types::{Limits, OwnedValue, Value};

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
    BadFormat {
        /// How far it was read, in bytes.
        offset: usize,
        /// What is wrong, for the log.
        fault: &'static str,
    },
}

/// The payload of a value.
pub fn dump(value: Value<'_>) -> Vec<u8> {
    let mut writer = Writer::new(true);
    let type_byte = Writer::type_byte(value);
    writer.put(&[type_byte]);
    writer.put_value(value);
    writer.put(&version_of(type_byte).to_le_bytes());
    let crc = crc64(0, writer.bytes());
    writer.put(&crc.to_le_bytes());
    writer.take()
}

/// The version of RDB that brought a type, as far as it is later than the least that is written.
pub(super) const fn version_of(type_byte: u8) -> u16 {
    match type_byte {
        TYPE_HASH_TTL | TYPE_HASH_LISTPACK_TTL => 12,
        TYPE_STREAM_3 => 11,
        _ => VERSION_MIN,
    }
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
    value.map_err(|_| RestoreError::BadFormat { offset: body_len - reader.rest().len(), fault: reader.fault() })
}
