//! Removing expired members without looking at the others.

use super::{Members, NEVER, Place, Record};

/// What one call of [`Members::expire`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// Members removed.
    pub removed: usize,
    /// Whether nothing is left that is due.
    pub complete: bool,
}

impl<const VALUES: bool> Members<VALUES> {
    /// No member expires before this time. It can be too early, after a member has lost its expiry, until
    /// [`Self::expire`] has looked.
    pub fn earliest(&self) -> Option<i64> {
        if self.volatile == 0 {
            return None;
        }
        (0..self.segments.chunks()).map(|chunk| self.segments.earliest(chunk)).min()
    }

    /// Removes members that expire before `now`. Looks at `budget` members, or some hundred more to finish a segment, in
    /// segments where something may be due.
    pub fn expire(&mut self, now: i64, budget: usize, mut expired: impl FnMut(Record<'_>)) -> Sweep {
        let mut sweep = Sweep { removed: 0, complete: true };
        let mut looked_at = 0;
        for chunk in 0..self.segments.chunks() {
            if self.segments.earliest(chunk) >= now {
                continue;
            }
            for number in self.segments.in_chunk(chunk) {
                if self.segments.at(number).earliest() >= now {
                    continue;
                }
                if looked_at >= budget {
                    sweep.complete = false;
                    break;
                }
                looked_at += self.segments.at(number).len();
                sweep.removed += self.expire_in(number, now, &mut expired);
            }
            self.segments.renew_earliest(chunk);
            if !sweep.complete {
                break;
            }
        }
        for _ in 0..sweep.removed {
            if !self.shrink_if_sparse() {
                break;
            }
        }
        sweep
    }

    fn expire_in(&mut self, number: usize, now: i64, expired: &mut impl FnMut(Record<'_>)) -> usize {
        let (mut removed, mut earliest, mut slot) = (0, NEVER, 0);
        while slot < self.segments.at(number).len() {
            match self.segments.at(number).expire_at(slot) {
                Some(at) if at < now => {
                    expired(self.segments.at(number).record(slot));
                    self.remove_without_merging(Place { segment: number, slot });
                    removed += 1;
                    continue;
                }
                Some(at) => earliest = earliest.min(at),
                None => {}
            }
            slot += 1;
        }
        self.segments.at_mut(number).set_earliest(earliest);
        removed
    }
}
