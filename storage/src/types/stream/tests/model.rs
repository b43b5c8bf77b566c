//! Streams with groups against maps of the standard library, driven by seeded random operations.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;

type Fields = Vec<(Text, Text)>;

#[derive(Clone, Debug)]
enum Op {
    Append { id: NewId, fields: Fields, limits: StreamLimits },
    Delete { id: StreamId, references: References },
    Trim(Trim),
    SetLastId(StreamId),
    Range { start: StreamId, end: StreamId, count: usize },
    CreateGroup { group: Text, last_id: StreamId },
    RemoveGroup(Text),
    RemoveConsumer { group: Text, consumer: Text },
    Deliver { group: Text, consumer: Text, count: usize, acknowledged: bool },
    DeliverAgain { group: Text, consumer: Text, after: StreamId, count: usize },
    Acknowledge { group: Text, id: StreamId },
    AcknowledgeAndDelete { group: Text, id: StreamId, references: References },
    Claim { group: Text, consumer: Text, id: StreamId, idle_min: i64, just_id: bool, force: bool },
    AutoClaim { group: Text, consumer: Text, start: StreamId, count: usize, idle_min: i64 },
    ClaimIdle { group: Text, consumer: Text, count: usize, idle_min: i64 },
    Reload,
}

#[derive(Clone, Debug, PartialEq)]
struct ModelPending {
    consumer: Text,
    delivered: i64,
    deliveries: u32,
}

#[derive(Clone, Debug, Default)]
struct ModelGroup {
    last_id: StreamId,
    consumers: BTreeSet<Text>,
    pending: BTreeMap<StreamId, ModelPending>,
}

#[derive(Clone, Debug, Default)]
struct Model {
    entries: BTreeMap<StreamId, Fields>,
    last_id: StreamId,
    max_deleted_id: StreamId,
    entries_added: u64,
    groups: BTreeMap<Text, ModelGroup>,
}

struct Pair {
    stream: Stream,
    model: Model,
    now: UnixMillis,
}

fn pick<T: Copy>(rng: &mut SmallRng, from: &[T]) -> T {
    from[rng.random_range(0..from.len())]
}

fn random_text(rng: &mut SmallRng) -> Text {
    match rng.random_range(0..20) {
        0..6 => rng.random_range(-5_000..100_000_i64).to_string().into_bytes(),
        6 => rng.random::<i64>().to_string().into_bytes(),
        7 => vec![b'x'; rng.random_range(0..6_000)],
        _ => (0..rng.random_range(0..20)).map(|_| rng.random()).collect(),
    }
}

fn random_fields(rng: &mut SmallRng) -> Fields {
    const NAMES: [&[&[u8]]; 5] =
        [&[b"sensor", b"temp", b"note"], &[b"temp", b"sensor", b"note"], &[b"1", b"2"], &[b"1", b"02"], &[b"f"]];
    let names = if rng.random_bool(0.7) { NAMES[0] } else { pick(rng, &NAMES) };
    names.iter().map(|name| (name.to_vec(), random_text(rng))).collect()
}

impl Model {
    /// An id that is likely to mean something.
    fn random_id(&self, rng: &mut SmallRng) -> StreamId {
        let last = self.last_id;
        match rng.random_range(0..20) {
            0 => StreamId::MIN,
            1 => StreamId::MAX,
            2 => id(rng.random(), rng.random()),
            3 => last,
            4..8 => id(rng.random_range(0..=last.ms), rng.random_range(0..4)),
            _ => {
                let near = id(rng.random_range(0..=last.ms), 0);
                self.entries.range(near..).next().map_or(last, |(id, _)| *id)
            }
        }
    }

