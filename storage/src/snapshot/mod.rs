//! The RDB form of values, and the payloads of DUMP and RESTORE that carry it.
//!
//! ```text
//!   payload:  type (1) │ value │ RDB version (2, little-endian) │ CRC64 of all before (8, little-endian)
//! ```
//!
//! The version written is 10, Redis 7.0's: strings have not changed since, and every server from 7.0 on takes it.
//! Payloads up to version 12 are read. Source: Redis's `rdb.h`, and payloads made by redis-server.

pub mod crc64;
pub mod lzf;
pub mod string;

#[cfg(test)]
mod tests;

use crate::types::{OwnedValue, Value};

/// The RDB version of payloads written here.
pub const DUMP_VERSION: u16 = 10;
/// The latest RDB version of payloads that are read.
pub const RESTORE_VERSION_MAX: u16 = 12;

const TYPE_STRING: u8 = 0;
const FOOTER_BYTES: usize = 10;

/// Why a payload of RESTORE was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// "ERR DUMP payload version or checksum are wrong"
    VersionOrChecksum,
    /// "ERR Bad data format"
    BadFormat,
}

/// The payload of DUMP.
pub fn dump(value: Value<'_>) -> Vec<u8> {
    let mut payload = Vec::new();
    match value {
        Value::String(value) => {
            payload.push(TYPE_STRING);
            string::write(value, &mut payload);
        }
    }
    payload.extend_from_slice(&DUMP_VERSION.to_le_bytes());
    let checksum = crc64::crc64(0, &payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

/// The value in a payload of DUMP. `check_sum` is false only for DEBUG SET-SKIP-CHECKSUM-VALIDATION.
pub fn restore(payload: &[u8], check_sum: bool) -> Result<OwnedValue, RestoreError> {
    let body = payload.len().checked_sub(FOOTER_BYTES).ok_or(RestoreError::VersionOrChecksum)?;
    let (body, footer) = payload.split_at(body);
    let version = u16::from_le_bytes([footer[0], footer[1]]);
    if version > RESTORE_VERSION_MAX {
        return Err(RestoreError::VersionOrChecksum);
    }
    if check_sum {
        let (summed, sum) = payload.split_at(payload.len() - 8);
        if sum != crc64::crc64(0, summed).to_le_bytes() {
            return Err(RestoreError::VersionOrChecksum);
        }
    }
    let (&kind, rest) = body.split_first().ok_or(RestoreError::BadFormat)?;
    match kind {
        TYPE_STRING => match string::read(rest) {
            Some((value, [])) => Ok(OwnedValue::String(value)),
            _ => Err(RestoreError::BadFormat),
        },
        _ => Err(RestoreError::BadFormat),
    }
}
