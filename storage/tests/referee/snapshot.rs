//! DUMP and RESTORE, from us to Redis and from Redis to us.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use storage::snapshot::crc64::crc64;
use storage::snapshot::{dump, restore};
use storage::types::list::End;
use storage::types::stream::StreamId;
use storage::{Limits, OwnedValue, Value};

use super::server::{Reply, Server};

fn text(rng: &mut SmallRng) -> Vec<u8> {
    match rng.random_range(0..10) {
        0..4 => rng.random_range(-300..300_i64).to_string().into_bytes(),
        4 => (rng.random::<i64>() >> rng.random_range(0..64)).to_string().into_bytes(),
        5 => vec![b'x'; rng.random_range(0..200)],
        _ => (0..rng.random_range(0..30)).map(|_| rng.random()).collect(),
    }
}

/// Makes a random value of the type at the key, by commands.
fn make(server: &mut Server, type_name: &str, key: &[u8], rng: &mut SmallRng) {
    let items = if rng.random() { rng.random_range(1..10) } else { rng.random_range(100..1_000) };
    for index in 0..items {
        let (name, value) = (text(rng), text(rng));
        let id = format!("{}-{}", index / 4 + 1, index % 4);
        let score = rng.random_range(-1e3..1e3_f64).to_string();
        match type_name {
            "string" => server.call(&[b"APPEND", key, &name]),
            "list" => server.call(&[b"RPUSH", key, &name]),
            "set" => server.call(&[b"SADD", key, &name]),
            "integers" => server.call(&[b"SADD", key, index.to_string().as_bytes()]),
            "zset" => server.call(&[b"ZADD", key, score.as_bytes(), &name]),
            "hash" => server.call(&[b"HSET", key, &name, &value]),
            _ => server.call(&[b"XADD", key, id.as_bytes(), b"field", &name, &value, b"x"]),
        };
        if type_name == "stream" && rng.random_range(0..9) == 0 {
            server.call(&[b"XDEL", key, id.as_bytes()]);
        }
    }
    if type_name == "stream" && rng.random() {
        server.call(&[b"XGROUP", b"CREATE", key, b"group", b"2-0"]);
        for consumer in [&b"one"[..], b"two"] {
            server.call(&[b"XREADGROUP", b"GROUP", b"group", consumer, b"COUNT", b"20", b"STREAMS", key, b">"]);
        }
    }
}

