//! How good a choice is, against the exact order and against what Redis is described to do; and that the books stay true.

use hashbrown::HashMap;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::snapshot::file::RecordOptions;
use crate::{Expiry, StringValue};

/// Keys that a trace asks for, and those that a cache has room for.
const KEYS: usize = 50_000;
const ROOM: usize = KEYS / 10;
const REQUESTS: usize = 400_000;
/// Between two requests.
const STEP_MILLIS: i64 = 20;
const LFU: LfuSettings = LfuSettings { log_factor: 10, decay_minutes: 1 };

/// Requests whose keys are distributed as Zipf's law says, with exponent 0.99; key `i` is the `i`th of the most wanted.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new() -> Self {
        let mut sum = 0.0;
        let mut sums: Vec<f64> = (1..=KEYS)
            .map(|rank| {
                sum += (rank as f64).powf(-0.99);
                sum
            })
            .collect();
        for part in &mut sums {
            *part /= sum;
        }
        Self(sums)
    }

    fn draw(&self, rng: &mut SmallRng) -> u32 {
        let point: f64 = rng.random();
        self.0.partition_point(|&part| part < point) as u32
    }
}

/// A trace: keys by Zipf's law, and, if it is polluted, scans over keys that nobody asks for twice.
fn trace(polluted: bool) -> Vec<u32> {
    let (zipf, mut rng) = (Zipf::new(), SmallRng::seed_from_u64(7));
    let mut scanned = KEYS as u32;
    let keys = (0..REQUESTS).map(|number| {
        if polluted && number % 40_000 < 8_000 {
            scanned += 1;
            return scanned;
        }
        zipf.draw(&mut rng)
    });
    keys.collect()
}

/// A cache: whether it has the key; it has it afterwards.
trait Cache {
    fn ask(&mut self, key: u32, now: UnixMillis) -> bool;
}

/// The share of a trace's requests that a cache answers, its first quarter apart.
fn hit_ratio(cache: &mut dyn Cache, trace: &[u32]) -> f64 {
    let (mut hits, warm) = (0, trace.len() / 4);
    for (number, &key) in trace.iter().enumerate() {
        let hit = cache.ask(key, UnixMillis(1_000_000_000 + number as i64 * STEP_MILLIS));
        hits += usize::from(hit && number >= warm);
    }
    hits as f64 / (trace.len() - warm) as f64
}

struct Ours {
    database: Database,
    pool: Pool,
    samples: usize,
    rng: SmallRng,
}

impl Ours {
    fn new(usefulness: Usefulness, samples: usize) -> Self {
        Self { database: Database::new(), pool: Pool::new(usefulness), samples, rng: SmallRng::seed_from_u64(1) }
    }

    fn evict_one(&mut self, now: UnixMillis) -> Vec<u8> {
        let mut key = Vec::new();
        loop {
            let draw = Draw { database: 0, count: self.samples, volatile_only: false, now };
            self.database.draw_candidates(draw, &mut self.pool, &mut self.rng);
            let candidate = self.pool.pop().expect("there are keys");
            let usefulness = self.pool.usefulness();
            if let Eviction::Done(_) = self.database.evict(&candidate, usefulness, |_| false, &mut key) {
                return key;
            }
        }
    }
}

impl Cache for Ours {
    fn ask(&mut self, key: u32, now: UnixMillis) -> bool {
        let (lfu, bytes) = (matches!(self.pool.usefulness(), Usefulness::Uses(_)), key.to_le_bytes());
        if let Some(mut entry) = self.database.find_mut(&bytes[..]) {
            let used = entry.entry().access().lfu_used(now, LFU, self.rng.random());
            entry.touch(if lfu { used } else { Access::lru(now) });
            return true;
        }
        if self.database.len() == ROOM {
            self.evict_one(now);
        }
        let access = if lfu { Access::lfu_new(now) } else { Access::lru(now) };
        self.database.set_string(&bytes[..], StringValue::Bytes(b"value"), Expiry::Clear, access);
        false
    }
}

/// A cache that draws single keys into a pool of sixteen that is ordered by rank, as Redis documents it.
struct Sampled {
    keys: Vec<u32>,
    entries: HashMap<u32, (usize, Access)>,
    pool: Vec<(i64, u32)>,
    lfu: bool,
    samples: usize,
    rng: SmallRng,
}

