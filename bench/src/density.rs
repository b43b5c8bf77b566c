//! Bytes of resident memory per key, everything included: the growth of RSS while a fresh server is filled.
//!
//! Keys have 16 bytes (`key:000000000042`), values are hexadecimal digits that no compression would help with.

use std::fmt::Write as _;
use std::io;
use std::thread;
use std::time::Duration;

use crate::client::{Client, encode};
use crate::cpu::{self, Cores};
use crate::server::Candidate;
use crate::table::{Table, median};
use crate::{Plan, say};

/// Time for a server to settle: lazy frees, page returns, table growth under way.
const SETTLE: Duration = Duration::from_millis(1200);

/// What a set of keys holds.
#[derive(Clone, Copy)]
enum Payload {
    Text(usize),
    TextWithExpiry(usize),
    Integer,
}

const SETS: [(&str, Payload); 5] = [
    ("16 B key, 16 B value", Payload::Text(16)),
    ("16 B key, 64 B value", Payload::Text(64)),
    ("16 B key, 64 B value, TTL", Payload::TextWithExpiry(64)),
    ("16 B key, 256 B value", Payload::Text(256)),
    ("16 B key, integer", Payload::Integer),
];

/// Fills each server with each set.
pub fn compare(plan: &Plan) -> io::Result<()> {
    let candidates = plan.candidates();
    let keys = if plan.quick { 200_000 } else { 1_000_000 };
    // Memory hardly varies from run to run: one round says as much as three.
    say(&format!("## Bytes of RSS per key, {keys} keys\n"))?;
    let mut header = vec!["set".to_owned()];
    header.extend(candidates.iter().map(|candidate| candidate.name.clone()));
    header
        .extend(candidates.iter().skip(1).filter(|_| plan.tessera.is_some()).map(|c| format!("Tessera / {}", c.name)));
    let mut table = Table::new(header);
    for (name, payload) in SETS {
        let mut bytes = Vec::new();
        for candidate in &candidates {
            bytes.push(bytes_per_key(plan, candidate, payload, keys)?);
        }
        let mut row = vec![name.to_owned()];
        row.extend(bytes.iter().map(|bytes| format!("{bytes:.1}")));
        row.extend(
            bytes.iter().skip(1).filter(|_| plan.tessera.is_some()).map(|other| format!("{:.2}", bytes[0] / other)),
        );
        table.row(row);
    }
    say(&table.to_string())
}

fn bytes_per_key(plan: &Plan, candidate: &Candidate, payload: Payload, keys: usize) -> io::Result<f64> {
    let cores = Cores::split(1)?;
    let server = candidate.start(plan.port, &cores.server)?;
    let mut client = Client::connect(server.port)?;
    // One key first: what a server sets up on its first write is not a cost per key.
    client.call(&["SET", "first", "key"])?;
    thread::sleep(SETTLE);
    let before = settled_rss(server.pid())?;
    let mut digits = Digits(0x2545_f491_4f6c_dd1d);
    client.fill(keys, |number, request| {
        let key = format!("key:{number:012}");
        match payload {
            Payload::Text(len) => encode(request, &["SET", &key, &digits.text(len)]),
            Payload::TextWithExpiry(len) => {
                encode(request, &["SET", &key, &digits.text(len), "EX", &(100_000 + number % 1000).to_string()]);
            }
            Payload::Integer => encode(request, &["SET", &key, &number.to_string()]),
        }
    })?;
    thread::sleep(SETTLE);
    Ok((settled_rss(server.pid())? - before) / keys as f64)
}

/// The median of a few looks at RSS, which the kernel accounts in batches per thread.
fn settled_rss(pid: u32) -> io::Result<f64> {
    let mut looks = Vec::new();
    for _ in 0..5 {
        looks.push(cpu::rss_bytes(pid)? as f64);
        thread::sleep(Duration::from_millis(20));
    }
    Ok(median(looks))
}

/// Endless hexadecimal digits (xorshift64).
struct Digits(u64);

impl Digits {
    fn text(&mut self, len: usize) -> String {
        let mut text = String::with_capacity(len + 16);
        while text.len() < len {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            write!(text, "{:016x}", self.0).expect("a String takes any text");
        }
        text.truncate(len);
        text
    }
}
