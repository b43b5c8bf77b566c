//! Clients that wait for keys: who is served, by what, when, and what becomes of those who leave.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::encode_line;
use crate::support::slots::key_on;
use crate::support::{Client, Rendezvous, Server, Value, each_target, eventually};

/// Keys, one after another on the next shard.
pub fn keys(server: &Server, prefix: &str, count: u16) -> Vec<String> {
    let shards = server.shards();
    (0..count).map(|n| key_on(&format!("{prefix}{n}"), n % shards, shards)).collect()
}

/// A client that has sent `words` and waits; there are `waiting` then.
fn waiting(server: &Server, words: &str, waiting: usize) -> Client {
    let mut client = server.client();
    let mut request = Vec::new();
    encode_line(&mut request, words);
    client.raw(&request);
    until_waiting(server, waiting);
    client
}

/// Waits until so many clients wait.
pub fn until_waiting(server: &Server, count: usize) {
    eventually(&format!("{count} clients to wait"), || server.info("clients", "blocked_clients") == count.to_string());
}

/// Key and element, as BLPOP replies.
fn popped(key: &str, element: &str) -> Value {
    Value::Array(vec![Value::bulk(key), Value::bulk(element)])
}

#[test]
fn who_came_first_is_served_first() {
    each_target(|server| {
        let key = &keys(server, "k", 4)[3];
        let mut clients: Vec<Client> = (1..=5).map(|count| waiting(server, &format!("BLPOP {key} 0"), count)).collect();
        let mut pusher = server.client();
        assert_eq!(pusher.must(&format!("RPUSH {key} 0 1 2")), Value::Integer(3));
        assert_eq!(pusher.must(&format!("LLEN {key}")), Value::Integer(0), "it was served with the push");
        pusher.must(&format!("RPUSH {key} 3 4 5"));
        for (n, client) in clients.iter_mut().enumerate() {
            assert_eq!(client.read(), popped(key, &n.to_string()));
        }
        assert_eq!(pusher.must(&format!("LRANGE {key} 0 -1")), Value::Array(vec![Value::bulk("5")]));
        until_waiting(server, 0);
    });
}

#[test]
fn whoever_waits_for_several_keys_keeps_its_place_at_each() {
    each_target(|server| {
        let keys = keys(server, "k", 4);
        let all = keys.join(" ");
        let mut pusher = server.client();
        for served in 0..4 {
            let key = &keys[served];
            let mut first = waiting(server, &format!("BLPOP {all} 0"), 1);
            let mut second = waiting(server, &format!("BLPOP {key} 0"), 2);
            let mut third = waiting(server, &format!("BLMPOP 0 4 {all} LEFT COUNT 2"), 3);
            pusher.must(&format!("RPUSH {key} a b c d e"));
            assert_eq!(pusher.must(&format!("LRANGE {key} 0 -1")).elements().len(), 1, "all were served with the push");
            assert_eq!(first.read(), popped(key, "a"));
            assert_eq!(second.read(), popped(key, "b"));
            let both = Value::Array(vec![Value::bulk("c"), Value::bulk("d")]);
            assert_eq!(third.read(), Value::Array(vec![Value::bulk(key), both]));
            pusher.must(&format!("DEL {key}"));
            until_waiting(server, 0);
            // Nobody waits at the other keys any more.
            for key in &keys {
                pusher.must(&format!("RPUSH {key} x"));
                assert_eq!(pusher.must(&format!("LPOP {key}")), Value::bulk("x"));
            }
        }
    });
}

#[test]
fn lists_that_appear_by_other_means_are_found() {
    each_target(|server| {
        let keys = keys(server, "k", 4);
        let (list, others) = keys.split_last().expect("there are four");
        let mut client = server.client();
        for other in others {
            for (prepare, act) in [
                (format!("RPUSH {other} a"), format!("RENAME {other} {list}")),
                (format!("RPUSH {other} a"), format!("RENAMENX {other} {list}")),
                (format!("RPUSH {other} a"), format!("COPY {other} {list}")),
                (format!("RPUSH {other} a"), format!("LMOVE {other} {list} LEFT LEFT")),
                (format!("RPUSH {other} a"), format!("RPOPLPUSH {other} {list}")),
                (format!("RPUSH {other} a"), format!("BLMOVE {other} {list} RIGHT LEFT 0")),
                (format!("LPUSH {other} a b"), format!("BRPOPLPUSH {other} {list} 0")),
                (format!("DEL {other}"), format!("LPUSH {list} a")),
            ] {
                client.must("FLUSHALL");
                client.must(&prepare);
                let mut waiter = waiting(server, &format!("BLPOP {list} 0"), 1);
                client.must(&act);
                assert_eq!(waiter.read(), popped(list, "a"), "{act}");
                until_waiting(server, 0);
            }
        }
        client.must("FLUSHALL");
        client.must(&format!("RPUSH {} a", others[0]));
        let dump = client.call(&["DUMP", &others[0]]);
        let mut waiter = waiting(server, &format!("BLPOP {list} 0"), 1);
        let restored = client.call(&[b"RESTORE", list.as_bytes(), b"0", dump.as_bytes().expect("a payload")]);
        assert_eq!(restored, Value::ok());
        assert_eq!(waiter.read(), popped(list, "a"));
    });
}

