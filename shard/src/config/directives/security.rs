//! Passwords, users and dangerous commands.

use super::bounds::LONG_MAX;
use crate::config::directive::{Directive, Effect};
use crate::config::value::{Choice, Integer, Secret, Text, anything, field};

/// Passwords, users and dangerous commands.
pub(super) const ROWS: &[Directive] = &[
    Directive::new(
        "requirepass",
        &Secret(field!(requirepass)),
        &[""],
        "The password of the default user; empty for none.",
    )
    .sensitive()
    .effect(Effect::Password),
    Directive::new(
        "aclfile",
        &Text { at: field!(aclfile), check: anything },
        &[""],
        "The file of users, instead of user lines.",
    )
    .immutable(),
    Directive::new(
        "acllog-max-len",
        &Integer { at: field!(acllog_max_len), min: 0, max: LONG_MAX },
        &["128"],
        "How many refusals ACL LOG remembers.",
    ),
    Directive::new(
        "acl-pubsub-default",
        &Choice(field!(acl_pubsub_default)),
        &["resetchannels"],
        "Which channels a new user may use.",
    ),
    Directive::new("enable-debug-command", &Choice(field!(enable_debug_command)), &["no"], "Who may use DEBUG.")
        .immutable(),
    Directive::new("enable-module-command", &Choice(field!(enable_module_command)), &["no"], "Who may use MODULE.")
        .immutable(),
    Directive::new(
        "enable-protected-configs",
        &Choice(field!(enable_protected_configs)),
        &["no"],
        "Who may change the directives that could be used to write files elsewhere.",
    )
    .immutable(),
];
