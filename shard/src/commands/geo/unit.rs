//! Units, lengths and places as clients write them.

use storage::number::parse_f64;
use storage::types::geohash::{Point, Unit};

use crate::commands::parse::is_word;
use crate::commands::zset::score::parse_score;
use crate::exec::CommandError;
use crate::spec::{Argument, ArgumentKind};

/// A unit in a command's syntax.
pub(super) const UNIT: Argument = Argument::new(
    "unit",
    ArgumentKind::OneOf(&[
        Argument::word("m", "M"),
        Argument::word("km", "KM"),
        Argument::word("ft", "FT"),
        Argument::word("mi", "MI"),
    ]),
);

/// There is no such unit.
const NO_UNIT: CommandError = CommandError::new("ERR unsupported unit provided. please use M, KM, FT, MI");

/// A unit's name.
pub(super) fn parse_unit(word: &[u8]) -> Result<Unit, CommandError> {
    match word {
        _ if is_word(word, "M") => Ok(Unit::Metre),
        _ if is_word(word, "KM") => Ok(Unit::Kilometre),
        _ if is_word(word, "FT") => Ok(Unit::Foot),
        _ if is_word(word, "MI") => Ok(Unit::Mile),
        _ => Err(NO_UNIT),
    }
}

/// A length, yet without its unit.
pub(super) fn parse_length(arg: &[u8], not_numeric: CommandError) -> Result<f64, CommandError> {
    parse_f64(arg).ok_or(not_numeric)
}

/// A place: longitude, latitude.
pub(super) fn parse_place(longitude: &[u8], latitude: &[u8]) -> Result<Point, CommandError> {
    let (longitude, latitude) = (parse_score(longitude)?, parse_score(latitude)?);
    Point::new(longitude, latitude)
        .ok_or_else(|| CommandError::text(format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}")))
}
