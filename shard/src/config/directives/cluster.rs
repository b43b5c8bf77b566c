//! The cluster.

use super::bounds::{INT_MAX, LONG_MAX};
use super::checks::host_name;
use crate::config::directive::{Directive, Effect};
use crate::config::value::{Choice, Flag, Integer, Memory, Text, anything, field};

/// The cluster.
pub(super) const ROWS: &[Directive] = &[
    Directive::new("cluster-enabled", &Flag(field!(cluster_enabled)), &["no"], "Run as a node of a cluster.")
        .immutable(),
    Directive::new(
        "cluster-config-file",
        &Text { at: field!(cluster_config_file), check: anything },
        &["nodes.conf"],
        "The file in which the node keeps what it knows about the cluster.",
    )
    .immutable(),
    Directive::new(
        "cluster-node-timeout",
        &Integer { at: field!(cluster_node_timeout), min: 0, max: LONG_MAX },
        &["15000"],
        "After how many milliseconds of silence a node is taken for failed.",
    ),
    Directive::new(
        "cluster-port",
        &Integer { at: field!(cluster_port), min: 0, max: 65535 },
        &["0"],
        "The port of the cluster bus; 0 is the port for clients plus 10000.",
    )
    .immutable(),
    Directive::new(
        "cluster-ping-interval",
        &Integer { at: field!(cluster_ping_interval), min: 0, max: INT_MAX },
        &["1000"],
        "How many milliseconds pass between pings to a random node.",
    )
    .hidden(),
    Directive::new(
        "cluster-announce-ip",
        &Text { at: field!(cluster_announce_ip), check: anything },
        &[""],
        "The address the node gives to others.",
    )
    .effect(Effect::ClusterNode),
    Directive::new(
        "cluster-announce-port",
        &Integer { at: field!(cluster_announce_port), min: 0, max: 65535 },
        &["0"],
        "The port the node gives to others; 0 is the real one.",
    )
    .effect(Effect::ClusterNode),
    Directive::new(
        "cluster-announce-tls-port",
        &Integer { at: field!(cluster_announce_tls_port), min: 0, max: 65535 },
        &["0"],
        "The TLS port the node gives to others; 0 is the real one.",
    )
    .effect(Effect::ClusterNode),
    Directive::new(
        "cluster-announce-bus-port",
        &Integer { at: field!(cluster_announce_bus_port), min: 0, max: 65535 },
        &["0"],
        "The bus port the node gives to others; 0 is the real one.",
    )
    .effect(Effect::ClusterNode),
    Directive::new(
        "cluster-announce-hostname",
        &Text { at: field!(cluster_announce_hostname), check: host_name },
        &[""],
        "The host name the node gives to others.",
    )
    .effect(Effect::ClusterNode),
    Directive::new(
        "cluster-announce-human-nodename",
        &Text { at: field!(cluster_announce_human_nodename), check: host_name },
        &[""],
        "The name the node goes by in logs.",
    )
    .effect(Effect::ClusterNode),
    Directive::new(
        "cluster-preferred-endpoint-type",
        &Choice(field!(cluster_preferred_endpoint_type)),
        &["ip"],
        "What redirections name: the address, the host name or nothing.",
    ),
    Directive::new(
        "cluster-replica-validity-factor",
        &Integer { at: field!(cluster_replica_validity_factor), min: 0, max: INT_MAX },
        &["10"],
        "How old a replica's data may be for it to take over, in node timeouts; 0 is any age.",
    )
    .alias("cluster-slave-validity-factor"),
    Directive::new(
        "cluster-migration-barrier",
        &Integer { at: field!(cluster_migration_barrier), min: 0, max: INT_MAX },
        &["1"],
        "How many replicas a master keeps when one moves to a master without any.",
    ),
    Directive::new(
        "cluster-replica-no-failover",
        &Flag(field!(cluster_replica_no_failover)),
        &["no"],
        "Whether this replica never takes over by itself.",
    )
    .alias("cluster-slave-no-failover")
    .effect(Effect::ClusterNode),
    Directive::new(
        "cluster-allow-replica-migration",
        &Flag(field!(cluster_allow_replica_migration)),
        &["yes"],
        "Whether replicas move to masters without any.",
    ),
    Directive::new(
        "cluster-require-full-coverage",
        &Flag(field!(cluster_require_full_coverage)),
        &["yes"],
        "Whether the cluster answers only while every slot is served.",
    ),
    Directive::new(
        "cluster-allow-reads-when-down",
        &Flag(field!(cluster_allow_reads_when_down)),
        &["no"],
        "Whether nodes answer reads while the cluster is down.",
    ),
    Directive::new(
        "cluster-allow-pubsubshard-when-down",
        &Flag(field!(cluster_allow_pubsubshard_when_down)),
        &["yes"],
        "Whether nodes serve sharded pub/sub while the cluster is down.",
    ),
    Directive::new(
        "cluster-link-sendbuf-limit",
        &Memory { at: field!(cluster_link_sendbuf_limit), min: 0, max: u64::MAX },
        &["0"],
        "How much may wait to be sent to a node before its link is cut; 0 is no limit.",
    ),
];
