//! Choosing several members at random, each at most once.

use std::collections::HashSet;

use rand::Rng;

use super::{Members, Record};

/// The part of a table from which on choosing goes through all of it: drawing would hit too many members twice.
const WALK_PART: usize = 3;

/// Gives `count` of `len` items to `chosen`, or all if there are no more, and the others to `left`: each choice of so many
/// is equally likely. One pass, in the order of the items.
pub fn split<T>(
    items: impl Iterator<Item = T>,
    len: usize,
    count: usize,
    rng: &mut impl Rng,
    mut chosen: impl FnMut(T),
    mut left: impl FnMut(T),
) {
    let (mut ahead, mut wanted) = (len, count);
    for item in items {
        if wanted > 0 && rng.random_range(0..ahead) < wanted {
            wanted -= 1;
            chosen(item);
        } else {
            left(item);
        }
        ahead -= 1;
    }
}

/// Visits `count` of `len` items, or all if there are no more, as [`split`] chooses them.
pub fn select<T>(items: impl Iterator<Item = T>, len: usize, count: usize, rng: &mut impl Rng, visit: impl FnMut(T)) {
    split(items, len, count, rng, visit, |_| ());
}

impl<const VALUES: bool> Members<VALUES> {
    /// Visits `count` random members, or all if there are no more, each once.
    pub fn random_distinct(&self, count: usize, rng: &mut impl Rng, mut visit: impl FnMut(Record<'_>)) {
        if count >= self.len() / WALK_PART {
            select(self.iter(), self.len(), count, rng, visit);
            return;
        }
        let mut chosen = HashSet::with_capacity(count);
        while chosen.len() < count {
            let place = self.random(rng).expect("there are more members than are wanted");
            if chosen.insert(place) {
                visit(self.record(place));
            }
        }
    }
}
