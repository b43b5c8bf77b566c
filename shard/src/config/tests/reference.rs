//! The table beside a real `redis-server`: run by hand with `cargo test -p shard config::tests::reference -- --ignored
//! --nocapture`. Needs `redis-server` of 7.0 in the path and the ports 21210 and 21211.

#![allow(clippy::print_stdout, reason = "run by hand, for its figures")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::ANYTHING;
use crate::config::{Config, directives};

/// Values that are wrong for most directives, and some that are right for a few.
const VALUES: [&str; 36] = [
    "",
    "abc",
    "-1",
    "0",
    "1",
    "7",
    "007",
    "+5",
    " 5",
    "5 ",
    "1.5",
    "101",
    "101%",
    "50%",
    "0%",
    "%",
    "-5%",
    "600000",
    "99999999999999999999",
    "9223372036854775807",
    "-9223372036854775808",
    "4294967295",
    "yes",
    "NO",
    "1kb",
    "1K",
    "3mb",
    "1tb",
    "mb",
    "a/b",
    "a_b",
    "1 2",
    "1 2 3",
    "KEA",
    "{bad}",
    "normal 1 2 x",
];

/// Where this server knowingly answers otherwise: an overflow that Redis takes for a percentage; TLS, which Redis
/// refuses in the same step because it has no certificate; and lists of processors, which may be set to what they are.
const KNOWN: [&str; 7] = [
    "maxmemory-clients \"99999999999999999999\"",
    "tls-cluster \"yes\"",
    "tls-replication \"yes\"",
    "server_cpulist \"\"",
    "bio_cpulist \"\"",
    "aof_rewrite_cpulist \"\"",
    "bgsave_cpulist \"\"",
];

/// Directives whose effect on the running server gets in the way of comparing words.
const NOT_SET: [&str; 7] = ["requirepass", "port", "bind", "tls-port", "dir", "activedefrag", "maxclients"];

struct Redis {
    process: Child,
    stream: BufReader<TcpStream>,
}

impl Redis {
    fn start(port: u16) -> Self {
        let process = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--dir",
                "/tmp",
                "--enable-protected-configs",
                "yes",
                "--save",
                "3600 1 300 100 60 10000",
            ])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let stream = loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(stream) => break stream,
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        };
        Self { process, stream: BufReader::new(stream) }
    }

    fn call(&mut self, words: &[&str]) -> Vec<String> {
        let bulks = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
        let request = format!("*{}\r\n{}", words.len(), bulks.collect::<String>());
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let mut reply = Vec::new();
        self.read(&mut reply);
        reply
    }

    fn read(&mut self, reply: &mut Vec<String>) {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        let line = line.trim_end();
        let length = || line[1..].parse::<usize>().unwrap();
        match line.as_bytes()[0] {
            b'$' => {
                let mut bulk = vec![0; length() + 2];
                self.stream.read_exact(&mut bulk).unwrap();
                bulk.truncate(bulk.len() - 2);
                reply.push(String::from_utf8_lossy(&bulk).into_owned());
            }
            b'*' => (0..length()).for_each(|_| self.read(reply)),
            b'-' => reply.push(line[1..].to_owned()),
            _ => reply.push(line[1..].to_owned()),
        }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn pairs(reply: &[String]) -> BTreeMap<String, String> {
    reply.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

fn ours(config: &Config, pattern: &str) -> BTreeMap<String, String> {
    let found = config.get(&[pattern]).into_iter();
    found.map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned())).collect()
}

#[test]
#[ignore = "needs redis-server"]
fn names_and_defaults_are_those_of_redis() {
    let mut redis = Redis::start(21210);
    let config = Config::parse_text(b"port 21210\ndir /tmp\nenable-protected-configs yes").unwrap();
    let (theirs, ours) = (pairs(&redis.call(&["config", "get", "*"])), ours(&config, "*"));
    let missing: Vec<_> = theirs.keys().filter(|name| !ours.contains_key(*name)).collect();
    let differing: Vec<_> =
        theirs.iter().filter(|(name, value)| ours.get(*name).is_some_and(|own| own != *value)).collect();
    let extra: Vec<_> = ours.keys().filter(|name| !theirs.contains_key(*name)).collect();
    println!("{} names, only here: {extra:?}", theirs.len());
    assert!(missing.is_empty(), "missing {missing:?}");
    assert!(differing.is_empty(), "differing {differing:?}");
}

#[test]
#[ignore = "needs redis-server"]
fn values_are_accepted_and_refused_as_by_redis() {
    let mut redis = Redis::start(21211);
    let mut config = Config::parse_text(b"port 21211\nenable-protected-configs yes").unwrap();
    let names: Vec<String> = pairs(&redis.call(&["config", "get", "*"])).into_keys().collect();
    let (mut compared, mut different) = (0, Vec::new());
    for name in names.iter().filter(|name| !NOT_SET.contains(&name.as_str())) {
        for value in VALUES {
            let before = redis.call(&["config", "get", name]).remove(1);
            let theirs = redis.call(&["config", "set", name, value]).remove(0);
            let result = config.set(&[(name, value)], ANYTHING);
            let own = result.map_or_else(|error| error.to_string(), |_| "OK".to_owned());
            let (their_value, own_value) =
                (redis.call(&["config", "get", name]).remove(1), ours(&config, name)[name].clone());
            compared += 1;
            if (&theirs, &their_value) != (&own, &own_value) {
                different.push(format!("{name} {value:?}: {theirs} [{their_value}] here {own} [{own_value}]"));
            }
            if their_value != before || own_value != before {
                redis.call(&["config", "set", name, &before]);
                let _ = config.set(&[(name, &before)], ANYTHING);
            }
        }
    }
    println!("{compared} compared, {} different\n{}", different.len(), different.join("\n"));
    different.retain(|line| !KNOWN.iter().any(|known| line.starts_with(known)));
    assert!(different.is_empty(), "{different:#?}");
}

/// The reason a server gives for not starting with `lines` as options, which end with one that is wrong anyway.
fn reason_of_redis(name: &str, value: &str) -> String {
    let arguments = ["--port", "0", &format!("--{name}"), value, "--maxmemory-samples", "sentinel"];
    let output = Command::new("redis-server").args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    text.trim_end().lines().last().unwrap_or_default().to_owned()
}

#[test]
#[ignore = "needs redis-server"]
fn files_are_refused_for_the_same_reasons() {
    let (mut compared, mut different) = (0, Vec::new());
    for directive in directives::all() {
        for value in ["", "abc", "-1", "1 2", "no", "999999999999"] {
            let line = [b"port 0\n", directive.name().as_bytes(), b" "].concat();
            let tail = b"\nmaxmemory-samples sentinel";
            let text = [line.as_slice(), &crate::config::grammar::quoted(value.as_bytes()), tail].concat();
            let own = Config::parse_text(&text).unwrap_err().to_string();
            let theirs = reason_of_redis(directive.name(), value);
            if theirs == "Bad directive or wrong number of arguments" {
                break;
            }
            compared += 1;
            if own.lines().last() != Some(&theirs) {
                different.push(format!("{} {value:?}: {theirs} / {}", directive.name(), own.lines().last().unwrap()));
            }
        }
    }
    println!("{compared} compared");
    assert!(different.is_empty(), "{different:#?}");
}
