//! Cells: rectangles of the map, 2^step in each direction.

use std::ops::RangeInclusive;

use super::{LATITUDES, LONGITUDES, Point, STEP_MAX};

/// A cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    column: u32,
    row: u32,
    step: u32,
}

impl Cell {
    /// The cell of a place. At exactly 180° east it is one column beyond the last, as in Redis.
    pub fn of(point: Point, step: u32) -> Self {
        Self::within(point, step, &LONGITUDES, &LATITUDES)
    }

    /// The cell of a place on a map with other edges.
    pub(super) fn within(
        point: Point,
        step: u32,
        longitudes: &RangeInclusive<f64>,
        latitudes: &RangeInclusive<f64>,
    ) -> Self {
        let part = |value: f64, range: &RangeInclusive<f64>| {
            ((value - range.start()) / (range.end() - range.start()) * f64::from(1 << step)) as u32
        };
        Self { column: part(point.longitude, longitudes), row: part(point.latitude, latitudes), step }
    }

    /// The cell with these bits.
    pub const fn from_bits(bits: u64, step: u32) -> Self {
        Self { column: gather(bits >> 1), row: gather(bits), step }
    }

    /// Column and row, interleaved.
    pub const fn bits(self) -> u64 {
        spread(self.column) << 1 | spread(self.row)
    }

    /// How fine it is.
    pub const fn step(self) -> u32 {
        self.step
    }

    /// Its extent in longitude and latitude.
    pub fn sides(self) -> (RangeInclusive<f64>, RangeInclusive<f64>) {
        let side = |part: u32, range: RangeInclusive<f64>| {
            let (scale, parts) = (range.end() - range.start(), f64::from(1 << self.step));
            let edge = |part: f64| range.start() + part / parts * scale;
            edge(f64::from(part))..=edge(f64::from(part) + 1.0)
        };
        (side(self.column, LONGITUDES), side(self.row, LATITUDES))
    }

    /// The cell so many columns to the east and rows to the north. The map goes on at its other edge.
    #[must_use]
    pub const fn moved(self, east: i32, north: i32) -> Self {
        let mask = (1 << self.step) - 1;
        // An axis on which nothing moves keeps the column beyond the last.
        let column = if east == 0 { self.column } else { self.column.wrapping_add_signed(east) & mask };
        let row = if north == 0 { self.row } else { self.row.wrapping_add_signed(north) & mask };
        Self { column, row, ..self }
    }

    /// The first score in the cell, and the first behind it.
    pub const fn scores(self) -> (f64, f64) {
        let shift = 2 * (STEP_MAX - self.step);
        ((self.bits() << shift) as f64, ((self.bits() + 1) << shift) as f64)
    }
}

/// The steps in which bits move apart: how far, and where they are then.
const SPREAD: [(u32, u64); 5] = [
    (16, 0x0000_ffff_0000_ffff),
    (8, 0x00ff_00ff_00ff_00ff),
    (4, 0x0f0f_0f0f_0f0f_0f0f),
    (2, 0x3333_3333_3333_3333),
    (1, 0x5555_5555_5555_5555),
];

/// Moves bit i to bit 2i.
const fn spread(half: u32) -> u64 {
    let mut bits = half as u64;
    let mut step = 0;
    while step < SPREAD.len() {
        let (shift, mask) = SPREAD[step];
        bits = (bits | bits << shift) & mask;
        step += 1;
    }
    bits
}

/// Moves bit 2i to bit i; odd bits are dropped.
const fn gather(bits: u64) -> u32 {
    let mut bits = bits & SPREAD[SPREAD.len() - 1].1;
    let mut step = SPREAD.len();
    while step > 0 {
        step -= 1;
        let mask = if step == 0 { 0xffff_ffff } else { SPREAD[step - 1].1 };
        bits = (bits | bits >> SPREAD[step].0) & mask;
    }
    bits as u32
}
