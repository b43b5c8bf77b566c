//! GEOADD, GEOPOS, GEOHASH, GEODIST, GEOSEARCH.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use storage::types::geohash::{Point, Shape, Unit, text};

use super::server::{Reply, Server};

/// Places all over the map, at its edges, and close to each other.
fn random_place(rng: &mut SmallRng, near: Option<Point>) -> Point {
    let edge = |rng: &mut SmallRng, limit: f64| [-limit, 0.0, limit][rng.random_range(0..3)];
    let (longitude, latitude) = match (rng.random_range(0..20), near) {
        (0, _) => (edge(rng, 180.0), rng.random_range(-85.0..85.0)),
        (1, _) => (rng.random_range(-180.0..180.0), edge(rng, 85.051_128_78)),
        (2..12, Some(near)) => {
            let spread = 10_f64.powf(rng.random_range(-6.0..1.0));
            (near.longitude + rng.random_range(-spread..spread), near.latitude + rng.random_range(-spread..spread))
        }
        _ => (rng.random_range(-180.0..180.0), rng.random_range(-85.0..85.0)),
    };
    Point::new(longitude.clamp(-180.0, 180.0), latitude.clamp(-85.05, 85.05)).expect("it is on the map")
}

#[test]
#[ignore = "needs redis-server"]
fn places_and_distances_are_those_of_redis() {
    let mut server = Server::start();
    let mut rng = SmallRng::seed_from_u64(1);
    let mut before = Point::new(0.0, 0.0).expect("it is on the map");
    for _ in 0..5_000 {
        let point = random_place(&mut rng, Some(before));
        server.run(&format!("GEOADD g {:?} {:?} this", point.longitude, point.latitude));
        server.run(&format!("GEOADD g {:?} {:?} before", before.longitude, before.latitude));
        assert_eq!(server.run("ZSCORE g this"), Reply::bulk(format!("{}", point.score())));
        let [place, place_before] = [point, before].map(|point| Point::from_score(point.score()));
        let position = [place.longitude, place.latitude].map(|degrees| Reply::bulk(text::coordinate(degrees)));
        assert_eq!(server.run("GEOPOS g this"), Reply::Array(vec![Reply::Array(position.to_vec())]));
        assert_eq!(server.run("GEOHASH g this"), Reply::Array(vec![Reply::bulk(place.geohash())]));
        for (unit, name) in [(Unit::Metre, "m"), (Unit::Kilometre, "km"), (Unit::Foot, "ft"), (Unit::Mile, "mi")] {
            let distance = text::distance(place.distance_to(place_before) / unit.metres());
            assert_eq!(server.run(&format!("GEODIST g this before {name}")), Reply::bulk(distance));
        }
        before = point;
    }
}

/// An item of a reply of GEOSEARCH WITHDIST.
fn member_with_distance(item: Reply) -> String {
    item.array()
        .into_iter()
        .map(|part| String::from_utf8_lossy(&part.bytes()).into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
#[ignore = "needs redis-server"]
fn areas_are_searched_in_the_order_of_redis() {
    let mut server = Server::start();
    let mut rng = SmallRng::seed_from_u64(2);
    let mut members: Vec<(f64, String)> = Vec::new();
    let mut near = None;
    for number in 0..3_000 {
        let point = random_place(&mut rng, near);
        near = Some(point).filter(|_| number % 7 > 0);
        let name = format!("m{number}");
        server.run(&format!("GEOADD g {:?} {:?} {name}", point.longitude, point.latitude));
        members.push((point.score(), name));
    }
    members.sort_by(|one, other| one.partial_cmp(other).expect("scores are numbers"));
    let mut found_in_all = 0;
    for _ in 0..3_000 {
        let centre = random_place(&mut rng, None);
        let mut size = || 10_f64.powf(rng.random_range(2.0..7.3));
        let (size, other_size) = (size(), size());
        let (shape, by) = if rng.random() {
            (Shape::Circle { centre, radius: size }, format!("BYRADIUS {size:?} m"))
        } else {
            let shape = Shape::Rectangle { centre, width: size, height: other_size };
            (shape, format!("BYBOX {size:?} {other_size:?} m"))
        };
        let mut found = Vec::new();
        for range in shape.score_ranges() {
            let inside = members.iter().filter(|(score, _)| range.start <= *score && *score < range.end);
            for (score, name) in inside {
                if let Some(distance) = shape.distance(Point::from_score(*score)) {
                    found.push(format!("{name} {}", text::distance(distance)));
                }
            }
        }
        found_in_all += found.len();
        let command = format!("GEOSEARCH g FROMLONLAT {:?} {:?} {by} WITHDIST", centre.longitude, centre.latitude);
        let replied: Vec<String> = server.run(&command).array().into_iter().map(member_with_distance).collect();
        assert_eq!(replied.join(", "), found.join(", "), "{command}");
    }
    assert!(found_in_all > 100_000, "{found_in_all}");
}
