//! The hash of keys: xxh3 with a seed that is set once for the process.

use std::sync::atomic::{AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_64_with_seed;

static SEED: AtomicU64 = AtomicU64::new(0);

/// Sets the seed of [`key_hash`], so that outsiders cannot choose keys that collide. To be called at most once, before
/// the first key is hashed; tables that exist already would not find their keys again.
pub fn set_hash_seed(seed: u64) {
    SEED.store(seed, Ordering::Relaxed);
}

/// The hash of a key within a shard. All tables of the process use the same.
#[inline]
pub fn key_hash(key: &[u8]) -> u64 {
    xxh3_64_with_seed(key, SEED.load(Ordering::Relaxed))
}
