//! Limits on clients and what they are told.

use super::bounds::{LONG_MAX, SIGNED_MAX, UINT_MAX};
use crate::config::directive::{Directive, Effect};
use crate::config::value::{Flag, Integer, Limit, Many, Memory, One, field};

/// Limits on clients and what they are told.
pub(super) const ROWS: &[Directive] = &[
    Directive::new(
        "maxclients",
        &Integer { at: field!(maxclients), min: 1, max: UINT_MAX },
        &["10000"],
        "How many clients may be connected at once.",
    )
    .effect(Effect::MaxClients),
    Directive::new(
        "maxmemory-clients",
        &Limit(field!(maxmemory_clients)),
        &["0"],
        "How much memory all clients' buffers may take together; 0 is no limit.",
    )
    .effect(Effect::ClientMemory),
    Directive::new(
        "client-query-buffer-limit",
        &Memory { at: field!(client_query_buffer_limit), min: 1 << 20, max: SIGNED_MAX },
        &["1gb"],
        "How much of a request may be buffered before it is complete.",
    ),
    Directive::new(
        "client-output-buffer-limit",
        &Many(field!(client_output_buffer_limit)),
        &["normal", "0", "0", "0", "slave", "268435456", "67108864", "60", "pubsub", "33554432", "8388608", "60"],
        "How much a client may leave unread, by class of clients.",
    ),
    Directive::new(
        "proto-max-bulk-len",
        &Memory { at: field!(proto_max_bulk_len), min: 1 << 20, max: SIGNED_MAX },
        &["512mb"],
        "The longest argument of a command, and the longest string.",
    ),
    Directive::new(
        "tracking-table-max-keys",
        &Integer { at: field!(tracking_table_max_keys), min: 0, max: LONG_MAX },
        &["1000000"],
        "How many keys are remembered for client-side caching; 0 is no limit.",
    ),
    Directive::new(
        "notify-keyspace-events",
        &One(field!(notify_keyspace_events)),
        &[""],
        "Which events about keys are published.",
    ),
    Directive::new(
        "busy-reply-threshold",
        &Integer { at: field!(busy_reply_threshold), min: 0, max: LONG_MAX },
        &["5000"],
        "After how many milliseconds of a script other clients are told BUSY.",
    )
    .alias("lua-time-limit"),
    Directive::new(
        "lua-enable-deprecated-api",
        &Flag(field!(lua_enable_deprecated_api)),
        &["no"],
        "Whether scripts may use functions that Redis is about to drop.",
    )
    .immutable()
    .hidden(),
];
