//! Commandstats, Errorstats, Latencystats.

use super::share::Totals;
use super::text::Report;
use crate::config::Config;
use crate::spec::CommandTable;
use crate::spec::table::Row;
use crate::stats::CommandStats;

fn rows(totals: &Totals) -> impl Iterator<Item = (&'static Row, &CommandStats)> {
    CommandTable::global().rows().iter().zip(totals.commands())
}

pub(super) fn calls(totals: &Totals, report: &mut Report) {
    for (row, stats) in rows(totals) {
        let CommandStats { calls, micros, rejected, failed, .. } = stats;
        if calls + rejected + failed == 0 {
            continue;
        }
        let mean = if *calls == 0 { 0.0 } else { *micros as f64 / *calls as f64 };
        let line = format_args!(
            "calls={calls},usec={micros},usec_per_call={mean:.2},rejected_calls={rejected},failed_calls={failed}"
        );
        report.line(&format!("cmdstat_{}", row.full_name), line);
    }
}

pub(super) fn errors(totals: &Totals, report: &mut Report) {
    let mut errors: Vec<_> = totals.stats.errors.iter().collect();
    errors.sort_unstable();
    for (code, count) in errors {
        report.line(&format!("errorstat_{}", String::from_utf8_lossy(code)), format_args!("count={count}"));
    }
}

pub(super) fn latencies(totals: &Totals, config: &Config, report: &mut Report) {
    let percentiles = &config.latency_tracking_info_percentiles.0;
    let tracked = rows(totals).filter_map(|(row, stats)| Some((row, stats.latency.as_ref()?)));
    for (row, histogram) in tracked.filter(|(_, histogram)| histogram.total() > 0) {
        let micros = |percentile: f64| histogram.percentile(percentile) as f64 / 1000.0;
        let values = percentiles.iter().map(|percentile| format!("p{percentile}={:.3}", micros(*percentile)));
        let line = values.collect::<Vec<_>>().join(",");
        report.line(&format!("latency_percentiles_usec_{}", row.full_name), line);
    }
}
