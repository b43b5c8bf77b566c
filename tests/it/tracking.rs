//! Client-side caching: a client that keeps copies until it is told otherwise never takes an old value for a new one.
//!
//! What a caching client may rely on: when a writer has its reply, whatever the client asks from then on is answered behind
//! the invalidation; and an invalidation never comes before the reply of the read that it is about. The soak keeps copies
//! by these two rules alone and compares them with what writers had acknowledged.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::encode_line;
use crate::support::slots::key_on;
use crate::support::{Client, Launch, Protocol, Random, Server, Value, each_target, eventually, soak, targets};

const CHANNEL: &str = "__redis__:invalidate";

/// Keys, one after another on the next shard.
fn keys(server: &Server, count: u16) -> Vec<String> {
    let shards = server.shards();
    (0..count).map(|n| key_on(&format!("k{n}"), n % shards, shards)).collect()
}

fn tracking(server: &Server, options: &str) -> Client {
    let mut client = server.client();
    client.hello(Protocol::Resp3);
    client.must(&format!("CLIENT TRACKING on {options}"));
    client
}

fn invalidation(keys: &[&str]) -> Value {
    let keys = keys.iter().map(Value::bulk).collect();
    Value::Push(vec![Value::bulk("invalidate"), Value::Array(keys)])
}

/// A connection that keeps copies of what it reads.
struct Cache {
    client: Client,
    copies: HashMap<Vec<u8>, u64>,
}

impl Cache {
    /// Sends commands at once, and reads their replies. Whatever else comes takes copies away.
    fn exchange(&mut self, commands: &[String], mut see: impl FnMut(&mut HashMap<Vec<u8>, u64>, usize, Value)) {
        let mut request = Vec::new();
        for command in commands {
            encode_line(&mut request, command);
        }
        self.client.raw(&request);
        let mut answered = 0;
        while answered < commands.len() {
            match self.client.read() {
                Value::Push(push) => {
                    assert_eq!(push[0], Value::bulk("invalidate"));
                    for key in push[1].elements() {
                        self.copies.remove(key.as_bytes().expect("a key"));
                    }
                }
                reply => {
                    see(&mut self.copies, answered, reply);
                    answered += 1;
                }
            }
        }
    }

    /// Reads one key or several, in one or several commands sent at once.
    fn read(&mut self, keys: &[String], random: &mut Random) {
        let mut asked: Vec<Vec<&String>> = Vec::new();
        let any = |random: &mut Random| &keys[random.below(keys.len() as u64) as usize];
        for _ in 0..=random.below(4) {
            let count = 1 + random.below(4) as usize * random.below(2) as usize;
            asked.push((0..count).map(|_| any(random)).collect());
        }
        let command = |keys: &Vec<&String>| {
            let words: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
            if words.len() == 1 { format!("GET {}", words[0]) } else { format!("MGET {}", words.join(" ")) }
        };
        let commands: Vec<String> = asked.iter().map(command).collect();
        self.exchange(&commands, |copies, number, reply| {
            let one = [reply.clone()];
            let values = if asked[number].len() == 1 { &one[..] } else { reply.elements() };
            for (key, value) in asked[number].iter().zip(values) {
                copies.insert(key.as_bytes().to_vec(), number_of(value));
            }
        });
    }
}

fn number_of(value: &Value) -> u64 {
    let text = value.as_bytes().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    text.map_or(0, |text| text.parse().expect("writers write numbers"))
}