/// What the server says of all that is at a key.
fn contents(server: &mut Server, type_name: &str, key: &[u8]) -> Vec<Reply> {
    let mut sorted = |arguments: &[&[u8]], sort: bool| {
        let mut items = server.call(arguments).array();
        if sort {
            items.sort_by_key(|item| format!("{item:?}"));
        }
        Reply::Array(items)
    };
    match type_name {
        "string" => vec![server.call(&[b"GET", key])],
        "list" => vec![sorted(&[b"LRANGE", key, b"0", b"-1"], false)],
        "set" | "integers" => vec![sorted(&[b"SMEMBERS", key], true)],
        "zset" => vec![sorted(&[b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"], false)],
        // Sorted all the same: names and values are random, so another pairing would be another multiset of pairs.
        "hash" => {
            let items = server.call(&[b"HGETALL", key]).array();
            let mut pairs: Vec<String> = items.chunks(2).map(|pair| format!("{pair:?}")).collect();
            pairs.sort();
            pairs.into_iter().map(Reply::bulk).collect()
        }
        _ => vec![
            sorted(&[b"XRANGE", key, b"-", b"+"], false),
            sorted(&[b"XINFO", b"GROUPS", key], false),
            sorted(&[b"XPENDING", key, b"group", b"-", b"+", b"10000"], false).without_times(),
        ],
    }
}

impl Reply {
    /// Pending entries without their idle times, which go on.
    fn without_times(self) -> Self {
        let Self::Array(mut records) = self else { return self };
        for record in &mut records {
            if let Self::Array(fields) = record {
                fields.remove(2);
            }
        }
        Self::Array(records)
    }
}

#[test]
#[ignore = "needs redis-server"]
fn payloads_go_both_ways() {
    let mut server = Server::start();
    let mut rng = SmallRng::seed_from_u64(8);
    let limits = Limits::default();
    for round in 0..400 {
        server.run(&format!("CONFIG SET rdbcompression {}", if rng.random() { "yes" } else { "no" }));
        let type_name = ["string", "list", "set", "integers", "zset", "hash", "stream"][round % 7];
        let (here, there) = (b"{k}here", b"{k}there");
        server.run("FLUSHALL");
        make(&mut server, type_name, here, &mut rng);
        if matches!(server.call(&[b"EXISTS", here]), Reply::Int(0)) {
            continue;
        }
        if type_name == "stream" {
            server.call(&[b"XGROUP", b"CREATE", here, b"group", b"$"]);
        }
        let theirs = server.call(&[b"DUMP", here]).bytes();
        let value = restore(&theirs, true, &limits).unwrap_or_else(|error| panic!("{type_name}: {error:?}"));
        let ours = dump(value.as_value());
        let restored = server.call(&[b"RESTORE", there, b"0", &ours]);
        assert_eq!(restored, Reply::Status(b"+OK".to_vec()), "{type_name}");
        let expected = contents(&mut server, type_name, here);
        assert_eq!(contents(&mut server, type_name, there), expected, "{type_name}");
        assert_eq!(restore(&ours, true, &limits).as_ref(), Ok(&value));
        check_here(&value, &expected);
    }
}

/// What was read here is what the server has.
fn check_here(value: &OwnedValue, expected: &[Reply]) {
    match (value.as_value(), expected) {
        (Value::List(list), [Reply::Array(items)]) => {
            let mut walk = list.walk(End::Head, 0);
            assert!(items.iter().all(|item| *item == Reply::bulk(walk.next().expect("it is as long").to_vec())));
        }
        (Value::Set(set), [Reply::Array(items)]) => {
            assert!(items.len() == set.len() && items.iter().all(|item| set.contains(&item.clone().bytes())));
        }
        (Value::SortedSet(set), [Reply::Array(items)]) => {
            let members = set.iter().map(|record| Reply::bulk(record.member.to_vec()));
            assert!(items.iter().step_by(2).cloned().eq(members));
        }
        (Value::Stream(stream), [Reply::Array(items), ..]) => {
            let ids = stream.range(StreamId::MIN, StreamId::MAX).map(|entry| Reply::bulk(entry.id.to_string()));
            assert!(items.iter().map(|item| item.clone().array().remove(0)).eq(ids));
        }
        (Value::Hash(hash), items) => assert_eq!(items.len(), hash.len()),
        (Value::String(_), [Reply::Bulk(Some(_))]) => {}
        (value, _) => panic!("{value:?} is not of that type"),
    }
}

/// An entry of a ziplist that is a string of up to 63 bytes, and the length of the one before it.
fn ziplist(entries: &[Vec<u8>]) -> Vec<u8> {
    let (mut body, mut before, mut last) = (Vec::new(), 0, 10);
    for entry in entries {
        last = 10 + body.len();
        body.extend([before as u8, entry.len() as u8]);
        body.extend(entry);
        before = entry.len() + 2;
    }
    let mut bytes = (body.len() as u32 + 11).to_le_bytes().to_vec();
    bytes.extend((last as u32).to_le_bytes());
    bytes.extend((entries.len() as u16).to_le_bytes());
    bytes.extend(body);
    bytes.push(0xff);
    bytes
}

/// Ziplists and zipmaps: the server reads them as we do.
#[test]
#[ignore = "needs redis-server"]
fn old_payloads_are_read_alike() {
    let mut server = Server::start();
    server.run("CONFIG SET rdbcompression no");
    let mut rng = SmallRng::seed_from_u64(9);
    for _ in 0..200 {
        let mut entries: Vec<Vec<u8>> = Vec::new();
        // The scores ascend: Redis takes the order of a sorted set as it comes.
        for index in 0..rng.random_range(1..30) {
            entries.push(format!("{index}{}", char::from(rng.random_range(b'a'..=b'z'))).into_bytes());
            entries.push((index * 3 - 20 + rng.random_range(0..3_i32)).to_string().into_bytes());
        }
        let packed = ziplist(&entries);
        let mut zipmap = vec![(entries.len() / 2) as u8];
        for pair in entries.chunks(2) {
            let unused = rng.random_range(0..3_u8);
            zipmap.push(pair[0].len() as u8);
            zipmap.extend(&pair[0]);
            zipmap.extend([pair[1].len() as u8, unused]);
            zipmap.extend(&pair[1]);
            zipmap.extend(vec![b'?'; usize::from(unused)]);
        }
        zipmap.push(0xff);
        for (type_byte, blob) in [(10, &packed), (12, &packed), (13, &packed), (9, &zipmap)] {
            let mut payload = vec![type_byte, 0x40 | (blob.len() >> 8) as u8, blob.len() as u8];
            payload.extend(blob);
            payload.extend(6_u16.to_le_bytes());
            payload.extend(crc64(0, &payload).to_le_bytes());
            let value = restore(&payload, true, &Limits::default()).expect("it is well-formed");
            let restored = server.call(&[b"RESTORE", b"old", b"0", &payload, b"REPLACE"]);
            assert_eq!(restored, Reply::Status(b"+OK".to_vec()), "type {type_byte}");
            server.call(&[b"RESTORE", b"ours", b"0", &dump(value.as_value()), b"REPLACE"]);
            let type_name = value.value_type().name();
            assert_eq!(contents(&mut server, type_name, b"old"), contents(&mut server, type_name, b"ours"));
        }
    }
}
