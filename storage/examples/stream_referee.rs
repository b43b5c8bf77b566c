//! Compares streams with those of a running Redis server, on random cases.
//!
//! usage: `cargo run -p storage --example stream_referee -- PORT [CASES]` (the server's data is overwritten)
//!
//! The same appends, deletions, trimmings and reads by groups are done on both sides. Then the server's DUMP is taken
//! apart: blocks must begin at the same entries, contents and counters must be equal, and groups must have the same
//! pending. At last our blocks are sent to the server, which must read the same entries from them.
//!
//! One difference is known: where exact trimming by id takes the last entry of a block that is not deleted, and a deleted
//! one with a larger id is behind it, Redis keeps the empty block and goes on filling it. One case of 250 shows that.

#![allow(clippy::print_stdout, reason = "a comparing tool talks to its terminal")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use storage::snapshot::{dump as dump_value, restore};
use storage::types::stream::{BlockRef, Claim, NewId, References, Stream, StreamId, StreamLimits, Trim, TrimTo};
use storage::{Limits, OwnedValue, UnixMillis, Value};

type Bytes = Vec<u8>;

const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

struct Server(BufReader<TcpStream>);

impl Server {
    /// Calls a command; returns its reply as one text, arrays flattened.
    fn call(&mut self, arguments: &[&[u8]]) -> Bytes {
        let mut request = format!("*{}\r\n", arguments.len()).into_bytes();
        for argument in arguments {
            request.extend(format!("${}\r\n", argument.len()).bytes());
            request.extend(*argument);
            request.extend(b"\r\n");
        }
        self.0.get_mut().write_all(&request).expect("the server reads");
        let mut reply = Bytes::new();
        self.read_reply(&mut reply);
        reply
    }

    fn read_reply(&mut self, out: &mut Bytes) {
        let mut line = Bytes::new();
        self.0.read_until(b'\n', &mut line).expect("the server answers");
        line.truncate(line.len() - 2);
        let number = || std::str::from_utf8(&line[1..]).ok().and_then(|text| text.parse::<i64>().ok());
        match line[0] {
            b'$' => {
                let Ok(len) = usize::try_from(number().expect("it is a length")) else { return };
                let start = out.len();
                out.resize(start + len + 2, 0);
                self.0.read_exact(&mut out[start..]).expect("the server answers");
                out.truncate(start + len);
            }
            b'*' => (0..number().expect("it is a length")).for_each(|_| self.read_reply(out)),
            _ => out.extend(line),
        }
    }
}

/// The stream in what DUMP says.
fn read_dump(payload: &[u8]) -> Option<Stream> {
    match restore(payload, true, &Limits::default()) {
        Ok(OwnedValue::Stream(stream)) => Some(*stream),
        _ => None,
    }
}

struct Pair<'a> {
    server: &'a mut Server,
    stream: Stream,
    rng: SmallRng,
    limits: StreamLimits,
    wrong: usize,
}