/// Changes its own keys, each to the next number, in every way that there is, and tells what was acknowledged.
fn write(server: &Server, seed: u64, keys: &[String], own: &[usize], acknowledged: &[AtomicU64], stop: &AtomicBool) {
    let mut client = server.client();
    let mut random = Random::new(seed);
    let mut next = 0;
    while !stop.load(Ordering::Relaxed) {
        let pick = |random: &mut Random| own[random.below(own.len() as u64) as usize];
        let (first, second) = (pick(&mut random), pick(&mut random));
        next += 1;
        match random.below(5) {
            0 => drop(client.must(&format!("SET {} {next}", keys[first]))),
            1 => drop(client.must(&format!("MSET {} {next} {} {next}", keys[first], keys[second]))),
            2 => drop(client.must(&format!("SET {} {next} PX 100000", keys[first]))),
            3 => {
                client.must(&format!("SET temporary:{seed} {next}"));
                client.must(&format!("RENAME temporary:{seed} {}", keys[first]));
            }
            _ => {
                client.must(&format!("SET temporary:{seed} {next}"));
                client.must(&format!("COPY temporary:{seed} {} REPLACE", keys[first]));
            }
        }
        acknowledged[first].fetch_max(next, Ordering::SeqCst);
    }
}

fn serve_from_cache(server: &Server, options: &str) {
    let keys = keys(server, 12);
    let acknowledged: Vec<AtomicU64> = keys.iter().map(|_| AtomicU64::new(0)).collect();
    let (stop, hits) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        for writer in 0..3 {
            let own: Vec<usize> = (0..keys.len()).filter(|key| key % 3 == writer).collect();
            let (keys, acknowledged, stop) = (&keys, &acknowledged, &stop);
            scope.spawn(move || write(server, writer as u64, keys, &own, acknowledged, stop));
        }
        for reader in 0..4 {
            let (keys, acknowledged, stop, hits) = (&keys, &acknowledged, &stop, &hits);
            scope.spawn(move || {
                let mut random = Random::new(100 + reader);
                let mut cache = Cache { client: tracking(server, options), copies: HashMap::new() };
                let end = Instant::now() + soak() / 2;
                while Instant::now() < end {
                    cache.read(keys, &mut random);
                    let floors: Vec<u64> = acknowledged.iter().map(|number| number.load(Ordering::SeqCst)).collect();
                    cache.exchange(&["PING".to_owned()], |_, _, _| {});
                    for (key, floor) in keys.iter().zip(floors) {
                        let Some(copy) = cache.copies.get(key.as_bytes()) else { continue };
                        assert!(
                            *copy >= floor,
                            "{key} is taken for {copy}, though {floor} was written and acknowledged"
                        );
                        hits.fetch_add(1, Ordering::Relaxed);
                    }
                }
                stop.store(true, Ordering::Relaxed);
            });
        }
    });
    assert!(hits.load(Ordering::Relaxed) > 0, "no copy outlived a round");
}

#[test]
fn a_copy_is_never_older_than_what_was_acknowledged() {
    each_target(|server| serve_from_cache(server, ""));
}

#[test]
fn the_same_by_prefixes() {
    each_target(|server| serve_from_cache(server, "BCAST PREFIX k"));
}

#[test]
fn who_asks_behind_the_writers_reply_is_told_first() {
    each_target(|server| {
        let keys = keys(server, 8);
        let mut readers: Vec<Client> = (0..8).map(|_| tracking(server, "")).collect();
        let mut writers: Vec<Client> = (0..4).map(|_| server.client()).collect();
        for round in 0..50 {
            for reader in &mut readers {
                assert_eq!(reader.must(&format!("MGET {}", keys.join(" "))).elements().len(), keys.len());
            }
            let key = &keys[round % keys.len()];
            writers[round % 4].must(&format!("SET {key} {round}"));
            for reader in &mut readers {
                reader.send(&["PING"]);
                assert_eq!(reader.read(), invalidation(&[key]));
                assert_eq!(reader.read(), Value::Simple(b"PONG".to_vec()));
            }
        }
    });
}