#[test]
fn a_list_of_another_database_is_another_list() {
    each_target(|server| {
        let list = &keys(server, "k", 4)[2];
        let mut client = server.client();
        let mut waiter = server.client();
        waiter.must("SELECT 3");
        for act in [format!("MOVE {list} 3"), "SWAPDB 0 3".to_owned()] {
            waiter.send(&["BLPOP", list, "0"]);
            until_waiting(server, 1);
            client.must(&format!("RPUSH {list} a"));
            client.must(&act);
            assert_eq!(waiter.read(), popped(list, "a"), "{act}");
            assert_eq!(client.must("DBSIZE"), Value::Integer(0));
        }
    });
}

#[test]
fn an_element_goes_along_a_chain_of_moves() {
    each_target(|server| {
        let keys = keys(server, "k", 5);
        let mut movers: Vec<Client> = (0..4)
            .map(|n| waiting(server, &format!("BLMOVE {} {} LEFT RIGHT 0", keys[n], keys[n + 1]), n + 1))
            .collect();
        let mut last = waiting(server, &format!("BLPOP {} 0", keys[4]), 5);
        let mut client = server.client();
        client.must(&format!("RPUSH {} a", keys[0]));
        for mover in &mut movers {
            assert_eq!(mover.read(), Value::bulk("a"));
        }
        assert_eq!(last.read(), popped(&keys[4], "a"));
        assert_eq!(client.must("DBSIZE"), Value::Integer(0));
        until_waiting(server, 0);
    });
}

#[test]
fn a_move_to_another_type_ends_with_its_error() {
    each_target(|server| {
        let keys = keys(server, "k", 4);
        let mut client = server.client();
        for target in &keys[1..] {
            client.must("FLUSHALL");
            client.must(&format!("SET {target} x"));
            let mut mover = waiting(server, &format!("BLMOVE {} {target} LEFT LEFT 0", keys[0]), 1);
            let mut behind = waiting(server, &format!("BLPOP {} 0", keys[0]), 2);
            client.must(&format!("RPUSH {} a", keys[0]));
            assert!(mover.read().error().starts_with("WRONGTYPE"));
            assert_eq!(behind.read(), popped(&keys[0], "a"));
        }
    });
}

#[test]
fn a_source_of_another_type_is_waited_out() {
    each_target(|server| {
        let keys = keys(server, "k", 4);
        let mut client = server.client();
        for target in &keys[1..] {
            client.must("FLUSHALL");
            let mut mover = waiting(server, &format!("BLMOVE {} {target} LEFT LEFT 0", keys[0]), 1);
            let mut popper = waiting(server, &format!("BLPOP {} {target} 0", keys[0]), 2);
            client.must("SET string x");
            client.must(&format!("RENAME string {}", keys[0]));
            until_waiting(server, 2);
            client.must(&format!("DEL {}", keys[0]));
            client.must(&format!("RPUSH {} a b", keys[0]));
            assert_eq!(mover.read(), Value::bulk("a"));
            let reply = popper.read();
            assert!(reply == popped(&keys[0], "b") || reply == popped(target, "a"), "{reply}");
        }
    });
}