impl Sampled {
    fn new(lfu: bool, samples: usize) -> Self {
        let rng = SmallRng::seed_from_u64(2);
        Self { keys: Vec::new(), entries: HashMap::new(), pool: Vec::new(), lfu, samples, rng }
    }

    fn evict_one(&mut self, now: UnixMillis) {
        for _ in 0..self.samples {
            let key = self.keys[self.rng.random_range(0..self.keys.len())];
            let access = self.entries[&key].1;
            let rank = if self.lfu { i64::from(access.frequency(now, LFU)) } else { -(access.idle_millis(now) as i64) };
            if !self.pool.iter().any(|&(_, other)| other == key) {
                let place = self.pool.partition_point(|&(other, _)| other < rank);
                self.pool.insert(place, (rank, key));
                self.pool.truncate(16);
            }
        }
        while !self.pool.is_empty() {
            let (_, key) = self.pool.remove(0);
            if let Some((place, _)) = self.entries.remove(&key) {
                self.keys.swap_remove(place);
                if let Some(moved) = self.keys.get(place) {
                    self.entries.get_mut(moved).expect("each key has an entry").0 = place;
                }
                return;
            }
        }
    }
}

impl Cache for Sampled {
    fn ask(&mut self, key: u32, now: UnixMillis) -> bool {
        if let Some((_, access)) = self.entries.get_mut(&key) {
            *access = if self.lfu { access.lfu_used(now, LFU, self.rng.random()) } else { Access::lru(now) };
            return true;
        }
        if self.keys.len() == ROOM {
            self.evict_one(now);
        }
        let access = if self.lfu { Access::lfu_new(now) } else { Access::lru(now) };
        self.entries.insert(key, (self.keys.len(), access));
        self.keys.push(key);
        false
    }
}

/// A cache that forgets the very key that was not used for the longest time.
#[derive(Default)]
struct Exact {
    used: HashMap<u32, u64>,
    order: std::collections::BTreeMap<u64, u32>,
    next: u64,
}

impl Cache for Exact {
    fn ask(&mut self, key: u32, _: UnixMillis) -> bool {
        self.next += 1;
        let before = self.used.insert(key, self.next);
        if let Some(before) = before {
            self.order.remove(&before);
        } else if self.used.len() > ROOM {
            let (_, oldest) = self.order.pop_first().expect("a full cache has an oldest key");
            self.used.remove(&oldest);
        }
        self.order.insert(self.next, key);
        before.is_some()
    }
}

#[test]
fn the_least_recently_used_are_found_nearly_as_well_as_by_their_exact_order() {
    for polluted in [false, true] {
        let trace = trace(polluted);
        let exact = hit_ratio(&mut Exact::default(), &trace);
        let ours = hit_ratio(&mut Ours::new(Usefulness::LastUse, 5), &trace);
        let ten = hit_ratio(&mut Sampled::new(false, 10), &trace);
        assert!(
            ours >= ten - 0.001,
            "polluted: {polluted}; with ten samples and sixteen candidates {ten}, here {ours}"
        );
        assert!(ours > exact - 0.01, "polluted: {polluted}; exact {exact}, here {ours}");
    }
}

#[test]
fn the_least_frequently_used_are_found_as_well_as_with_ten_samples() {
    for polluted in [false, true] {
        let trace = trace(polluted);
        let ours = hit_ratio(&mut Ours::new(Usefulness::Uses(LFU), 5), &trace);
        let ten = hit_ratio(&mut Sampled::new(true, 10), &trace);
        assert!(
            ours >= ten - 0.001,
            "polluted: {polluted}; with ten samples and sixteen candidates {ten}, here {ours}"
        );
    }
}

/// A database of `count` keys, the first of which are `volatile`; a key expires the sooner the smaller its number.
fn filled(count: u32, volatile: u32) -> Database {
    let mut database = Database::new();
    for number in 0..count {
        let expire = if number < volatile { Expiry::At(UnixMillis(10_000 + i64::from(number))) } else { Expiry::Clear };
        let value = StringValue::Bytes(b"value");
        database.set_string(&number.to_be_bytes()[..], value, expire, Access::lru(UnixMillis(0)));
    }
    database
}

