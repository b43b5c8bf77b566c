//! Polygons: vertices joined by straight lines on the map.

use super::Point;

/// A polygon of at least three vertices. The last is joined with the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Polygon {
    vertices: Vec<Point>,
}

impl Polygon {
    /// A polygon; `None` if there are less than three vertices.
    pub fn new(vertices: Vec<Point>) -> Option<Self> {
        (vertices.len() >= 3).then_some(Self { vertices })
    }

    /// The mean of the vertices: what distances are measured from.
    pub fn centre(&self) -> Point {
        let count = self.vertices.len() as f64;
        let mean = |axis: fn(&Point) -> f64| self.vertices.iter().map(axis).sum::<f64>() / count;
        Point { longitude: mean(|vertex| vertex.longitude), latitude: mean(|vertex| vertex.latitude) }
    }

    /// The south-western and the north-eastern corner of the smallest rectangle around it.
    pub(super) fn corners(&self) -> (Point, Point) {
        let first = self.vertices[0];
        self.vertices.iter().fold((first, first), |(low, high), vertex| {
            let low =
                Point { longitude: low.longitude.min(vertex.longitude), latitude: low.latitude.min(vertex.latitude) };
            let high =
                Point { longitude: high.longitude.max(vertex.longitude), latitude: high.latitude.max(vertex.latitude) };
            (low, high)
        })
    }

    /// Whether a place is inside: a ray from it to the east crosses the edges an odd number of times.
    pub fn contains(&self, point: Point) -> bool {
        let before = self.vertices.iter().cycle().skip(self.vertices.len() - 1);
        let crossings = self.vertices.iter().zip(before).filter(|(from, to)| {
            (from.latitude > point.latitude) != (to.latitude > point.latitude) && {
                let along = (point.latitude - from.latitude) / (to.latitude - from.latitude);
                point.longitude < (to.longitude - from.longitude) * along + from.longitude
            }
        });
        crossings.count() % 2 == 1
    }
}
