//! Moving keys to another server: see [`crate::migrate`].

use crate::exec::Run;
use crate::migrate::{Migration, find_keys};
use crate::spec::{
    Argument, ArgumentKind, Arity, Begin, Categories, Category, Command, Docs, Find, Flag, Flags, KeyFlag, KeySpec,
};

/// MIGRATE host port key|"" destination-db timeout \[COPY\] \[REPLACE\] \[AUTH password | AUTH2 username password\]
/// \[KEYS key \[key ...\]\]
pub const MIGRATE: Command = Command {
    name: "migrate",
    arity: Arity::AtLeast(6),
    flags: Flags::of(&[Flag::Write, Flag::Movablekeys]),
    categories: Categories::of(&[Category::Keyspace, Category::Dangerous]),
    keys: &[
        KeySpec::one(3, &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete]),
        KeySpec {
            flags: &[KeyFlag::Rw, KeyFlag::Access, KeyFlag::Delete, KeyFlag::Incomplete],
            begin: Begin::Keyword { word: "KEYS", from: -2 },
            find: Find::Range { last: -1, step: 1, limit: 0 },
            notes: "",
        },
    ],
    find_keys: Some(find_keys),
    tips: &["nondeterministic_output"],
    docs: Docs {
        summary: "Moves keys to another server: each is there or here, and nobody sees it in both places.",
        since: "2.6.0",
        complexity: "That of DUMP and DEL here, and of RESTORE at the other server, and O(N) for the transfer of N bytes.",
        history: &[
            ("3.0.0", "Options `COPY` and `REPLACE`."),
            ("3.0.6", "Option `KEYS`."),
            ("4.0.7", "Option `AUTH`."),
            ("6.0.0", "Option `AUTH2`."),
        ],
        arguments: &[
            Argument::new("host", ArgumentKind::String),
            Argument::new("port", ArgumentKind::Integer),
            Argument::new(
                "key_or_empty_string",
                ArgumentKind::OneOf(&[Argument::key("key"), Argument::word("empty_string", "")]),
            ),
            Argument::new("destination-db", ArgumentKind::Integer),
            Argument::new("timeout", ArgumentKind::Integer),
            Argument::word("copy", "COPY").since("3.0.0").optional(),
            Argument::word("replace", "REPLACE").since("3.0.0").optional(),
            Argument::new(
                "authentication",
                ArgumentKind::OneOf(&[
                    Argument::new("password", ArgumentKind::String).after("AUTH").since("4.0.7").optional(),
                    Argument::new("username_password", ArgumentKind::Block(CREDENTIALS))
                        .after("AUTH2")
                        .since("6.0.0")
                        .optional(),
                ]),
            )
            .optional(),
            Argument::new("key", ArgumentKind::Key(1)).after("KEYS").since("3.0.6").optional().multiple(),
        ],
        ..Docs::BLANK
    },
    run: Run::Outside(Migration::new),
    ..Command::BLANK
};

const CREDENTIALS: &[Argument] =
    &[Argument::new("username", ArgumentKind::String), Argument::new("password", ArgumentKind::String)];
