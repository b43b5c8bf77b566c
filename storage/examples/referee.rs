//! Compares patterns, numbers and DUMP payloads with those of a running Redis server, on random cases.
//!
//! usage: `cargo run --release -p storage --example referee -- PORT [CASES]` (the server's data is overwritten)

#![allow(clippy::print_stdout, reason = "a comparing tool talks to its terminal")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use storage::glob::{Case, glob_match};
use storage::number::{LongDouble, format_f64, parse_f64};
use storage::snapshot::{dump, restore};
use storage::{OwnedString, OwnedValue};

type Bytes = Vec<u8>;

/// A reply, as far as these commands have any.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reply {
    Line(Bytes),
    Bulk(Option<Bytes>),
    Array(Vec<Reply>),
}

struct Server(BufReader<TcpStream>);

impl Server {
    fn call(&mut self, arguments: &[&[u8]]) -> Reply {
        let mut request = format!("*{}\r\n", arguments.len()).into_bytes();
        for argument in arguments {
            request.extend(format!("${}\r\n", argument.len()).bytes());
            request.extend(*argument);
            request.extend(b"\r\n");
        }
        self.0.get_mut().write_all(&request).expect("the server reads");
        self.reply()
    }

    fn reply(&mut self) -> Reply {
        let mut line = Bytes::new();
        self.0.read_until(b'\n', &mut line).expect("the server answers");
        line.truncate(line.len() - 2);
        let number = || std::str::from_utf8(&line[1..]).ok().and_then(|text| text.parse::<i64>().ok());
        match line[0] {
            b'$' => {
                let len = number().expect("it is a length");
                let Ok(len) = usize::try_from(len) else { return Reply::Bulk(None) };
                let mut bytes = vec![0; len + 2];
                self.0.read_exact(&mut bytes).expect("the server answers");
                bytes.truncate(len);
                Reply::Bulk(Some(bytes))
            }
            b'*' => Reply::Array((0..number().expect("it is a length")).map(|_| self.reply()).collect()),
            _ => Reply::Line(line),
        }
    }
}

fn random(rng: &mut SmallRng, alphabet: &[u8], len_max: usize) -> Bytes {
    let len = rng.random_range(0..=len_max);
    (0..len).map(|_| alphabet[rng.random_range(0..alphabet.len())]).collect()
}

/// Counts agreement, and shows the first few disagreements.
#[derive(Default)]
struct Score {
    cases: usize,
    wrong: usize,
}

impl Score {
    fn note(&mut self, agrees: bool, what: impl FnOnce() -> String) {
        self.cases += 1;
        if !agrees {
            self.wrong += 1;
            if self.wrong <= 10 {
                println!("  differs: {}", what());
            }
        }
    }

    fn print(&self, name: &str) {
        println!("{name}: {} of {} agree", self.cases - self.wrong, self.cases);
    }
}

fn patterns(server: &mut Server, rng: &mut SmallRng, cases: usize) {
    server.call(&[b"FLUSHALL"]);
    let mut keys: BTreeSet<Bytes> = BTreeSet::new();
    for _ in 0..300 {
        keys.insert(random(rng, b"aAb-]\\^\xff\x80", 6));
    }
    for key in &keys {
        server.call(&[b"SET", key, b"1"]);
    }
    let mut score = Score::default();
    for _ in 0..cases {
        let pattern = random(rng, b"**?[[]]^-\\\\aAb\xff\x80", 10);
        if pattern == b"*" {
            continue;
        }
        let Reply::Array(found) = server.call(&[b"KEYS", &pattern]) else { panic!("KEYS answers an array") };
        let mut found: Vec<Bytes> =
            found.into_iter().filter_map(|key| if let Reply::Bulk(key) = key { key } else { None }).collect();
        found.sort();
        let ours: Vec<Bytes> = keys.iter().filter(|key| glob_match(&pattern, key, Case::Sensitive)).cloned().collect();
        score.note(found == ours, || format!("{:?}: {found:?}, not {ours:?}", String::from_utf8_lossy(&pattern)));
    }
    score.print("KEYS patterns");
}

