//! Many clients that wait for elements of lists, sorted sets and streams, and leave at any moment: is every element delivered
//! once, or still there?
//!
//! ```text
//!   4 that add ──► lists ◄──► 4 that hand on from list to list (BLMOVE)
//!              ──► sorted sets                                           each kind on keys of all shards
//!              ──► streams, a group each
//!                     └────► 200 that take, by whichever command waits
//! ```
//!
//! A client that leaves half-closes first and reads to the end: so it sees what was taken for it before the server learned
//! that it left. It runs for `TESSERA_SOAK_SECONDS`, or a few seconds.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::blocking::{keys, until_waiting};
use crate::support::client::{encode_line, encode_to};
use crate::support::{Client, Random, Server, Value, each_target, soak};

/// Clients that take.
const CLIENTS: u64 = 200;
/// Keys of each kind.
const KEYS: u64 = 8;
/// The group of every stream.
const GROUP: &str = "g";

/// What the soak keeps account of.
#[derive(Default)]
struct Account {
    added: AtomicU64,
    /// How often each element was delivered.
    delivered: Mutex<HashMap<String, u32>>,
}

impl Account {
    /// Takes note of what a reply delivers.
    fn deliver(&self, reply: &Value) {
        let mut delivered = self.delivered.lock().expect("nobody panics with it");
        for element in delivered_by(reply) {
            *delivered.entry(element).or_default() += 1;
        }
    }
}

/// The elements of lists, sorted sets and streams in a reply.
fn delivered_by(reply: &Value) -> Vec<String> {
    let Value::Array(parts) = reply else {
        assert!(matches!(reply, Value::NullArray | Value::Error(_)), "what reply is {reply}");
        return Vec::new();
    };
    match parts.as_slice() {
        [Value::Array(_), ..] => {
            let entries = parts.iter().flat_map(|stream| stream.elements()[1].elements());
            entries.map(|entry| entry.elements()[1].elements()[1].text()).collect()
        }
        [_, Value::Array(elements)] => {
            let member = |element: &Value| match element {
                Value::Array(record) => record[0].text(),
                element => element.text(),
            };
            elements.iter().map(member).collect()
        }
        [_, element] | [_, element, _] => vec![element.text()],
        _ => panic!("what reply is {reply}"),
    }
}

/// Keys on all shards: those of lists, of sorted sets, and of streams with a group.
struct Supplies {
    lists: Vec<String>,
    sorted: Vec<String>,
    streams: Vec<String>,
}

impl Supplies {
    fn new(server: &Server) -> Self {
        let keys = |prefix| keys(server, prefix, KEYS as u16);
        let supplies = Self { lists: keys("list"), sorted: keys("sorted"), streams: keys("stream") };
        let mut client = server.client();
        for key in &supplies.streams {
            client.must(&format!("XGROUP CREATE {key} {GROUP} $ MKSTREAM"));
        }
        supplies
    }

    /// A command that takes something, and waits for it if need be.
    fn taking(&self, random: &mut Random) -> String {
        let millis = 1 + random.below(300);
        let timeout = format!("0.{millis:03}");
        let chosen: HashSet<usize> = (0..=random.below(3)).map(|_| random.below(KEYS) as usize).collect();
        let of = |keys: &[String]| chosen.iter().map(|&at| keys[at].as_str()).collect::<Vec<_>>().join(" ");
        let (lists, sorted, streams) = (of(&self.lists), of(&self.sorted), of(&self.streams));
        match random.below(7) {
            0 => format!("BLMPOP {timeout} {} {lists} RIGHT COUNT 3", chosen.len()),
            1 => format!("BRPOP {lists} {timeout}"),
            2 => format!("BLPOP {lists} {timeout}"),
            3 => format!("BZPOPMIN {sorted} {timeout}"),
            4 => format!("BZMPOP {timeout} {} {sorted} MAX COUNT 3", chosen.len()),
            // What is delivered counts as acknowledged: nobody has it pending when it leaves.
            _ => {
                let reader = format!("GROUP {GROUP} consumer{}", random.below(50));
                let ids = vec![">"; chosen.len()].join(" ");
                format!("XREADGROUP {reader} COUNT 3 BLOCK {millis} NOACK STREAMS {streams} {ids}")
            }
        }
    }

    /// A command that adds the elements from `first` on, `count` of them, or fewer; and how many it adds.
    fn adding(&self, first: u64, count: u64, random: &mut Random) -> (Vec<String>, u64) {
        let at = random.below(KEYS) as usize;
        let begun = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let elements = first..first + count;
        match random.below(3) {
            0 => {
                let mut words = begun(&["RPUSH", &self.lists[at]]);
                words.extend(elements.map(|element| element.to_string()));
                (words, count)
            }
            1 => {
                let mut words = begun(&["ZADD", &self.sorted[at]]);
                words.extend(elements.flat_map(|element| [(element % 7).to_string(), element.to_string()]));
                (words, count)
            }
            _ => (begun(&["XADD", &self.streams[at], "*", "element", &first.to_string()]), 1),
        }
    }

