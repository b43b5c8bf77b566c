//! Places on earth, as scores of a sorted set.
//!
//! # The score
//!
//! Longitude and latitude, each cut into 2^26 equal parts, are interleaved to 52 bits, which a double holds exactly:
//!
//! ```text
//! bit   51 50 49 48 …  3  2  1  0
//!        x  y  x  y …  x  y  x  y        x: longitude, -180° to 180°
//!                                        y: latitude, -85.05112878° to 85.05112878°
//! ```
//!
//! A prefix of 2s bits is a *cell* of step s: one of 2^s by 2^s rectangles of the map. The places in a cell are one range of
//! scores. To search an area, the step is chosen such that the cell of its centre and the eight around it cover it; those
//! that cannot touch the area are left out, and the places in the others are looked at one by one ([`Shape::distance`]).
//!
//! Latitudes end where the map of the Mercator projection is a square; there are no places at the poles.
//!
//! # To the last bit
//!
//! Doubles come out as they do in Redis: the same operations in the same order, with the functions of the C library.
//!
//! - [`Point`]: encoding and decoding; [`Point::distance_to`] on a sphere.
//! - [`cell`]: cells and their neighbours.
//! - [`Shape`]: circles, rectangles and polygons; [`Shape::score_ranges`] is where to look.
//! - [`text`]: what GEOHASH, GEOPOS and GEODIST print.

use std::ops::RangeInclusive;

pub mod cell;
mod distance;
mod polygon;
mod shape;
#[cfg(test)]
mod tests;
pub mod text;

pub use cell::Cell;
pub use distance::Unit;
pub use polygon::Polygon;
pub use shape::{ScoreRange, Shape};

/// Longitudes that a place can have.
pub const LONGITUDES: RangeInclusive<f64> = -180.0..=180.0;
/// Latitudes that a place can have.
pub const LATITUDES: RangeInclusive<f64> = -85.051_128_78..=85.051_128_78;

/// Parts of each axis, as a power of two.
const STEP_MAX: u32 = 26;

/// A place, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// East of Greenwich.
    pub longitude: f64,
    /// North of the equator.
    pub latitude: f64,
}

impl Point {
    /// A place, if it is one that can be kept: "invalid longitude,latitude pair" otherwise.
    pub fn new(longitude: f64, latitude: f64) -> Option<Self> {
        (LONGITUDES.contains(&longitude) && LATITUDES.contains(&latitude)).then_some(Self { longitude, latitude })
    }

    /// The score of the place in a sorted set.
    pub fn score(self) -> f64 {
        Cell::of(self, STEP_MAX).bits() as f64
    }

    /// The place of a score: the middle of its cell. Any score has one, also those that never were places.
    pub fn from_score(score: f64) -> Self {
        // Negative numbers go through the signed integers of the same bits; what 64 bits do not hold is the first cell.
        const BEYOND: f64 = 18_446_744_073_709_551_616.0;
        let bits = match score {
            ..0.0 => score as i64 as u64,
            0.0..BEYOND => score as u64,
            _ => 0,
        };
        let (longitudes, latitudes) = Cell::from_bits(bits, STEP_MAX).sides();
        let middle = |side: &RangeInclusive<f64>, limits: RangeInclusive<f64>| {
            ((side.start() + side.end()) / 2.0).clamp(*limits.start(), *limits.end())
        };
        Self { longitude: middle(&longitudes, LONGITUDES), latitude: middle(&latitudes, LATITUDES) }
    }
}