    fn random_op(&self, rng: &mut SmallRng) -> Op {
        let group = pick(rng, &[b"g", b"h"]).to_vec();
        let consumer = pick(rng, &[b"a", b"b", b"c"]).to_vec();
        let id = self.random_id(rng);
        let references = pick(rng, &[References::Keep, References::Remove, References::Acknowledged]);
        let count = pick(rng, &[1, 3, 20, usize::MAX]);
        // Zero is a case of its own: what was claimed just now is idle enough to be claimed again.
        let idle_min = pick(rng, &[0, 1, 50, 500]);
        match rng.random_range(0..1_000) {
            0..400 => {
                let ms = self.last_id.ms.saturating_add(pick(rng, &[0, 0, 1, 5, 200, 100_000]));
                let exact = NewId::Exact(StreamId::new(ms, rng.random_range(0..20)));
                let id = pick(rng, &[NewId::Auto, NewId::AutoSeq(ms), exact, NewId::Exact(id)]);
                // The end of all ids is a test of its own: nothing could be appended any more.
                let id = if matches!(id, NewId::Exact(id) if id.ms > 1 << 62) { NewId::Auto } else { id };
                let block_entries_max = pick(rng, &[5, 100, 0]);
                let limits = StreamLimits { block_bytes_max: pick(rng, &[200, 4_096, 0]), block_entries_max };
                Op::Append { id, fields: random_fields(rng), limits }
            }
            400..500 => Op::Delete { id, references },
            500..520 => {
                let to = if rng.random() {
                    TrimTo::MaxLen(rng.random_range(0..=self.entries.len() as u64))
                } else {
                    TrimTo::MinId(id)
                };
                let limit = rng.random_bool(0.2).then_some(rng.random_range(0..100));
                Op::Trim(Trim { to, approximate: limit.is_some() || rng.random(), limit, references })
            }
            520..530 => Op::SetLastId(id),
            530..600 => {
                let other = self.random_id(rng);
                Op::Range { start: id, end: other, count }
            }
            600..610 => Op::CreateGroup { group, last_id: pick(rng, &[id, StreamId::MIN, self.last_id]) },
            610..612 => Op::RemoveGroup(group),
            612..620 => Op::RemoveConsumer { group, consumer },
            620..750 => {
                Op::Deliver { group, consumer, count: pick(rng, &[1, 4, 20]), acknowledged: rng.random_bool(0.1) }
            }
            750..780 => Op::DeliverAgain { group, consumer, after: id, count },
            780..880 => Op::Acknowledge { group, id },
            880..910 => Op::AcknowledgeAndDelete { group, id, references },
            910..960 => {
                let (just_id, force) = (rng.random(), rng.random());
                Op::Claim { group, consumer, id, idle_min, just_id, force }
            }
            960..980 => Op::AutoClaim { group, consumer, start: id, count: pick(rng, &[1, 3, 20]), idle_min },
            980..995 => Op::ClaimIdle { group, consumer, count, idle_min },
            _ => Op::Reload,
        }
    }

    fn is_referenced(&self, id: StreamId) -> bool {
        self.groups.values().any(|group| id > group.last_id || group.pending.contains_key(&id))
    }

    fn remove_references(&mut self, id: StreamId) {
        self.groups.values_mut().for_each(|group| drop(group.pending.remove(&id)));
    }

    fn delete(&mut self, id: StreamId, references: References) -> DeleteOutcome {
        let there = self.entries.contains_key(&id);
        match references {
            References::Remove => self.remove_references(id),
            References::Acknowledged if self.is_referenced(id) => return DeleteOutcome::Referenced,
            _ => {}
        }
        if !there {
            return DeleteOutcome::Missing;
        }
        self.entries.remove(&id);
        self.max_deleted_id = self.max_deleted_id.max(id);
        DeleteOutcome::Deleted
    }

    /// What exact trimming removes.
    fn trim(&self, trim: Trim) -> Vec<StreamId> {
        let mut left = self.entries.len() as u64;
        let mut victims = Vec::new();
        for &id in self.entries.keys() {
            let enough = match trim.to {
                TrimTo::MaxLen(len) => left <= len,
                TrimTo::MinId(min_id) => id >= min_id,
            };
            if enough {
                break;
            }
            if trim.references != References::Acknowledged || !self.is_referenced(id) {
                victims.push(id);
                left -= 1;
            }
        }
        victims
    }

    fn claim(&mut self, group: &Text, consumer: &Text, id: StreamId, claim: &Claim, now: i64) -> ClaimOutcome {
        let there = self.entries.contains_key(&id);
        let pending = &mut self.groups.get_mut(group).unwrap().pending;
        let old = pending.get(&id).cloned();
        if !there {
            return if pending.remove(&id).is_some() { ClaimOutcome::Deleted } else { ClaimOutcome::NotPending };
        }
        let deliveries = match &old {
            Some(old) if now - old.delivered < claim.idle_min => return ClaimOutcome::NotIdle,
            Some(old) => old.deliveries,
            None if claim.force => 1,
            None => return ClaimOutcome::NotPending,
        };
        let deliveries = deliveries + u32::from(!claim.just_id);
        pending.insert(id, ModelPending { consumer: consumer.clone(), delivered: claim.delivered.0, deliveries });
        ClaimOutcome::Claimed
    }
}