    /// What nobody has taken.
    fn left(&self, client: &mut Client) -> Vec<String> {
        let mut left = Vec::new();
        for key in &self.lists {
            left.extend(client.must(&format!("LRANGE {key} 0 -1")).elements().iter().map(Value::text));
        }
        for key in &self.sorted {
            left.extend(client.must(&format!("ZRANGE {key} 0 -1")).elements().iter().map(Value::text));
        }
        for key in &self.streams {
            left.extend(delivered_by(&client.must(&format!("XREADGROUP GROUP {GROUP} last STREAMS {key} >"))));
        }
        left
    }
}

/// A client that takes elements by one command after another, and now and then leaves in the middle of a wait.
fn take(server: &Server, supplies: &Supplies, seed: u64, account: &Account, stop: &AtomicBool) {
    let (mut random, mut client) = (Random::new(seed), server.client());
    while !stop.load(Ordering::Relaxed) {
        let mut request = Vec::new();
        encode_line(&mut request, &supplies.taking(&mut random));
        client.raw(&request);
        if random.below(10) == 0 {
            thread::sleep(Duration::from_millis(random.below(20)));
            client.finish_writing();
            while let Ok(reply) = client.try_read() {
                account.deliver(&reply);
            }
            client = server.client();
        } else {
            account.deliver(&client.read());
        }
    }
}

/// Hands elements on from list to list, so that they change shards on their way.
fn hand_on(server: &Server, supplies: &Supplies, seed: u64, stop: &AtomicBool) {
    let (mut random, mut client) = (Random::new(seed), server.client());
    while !stop.load(Ordering::Relaxed) {
        let (from, to) = (random.pick(&supplies.lists), random.pick(&supplies.lists));
        let reply = client.line(&format!("BLMOVE {from} {to} LEFT RIGHT 0.{:03}", 1 + random.below(50)));
        assert!(matches!(reply, Value::Bulk(_) | Value::NullArray), "{reply}");
    }
}

fn add(server: &Server, supplies: &Supplies, seed: u64, account: &Account, stop: &AtomicBool) {
    let (mut random, mut client) = (Random::new(seed), server.client());
    while !stop.load(Ordering::Relaxed) {
        let mut commands = Vec::new();
        let count = 1 + random.below(8);
        let mut next = account.added.fetch_add(count, Ordering::Relaxed);
        let end = next + count;
        while next < end {
            let (words, added) = supplies.adding(next, (end - next).min(1 + random.below(3)), &mut random);
            commands.push(words);
            next += added;
        }
        let mut request = Vec::new();
        for words in &commands {
            encode_to(&mut request, words);
        }
        client.raw(&request);
        for reply in client.read_many(commands.len()) {
            assert!(matches!(reply, Value::Integer(_) | Value::Bulk(_)), "{reply}");
        }
        thread::sleep(Duration::from_micros(random.below(2000)));
    }
}

#[test]
fn every_element_is_delivered_once_or_still_there() {
    each_target(|server| {
        let supplies = &Supplies::new(server);
        let (account, stop) = (&Account::default(), &AtomicBool::new(false));
        thread::scope(|scope| {
            for seed in 0..CLIENTS {
                scope.spawn(move || take(server, supplies, seed, account, stop));
            }
            for seed in 0..4 {
                scope.spawn(move || add(server, supplies, 1000 + seed, account, stop));
                scope.spawn(move || hand_on(server, supplies, 2000 + seed, stop));
            }
            thread::sleep(soak());
            stop.store(true, Ordering::Relaxed);
        });
        until_waiting(server, 0);
        let mut delivered = account.delivered.lock().expect("nobody panics with it");
        let taken = delivered.len() as u64;
        for element in supplies.left(&mut server.client()) {
            *delivered.entry(element).or_default() += 1;
        }
        let twice: Vec<_> = delivered.iter().filter(|(_, times)| **times != 1).collect();
        assert!(twice.is_empty(), "delivered more than once: {twice:?}");
        let added = account.added.load(Ordering::Relaxed);
        let lost: Vec<u64> = (0..added).filter(|element| !delivered.contains_key(&element.to_string())).collect();
        // Redis throws away what it has taken for a client that it then sees closing.
        assert!(lost.is_empty() || !server.is_tessera(), "{} of {added} were lost: {lost:?}", lost.len());
        assert!(taken > 100, "only {taken} of {added} were taken");
        eprintln!("{taken} of {added} elements were taken, each once");
    });
}
