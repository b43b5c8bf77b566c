//! What connections cost that do nothing: CPU of the whole process, memory per connection.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::cpu::{self, Cores};
use crate::server::{Candidate, Server};
use crate::table::Table;
use crate::{Plan, say};

/// Connections opened, if the limit on open files allows.
const CONNECTIONS: u64 = 10_000;
/// Files that this process needs besides.
const OTHER_FILES: u64 = 100;

struct Idle {
    cpu_alone: f64,
    cpu_connected: f64,
    bytes_per_connection: f64,
}

/// Opens idle connections to each server.
pub fn compare(plan: &Plan) -> io::Result<()> {
    let count = CONNECTIONS.min(cpu::raise_file_limit()?.saturating_sub(OTHER_FILES));
    say(&format!("## Idle: CPU of the process, and RSS per connection with {count} connections\n"))?;
    let header = ["server", "CPU %, no connection", "CPU %, all idle", "bytes per connection"];
    let mut table = Table::new(header.map(str::to_owned).to_vec());
    for candidate in plan.candidates() {
        let idle = measure(plan, &candidate, count)?;
        table.row(vec![
            candidate.name.clone(),
            format!("{:.2}", idle.cpu_alone),
            format!("{:.2}", idle.cpu_connected),
            format!("{:.0}", idle.bytes_per_connection),
        ]);
    }
    say(&table.to_string())
}

fn measure(plan: &Plan, candidate: &Candidate, count: u64) -> io::Result<Idle> {
    let cores = Cores::split(1)?;
    let server = candidate.start(plan.port, &cores.server)?;
    let time = Duration::from_secs(if plan.quick { 2 } else { 5 });
    thread::sleep(Duration::from_millis(500));
    let cpu_alone = cpu_percent(&server, time)?;
    let before = cpu::rss_bytes(server.pid())?;
    let mut clients = Vec::new();
    for _ in 0..count {
        let mut client = Client::connect(server.port)?;
        client.call(&["PING"])?;
        clients.push(client);
    }
    // Redis takes its time to shrink the buffers of clients that went idle: so may everybody.
    thread::sleep(Duration::from_secs(3));
    let cpu_connected = cpu_percent(&server, time)?;
    let grown = cpu::rss_bytes(server.pid())?.saturating_sub(before);
    Ok(Idle { cpu_alone, cpu_connected, bytes_per_connection: grown as f64 / count as f64 })
}

fn cpu_percent(server: &Server, time: Duration) -> io::Result<f64> {
    let (started, used) = (Instant::now(), cpu::time_of(server.pid())?);
    thread::sleep(time);
    let used = cpu::time_of(server.pid())?.saturating_sub(used);
    Ok(used.as_secs_f64() / started.elapsed().as_secs_f64() * 100.0)
}
