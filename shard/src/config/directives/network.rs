//! Addresses, sockets and what is expected of connections.

use super::bounds::{INT_MAX, UINT_MAX};
use crate::config::directive::{Directive, Effect};
use crate::config::value::{Flag, Integer, Many, Octal, Text, anything, field};

/// Addresses, sockets and what is expected of connections.
pub(super) const ROWS: &[Directive] = &[
    Directive::new(
        "port",
        &Integer { at: field!(port), min: 0, max: 65535 },
        &["6379"],
        "The TCP port for clients; 0 opens none.",
    )
    .effect(Effect::Listeners),
    Directive::new("bind", &Many(field!(bind)), &["*", "-::*"], "The addresses to listen on.")
        .effect(Effect::Listeners),
    Directive::new(
        "bind-source-addr",
        &Text { at: field!(bind_source_addr), check: anything },
        &[""],
        "The address from which connections to other servers are made.",
    ),
    Directive::new(
        "unixsocket",
        &Text { at: field!(unixsocket), check: anything },
        &[""],
        "The path of a Unix socket to listen on.",
    )
    .immutable(),
    Directive::new(
        "unixsocketperm",
        &Octal { at: field!(unixsocketperm), max: 0o777 },
        &["0"],
        "The permissions of the Unix socket; 0 leaves them to the umask.",
    )
    .immutable(),
    Directive::new(
        "tcp-backlog",
        &Integer { at: field!(tcp_backlog), min: 0, max: INT_MAX },
        &["511"],
        "How many connections may wait to be accepted; the kernel's somaxconn is the upper limit.",
    )
    .immutable(),
    Directive::new(
        "tcp-keepalive",
        &Integer { at: field!(tcp_keepalive), min: 0, max: INT_MAX },
        &["300"],
        "After how many seconds of silence a peer is probed; 0 never probes.",
    )
    .effect(Effect::KeepAlive),
    Directive::new(
        "timeout",
        &Integer { at: field!(timeout), min: 0, max: INT_MAX },
        &["0"],
        "After how many idle seconds a client is disconnected; 0 never disconnects.",
    ),
    Directive::new(
        "protected-mode",
        &Flag(field!(protected_mode)),
        &["yes"],
        "Refuse clients from other machines as long as the default user has no password.",
    ),
    Directive::new(
        "socket-mark-id",
        &Integer { at: field!(socket_mark_id), min: 0, max: UINT_MAX },
        &["0"],
        "The mark that listening and outgoing sockets carry for packet filters; 0 is none.",
    )
    .immutable(),
];
