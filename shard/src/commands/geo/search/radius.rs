//! The commands that GEOSEARCH replaces: circles around a place or a member.
//!
//! They store with `STORE key` or `STOREDIST key`, and the last of these counts, so that the keys of the command are found
//! by reading its options as the command does. The forms that only read have no such options.

use net::{Args, Reply};

use super::super::unit::UNIT;
use super::request::Syntax;
use super::{COMPLEXITY, COUNT, ORDER, WITHCOORD, WITHDIST, WITHHASH, find};
use crate::commands::parse::is_word;
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Begin, Command, Docs, Find, Flag, Flags, Group, KeyFlag, KeySpec};

const SOURCE_FLAGS: &[KeyFlag] = &[KeyFlag::Ro, KeyFlag::Access];
const TARGET_FLAGS: &[KeyFlag] = &[KeyFlag::Ow, KeyFlag::Update];
const SOURCE: KeySpec = KeySpec::one(1, SOURCE_FLAGS);

/// Where the options of GEORADIUS begin.
const RADIUS_OPTIONS: usize = 6;
/// Where the options of GEORADIUSBYMEMBER begin.
const BY_MEMBER_OPTIONS: usize = 5;

/// The key behind an option.
const fn target(word: &'static str, options: usize) -> KeySpec {
    KeySpec {
        flags: TARGET_FLAGS,
        begin: Begin::Keyword { word, from: options as i16 },
        find: Find::Range { last: 0, step: 1, limit: 0 },
        notes: "",
    }
}

const WRITE: Flags = Flags::of(&[Flag::Write, Flag::Denyoom, Flag::Movablekeys]);
const READ: Flags = Flags::of(&[Flag::Readonly]);

const KEY: Argument = Argument::key("key");
const LONGITUDE: Argument = Argument::new("longitude", ArgumentKind::Double);
const LATITUDE: Argument = Argument::new("latitude", ArgumentKind::Double);
const MEMBER: Argument = Argument::new("member", ArgumentKind::String);
const RADIUS: Argument = Argument::new("radius", ArgumentKind::Double);
/// `COUNT`, the option `ANY` of which is younger than the command.
const COUNT_ANY_LATER: Argument = Argument::new(
    "count",
    ArgumentKind::Block(&[
        Argument::new("count", ArgumentKind::Integer).after("COUNT"),
        Argument::word("any", "ANY").since("6.2.0").optional(),
    ]),
)
.optional();
const STORE: Argument = Argument::new("key", ArgumentKind::Key(1)).after("STORE").optional();
const STOREDIST: Argument = Argument::new("key", ArgumentKind::Key(2)).after("STOREDIST").optional();

/// GEORADIUS key longitude latitude radius unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]
/// [STORE key | STOREDIST key]
pub const GEORADIUS: Command = Command {
    name: "georadius",
    arity: Arity::AtLeast(6),
    flags: WRITE,
    keys: &[SOURCE, target("STORE", RADIUS_OPTIONS), target("STOREDIST", RADIUS_OPTIONS)],
    find_keys: Some(radius_keys),
    docs: Docs {
        summary: "Returns or stores the members of a geospatial index within a circle around a place.",
        since: "3.2.0",
        group: Group::Geo,
        complexity: COMPLEXITY,
        deprecated: Some(("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument")),
        history: &[("6.2.0", "Option `ANY` of `COUNT`."), ("7.0.0", "Units may be written in upper case.")],
        arguments: &[
            KEY,
            LONGITUDE,
            LATITUDE,
            RADIUS,
            UNIT,
            WITHCOORD,
            WITHDIST,
            WITHHASH,
            COUNT_ANY_LATER,
            ORDER,
            STORE,
            STOREDIST,
        ],
        ..Docs::BLANK
    },
    run: Run::Keys(georadius),
    ..Command::BLANK
};

