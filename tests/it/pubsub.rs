//! Publishing to subscribers on all cores: nothing is lost or out of order, whatever subscribers do.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::encode_to;
use crate::support::slots::key_on;
use crate::support::{Client, Launch, Protocol, Rendezvous, Server, Value, each_target, eventually, soak, targets};

/// What a message says.
fn payload(message: &Value) -> String {
    let elements = message.elements();
    assert_eq!(elements[0].text(), "message", "{message}");
    elements[2].text()
}

/// Clients that have subscribed to `channel`.
fn subscribers(server: &Server, channel: &str, count: usize) -> Vec<Client> {
    let mut clients: Vec<Client> = (0..count).map(|_| server.client()).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        if n % 2 == 1 {
            client.hello(Protocol::Resp3);
        }
        assert_eq!(client.line(&format!("SUBSCRIBE {channel}")).elements()[2], Value::Integer(1));
    }
    clients
}

#[test]
fn whoever_subscribes_and_then_reads_misses_nothing() {
    each_target(|server| {
        let shards = server.shards();
        let stop = AtomicBool::new(false);
        let started = AtomicU64::new(0);
        thread::scope(|scope| {
            // One state and one channel for each shard; the writer's own core is another one each time.
            for writer in 0..4 {
                let (stop, started) = (&stop, &started);
                scope.spawn(move || {
                    let mut client = server.client();
                    let key = key_on(&format!("state{writer}"), writer % shards, shards);
                    let channel = format!("ch{writer}");
                    let mut n = 0_u64;
                    while !stop.load(Ordering::Relaxed) {
                        let mut pipeline = Vec::new();
                        for _ in 0..3 {
                            n += 1;
                            encode_to(&mut pipeline, &["SET", &key, &n.to_string()]);
                            encode_to(&mut pipeline, &["PUBLISH", &channel, &n.to_string()]);
                        }
                        client.raw(&pipeline);
                        client.read_many(6);
                        started.fetch_or(1 << writer, Ordering::Relaxed);
                    }
                });
            }
            eventually("all writers to write", || started.load(Ordering::Relaxed) == 0b1111);
            let deadline = Instant::now() + soak();
            let mut round = 0;
            while Instant::now() < deadline {
                subscribe_and_read(server, round % 4);
                round += 1;
            }
            stop.store(true, Ordering::Relaxed);
            assert!(round > 20, "{round} subscribers in all that time");
        });
    });
}

/// One subscriber of a channel that says what the state is: in its stream, no message is missing, none comes before the
/// state that it follows, and none that came before the state stands behind it.
fn subscribe_and_read(server: &Server, writer: u16) {
    let key = key_on(&format!("state{writer}"), writer % server.shards(), server.shards());
    let mut client = server.client();
    client.hello(Protocol::Resp3);
    let mut pipeline = Vec::new();
    encode_to(&mut pipeline, &["SUBSCRIBE", &format!("ch{writer}")]);
    for _ in 0..3 {
        encode_to(&mut pipeline, &["GET", &key]);
    }
    client.raw(&pipeline);
    assert_eq!(client.read().elements()[0].text(), "subscribe");
    let (mut last_message, mut last_read, mut reads, mut behind) = (None, 0_u64, 0, 0);
    while reads < 3 || behind < 3 {
        match client.read() {
            Value::Bulk(value) => {
                let value: u64 = String::from_utf8_lossy(&value).parse().expect("writers write numbers");
                assert!(
                    last_message.is_none_or(|message| value >= message),
                    "{value} was read behind {last_message:?}"
                );
                assert!(value >= last_read, "{value} was read behind {last_read}");
                (last_read, reads) = (value, reads + 1);
            }
            message => {
                let n: u64 = payload(&message).parse().expect("writers write numbers");
                assert!(last_message.is_none_or(|last| n == last + 1), "{n} follows {last_message:?}");
                if reads > 0 {
                    assert!(n >= last_read, "{n} was published before {last_read} was written and read");
                    let is_first = last_message.is_none();
                    assert!(!is_first || n <= last_read + 1, "the first message is {n}, and {last_read} was read");
                }
                last_message = Some(n);
                behind += usize::from(reads == 3);
            }
        }
    }
}

#[test]
fn only_who_does_not_read_is_cut() {
    const MESSAGE_BYTES: usize = 32 << 10;
    for target in targets() {
        let server = Launch::new(target).args(&["--client-output-buffer-limit", "pubsub 2mb 0 0"]).start();
        let mut readers = subscribers(&server, "ch", 6);
        let stopped = subscribers(&server, "ch", 1);
        let mut publisher = server.client();
        let message = "x".repeat(MESSAGE_BYTES);
        let mut published = 0;
        let mut receivers = 7;
        let deadline = Instant::now() + Duration::from_secs(20);
        while receivers == 7 {
            assert!(Instant::now() < deadline, "{published} messages of 32 KiB, and who does not read is still there");
            receivers = publisher.call(&["PUBLISH", "ch", &message]).integer();
            published += 1;
            for reader in &mut readers {
                assert_eq!(payload(&reader.read()).len(), MESSAGE_BYTES);
            }
        }
        assert_eq!(receivers, 6);
        assert!(published * MESSAGE_BYTES > 2 << 20, "it was cut at its limit and not before: {published} messages");
        for _ in 0..100 {
            assert_eq!(publisher.call(&["PUBLISH", "ch", &message]), Value::Integer(6));
        }
        for reader in &mut readers {
            reader.read_many(100);
        }
        drop(stopped);
        assert_eq!(publisher.must("PUBSUB NUMSUB ch"), Value::Array(vec![Value::bulk("ch"), Value::Integer(6)]));
    }
}