impl Pair {
    /// The consumer of this name in a group, created if need be; none if there is no group.
    fn consumer(&mut self, group: &Text, consumer: &Text) -> Option<ConsumerId> {
        let now = self.now;
        let of_stream = self.stream.edit_group(group, |group| {
            let new = group.create_consumer(consumer, now);
            (new.is_some(), group.find_consumer(consumer))
        });
        let of_model = self.model.groups.get_mut(group);
        assert_eq!(of_stream.is_some(), of_model.is_some());
        let ((new, found), of_model) = of_stream.zip(of_model)?;
        assert_eq!(new, of_model.consumers.insert(consumer.clone()));
        found
    }

    fn apply(&mut self, op: Op, rng: &mut SmallRng) {
        self.now.0 += rng.random_range(0..20);
        let now = self.now;
        match op {
            Op::Append { id, fields, limits } => self.append(id, fields, limits),
            Op::Delete { id, references } => {
                let expected = self.model.delete(id, references);
                assert_eq!(self.stream.delete_with(id, references), expected);
            }
            Op::Trim(trim) => self.trim(trim),
            Op::SetLastId(id) => {
                let top = self.model.entries.keys().next_back().copied().unwrap_or_default();
                let allowed = id >= self.model.max_deleted_id && id >= top && id.ms < 1 << 62;
                if allowed || id.ms < 1 << 62 {
                    assert_eq!(self.stream.set_last_id(id, None, None).is_ok(), allowed);
                }
                if allowed {
                    self.model.last_id = id;
                }
            }
            Op::Range { start, end, count } => self.range(start, end, count),
            Op::CreateGroup { group, last_id } => {
                let new = !self.model.groups.contains_key(&group);
                assert_eq!(self.stream.create_group(&group, last_id, None), new);
                self.model.groups.entry(group).or_insert(ModelGroup { last_id, ..ModelGroup::default() });
            }
            Op::RemoveGroup(group) => {
                let removed = self.stream.remove_group(&group);
                assert_eq!(removed.is_some(), self.model.groups.remove(&group).is_some());
            }
            Op::RemoveConsumer { group, consumer } => {
                let Some(of_model) = self.model.groups.get_mut(&group) else { return };
                let before = of_model.pending.len();
                of_model.pending.retain(|_, pending| pending.consumer != consumer);
                let there = of_model.consumers.remove(&consumer);
                let expected = there.then_some(before - of_model.pending.len());
                assert_eq!(self.stream.edit_group(&group, |group| group.remove_consumer(&consumer)).unwrap(), expected);
            }
            Op::Deliver { group, consumer, count, acknowledged } => {
                self.deliver(&group, &consumer, count, acknowledged);
            }
            Op::DeliverAgain { group, consumer, after, count } => self.deliver_again(&group, &consumer, after, count),
            Op::Acknowledge { group, id } => {
                let of_model = self.model.groups.get_mut(&group);
                let expected = of_model.is_some_and(|group| group.pending.remove(&id).is_some());
                assert_eq!(self.stream.edit_group(&group, |group| group.acknowledge(id)) == Some(true), expected);
            }
            Op::AcknowledgeAndDelete { group, id, references } => {
                let of_model = self.model.groups.get_mut(&group);
                let expected = if of_model.is_some_and(|group| group.pending.remove(&id).is_some()) {
                    match self.model.delete(id, references) {
                        DeleteOutcome::Referenced => DeleteOutcome::Referenced,
                        _ => DeleteOutcome::Deleted,
                    }
                } else {
                    DeleteOutcome::Missing
                };
                assert_eq!(self.stream.acknowledge_and_delete(&group, id, references), expected);
            }
            Op::Claim { group, consumer, id, idle_min, just_id, force } => {
                let Some(to) = self.consumer(&group, &consumer) else { return };
                let delivered = UnixMillis(now.0 - rng.random_range(0..100));
                let claim = Claim { consumer: to, idle_min, delivered, deliveries: None, just_id, force };
                let expected = self.model.claim(&group, &consumer, id, &claim, now.0);
                assert_eq!(self.stream.claim(&group, id, &claim, now), expected);
            }
            Op::AutoClaim { group, consumer, start, count, idle_min } => {
                self.auto_claim(&group, &consumer, start, count, idle_min);
            }
            Op::ClaimIdle { group, consumer, count, idle_min } => self.claim_idle(&group, &consumer, count, idle_min),
            Op::Reload => {
                let copy = reload(&self.stream);
                assert_eq!(copy, self.stream);
                let clone = self.stream.clone();
                assert_eq!(clone, self.stream);
                // What comes after must work on all three alike.
                if rng.random() {
                    self.stream = if rng.random() { copy } else { clone };
                }
            }
        }
    }

