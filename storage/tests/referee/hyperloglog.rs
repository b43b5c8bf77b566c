//! PFADD, PFCOUNT, PFMERGE: the strings, byte for byte.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use storage::types::hyperloglog::{self, Union};

use super::server::{Reply, Server};

const SPARSE_BYTES_MAX: usize = 3_000;

struct Pair {
    server: Server,
    /// The strings of keys `k0`, `k1` and so on; empty: the key is missing.
    strings: Vec<Vec<u8>>,
    sparse_bytes_max: usize,
}

impl Pair {
    fn add(&mut self, key: usize, elements: &[Vec<u8>]) {
        let mut changed = false;
        if self.strings[key].is_empty() {
            self.strings[key] = hyperloglog::create();
            hyperloglog::forget_cardinality(&mut self.strings[key]);
            changed = true;
        }
        for element in elements {
            let added = hyperloglog::add(&mut self.strings[key], element, self.sparse_bytes_max);
            changed |= added.expect("it is well-formed");
        }
        let name = format!("k{key}");
        let mut command: Vec<&[u8]> = vec![b"PFADD", name.as_bytes()];
        command.extend(elements.iter().map(Vec::as_slice));
        assert_eq!(self.server.call(&command), Reply::Int(i64::from(changed)));
    }

    fn count(&mut self, key: usize) {
        let string = &mut self.strings[key];
        let counted = if string.is_empty() {
            0
        } else {
            let cached = hyperloglog::cached_cardinality(string).expect("it is well-formed");
            let counted = cached.unwrap_or_else(|| hyperloglog::cardinality(string).expect("it is well-formed"));
            hyperloglog::cache_cardinality(string, counted).expect("it is well-formed");
            counted
        };
        assert_eq!(self.server.run(&format!("PFCOUNT k{key}")), Reply::Int(counted as i64));
    }

    fn merge(&mut self, destination: usize, sources: [usize; 2]) {
        let mut union = Union::new();
        for key in [destination, sources[0], sources[1]] {
            if !self.strings[key].is_empty() {
                union.include(&self.strings[key]).expect("it is well-formed");
            }
        }
        let command = format!("PFCOUNT k{destination} k{} k{}", sources[0], sources[1]);
        assert_eq!(self.server.run(&command), Reply::Int(union.cardinality() as i64));
        if self.strings[destination].is_empty() {
            self.strings[destination] = hyperloglog::create();
        }
        union.write_to(&mut self.strings[destination], self.sparse_bytes_max).expect("it is well-formed");
        let command = format!("PFMERGE k{destination} k{} k{}", sources[0], sources[1]);
        assert_eq!(self.server.run(&command), Reply::Status(b"+OK".to_vec()));
    }

    fn compare(&mut self) {
        for (key, string) in self.strings.iter().enumerate() {
            let expected = if string.is_empty() { Reply::Bulk(None) } else { Reply::bulk(string) };
            assert_eq!(self.server.run(&format!("GET k{key}")), expected);
        }
    }
}

#[test]
#[ignore = "needs redis-server"]
fn strings_are_those_of_redis() {
    let mut pair = Pair { server: Server::start(), strings: vec![Vec::new(); 8], sparse_bytes_max: SPARSE_BYTES_MAX };
    let mut rng = SmallRng::seed_from_u64(1);
    for round in 0..6_000 {
        if round % 400 == 0 {
            pair.strings.fill(Vec::new());
            pair.server.run("FLUSHALL");
            pair.sparse_bytes_max = [SPARSE_BYTES_MAX, 200, 16_000, 0][round / 400 % 4];
            let command = format!("CONFIG SET hll-sparse-max-bytes {}", pair.sparse_bytes_max);
            assert_eq!(pair.server.run(&command), Reply::Status(b"+OK".to_vec()));
        }
        let key = rng.random_range(0..pair.strings.len());
        match rng.random_range(0..20) {
            0..12 => {
                let count = [0, 1, 3, 20, 300][rng.random_range(0..5)];
                let element = |rng: &mut SmallRng| {
                    let len = rng.random_range(0..30);
                    (0..len).map(|_| rng.random()).collect()
                };
                let elements: Vec<Vec<u8>> = (0..count).map(|_| element(&mut rng)).collect();
                pair.add(key, &elements);
            }
            12..17 => pair.count(key),
            _ => pair.merge(key, std::array::from_fn(|_| rng.random_range(0..8))),
        }
        pair.compare();
    }
}
