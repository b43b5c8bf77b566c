//! Asking for the memory of look-ups of members that are about to happen, so that their cache misses overlap.

use super::{Ranked, kept};
use crate::encoding::prefetch::{Round, prefetch};

impl Ranked {
    /// Asks for what a look-up of the hash of a member will need: the slots of the index, the leaf that they name, and what
    /// is in it.
    #[inline]
    pub fn prefetch(&self, hash: u64, round: Round) {
        let hash = kept(hash);
        if round == Round::Part {
            return self.index.prefetch(hash);
        }
        let Some(number) = self.index.leaves(hash).next() else { return };
        let leaf = &self.leaves[number];
        if round == Round::Slots { prefetch(leaf) } else { leaf.prefetch_all() }
    }
}