#[test]
fn time_is_over_to_the_millisecond() {
    each_target(|server| {
        let keys = keys(server, "k", 4);
        let mut client = server.client();
        client.must("PING");
        for words in [
            format!("BLPOP {} MILLIS", keys[0]),
            format!("BLPOP {} MILLIS", keys.join(" ")),
            format!("BLMOVE {} {} LEFT LEFT MILLIS", keys[2], keys[3]),
            format!("BLMPOP MILLIS 1 {} LEFT", keys[3]),
        ] {
            let mut excess = Vec::new();
            for millis in [1_u32, 7, 20, 53] {
                let words = words.replace("MILLIS", &format!("0.{millis:03}"));
                let began = Instant::now();
                assert_eq!(client.must(&words), Value::NullArray, "{words}");
                let took = began.elapsed();
                // The clock that deadlines are judged by counts whole milliseconds.
                assert!(took + Duration::from_millis(1) > Duration::from_millis(millis.into()), "{words}: {took:?}");
                excess.push(took.saturating_sub(Duration::from_millis(millis.into())));
            }
            // A busy machine may delay some of them, but not each. Redis looks ten times a second, and at its next event.
            let least = excess.iter().min().expect("there are four");
            assert!(!server.is_tessera() || *least < Duration::from_millis(5), "{words}: {excess:?} too late");
        }
        until_waiting(server, 0);
    });
}

#[test]
fn many_times_end_in_their_order() {
    each_target(|server| {
        let keys = keys(server, "k", 4);
        let ended = &Mutex::new(Vec::new());
        let order = [300_u32, 100, 400, 200];
        let start = &Rendezvous::new(4);
        thread::scope(|scope| {
            for (key, millis) in keys.iter().zip(order) {
                scope.spawn(move || {
                    let mut client = server.client();
                    client.must("PING");
                    start.wait();
                    assert_eq!(client.must(&format!("BLPOP {key} 0.{millis}")), Value::NullArray);
                    ended.lock().expect("nobody panics with it").push(millis);
                });
            }
        });
        assert_eq!(*ended.lock().expect("nobody panics with it"), [100, 200, 300, 400]);
    });
}

#[test]
fn a_wait_is_ended_from_outside() {
    each_target(|server| {
        let keys = keys(server, "k", 4);
        let mut client = server.client();
        for words in [
            format!("BLPOP {} 0", keys[1]),
            format!("BLPOP {} 0", keys.join(" ")),
            format!("BLMOVE {} {} LEFT LEFT 0", keys[2], keys[3]),
        ] {
            let mut waiter = server.client();
            let id = waiter.must("CLIENT ID").integer();
            for how in ["", " TIMEOUT", " ERROR"] {
                let mut request = Vec::new();
                encode_line(&mut request, &words);
                waiter.raw(&request);
                until_waiting(server, 1);
                assert_eq!(client.must(&format!("CLIENT UNBLOCK {id}{how}")), Value::Integer(1));
                let reply = waiter.read();
                if how == " ERROR" {
                    assert_eq!(reply.error(), "UNBLOCKED client unblocked via CLIENT UNBLOCK");
                } else {
                    assert_eq!(reply, Value::NullArray);
                }
                assert_eq!(client.must(&format!("CLIENT UNBLOCK {id}{how}")), Value::Integer(0));
                assert_eq!(waiter.must("PING"), Value::Simple(b"PONG".to_vec()));
            }
            // Whoever has left takes nothing.
            for key in &keys {
                client.must(&format!("RPUSH {key} x"));
                assert_eq!(client.must(&format!("LPOP {key}")), Value::bulk("x"), "{words}");
            }
        }
    });
}

#[test]
fn whoever_is_gone_takes_nothing() {
    each_target(|server| {
        let keys = keys(server, "k", 4);
        let mut client = server.client();
        for words in [
            format!("BLPOP {} 0", keys[1]),
            format!("BLPOP {} 0", keys.join(" ")),
            format!("BLMOVE {} {} LEFT LEFT 0", keys[2], keys[3]),
        ] {
            drop(waiting(server, &words, 1));
            until_waiting(server, 0);
            let mut half_closed = waiting(server, &words, 1);
            half_closed.finish_writing();
            assert!(half_closed.is_closed());
            until_waiting(server, 0);
            let mut killed = server.client();
            let id = killed.must("CLIENT ID").integer();
            let mut request = Vec::new();
            encode_line(&mut request, &words);
            killed.raw(&request);
            until_waiting(server, 1);
            assert_eq!(client.must(&format!("CLIENT KILL ID {id}")), Value::Integer(1));
            assert!(killed.is_closed());
            until_waiting(server, 0);
            for key in &keys {
                client.must(&format!("RPUSH {key} x"));
                assert_eq!(client.must(&format!("LPOP {key}")), Value::bulk("x"), "{words}");
            }
        }
    });
}