#[test]
fn a_normal_client_has_no_limit_of_subscribers() {
    for target in targets() {
        let server = Launch::new(target).args(&["--client-output-buffer-limit", "pubsub 100kb 0 0"]).start();
        let mut client = server.client();
        client.must(&format!("SET big {}", "x".repeat(1 << 20)));
        let mut pipeline = Vec::new();
        (0..8).for_each(|_| encode_to(&mut pipeline, &["GET", "big"]));
        client.raw(&pipeline);
        thread::sleep(Duration::from_millis(100));
        assert!(client.read_many(8).iter().all(|reply| reply.as_bytes().is_some_and(|bytes| bytes.len() == 1 << 20)));
    }
}

#[test]
fn nothing_is_left_of_clients_that_are_gone() {
    each_target(|server| {
        let mut control = server.client();
        let ready = Rendezvous::new(4);
        thread::scope(|scope| {
            for worker in 0..4 {
                let ready = &ready;
                scope.spawn(move || {
                    ready.wait();
                    for round in 0..100 {
                        let mut client = server.client();
                        let mut pipeline = Vec::new();
                        encode_to(&mut pipeline, &["SUBSCRIBE", "a", "b", &format!("c{worker}:{round}")]);
                        encode_to(&mut pipeline, &["PSUBSCRIBE", "p*"]);
                        encode_to(&mut pipeline, &["UNSUBSCRIBE", "b"]);
                        encode_to(&mut pipeline, &["SSUBSCRIBE", "s"]);
                        client.raw(&pipeline);
                        // Some leave with their commands under way.
                        if round % 3 != 0 {
                            client.read_many(6);
                        }
                    }
                });
            }
            for _ in 0..200 {
                control.must("PUBLISH a x");
                control.must("PUBLISH pa x");
                control.must("SPUBLISH s x");
            }
        });
        for field in ["pubsub_channels", "pubsub_patterns", "pubsubshard_channels"] {
            eventually(field, || server.info("stats", field) == "0");
        }
        assert_eq!(control.must("PUBLISH a x"), Value::Integer(0));
    });
}

#[test]
fn events_of_one_key_come_in_order_to_every_core() {
    const ROUNDS: usize = 200;
    each_target(|server| {
        let mut control = server.client();
        control.must("CONFIG SET notify-keyspace-events KEA");
        let mut clients: Vec<Client> = (0..8).map(|_| server.client()).collect();
        for client in &mut clients {
            client.must("PSUBSCRIBE __keyspace@0__:*");
        }
        let keys: Vec<String> =
            (0..4).map(|n| key_on(&format!("k{n}"), n % server.shards(), server.shards())).collect();
        thread::scope(|scope| {
            for key in &keys {
                scope.spawn(move || {
                    let mut client = server.client();
                    for _ in 0..ROUNDS {
                        client.must(&format!("SET {key} 1"));
                        client.must(&format!("INCR {key}"));
                        client.must(&format!("DEL {key}"));
                    }
                });
            }
        });
        for client in &mut clients {
            let messages = client.read_many(keys.len() * ROUNDS * 3);
            for key in &keys {
                let channel = format!("__keyspace@0__:{key}");
                let own = messages.iter().filter(|message| message.elements()[2].text() == channel);
                let events: Vec<String> = own.map(|message| message.elements()[3].text()).collect();
                assert!(events.chunks(3).all(|round| round == ["set", "incrby", "del"]), "{key}: {events:?}");
                assert_eq!(events.len(), ROUNDS * 3);
            }
        }
    });
}

#[test]
fn who_has_been_told_goodbye_is_found_by_nobody() {
    each_target(|server| {
        let mut control = server.client();
        for round in 0..100 {
            let mut leaving = server.client();
            let id = leaving.must("CLIENT ID").integer();
            let mut caching = server.client();
            caching.hello(Protocol::Resp3);
            leaving.must("SUBSCRIBE bye");
            caching.must(&format!("CLIENT TRACKING on REDIRECT {id}"));
            caching.must("GET k");
            if round % 2 == 0 {
                assert_eq!(leaving.must("QUIT"), Value::ok());
            } else {
                assert_eq!(control.must(&format!("CLIENT KILL ID {id}")), Value::Integer(1));
            }
            assert_eq!(control.must("PUBLISH bye x"), Value::Integer(0), "round {round}");
            control.must("SET k v");
            let broken = vec![Value::bulk("tracking-redir-broken"), Value::Integer(id)];
            assert_eq!(caching.read(), Value::Push(broken), "round {round}");
        }
    });
}
