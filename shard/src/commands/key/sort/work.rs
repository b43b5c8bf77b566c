//! The steps of a SORT on data that is at hand.

use std::cmp::Ordering;
use std::ops::Range;

use net::Reply;
use storage::Value;
use storage::number::parse_f64;
use storage::types::list::{End, List, ListRef};
use storage::types::zset::ZSetRef;

use super::pattern::Lookup;
use super::request::Request;
use crate::config::types::events::Events;
use crate::exec::error::WRONG_TYPE;
use crate::exec::{CommandError, Ctx};

const NOT_NUMBERS: CommandError = CommandError::new("ERR One or more scores can't be converted into double");
const BY_IN_CLUSTER: CommandError = CommandError::new("ERR BY option of SORT denied in cluster mode.");
const GET_IN_CLUSTER: CommandError = CommandError::new("ERR GET option of SORT denied in cluster mode.");

/// How the elements are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// They stay as they lie.
    Unsorted,
    /// By numbers.
    Numbers,
    /// By bytes.
    Bytes,
}

/// What was taken from the source.
#[derive(Debug)]
pub(super) struct Taken {
    elements: Vec<Vec<u8>>,
    order: Order,
    /// The pattern of BY counts.
    weighed: bool,
    /// Which of the ordered elements are wanted.
    wanted: Range<usize>,
}

/// Takes the elements of the source. A key that is not there is empty.
pub(super) fn take(ctx: &mut Ctx<'_>, request: &Request) -> Result<Taken, CommandError> {
    if ctx.config().cluster_enabled && request.names_keys() {
        return Err(if request.by.is_some() { BY_IN_CLUSTER } else { GET_IN_CLUSTER });
    }
    let mut order = match (request.unsorted, request.alpha) {
        (true, _) => Order::Unsorted,
        (false, true) => Order::Bytes,
        (false, false) => Order::Numbers,
    };
    let mut weighed = request.by.is_some() && !request.unsorted;
    let is_for_script = ctx.shard.serves_script;
    let Some(entry) = ctx.read(&*request.source) else {
        return Ok(Taken { elements: Vec::new(), order, weighed, wanted: 0..0 });
    };
    let value = entry.value();
    let all = 0..value.items();
    let wanted = wanted(all.len(), request.limit);
    let unsorted = order == Order::Unsorted;
    let (elements, wanted) = match value {
        Value::List(list) if unsorted => (walk(list, request.descending, &wanted), 0..wanted.len()),
        Value::List(list) => (walk(list, false, &all), wanted),
        Value::SortedSet(set) if unsorted => (ranked(set, request.descending, &wanted), 0..wanted.len()),
        Value::SortedSet(set) => (ranked(set, false, &all), wanted),
        Value::Set(set) => {
            // What is stored, or what a script goes by, must not depend on how a set happens to lie.
            if unsorted && (request.store.is_some() || is_for_script) {
                (order, weighed) = (Order::Bytes, false);
            }
            (set.iter().map(storage::types::list::Item::to_vec).collect(), wanted)
        }
        _ => return Err(WRONG_TYPE),
    };
    Ok(Taken { elements, order, weighed, wanted })
}

/// The part of `len` elements that LIMIT leaves. A negative offset is none, a negative count is all.
fn wanted(len: usize, limit: Option<(i64, i64)>) -> Range<usize> {
    let (offset, count) = limit.unwrap_or((0, -1));
    let start = usize::try_from(offset.max(0)).map_or(len, |start| start.min(len));
    let end = usize::try_from(count).map_or(len, |count| start.saturating_add(count).min(len));
    start..end
}

/// Elements of a list, numbered from its head or from its tail.
fn walk(list: ListRef<'_>, backwards: bool, places: &Range<usize>) -> Vec<Vec<u8>> {
    let mut elements = Vec::with_capacity(places.len());
    let mut walk = list.walk(if backwards { End::Tail } else { End::Head }, places.start);
    while elements.len() < places.len() {
        let Some(element) = walk.next() else { break };
        elements.push(element.to_vec());
    }
    elements
}

