//! Transactions under load: money that moves between accounts is neither lost nor made, whoever looks.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::encode_to;
use crate::support::{Client, Random, Server, Value, each_target, eventually, soak};

const ACCOUNTS: u64 = 1_000;
const OPENING_BALANCE: i64 = 100;
const TRANSFERRERS: u64 = 8;

fn account(number: u64) -> String {
    format!("account:{number}")
}

fn balance(value: &Value) -> i64 {
    value.text().parse().expect("a balance is a number")
}

fn open_accounts(server: &Server) {
    let mut client = server.client();
    for number in 0..ACCOUNTS {
        assert_eq!(client.call(&["SET", &account(number), &OPENING_BALANCE.to_string()]), Value::ok());
    }
}

/// Moves money between two accounts: reads both while watching them, and writes what they then have. Whether it went
/// through.
fn transfer(client: &mut Client, from: &str, to: &str, amount: i64) -> bool {
    let mut request = Vec::new();
    encode_to(&mut request, &["WATCH", from, to]);
    encode_to(&mut request, &["GET", from]);
    encode_to(&mut request, &["GET", to]);
    client.raw(&request);
    let replies = client.read_many(3);
    let (of_from, of_to) = (balance(&replies[1]), balance(&replies[2]));
    let mut request = Vec::new();
    encode_to(&mut request, &["MULTI"]);
    encode_to(&mut request, &["SET", from, &(of_from - amount).to_string()]);
    encode_to(&mut request, &["SET", to, &(of_to + amount).to_string()]);
    encode_to(&mut request, &["EXEC"]);
    client.raw(&request);
    let replies = client.read_many(4);
    match &replies[3] {
        Value::NullArray => false,
        done => {
            assert_eq!(done.elements(), [Value::ok(), Value::ok()]);
            true
        }
    }
}

/// All the money, as one transaction of many MGETs sees it.
fn total(client: &mut Client) -> i64 {
    const ACCOUNTS_PER_READ: u64 = 100;
    let mut request = Vec::new();
    encode_to(&mut request, &["MULTI"]);
    let reads = ACCOUNTS / ACCOUNTS_PER_READ;
    for read in 0..reads {
        let accounts = (0..ACCOUNTS_PER_READ).map(|i| account(read * ACCOUNTS_PER_READ + i));
        let command: Vec<String> = std::iter::once("MGET".to_owned()).chain(accounts).collect();
        encode_to(&mut request, &command);
    }
    encode_to(&mut request, &["EXEC"]);
    client.raw(&request);
    let replies = client.read_many(reads as usize + 2);
    let read = replies[reads as usize + 1].elements();
    read.iter().flat_map(Value::elements).map(balance).sum()
}

#[test]
fn money_is_neither_lost_nor_made() {
    each_target(|server| {
        open_accounts(server);
        let stop = AtomicBool::new(false);
        let (moved, refused, sums) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for seed in 1..=TRANSFERRERS {
                let (stop, moved, refused) = (&stop, &moved, &refused);
                scope.spawn(move || {
                    let mut client = server.client();
                    let mut random = Random::new(seed);
                    while !stop.load(Ordering::Relaxed) {
                        // Half of the transfers are among few accounts, where they meet.
                        let range = if random.below(2) == 0 { 8 } else { ACCOUNTS };
                        let from = random.below(range);
                        let to = (from + 1 + random.below(range - 1)) % range;
                        let went = transfer(&mut client, &account(from), &account(to), random.below(10) as i64);
                        if went { moved } else { refused }.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            let (stop, sums) = (&stop, &sums);
            scope.spawn(move || {
                let mut client = server.client();
                while !stop.load(Ordering::Relaxed) {
                    let total = total(&mut client);
                    if total != ACCOUNTS as i64 * OPENING_BALANCE {
                        stop.store(true, Ordering::Relaxed);
                        panic!("there are {total} in all accounts");
                    }
                    sums.fetch_add(1, Ordering::Relaxed);
                }
            });
            let deadline = Instant::now() + soak();
            while Instant::now() < deadline && !stop.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(20));
            }
            stop.store(true, Ordering::Relaxed);
        });
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        assert!(count(&moved) > 50 && count(&sums) > 5, "hardly anything happened");
        assert!(count(&refused) > 0, "no two transfers met: nothing was shown");
        assert_eq!(total(&mut server.client()), ACCOUNTS as i64 * OPENING_BALANCE);
    });
}

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
