//! The picture and the report.

use super::{doctor, graph};
use crate::config::Config;
use crate::stats::latency::{LatencyEvent, LatencyLog};

fn log() -> LatencyLog {
    let mut log = LatencyLog::default();
    for (second, millis) in [(100, 5), (101, 10), (103, 30)] {
        log.record(LatencyEvent::Command, second, millis);
    }
    log
}

#[test]
fn a_graph_is_as_high_as_the_worst_sample() {
    let text = graph::draw("command", log().of(LatencyEvent::Command), 106);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "command - high 30 ms, low 5 ms (all time high 30 ms)");
    assert_eq!(lines[1], "-".repeat(80));
    assert_eq!(&lines[2..6], ["  #", "  |", "  |", "_#|"]);
    assert_eq!(&lines[7..9], ["653", "sss"]);
}

#[test]
fn the_doctor_speaks_of_what_was_seen() {
    let mut config = Config::default();
    assert!(doctor::report(&log(), &config).contains("not being watched"));
    config.latency_monitor_threshold = 1;
    assert!(doctor::report(&LatencyLog::default(), &config).starts_with("All is well"));
    let text = doctor::report(&log(), &config);
    assert!(
        text.contains("1. command: 3 latency spikes (average 15ms, mean deviation 10ms, period 1.50 sec)."),
        "{text}"
    );
    assert!(text.contains("slowlog-log-slower-than 1000"), "the slow log begins at 10 ms: {text}");
}
