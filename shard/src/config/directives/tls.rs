//! Encrypted connections.

use super::bounds::INT_MAX;
use crate::config::directive::{Directive, Effect};
use crate::config::value::{Choice, Flag, Integer, Secret, Text, anything, field};

/// Encrypted connections.
pub(super) const ROWS: &[Directive] = &[
    Directive::new(
        "tls-port",
        &Integer { at: field!(tls_port), min: 0, max: 65535 },
        &["0"],
        "The TCP port for encrypted connections; 0 opens none.",
    )
    .effect(Effect::TlsListeners),
    Directive::new(
        "tls-cert-file",
        &Text { at: field!(tls_cert_file), check: anything },
        &[""],
        "The server's certificate, in PEM.",
    )
    .effect(Effect::TlsContext),
    Directive::new(
        "tls-key-file",
        &Text { at: field!(tls_key_file), check: anything },
        &[""],
        "The private key of the certificate, in PEM.",
    )
    .effect(Effect::TlsContext),
    Directive::new(
        "tls-key-file-pass",
        &Secret(field!(tls_key_file_pass)),
        &[""],
        "The passphrase of the private key.",
    )
    .effect(Effect::TlsContext)
    .sensitive(),
    Directive::new(
        "tls-client-cert-file",
        &Text { at: field!(tls_client_cert_file), check: anything },
        &[""],
        "The certificate for connections to other servers, if it is not the server's own.",
    )
    .effect(Effect::TlsContext),
    Directive::new(
        "tls-client-key-file",
        &Text { at: field!(tls_client_key_file), check: anything },
        &[""],
        "The private key of that certificate.",
    )
    .effect(Effect::TlsContext),
    Directive::new(
        "tls-client-key-file-pass",
        &Secret(field!(tls_client_key_file_pass)),
        &[""],
        "The passphrase of that key.",
    )
    .effect(Effect::TlsContext)
    .sensitive(),
    Directive::new(
        "tls-dh-params-file",
        &Text { at: field!(tls_dh_params_file), check: anything },
        &[""],
        "Diffie-Hellman parameters for old clients.",
    )
    .effect(Effect::TlsContext),
    Directive::new(
        "tls-ca-cert-file",
        &Text { at: field!(tls_ca_cert_file), check: anything },
        &[""],
        "A file of certificates that peers are verified with.",
    )
    .effect(Effect::TlsContext),
    Directive::new(
        "tls-ca-cert-dir",
        &Text { at: field!(tls_ca_cert_dir), check: anything },
        &[""],
        "A directory of certificates that peers are verified with.",
    )
    .effect(Effect::TlsContext),
    Directive::new(
        "tls-auth-clients",
        &Choice(field!(tls_auth_clients)),
        &["yes"],
        "Whether clients have to show a certificate.",
    )
    .effect(Effect::TlsContext),
    Directive::new(
        "tls-replication",
        &Flag(field!(tls_replication)),
        &["no"],
        "Whether replicas speak to their master through TLS.",
    )
    .effect(Effect::TlsContext),
    Directive::new(
        "tls-cluster",
        &Flag(field!(tls_cluster)),
        &["no"],
        "Whether cluster nodes speak to each other through TLS.",
    )
    .effect(Effect::TlsContext),
    Directive::new(
        "tls-protocols",
        &Text { at: field!(tls_protocols), check: anything },
        &[""],
        "The versions of TLS to offer; empty is TLS 1.2 and 1.3.",
    )
    .effect(Effect::TlsContext),
    Directive::new(
        "tls-ciphers",
        &Text { at: field!(tls_ciphers), check: anything },
        &[""],
        "The ciphers to offer up to TLS 1.2.",
    )
    .effect(Effect::TlsContext),
    Directive::new(
        "tls-ciphersuites",
        &Text { at: field!(tls_ciphersuites), check: anything },
        &[""],
        "The cipher suites to offer for TLS 1.3.",
    )
    .effect(Effect::TlsContext),
    Directive::new(
        "tls-prefer-server-ciphers",
        &Flag(field!(tls_prefer_server_ciphers)),
        &["no"],
        "Whether the server's order of ciphers goes before the client's.",
    )
    .effect(Effect::TlsContext),
    Directive::new(
        "tls-session-caching",
        &Flag(field!(tls_session_caching)),
        &["yes"],
        "Whether clients may resume TLS sessions.",
    )
    .effect(Effect::TlsContext),
    Directive::new(
        "tls-session-cache-size",
        &Integer { at: field!(tls_session_cache_size), min: 0, max: INT_MAX },
        &["20480"],
        "How many TLS sessions are kept for resumption; 0 is without limit.",
    )
    .effect(Effect::TlsContext),
    Directive::new(
        "tls-session-cache-timeout",
        &Integer { at: field!(tls_session_cache_timeout), min: 0, max: INT_MAX },
        &["300"],
        "For how many seconds a TLS session may be resumed.",
    )
    .effect(Effect::TlsContext),
];