    fn append(&mut self, id: NewId, fields: Fields, limits: StreamLimits) {
        let last = self.model.last_id;
        let expected = match id {
            NewId::Exact(id) => id,
            NewId::AutoSeq(ms) if ms == last.ms => StreamId::new(ms, last.seq + 1),
            NewId::AutoSeq(ms) => StreamId::new(ms, 0),
            NewId::Auto if self.now.0 as u64 > last.ms => StreamId::new(self.now.0 as u64, 0),
            NewId::Auto => last.next().unwrap(),
        };
        let appended = self.stream.append(id, pairs(&fields), self.now, limits);
        assert_eq!(appended.ok(), (expected > last).then_some(expected));
        if expected > last {
            self.model.entries.insert(expected, fields);
            self.model.last_id = expected;
            self.model.entries_added += 1;
        }
    }

    fn trim(&mut self, trim: Trim) {
        let victims = self.model.trim(trim);
        let (mut removed, mut from) = (0, Some(StreamId::MIN));
        while let Some(start) = from {
            let part = self.stream.trim_some(trim, start, 3);
            removed += part.removed;
            // Another part would have its own limit.
            from = part.next.filter(|_| trim.limit.is_none());
        }
        let gone: Vec<_> = victims.iter().copied().filter(|id| !self.stream.contains(*id)).collect();
        assert_eq!(gone.len() as u64, removed);
        assert!(trim.limit.is_none_or(|limit| removed <= limit));
        if trim.approximate {
            assert_eq!(gone, victims[..gone.len()]);
        } else {
            assert_eq!(gone, victims);
        }
        for id in gone {
            self.model.entries.remove(&id);
            if trim.references == References::Remove {
                self.model.remove_references(id);
            }
        }
    }

    fn range(&self, start: StreamId, end: StreamId, count: usize) {
        let expected: Vec<_> = if start <= end {
            self.model.entries.range(start..=end).map(|(id, fields)| (*id, fields.clone())).collect()
        } else {
            Vec::new()
        };
        let all = |(id, fields): &(StreamId, Fields)| (*id, fields.clone());
        let found = self.stream.range(start, end).map(|entry| (entry.id, texts(&entry)));
        assert!(found.take(count).eq(expected.iter().map(all).take(count)));
        let found = self.stream.range_reverse(start, end).map(|entry| (entry.id, texts(&entry)));
        assert!(found.take(count).eq(expected.iter().rev().map(all).take(count)));
        assert_eq!(self.stream.entry(start).map(|entry| texts(&entry)).as_ref(), self.model.entries.get(&start));
        assert_eq!(self.stream.contains(end), self.model.entries.contains_key(&end));
        assert_eq!(self.stream.is_referenced(start), self.model.is_referenced(start));
    }

    fn deliver(&mut self, group: &Text, consumer: &Text, count: usize, acknowledged: bool) {
        let Some(to) = self.consumer(group, consumer) else { return };
        let of_model = self.model.groups.get_mut(group).unwrap();
        let behind = of_model.last_id.next();
        let expected: Vec<_> = behind
            .map(|start| self.model.entries.range(start..).map(|(id, _)| *id).take(count).collect())
            .unwrap_or_default();
        let found = self.stream.deliver(group, to, acknowledged, self.now).unwrap().take(count);
        assert_eq!(found.map(|entry| entry.id).collect::<Vec<_>>(), expected);
        for id in expected {
            of_model.last_id = id;
            if !acknowledged {
                let delivered = self.now.0;
                of_model.pending.insert(id, ModelPending { consumer: consumer.clone(), delivered, deliveries: 1 });
            }
        }
    }

    fn deliver_again(&mut self, group: &Text, consumer: &Text, after: StreamId, count: usize) {
        let Some(to) = self.consumer(group, consumer) else { return };
        let found: Vec<_> = self.stream.deliver_again(group, to, after, self.now).unwrap().take(count).collect();
        let pending = &mut self.model.groups.get_mut(group).unwrap().pending;
        let own = pending.iter_mut().filter(|(id, one)| **id > after && one.consumer == *consumer).take(count);
        let mut expected = Vec::new();
        for (id, one) in own {
            let fields = self.model.entries.get(id).cloned();
            if fields.is_some() {
                one.delivered = self.now.0;
                one.deliveries += 1;
            }
            expected.push((*id, fields));
        }
        let found: Vec<_> = found.iter().map(|(id, entry)| (*id, entry.as_ref().map(texts))).collect();
        assert_eq!(found, expected);
    }