/// GEORADIUS_RO key longitude latitude radius unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]
pub const GEORADIUS_RO: Command = Command {
    name: "georadius_ro",
    arity: Arity::AtLeast(6),
    flags: READ,
    keys: &[SOURCE],
    docs: Docs {
        summary: "Returns the members of a geospatial index within a circle around a place.",
        since: "3.2.10",
        group: Group::Geo,
        complexity: COMPLEXITY,
        deprecated: Some(("6.2.0", "`GEOSEARCH` with the `BYRADIUS` argument")),
        history: &[("6.2.0", "Option `ANY` of `COUNT`.")],
        arguments: &[KEY, LONGITUDE, LATITUDE, RADIUS, UNIT, WITHCOORD, WITHDIST, WITHHASH, COUNT_ANY_LATER, ORDER],
        ..Docs::BLANK
    },
    run: Run::Shard(georadius_ro),
    ..Command::BLANK
};

/// GEORADIUSBYMEMBER key member radius unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]
/// [STORE key | STOREDIST key]
pub const GEORADIUSBYMEMBER: Command = Command {
    name: "georadiusbymember",
    arity: Arity::AtLeast(5),
    flags: WRITE,
    keys: &[SOURCE, target("STORE", BY_MEMBER_OPTIONS), target("STOREDIST", BY_MEMBER_OPTIONS)],
    find_keys: Some(by_member_keys),
    docs: Docs {
        summary: "Returns or stores the members of a geospatial index within a circle around one of them.",
        since: "3.2.0",
        group: Group::Geo,
        complexity: COMPLEXITY,
        deprecated: Some(("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments")),
        history: &[("7.0.0", "Units may be written in upper case.")],
        arguments: &[KEY, MEMBER, RADIUS, UNIT, WITHCOORD, WITHDIST, WITHHASH, COUNT, ORDER, STORE, STOREDIST],
        ..Docs::BLANK
    },
    run: Run::Keys(georadiusbymember),
    ..Command::BLANK
};

/// GEORADIUSBYMEMBER_RO key member radius unit [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC | DESC]
pub const GEORADIUSBYMEMBER_RO: Command = Command {
    name: "georadiusbymember_ro",
    arity: Arity::AtLeast(5),
    flags: READ,
    keys: &[SOURCE],
    docs: Docs {
        summary: "Returns the members of a geospatial index within a circle around one of them.",
        since: "3.2.10",
        group: Group::Geo,
        complexity: COMPLEXITY,
        deprecated: Some(("6.2.0", "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments")),
        arguments: &[KEY, MEMBER, RADIUS, UNIT, WITHCOORD, WITHDIST, WITHHASH, COUNT, ORDER],
        ..Docs::BLANK
    },
    run: Run::Shard(georadiusbymember_ro),
    ..Command::BLANK
};

fn radius_keys(args: &Args<'_>, visit: &mut dyn FnMut(usize, &'static [KeyFlag])) -> bool {
    visit_keys(args, RADIUS_OPTIONS, visit)
}

fn by_member_keys(args: &Args<'_>, visit: &mut dyn FnMut(usize, &'static [KeyFlag])) -> bool {
    visit_keys(args, BY_MEMBER_OPTIONS, visit)
}

/// The source, and the target that counts. Where the options make no sense the command changes nothing.
fn visit_keys(args: &Args<'_>, options: usize, visit: &mut dyn FnMut(usize, &'static [KeyFlag])) -> bool {
    visit(1, SOURCE_FLAGS);
    let (mut place, mut target) = (options, None);
    while let Some(word) = args.get(place) {
        let stores = is_word(word, "STORE") || is_word(word, "STOREDIST");
        if stores && place + 1 < args.len() {
            target = Some(place + 1);
        }
        let has_value = stores || is_word(word, "COUNT");
        place += 1 + usize::from(has_value);
    }
    if let Some(target) = target {
        visit(target, TARGET_FLAGS);
    }
    true
}

fn georadius(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    find::run(ctx, args, Syntax::Radius { stores: true }, reply)
}

fn georadius_ro(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    find::run(ctx, args, Syntax::Radius { stores: false }, reply)
}

fn georadiusbymember(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    find::run(ctx, args, Syntax::RadiusByMember { stores: true }, reply)
}

fn georadiusbymember_ro(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    find::run(ctx, args, Syntax::RadiusByMember { stores: false }, reply)
}
