//! Where members are: GEOPOS, GEOHASH, GEODIST.

use net::{Args, Reply};
use storage::types::geohash::{Point, Unit, text};
use storage::types::zset::ZSet;

use super::unit::{UNIT, parse_unit};
use crate::exec::error::SYNTAX;
use crate::exec::{Ctx, Outcome, Run};
use crate::spec::{Argument, ArgumentKind, Arity, Command, Docs, Flag, Flags, Group, KeyFlag, KeySpec};

const KEY: &[KeySpec] = &[KeySpec::one(1, &[KeyFlag::Ro, KeyFlag::Access])];

/// GEOPOS key [member [member ...]]
pub const GEOPOS: Command = Command {
    name: "geopos",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Readonly]),
    keys: KEY,
    docs: Docs {
        summary: "Returns the longitudes and latitudes of members of a geospatial index.",
        since: "3.2.0",
        group: Group::Geo,
        complexity: "O(N) where N is the number of members asked for",
        arguments: &[Argument::key("key"), Argument::new("member", ArgumentKind::String).multiple()],
        ..Docs::BLANK
    },
    run: Run::Shard(geopos),
    ..Command::BLANK
};

/// GEOHASH key [member [member ...]]
pub const GEOHASH: Command = Command {
    name: "geohash",
    arity: Arity::AtLeast(2),
    flags: Flags::of(&[Flag::Readonly]),
    keys: KEY,
    docs: Docs {
        summary: "Returns the places of members of a geospatial index as standard geohashes.",
        since: "3.2.0",
        group: Group::Geo,
        complexity: "O(N) where N is the number of members asked for",
        arguments: &[Argument::key("key"), Argument::new("member", ArgumentKind::String).multiple()],
        ..Docs::BLANK
    },
    run: Run::Shard(geohash),
    ..Command::BLANK
};

/// GEODIST key member1 member2 [M | KM | FT | MI]
pub const GEODIST: Command = Command {
    name: "geodist",
    arity: Arity::AtLeast(4),
    flags: Flags::of(&[Flag::Readonly]),
    keys: KEY,
    docs: Docs {
        summary: "Returns the distance between two members of a geospatial index.",
        since: "3.2.0",
        group: Group::Geo,
        complexity: "O(1)",
        arguments: &[
            Argument::key("key"),
            Argument::new("member1", ArgumentKind::String),
            Argument::new("member2", ArgumentKind::String),
            UNIT.optional(),
        ],
        ..Docs::BLANK
    },
    run: Run::Shard(geodist),
    ..Command::BLANK
};

/// Replies a place.
pub(super) fn write_place(point: Point, reply: &mut Reply<'_>) {
    reply.array(2);
    for degrees in [point.longitude, point.latitude] {
        reply.double_text(text::coordinate(degrees).as_bytes());
    }
}

/// Replies a distance in a unit.
pub(super) fn write_distance(metres: f64, unit: Unit, reply: &mut Reply<'_>) {
    reply.bulk(text::distance(metres / unit.metres()).as_bytes());
}

fn geopos(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let set = ctx.read_as::<ZSet>(args.at(1))?;
    let members = args.from(2);
    reply.array(members.len());
    for member in members {
        match set.and_then(|set| set.score(member)) {
            Some(score) => write_place(Point::from_score(score), reply),
            None => reply.null_array(),
        }
    }
    Ok(())
}

fn geohash(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let set = ctx.read_as::<ZSet>(args.at(1))?;
    let members = args.from(2);
    reply.array(members.len());
    for member in members {
        match set.and_then(|set| set.score(member)) {
            Some(score) => reply.bulk(&Point::from_score(score).geohash()),
            None => reply.null(),
        }
    }
    Ok(())
}

fn geodist(ctx: &mut Ctx<'_>, args: &Args<'_>, reply: &mut Reply<'_>) -> Outcome {
    let unit = match args.get(4) {
        None => Unit::Metre,
        Some(word) if args.len() == 5 => parse_unit(word)?,
        Some(_) => return Err(SYNTAX),
    };
    let set = ctx.read_as::<ZSet>(args.at(1))?;
    let place = |member| set.and_then(|set| set.score(member)).map(Point::from_score);
    match (place(args.at(2)), place(args.at(3))) {
        (Some(one), Some(other)) => write_distance(one.distance_to(other), unit, reply),
        _ => reply.null(),
    }
    Ok(())
}
