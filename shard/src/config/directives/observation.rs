//! Slow commands and latency.

use super::bounds::LONG_MAX;
use crate::config::directive::Directive;
use crate::config::value::{Flag, Integer, Many, field};

/// Slow commands and latency.
pub(super) const ROWS: &[Directive] = &[
    Directive::new(
        "slowlog-log-slower-than",
        &Integer { at: field!(slowlog_log_slower_than), min: -1, max: LONG_MAX },
        &["10000"],
        "From how many microseconds a command is slow; -1 logs nothing.",
    ),
    Directive::new(
        "slowlog-max-len",
        &Integer { at: field!(slowlog_max_len), min: 0, max: LONG_MAX },
        &["128"],
        "How many slow commands are remembered.",
    ),
    Directive::new(
        "latency-monitor-threshold",
        &Integer { at: field!(latency_monitor_threshold), min: 0, max: LONG_MAX },
        &["0"],
        "From how many milliseconds an event is sampled by LATENCY; 0 samples nothing.",
    ),
    Directive::new(
        "latency-tracking",
        &Flag(field!(latency_tracking)),
        &["yes"],
        "Whether the latency of each command is recorded.",
    ),
    Directive::new(
        "latency-tracking-info-percentiles",
        &Many(field!(latency_tracking_info_percentiles)),
        &["50", "99", "99.9"],
        "The percentiles that INFO latencystats shows.",
    ),
];
