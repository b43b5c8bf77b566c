//! MONITOR: every command of every client, once, in the order in which clients can know them to have been run.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::support::client::encode_line;
use crate::support::{Client, Launch, Random, Server, Value, each_target, eventually, targets};

fn monitors(server: &Server, count: usize) -> Vec<Client> {
    let begin = |_| {
        let mut client = server.client();
        client.must("MONITOR");
        client
    };
    (0..count).map(begin).collect()
}

/// The next line: the client's address, and the command behind it.
fn line(monitor: &mut Client) -> (String, String) {
    let Value::Simple(line) = monitor.read() else { panic!("a line is a simple string") };
    let line = String::from_utf8(line).expect("it is ASCII");
    let (time, rest) = line.split_once(" [").expect("time and client");
    let (seconds, micros) = time.split_once('.').expect("seconds and microseconds");
    assert!(seconds.parse::<u64>().is_ok() && micros.len() == 6 && micros.parse::<u32>().is_ok(), "{line}");
    let (client, command) = rest.split_once("] ").expect("client and command");
    (client.to_owned(), command.to_owned())
}

#[test]
fn all_monitors_see_all_commands_of_each_client_in_order() {
    const COMMANDS: usize = 300;
    each_target(|server| {
        let mut monitors = monitors(server, 6);
        let mut clients: Vec<Client> = (0..8).map(|_| server.client()).collect();
        for client in &mut clients {
            let mut request = Vec::new();
            for n in 0..COMMANDS {
                let command = match n % 3 {
                    0 => format!("SET key:{n} {n}"),
                    1 => format!("MGET key:{n} other:{n}"),
                    _ => format!("ECHO {n}"),
                };
                encode_line(&mut request, &command);
            }
            client.raw(&request);
        }
        for client in &mut clients {
            client.read_many(COMMANDS);
        }
        for monitor in &mut monitors {
            let mut seen: HashMap<String, usize> = HashMap::new();
            for _ in 0..clients.len() * COMMANDS {
                let (client, command) = line(monitor);
                let n = seen.entry(client).or_default();
                let expected = match *n % 3 {
                    0 => format!("\"SET\" \"key:{n}\" \"{n}\""),
                    1 => format!("\"MGET\" \"key:{n}\" \"other:{n}\""),
                    _ => format!("\"ECHO\" \"{n}\""),
                };
                assert_eq!(command, expected);
                *n += 1;
            }
            let addresses: Vec<String> = clients.iter().map(|client| format!("0 {}", client.address())).collect();
            assert!(addresses.iter().all(|address| seen[address] == COMMANDS));
        }
    });
}

#[test]
fn what_was_answered_is_shown_before_what_is_sent_then() {
    each_target(|server| {
        let mut monitors = monitors(server, 4);
        let mut clients: Vec<Client> = (0..6).map(|_| server.client()).collect();
        let mut random = Random::new(3);
        for n in 0..300 {
            let client = &mut clients[random.below(6) as usize];
            client.must(&format!("SET key:{} {n}", random.below(20)));
        }
        for monitor in &mut monitors {
            for n in 0..300 {
                let (_, command) = line(monitor);
                assert!(command.ends_with(&format!(" \"{n}\"")), "{command} is the command number {n}");
            }
        }
    });
}

#[test]
fn a_line_says_who_did_what_where() {
    each_target(|server| {
        let mut monitor = monitors(server, 1).remove(0);
        let mut client = server.client();
        let address = client.address();
        let mut shown = |client: &mut Client, args: &[&[u8]]| {
            client.call(args);
            line(&mut monitor)
        };
        let odd = shown(&mut client, &[b"set", b"a\0b\n\r\t\x07\x08\\\"'", b"\xff\x7f x"]);
        let expected = "\"set\" \"a\\x00b\\n\\r\\t\\a\\b\\\\\\\"'\" \"\\xff\\x7f x\"";
        assert_eq!(odd, (format!("0 {address}"), expected.to_owned()));
        assert_eq!(shown(&mut client, &[b"SELECT", b"7"]).0, format!("7 {address}"));
        assert_eq!(shown(&mut client, &[b"LPUSH", b"l", b"x"]).0, format!("7 {address}"));
        assert_eq!(shown(&mut client, &[b"GET", b"l"]).1, "\"GET\" \"l\"", "one that fails is shown");
        assert_eq!(shown(&mut client, &[b"AUTH", b"secret"]).1, "\"AUTH\" \"(redacted)\"");
        let hello: &[&[u8]] = &[b"HELLO", b"3", b"AUTH", b"default", b"secret", b"SETNAME", b"n"];
        let expected = "\"HELLO\" \"3\" \"AUTH\" \"(redacted)\" \"(redacted)\" \"SETNAME\" \"n\"";
        assert_eq!(shown(&mut client, hello).1, expected);
        assert_eq!(shown(&mut client, &[b"CLIENT", b"ID"]).1, "\"CLIENT\" \"ID\"");
        // What is refused, and what administrators do, is not shown.
        for words in ["NOSUCH a", "GET", "CONFIG GET port", "CLIENT LIST", "SLOWLOG GET"] {
            client.line(words);
        }
        assert_eq!(shown(&mut client, &[b"BLPOP", b"nothing", b"0.01"]).1, "\"BLPOP\" \"nothing\" \"0.01\"");
        assert_eq!(shown(&mut client, &[b"PING"]).1, "\"PING\"");
    });
}

