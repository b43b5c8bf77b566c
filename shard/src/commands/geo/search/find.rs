//! Finding the members within an area, and replying or storing them.

use std::borrow::Cow;

use net::{Args, Reply};
use storage::types::geohash::{Point, Shape, Unit};
use storage::types::zset::{ScoreBound, ScoreRange, ZSet, ZSetLimits, ZSetRef};

use super::super::place::{write_distance, write_place};
use super::request::{Order, Request, Store, Syntax, With};
use crate::commands::zset::result::store;
use crate::commands::zset::score::member_text;
use crate::exec::{Ctx, Outcome};

/// A member within the area.
struct Found<'a> {
    member: Cow<'a, [u8]>,
    score: f64,
    place: Point,
    /// From the centre, in metres.
    distance: f64,
}

/// Runs a command that searches.
pub(super) fn run(ctx: &mut Ctx<'_>, args: &Args<'_>, syntax: Syntax, reply: &mut Reply<'_>) -> Outcome {
    let limits = ctx.shard.limits.zset;
    let source = ctx.read_as::<ZSet>(args.at(syntax.source()))?;
    let request = Request::parse(args, syntax, source)?;
    let found = match (source, &request.shape) {
        (Some(set), Some(shape)) => find(set, shape, &request),
        _ => Vec::new(),
    };
    let Some(Store { key, distances }) = request.store else {
        write(&found, request.with, request.unit, reply);
        return Ok(());
    };
    let result = collect(found, distances.then_some(request.unit), &limits);
    let event = if syntax.is_search() { "geosearchstore" } else { "georadiusstore" };
    let len = store(ctx, key, result, event);
    // Each member counts as a change; one has been counted.
    ctx.changed(len.saturating_sub(1));
    reply.integer(len as i64);
    Ok(())
}

/// The members that are wanted, in order.
fn find<'a>(set: ZSetRef<'a>, shape: &Shape, request: &Request<'_>) -> Vec<Found<'a>> {
    let enough = if request.any { request.count.unwrap_or(usize::MAX) } else { usize::MAX };
    let mut found = Vec::new();
    for range in shape.score_ranges() {
        let scores = ScoreRange {
            min: ScoreBound { score: range.start, exclusive: false },
            max: ScoreBound { score: range.end, exclusive: true },
        };
        for record in set.range(set.score_ranks(scores)) {
            if found.len() >= enough {
                break;
            }
            let place = Point::from_score(record.score);
            let Some(distance) = shape.distance(place) else { continue };
            found.push(Found { member: member_text(record.member), score: record.score, place, distance });
        }
    }
    // The first so many make sense in an order only.
    let order = match request.order {
        Order::None if request.count.is_some() && !request.any => Order::Ascending,
        order => order,
    };
    match order {
        Order::None => {}
        Order::Ascending => found.sort_by(|one, other| one.distance.total_cmp(&other.distance)),
        Order::Descending => found.sort_by(|one, other| other.distance.total_cmp(&one.distance)),
    }
    found.truncate(request.count.unwrap_or(usize::MAX));
    found
}

fn write(found: &[Found<'_>], with: With, unit: Unit, reply: &mut Reply<'_>) {
    let With { distance, hash, place } = with;
    let more = [distance, hash, place].into_iter().filter(|wanted| *wanted).count();
    reply.array(found.len());
    for member in found {
        if more > 0 {
            reply.array(1 + more);
        }
        reply.bulk(&member.member);
        if distance {
            write_distance(member.distance, unit, reply);
        }
        if hash {
            reply.integer(member.score as i64);
        }
        if place {
            write_place(member.place, reply);
        }
    }
}

/// A sorted set of what was found, with the scores that it had, or with distances in a unit.
fn collect(found: Vec<Found<'_>>, distances_in: Option<Unit>, limits: &ZSetLimits) -> ZSet {
    let score = |member: &Found<'_>| distances_in.map_or(member.score, |unit| member.distance / unit.metres());
    let mut records: Vec<_> = found.into_iter().map(|member| (score(&member), member.member)).collect();
    records.sort_by(|one, other| one.0.total_cmp(&other.0).then_with(|| one.1.cmp(&other.1)));
    ZSet::from_sorted(records.into_iter().map(|(score, member)| (member, score)), limits)
}
