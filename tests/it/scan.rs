//! SCAN: every key that is there from beginning to end is returned, whatever others do meanwhile.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::support::client::encode_line;
use crate::support::{Client, Random, Value, each_target};

/// A whole iteration; the number of replies it took, and all keys with repetitions.
fn scan(client: &mut Client, options: &str) -> (usize, Vec<String>) {
    let (mut cursor, mut replies, mut keys) = ("0".to_owned(), 0, Vec::new());
    loop {
        let reply = client.must(&format!("SCAN {cursor} {options}"));
        replies += 1;
        keys.extend(reply.elements()[1].elements().iter().map(Value::text));
        cursor = reply.elements()[0].text();
        if cursor == "0" {
            return (replies, keys);
        }
        assert!(replies < 1_000_000, "the iteration does not end");
    }
}

fn fill(client: &mut Client, prefix: &str, count: usize) {
    let mut request = Vec::new();
    for n in 0..count {
        encode_line(&mut request, &format!("SET {prefix}:{n} {n}"));
    }
    client.raw(&request);
    client.read_many(count);
}

#[test]
fn a_scan_of_a_quiet_keyspace_returns_each_key_once() {
    each_target(|server| {
        let mut client = server.client();
        fill(&mut client, "key", 10_000);
        for options in ["", "COUNT 1", "COUNT 7", "COUNT 100", "COUNT 1000000"] {
            let (_, keys) = scan(&mut client, options);
            let distinct: HashSet<&String> = keys.iter().collect();
            assert_eq!((keys.len(), distinct.len()), (10_000, 10_000), "{options}");
        }
        let (replies, _) = scan(&mut client, "COUNT 100");
        assert!((20..1000).contains(&replies), "COUNT 100 took {replies} replies for 10,000 keys");
        let (_, keys) = scan(&mut client, "MATCH key:1?? COUNT 500");
        assert_eq!(keys.len(), 100);
        let (_, keys) = scan(&mut client, "TYPE hash COUNT 500");
        assert!(keys.is_empty());
    });
}

#[test]
fn a_scan_returns_what_was_there_throughout() {
    each_target(|server| {
        let mut client = server.client();
        fill(&mut client, "stays", 5_000);
        fill(&mut client, "goes", 5_000);
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for worker in 0..2_u64 {
                let stop = &stop;
                scope.spawn(move || {
                    let (mut random, mut client) = (Random::new(worker), server.client());
                    while !stop.load(Ordering::Relaxed) {
                        // The table grows to ten times its size and shrinks again while others scan it.
                        let mut request = Vec::new();
                        for _ in 0..500 {
                            let n = random.below(50_000);
                            let word = if random.below(2) == 0 { "DEL" } else { "INCR" };
                            encode_line(&mut request, &format!("{word} comes:{n}"));
                            encode_line(&mut request, &format!("DEL goes:{}", n % 5_000));
                        }
                        client.raw(&request);
                        client.read_many(1_000);
                    }
                });
            }
            for options in ["COUNT 10", "COUNT 50", "COUNT 3", "COUNT 1000", "MATCH stays:* COUNT 20"] {
                let (_, keys) = scan(&mut client, options);
                let found: HashSet<&str> = keys.iter().map(String::as_str).collect();
                let missing: Vec<usize> = (0..5_000).filter(|n| !found.contains(&*format!("stays:{n}"))).collect();
                assert!(missing.is_empty(), "{options}: {} keys missing, {:?}", missing.len(), missing.first());
            }
            stop.store(true, Ordering::Relaxed);
        });
    });
}

#[test]
fn many_scans_run_at_once() {
    each_target(|server| {
        fill(&mut server.client(), "key", 3_000);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let (_, keys) = scan(&mut server.client(), "COUNT 37");
                    assert_eq!(keys.len(), 3_000);
                });
            }
        });
    });
}

#[test]
fn any_number_is_a_cursor() {
    each_target(|server| {
        let mut client = server.client();
        fill(&mut client, "key", 1_000);
        let mut random = Random::new(3);
        for _ in 0..1_000 {
            let reply = client.must(&format!("SCAN {}", random.next() >> random.below(64)));
            assert_eq!(reply.elements().len(), 2);
        }
    });
}
