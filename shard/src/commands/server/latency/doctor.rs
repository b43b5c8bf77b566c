//! LATENCY DOCTOR: the samples of all events in words, and advice that fits them.

use std::fmt::Write as _;

use crate::config::Config;
use crate::stats::latency::{LatencyEvent, LatencyLog, LatencySeries};

/// What can be told of one event.
struct Figures {
    spikes: usize,
    average_millis: u64,
    deviation_millis: u64,
    period_seconds: f64,
}

impl Figures {
    fn of(series: &LatencySeries) -> Option<Figures> {
        let samples = series.samples();
        let (first, last) = (samples.front()?, samples.back()?);
        let spikes = samples.len();
        let average = samples.iter().map(|sample| sample.millis).sum::<u64>() / spikes as u64;
        let deviations = samples.iter().map(|sample| sample.millis.abs_diff(average));
        Some(Figures {
            spikes,
            average_millis: average,
            deviation_millis: deviations.sum::<u64>() / spikes as u64,
            period_seconds: (last.second - first.second) as f64 / spikes.saturating_sub(1).max(1) as f64,
        })
    }
}

/// The whole report.
pub(super) fn report(log: &LatencyLog, config: &Config) -> String {
    let threshold = config.latency_monitor_threshold;
    if threshold == 0 {
        return "Latency is not being watched, so there is nothing to tell. To have every event of at least so many \
                milliseconds noted, use \"CONFIG SET latency-monitor-threshold <milliseconds>\".\n"
            .to_owned();
    }
    let mut text = String::new();
    let mut seen = Vec::new();
    for event in LatencyEvent::ALL {
        let Some(figures) = Figures::of(log.of(event)) else { continue };
        seen.push(event);
        let Figures { spikes, average_millis, deviation_millis, period_seconds } = figures;
        let (number, name, worst) = (seen.len(), event.name(), log.of(event).worst_millis());
        let plural = if spikes == 1 { "" } else { "s" };
        writeln!(
            text,
            "{number}. {name}: {spikes} latency spike{plural} (average {average_millis}ms, mean deviation \
             {deviation_millis}ms, period {period_seconds:.2} sec). Worst all time event {worst}ms."
        )
        .expect("a String takes any text");
    }
    if seen.is_empty() {
        return format!("All is well: nothing has taken {threshold} milliseconds or longer.\n");
    }
    let advice = advice(&seen, log, config);
    format!(
        "These events took {threshold} milliseconds or longer:\n\n{text}\nWhat may help:\n\n- {}\n",
        advice.join("\n- ")
    )
}

fn advice(seen: &[LatencyEvent], log: &LatencyLog, config: &Config) -> Vec<String> {
    let mut advice = Vec::new();
    let threshold_micros = config.latency_monitor_threshold.saturating_mul(1000);
    let log_from = config.slowlog_log_slower_than;
    if seen.contains(&LatencyEvent::Command) {
        if log_from < 0 {
            advice.push(format!(
                "The slow log is off, so the commands cannot be named. Use 'CONFIG SET slowlog-log-slower-than \
                 {threshold_micros}'."
            ));
        } else if log_from > threshold_micros {
            advice.push(format!(
                "The slow log notes only commands that take longer than the events here. Use 'CONFIG SET \
                 slowlog-log-slower-than {threshold_micros}'."
            ));
        } else {
            advice.push("SLOWLOG GET names the commands and their arguments.".to_owned());
        }
        advice.push(
            "A command's cost grows with the elements it touches: prefer SCAN, HSCAN, SSCAN and ranges to commands that \
             return everything, and spread big values over several keys."
                .to_owned(),
        );
    }
    if seen.contains(&LatencyEvent::FastCommand) {
        advice.push(
            "A command of constant cost was slow, so something kept its core from running: look for other busy processes, \
             more shards than processors, swapping, or a virtual machine that is not scheduled."
                .to_owned(),
        );
    }
    if seen.contains(&LatencyEvent::ExpireCycle) {
        advice.push("Many keys expire at the same moment: add some randomness to their times to live.".to_owned());
    }
    let worst = LatencyEvent::ALL.into_iter().map(|event| log.of(event).worst_millis()).max().unwrap_or(0);
    if worst >= 500 {
        advice.push(
            "Half a second and more suggests swapping: compare used_memory_rss with the machine's memory.".to_owned(),
        );
    }
    advice
}
