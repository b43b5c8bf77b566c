//! Searching: which members are within an area, nearest first, farthest first, or as they come.
//!
//! ```text
//! GEOSEARCH       key  FROMMEMBER member | FROMLONLAT longitude latitude
//!                      BYRADIUS radius unit | BYBOX width height unit
//!                      [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]
//! GEOSEARCH       key  BYPOLYGON vertices longitude latitude [longitude latitude ...]   ...
//! GEOSEARCHSTORE  destination  source  ...  [STOREDIST]
//! ```
//!
//! A polygon, as Valkey 9 has it, brings its own centre: the mean of its vertices, from which distances are measured, in
//! metres.
//!
//! `request.rs` reads the arguments of all commands that search, `find.rs` finds, replies and stores, `radius.rs` has the
//! commands that GEOSEARCH replaces.

mod find;
pub(super) mod radius;
mod request;

use net::{Args, Reply};

use super::unit::UNIT;
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

use request::Syntax;

const COMPLEXITY: &str = "O(N+log(M)) where N is the number of members in the cells that cover the area, and M that of \
                          members in the area";
const HISTORY: &[(&str, &str)] = &[("7.0.0", "Units may be written in upper case."), ("9.0.0", "Option `BYPOLYGON`.")];

const FROM: Argument = Argument::new(
    "from",
    ArgumentKind::OneOf(&[
        Argument::new("member", ArgumentKind::String).after("FROMMEMBER"),
        Argument::new("longitude_latitude", ArgumentKind::Block(LONGITUDE_LATITUDE)).after("FROMLONLAT"),
    ]),
)
.optional();
const LONGITUDE_LATITUDE: &[Argument] =
    &[Argument::new("longitude", ArgumentKind::Double), Argument::new("latitude", ArgumentKind::Double)];
const BY: Argument = Argument::new(
    "by",
    ArgumentKind::OneOf(&[
        Argument::new(
            "circle",
            ArgumentKind::Block(&[Argument::new("radius", ArgumentKind::Double).after("BYRADIUS"), UNIT]),
        ),
        Argument::new(
            "box",
            ArgumentKind::Block(&[
                Argument::new("width", ArgumentKind::Double).after("BYBOX"),
                Argument::new("height", ArgumentKind::Double),
                UNIT,
            ]),
        ),
        Argument::new(
            "polygon",
            ArgumentKind::Block(&[
                Argument::new("num-vertices", ArgumentKind::Integer).after("BYPOLYGON"),
                Argument::new("vertex", ArgumentKind::Block(LONGITUDE_LATITUDE)).multiple(),
            ]),
        )
        .since("9.0.0"),
    ]),
);
const ORDER: Argument =
    Argument::new("order", ArgumentKind::OneOf(&[Argument::word("asc", "ASC"), Argument::word("desc", "DESC")]))
        .optional();
const COUNT: Argument = Argument::new(
    "count",
    ArgumentKind::Block(&[
        Argument::new("count", ArgumentKind::Integer).after("COUNT"),
        Argument::word("any", "ANY").optional(),
    ]),
)
.optional();
const WITHCOORD: Argument = Argument::word("withcoord", "WITHCOORD").optional();
const WITHDIST: Argument = Argument::word("withdist", "WITHDIST").optional();
const WITHHASH: Argument = Argument::word("withhash", "WITHHASH").optional();

/// GEOSEARCH key FROMMEMBER member | FROMLONLAT longitude latitude BYRADIUS radius unit | BYBOX width height unit
/// [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH], or BYPOLYGON instead of both
pub const GEOSEARCH: Command = Command {
    name: "geosearch",
    arity: Arity::AtLeast(7),
    flags: Flags::of(&[Flag::Readonly]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])],
    docs: Docs {
        summary: "Returns the members of a geospatial index within a circle, a rectangle or a polygon.",
        since: "6.2.0",
        group: Group::Geo,
        complexity: COMPLEXITY,
        history: HISTORY,
        arguments: &[Argument::key("key"), FROM, BY, ORDER, COUNT, WITHCOORD, WITHDIST, WITHHASH],
        ..Docs::BLANK
    },
    run: Run::Shard(geosearch),
    ..Command::BLANK
};

/// GEOSEARCHSTORE destination source ... [STOREDIST]: the rest as of GEOSEARCH, without what adds to replies
pub const GEOSEARCHSTORE: Command = Command {
    name: "geosearchstore",
    arity: Arity::AtLeast(8),
    flags: Flags::of(&[Flag::Write, Flag::Denyoom]),
    keys: &[KeySpec::one(1, &[KeyFlag::Ow, KeyFlag::Update]), KeySpec::one(2, &[KeyFlag::Ro, KeyFlag::Access])],
    docs: Docs {
        summary: "Stores the members of a geospatial index within a circle, a rectangle or a polygon at another key.",
        since: "6.2.0",
        group: Group::Geo,
        complexity: COMPLEXITY,
        history: HISTORY,
        arguments: &[
            Argument::key("destination"),
            Argument::new("source", ArgumentKind::Key(1)),
            FROM,
            BY,
            ORDER,
            COUNT,
            Argument::word("storedist", "STOREDIST").optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Keys(geosearchstore),
    ..Command::BLANK
};

fn geosearch(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    find::run(ctx, args, Syntax::Search, reply)
}

fn geosearchstore(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    find::run(ctx, args, Syntax::SearchStore, reply)
}
