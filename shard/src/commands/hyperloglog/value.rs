//! HyperLogLogs in keys: read, and changed in place.

use storage::number::INTEGER_TEXT_BYTES_MAX;
use storage::types::hyperloglog::Error;
use storage::{Key, OwnedString, OwnedValue};

use crate::exec::{CommandError, Ctx};

const NOT_HYPERLOGLOG: CommandError = CommandError::new("WRONGTYPE Key is not a valid HyperLogLog string value.");
const CORRUPTED: CommandError = CommandError::new("INVALIDOBJ Corrupted HLL object detected");

/// What the client is told.
pub(super) fn told(error: Error) -> CommandError {
    match error {
        Error::NotHyperLogLog => NOT_HYPERLOGLOG,
        Error::Corrupted => CORRUPTED,
    }
}

/// Lets `read` look at the bytes at `key`; `None` if there is no such key.
pub(super) fn read<R>(
    ctx: &mut Ctx<'_>,
    key: &[u8],
    read: impl FnOnce(&[u8]) -> Result<R, Error>,
) -> Result<Option<R>, CommandError> {
    let Some(string) = ctx.read_string(key)? else { return Ok(None) };
    read(string.as_bytes(&mut [0; INTEGER_TEXT_BYTES_MAX])).map(Some).map_err(told)
}

/// Lets `change` change the bytes at `key`; `None` if there is no such key. What was done before an error stays.
pub(super) fn edit<R>(
    ctx: &mut Ctx<'_>,
    key: Key<'_>,
    change: impl FnOnce(&mut Vec<u8>) -> Result<R, Error>,
) -> Result<Option<R>, CommandError> {
    let Some(mut entry) = ctx.write_string(key)? else { return Ok(None) };
    let result = entry.edit(|value| {
        let OwnedValue::String(string) = value else { unreachable!("its type was looked at") };
        let taken = std::mem::replace(string, OwnedString::Int(0));
        // An integer is no HyperLogLog; it stays one.
        let OwnedString::Bytes { mut bytes, modified } = taken else {
            *string = taken;
            return Err(Error::NotHyperLogLog);
        };
        let result = change(&mut bytes);
        *string = OwnedString::Bytes { bytes, modified: modified || result.is_ok() };
        result
    });
    result.map(Some).map_err(told)
}