impl Pair<'_> {
    fn note(&mut self, agrees: bool, what: impl FnOnce() -> String) {
        if !agrees {
            self.wrong += 1;
            println!("  differs: {}", what());
        }
    }

    fn random_text(&mut self) -> Bytes {
        match self.rng.random_range(0..12) {
            0..5 => (self.rng.random::<i64>() >> self.rng.random_range(0..64)).to_string().into_bytes(),
            5 => vec![b'x'; self.rng.random_range(0..600)],
            _ => (0..self.rng.random_range(0..30)).map(|_| self.rng.random()).collect(),
        }
    }

    fn random_id(&mut self) -> StreamId {
        let (low, high) = (self.stream.first_id().ms, self.stream.last_id().ms);
        let near = StreamId::new(self.rng.random_range(low..=high), 0);
        self.stream.range(near, StreamId::MAX).next().map_or(near, |entry| entry.id)
    }

    fn step(&mut self) {
        match self.rng.random_range(0..100) {
            0..60 => self.append(),
            60..72 => {
                let id = self.random_id();
                let theirs = self.server.call(&[b"XDEL", b"s", id.to_string().as_bytes()]);
                let ours = self.stream.delete(id);
                self.note(theirs == format!(":{}", i32::from(ours)).into_bytes(), || format!("XDEL {id}"));
            }
            72..74 => self.trim(),
            74..82 => self.deliver(),
            82..92 => {
                let id = self.random_id();
                let theirs = self.server.call(&[b"XACK", b"s", b"g", id.to_string().as_bytes()]);
                let ours = self.stream.edit_group(b"g", |group| group.acknowledge(id)).unwrap_or(false);
                self.note(theirs == format!(":{}", i32::from(ours)).into_bytes(), || format!("XACK {id}"));
            }
            92..96 => self.claim(),
            _ => self.auto_claim(),
        }
    }

    fn append(&mut self) {
        let last = self.stream.last_id();
        let step = [0, 1, 3, 100, 5_000][self.rng.random_range(0..5)];
        let id = if step == 0 { StreamId::new(last.ms, last.seq + 1) } else { StreamId::new(last.ms + step, 0) };
        let count = if self.rng.random_bool(0.8) { 2 } else { self.rng.random_range(1..5) };
        let fields: Vec<_> = (0..count).map(|number| (format!("f{number}").into_bytes(), self.random_text())).collect();
        let text = id.to_string();
        let mut command: Vec<&[u8]> = vec![b"XADD", b"s", text.as_bytes()];
        command.extend(fields.iter().flat_map(|(name, value)| [&**name, &**value]));
        let theirs = self.server.call(&command);
        let fields = fields.iter().map(|(name, value)| (&**name, &**value));
        let ours = self.stream.append(NewId::Exact(id), fields, NOW, self.limits);
        self.note(ours == Ok(id) && theirs == text.as_bytes(), || format!("XADD {id}"));
    }

    fn trim(&mut self) {
        let approximate = self.rng.random();
        let to = if self.rng.random() {
            TrimTo::MaxLen(self.rng.random_range(self.stream.len() / 2..=self.stream.len()))
        } else {
            TrimTo::MinId(self.random_id())
        };
        let (strategy, bound) = match to {
            TrimTo::MaxLen(len) => ("MAXLEN", len.to_string()),
            TrimTo::MinId(id) => ("MINID", id.to_string()),
        };
        let sign = if approximate { "~" } else { "=" };
        let theirs = self.server.call(&[b"XTRIM", b"s", strategy.as_bytes(), sign.as_bytes(), bound.as_bytes()]);
        // The server's own limit is a hundred blocks, which is more than there are here.
        let ours = self.stream.trim(Trim { to, approximate, limit: None, references: References::Keep });
        self.note(theirs == format!(":{ours}").into_bytes(), || {
            format!("XTRIM {strategy} {sign} {bound}: {}, not {ours}", String::from_utf8_lossy(&theirs))
        });
    }

    fn deliver(&mut self) {
        let count = self.rng.random_range(1..20);
        let theirs = self.server.call(&[
            b"XREADGROUP",
            b"GROUP",
            b"g",
            b"a",
            b"COUNT",
            count.to_string().as_bytes(),
            b"STREAMS",
            b"s",
            b">",
        ]);
        let consumer = self.stream.group(b"g").and_then(|group| group.find_consumer(b"a")).expect("it was created");
        let delivery = self.stream.deliver(b"g", consumer, false, NOW).expect("it was created");
        let mut ours = Bytes::new();
        for entry in delivery.take(count) {
            if ours.is_empty() {
                ours.push(b's');
            }
            ours.extend(entry.id.to_string().bytes());
            for (name, value) in entry.fields() {
                name.write_to(&mut ours);
                value.write_to(&mut ours);
            }
        }
        let theirs = if theirs == b"*-1" { Bytes::new() } else { theirs };
        self.note(theirs == ours, || format!("XREADGROUP COUNT {count}"));
    }

    fn claim_by_b(&self) -> Claim {
        let consumer = self.stream.group(b"g").and_then(|group| group.find_consumer(b"b")).expect("it was created");
        Claim { consumer, idle_min: 0, delivered: NOW, deliveries: None, just_id: false, force: false }
    }

    fn claim(&mut self) {
        let id = self.random_id();
        let (force, just_id): (bool, bool) = (self.rng.random(), self.rng.random());
        let text = id.to_string();
        let mut command: Vec<&[u8]> = vec![b"XCLAIM", b"s", b"g", b"b", b"0", text.as_bytes()];
        command.extend(force.then_some(&b"FORCE"[..]));
        command.extend(just_id.then_some(&b"JUSTID"[..]));
        self.server.call(&command);
        let claim = Claim { force, just_id, ..self.claim_by_b() };
        self.stream.claim(b"g", id, &claim, NOW);
    }

    fn auto_claim(&mut self) {
        let (start, count) = (self.random_id(), self.rng.random_range(1..6));
        let (text, limit) = (start.to_string(), count.to_string());
        let theirs = self.server.call(&[
            b"XAUTOCLAIM",
            b"s",
            b"g",
            b"b",
            b"0",
            text.as_bytes(),
            b"COUNT",
            limit.as_bytes(),
            b"JUSTID",
        ]);
        let claim = Claim { just_id: true, ..self.claim_by_b() };
        let ours = self.stream.auto_claim(b"g", start, count, &claim, NOW);
        let texts = [&[ours.next][..], &ours.claimed, &ours.deleted].concat();
        let text: String = texts.iter().map(StreamId::to_string).collect();
        self.note(theirs == text.as_bytes(), || format!("XAUTOCLAIM {start} COUNT {count}"));
    }

    fn compare(&mut self) {
        let dump = self.server.call(&[b"DUMP", b"s"]);
        let Some(theirs) = read_dump(&dump) else {
            self.note(false, || "their DUMP cannot be read".to_owned());
            return;
        };
        let ids = |stream: &Stream| stream.blocks().map(BlockRef::id).collect::<Vec<_>>();
        let (own, their) = (ids(&self.stream), ids(&theirs));
        self.note(own == their, || format!("blocks: {own:?}, not {their:?}"));
        let pending = |stream: &Stream| -> Vec<_> {
            let group = stream.group(b"g").expect("it was created");
            let all = group.pending_range(StreamId::MIN, StreamId::MAX);
            all.map(|one| (one.id, one.deliveries, group.consumer(one.consumer).name().to_vec())).collect()
        };
        self.note(pending(&self.stream) == pending(&theirs), || "what is pending".to_owned());
        let without_groups = |stream: &Stream| {
            let mut stream = stream.clone();
            stream.remove_group(b"g");
            stream
        };
        let ours = without_groups(&self.stream);
        self.note(ours == without_groups(&theirs), || "entries or counters".to_owned());
        let before = self.server.call(&[b"XRANGE", b"s", b"-", b"+"]);
        let restored = self.server.call(&[b"RESTORE", b"copy", b"0", &dump_value(Value::Stream(&ours)), b"REPLACE"]);
        self.note(restored == b"+OK", || format!("RESTORE: {}", String::from_utf8_lossy(&restored)));
        let after = self.server.call(&[b"XRANGE", b"copy", b"-", b"+"]);
        self.note(before == after, || "entries that were restored there".to_owned());
        let before = self.server.call(&[b"XREVRANGE", b"s", b"+", b"-"]);
        let after = self.server.call(&[b"XREVRANGE", b"copy", b"+", b"-"]);
        self.note(before == after, || "entries that were restored there, backwards".to_owned());
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().and_then(|text| text.parse().ok()).expect("usage: stream_referee PORT [CASES]");
    let cases = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(100);
    let socket = TcpStream::connect(("127.0.0.1", port)).expect("a server listens there");
    socket.set_nodelay(true).expect("it is a socket");
    let mut server = Server(BufReader::new(socket));
    let mut wrong = 0;
    for seed in 0..cases {
        let mut rng = SmallRng::seed_from_u64(seed);
        let block_bytes_max = [200, 1_000, 4_096, 0][rng.random_range(0..4)];
        let block_entries_max = [3, 10, 100, 0][rng.random_range(0..4)];
        let limits = StreamLimits { block_bytes_max, block_entries_max };
        let (bytes, entries) = (block_bytes_max.to_string(), block_entries_max.to_string());
        server.call(&[b"CONFIG", b"SET", b"stream-node-max-bytes", bytes.as_bytes()]);
        server.call(&[b"CONFIG", b"SET", b"stream-node-max-entries", entries.as_bytes()]);
        server.call(&[b"DEL", b"s", b"copy"]);
        server.call(&[b"XGROUP", b"CREATE", b"s", b"g", b"0", b"MKSTREAM"]);
        let mut stream = Stream::new();
        stream.create_group(b"g", StreamId::MIN, None);
        for name in [b"a", b"b"] {
            server.call(&[b"XGROUP", b"CREATECONSUMER", b"s", b"g", name]);
            let created = stream.edit_group(b"g", |group| group.create_consumer(name, NOW));
            created.flatten().expect("it is new");
        }
        let mut pair = Pair { server: &mut server, stream, rng, limits, wrong: 0 };
        for _ in 0..400 {
            pair.step();
        }
        pair.compare();
        if pair.wrong > 0 {
            println!("case {seed}, {limits:?}: {} differ", pair.wrong);
            wrong += 1;
        }
    }
    println!("{wrong} of {cases} cases differ");
}
