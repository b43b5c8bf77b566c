//! Transactions under load: those that spoil each other, those that take all shards, and those that never end.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use crate::support::client::encode_to;
use crate::support::{Client, Value, each_target, eventually, soak};

/// Two clients, each of whom watches what the other changes: if both go through, neither came first.
#[test]
fn of_two_transactions_that_spoil_each_other_one_fails() {
    each_target(|server| {
        let (mut first, mut second) = (server.client(), server.client());
        let (mut both, mut rounds) = (0, 0);
        let deadline = Instant::now() + soak();
        while Instant::now() < deadline {
            rounds += 1;
            let (x, y) = (format!("x:{rounds}"), format!("y:{rounds}"));
            let (mut of_first, mut of_second) = (Vec::new(), Vec::new());
            for (client, request, watched, changed) in
                [(&mut first, &mut of_first, &x, &y), (&mut second, &mut of_second, &y, &x)]
            {
                assert_eq!(client.call(&["WATCH", watched]), Value::ok());
                encode_to(request, &["MULTI"]);
                encode_to(request, &["SET", changed, "1"]);
                encode_to(request, &["EXEC"]);
            }
            first.raw(&of_first);
            second.raw(&of_second);
            let went = |client: &mut Client| client.read_many(3)[2] != Value::NullArray;
            let (first_went, second_went) = (went(&mut first), went(&mut second));
            assert!(first_went || second_went, "one of them came first");
            both += u64::from(first_went && second_went);
        }
        assert_eq!(both, 0, "of {rounds} rounds");
    });
}

/// A transaction that takes all shards does not stop the others from being served, nor from watching and waiting.
#[test]
fn whole_keyspaces_travel_while_others_work() {
    each_target(|server| {
        let stop = AtomicBool::new(false);
        let rounds = AtomicU64::new(0);
        thread::scope(|scope| {
            let (stop, rounds) = (&stop, &rounds);
            scope.spawn(move || {
                let mut client = server.client();
                while !stop.load(Ordering::Relaxed) {
                    let mut request = Vec::new();
                    for words in [
                        &["MULTI"][..],
                        &["DBSIZE"],
                        &["RPUSH", "list", "1"],
                        &["DBSIZE"],
                        &["INFO", "keyspace"],
                        &["EXEC"],
                    ] {
                        encode_to(&mut request, words);
                    }
                    client.raw(&request);
                    let replies = client.read_many(6);
                    let replies = replies[5].elements();
                    let (before, after) = (replies[0].integer(), replies[2].integer());
                    assert!(after == before || after == before + 1, "{before} keys, then {after}");
                    rounds.fetch_add(1, Ordering::Relaxed);
                }
            });
            for number in 0..4 {
                scope.spawn(move || {
                    let mut client = server.client();
                    while !stop.load(Ordering::Relaxed) {
                        let key = format!("key:{number}");
                        client.must(&format!("SET {key} 1 PX 5"));
                        client.must("CLIENT LIST");
                        client.must("INFO");
                        client.must(&format!("WATCH {key} list"));
                        client.must("UNWATCH");
                        client.must("BLPOP list nothing 0.05");
                    }
                });
            }
            thread::sleep(soak());
            stop.store(true, Ordering::Relaxed);
        });
        assert!(rounds.load(Ordering::Relaxed) > 20, "hardly anything happened");
    });
}

#[test]
fn the_queue_of_a_transaction_has_an_end() {
    each_target(|server| {
        let mut client = server.client();
        client.must("CONFIG SET client-query-buffer-limit 1048576");
        client.must("MULTI");
        let value = "x".repeat(100_000);
        let mut request = Vec::new();
        for _ in 0..20 {
            encode_to(&mut request, &["SET", "key", &value]);
        }
        if !server.is_tessera() {
            // Redis counts what is kept since 7.2 alone.
            return;
        }
        let _ = client.try_raw(&request);
        eventually("the client is cut", || client.is_closed());
    });
}
