//! What clients may see of each other: one order of all commands, pipelines included, however many shards there are.
//!
//! Every test here looks for a reply that no order of whole commands explains. Keys are chosen by their slots, so that
//! they live on different shards; tests run for a few seconds each, and for `TESSERA_SOAK_SECONDS` when that is set.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::{encode_line, encode_to};
use crate::support::slots::{key_on, shard};
use crate::support::{Client, Random, Rendezvous, Server, Value, each_target, soak};

/// Eight keys, one after another on the next shard.
fn spread(prefix: &str, shards: u16) -> Vec<String> {
    let keys: Vec<String> = (0..8).map(|n| key_on(&format!("{prefix}{n}"), n % shards, shards)).collect();
    let owners: HashSet<u16> = keys.iter().map(|key| shard(key.as_bytes(), shards)).collect();
    assert_eq!(owners.len(), usize::from(shards.min(8)));
    keys
}

fn number(value: &Value) -> u64 {
    match value {
        Value::Null => 0,
        other => other.text().parse().expect("writers write numbers"),
    }
}

/// What one thread does until it is told to stop.
type Worker<'a> = Box<dyn FnOnce(&AtomicBool) + Send + 'a>;

/// Runs threads until the soak is over or one of them panics; a panic of one ends the others.
fn until_done(workers: Vec<Worker<'_>>) {
    struct StopOnExit<'a>(&'a AtomicBool);
    impl Drop for StopOnExit<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for worker in workers {
            let stop = &stop;
            scope.spawn(move || {
                let _guard = StopOnExit(stop);
                worker(stop);
            });
        }
        let deadline = Instant::now() + soak();
        while Instant::now() < deadline && !stop.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20));
        }
        stop.store(true, Ordering::Relaxed);
    });
}

fn running(stop: &AtomicBool) -> bool {
    !stop.load(Ordering::Relaxed)
}

/// A writer's pipeline `SET k0 n .. SET k7 n`, one pipeline after another in one connection.
fn write_in_order(server: &Server, keys: &[String], counter: &AtomicU64, depth: usize, stop: &AtomicBool) {
    let mut client = server.client();
    while running(stop) {
        let mut request = Vec::new();
        for _ in 0..depth {
            let n = (counter.fetch_add(1, Ordering::Relaxed) + 1).to_string();
            for key in keys {
                encode_to(&mut request, &["SET", key, &n]);
            }
        }
        client.raw(&request);
        client.read_many(depth * keys.len());
    }
}

/// Checks values read from the last key to the first: an earlier key is never older than a later one.
fn assert_not_older(read_backwards: &[Value], how: &str) {
    let numbers: Vec<u64> = read_backwards.iter().map(number).collect();
    let ordered = numbers.windows(2).all(|pair| pair[0] <= pair[1]);
    assert!(ordered, "{how}: an earlier key was read later and is older: k7..k0 = {numbers:?}");
}

#[test]
fn a_pipeline_of_writes_is_seen_in_its_order() {
    each_target(|server| {
        let keys = &spread("k", server.shards());
        let counter = &AtomicU64::new(0);
        let backwards: Vec<&str> = keys.iter().rev().map(String::as_str).collect();
        let backwards = &backwards;
        until_done(vec![
            // One writer: with two, the last of the one may come after the first of the other, in Redis too.
            Box::new(|stop| write_in_order(server, keys, counter, 4, stop)),
            Box::new(|stop| read_pipelined(server, backwards, 1, stop)),
            Box::new(|stop| read_pipelined(server, backwards, 16, stop)),
            Box::new(|stop| read_one_by_one(server, backwards, stop)),
            Box::new(|stop| read_at_once(server, backwards, stop)),
        ]);
        assert!(counter.load(Ordering::Relaxed) > 100, "the writer hardly wrote");
    });
}

fn read_pipelined(server: &Server, keys: &[&str], depth: usize, stop: &AtomicBool) {
    let mut client = server.client();
    let mut request = Vec::new();
    for _ in 0..depth {
        for key in keys {
            encode_to(&mut request, &["GET", key]);
        }
    }
    while running(stop) {
        client.raw(&request);
        for _ in 0..depth {
            let values = client.read_many(keys.len());
            assert_not_older(&values, "pipelined GETs");
        }
    }
}

fn read_one_by_one(server: &Server, keys: &[&str], stop: &AtomicBool) {
    let mut client = server.client();
    while running(stop) {
        let values: Vec<Value> = keys.iter().map(|key| client.call(&["GET", key])).collect();
        assert_not_older(&values, "GETs one by one");
    }
}

