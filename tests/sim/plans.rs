//! Multi-shard requests that no command makes yet, as plans of the mesh: EXEC with WATCH, LMOVE, PUBLISH.
//!
//! They are what such commands will be, cut down to what their order depends on: which claims the push places, and what
//! the hops do.

use std::sync::{Arc, Mutex};

use shard::exec::Ctx;
use shard::exec::hop::{HopOp, HopValue, Plan, Step};
use shard::ids::ShardId;
use shard::mesh::{Claims, Rule, Rules};
use shard::slot::SlotMap;
use storage::{Expiry, StringValue};

use crate::program::{Bytes, Request};

/// The messages that each core has seen published, in order.
pub type Heard = Arc<Mutex<Vec<Vec<u32>>>>;

/// What places a plan.
pub type Placement = (Vec<(ShardId, Claims)>, Box<dyn Plan>);

/// The plan of a request that is no command.
pub fn plan_of(request: &Request, slots: &SlotMap, rules: Rules, heard: &Heard) -> Option<Placement> {
    match request {
        Request::Command(_) | Request::Multi(_) | Request::Eval { .. } => None,
        Request::Exec { watched, seen, key, value } => {
            let (looks, writes) = (slots.owner(watched), slots.owner(key));
            // A broken rule: it looks at the watched key first, and then runs as what it would be without: one command
            // on one shard, which needs no lock.
            let claimed = |key: &Bytes| rules.hold(Rule::WatchedKeysAreLocked).then(|| storage::key_hash(key));
            let claims = claims([(looks, claimed(watched)), (writes, claimed(key))]);
            let (watched, seen, key, value) = (watched.clone(), seen.clone(), key.clone(), value.clone());
            Some((claims, Box::new(Exec { looks, writes, watched, seen, key, value, step: 0 })))
        }
        Request::Move { from, to } => {
            let (source, target) = (slots.owner(from), slots.owner(to));
            let claims = claims([(source, Some(storage::key_hash(from))), (target, Some(storage::key_hash(to)))]);
            Some((claims, Box::new(Move { source, target, from: from.clone(), to: to.clone(), step: 0 })))
        }
        Request::Publish(message) => {
            let shards: Vec<ShardId> = (0..slots.shards() as u16).map(ShardId).collect();
            let claims = shards.iter().map(|&shard| (shard, Claims::Keys(Vec::new()))).collect();
            Some((claims, Box::new(Publish { shards, message: *message, heard: Arc::clone(heard), step: 0 })))
        }
    }
}

/// One entry a shard, in the order in which the shards are first named.
fn claims(keys: [(ShardId, Option<u64>); 2]) -> Vec<(ShardId, Claims)> {
    let mut claims: Vec<(ShardId, Claims)> = Vec::new();
    for (shard, hash) in keys {
        match claims.iter_mut().find(|(owner, _)| *owner == shard) {
            Some((_, Claims::Keys(hashes))) => hashes.extend(hash),
            Some((_, Claims::Whole)) => unreachable!("these plans claim keys"),
            None => claims.push((shard, Claims::Keys(hash.into_iter().collect()))),
        }
    }
    claims
}

fn look(ctx: &mut Ctx<'_>, key: &Bytes) -> Option<Bytes> {
    let string = ctx.read_string(key.as_slice()).expect("simulated keys are strings")?;
    Some(string.as_bytes(&mut [0; 20]).to_vec())
}

fn looking(key: Bytes) -> HopOp {
    Box::new(move |ctx| HopValue::Bytes(look(ctx, &key)))
}

fn setting(key: Bytes, value: Bytes) -> HopOp {
    Box::new(move |ctx| {
        ctx.set_string(key.as_slice(), StringValue::Bytes(&value), Expiry::Clear);
        HopValue::None
    })
}

fn found(values: Vec<HopValue>) -> Option<Bytes> {
    match values.into_iter().next() {
        Some(HopValue::Bytes(bytes)) => bytes,
        other => panic!("a look gives bytes, not {other:?}"),
    }
}

struct Exec {
    looks: ShardId,
    writes: ShardId,
    watched: Bytes,
    seen: Option<Bytes>,
    key: Bytes,
    value: Bytes,
    step: u8,
}

impl Plan for Exec {
    fn step(&mut self, values: Vec<HopValue>) -> Step {
        self.step += 1;
        match self.step {
            1 => Step::Run(vec![(self.looks, looking(self.watched.clone()))]),
            2 if found(values) != self.seen => Step::Reply(b"*-1\r\n".to_vec()),
            2 => Step::RunLast(vec![(self.writes, setting(self.key.clone(), self.value.clone()))]),
            _ => Step::Reply(b"*1\r\n+OK\r\n".to_vec()),
        }
    }
}

struct Move {
    source: ShardId,
    target: ShardId,
    from: Bytes,
    to: Bytes,
    step: u8,
}

impl Plan for Move {
    fn step(&mut self, values: Vec<HopValue>) -> Step {
        self.step += 1;
        match self.step {
            1 => Step::Run(vec![(self.source, looking(self.from.clone()))]),
            2 => match found(values) {
                None => Step::Reply(b":0\r\n".to_vec()),
                Some(value) => {
                    let from = self.from.clone();
                    let removing: HopOp = Box::new(move |ctx| HopValue::Flag(ctx.remove(from.as_slice())));
                    Step::RunLast(vec![(self.source, removing), (self.target, setting(self.to.clone(), value))])
                }
            },
            _ => Step::Reply(b":1\r\n".to_vec()),
        }
    }
}

struct Publish {
    shards: Vec<ShardId>,
    message: u32,
    heard: Heard,
    step: u8,
}

impl Plan for Publish {
    fn step(&mut self, _: Vec<HopValue>) -> Step {
        self.step += 1;
        if self.step > 1 {
            return Step::Reply(b":1\r\n".to_vec());
        }
        let hearing = |&shard: &ShardId| {
            let (heard, message) = (Arc::clone(&self.heard), self.message);
            let op: HopOp = Box::new(move |_| {
                let mut heard = heard.lock().expect("one thread");
                heard[shard.index()].push(message);
                HopValue::None
            });
            (shard, op)
        };
        Step::Run(self.shards.iter().map(hearing).collect())
    }
}