fn evicted(database: &mut Database, pool: &mut Pool, volatile: bool, rng: &mut SmallRng) -> Option<u32> {
    let mut key = Vec::new();
    while database.evictable(volatile) > 0 {
        let draw = Draw { database: 0, count: 5, volatile_only: volatile, now: UnixMillis(5_000) };
        database.draw_candidates(draw, pool, rng);
        let candidate = pool.pop().expect("there are keys");
        let usefulness = pool.usefulness();
        if let Eviction::Done(_) = database.evict(&candidate, usefulness, |_| false, &mut key) {
            return Some(u32::from_be_bytes(key.as_slice().try_into().expect("it is a number")));
        }
    }
    None
}

#[test]
fn few_keys_with_an_expiry_are_found_among_many_without() {
    let mut rng = SmallRng::seed_from_u64(3);
    for usefulness in [Usefulness::LastUse, Usefulness::Uses(LFU), Usefulness::Expiry, Usefulness::Chance] {
        let (mut database, mut pool) = (filled(50_000, 7), Pool::new(usefulness));
        let mut gone: Vec<u32> = std::iter::from_fn(|| evicted(&mut database, &mut pool, true, &mut rng)).collect();
        gone.sort_unstable();
        assert_eq!(gone, [0, 1, 2, 3, 4, 5, 6], "{usefulness:?}");
        assert_eq!((database.len(), database.expires()), (49_993, 0));
        database.check_invariants();
    }
}

#[test]
fn those_that_expire_soonest_go_first() {
    let mut rng = SmallRng::seed_from_u64(4);
    let (mut database, mut pool) = (filled(20_000, 10_000), Pool::new(Usefulness::Expiry));
    let gone: Vec<u32> = (0..1000).filter_map(|_| evicted(&mut database, &mut pool, true, &mut rng)).collect();
    let among_first = gone.iter().filter(|&&number| number < 2000).count();
    assert!(gone.len() == 1000 && among_first > 950, "{among_first} of a thousand are among the first two thousand");
}

#[test]
fn chance_prefers_nobody() {
    let mut rng = SmallRng::seed_from_u64(5);
    let (mut database, mut pool) = (filled(20_000, 0), Pool::new(Usefulness::Chance));
    let gone: Vec<u32> = (0..10_000).filter_map(|_| evicted(&mut database, &mut pool, false, &mut rng)).collect();
    let first_half = gone.iter().filter(|&&number| number < 10_000).count();
    assert!((4_800..5_200).contains(&first_half), "{first_half} of ten thousand");
}

#[test]
fn a_key_that_was_used_since_is_no_candidate_any_more() {
    let mut rng = SmallRng::seed_from_u64(6);
    let (mut database, mut pool) = (filled(1, 0), Pool::new(Usefulness::LastUse));
    let draw = Draw { database: 0, count: 5, volatile_only: false, now: UnixMillis(5_000) };
    database.draw_candidates(draw, &mut pool, &mut rng);
    let candidate = pool.pop().expect("there is a key");
    let key = 0_u32.to_be_bytes();
    let mut scratch = Vec::new();
    let skipped = database.evict(&candidate, Usefulness::LastUse, |_| true, &mut scratch);
    assert!(matches!(skipped, Eviction::Skipped));
    database.find_mut(&key[..]).expect("it is there").touch(Access::lru(UnixMillis(4_000)));
    let outdated = database.evict(&candidate, Usefulness::LastUse, |_| false, &mut scratch);
    assert!(matches!(outdated, Eviction::Outdated) && database.len() == 1);
    database.find_mut(&key[..]).expect("it is there").touch(Access::lru(UnixMillis(0)));
    let done = database.evict(&candidate, Usefulness::LastUse, |_| false, &mut scratch);
    assert!(matches!(done, Eviction::Done(None)) && database.is_empty() && scratch == key);
}

#[test]
fn a_snapshot_has_what_was_evicted_after_its_cut() {
    let mut rng = SmallRng::seed_from_u64(8);
    let (mut database, mut pool) = (filled(3_000, 0), Pool::new(Usefulness::LastUse));
    let access = crate::snapshot::file::KeptAccess::None;
    database.begin_saving(0, RecordOptions { compression: false, access, now: UnixMillis(0) });
    for _ in 0..1_000 {
        evicted(&mut database, &mut pool, false, &mut rng);
    }
    assert!(database.take_ahead_bytes() > 1_000 * 9, "each was saved before it went");
    assert_eq!(database.len(), 2_000);
    database.check_invariants();
}
