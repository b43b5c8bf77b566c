//! RDB.
use crate::OwnedValue;
use crate::Value;

/// The payload of DUMP.
pub fn dump(value: Value<'_>) -> Vec<u8> {
    let _ = value;
    unimplemented!()
}

/// Why a payload of RESTORE was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// "ERR DUMP payload version or checksum are wrong"
    VersionOrChecksum,
    /// "ERR Bad data format"
    BadFormat,
}

/// The value in a payload of DUMP. `check_sum` is false only for DEBUG SET-SKIP-CHECKSUM-VALIDATION.
pub fn restore(payload: &[u8], check_sum: bool) -> Result<OwnedValue, RestoreError> {
    let _ = (payload, check_sum);
    unimplemented!()
}
