//! XREADGROUP: what a group delivers to its consumers.

use super::block::Block;
use super::entry::Entry;
use super::groups::Lent;
use super::lag::Counters;
use super::sorted::Sorted;
use super::{ConsumerId, Pending, Range, Stream, StreamId};
use crate::keyspace::UnixMillis;

/// New entries on their way to a consumer. Each one that is taken from this iterator is delivered; the others are not.
#[derive(Debug)]
#[must_use = "what is not taken from it is not delivered"]
pub struct Delivery<'a> {
    range: Range<'a>,
    counters: Counters,
    group: Lent<'a>,
    consumer: ConsumerId,
    acknowledged: bool,
    now: UnixMillis,
}

/// What a consumer has pending already, on its way to it again.
#[derive(Debug)]
#[must_use = "what is not taken from it is not delivered"]
pub struct Redelivery<'a> {
    blocks: &'a Sorted<Block>,
    group: Lent<'a>,
    consumer: ConsumerId,
    after: StreamId,
    now: UnixMillis,
}

impl Stream {
    /// Delivers the entries behind the group's last id, in their order. They become pending, unless they count as
    /// acknowledged at once (NOACK). None if there is no such group.
    pub fn deliver(
        &mut self,
        group: &[u8],
        consumer: ConsumerId,
        acknowledged: bool,
        now: UnixMillis,
    ) -> Option<Delivery<'_>> {
        let counters = self.counters();
        let group = self.groups.lend(group)?;
        // Behind the largest id there is nothing; the range is then empty because its start is beyond every entry's id.
        let (start, end) = match group.group().last_id.next() {
            Some(start) => (start, StreamId::MAX),
            None => (StreamId::MAX, StreamId::MIN),
        };
        let range = Range::new(&self.blocks, start, end);
        Some(Delivery { range, counters, group, consumer, acknowledged, now })
    }

    /// Delivers what the consumer has pending behind an id once more: its ids in their order, each with its entry if that
    /// still exists. None if there is no such group.
    pub fn deliver_again(
        &mut self,
        group: &[u8],
        consumer: ConsumerId,
        after: StreamId,
        now: UnixMillis,
    ) -> Option<Redelivery<'_>> {
        let group = self.groups.lend(group)?;
        Some(Redelivery { blocks: &self.blocks, group, consumer, after, now })
    }
}

impl<'a> Iterator for Delivery<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let entry = self.range.next()?;
        let Self { counters, consumer, acknowledged, now, .. } = *self;
        let id = entry.id;
        self.group.edit(|group| {
            group.entries_read = counters.entries_read_after(group, id);
            group.last_id = id;
            group.consumer_mut(consumer).active = Some(now);
            if !acknowledged {
                group.assign(Pending { id, delivered: now, deliveries: 1, consumer });
            }
        });
        Some(entry)
    }
}

impl<'a> Iterator for Redelivery<'a> {
    type Item = (StreamId, Option<Entry<'a>>);

    fn next(&mut self) -> Option<Self::Item> {
        let ids = &self.group.group().consumer(self.consumer).pending;
        let id = *ids.at(ids.lower_bound(self.after.next()?))?;
        self.after = id;
        let block = self.blocks.floor(id).and_then(|position| self.blocks.at(position));
        let entry = block.and_then(|block| block.find(id).map(|met| block.entry(met)));
        if entry.is_some() {
            let now = self.now;
            self.group.edit(|group| {
                let position = group.pending.find(id).expect("a consumer's pending ids are the group's too");
                group.pending.edit(position, |pending| {
                    pending.delivered = now;
                    pending.deliveries = pending.deliveries.saturating_add(1);
                });
            });
        }
        Some((id, entry))
    }
}