#[test]
fn a_subscriber_is_told_in_place_of_any_client() {
    each_target(|server| {
        let keys = keys(server, 8);
        let mut writer = server.client();
        let mut pairs: Vec<(Client, Client)> = (0..6).map(|_| (server.client(), server.client())).collect();
        for (reader, subscriber) in &mut pairs {
            let id = subscriber.must("CLIENT ID").integer();
            subscriber.must(&format!("SUBSCRIBE {CHANNEL}"));
            reader.must(&format!("CLIENT TRACKING on REDIRECT {id}"));
        }
        for key in &keys {
            for (reader, _) in &mut pairs {
                reader.must(&format!("GET {key}"));
            }
            writer.must(&format!("SET {key} x"));
            for (_, subscriber) in &mut pairs {
                subscriber.send(&["PING"]);
                let told = vec![Value::bulk("message"), Value::bulk(CHANNEL), Value::Array(vec![Value::bulk(key)])];
                assert_eq!(subscriber.read(), Value::Array(told));
                assert_eq!(subscriber.read(), Value::Array(vec![Value::bulk("pong"), Value::bulk("")]));
            }
        }
        writer.must("FLUSHALL");
        for (_, subscriber) in &mut pairs {
            let told = vec![Value::bulk("message"), Value::bulk(CHANNEL), Value::Null];
            assert_eq!(subscriber.read(), Value::Array(told));
        }
    });
}

#[test]
fn a_client_that_waits_is_told_at_once() {
    each_target(|server| {
        for key in keys(server, 4) {
            let mut client = tracking(server, "");
            client.must(&format!("GET {key}"));
            client.send(&["BLPOP", "queue", "0"]);
            eventually("the client to wait", || server.info("clients", "blocked_clients") == "1");
            server.client().must(&format!("SET {key} x"));
            assert_eq!(client.read(), invalidation(&[&key]));
            server.client().must("RPUSH queue x");
            assert_eq!(client.read(), Value::Array(vec![Value::bulk("queue"), Value::bulk("x")]));
            server.client().must("FLUSHALL");
        }
    });
}

#[test]
fn keys_that_expire_are_told() {
    each_target(|server| {
        let mut writer = server.client();
        let mut client = tracking(server, "");
        let keys = keys(server, 8);
        for key in &keys {
            writer.must(&format!("SET {key} x PX 300"));
        }
        for key in &keys {
            assert_eq!(client.must(&format!("GET {key}")), Value::bulk("x"));
        }
        let mut told: Vec<Value> = client.read_many(keys.len());
        let mut expected: Vec<Value> = keys.iter().map(|key| invalidation(&[key])).collect();
        told.sort_by_key(|push| format!("{push:?}"));
        expected.sort_by_key(|push| format!("{push:?}"));
        assert_eq!(told, expected);
    });
}

#[test]
fn the_table_of_reads_is_bounded() {
    for target in targets() {
        let server = Launch::new(target).args(&["--tracking-table-max-keys", "100"]).start();
        let mut client = tracking(&server, "");
        let mut told = 0;
        for n in 0..1000 {
            client.send(&["GET", &format!("key:{n}")]);
            while let Value::Push(_) = client.read() {
                told += 1;
            }
        }
        // Redis looks at its table before a command, so the last one may stand beside it.
        let kept: usize = server.info("stats", "tracking_total_keys").parse().expect("a number");
        assert!(kept <= 101, "{kept} keys are kept");
        client.send(&["PING"]);
        while let Value::Push(_) = client.read() {
            told += 1;
        }
        assert!(told + kept >= 999, "{kept} keys are kept, and {told} were told");
        // A lower limit counts at once, and no key is told that need not be.
        let mut other = server.client();
        other.must("CONFIG SET tracking-table-max-keys 3");
        told += client.read_many(1000 - told - 3).len();
        assert_eq!(client.must("PING"), Value::Simple(b"PONG".to_vec()));
        assert_eq!((told, server.info("stats", "tracking_total_keys")), (997, "3".to_owned()));
    }
}

