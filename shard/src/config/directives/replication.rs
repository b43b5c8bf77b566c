//! Masters and replicas.

use super::bounds::{INT_MAX, LONG_MAX, SIGNED_MAX};
use super::checks::raise_backlog;
use crate::config::directive::{Directive, Effect};
use crate::config::value::{Choice, Flag, Integer, Many, Memory, Secret, Text, anything, field};

/// Masters and replicas.
pub(super) const ROWS: &[Directive] = &[
    Directive::new("replicaof", &Many(field!(replicaof)), &[], "The master this server copies.")
        .alias("slaveof")
        .immutable(),
    Directive::new("masterauth", &Secret(field!(masterauth)), &[""], "The password for the master.").sensitive(),
    Directive::new("masteruser", &Secret(field!(masteruser)), &[""], "The user name for the master.").sensitive(),
    Directive::new(
        "replica-serve-stale-data",
        &Flag(field!(replica_serve_stale_data)),
        &["yes"],
        "Whether a replica answers without a link to its master.",
    )
    .alias("slave-serve-stale-data"),
    Directive::new(
        "replica-read-only",
        &Flag(field!(replica_read_only)),
        &["yes"],
        "Whether a replica refuses writes from clients.",
    )
    .alias("slave-read-only"),
    Directive::new(
        "replica-lazy-flush",
        &Flag(field!(replica_lazy_flush)),
        &["no"],
        "Whether a replica frees its old data in the background before a full copy.",
    )
    .alias("slave-lazy-flush"),
    Directive::new(
        "replica-ignore-maxmemory",
        &Flag(field!(replica_ignore_maxmemory)),
        &["yes"],
        "Whether a replica leaves eviction to its master.",
    )
    .alias("slave-ignore-maxmemory"),
    Directive::new(
        "replica-ignore-disk-write-errors",
        &Flag(field!(replica_ignore_disk_write_errors)),
        &["no"],
        "Whether a replica goes on when it cannot write to its disk.",
    ),
    Directive::new(
        "replica-priority",
        &Integer { at: field!(replica_priority), min: 0, max: INT_MAX },
        &["100"],
        "How readily Sentinel makes this replica a master, low numbers first; 0 never.",
    )
    .alias("slave-priority"),
    Directive::new(
        "replica-announced",
        &Flag(field!(replica_announced)),
        &["yes"],
        "Whether Sentinel tells clients about this replica.",
    ),
    Directive::new(
        "replica-announce-ip",
        &Text { at: field!(replica_announce_ip), check: anything },
        &[""],
        "The address a replica gives to its master.",
    )
    .alias("slave-announce-ip"),
    Directive::new(
        "replica-announce-port",
        &Integer { at: field!(replica_announce_port), min: 0, max: 65535 },
        &["0"],
        "The port a replica gives to its master; 0 is the real one.",
    )
    .alias("slave-announce-port"),
    Directive::new(
        "repl-diskless-sync",
        &Flag(field!(repl_diskless_sync)),
        &["yes"],
        "Whether a full copy goes to replicas without a file.",
    ),
    Directive::new(
        "repl-diskless-sync-delay",
        &Integer { at: field!(repl_diskless_sync_delay), min: 0, max: INT_MAX },
        &["5"],
        "How many seconds to wait for more replicas before a copy without a file begins.",
    ),
    Directive::new(
        "repl-diskless-sync-max-replicas",
        &Integer { at: field!(repl_diskless_sync_max_replicas), min: 0, max: INT_MAX },
        &["0"],
        "With how many waiting replicas the copy begins at once; 0 waits in any case.",
    ),
    Directive::new(
        "repl-diskless-load",
        &Choice(field!(repl_diskless_load)),
        &["disabled"],
        "How a replica takes in a full copy.",
    )
    .deny_loading(),
    Directive::new(
        "repl-disable-tcp-nodelay",
        &Flag(field!(repl_disable_tcp_nodelay)),
        &["no"],
        "Whether small packets to replicas are put together at the price of a delay.",
    ),
    Directive::new(
        "repl-ping-replica-period",
        &Integer { at: field!(repl_ping_replica_period), min: 1, max: INT_MAX },
        &["10"],
        "How many seconds pass between pings to replicas.",
    )
    .alias("repl-ping-slave-period"),
    Directive::new(
        "repl-timeout",
        &Integer { at: field!(repl_timeout), min: 1, max: INT_MAX },
        &["60"],
        "After how many seconds of silence a master or replica is given up.",
    ),
    Directive::new(
        "repl-backlog-size",
        &Memory { at: field!(repl_backlog_size), min: 1, max: SIGNED_MAX },
        &["1mb"],
        "How much of the stream is kept for replicas that come back.",
    )
    .effect(Effect::ReplicationBacklog)
    .normalise(raise_backlog),
    Directive::new(
        "repl-backlog-ttl",
        &Integer { at: field!(repl_backlog_ttl), min: 0, max: LONG_MAX },
        &["3600"],
        "After how many seconds without replicas the backlog is dropped; 0 keeps it.",
    ),
    Directive::new(
        "min-replicas-to-write",
        &Integer { at: field!(min_replicas_to_write), min: 0, max: INT_MAX },
        &["0"],
        "With fewer replicas near than this, writes are refused; 0 never refuses.",
    )
    .alias("min-slaves-to-write")
    .effect(Effect::GoodReplicas),
    Directive::new(
        "min-replicas-max-lag",
        &Integer { at: field!(min_replicas_max_lag), min: 0, max: INT_MAX },
        &["10"],
        "Up to how many seconds of silence a replica counts as near.",
    )
    .alias("min-slaves-max-lag")
    .effect(Effect::GoodReplicas),
    Directive::new(
        "propagation-error-behavior",
        &Choice(field!(propagation_error_behavior)),
        &["ignore"],
        "What happens when a command from the master or the log fails.",
    ),
];
