//! `redis-benchmark` as the source of load, confined to cores the server does not use.

use std::io;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::client::{Client, encode};
use crate::cpu::{self, Cores};
use crate::server::Server;

/// Keys that random commands choose from.
pub const KEYS: usize = 100_000;
/// Bytes of a value.
const VALUE_BYTES: usize = 64;
/// Connections.
const CLIENTS: usize = 50;

/// One kind of request, sent in one way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Workload {
    /// `redis-benchmark`'s name of the test.
    pub test: &'static str,
    /// Requests sent before their replies are read.
    pub pipeline: usize,
}

/// What a run cost.
#[derive(Clone, Copy)]
pub struct Cost {
    /// Requests per second.
    pub throughput: f64,
    /// Microseconds of the server's CPU per request.
    pub cpu_us: f64,
}

impl Workload {
    /// The command's name for a table.
    pub fn command(&self) -> String {
        let name = self.test.trim_end_matches("_mbulk").to_ascii_uppercase();
        if name == "MSET" { "MSET (10 keys)".to_owned() } else { name }
    }

    /// Requests that take a few seconds on one core.
    pub fn requests(&self, quick: bool) -> usize {
        let full = match self.pipeline {
            1 => 250_000,
            2..=16 => 1_500_000,
            _ => 2_500_000,
        };
        let full = if self.test == "mset" { full / 5 } else { full };
        if quick { full / 5 } else { full }
    }

    /// Loads `server` from the load's cores.
    pub fn run(&self, server: &Server, cores: &Cores, quick: bool) -> io::Result<Cost> {
        let load = Load { requests: self.requests(quick), clients: CLIENTS, pipeline: self.pipeline, range: KEYS };
        load.run(server, cores, &["-t", self.test])
    }
}

/// How much `redis-benchmark` is to ask for.
#[derive(Clone, Copy)]
pub struct Load {
    /// Requests in all.
    pub requests: usize,
    /// Connections.
    pub clients: usize,
    /// Requests sent before their replies are read.
    pub pipeline: usize,
    /// What `__rand_int__` is below.
    pub range: usize,
}

impl Load {
    /// Loads `server` from the load's cores; `what` are the words that say with what.
    pub fn run(&self, server: &Server, cores: &Cores, what: &[&str]) -> io::Result<Cost> {
        let mut command = Command::new("redis-benchmark");
        command.args(["-h", "127.0.0.1", "--csv"]);
        for (flag, number) in [
            ("-p", usize::from(server.port)),
            ("-c", self.clients),
            ("-n", self.requests),
            ("-P", self.pipeline),
            ("-d", VALUE_BYTES),
            ("-r", self.range),
        ] {
            command.args([flag, &number.to_string()]);
        }
        command.args(what);
        if cores.load_threads > 1 {
            command.args(["--threads", &cores.load_threads.to_string()]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let before = cpu::time_of(server.pid())?;
        let child = cpu::on_cores(&cores.load, || command.spawn()).map_err(|error| {
            io::Error::other(format!("redis-benchmark (package redis-tools) cannot be started: {error}"))
        })?;
        let output = child.wait_with_output()?;
        let used: Duration = cpu::time_of(server.pid())?.saturating_sub(before);
        let text = String::from_utf8_lossy(&output.stdout);
        let throughput = text.lines().last().and_then(second_field).ok_or_else(|| {
            io::Error::other(format!("redis-benchmark: {text}{}", String::from_utf8_lossy(&output.stderr)))
        })?;
        Ok(Cost { throughput, cpu_us: used.as_secs_f64() * 1e6 / self.requests as f64 })
    }
}

/// The number in the second column of a CSV line.
fn second_field(line: &str) -> Option<f64> {
    line.split(',').nth(1)?.trim_matches('"').parse().ok()
}

/// Writes every key that a random GET may ask for.
pub fn fill(server: &Server) -> io::Result<()> {
    let value = "x".repeat(VALUE_BYTES);
    Client::connect(server.port)?.fill(KEYS, |number, request| {
        encode(request, &["SET", &format!("key:{number:012}"), &value]);
    })
}