#[test]
fn who_tracks_is_counted_until_it_leaves() {
    each_target(|server| {
        let clients: Vec<Client> =
            (0..8).map(|n| tracking(server, if n % 2 == 0 { "" } else { "BCAST PREFIX p" })).collect();
        assert_eq!(server.info("clients", "tracking_clients"), "8");
        assert_eq!(server.info("stats", "tracking_total_prefixes"), "1");
        drop(clients);
        eventually("all to leave", || server.info("clients", "tracking_clients") == "0");
        assert_eq!(server.info("stats", "tracking_total_prefixes"), "0");
    });
}

#[test]
fn whoever_does_not_read_what_it_is_told_is_cut() {
    for target in targets() {
        let limit = ["--client-output-buffer-limit", "normal 1mb 0 0"];
        let server = Launch::new(target).args(&limit).start();
        let mut deaf = tracking(&server, "BCAST");
        let id = deaf.must("CLIENT ID").integer();
        let mut writer = server.client();
        let key = "k".repeat(64 * 1024);
        let end = Instant::now() + Duration::from_secs(30);
        while server.client().must(&format!("CLIENT LIST ID {id}")).text().contains("id=") {
            assert!(Instant::now() < end, "it was not cut");
            writer.must(&format!("SET {key} x"));
        }
        assert_eq!(writer.must("PING"), Value::Simple(b"PONG".to_vec()));
        assert!(deaf.is_closed());
    }
}

#[test]
fn a_transaction_tells_behind_its_reply() {
    each_target(|server| {
        let keys = keys(server, 4);
        for count in [1, 4] {
            let keys = &keys[..count];
            let mut client = tracking(server, "");
            let mut other = tracking(server, "");
            for client in [&mut client, &mut other] {
                client.must(&format!("MGET {}", keys.join(" ")));
            }
            client.must("MULTI");
            for key in keys {
                client.must(&format!("SET {key} x"));
            }
            assert_eq!(client.must("EXEC").elements().len(), count);
            let sorted = |mut told: Vec<Value>| {
                told.sort_by_key(|push| format!("{push:?}"));
                told
            };
            let expected = sorted(keys.iter().map(|key| invalidation(&[key])).collect());
            for client in [&mut client, &mut other] {
                assert_eq!(sorted(client.read_many(count)), expected);
            }
            // What a transaction reads is remembered, too.
            other.must("MULTI");
            for key in keys {
                other.must(&format!("GET {key}"));
            }
            assert_eq!(other.must("EXEC").elements().len(), count);
            let key = keys.last().expect("there is one");
            client.must(&format!("SET {key} y"));
            other.send(&["PING"]);
            assert_eq!(other.read(), invalidation(&[key]));
            assert_eq!(other.read(), Value::Simple(b"PONG".to_vec()));
            // What it reads behind its own change is what is there.
            client.must("MULTI");
            for key in keys {
                client.must(&format!("SET {key} z"));
                client.must(&format!("GET {key}"));
            }
            assert_eq!(client.must("EXEC").elements().len(), 2 * count);
            assert_eq!(client.must("PING"), Value::Simple(b"PONG".to_vec()));
            other.must(&format!("SET {key} y"));
            assert_eq!(client.read(), invalidation(&[key]));
        }
    });
}

#[test]
fn what_client_caching_says_holds_for_a_whole_transaction() {
    each_target(|server| {
        let keys = keys(server, 4);
        let mut writer = server.client();
        let mut client = tracking(server, "OPTIN");
        client.must("CLIENT CACHING YES");
        client.must("MULTI");
        client.must(&format!("GET {}", keys[0]));
        client.must(&format!("GET {}", keys[1]));
        client.must("EXEC");
        client.must(&format!("GET {}", keys[2]));
        writer.must(&format!("SET {} x", keys[2]));
        for key in &keys[..2] {
            writer.must(&format!("SET {key} x"));
            assert_eq!(client.read(), invalidation(&[key]));
        }
    });
}
