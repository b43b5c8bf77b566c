//! Processor time for each look-up, overwrite and insertion, beside those of a plain hash table with boxed keys and values,
//! and the slowest single insertions.
//!
//! usage: `cargo run --release -p storage --example speed [-- COUNT...]`

#![allow(clippy::print_stdout, reason = "a measuring tool talks to its terminal")]

use std::hint::black_box;

use hashbrown::HashTable;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use storage::{Access, Database, Expiry, StringValue, key_hash};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const OPERATIONS: usize = 2_000_000;

fn write_key(key: &mut [u8; 16], mut number: usize) {
    for byte in key[4..].iter_mut().rev() {
        *byte = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Processor time of this thread in nanoseconds: other work on the machine does not count.
fn processor_time() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists and the pointer is valid.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) }, 0);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// What is measured: a database, or the plain table.
trait Store {
    fn set(&mut self, key: &[u8], value: &[u8]);
    fn len_of(&self, key: &[u8]) -> Option<usize>;
    fn touch(&mut self, key: &[u8], access: u32);
}

impl Store for Database {
    fn set(&mut self, key: &[u8], value: &[u8]) {
        self.set_string(key, StringValue::Bytes(value), Expiry::Clear, Access::default());
    }

    fn len_of(&self, key: &[u8]) -> Option<usize> {
        Some(self.find(key)?.value().as_string()?.len())
    }

    fn touch(&mut self, key: &[u8], access: u32) {
        let mut entry = self.find_mut(key).expect("it is there");
        entry.touch(Access::from_bits(access));
        black_box(entry.value());
    }
}

/// A key, its value, and its access bits.
type Boxed = (Box<[u8]>, Box<[u8]>, u32);

#[derive(Default)]
struct Plain(HashTable<Boxed>);

impl Store for Plain {
    fn set(&mut self, key: &[u8], value: &[u8]) {
        let hash = key_hash(key);
        if let Some(entry) = self.0.find_mut(hash, |entry| *entry.0 == *key) {
            entry.1 = value.into();
        } else {
            self.0.insert_unique(hash, (key.into(), value.into(), 0), |entry| key_hash(&entry.0));
        }
    }

    fn len_of(&self, key: &[u8]) -> Option<usize> {
        self.0.find(key_hash(key), |entry| *entry.0 == *key).map(|entry| black_box(&entry.1).len())
    }

    fn touch(&mut self, key: &[u8], access: u32) {
        let entry = self.0.find_mut(key_hash(key), |entry| *entry.0 == *key).expect("it is there");
        entry.2 = access;
        black_box(entry);
    }
}

fn measure(name: &str, store: &mut impl Store, count: usize) {
    let mut rng = SmallRng::seed_from_u64(1);
    let mut key = *b"key:000000000000";
    let each = |nanoseconds: u64, operations: usize| nanoseconds as f64 / operations as f64;
    let start = processor_time();
    for number in 0..count {
        write_key(&mut key, number);
        store.set(&key, b"0123456789abcdef");
    }
    let insert = processor_time() - start;
    let numbers: Vec<usize> = (0..OPERATIONS).map(|_| rng.random_range(0..count)).collect();
    let mut timed = |operation: &mut dyn FnMut(&[u8; 16], usize)| {
        let start = processor_time();
        for &number in &numbers {
            write_key(&mut key, number);
            operation(&key, number);
        }
        processor_time() - start
    };
    let overhead = timed(&mut |key, _| {
        black_box(key);
    });
    let get = timed(&mut |key, _| {
        black_box(store.len_of(key).expect("it is there"));
    });
    let touch = timed(&mut |key, number| store.touch(key, number as u32));
    let set = timed(&mut |key, _| store.set(key, b"fedcba9876543210"));
    let miss = timed(&mut |key, _| {
        let mut key = *key;
        key[0] = b'x';
        black_box(store.len_of(&key));
    });
    println!(
        "{count:>9} keys, {name:<8}: get {:4.0}, get with access bits {:4.0}, overwrite {:4.0}, miss {:4.0}, insert {:4.0} ns",
        each(get.saturating_sub(overhead), OPERATIONS),
        each(touch.saturating_sub(overhead), OPERATIONS),
        each(set.saturating_sub(overhead), OPERATIONS),
        each(miss.saturating_sub(overhead), OPERATIONS),
        each(insert, count),
    );
}

fn slowest(count: usize) {
    let mut db = Database::new();
    let mut key = *b"key:000000000000";
    let mut slowest = [0; 4];
    for number in 0..count {
        write_key(&mut key, number);
        let begin = processor_time();
        db.set(&key, b"0123456789abcdef");
        let took = processor_time() - begin;
        if took > slowest[0] {
            slowest[0] = took;
            slowest.sort_unstable();
        }
    }
    println!("{count:>9} keys, slowest insertions: {:?} us", slowest.map(|nanoseconds| nanoseconds / 1_000));
}

fn main() {
    let arguments: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    for &count in if arguments.is_empty() { &[100_000, 1_000_000, 10_000_000][..] } else { &arguments } {
        slowest(count);
        measure("database", &mut Database::new(), count);
        measure("plain", &mut Plain::default(), count);
    }
}
