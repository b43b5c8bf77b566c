//! List commands: replies, contents, and where nodes begin.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use storage::types::list::{End, List, ListBuilder, ListLimits, ListRef, NodeContents, Removal, Search, Side};

use super::server::{Reply, Server};

fn element(rng: &mut SmallRng) -> Vec<u8> {
    match rng.random_range(0..10) {
        0..4 => rng.random_range(-20..20_i64).to_string().into_bytes(),
        4 => rng.random::<i64>().to_string().into_bytes(),
        5 => vec![b'x'; rng.random_range(0..3_000)],
        _ => (0..rng.random_range(0..40)).map(|_| rng.random()).collect(),
    }
}

fn range(list: ListRef<'_>, first: i64, last: i64) -> Reply {
    let range = list.range(first, last);
    let mut walk = list.walk(End::Head, range.start);
    Reply::Array(range.map(|_| Reply::bulk(walk.next().expect("it is in the range").to_vec())).collect())
}

fn step(server: &mut Server, list: &mut List, rng: &mut SmallRng) {
    let limits = ListLimits::default();
    let len = list.as_ref().len() as i64;
    let index = |rng: &mut SmallRng| rng.random_range(-len - 2..=len + 2);
    let end = if rng.random() { End::Head } else { End::Tail };
    let value = list.as_ref().element(rng.random_range(0..=len)).map_or_else(|| element(rng), |at| at.item().to_vec());
    let new = element(rng);
    match rng.random_range(0..12) {
        0..5 => {
            list.push(end, std::iter::once(&new[..]), limits);
            let verb: &[u8] = if end == End::Head { b"LPUSH" } else { b"RPUSH" };
            assert_eq!(server.call(&[verb, b"l", &new]), Reply::Int(len + 1));
        }
        5 => {
            let popped = list.pop(end, limits);
            let verb = if end == End::Head { "LPOP" } else { "RPOP" };
            assert_eq!(server.run(&format!("{verb} l")), Reply::Bulk(popped));
        }
        6 => {
            let at = index(rng);
            let reply = server.call(&[b"LSET", b"l", at.to_string().as_bytes(), &new]);
            assert_eq!(reply == Reply::Status(b"+OK".to_vec()), list.set(at, &new, limits));
        }
        7 | 8 => {
            let (side, name): (_, &[u8]) =
                if rng.random() { (Side::Before, b"BEFORE") } else { (Side::After, b"AFTER") };
            let reply = server.call(&[b"LINSERT", b"l", name, &value, &new]);
            let inserted = list.insert(&value, side, &new, limits);
            let failed = if len == 0 { 0 } else { -1 };
            assert_eq!(reply, Reply::Int(if inserted { len + 1 } else { failed }));
        }
        9 => {
            let count = rng.random_range(-2..3_i64);
            let removed = list.remove(&value, Removal::new(count), limits);
            let reply = server.call(&[b"LREM", b"l", count.to_string().as_bytes(), &value]);
            assert_eq!(reply, Reply::Int(removed as i64));
        }
        10 => {
            let (rank, count) =
                (if rng.random() { 1 } else { -1 } * rng.random_range(1..4_i64), rng.random_range(0..4));
            let from = if rank > 0 { End::Head } else { End::Tail };
            let skip = rank.unsigned_abs() as usize - 1;
            let compared_max = rng.random_range(0..50);
            let found = list.as_ref().positions(Search { value: &value, from, skip, count, compared_max });
            let [rank, count, max] = [rank.to_string(), count.to_string(), compared_max.to_string()];
            let options = [&b"RANK"[..], rank.as_bytes(), b"COUNT", count.as_bytes(), b"MAXLEN", max.as_bytes()];
            let reply = server.call(&[&[&b"LPOS"[..], b"l", &value], &options[..]].concat());
            assert_eq!(reply, Reply::Array(found.into_iter().map(|at| Reply::Int(at as i64)).collect()));
        }
        _ => {
            let (first, last) = (index(rng), index(rng));
            assert_eq!(server.run(&format!("LRANGE l {first} {last}")), range(list.as_ref(), first, last));
            if len > 1_500 {
                list.trim(list.as_ref().range(first.min(9), last.max(-9)), limits);
                server.run(&format!("LTRIM l {} {}", first.min(9), last.max(-9)));
            }
        }
    }
}

#[test]
#[ignore = "needs redis-server"]
fn commands_do_what_they_do_in_redis() {
    let mut server = Server::start();
    let mut rng = SmallRng::seed_from_u64(1);
    let mut list = List::new();
    for round in 0..30_000 {
        step(&mut server, &mut list, &mut rng);
        if round % 50 == 0 {
            assert_eq!(server.run("LRANGE l 0 -1"), range(list.as_ref(), 0, -1));
            list.check_invariants();
        }
    }
}

/// A length as RDB has it.
fn put_length(out: &mut Vec<u8>, len: usize) {
    match len {
        0..64 => out.push(len as u8),
        64..16_384 => out.extend_from_slice(&(0x4000 | len as u16).to_be_bytes()),
        _ => {
            out.push(0x80);
            out.extend_from_slice(&(len as u32).to_be_bytes());
        }
    }
}

/// What is pushed lies in the same nodes, of the same bytes.
#[test]
#[ignore = "needs redis-server"]
fn nodes_are_those_of_redis() {
    const TYPE_LIST_OF_LISTPACKS: u8 = 18;
    const CONTAINER_LISTPACK: u8 = 2;
    const FOOTER_BYTES: usize = 10;
    let mut server = Server::start();
    let mut rng = SmallRng::seed_from_u64(2);
    for size in [-1, -2, -3, -5, 5, 100, 1_000] {
        server.run("FLUSHALL");
        server.run(&format!("CONFIG SET list-max-listpack-size {size}"));
        let mut builder = ListBuilder::new(ListLimits::new(size, 0));
        for _ in 0..5_000 {
            let element = element(&mut rng);
            builder.push_element(&element);
            server.call(&[b"RPUSH", b"l", &element]);
        }
        let list = builder.finish();
        let nodes: Vec<_> = list.as_ref().nodes().collect();
        let mut payload = vec![TYPE_LIST_OF_LISTPACKS];
        put_length(&mut payload, nodes.len());
        for node in nodes {
            let NodeContents::Listpack(bytes) = node else { panic!("no element is that large") };
            payload.push(CONTAINER_LISTPACK);
            put_length(&mut payload, bytes.len());
            payload.extend_from_slice(&bytes);
        }
        let mut dumped = server.run("DUMP l").bytes();
        dumped.truncate(dumped.len() - FOOTER_BYTES);
        assert!(dumped == payload, "list-max-listpack-size {size}: {} and {} bytes", dumped.len(), payload.len());
    }
}
