use crate::exec::testing::{Keyspace, check};

/// Four towns, and a square of ten degrees around two of them.
const TOWNS: &str =
    "GEOADD key 13.361389 38.115556 Palermo 15.087269 37.502669 Catania 2.35 48.85 Paris -74 40.7 \"New York\"";
const AROUND_SICILY: &str = "BYPOLYGON 4 10 33 20 33 20 43 10 43";

#[test]
fn members_within_a_polygon_are_found() {
    for shards in [1, 3] {
        let mut keyspace = Keyspace::new(shards);
        assert_eq!(keyspace.run(TOWNS), "4");
        let mut found = |options: &str| keyspace.run(&format!("GEOSEARCH key {AROUND_SICILY} {options}"));
        assert_eq!(found("ASC"), r#"["Catania" "Palermo"]"#);
        assert_eq!(found("DESC COUNT 1"), r#"["Palermo"]"#);
        // Distances are from the mean of the vertices: 15 degrees east, 38 degrees north.
        let (distances, circle) =
            (found("WITHDIST ASC"), keyspace.run("GEOSEARCH key FROMLONLAT 15 38 BYRADIUS 1000 km WITHDIST ASC"));
        let metres = |reply: &str| -> Vec<f64> { reply.split('"').filter_map(|word| word.parse().ok()).collect() };
        for (metres, kilometres) in metres(&distances).into_iter().zip(metres(&circle)) {
            assert!((metres / 1000.0 - kilometres).abs() < 0.001, "{distances} {circle}");
        }
        assert_eq!(metres(&distances).len(), 2);
        assert_eq!(keyspace.run(&format!("GEOSEARCHSTORE to key {AROUND_SICILY} STOREDIST")), "2");
        assert_eq!(keyspace.run("ZRANGE to 0 -1"), r#"["Catania" "Palermo"]"#);
    }
}

#[test]
fn polygons_that_make_no_sense_are_refused() {
    check(
        r"
        GEOADD key 13.361389 38.115556 Palermo => 1
        GEOSEARCH key BYPOLYGON 2 10 33 20 33 ASC => -ERR GEOSEARCH BYPOLYGON must have at least 3 vertices
        GEOSEARCH key BYPOLYGON -1 10 33 20 33 ASC => -ERR GEOSEARCH BYPOLYGON must have at least 3 vertices
        GEOSEARCH key BYPOLYGON abc 10 33 20 33 => -ERR value is not an integer or out of range
        GEOSEARCH key BYPOLYGON 4 10 33 20 33 20 43 => -ERR syntax error
        GEOSEARCH key BYPOLYGON 9223372036854775807 10 33 20 33 20 43 => -ERR syntax error
        GEOSEARCH key BYPOLYGON 3 10 33 20 33 20 x => -ERR value is not a valid float
        GEOSEARCH key BYPOLYGON 3 10 33 20 33 200 43 => -ERR invalid longitude,latitude pair 200.000000,43.000000
        GEOSEARCH key FROMMEMBER Palermo BYPOLYGON 3 10 33 20 33 20 43 => -ERR syntax error
        GEOSEARCH key BYPOLYGON 3 10 33 20 33 20 43 FROMLONLAT 1 1 => -ERR syntax error
        GEOSEARCH key BYPOLYGON 3 10 33 20 33 20 43 BYRADIUS 1 km => -ERR syntax error
        GEOSEARCH key BYRADIUS 1 km BYPOLYGON 3 10 33 20 33 20 43 => -ERR syntax error
        GEOSEARCH missing BYPOLYGON 3 10 33 20 33 20 43 => []
        GEOSEARCH key BYPOLYGON 3 10 33 20 33 20 43 ANY => -ERR the ANY argument requires COUNT argument
        ",
    );
}

#[test]
fn the_last_store_option_counts_on_any_number_of_shards() {
    for shards in 1..=5 {
        let mut keyspace = Keyspace::new(shards);
        keyspace.run(TOWNS);
        keyspace.check(
            r"
            GEORADIUS key 15 37 200 km STORE a STOREDIST b STORE c => 2
            EXISTS a b => 0
            ZCARD c => 2
            GEORADIUS key 15 37 200 km STOREDIST store STORE x => 2
            EXISTS store STORE => 0
            ZCARD x => 2
            GEORADIUSBYMEMBER key Paris 1 km STORE storedist => 1
            ZCARD storedist => 1
            GEORADIUS key 15 37 200 km COUNT store STORE y => -ERR value is not an integer or out of range
            EXISTS y => 0
            ",
        );
    }
}

#[test]
fn changes_are_counted_as_redis_counts_them() {
    let mut keyspace = Keyspace::new(3);
    let mut changes = 0;
    for (command, more) in [
        (TOWNS, 4),
        (TOWNS, 0),
        ("GEOADD key CH 1 1 Palermo 2 2 new", 2),
        ("GEOSEARCHSTORE to key FROMLONLAT 0 0 BYRADIUS 30000 km", 5),
        ("GEORADIUS key 1 1 1 km STORE to", 1),
        ("GEORADIUS missing 1 1 1 km STORE to", 1),
        ("GEORADIUS missing 1 1 1 km STORE to", 0),
        ("GEOSEARCH key FROMLONLAT 0 0 BYRADIUS 30000 km", 0),
    ] {
        keyspace.run(command);
        changes += more;
        assert_eq!(keyspace.counter(|counters| counters.dirty), changes, "{command}");
    }
}
