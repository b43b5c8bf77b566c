//! Scores, places and distances as Redis 7.0 gives them, and the cover of areas.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;

struct Known {
    longitude: f64,
    latitude: f64,
    score: u64,
    position: [&'static str; 2],
    geohash: &'static str,
}

const KNOWN: [Known; 6] = [
    Known {
        longitude: 13.361_389,
        latitude: 38.115_556,
        score: 3_479_099_956_230_698,
        position: ["13.36138933897018433", "38.11555639549629859"],
        geohash: "sqc8b49rny0",
    },
    Known {
        longitude: 15.087_269,
        latitude: 37.502_669,
        score: 3_479_447_370_796_909,
        position: ["15.08726745843887329", "37.50266842333162032"],
        geohash: "sqdtr74hyu0",
    },
    Known {
        longitude: 180.0,
        latitude: 85.051_128_78,
        score: 13_510_798_882_111_488,
        position: ["180", "85.0511287799999991"],
        geohash: "bp05b5048p0",
    },
    Known {
        longitude: -180.0,
        latitude: -85.051_128_78,
        score: 0,
        position: ["-179.99999731779098511", "-85.05112751263942528"],
        geohash: "00bh0hbj200",
    },
    Known {
        longitude: 0.0,
        latitude: 0.0,
        score: 3_377_699_720_527_872,
        position: ["0.00000268220901489", "0.00000126736058093"],
        geohash: "s0000000000",
    },
    Known {
        longitude: 151.2093,
        latitude: -33.8688,
        score: 3_252_046_221_964_352,
        position: ["151.20929986238479614", "-33.86880091934155956"],
        geohash: "r3gx2f77bj0",
    },
];

/// Distances in metres between places of [`KNOWN`].
const DISTANCES: [(usize, usize, &str); 8] = [
    (0, 1, "166274.1516"),
    (0, 2, "6307362.7206"),
    (1, 3, "14711749.7418"),
    (2, 3, "18919844.5891"),
    (2, 4, "10560811.4940"),
    (3, 4, "10560811.9169"),
    (3, 5, "5764916.2734"),
    (4, 5, "15203738.5333"),
];

fn place(longitude: f64, latitude: f64) -> Point {
    Point::new(longitude, latitude).expect("it is on the map")
}

#[test]
fn places_are_those_of_redis() {
    for known in &KNOWN {
        let score = place(known.longitude, known.latitude).score();
        assert_eq!(score.to_bits(), (known.score as f64).to_bits());
        let point = Point::from_score(score);
        assert_eq!([text::coordinate(point.longitude), text::coordinate(point.latitude)], known.position);
        assert_eq!(point.geohash(), known.geohash.as_bytes());
    }
    for (one, other, distance) in DISTANCES {
        let [one, other] = [one, other].map(|index| Point::from_score(KNOWN[index].score as f64));
        assert_eq!(text::distance(one.distance_to(other)), distance);
        assert_eq!(text::distance(other.distance_to(one)), distance);
    }
    let [one, other] = [0, 1].map(|index| Point::from_score(KNOWN[index].score as f64));
    assert_eq!(text::distance(one.distance_to(other) / Unit::Mile.metres()), "103.3182");
    // Just above and just below one half, as decimal numbers; exactly one half when scaled.
    assert_eq!(text::distance(8_502_914.411_65), "8502914.4116");
    assert_eq!(text::distance(13_461_554.442_55), "13461554.4426");
    assert_eq!((text::distance(0.0), text::distance(7.000_1)), ("0.0000".into(), "7.0001".into()));
}

#[test]
fn what_is_off_the_map_is_no_place() {
    for (longitude, latitude) in [(180.1, 0.0), (-180.1, 0.0), (0.0, 85.06), (0.0, -85.06), (f64::NAN, 0.0)] {
        assert_eq!(Point::new(longitude, latitude), None);
    }
    // Scores that no place has are places all the same.
    for score in [-1.0, 1e300, -1e300, f64::INFINITY, 4.5e15, 0.5] {
        let point = Point::from_score(score);
        assert!(LONGITUDES.contains(&point.longitude) && LATITUDES.contains(&point.latitude));
    }
}

#[test]
fn a_score_leads_back_to_its_cell() {
    let mut rng = SmallRng::seed_from_u64(1);
    for _ in 0..10_000 {
        let point = random_place(&mut rng);
        let back = Point::from_score(point.score());
        assert!((back.longitude - point.longitude).abs() <= 180.0 / f64::from(1 << 26));
        assert!((back.latitude - point.latitude).abs() <= 86.0 / f64::from(1 << 26));
        assert_eq!(back.score().to_bits(), point.score().to_bits());
        let step = rng.random_range(1..=26);
        let (start, end) = Cell::of(point, step).scores();
        assert!(start <= point.score() && point.score() < end);
        assert_eq!(Cell::from_bits(Cell::of(point, step).bits(), step), Cell::of(point, step));
    }
}

#[test]
fn neighbours_go_on_at_the_other_edge() {
    let west = Cell::from_bits(0, 3).moved(-1, 0);
    assert_eq!(west.bits(), 0b10_10_10);
    assert_eq!(west.moved(1, 0).bits(), 0);
    assert_eq!(Cell::from_bits(0, 3).moved(0, -1).bits(), 0b01_01_01);
    assert_eq!(Cell::from_bits(0, 3).moved(1, 1).bits(), 0b11);
}

fn random_place(rng: &mut SmallRng) -> Point {
    place(rng.random_range(-180.0..180.0), rng.random_range(-85.0..85.0))
}

/// A place close to another one, but not over an edge of the map.
fn random_near(rng: &mut SmallRng, centre: Point, degrees: f64) -> Point {
    let longitude = (centre.longitude + rng.random_range(-degrees..degrees)).clamp(-180.0, 179.999);
    let latitude = (centre.latitude + rng.random_range(-degrees..degrees)).clamp(-85.0, 85.0);
    place(longitude, latitude)
}

#[test]
fn ranges_of_scores_cover_their_area() {
    let mut rng = SmallRng::seed_from_u64(2);
    let mut inside = 0;
    for _ in 0..4_000 {
        let size = 10_f64.powf(rng.random_range(-4.0..1.2));
        let centre = place(rng.random_range(-150.0..150.0), rng.random_range(-60.0..60.0));
        let metres = size * 111_000.0;
        let shape = match rng.random_range(0..3) {
            0 => Shape::Circle { centre, radius: metres },
            1 => Shape::Rectangle { centre, width: metres, height: metres * rng.random_range(0.2..2.0) },
            _ => {
                let vertices = (0..rng.random_range(3..9)).map(|_| random_near(&mut rng, centre, size)).collect();
                Shape::Polygon(Polygon::new(vertices).expect("there are at least three"))
            }
        };
        let ranges = shape.score_ranges();
        assert!(ranges.len() <= 9);
        for (index, range) in ranges.iter().enumerate() {
            assert!(range.start < range.end);
            assert!(ranges[..index].iter().all(|other| range.end <= other.start || other.end <= range.start));
        }
        for _ in 0..20 {
            let point = Point::from_score(random_near(&mut rng, centre, size * 1.2).score());
            if let Some(distance) = shape.distance(point) {
                inside += 1;
                assert_eq!(distance.to_bits(), shape.centre().distance_to(point).to_bits());
                let score = point.score();
                let covered = ranges.iter().any(|range| range.start <= score && score < range.end);
                assert!(covered, "{shape:?} has {point:?}");
            }
        }
    }
    assert!(inside > 10_000, "{inside}");
}

#[test]
fn polygons_know_their_inside() {
    // A square with a notch from the east.
    let corners = [(0.0, 0.0), (10.0, 0.0), (10.0, 4.0), (5.0, 5.0), (10.0, 6.0), (10.0, 10.0), (0.0, 10.0)];
    let notched = |corners: &[(f64, f64)]| {
        let vertices = corners.iter().map(|&(longitude, latitude)| place(longitude, latitude)).collect();
        Polygon::new(vertices).expect("there are at least three")
    };
    let polygon = notched(&corners);
    let mut reversed = corners;
    reversed.reverse();
    for polygon in [polygon, notched(&reversed)] {
        for (longitude, latitude, inside) in [
            (1.0, 1.0, true),
            (9.0, 1.0, true),
            (9.0, 9.0, true),
            (4.0, 5.0, true),
            (9.0, 5.0, false),
            (11.0, 2.0, false),
            (-1.0, 5.0, false),
            (5.0, 11.0, false),
        ] {
            assert_eq!(polygon.contains(place(longitude, latitude)), inside, "{longitude} {latitude}");
        }
    }
    assert_eq!(Polygon::new(vec![place(0.0, 0.0); 2]), None);
}

#[test]
fn coordinates_are_printed_as_the_decimal_expansion_says() {
    let mut rng = SmallRng::seed_from_u64(4);
    let edges =
        [0.0, -0.0, 1.0, -180.0, 0.5, 0.1, 2f64.powi(-17), 2f64.powi(-18), 5e-18, 1e-17, 1e-300, f64::NAN, 1e300];
    let random = (0..200_000).map(|_| {
        let degrees: f64 = rng.random_range(-180.0..180.0);
        degrees / f64::from(1 << rng.random_range(0..30))
    });
    for degrees in random.collect::<Vec<_>>().into_iter().chain(edges) {
        let expected = format!("{degrees:.17}");
        let expected =
            if expected.contains('.') { expected.trim_end_matches('0').trim_end_matches('.') } else { &expected };
        assert_eq!(text::coordinate(degrees), if expected == "-0" { "0" } else { expected }, "{degrees:e}");
    }
}