fn read_at_once(server: &Server, keys: &[&str], stop: &AtomicBool) {
    let mut client = server.client();
    let mget = [&["MGET"], keys].concat();
    while running(stop) {
        let reply = client.call(&mget);
        assert_not_older(reply.elements(), "MGET");
        let numbers: Vec<u64> = reply.elements().iter().map(number).collect();
        // At one moment a pipeline is at one place: k0.. have n, the rest has n - 1.
        let (newest, oldest) = (numbers[numbers.len() - 1], numbers[0]);
        assert!(newest - oldest <= 1, "MGET saw two pipelines half done: {numbers:?}");
    }
}

#[test]
fn an_mset_is_whole_for_everybody() {
    each_target(|server| {
        let keys = &spread("m", server.shards());
        let counter = &AtomicU64::new(0);
        let write = |stop: &AtomicBool, depth: usize| {
            let mut client = server.client();
            while running(stop) {
                let mut request = Vec::new();
                for _ in 0..depth {
                    let n = (counter.fetch_add(1, Ordering::Relaxed) + 1).to_string();
                    let mut args = vec!["MSET"];
                    args.extend(keys.iter().flat_map(|key| [key.as_str(), &n]));
                    encode_to(&mut request, &args);
                }
                client.raw(&request);
                client.read_many(depth);
            }
        };
        let read = |stop: &AtomicBool, depth: usize, reverse: bool| {
            let mut client = server.client();
            let mut args: Vec<&str> = keys.iter().map(String::as_str).collect();
            if reverse {
                args.reverse();
            }
            args.insert(0, "MGET");
            while running(stop) {
                (0..depth).for_each(|_| client.send(&args));
                for reply in client.read_many(depth) {
                    let numbers: HashSet<u64> = reply.elements().iter().map(number).collect();
                    assert_eq!(numbers.len(), 1, "MGET saw half an MSET: {reply}");
                }
            }
        };
        until_done(vec![
            Box::new(|stop| write(stop, 1)),
            Box::new(|stop| write(stop, 8)),
            Box::new(|stop| read(stop, 1, false)),
            Box::new(|stop| read(stop, 16, false)),
            Box::new(|stop| read(stop, 4, true)),
        ]);
    });
}

#[test]
fn an_mset_is_one_moment_for_pipelined_reads() {
    // `GET first; GET second` while one writer does MSET first second: the second read is never the older one.
    each_target(|server| {
        let keys = &spread("p", server.shards());
        let write = |stop: &AtomicBool| {
            let mut client = server.client();
            let mut n = 0_u64;
            while running(stop) {
                let mut request = Vec::new();
                for _ in 0..4 {
                    n += 1;
                    let n = n.to_string();
                    let mut args = vec!["MSET"];
                    args.extend(keys.iter().flat_map(|key| [key.as_str(), &n]));
                    encode_to(&mut request, &args);
                }
                client.raw(&request);
                client.read_many(4);
            }
        };
        let read = |stop: &AtomicBool, seed: u64| {
            let (mut client, mut random) = (server.client(), Random::new(seed));
            let mut last = 0;
            while running(stop) {
                let order: Vec<usize> = (0..12).map(|_| random.below(8) as usize).collect();
                let mut request = Vec::new();
                for index in &order {
                    encode_to(&mut request, &["GET", &keys[*index]]);
                }
                client.raw(&request);
                for (reply, index) in client.read_many(order.len()).iter().zip(&order) {
                    let value = number(reply);
                    assert!(value >= last, "a read of key {index} gave {value} after one that gave {last}: {order:?}");
                    last = value;
                }
            }
        };
        until_done(vec![
            Box::new(&write),
            Box::new(|stop| read(stop, 1)),
            Box::new(|stop| read(stop, 2)),
            Box::new(|stop| read(stop, 3)),
        ]);
    });
}

