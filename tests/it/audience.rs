//! A large audience: a thousand subscribers on all cores hear ten publishers, and one of them has stopped listening.
//!
//! Everyone gets every message once, all in one order, and each publisher's in his. Who does not read is cut when the limit
//! on its output is reached, which nobody else notices.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::encode_to;
use crate::support::process::raise_file_limit;
use crate::support::{Client, Launch, PATIENCE, Protocol, Server, Value, soak, targets};

const SUBSCRIBERS: usize = 1000;
const PUBLISHERS: usize = 10;
/// Of each publisher in one round.
const MESSAGES: usize = 30;
/// Bytes of a message for the one who does not read.
const FLOOD_BYTES: usize = 32 << 10;

/// What a message says.
fn payload(message: &Value) -> String {
    let elements = message.elements();
    assert_eq!(elements[0].text(), "message", "{message}");
    elements[2].text()
}

fn subscribe(server: &Server, number: usize) -> Client {
    let mut client = server.client();
    if number % 2 == 1 {
        client.hello(Protocol::Resp3);
    }
    assert_eq!(client.line("SUBSCRIBE ch").elements()[2], Value::Integer(1));
    client
}

/// Ten publishers, half of whom wait for each reply. `stopped` of the audience do not read, and may be cut meanwhile.
fn publish(server: &Server, round: usize, stopped: i64) {
    let heard = |reply: &Value| {
        let audience = SUBSCRIBERS as i64;
        assert!((audience..=audience + stopped).contains(&reply.integer()), "{reply} heard a message");
    };
    thread::scope(|scope| {
        for publisher in 0..PUBLISHERS {
            scope.spawn(move || {
                let mut client = server.client();
                let mut pipeline = Vec::new();
                for n in 0..MESSAGES {
                    let message = format!("{publisher}:{round}:{n}");
                    if publisher % 2 == 0 {
                        heard(&client.call(&["PUBLISH", "ch", &message]));
                    } else {
                        encode_to(&mut pipeline, &["PUBLISH", "ch", &message]);
                    }
                }
                client.raw(&pipeline);
                let replies = if pipeline.is_empty() { 0 } else { MESSAGES };
                client.read_many(replies).iter().for_each(heard);
            });
        }
    });
}

/// Everyone has got all messages of this round, and in one order.
fn listen(audience: &mut [Client], round: usize) {
    const TOTAL: usize = PUBLISHERS * MESSAGES;
    let order: Vec<String> = audience[0].read_many(TOTAL).iter().map(payload).collect();
    assert_eq!(order.iter().collect::<HashSet<_>>().len(), TOTAL, "no message comes twice");
    for publisher in 0..PUBLISHERS {
        let own = order.iter().filter(|text| text.starts_with(&format!("{publisher}:")));
        let expected = (0..MESSAGES).map(|n| format!("{publisher}:{round}:{n}"));
        assert!(own.cloned().eq(expected), "each publisher's messages are in order");
    }
    for client in &mut audience[1..] {
        assert!(client.read_many(TOTAL).iter().map(payload).eq(order.iter().cloned()), "all see one order");
    }
}

/// Publishes what only the stopped one is to get until nobody gets it any more; whether that has come to pass.
fn flood(server: &Server, is_over: &AtomicBool) -> bool {
    let mut client = server.client();
    let message = "x".repeat(FLOOD_BYTES);
    let deadline = Instant::now() + PATIENCE;
    while !is_over.load(Ordering::Relaxed) || Instant::now() < deadline {
        if client.call(&["PUBLISH", "flood", &message]) == Value::Integer(0) {
            return true;
        }
        // The others are to see the time in which it is not cut yet.
        thread::sleep(Duration::from_millis(2));
    }
    false
}

#[test]
fn a_thousand_hear_everything_and_one_who_does_not_listen_is_cut() {
    raise_file_limit();
    for target in targets() {
        let server = Launch::new(target).args(&["--client-output-buffer-limit", "pubsub 8mb 0 0"]).start();
        let server = &server;
        let mut stopped = subscribe(server, 0);
        stopped.must("SUBSCRIBE flood");
        let mut audience: Vec<Client> = (0..SUBSCRIBERS).map(|number| subscribe(server, number)).collect();
        let is_over = AtomicBool::new(false);
        let mut round = 0;
        thread::scope(|scope| {
            let flooding = scope.spawn(|| flood(server, &is_over));
            let deadline = Instant::now() + soak();
            while round == 0 || Instant::now() < deadline {
                publish(server, round, 1);
                listen(&mut audience, round);
                round += 1;
            }
            is_over.store(true, Ordering::Relaxed);
            assert!(flooding.join().expect("its server is there"), "who does not read is never cut");
        });
        publish(server, round, 0);
        listen(&mut audience, round);
        assert!(stopped.is_closed(), "what it is sent has an end");
        assert_eq!(server.info("stats", "client_output_buffer_limit_disconnections"), "1");
        eprintln!("{target:?}: {} messages to {SUBSCRIBERS} subscribers", (round + 1) * PUBLISHERS * MESSAGES);
    }
}
