//! Writers of numbers: each command that they send writes the next number to several places, as a whole.

use std::io;

use super::{Writer, good, number};
use crate::support::client::{encode_line, encode_to};
use crate::support::{Client, Random, Value};

/// Commands that may be in flight.
const DEPTH: u64 = 12;

/// The bytes of a large value.
const LARGE_BYTES: usize = 40_000;

const BY_SCRIPT: &str = "local n = redis.call('INCR', KEYS[1])
redis.call('SET', KEYS[2], n)
redis.call('RPUSH', KEYS[3], n)
return n";

const UNDECLARED: &str = "local n = redis.call('INCR', ARGV[1] .. ':a')
redis.call('SET', ARGV[1] .. ':b', n)
redis.call('RPUSH', ARGV[1] .. ':c', n)
return n";

/// A way to write a number to some places.
#[derive(Clone, Copy)]
struct Way {
    name: &'static str,
    /// Appends what writes number `n` under a name.
    request: fn(&mut Vec<u8>, &str, u64),
    /// Replies to that.
    replies: usize,
    /// The numbers that there are now.
    found: fn(&mut Client, &str) -> Vec<u64>,
}

const WAYS: [Way; 7] = [
    Way {
        name: "counter",
        request: |out, name, _| encode_line(out, &format!("INCR {name}")),
        replies: 1,
        found: |client, name| vec![number(client, name)],
    },
    Way {
        name: "mset",
        request: |out, name, n| encode_line(out, &format!("MSET {name}:a {n} {name}:b {n} {name}:c {n} {name}:d {n}")),
        replies: 1,
        found: |client, name| ["a", "b", "c", "d"].map(|place| number(client, &format!("{name}:{place}"))).to_vec(),
    },
    Way {
        name: "exec",
        request: |out, name, n| {
            for line in
                ["MULTI", &format!("INCR {name}:a"), &format!("SET {name}:b {n}"), &format!("RPUSH {name}:c {n}")]
            {
                encode_line(out, line);
            }
            encode_line(out, "EXEC");
        },
        replies: 5,
        found: numbers_and_list,
    },
    Way {
        name: "script",
        request: |out, name, _| {
            encode_to(out, &["EVAL", BY_SCRIPT, "3", &format!("{name}:a"), &format!("{name}:b"), &format!("{name}:c")]);
        },
        replies: 1,
        found: numbers_and_list,
    },
    Way {
        name: "undeclared",
        request: |out, name, _| encode_to(out, &["EVAL", UNDECLARED, "0", name]),
        replies: 1,
        found: numbers_and_list,
    },
    Way {
        name: "function",
        request: |out, name, n| {
            let source = format!("#!lua name={name}\nredis.register_function('{name}', function() return {n} end)");
            encode_to(out, &["FUNCTION", "LOAD", "REPLACE", &source]);
        },
        replies: 1,
        found: |client, name| match client.call(&["FCALL", name, "0"]) {
            Value::Error(_) => vec![0],
            value => vec![value.integer() as u64],
        },
    },
    Way {
        name: "large",
        request: |out, name, n| encode_to(out, &["SET", name, &format!("{n} ").repeat(LARGE_BYTES / 8)]),
        replies: 1,
        found: |client, name| match client.call(&["GET", name]) {
            Value::Null => vec![0],
            value => {
                let text = value.text();
                let mut numbers: Vec<u64> = text.split_terminator(' ').map(|n| n.parse().expect("a number")).collect();
                assert_eq!(numbers.len(), LARGE_BYTES / 8);
                numbers.dedup();
                numbers
            }
        },
    },
];

/// What two keys hold, and how long the list is that holds all numbers so far; its last one.
fn numbers_and_list(client: &mut Client, name: &str) -> Vec<u64> {
    let list = client.call(&["LRANGE", &format!("{name}:c"), "-1", "-1"]);
    let last = list.elements().first().map_or(0, |last| last.text().parse().expect("a number"));
    let length = client.call(&["LLEN", &format!("{name}:c")]).integer() as u64;
    vec![number(client, &format!("{name}:a")), number(client, &format!("{name}:b")), last, length]
}

/// Writes numbers in one way.
struct Numbered {
    way: Way,
    name: String,
    acknowledged: u64,
    sent: u64,
}

pub(super) fn writers() -> Vec<Box<dyn Writer>> {
    let two = WAYS.iter().flat_map(|way| (0..2).map(move |number| (*way, number)));
    let writer = |(way, number): (Way, u8)| -> Box<dyn Writer> {
        Box::new(Numbered { way, name: format!("{}{number}", way.name), acknowledged: 0, sent: 0 })
    };
    two.map(writer).collect()
}

impl Writer for Numbered {
    fn step(&mut self, client: &mut Client, random: &mut Random) -> io::Result<()> {
        let mut request = Vec::new();
        let count = 1 + random.below(DEPTH);
        for n in self.sent + 1..=self.sent + count {
            (self.way.request)(&mut request, &self.name, n);
        }
        self.sent += count;
        client.try_raw(&request)?;
        for _ in 0..count {
            for _ in 0..self.way.replies {
                good(client)?;
            }
            self.acknowledged += 1;
        }
        Ok(())
    }

    fn check(&mut self, client: &mut Client) {
        let Self { name, acknowledged, sent, .. } = self;
        let found = (self.way.found)(client, name);
        let n = found[0];
        assert!(found.iter().all(|other| *other == n), "{name}: there by halves: {found:?}");
        assert!(
            (*acknowledged..=*sent).contains(&n),
            "{name}: {n} is there, {acknowledged} of {sent} were acknowledged"
        );
        (self.acknowledged, self.sent) = (n, n);
    }
}
