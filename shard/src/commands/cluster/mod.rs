//! The commands of a cluster, on a server that is no part of one.
//!
//! A Redis whose `cluster-enabled` is `no` has all of them: clients ask some when they connect, to learn whether they talk
//! to a cluster, and know the text that says no. So they are found by name, with their subcommands and numbers of
//! arguments, and each answers that text, CLUSTER HELP too. `cluster-enabled yes` is refused at the start
//! (`config/unavailable.rs`).
//!
//! Facts about the commands (names, numbers of arguments, flags, versions) are those of Redis 7.0.

#![allow(clippy::unnecessary_wraps, reason = "handlers have one type, and many of them cannot fail")]

use net::{Args, Reply};

use crate::core::SessionCtx;
use crate::exec::{CommandError, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Categories, Category, Command, Docs, Flag, Flags, Group};

/// The family's commands.
pub const COMMANDS: &[&Command] = &[&ASKING, &CLUSTER, &READONLY, &READWRITE];

const DISABLED: CommandError = CommandError::new("ERR This instance has cluster support disabled");

/// What changes the cluster or looks into it as an administrator.
const ADMIN: Flags = Flags::of(&[Flag::Admin, Flag::Stale]);
const CHANGES: Flags = ADMIN.with(Flag::NoAsyncLoading);
const LOOKS: Flags = Flags::of(&[Flag::Stale]);
const LINK: Flags = Flags::of(&[Flag::Loading, Flag::Stale, Flag::Fast]);

const NODE: Argument = Argument::new("node-id", ArgumentKind::String);
const SLOT: Argument = Argument::new("slot", ArgumentKind::Integer);
const RANGES: Argument = Argument::new(
    "start-slot_end-slot",
    ArgumentKind::Block(&[
        Argument::new("start-slot", ArgumentKind::Integer),
        Argument::new("end-slot", ArgumentKind::Integer),
    ]),
)
.multiple();
const OF_NODES: &str = "O(N) where N is the number of nodes";
const OF_SLOTS: &str = "O(N) where N is the number of slots";

/// ASKING
const ASKING: Command =
    link("asking", Flags::of(&[Flag::Fast]), "Lets the next command reach a slot that is being imported.");

/// READONLY
const READONLY: Command = link("readonly", LINK, "Lets this connection read from a replica.");

/// READWRITE
const READWRITE: Command = link("readwrite", LINK, "Ends what READONLY began.");

/// CLUSTER subcommand
const CLUSTER: Command = Command {
    name: "cluster",
    arity: Arity::AtLeast(2),
    docs: Docs {
        summary: "Commands about the cluster.",
        since: "3.0.0",
        group: Group::Cluster,
        complexity: "Depends on subcommand.",
        ..Docs::BLANK
    },
    subcommands: SUBCOMMANDS,
    run: Run::Container,
    ..Command::BLANK
};