fn random_number(rng: &mut SmallRng) -> Bytes {
    let double = match rng.random_range(0..7) {
        0 => return random(rng, b"0123456789.-+eEx", 7),
        1 => return rng.random::<i64>().to_string().into_bytes(),
        2 => return (f64::from(rng.random_range(-100_000..100_000)) / 100.0).to_string().into_bytes(),
        3 => f64::from_bits(rng.random()),
        4 => {
            return format!("0x{:x}.{:x}p{}", rng.random::<u32>(), rng.random::<u32>(), rng.random_range(-90..90))
                .into();
        }
        5 => {
            let (whole, fraction) = (rng.random::<u64>() >> rng.random_range(0..64), rng.random::<u64>());
            return format!("{whole}.{fraction}e{}", rng.random_range(-30..30)).into_bytes();
        }
        _ => rng.random_range(-1.0..1.0) * 10_f64.powi(rng.random_range(-20..20)),
    };
    format!("{double:e}").into_bytes()
}

fn sums(server: &mut Server, rng: &mut SmallRng, cases: usize) {
    let mut score = Score::default();
    for _ in 0..cases {
        let (left, right) = (random_number(rng), random_number(rng));
        server.call(&[b"SET", b"number", &left]);
        let theirs = server.call(&[b"INCRBYFLOAT", b"number", &right]);
        let ours = match (LongDouble::parse(&left), LongDouble::parse(&right)) {
            (Some(left), Some(right)) => match left.checked_add(right) {
                Some(sum) => Reply::Bulk(Some(sum.to_text())),
                None => Reply::Line(b"-ERR increment would produce NaN or Infinity".to_vec()),
            },
            _ => Reply::Line(b"-ERR value is not a valid float".to_vec()),
        };
        let text = String::from_utf8_lossy;
        score.note(theirs == ours, || format!("{} + {}: {theirs:?}, not {ours:?}", text(&left), text(&right)));
    }
    score.print("INCRBYFLOAT");
}

fn scores(server: &mut Server, rng: &mut SmallRng, cases: usize) {
    let mut score = Score::default();
    for _ in 0..cases {
        let number = random_number(rng);
        if number == b"xx" {
            continue; // It is an option of ZADD.
        }
        server.call(&[b"DEL", b"scores"]);
        let added = server.call(&[b"ZADD", b"scores", &number, b"member"]);
        let theirs =
            if added == Reply::Line(b":1".to_vec()) { server.call(&[b"ZSCORE", b"scores", b"member"]) } else { added };
        let ours = match parse_f64(&number) {
            Some(number) => Reply::Bulk(Some(format_f64(number))),
            None => Reply::Line(b"-ERR value is not a valid float".to_vec()),
        };
        score.note(theirs == ours, || format!("{}: {theirs:?}, not {ours:?}", String::from_utf8_lossy(&number)));
    }
    score.print("ZADD and ZSCORE");
}

fn payloads(server: &mut Server, rng: &mut SmallRng, cases: usize) {
    let (mut there, mut back, mut same) = (Score::default(), Score::default(), 0);
    for _ in 0..cases {
        let bytes = match rng.random_range(0..4) {
            0 => (rng.random::<i64>() >> rng.random_range(0..64)).to_string().into_bytes(),
            1 => random(rng, b"abcdef", 60),
            2 => random(rng, b"ab", 5_000),
            _ => random(rng, &(0..=255).collect::<Bytes>(), 30_000),
        };
        let value = OwnedValue::String(OwnedString::encode(bytes.clone()));
        let payload = dump(value.as_value());
        server.call(&[b"RESTORE", b"value", b"0", &payload, b"REPLACE"]);
        let restored = server.call(&[b"GET", b"value"]);
        there.note(restored == Reply::Bulk(Some(bytes.clone())), || format!("{} bytes", bytes.len()));
        server.call(&[b"SET", b"value", &bytes]);
        let Reply::Bulk(Some(theirs)) = server.call(&[b"DUMP", b"value"]) else { panic!("DUMP answers a payload") };
        same += usize::from(theirs == payload);
        back.note(restore(&theirs, true, &storage::Limits::default()) == Ok(value), || {
            format!("{} bytes", bytes.len())
        });
    }
    there.print("our payloads, restored there");
    back.print("their payloads, restored here");
    println!("payloads that are the same bytes: {same} of {cases}");
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().and_then(|text| text.parse().ok()).expect("usage: referee PORT [CASES]");
    let cases = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(20_000);
    let stream = TcpStream::connect(("127.0.0.1", port)).expect("a server listens there");
    stream.set_nodelay(true).expect("it is a socket");
    let mut server = Server(BufReader::new(stream));
    let mut rng = SmallRng::seed_from_u64(1);
    patterns(&mut server, &mut rng, cases);
    sums(&mut server, &mut rng, cases);
    scores(&mut server, &mut rng, cases);
    payloads(&mut server, &mut rng, cases / 4);
    server.call(&[b"FLUSHALL"]);
}
