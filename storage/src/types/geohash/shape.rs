//! Areas to search, and the cells that cover them.

use super::distance::{EARTH_RADIUS, degrees, radians};
use super::{Cell, Point, Polygon, STEP_MAX};

/// Half the circumference of the earth at the equator, in metres, as the Mercator map has it.
const MERCATOR_MAX: f64 = 20_037_726.37;
/// Towards the poles cells are narrow, so they are chosen coarser beyond these latitudes.
const LATITUDES_NARROW: [f64; 2] = [66.0, 80.0];

/// East and north of the cells around one, in the order in which Redis looks at them.
const AROUND: [(i32, i32); 8] = [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];

/// Scores from `start` up to, but not including, `end`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreRange {
    /// The first score.
    pub start: f64,
    /// The first score that is not in the range.
    pub end: f64,
}

/// An area. Lengths are in metres.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// What is at most so far from a place.
    Circle {
        /// The place.
        centre: Point,
        /// How far.
        radius: f64,
    },
    /// A rectangle whose sides are parallels and meridians.
    Rectangle {
        /// Its centre.
        centre: Point,
        /// From west to east.
        width: f64,
        /// From north to south.
        height: f64,
    },
    /// A polygon on the map.
    Polygon(Polygon),
}

/// A rectangle of the map.
struct Bounds {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

impl Shape {
    /// What distances are measured from.
    pub fn centre(&self) -> Point {
        match self {
            Self::Circle { centre, .. } | Self::Rectangle { centre, .. } => *centre,
            Self::Polygon(polygon) => polygon.centre(),
        }
    }

    /// The distance of a place from the centre, if the place is in the area.
    pub fn distance(&self, point: Point) -> Option<f64> {
        match self {
            Self::Circle { centre, radius } => {
                let distance = centre.distance_to(point);
                (distance <= *radius).then_some(distance)
            }
            Self::Rectangle { centre, width, height } => {
                let across = point.distance_to(Point { longitude: centre.longitude, ..point });
                let along = point.distance_to(Point { latitude: centre.latitude, ..point });
                (across <= width / 2.0 && along <= height / 2.0).then(|| centre.distance_to(point))
            }
            Self::Polygon(polygon) => polygon.contains(point).then(|| polygon.centre().distance_to(point)),
        }
    }

    /// The ranges of scores in which all places of the area are, and others: [`Self::distance`] tells them apart. They are
    /// in the order in which Redis searches them, and at most nine.
    pub fn score_ranges(&self) -> Vec<ScoreRange> {
        let (bounds, centre) = (self.bounds(), self.centre());
        let mut step = step_for(self.radius(), centre.latitude);
        let mut cell = Cell::of(centre, step);
        if step > 1 && !covers(cell, &bounds) {
            step -= 1;
            cell = Cell::of(centre, step);
        }
        let (longitudes, latitudes) = cell.sides();
        // Rectangles of step 1 are a quarter of the map: all are looked at.
        let reaches = |(east, north): (i32, i32)| {
            step < 2
                || ((east >= 0 || *longitudes.start() >= bounds.west)
                    && (east <= 0 || *longitudes.end() <= bounds.east)
                    && (north >= 0 || *latitudes.start() >= bounds.south)
                    && (north <= 0 || *latitudes.end() <= bounds.north))
        };
        let around = AROUND.iter().filter(|way| reaches(**way)).map(|(east, north)| cell.moved(*east, *north));
        let mut cells: Vec<Cell> = std::iter::once(cell).chain(around).collect();
        // On a coarse map the cell to the one side is the cell to the other side.
        cells.dedup();
        let range = |cell: Cell| {
            let (start, end) = cell.scores();
            ScoreRange { start, end }
        };
        cells.into_iter().map(range).collect()
    }

    /// The radius of a circle around the centre that holds the area.
    fn radius(&self) -> f64 {
        match self {
            Self::Circle { radius, .. } => *radius,
            Self::Rectangle { width, height, .. } => {
                ((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)).sqrt()
            }
            Self::Polygon(polygon) => {
                let (centre, (low, high)) = (polygon.centre(), polygon.corners());
                [low.longitude, high.longitude]
                    .iter()
                    .flat_map(|&longitude| [low.latitude, high.latitude].map(|latitude| Point { longitude, latitude }))
                    .map(|corner| centre.distance_to(corner))
                    .fold(0.0, f64::max)
            }
        }
    }

    fn bounds(&self) -> Bounds {
        match self {
            Self::Circle { centre, radius } => bounds_around(*centre, *radius, *radius),
            Self::Rectangle { centre, width, height } => bounds_around(*centre, width / 2.0, height / 2.0),
            Self::Polygon(polygon) => {
                let (low, high) = polygon.corners();
                Bounds { west: low.longitude, south: low.latitude, east: high.longitude, north: high.latitude }
            }
        }
    }
}

/// The part of the map within some metres to the east or west, and to the north or south. A degree of longitude is
/// shortest on the side that is closer to a pole.
fn bounds_around(centre: Point, across: f64, along: f64) -> Bounds {
    let Point { longitude, latitude } = centre;
    let latitude_delta = degrees(along / EARTH_RADIUS);
    let polewards = if latitude < 0.0 { latitude - latitude_delta } else { latitude + latitude_delta };
    let longitude_delta = degrees(across / EARTH_RADIUS / radians(polewards).cos());
    Bounds {
        west: longitude - longitude_delta,
        south: latitude - latitude_delta,
        east: longitude + longitude_delta,
        north: latitude + latitude_delta,
    }
}

/// How fine cells can be so that three by three of them cover a circle anywhere in the one in the middle.
fn step_for(radius: f64, latitude: f64) -> u32 {
    if radius == 0.0 {
        return STEP_MAX;
    }
    let mut doublings: u32 = 0;
    let mut range = radius;
    while range < MERCATOR_MAX {
        range *= 2.0;
        doublings += 1;
    }
    let narrow = LATITUDES_NARROW.iter().filter(|limit| latitude.abs() > **limit).count() as u32;
    doublings.saturating_sub(1 + narrow).clamp(1, STEP_MAX)
}

/// Whether the cells around one reach beyond the bounds on all sides.
fn covers(cell: Cell, bounds: &Bounds) -> bool {
    let (north, south) = (cell.moved(0, 1).sides().1, cell.moved(0, -1).sides().1);
    let (east, west) = (cell.moved(1, 0).sides().0, cell.moved(-1, 0).sides().0);
    *north.end() >= bounds.north
        && *south.start() <= bounds.south
        && *east.end() >= bounds.east
        && *west.start() <= bounds.west
}
