//! Sections and their text.

use net::OwnedArgs;

use super::section::{Section, Sections};
use super::share::Totals;
use super::text::{Report, human};
use super::{activity, commands, server};
use crate::config::Config;
use crate::stats::CoreStats;
use crate::tracking::Registry;

fn sections(text: &str) -> Vec<&'static str> {
    let args: OwnedArgs = text.split(' ').map(str::as_bytes).collect();
    let sections = Sections::parse(&args.as_args());
    Section::ALL.into_iter().filter(|section| sections.has(*section)).map(Section::title).collect()
}

#[test]
fn sections_are_chosen_as_redis_does() {
    let default = sections("info");
    assert!(default.contains(&"Keyspace") && default.contains(&"Errorstats") && !default.contains(&"Commandstats"));
    assert_eq!(default, sections("info default"));
    assert_eq!(sections("info everything").len(), Section::ALL.len());
    assert_eq!(sections("info cpu sentinel"), ["CPU"]);
    assert_eq!(sections("info commandSTATS CPU cpu"), ["CPU", "Commandstats"]);
    assert!(sections("info nothing").is_empty());
}

#[test]
fn bytes_are_written_for_people() {
    let texts = [(0, "0B"), (1023, "1023B"), (1024, "1.00K"), (940_968, "918.91K"), (25_276_510_208, "23.54G")];
    for (bytes, text) in texts {
        assert_eq!(human(bytes), text);
    }
}

#[test]
fn every_line_is_a_name_and_a_value() {
    let mut totals = Totals::of(&[]);
    totals.stats = CoreStats::default();
    totals.stats.commands[0].calls = 3;
    totals.stats.commands[0].micros = 10;
    totals.stats.commands[0].latency.get_or_insert_default().record(5_000);
    totals.stats.error(b"WRONGTYPE");
    let mut report = Report::default();
    report.section("Some");
    commands::calls(&totals, &mut report);
    commands::errors(&totals, &mut report);
    commands::latencies(&totals, &Config::default(), &mut report);
    activity::keyspace(&totals, &mut report);
    server::clients(&Config::default(), &totals, &Registry::default(), &mut report);
    let text = report.text();
    assert!(text.starts_with("# Some\r\ncmdstat_"), "{text}");
    assert!(text.contains(":calls=3,usec=10,usec_per_call=3.33,rejected_calls=0,failed_calls=0\r\n"), "{text}");
    assert!(text.contains("errorstat_WRONGTYPE:count=1\r\n"));
    assert!(text.contains(":p50=5.120,p99=5.120,p99.9=5.120\r\n"), "{text}");
    let mut names: Vec<&str> = text.lines().skip(1).map(|line| line.split_once(':').expect("name:value").0).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "no name twice");
}
