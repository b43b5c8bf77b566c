//! Whether items from outside are all different: each is hashed, and the hashes are sorted.

use std::collections::HashSet;

use super::Item;
use crate::encoding::hash::key_hash;

/// So many hashes need no memory of their own.
const FEW: usize = 32;

/// Whether no text is there twice.
pub fn all_differ<'a>(items: impl Iterator<Item = Item<'a>> + Clone) -> bool {
    let (mut few, mut count) = ([0; FEW], 0);
    let mut hashes = items.clone().map(hash_of);
    for (place, hash) in few.iter_mut().zip(&mut hashes) {
        *place = hash;
        count += 1;
    }
    let rest: Vec<u64> = if count == FEW { hashes.collect() } else { Vec::new() };
    let differ =
        if rest.is_empty() { hashes_differ(&mut few[..count]) } else { hashes_differ(&mut [&few[..], &rest].concat()) };
    // Two texts may have one hash.
    differ || texts_differ(items)
}

fn hashes_differ(hashes: &mut [u64]) -> bool {
    hashes.sort_unstable();
    hashes.windows(2).all(|pair| pair[0] != pair[1])
}

/// An integer and its text are the same item.
fn hash_of(item: Item<'_>) -> u64 {
    match (item.as_int(), item) {
        (Some(number), _) | (None, Item::Int(number)) => key_hash(&number.to_le_bytes()),
        (None, Item::Bytes(bytes)) => key_hash(bytes),
    }
}

#[cold]
fn texts_differ<'a>(mut items: impl Iterator<Item = Item<'a>>) -> bool {
    let mut texts = HashSet::new();
    items.all(|item| texts.insert(item.to_vec()))
}
