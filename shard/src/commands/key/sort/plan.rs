//! SORT with keys on any shard: all shards are held, and each step goes to the shards that have something for it.

use std::sync::Arc;

use net::{Reply, Resp};

use super::pattern::{Lookup, look_up_all};
use super::request::{Kind, Request};
use super::work::{self, Taken};
use crate::exec::CommandError;
use crate::exec::hop::{HopOp, HopValue, Plan, PlanInput, Step};
use crate::ids::ShardId;
use crate::slot::SlotMap;

/// The plan of a command.
pub(super) fn make(input: &PlanInput<'_>, kind: Kind) -> Result<Box<dyn Plan>, CommandError> {
    let request = Arc::new(Request::parse(&input.args, kind)?);
    Ok(Box::new(Sort { request, slots: Arc::clone(input.slots), resp: input.resp, stage: Stage::Begin }))
}

struct Sort {
    request: Arc<Request>,
    slots: Arc<SlotMap>,
    resp: Resp,
    stage: Stage,
}

/// What is waited for, and what is there already.
enum Stage {
    Begin,
    /// The elements.
    Taking,
    /// The weights of these.
    Weighing(Taken, Places),
    /// The values for these.
    Getting(Vec<Vec<u8>>, Places),
    /// Nothing: so many rows are stored.
    Storing(usize),
}

/// Of each shard that was asked: the places of its answers in the whole.
type Places = Vec<Vec<usize>>;

/// What a shard found.
type Found = Vec<Option<Vec<u8>>>;

impl Plan for Sort {
    fn step(&mut self, values: Vec<HopValue>) -> Step {
        match std::mem::replace(&mut self.stage, Stage::Begin) {
            Stage::Begin => self.take(),
            Stage::Taking => match made::<Result<Taken, CommandError>>(values).next().expect("one shard was asked") {
                Ok(taken) => self.weigh(taken),
                Err(error) => Step::error(&error),
            },
            Stage::Weighing(taken, places) => self.order(taken, &together(values, &places)),
            Stage::Getting(elements, places) => self.finish(elements, together(values, &places)),
            Stage::Storing(rows) => {
                let mut reply = Vec::new();
                Reply::new(&mut reply, self.resp).integer(rows as i64);
                Step::Reply(reply)
            }
        }
    }
}

impl Sort {
    fn take(&mut self) -> Step {
        self.stage = Stage::Taking;
        let request = Arc::clone(&self.request);
        let source = self.slots.owner(&request.source);
        let op: HopOp = Box::new(move |ctx| HopValue::Made(Box::new(work::take(ctx, &request))));
        Step::Run(vec![(source, op)])
    }

    fn weigh(&mut self, taken: Taken) -> Step {
        let (ops, places) = self.ask(taken.weights_wanted(&self.request));
        if ops.is_empty() {
            return self.order(taken, &Vec::new());
        }
        self.stage = Stage::Weighing(taken, places);
        Step::Run(ops)
    }

    fn order(&mut self, taken: Taken, weights: &Found) -> Step {
        let elements = match taken.in_order(&self.request, weights) {
            Ok(elements) => elements,
            Err(error) => return Step::error(&error),
        };
        let (ops, places) = self.ask(self.request.values_wanted(&elements));
        if ops.is_empty() {
            return self.finish(elements, Vec::new());
        }
        self.stage = Stage::Getting(elements, places);
        Step::Run(ops)
    }

    fn finish(&mut self, elements: Vec<Vec<u8>>, values: Found) -> Step {
        let rows = self.request.rows(elements, values);
        let Some(target) = self.request.store.clone() else {
            let mut reply = Vec::new();
            work::write(&rows, &mut Reply::new(&mut reply, self.resp));
            return Step::Reply(reply);
        };
        self.stage = Stage::Storing(rows.len());
        let owner = self.slots.owner(&target);
        let op: HopOp = Box::new(move |ctx| {
            work::store(ctx, &target, &rows);
            HopValue::None
        });
        Step::RunLast(vec![(owner, op)])
    }

    /// The operations that look something up, one a shard.
    fn ask(&self, lookups: Vec<Lookup>) -> (Vec<(ShardId, HopOp)>, Places) {
        let mut asked: Vec<(ShardId, Vec<Lookup>, Vec<usize>)> = Vec::new();
        for (place, lookup) in lookups.into_iter().enumerate() {
            let owner = self.slots.owner(&lookup.key);
            let at = asked.iter().position(|(shard, ..)| *shard == owner).unwrap_or_else(|| {
                asked.push((owner, Vec::new(), Vec::new()));
                asked.len() - 1
            });
            asked[at].1.push(lookup);
            asked[at].2.push(place);
        }
        let mut places = Vec::with_capacity(asked.len());
        let op = |(owner, lookups, own): (ShardId, Vec<Lookup>, Vec<usize>)| {
            places.push(own);
            let op: HopOp = Box::new(move |ctx| HopValue::Made(Box::new(look_up_all(ctx, &lookups))));
            (owner, op)
        };
        (asked.into_iter().map(op).collect(), places)
    }
}

/// The answers of all shards, in the order of what was looked up.
fn together(values: Vec<HopValue>, places: &Places) -> Found {
    let mut all = vec![None; places.iter().map(Vec::len).sum()];
    for (found, places) in made::<Found>(values).zip(places) {
        for (value, place) in found.into_iter().zip(places) {
            all[*place] = value;
        }
    }
    all
}

/// The values that this plan's operations gave back.
fn made<T: 'static>(values: Vec<HopValue>) -> impl Iterator<Item = T> {
    values.into_iter().map(|value| match value {
        HopValue::Made(made) => *made.downcast::<T>().expect("each step asks for one kind of thing"),
        other => unreachable!("{other:?} was not asked for"),
    })
}
