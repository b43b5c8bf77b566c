//! The process: files, log, supervision, shutdown.

use super::bounds::INT_MAX;
use super::checks::{clamp_hz, raise_watchdog};
use crate::config::directive::{Directive, Effect};
use crate::config::types::title;
use crate::config::value::{Choice, Flag, Integer, Many, One, Text, anything, field};

/// The process: files, log, supervision, shutdown.
pub(super) const ROWS: &[Directive] = &[
    Directive::new("daemonize", &Flag(field!(daemonize)), &["no"], "Go to the background after start-up.").immutable(),
    Directive::new(
        "pidfile",
        &Text { at: field!(pidfile), check: anything },
        &[""],
        "A file to write the process id to.",
    )
    .immutable(),
    Directive::new(
        "supervised",
        &Choice(field!(supervised)),
        &["no"],
        "Which supervisor is told when the server is ready.",
    )
    .immutable(),
    Directive::new(
        "set-proc-title",
        &Flag(field!(set_proc_title)),
        &["yes"],
        "Whether the title of the process shows its address and mode.",
    )
    .immutable(),
    Directive::new(
        "proc-title-template",
        &Text { at: field!(proc_title_template), check: title::check },
        &["{title} {listen-addr} {server-mode}"],
        "What the title of the process is made of.",
    )
    .effect(Effect::ProcessTitle),
    Directive::new(
        "always-show-logo",
        &Flag(field!(always_show_logo)),
        &["no"],
        "Show the banner even if the log does not go to a terminal.",
    )
    .immutable(),
    Directive::new("loglevel", &Choice(field!(loglevel)), &["notice"], "The least important messages that are logged.")
        .effect(Effect::LogLevel),
    Directive::new(
        "logfile",
        &Text { at: field!(logfile), check: anything },
        &[""],
        "The file to log to; empty is standard output.",
    )
    .immutable(),
    Directive::new("syslog-enabled", &Flag(field!(syslog_enabled)), &["no"], "Log to the system logger as well.")
        .immutable(),
    Directive::new(
        "syslog-ident",
        &Text { at: field!(syslog_ident), check: anything },
        &["redis"],
        "The name of the server in the system log.",
    )
    .immutable(),
    Directive::new("syslog-facility", &Choice(field!(syslog_facility)), &["local0"], "The facility of the system log.")
        .immutable(),
    Directive::new(
        "crash-log-enabled",
        &Flag(field!(crash_log_enabled)),
        &["yes"],
        "Whether a crash is described in the log.",
    )
    .effect(Effect::CrashReports),
    Directive::new(
        "crash-memcheck-enabled",
        &Flag(field!(crash_memcheck_enabled)),
        &["yes"],
        "Accepted for files written for Redis; memory is not tested after a crash.",
    ),
    Directive::new(
        "use-exit-on-panic",
        &Flag(field!(use_exit_on_panic)),
        &["no"],
        "Leave by exit instead of abort after an internal error, for tests.",
    )
    .effect(Effect::CrashReports)
    .hidden(),
    Directive::new("dir", &One(field!(dir)), &[""], "The directory of the dataset's files.")
        .protected()
        .deny_loading()
        .effect(Effect::WorkingDirectory)
        .always_written(),
    Directive::new(
        "databases",
        &Integer { at: field!(databases), min: 1, max: INT_MAX },
        &["16"],
        "How many databases SELECT can choose from.",
    )
    .immutable(),
    Directive::new(
        "hz",
        &Integer { at: field!(hz), min: 0, max: INT_MAX },
        &["10"],
        "How many times a second periodic work runs, 1 to 500.",
    )
    .effect(Effect::Frequency)
    .normalise(clamp_hz),
    Directive::new(
        "dynamic-hz",
        &Flag(field!(dynamic_hz)),
        &["yes"],
        "Whether periodic work runs more often while many clients are connected.",
    ),
    Directive::new(
        "shutdown-timeout",
        &Integer { at: field!(shutdown_timeout), min: 0, max: INT_MAX },
        &["10"],
        "How many seconds a shutdown waits for replicas to catch up.",
    ),
    Directive::new(
        "shutdown-on-sigterm",
        &Many(field!(shutdown_on_sigterm)),
        &["default"],
        "How the server goes down on SIGTERM.",
    ),
    Directive::new(
        "shutdown-on-sigint",
        &Many(field!(shutdown_on_sigint)),
        &["default"],
        "How the server goes down on SIGINT.",
    ),
    Directive::new(
        "oom-score-adj",
        &Choice(field!(oom_score_adj)),
        &["no"],
        "Whether the kernel is told how expendable the server is when memory runs out.",
    )
    .effect(Effect::OomScore),
    Directive::new(
        "oom-score-adj-values",
        &Many(field!(oom_score_adj_values)),
        &["0", "200", "800"],
        "How expendable a master, a replica and a background child are.",
    )
    .effect(Effect::OomScore),
    Directive::new(
        "disable-thp",
        &Flag(field!(disable_thp)),
        &["yes"],
        "Keep transparent huge pages from the process.",
    )
    .immutable(),
    Directive::new(
        "watchdog-period",
        &Integer { at: field!(watchdog_period), min: 0, max: INT_MAX },
        &["0"],
        "Log a stack trace when a command runs for longer than so many milliseconds; 0 never does.",
    )
    .hidden()
    .effect(Effect::Watchdog)
    .normalise(raise_watchdog),
    Directive::new(
        "ignore-warnings",
        &Text { at: field!(ignore_warnings), check: anything },
        &[""],
        "Warnings about the system that do not keep the server from starting.",
    ),
    Directive::new(
        "locale-collate",
        &Text { at: field!(locale_collate), check: anything },
        &[""],
        "The locale of SORT ALPHA; empty is the environment's.",
    ),
];