const SUBCOMMANDS: &[Command] = &[
    part("addslots", Arity::AtLeast(3), CHANGES, ("3.0.0", "Gives this node slots.", OF_SLOTS), &[SLOT.multiple()]),
    part(
        "addslotsrange",
        Arity::AtLeast(4),
        CHANGES,
        ("7.0.0", "Gives this node ranges of slots.", OF_SLOTS),
        &[RANGES],
    ),
    varying("bumpepoch", Arity::Exactly(2), CHANGES, ("3.0.0", "Moves the configuration's epoch on.", "O(1)"), &[]),
    varying(
        "count-failure-reports",
        Arity::Exactly(3),
        ADMIN,
        ("3.0.0", "Counts the nodes that report another one as failing.", "O(N) where N is the number of reports"),
        &[NODE],
    ),
    part("countkeysinslot", Arity::Exactly(3), LOOKS, ("3.0.0", "Counts the keys of a slot.", "O(1)"), &[SLOT]),
    part(
        "delslots",
        Arity::AtLeast(3),
        CHANGES,
        ("3.0.0", "Takes slots from this node.", OF_SLOTS),
        &[SLOT.multiple()],
    ),
    part("delslotsrange", Arity::AtLeast(4), CHANGES, ("7.0.0", "Takes ranges of slots away.", OF_SLOTS), &[RANGES]),
    part(
        "failover",
        Arity::AtLeast(2),
        CHANGES,
        ("3.0.0", "Has a replica take over from its master.", "O(1)"),
        &[Argument::new(
            "options",
            ArgumentKind::OneOf(&[Argument::word("force", "FORCE"), Argument::word("takeover", "TAKEOVER")]),
        )
        .optional()],
    ),
    part("flushslots", Arity::Exactly(2), CHANGES, ("3.0.0", "Takes all slots from this node.", "O(1)"), &[]),
    part("forget", Arity::Exactly(3), CHANGES, ("3.0.0", "Forgets another node.", "O(1)"), &[NODE]),
    varying(
        "getkeysinslot",
        Arity::Exactly(4),
        LOOKS,
        ("3.0.0", "Names some keys of a slot.", "O(N) where N is the number of keys asked for"),
        &[SLOT, Argument::new("count", ArgumentKind::Integer)],
    ),
    part(
        "help",
        Arity::Exactly(2),
        Flags::of(&[Flag::Loading, Flag::Stale]),
        ("5.0.0", "Lists the subcommands and what they do.", "O(1)"),
        &[],
    ),
    varying("info", Arity::Exactly(2), LOOKS, ("3.0.0", "Tells the state of the cluster.", "O(1)"), &[]),
    part(
        "keyslot",
        Arity::Exactly(3),
        LOOKS,
        ("3.0.0", "Tells the slot of a key.", "O(N) where N is the length of the key"),
        &[Argument::new("key", ArgumentKind::String)],
    ),
    varying("links", Arity::Exactly(2), LOOKS, ("7.0.0", "Lists the connections to nodes.", OF_NODES), &[]),
    part(
        "meet",
        Arity::AtLeast(4),
        CHANGES,
        ("3.0.0", "Makes another node known.", "O(1)"),
        &[
            Argument::new("ip", ArgumentKind::String),
            Argument::new("port", ArgumentKind::Integer),
            Argument { since: "4.0.0", ..Argument::new("cluster_bus_port", ArgumentKind::Integer) }.optional(),
        ],
    ),
    part("myid", Arity::Exactly(2), LOOKS, ("3.0.0", "Tells the name of this node.", "O(1)"), &[]),
    varying("myshardid", Arity::Exactly(2), LOOKS, ("7.2.0", "Tells the name of this node's shard.", "O(1)"), &[]),
    varying("nodes", Arity::Exactly(2), LOOKS, ("3.0.0", "Lists the nodes.", OF_NODES), &[]),
    varying("replicas", Arity::Exactly(3), ADMIN, ("5.0.0", "Lists a master's replicas.", OF_NODES), &[NODE]),
    part("replicate", Arity::Exactly(3), CHANGES, ("3.0.0", "Makes this node a replica of another.", "O(1)"), &[NODE]),
    part(
        "reset",
        Arity::AtLeast(2),
        ADMIN.with(Flag::Noscript),
        ("3.0.0", "Forgets the cluster.", OF_NODES),
        &[Argument::new(
            "hard_soft",
            ArgumentKind::OneOf(&[Argument::word("hard", "HARD"), Argument::word("soft", "SOFT")]),
        )
        .optional()],
    ),
    part("saveconfig", Arity::Exactly(2), CHANGES, ("3.0.0", "Writes the cluster's state to disk.", "O(1)"), &[]),
    part(
        "set-config-epoch",
        Arity::Exactly(3),
        CHANGES,
        ("3.0.0", "Gives a new node its epoch.", "O(1)"),
        &[Argument::new("config-epoch", ArgumentKind::Integer)],
    ),
    part(
        "setslot",
        Arity::AtLeast(4),
        CHANGES,
        ("3.0.0", "Says whose a slot is, or that it is on its way.", "O(1)"),
        &[
            SLOT,
            Argument::new(
                "subcommand",
                ArgumentKind::OneOf(&[
                    NODE.after("IMPORTING"),
                    NODE.after("MIGRATING"),
                    NODE.after("NODE"),
                    Argument::word("stable", "STABLE"),
                ]),
            ),
        ],
    ),
    varying("shards", Arity::Exactly(2), LOOKS, ("7.0.0", "Lists who has which slots.", OF_NODES), &[]),
    outdated(
        "slaves",
        (Arity::Exactly(3), ADMIN),
        ("Lists a master's replicas.", OF_NODES),
        &[NODE],
        ("5.0.0", "`CLUSTER REPLICAS`"),
    ),
    outdated(
        "slots",
        (Arity::Exactly(2), LOOKS),
        ("Lists who has which slots.", OF_NODES),
        &[],
        ("7.0.0", "`CLUSTER SHARDS`"),
    ),
];

/// A command that a client of a cluster sends about its connection.
const fn link(name: &'static str, flags: Flags, summary: &'static str) -> Command {
    Command {
        categories: Categories::of(&[Category::Connection]),
        ..part(name, Arity::Exactly(1), flags, ("3.0.0", summary, "O(1)"), &[])
    }
}

/// A command with its first version, what it does, and its cost.
const fn part(
    name: &'static str,
    arity: Arity,
    flags: Flags,
    (since, summary, complexity): (&'static str, &'static str, &'static str),
    arguments: &'static [Argument],
) -> Command {
    Command {
        name,
        arity,
        flags,
        docs: Docs { summary, since, group: Group::Cluster, complexity, arguments, ..Docs::BLANK },
        run: Run::Session(refuse),
        ..Command::BLANK
    }
}

/// One that tells something else each time.
const fn varying(
    name: &'static str,
    arity: Arity,
    flags: Flags,
    about: (&'static str, &'static str, &'static str),
    arguments: &'static [Argument],
) -> Command {
    Command { tips: &["nondeterministic_output"], ..part(name, arity, flags, about, arguments) }
}

/// The same, and there is another command for it since a version.
const fn outdated(
    name: &'static str,
    (arity, flags): (Arity, Flags),
    (summary, complexity): (&'static str, &'static str),
    arguments: &'static [Argument],
    instead: (&'static str, &'static str),
) -> Command {
    let command = varying(name, arity, flags, ("3.0.0", summary, complexity), arguments);
    Command { docs: Docs { deprecated: Some(instead), ..command.docs }, ..command }
}

fn refuse(_: &mut SessionCtx<'_>, _: &Args<'_>, _: &mut Reply<'_>) -> Outcome {
    Err(DISABLED)
}