/// Members of a sorted set, numbered from the lowest score or from the highest.
fn ranked(set: ZSetRef<'_>, backwards: bool, places: &Range<usize>) -> Vec<Vec<u8>> {
    let len = set.len();
    let ranks = if backwards { len - places.end..len - places.start } else { places.clone() };
    let mut members: Vec<Vec<u8>> = set.range(ranks).map(|record| record.member.to_vec()).collect();
    if backwards {
        members.reverse();
    }
    members
}

/// An element on its way to its place.
struct Ranked {
    /// Its place in the source: what decides last.
    place: usize,
    score: f64,
}

impl Taken {
    /// What to look up before the elements can be ordered: something for each, or nothing.
    pub(super) fn weights_wanted(&self, request: &Request) -> Vec<Lookup> {
        let by = request.by.as_ref().filter(|_| self.weighed);
        by.map_or(Vec::new(), |by| self.elements.iter().filter_map(|element| by.of(element)).collect())
    }

    /// The elements that are wanted, in order. `weights` are of [`Self::weights_wanted`].
    pub(super) fn in_order(self, request: &Request, weights: &[Option<Vec<u8>>]) -> Result<Vec<Vec<u8>>, CommandError> {
        let Taken { mut elements, order, weighed, wanted } = self;
        let weight = |place: usize| if weighed { weights[place].as_deref() } else { Some(elements[place].as_slice()) };
        let mut ranked = Vec::with_capacity(elements.len());
        for place in 0..elements.len() {
            let score = match weight(place) {
                Some(text) if order == Order::Numbers => parse_score(text).ok_or(NOT_NUMBERS)?,
                _ => 0.0,
            };
            ranked.push(Ranked { place, score });
        }
        let ascending = |one: &Ranked, other: &Ranked| match order {
            Order::Unsorted => Ordering::Equal,
            Order::Numbers => {
                let by_score = one.score.partial_cmp(&other.score).expect("no score is NaN");
                by_score.then_with(|| elements[one.place].cmp(&elements[other.place]))
            }
            Order::Bytes => weight(one.place).cmp(&weight(other.place)),
        };
        let compare = |one: &Ranked, other: &Ranked| {
            let compared = ascending(one, other);
            let compared = if request.descending { compared.reverse() } else { compared };
            compared.then(one.place.cmp(&other.place))
        };
        // What stands behind the last one that is wanted need not be in order.
        if wanted.end < ranked.len() {
            ranked.select_nth_unstable_by(wanted.end, compare);
            ranked.truncate(wanted.end);
        }
        ranked.sort_unstable_by(compare);
        Ok(ranked[wanted].iter().map(|ranked| std::mem::take(&mut elements[ranked.place])).collect())
    }
}

/// A number as C's `strtod` reads it: blanks may stand before it, and no text at all is nought.
fn parse_score(text: &[u8]) -> Option<f64> {
    if text.is_empty() { Some(0.0) } else { parse_f64(text.trim_ascii_start()).filter(|score| !score.is_nan()) }
}

/// Stores the rows as a list, or removes the target if there are none; how many there are.
pub(super) fn store(ctx: &mut Ctx<'_>, target: &[u8], rows: &[Option<Vec<u8>>]) -> usize {
    if rows.is_empty() {
        if ctx.remove(target) {
            ctx.notify(Events::GENERIC, "del", target);
            ctx.changed(1);
            ctx.effect_content(target);
        }
        return 0;
    }
    let mut list = List::default();
    list.push(End::Tail, rows.iter().map(|row| row.as_deref().unwrap_or_default()), ctx.shard.limits.list);
    ctx.store_collection(target, list);
    ctx.notify(Events::LIST, "sortstore", target);
    ctx.changed(rows.len());
    ctx.effect_content(target);
    rows.len()
}

/// Replies with the rows.
pub(super) fn write(rows: &[Option<Vec<u8>>], reply: &mut Reply<'_>) {
    reply.array(rows.len());
    for row in rows {
        match row {
            Some(row) => reply.bulk(row),
            None => reply.null(),
        }
    }
}
