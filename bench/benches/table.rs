//! The keyspace without a server around it: nanoseconds per operation on a million keys in random order.

#![allow(missing_docs, reason = "criterion's macros make public functions without documentation")]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use storage::{Access, Database, Expiry, Key, StringValue, UnixMillis};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const KEYS: usize = 1_000_000;
/// Operations per measured batch.
const BATCH: usize = 256;

fn key(number: usize) -> [u8; 16] {
    let text = format!("key:{number:012}");
    text.as_bytes().try_into().expect("four and twelve bytes")
}

fn set(database: &mut Database, number: usize, value: &[u8], expire: Expiry) {
    let replaced = database.set_string(&key(number)[..], StringValue::Bytes(value), expire, Access::default());
    drop(replaced);
}

fn filled(value: &[u8]) -> Database {
    let mut database = Database::new();
    (0..KEYS).for_each(|number| set(&mut database, number, value, Expiry::Clear));
    database
}

/// Numbers in an order that no cache foresees (xorshift64).
struct Order(u64);

impl Order {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 as usize % KEYS
    }

    fn batch(&mut self) -> Vec<[u8; 16]> {
        (0..BATCH).map(|_| key(self.next())).collect()
    }
}

fn reading(criterion: &mut Criterion) {
    let database = filled(&[b'x'; 64]);
    let mut order = Order(0x2545_f491_4f6c_dd1d);
    let mut group = criterion.benchmark_group("table");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("find", |bencher| {
        let find = |keys: Vec<[u8; 16]>| keys.iter().filter(|key| database.find(&key[..]).is_some()).count();
        bencher.iter_batched(|| order.batch(), find, BatchSize::SmallInput);
    });
    group.bench_function("find with the hash known", |bencher| {
        let keys = order.batch();
        let hashed: Vec<Key<'_>> = keys.iter().map(|key| Key::new(key)).collect();
        bencher.iter(|| hashed.iter().filter(|key| database.find(black_box(**key)).is_some()).count());
    });
    group.bench_function("miss", |bencher| {
        let absent = |keys: Vec<[u8; 16]>| keys.iter().filter(|key| database.contains(&key[1..])).count();
        bencher.iter_batched(|| order.batch(), absent, BatchSize::SmallInput);
    });
    group.finish();
}

fn writing(criterion: &mut Criterion) {
    let mut database = filled(&[b'x'; 64]);
    let mut order = Order(0x9e37_79b9_7f4a_7c15);
    let mut group = criterion.benchmark_group("table");
    group.throughput(Throughput::Elements(BATCH as u64));
    let later = Expiry::At(UnixMillis(i64::MAX / 2));
    for (name, len, expire) in
        [("overwrite", 64, Expiry::Clear), ("overwrite, other size", 100, Expiry::Clear), ("overwrite, TTL", 64, later)]
    {
        let value = vec![b'y'; len];
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || (0..BATCH).map(|_| order.next()).collect::<Vec<usize>>(),
                |numbers| numbers.iter().for_each(|&number| set(&mut database, number, &value, expire)),
                BatchSize::SmallInput,
            );
        });
    }
    group.bench_function("insert and delete", |bencher| {
        let mut number = KEYS;
        bencher.iter(|| {
            for _ in 0..BATCH {
                number += 1;
                set(&mut database, number, b"value", Expiry::Clear);
                database.delete(&key(number)[..]);
            }
        });
    });
    group.finish();
}

fn growing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("table");
    group.sample_size(10);
    group.throughput(Throughput::Elements(KEYS as u64));
    group.bench_function("fill a million keys", |bencher| {
        bencher.iter_with_large_drop(|| filled(&[b'x'; 64]));
    });
    let database = filled(&[b'x'; 16]);
    group.bench_function("scan a million keys", |bencher| {
        bencher.iter(|| {
            let (mut cursor, mut seen) = (0, 0_usize);
            loop {
                cursor = database.scan(cursor, |_| seen += 1);
                if cursor == 0 {
                    return seen;
                }
            }
        });
    });
    group.finish();
}

criterion_group!(benches, reading, writing, growing);
criterion_main!(benches);
