//! The table of directives: every name, type, bound, default and note about configuration stands here once.
//!
//! One file holds one group; a group is a list of rows in the order in which documentation shows them. Names and
//! aliases are unique over all groups, which [`lookup`] relies on and a test checks. Names, types, bounds and defaults
//! are those of Redis 7.0, with the packed sets of 7.2 and the two directives about shards.
//!
//! Directives that only exist in files (`include`, `user`, `rename-command`, `loadmodule`) have no value and no row:
//! they are in `load.rs`.

mod append_only;
mod bounds;
mod checks;
mod clients;
mod cluster;
mod encodings;
mod memory;
mod network;
mod observation;
mod process;
mod replication;
mod runtime;
mod security;
mod snapshots;
mod tls;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::directive::Directive;

/// A group of directives that belong together.
pub struct Group {
    /// What they are about.
    pub title: &'static str,
    /// The directives.
    pub directives: &'static [Directive],
}

static GROUPS: [Group; 13] = [
    Group { title: "Network", directives: network::ROWS },
    Group { title: "TLS", directives: tls::ROWS },
    Group { title: "Process", directives: process::ROWS },
    Group { title: "Shards and threads", directives: runtime::ROWS },
    Group { title: "Clients", directives: clients::ROWS },
    Group { title: "Security", directives: security::ROWS },
    Group { title: "Memory", directives: memory::ROWS },
    Group { title: "Snapshots", directives: snapshots::ROWS },
    Group { title: "Append-only file", directives: append_only::ROWS },
    Group { title: "Replication", directives: replication::ROWS },
    Group { title: "Cluster", directives: cluster::ROWS },
    Group { title: "Encodings", directives: encodings::ROWS },
    Group { title: "Observation", directives: observation::ROWS },
];

/// All groups.
pub fn groups() -> &'static [Group] {
    &GROUPS
}

/// All directives.
pub fn all() -> impl Iterator<Item = &'static Directive> {
    GROUPS.iter().flat_map(|group| group.directives)
}

static BY_NAME: LazyLock<HashMap<&'static str, &'static Directive>> = LazyLock::new(|| {
    let names =
        |row: &'static Directive| std::iter::once(row.name()).chain(row.alias_name()).map(move |name| (name, row));
    all().flat_map(names).collect()
});

/// The directive with this name or alias, in any case.
pub fn lookup(name: &[u8]) -> Option<&'static Directive> {
    let name = std::str::from_utf8(name).ok()?.to_ascii_lowercase();
    BY_NAME.get(name.as_str()).copied()
}
