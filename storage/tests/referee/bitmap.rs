//! BITCOUNT, BITPOS, BITFIELD, BITOP.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use storage::types::bitmap::{
    BitRange, FieldType, Operation, Overflow, Unit, combine, count, field, position, set_field,
};

use super::server::{Reply, Server};

fn random_bytes(rng: &mut SmallRng, len_max: usize) -> Vec<u8> {
    let filler = [0, 0xff, 0x5a][rng.random_range(0..3)];
    let noise = [0.02, 1.0][rng.random_range(0..2)];
    let len = rng.random_range(1..=len_max);
    (0..len).map(|_| if rng.random_bool(noise) { rng.random() } else { filler }).collect()
}

#[test]
#[ignore = "needs redis-server"]
fn ranges_mean_what_redis_means() {
    let mut server = Server::start();
    let mut rng = SmallRng::seed_from_u64(1);
    for _ in 0..4_000 {
        let bytes = random_bytes(&mut rng, 40);
        server.call(&[b"SET", b"k", &bytes]);
        let (unit, name, reach) = if rng.random() { (Unit::Byte, "BYTE", 50) } else { (Unit::Bit, "BIT", 400) };
        let (first, last) = (rng.random_range(-reach..reach), rng.random_range(-reach..reach));
        let counted = BitRange::for_count(first, last, unit, bytes.len()).map_or(0, |range| count(&bytes, range));
        assert_eq!(server.run(&format!("BITCOUNT k {first} {last} {name}")), Reply::Int(counted as i64));
        for wanted in [false, true] {
            let range = BitRange::new(first, last, unit, bytes.len());
            let found = range.and_then(|range| position(&bytes, wanted, range)).map_or(-1, |at| at as i64);
            let command = format!("BITPOS k {} {first} {last} {name}", i32::from(wanted));
            assert_eq!(server.run(&command), Reply::Int(found), "{command} of {bytes:?}");
        }
    }
}

#[test]
#[ignore = "needs redis-server"]
fn fields_are_those_of_redis() {
    let mut server = Server::start();
    let mut rng = SmallRng::seed_from_u64(2);
    let mut bytes = vec![0; 64];
    server.call(&[b"SET", b"k", &bytes]);
    for _ in 0..20_000 {
        let signed = rng.random();
        let bits = rng.random_range(1..=if signed { 64 } else { 63 });
        let kind = FieldType::new(signed, bits).expect("it is one");
        let offset = rng.random_range(0..64 * 8 - 64);
        let (overflow, overflow_name) =
            [(Overflow::Wrap, "WRAP"), (Overflow::Saturate, "SAT"), (Overflow::Fail, "FAIL")][rng.random_range(0..3)];
        let value = rng.random::<i64>() >> rng.random_range(0..64);
        let before = field(&bytes, kind, offset);
        let (verb, stored) = if rng.random() {
            ("INCRBY", kind.add(before, value, overflow))
        } else {
            ("SET", kind.fit(value, overflow))
        };
        let letter = if signed { 'i' } else { 'u' };
        let command = format!("BITFIELD k OVERFLOW {overflow_name} {verb} {letter}{bits} {offset} {value}");
        let reply = stored.map_or(Reply::Bulk(None), |stored| {
            set_field(&mut bytes, kind, offset, stored);
            Reply::Int(if verb == "SET" { before } else { stored })
        });
        assert_eq!(server.run(&command), Reply::Array(vec![reply]), "{command}");
        assert_eq!(server.run("GET k"), Reply::bulk(&bytes), "{command} of {before}");
    }
}

#[test]
#[ignore = "needs redis-server"]
fn combinations_are_those_of_redis() {
    let mut server = Server::start();
    let mut rng = SmallRng::seed_from_u64(3);
    for _ in 0..1_000 {
        let sources: Vec<Vec<u8>> = (0..rng.random_range(1..5)).map(|_| random_bytes(&mut rng, 9_000)).collect();
        let (operation, name) =
            [(Operation::And, "AND"), (Operation::Or, "OR"), (Operation::Xor, "XOR"), (Operation::Not, "NOT")]
                [rng.random_range(0..4)];
        let count = if operation == Operation::Not { 1 } else { sources.len() };
        let mut command = format!("BITOP {name} result");
        for (number, source) in sources[..count].iter().enumerate() {
            let key = format!("k{number}");
            server.call(&[b"SET", key.as_bytes(), source]);
            command = format!("{command} {key}");
        }
        let slices: Vec<&[u8]> = sources[..count].iter().map(Vec::as_slice).collect();
        let result = combine(operation, &slices);
        assert_eq!(server.run(&command), Reply::Int(result.len() as i64));
        assert_eq!(server.run("GET result"), Reply::bulk(result));
    }
}