#[test]
fn commands_behind_a_wait_come_after_it() {
    each_target(|server| {
        let keys = keys(server, "k", 4);
        let mut client = server.client();
        for key in &keys {
            let mut waiter = server.client();
            let mut request = Vec::new();
            encode_line(&mut request, &format!("SET before{{{key}}} 1"));
            encode_line(&mut request, &format!("BLPOP {} 0", keys.join(" ")));
            for other in &keys {
                encode_line(&mut request, &format!("SET behind{{{other}}} 1"));
            }
            encode_line(&mut request, &format!("BLPOP {} 0", keys[0]));
            encode_line(&mut request, "PING");
            waiter.raw(&request);
            until_waiting(server, 1);
            assert_eq!(waiter.read(), Value::ok());
            for other in &keys {
                assert_eq!(client.must(&format!("GET behind{{{other}}}")), Value::Null);
            }
            client.must(&format!("RPUSH {key} a"));
            assert_eq!(waiter.read(), popped(key, "a"));
            assert_eq!(waiter.read_many(4), vec![Value::ok(); 4]);
            client.must(&format!("RPUSH {} b", keys[0]));
            assert_eq!(waiter.read_many(2), [popped(&keys[0], "b"), Value::Simple(b"PONG".to_vec())]);
            client.must("FLUSHALL");
        }
    });
}

#[test]
fn a_push_and_a_look_behind_it_see_the_list_served() {
    // What one pipeline pushes and looks at: nobody sees an element that somebody waits for.
    each_target(|server| {
        let keys = keys(server, "k", 4);
        let mut client = server.client();
        for round in 0..50 {
            let mut waiter = waiting(server, &format!("BLPOP {} 0", keys.join(" ")), 1);
            let key = &keys[round % 4];
            let mut request = Vec::new();
            encode_line(&mut request, &format!("RPUSH {key} {round}"));
            encode_line(&mut request, &format!("LLEN {key}"));
            client.raw(&request);
            assert_eq!(client.read_many(2), [Value::Integer(1), Value::Integer(0)]);
            assert_eq!(waiter.read(), popped(key, &round.to_string()));
        }
    });
}

#[test]
fn entries_that_become_idle_wake_who_claims_them() {
    each_target(|server| {
        if !server.is_tessera() {
            return;
        }
        for key in keys(server, "s", 4) {
            let mut client = server.client();
            client.must(&format!("XGROUP CREATE {key} g $ MKSTREAM"));
            let read = format!("XREADGROUP GROUP g late CLAIM 300 BLOCK 0 STREAMS {key} elsewhere >  >");
            client.must("XGROUP CREATE elsewhere g $ MKSTREAM");
            let mut waiter = waiting(server, &read, 1);
            let began = Instant::now();
            client.must(&format!("XADD {key} 1 f v"));
            // The waiter takes it for new. What it does not acknowledge becomes idle, and is for the next one.
            assert_eq!(waiter.read().elements().len(), 1);
            let mut next = waiting(server, &read.replace("late", "next"), 1);
            let claimed = next.read();
            let entry = &claimed.elements()[0].elements()[1].elements()[0];
            assert_eq!(entry.elements()[0], Value::bulk("1-0"));
            assert!(entry.elements()[2].integer() >= 300, "{claimed}");
            let waited = began.elapsed();
            assert!(waited >= Duration::from_millis(290) && waited < Duration::from_secs(10), "{waited:?}");
            client.must("FLUSHALL");
        }
    });
}

#[test]
fn the_slow_log_tells_of_who_waited_when_it_is_served() {
    each_target(|server| {
        let keys = keys(server, "k", 3);
        let mut client = server.client();
        client.must("CONFIG SET slowlog-log-slower-than 0");
        let logged = |client: &mut Client, name: &str| {
            let entries = client.must("SLOWLOG GET -1");
            let is_it = |entry: &&Value| entry.elements()[3].elements()[0] == Value::bulk(name);
            entries.elements().iter().filter(is_it).count()
        };
        for names in [&keys[..1], &keys[..]] {
            client.must("SLOWLOG RESET");
            let mut waiter = waiting(server, &format!("BLPOP {} 0", names.join(" ")), 1);
            assert_eq!(logged(&mut client, "BLPOP"), 0);
            client.must(&format!("RPUSH {} x", names[names.len() - 1]));
            assert_eq!(waiter.read(), popped(&names[names.len() - 1], "x"));
            assert_eq!(logged(&mut client, "BLPOP"), 1);
        }
        client.must("SLOWLOG RESET");
        let mut waiter = waiting(server, &format!("BLMOVE {} {} LEFT LEFT 0", keys[0], keys[1]), 1);
        client.must(&format!("RPUSH {} x", keys[0]));
        assert_eq!(waiter.read(), Value::bulk("x"));
        assert_eq!(logged(&mut client, "BLMOVE"), 1);
    });
}