#[test]
fn own_writes_are_read_back_in_one_pipeline() {
    each_target(|server| {
        let keys = &spread("own", server.shards());
        let work = |stop: &AtomicBool, id: u64| {
            let (mut client, mut random) = (server.client(), Random::new(id));
            let keys: Vec<String> = keys.iter().map(|key| format!("{{{key}}}:{id}")).collect();
            let mut n = 0_u64;
            while running(stop) {
                let (mut request, mut expected) = (Vec::new(), Vec::new());
                for _ in 0..50 {
                    n += 1;
                    let (one, two) = (&keys[random.below(8) as usize], &keys[random.below(8) as usize]);
                    match random.below(4) {
                        0 => {
                            encode_line(&mut request, &format!("SET {one} {n}"));
                            encode_line(&mut request, &format!("GET {one}"));
                            expected.extend([Value::ok(), Value::bulk(n.to_string())]);
                        }
                        1 => {
                            encode_line(&mut request, &format!("MSET {one} {n} {two} {n}"));
                            encode_line(&mut request, &format!("GET {two}"));
                            expected.extend([Value::ok(), Value::bulk(n.to_string())]);
                        }
                        2 if one != two => {
                            encode_line(&mut request, &format!("SET {one} {n}"));
                            encode_line(&mut request, &format!("RENAME {one} {two}"));
                            encode_line(&mut request, &format!("SET {one} {}", n + 1));
                            encode_line(&mut request, &format!("MGET {two} {one}"));
                            let both = [Value::bulk(n.to_string()), Value::bulk((n + 1).to_string())];
                            expected.extend([Value::ok(), Value::ok(), Value::ok(), Value::Array(both.to_vec())]);
                        }
                        _ => {
                            encode_line(&mut request, &format!("DEL {one} {two}"));
                            encode_line(&mut request, &format!("MSETNX {one} {n} {two} {n}"));
                            encode_line(&mut request, &format!("EXISTS {one} {two}"));
                            expected.extend([Value::Null, Value::Integer(1), Value::Integer(2)]);
                        }
                    }
                }
                client.raw(&request);
                for (reply, expected) in client.read_many(expected.len()).iter().zip(&expected) {
                    let any = *expected == Value::Null;
                    assert!(any || reply == expected, "got {reply}, expected {expected}");
                }
            }
        };
        until_done((0..4).map(|id| Box::new(move |stop: &AtomicBool| work(stop, id)) as _).collect());
    });
}

#[test]
fn two_clients_cannot_both_miss_each_other() {
    // Store buffering: `SET y 1; GET x` beside `SET x 1; GET y`. One of the two is first, so the other sees its write.
    each_target(|server| {
        let shards = server.shards();
        let (x, y) = (key_on("x", 0, shards), key_on("y", shards - 1, shards));
        let (x, y) = (&x, &y);
        let barrier = &Rendezvous::new(2);
        let (over, deadline) = (&AtomicBool::new(false), Instant::now() + soak());
        let missed = &AtomicU64::new(0);
        // Several connections each, so that their home cores are all pairs of cores.
        let rounds = thread::scope(|scope| {
            let run = |mine: &'static str, first: bool| {
                let (write, read) = if first { (y, x) } else { (x, y) };
                scope.spawn(move || {
                    let mut clients: Vec<Client> = (0..4).map(|_| server.client()).collect();
                    let mut rounds = 0_usize;
                    loop {
                        if first {
                            clients[0].must(&format!("DEL {x} {y}"));
                            missed.store(0, Ordering::SeqCst);
                            over.store(Instant::now() > deadline, Ordering::SeqCst);
                        }
                        barrier.wait();
                        if over.load(Ordering::SeqCst) {
                            return rounds;
                        }
                        let index = if first { rounds % 4 } else { rounds / 4 % 4 };
                        let mut request = Vec::new();
                        encode_line(&mut request, &format!("SET {write} {mine}"));
                        encode_line(&mut request, &format!("GET {read}"));
                        clients[index].raw(&request);
                        let replies = clients[index].read_many(2);
                        if replies[1] == Value::Null {
                            missed.fetch_add(1, Ordering::SeqCst);
                        }
                        barrier.wait();
                        assert!(missed.load(Ordering::SeqCst) < 2, "round {rounds}: both clients read nil");
                        barrier.wait();
                        rounds += 1;
                    }
                })
            };
            let (first, second) = (run("1", true), run("2", false));
            let rounds = first.join().expect("the first client saw nothing wrong");
            second.join().expect("the second client saw nothing wrong");
            rounds
        });
        assert!(rounds > 50, "only {rounds} rounds");
    });
}