#[test]
fn a_monitoring_client_does_little_else() {
    each_target(|server| {
        let mut monitor = monitors(server, 1).remove(0);
        for words in ["GET a", "SET a b", "DEL a"] {
            assert_eq!(monitor.line(words).error(), "ERR Replica can't interact with the keyspace", "{words}");
        }
        assert!(monitor.must("CLIENT INFO").text().contains(" flags=O "));
        assert_eq!(line(&mut monitor).1, "\"CLIENT\" \"INFO\"");
        monitor.send(&["MONITOR"]);
        monitor.send(&["PING"]);
        assert_eq!(monitor.read(), Value::Simple(b"PONG".to_vec()), "there is no second OK");
        assert_eq!(line(&mut monitor).1, "\"PING\"");
        assert_eq!(monitor.must("RESET"), Value::Simple(b"RESET".to_vec()));
        server.client().must("SET a b");
        assert_eq!(monitor.must("GET a"), Value::bulk("b"));
        assert!(monitor.must("CLIENT INFO").text().contains(" flags=N "));
    });
}

#[test]
fn a_monitor_that_does_not_read_is_cut_and_nobody_else_notices() {
    for target in targets() {
        let limit = ["--client-output-buffer-limit", "normal 1mb 0 0"];
        let server = Launch::new(target).args(&limit).start();
        let mut deaf = server.client();
        let id = deaf.must("CLIENT ID").integer();
        deaf.must("MONITOR");
        let mut other = monitors(&server, 1).remove(0);
        let mut client = server.client();
        let value = "x".repeat(64 * 1024);
        let end = Instant::now() + Duration::from_secs(30);
        while client.must(&format!("CLIENT LIST ID {id}")).text().contains("id=") {
            assert!(Instant::now() < end, "it was not cut");
            client.must(&format!("ECHO {value}"));
            assert!(line(&mut other).1.starts_with("\"ECHO\""));
        }
        eventually("the connection to be closed", || deaf.is_closed());
        client.must("PING");
        assert_eq!(line(&mut other).1, "\"PING\"");
    }
}

#[test]
fn a_transaction_is_shown_when_it_runs() {
    each_target(|server| {
        let mut monitors = monitors(server, 3);
        let mut client = server.client();
        client.must("MULTI");
        client.must("SET a 1");
        client.must("AUTH default secret");
        client.must("MGET a b c d");
        client.must("MONITOR");
        let replies = client.must("EXEC");
        assert_eq!(replies.elements()[3].error(), "ERR MONITOR isn't allowed for DENY BLOCKING client");
        client.must("MULTI");
        client.must("SET a 2");
        client.must("DISCARD");
        let expected = [
            "\"MULTI\"",
            "\"SET\" \"a\" \"1\"",
            "\"AUTH\" \"(redacted)\" \"(redacted)\"",
            "\"MGET\" \"a\" \"b\" \"c\" \"d\"",
            "\"EXEC\"",
            "\"MULTI\"",
            "\"DISCARD\"",
        ];
        for monitor in &mut monitors {
            for expected in expected {
                assert_eq!(line(monitor).1, expected);
            }
        }
    });
}

#[test]
fn the_commands_of_a_script_are_shown_as_its_own() {
    each_target(|server| {
        let mut monitors = monitors(server, 3);
        let mut client = server.client();
        let script = "redis.call('set', KEYS[1], ARGV[1]); redis.pcall('lpush', KEYS[1], 'x'); redis.call('select', 5); \
                      return redis.call('get', KEYS[1])";
        client.call(&[b"EVAL", script.as_bytes(), b"1", b"a", b"b"]);
        client.must("PING");
        for monitor in &mut monitors {
            let lines: Vec<_> = (0..6).map(|_| line(monitor)).collect();
            let of = |is_script: bool| {
                let lines = lines.iter().filter(move |(who, _)| who.ends_with(" lua") == is_script);
                lines.map(|(who, what)| format!("{} {what}", &who[..1])).collect::<Vec<_>>()
            };
            let expected =
                ["0 \"set\" \"a\" \"b\"", "0 \"lpush\" \"a\" \"x\"", "5 \"select\" \"5\"", "5 \"get\" \"a\""];
            assert_eq!(of(true), expected);
            let own = of(false);
            assert!(own[0].starts_with("0 \"EVAL\" \"redis.call") && own[1] == "0 \"PING\"", "{own:?}");
        }
    });
}
