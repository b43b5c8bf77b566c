//! Unions, intersections and differences.
//!
//! Sums of doubles depend on the order of the terms: as in Redis they are taken in the order of the sources' sizes, the
//! smallest first, and of equal ones in the order of the keys.

use std::borrow::Cow;

use hashbrown::HashMap;

use super::request::{Request, zero_if_nan};
use super::sources::Source;

/// A member of the result, with its score.
pub(super) type Combined<'a> = (Cow<'a, [u8]>, f64);

/// Sources with their weights, the smallest first.
fn by_size<'a>(sources: &[Source<'a>], request: &Request) -> Vec<(Source<'a>, f64)> {
    let mut ordered: Vec<_> =
        sources.iter().enumerate().map(|(index, source)| (*source, request.weight(index))).collect();
    ordered.sort_by_key(|(source, _)| source.len());
    ordered
}

/// What is in any of the sources.
pub(super) fn union<'a>(sources: &[Source<'a>], request: &Request) -> Vec<Combined<'a>> {
    let ordered = by_size(sources, request);
    let room = ordered.last().map_or(0, |(source, _)| source.len());
    let mut scores: HashMap<Cow<'a, [u8]>, f64> = HashMap::with_capacity(room);
    for (source, weight) in ordered {
        source.visit(|member, score| {
            let score = zero_if_nan(score * weight);
            scores.entry(member).and_modify(|sum| *sum = request.aggregate.apply(*sum, score)).or_insert(score);
            true
        });
    }
    scores.into_iter().collect()
}

/// What is in all of the sources.
pub(super) fn intersection<'a>(sources: &[Source<'a>], request: &Request) -> Vec<Combined<'a>> {
    let ordered = by_size(sources, request);
    let Some(((smallest, first_weight), others)) = ordered.split_first() else { return Vec::new() };
    let mut common = Vec::new();
    smallest.visit(|member, score| {
        let add = |sum: f64, (source, weight): &(Source<'_>, f64)| {
            source.score(&member).map(|score| request.aggregate.apply(sum, score * weight))
        };
        if let Some(sum) = others.iter().try_fold(zero_if_nan(score * first_weight), add) {
            common.push((member, sum));
        }
        true
    });
    common
}

/// How many members are in all of the sources; no more than `limit` are counted.
pub(super) fn intersection_len(sources: &[Source<'_>], limit: usize) -> usize {
    let mut ordered = sources.to_vec();
    ordered.sort_by_key(|source| source.len());
    let Some((smallest, others)) = ordered.split_first() else { return 0 };
    let mut count = 0;
    smallest.visit(|member, _| {
        count += usize::from(others.iter().all(|source| source.score(&member).is_some()));
        count < limit
    });
    count
}

/// What is in the first source and in none of the others.
pub(super) fn difference<'a>(sources: &[Source<'a>]) -> Vec<Combined<'a>> {
    let Some((first, others)) = sources.split_first() else { return Vec::new() };
    let mut rest = Vec::new();
    first.visit(|member, score| {
        if others.iter().all(|source| source.score(&member).is_none()) {
            rest.push((member, score));
        }
        true
    });
    rest
}

/// Puts records into the order of a sorted set.
pub(super) fn sort(records: &mut [Combined<'_>]) {
    records.sort_unstable_by(|(member, score), (other_member, other_score)| {
        let by_score = score.partial_cmp(other_score).expect("scores are not NaN");
        by_score.then_with(|| member.cmp(other_member))
    });
}
