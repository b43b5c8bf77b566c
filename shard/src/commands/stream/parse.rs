//! Reading ids and numbers out of the arguments of stream commands.

use storage::types::stream::{IdError, StreamId};

use super::error::{INVALID_END, INVALID_ID, INVALID_START};
use crate::commands::parse::parse_i64;
use crate::exec::CommandError;

/// `ms-seq` or `ms`, which means `ms-0`.
pub(super) fn parse_id(text: &[u8]) -> Result<StreamId, CommandError> {
    StreamId::parse(text, 0).map_err(id_error)
}

/// The start of a range.
pub(super) fn parse_start(text: &[u8]) -> Result<StreamId, CommandError> {
    StreamId::parse_start(text).map_err(id_error)
}

/// The end of a range.
pub(super) fn parse_end(text: &[u8]) -> Result<StreamId, CommandError> {
    StreamId::parse_end(text).map_err(id_error)
}

/// All ids, or the error of the first that is none.
pub(super) fn parse_ids<'a>(texts: impl Iterator<Item = &'a [u8]>) -> Result<Vec<StreamId>, CommandError> {
    texts.map(parse_id).collect()
}

/// A count, where a negative one is nought.
pub(super) fn parse_count(text: &[u8]) -> Result<usize, CommandError> {
    Ok(usize::try_from(parse_i64(text)?.max(0)).unwrap_or(usize::MAX))
}

pub(super) const fn id_error(error: IdError) -> CommandError {
    match error {
        IdError::Invalid => INVALID_ID,
        IdError::NothingBehindStart => INVALID_START,
        IdError::NothingBeforeEnd => INVALID_END,
    }
}
