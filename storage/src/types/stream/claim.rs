//! Claiming: pending entries that get another consumer.

use super::{ConsumerId, Group, Pending, Stream, StreamId};
use crate::keyspace::UnixMillis;

/// XAUTOCLAIM looks at so many pending entries for each one that it may claim.
const ATTEMPTS_PER_CLAIM: usize = 10;

/// How XCLAIM claims an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who gets it.
    pub consumer: ConsumerId,
    /// It must have been idle for so many milliseconds.
    pub idle_min: i64,
    /// When it counts as delivered (now, or what IDLE and TIME say).
    pub delivered: UnixMillis,
    /// RETRYCOUNT: how often it counts as delivered.
    pub deliveries: Option<u32>,
    /// JUSTID: this is no delivery, and not to be counted as one.
    pub just_id: bool,
    /// FORCE: an entry that is not pending becomes so.
    pub force: bool,
}

/// What became of an id that was to be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// The consumer has it.
    Claimed,
    /// It was not pending.
    NotPending,
    /// It was not idle for long enough.
    NotIdle,
    /// Its entry does not exist any more; it was pending, and is no longer.
    Deleted,
}

/// What XAUTOCLAIM did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AutoClaimed {
    /// The ids that the consumer has now.
    pub claimed: Vec<StreamId>,
    /// The ids that are pending no more because their entries do not exist.
    pub deleted: Vec<StreamId>,
    /// Where to go on; [`StreamId::MIN`] at the end.
    pub next: StreamId,
}

/// What XREADGROUP with CLAIM took over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdleClaimed {
    /// What was known before of each that the consumer has now.
    pub claimed: Vec<Pending>,
    /// The ids that are pending no more because their entries do not exist.
    pub gone: Vec<StreamId>,
}

impl Stream {
    /// XCLAIM of one id, in a group that exists.
    pub fn claim(&mut self, group: &[u8], id: StreamId, claim: &Claim, now: UnixMillis) -> ClaimOutcome {
        let there = self.contains(id);
        let outcome = self.edit_group(group, |group| claim_in(group, id, there, claim, now));
        outcome.unwrap_or(ClaimOutcome::NotPending)
    }

    /// XAUTOCLAIM: claims up to `count` entries from `start` on, in a group that exists. Of the claim, only the consumer,
    /// the idle time and JUSTID count.
    pub fn auto_claim(
        &mut self,
        group: &[u8],
        start: StreamId,
        count: usize,
        claim: &Claim,
        now: UnixMillis,
    ) -> AutoClaimed {
        let claim = Claim { delivered: now, deliveries: None, force: false, ..*claim };
        let mut result = AutoClaimed::default();
        let mut from = Some(start);
        let mut attempts = count.saturating_mul(ATTEMPTS_PER_CLAIM);
        let pending_from = |stream: &Self, from: StreamId| {
            let pending = &stream.groups.get(group)?.pending;
            pending.at(pending.lower_bound(from)).map(|pending| pending.id)
        };
        while attempts > 0 && result.claimed.len() + result.deleted.len() < count {
            let Some(id) = from.and_then(|from| pending_from(self, from)) else { return result };
            attempts -= 1;
            from = id.next();
            match self.claim(group, id, &claim, now) {
                ClaimOutcome::Claimed => result.claimed.push(id),
                ClaimOutcome::Deleted => result.deleted.push(id),
                ClaimOutcome::NotIdle | ClaimOutcome::NotPending => {}
            }
        }
        result.next = from.and_then(|from| pending_from(self, from)).unwrap_or(StreamId::MIN);
        result
    }

    /// XREADGROUP CLAIM: claims up to `count` entries, the longest idle first; returns what was known of them before.
    /// Entries that do not exist any more are not pending afterwards, and not returned.
    pub fn claim_idle(&mut self, group: &[u8], count: usize, claim: &Claim, now: UnixMillis) -> IdleClaimed {
        let claim = Claim { delivered: now, deliveries: None, force: false, just_id: false, ..*claim };
        let mut all_gone = Vec::new();
        let claimed = loop {
            let found = self.edit_group(group, |group| group.longest_idle(claim.idle_min, count, now));
            let found = found.unwrap_or_default();
            // All that have no entry go before any is claimed: with a minimum of zero, those would be found again.
            let gone: Vec<_> = found.iter().map(|one| one.id).filter(|&id| !self.contains(id)).collect();
            if gone.is_empty() {
                break found;
            }
            for &id in &gone {
                self.claim(group, id, &claim, now);
            }
            all_gone.extend(gone);
        };
        for pending in &claimed {
            let outcome = self.claim(group, pending.id, &claim, now);
            debug_assert_eq!(outcome, ClaimOutcome::Claimed);
        }
        IdleClaimed { claimed, gone: all_gone }
    }
}

fn claim_in(group: &mut Group, id: StreamId, there: bool, claim: &Claim, now: UnixMillis) -> ClaimOutcome {
    if !there {
        return if group.acknowledge(id) { ClaimOutcome::Deleted } else { ClaimOutcome::NotPending };
    }
    let deliveries = match group.pending(id) {
        Some(old) if old.idle(now) < claim.idle_min => return ClaimOutcome::NotIdle,
        Some(old) => old.deliveries,
        // As in Redis, to be forced into the list counts as a delivery of its own.
        None if claim.force => 1,
        None => return ClaimOutcome::NotPending,
    };
    let deliveries = claim.deliveries.unwrap_or_else(|| deliveries.saturating_add(u32::from(!claim.just_id)));
    group.assign(Pending { id, delivered: claim.delivered, deliveries, consumer: claim.consumer });
    group.consumer_mut(claim.consumer).active = Some(now);
    ClaimOutcome::Claimed
}