#[test]
fn renames_between_shards_never_show_both_or_none() {
    each_target(|server| {
        let shards = server.shards();
        let (here, there) = (key_on("here", 0, shards), key_on("there", shards - 1, shards));
        server.client().must(&format!("SET {here} token"));
        let (here, there) = (&here, &there);
        let rename = |stop: &AtomicBool| {
            let mut client = server.client();
            while running(stop) {
                let mut request = Vec::new();
                for _ in 0..4 {
                    encode_line(&mut request, &format!("RENAME {here} {there}"));
                    encode_line(&mut request, &format!("RENAME {there} {here}"));
                }
                client.raw(&request);
                for reply in client.read_many(8) {
                    assert_eq!(reply, Value::ok());
                }
            }
        };
        let look = |stop: &AtomicBool, words: &str, one: &dyn Fn(&Value) -> bool| {
            let mut client = server.client();
            while running(stop) {
                let reply = client.line(words);
                assert!(one(&reply), "{words}: {reply}");
            }
        };
        let exists = format!("EXISTS {here} {there}");
        let mget = format!("MGET {there} {here}");
        let one_is_nil = |reply: &Value| reply.elements().iter().filter(|value| **value == Value::Null).count() == 1;
        until_done(vec![
            Box::new(rename),
            Box::new(|stop| look(stop, &exists, &|reply| *reply == Value::Integer(1))),
            Box::new(|stop| look(stop, &mget, &one_is_nil)),
            Box::new(|stop| look(stop, "DBSIZE", &|reply| *reply == Value::Integer(1))),
        ]);
    });
}

#[test]
fn counters_lose_nothing_and_repeat_nothing() {
    each_target(|server| {
        let keys = &spread("n", server.shards());
        let done = &AtomicU64::new(0);
        let count = |stop: &AtomicBool| {
            let mut client = server.client();
            let mut last = vec![0; keys.len()];
            while running(stop) {
                for key in keys {
                    client.send(&["INCR", key]);
                }
                for (index, reply) in client.read_many(keys.len()).iter().enumerate() {
                    let value = reply.integer();
                    assert!(value > last[index], "INCR went from {} to {value}", last[index]);
                    last[index] = value;
                }
                done.fetch_add(1, Ordering::Relaxed);
            }
        };
        until_done(vec![Box::new(count), Box::new(count), Box::new(count), Box::new(count)]);
        let mut client = server.client();
        for key in keys {
            assert_eq!(number(&client.call(&["GET", key])), done.load(Ordering::Relaxed), "{key}");
        }
    });
}

#[test]
fn msetnx_has_one_winner() {
    each_target(|server| {
        let keys = &spread("w", server.shards());
        let (barrier, over) = (&Rendezvous::new(4), &AtomicBool::new(false));
        let deadline = Instant::now() + soak();
        let winners = &AtomicU64::new(0);
        thread::scope(|scope| {
            for id in 0..4_usize {
                scope.spawn(move || {
                    let mut client = server.client();
                    let mut order = keys.clone();
                    order.rotate_left(id * 2);
                    let id_text = id.to_string();
                    let mut args = vec!["MSETNX"];
                    args.extend(order.iter().flat_map(|key| [key.as_str(), &id_text]));
                    loop {
                        if id == 0 {
                            client.must(&format!("DEL {}", keys.join(" ")));
                            winners.store(0, Ordering::SeqCst);
                            over.store(Instant::now() > deadline, Ordering::SeqCst);
                        }
                        barrier.wait();
                        if over.load(Ordering::SeqCst) {
                            return;
                        }
                        let won = client.call(&args).integer();
                        winners.fetch_add(won as u64, Ordering::SeqCst);
                        barrier.wait();
                        assert_eq!(winners.load(Ordering::SeqCst), 1, "one MSETNX wins");
                        barrier.wait();
                    }
                });
            }
        });
    });
}

#[test]
fn commands_on_the_whole_keyspace_see_whole_commands() {
    // A writer adds and removes eight keys at once: nobody counts a part of them.
    each_target(|server| {
        let keys = &spread("d", server.shards());
        let write = |stop: &AtomicBool| {
            let mut client = server.client();
            let mut mset = vec!["MSET"];
            mset.extend(keys.iter().flat_map(|key| [key.as_str(), "x"]));
            let mut del = vec!["DEL"];
            del.extend(keys.iter().map(String::as_str));
            while running(stop) {
                for _ in 0..4 {
                    client.send(&mset);
                    client.send(&del);
                }
                client.read_many(8);
            }
        };
        let look = |stop: &AtomicBool, words: &str| {
            let mut client = server.client();
            while running(stop) {
                let reply = client.line(words);
                let seen = if let Value::Array(keys) = &reply { keys.len() as i64 } else { reply.integer() };
                assert!(seen == 0 || seen == 8, "{words} saw {seen} of 8 keys");
            }
        };
        until_done(vec![
            Box::new(write),
            Box::new(|stop| look(stop, "DBSIZE")),
            Box::new(|stop| look(stop, "KEYS *")),
            Box::new(|stop| look(stop, &format!("EXISTS {}", keys.join(" ")))),
        ]);
    });
}
