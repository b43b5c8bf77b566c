//! MIGRATE between servers: Tessera and Tessera, Tessera and Redis, in both directions; and targets that are no servers.
//!
//! | file | what it is about |
//! |---|---|
//! | `between.rs` | two servers that behave |
//! | `stalled.rs` | targets that do not: what others are served meanwhile, and how it ends |
//! | `fake.rs` | such targets |

mod between;
mod fake;
mod stalled;

use crate::support::slots::key_on;
use crate::support::{Client, Server, Value};

/// MIGRATE to `port`: these words behind host and port.
fn migrate(client: &mut Client, port: u16, rest: &[&str]) -> Value {
    send_migrate(client, port, rest);
    client.read()
}

fn send_migrate(client: &mut Client, port: u16, rest: &[&str]) {
    let port = port.to_string();
    let words: Vec<&str> = ["MIGRATE", "127.0.0.1", &port].into_iter().chain(rest.iter().copied()).collect();
    client.send(&words);
}

/// The same from within a transaction or a script.
fn migrate_within(client: &mut Client, how: Within, port: u16, key: &str, rest: &[&str]) {
    let port = port.to_string();
    match how {
        Within::Nothing => {
            let words: Vec<&str> = [key].into_iter().chain(rest.iter().copied()).collect();
            let port = port.parse().expect("it is one");
            send_migrate(client, port, &words);
        }
        Within::Exec => {
            client.must("MULTI");
            client.must("SET behind-multi 1");
            let words = ["MIGRATE", "127.0.0.1", &port, key];
            let words: Vec<&str> = words.into_iter().chain(rest.iter().copied()).collect();
            assert_eq!(client.call(&words), Value::Simple(b"QUEUED".to_vec()));
            client.send(&["EXEC"]);
        }
        Within::Script => {
            let script = "redis.call('set', KEYS[2], 1) return redis.call('migrate', '127.0.0.1', unpack(ARGV))";
            let words = ["EVAL", script, "2", key, "behind-multi", &port, key];
            let words: Vec<&str> = words.into_iter().chain(rest.iter().copied()).collect();
            client.send(&words);
        }
    }
}

/// Where a MIGRATE stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Nothing,
    Exec,
    Script,
}

impl Within {
    const ALL: [Self; 3] = [Self::Nothing, Self::Exec, Self::Script];

    /// The reply of the command in the reply of what it stands in.
    fn reply(self, client: &mut Client) -> Value {
        let reply = client.read();
        if self == Self::Exec { reply.elements()[1].clone() } else { reply }
    }
}

/// Keys on different shards, as far as there are any.
fn spread(server: &Server, count: u16) -> Vec<String> {
    (0..count).map(|n| key_on(&format!("key{n}"), n % server.shards(), server.shards())).collect()
}

fn many<'a>(keys: &'a [String], options: &[&'a str]) -> Vec<&'a str> {
    let mut words = vec!["", "0", "5000"];
    words.extend(options);
    words.push("KEYS");
    words.extend(keys.iter().map(String::as_str));
    words
}

fn is_there(client: &mut Client, key: &str) -> bool {
    client.call(&["EXISTS", key]) == Value::Integer(1)
}

fn error_of(reply: &Value) -> String {
    assert!(reply.is_error(), "{reply}");
    reply.text()
}