    fn auto_claim(&mut self, group: &Text, consumer: &Text, start: StreamId, count: usize, idle_min: i64) {
        let Some(to) = self.consumer(group, consumer) else { return };
        let now = self.now;
        let claim = Claim { consumer: to, idle_min, delivered: now, deliveries: None, just_id: false, force: false };
        let found = self.stream.auto_claim(group, start, count, &claim, now);
        let mut expected = AutoClaimed::default();
        let of_model = &self.model.groups[group];
        let ids: Vec<_> = of_model.pending.range(start..).map(|(id, _)| *id).collect();
        let mut looked = 0;
        for id in ids.iter().take(count * 10) {
            if expected.claimed.len() + expected.deleted.len() == count {
                break;
            }
            looked += 1;
            match self.model.claim(group, consumer, *id, &claim, now.0) {
                ClaimOutcome::Claimed => expected.claimed.push(*id),
                ClaimOutcome::Deleted => expected.deleted.push(*id),
                _ => {}
            }
        }
        expected.next = ids.get(looked).copied().unwrap_or_default();
        assert_eq!(found, expected);
    }

    fn claim_idle(&mut self, group: &Text, consumer: &Text, count: usize, idle_min: i64) {
        let Some(to) = self.consumer(group, consumer) else { return };
        let now = self.now;
        let claim = Claim { consumer: to, idle_min, delivered: now, deliveries: None, just_id: false, force: false };
        let of_model = &self.model.groups[group];
        let mut idle: Vec<_> = of_model.pending.iter().map(|(id, one)| (one.delivered, *id)).collect();
        idle.retain(|(delivered, _)| now.0 - delivered >= idle_min);
        idle.sort_unstable();
        let mut expected = Vec::new();
        for (_, id) in idle {
            if expected.len() < count && self.model.claim(group, consumer, id, &claim, now.0) == ClaimOutcome::Claimed {
                expected.push(id);
            }
        }
        let found = self.stream.claim_idle(group, count, &claim, now).claimed;
        assert_eq!(found.iter().map(|one| one.id).collect::<Vec<_>>(), expected);
    }

    fn compare(&self) {
        let (stream, model) = (&self.stream, &self.model);
        stream.check_invariants();
        self.range(StreamId::MIN, StreamId::MAX, usize::MAX);
        assert_eq!(stream.len(), model.entries.len() as u64);
        let counters = (stream.last_id(), stream.max_deleted_id(), stream.entries_added());
        assert_eq!(counters, (model.last_id, model.max_deleted_id, model.entries_added));
        assert_eq!(stream.first_id(), model.entries.keys().next().copied().unwrap_or_default());
        assert_eq!(stream.last().map(|entry| entry.id), model.entries.keys().next_back().copied());
        assert!(stream.groups().map(|(name, _)| name).eq(model.groups.keys()));
        for (name, group) in stream.groups() {
            let of_model = &model.groups[name];
            assert_eq!(group.last_id(), of_model.last_id);
            assert!(group.consumers().map(|(_, consumer)| consumer.name()).eq(of_model.consumers.iter()));
            let found = group.pending_range(StreamId::MIN, StreamId::MAX).map(|one| {
                let consumer = group.consumer(one.consumer).name().to_vec();
                (one.id, ModelPending { consumer, delivered: one.delivered.0, deliveries: one.deliveries })
            });
            assert!(found.eq(of_model.pending.iter().map(|(id, one)| (*id, one.clone()))));
        }
    }
}

fn run(seed: u64, steps: usize) {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut pair = Pair { stream: Stream::new(), model: Model::default(), now: NOW };
    // Some streams begin long before the clock's time, so that ids are given both ways.
    if rng.random() {
        pair.now = UnixMillis(1_000);
    }
    for step in 0..steps {
        let op = pair.model.random_op(&mut rng);
        pair.apply(op, &mut rng);
        if step % 16 == 0 {
            pair.compare();
        } else if step % 4 == 0 {
            pair.stream.check_invariants();
        }
    }
    pair.compare();
}

#[test]
fn agrees_with_the_model() {
    for seed in 0..30 {
        run(seed, 1_500);
    }
}

#[test]
#[ignore = "takes minutes"]
fn agrees_with_the_model_for_long() {
    for seed in 1_000..2_000 {
        run(seed, 4_000);
    }
}
