//! Many connections, hostile ones among them, and readers that stop: the server stays small and serves the others.
//!
//! Tests take seconds in CI; `TESSERA_LOAD_CONNECTIONS` and `TESSERA_LOAD_READER_MIB` set other sizes.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::client::encode_line;
use crate::support::process::{cpu_time, raise_file_limit, rss_bytes, signal};
use crate::support::{Client, Launch, Random, Server, Value, each_target, eventually, number_from_env, targets};

/// Files that a process needs besides its connections.
const OTHER_FILES: u64 = 500;

#[test]
fn ten_thousand_connections_are_served() {
    let limit = raise_file_limit();
    let wanted = number_from_env("TESSERA_LOAD_CONNECTIONS").unwrap_or(10_000);
    let count = wanted.min(limit - OTHER_FILES);
    eprintln!("{count} connections (at most {limit} files)");
    for target in targets() {
        let server = Launch::new(target).args(&["--maxclients", "20000", "--tcp-backlog", "4096"]).start();
        let before = rss_bytes(server.pid());
        let mut clients: Vec<Client> = (0..count).map(|_| server.client()).collect();
        for client in &mut clients {
            client.send(&["INCR", "count"]);
        }
        let mut sum = 0;
        for client in &mut clients {
            sum += client.read().integer();
        }
        assert_eq!(sum, (count * (count + 1) / 2) as i64, "every INCR has its own answer");
        let per_connection = rss_bytes(server.pid()).saturating_sub(before) / count;
        let idle = idle_cpu(&server);
        eprintln!("{target:?}: {per_connection} bytes of RSS per connection, {idle:.2} % CPU when idle");
        if server.is_tessera() {
            assert!(per_connection < 8 * 1024, "{per_connection} bytes of RSS per connection");
            assert!(idle < 10.0, "{idle:.1} % CPU while nothing happens");
        }
        send_garbage(&mut clients[..100.min(count as usize / 2)]);
        let rest = &mut clients[count as usize / 2..];
        for client in rest.iter_mut() {
            client.send(&["GET", "count"]);
        }
        for client in rest.iter_mut() {
            assert_eq!(client.read(), Value::bulk(count.to_string()));
        }
        drop(clients);
        eventually("all connections to be gone", || server.info("clients", "connected_clients") == "1");
    }
}

fn idle_cpu(server: &Server) -> f64 {
    let (start, used) = (Instant::now(), cpu_time(server.pid()));
    thread::sleep(Duration::from_secs(1));
    cpu_time(server.pid()).saturating_sub(used).as_secs_f64() / start.elapsed().as_secs_f64() * 100.0
}

fn send_garbage(clients: &mut [Client]) {
    let mut random = Random::new(11);
    for client in clients {
        let mut bytes = random.bytes(2_000);
        if random.below(2) == 0 {
            bytes.splice(0..0, *b"*3\r\n$3\r\nSET\r\n$100000000\r\n");
        }
        // The server may have closed the connection at the first bytes.
        let _ = client.try_raw(&bytes);
    }
}

/// The environment variable that tells [`reader_child`] what to do.
const READER: &str = "TESSERA_TEST_READER";

/// A child process that asks for many replies in one pipeline and counts what comes: `PORT MIB` in the environment.
#[test]
#[ignore = "a helper process that another test starts"]
fn reader_child() {
    let Ok(order) = std::env::var(READER) else { return };
    let (port, mib) = order.split_once(' ').unwrap();
    let (port, mib): (u16, usize) = (port.parse().unwrap(), mib.parse().unwrap());
    let mut client = Client::connect(port);
    client.set_patience(Duration::from_secs(120));
    let mut writer = client.writer();
    let writing = thread::spawn(move || {
        let mut request = Vec::new();
        for _ in 0..mib {
            encode_line(&mut request, "GET mebibyte");
        }
        writer.write_all(&request).unwrap();
    });
    for n in 0..mib {
        let reply = client.read();
        assert_eq!(reply.as_bytes().map(<[u8]>::len), Some(1024 * 1024), "reply {n}");
    }
    writing.join().unwrap();
}

fn start_reader(server: &Server, mib: u64) -> Child {
    let mut command = Command::new(std::env::current_exe().expect("this program runs from a file"));
    command.args(["--exact", "load::reader_child", "--ignored", "--test-threads", "1"]);
    command.env(READER, format!("{} {mib}", server.port()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().expect("this program runs")
}

#[test]
fn a_stopped_reader_costs_bounded_memory() {
    let mib = number_from_env("TESSERA_LOAD_READER_MIB").unwrap_or(512);
    each_target(|server| {
        let mut other = server.client();
        other.call(&[b"SET".as_slice(), b"mebibyte", &vec![b'x'; 1024 * 1024]]);
        let before = rss_bytes(server.pid());
        let mut child = start_reader(server, mib);
        eventually("the reader to begin", || other.must("CLIENT LIST").text().contains("cmd=get "));
        signal(child.id(), libc::SIGSTOP);
        let (mut worst, mut peak) = (Duration::ZERO, 0);
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(2) {
            let sent = Instant::now();
            assert_eq!(other.line("SET key value"), Value::ok());
            worst = worst.max(sent.elapsed());
            peak = peak.max(rss_bytes(server.pid()).saturating_sub(before));
            thread::sleep(Duration::from_millis(2));
        }
        eprintln!("{:?}: {} MiB more, others waited {worst:?}", server.target(), peak >> 20);
        if server.is_tessera() {
            assert!(peak < 256 << 20, "{} MiB for one stopped reader", peak >> 20);
            assert!(worst < Duration::from_secs(1), "another client waited {worst:?}");
        }
        signal(child.id(), libc::SIGCONT);
        let status = child.wait().unwrap();
        assert!(status.success(), "the reader did not get all its replies: {status}");
    });
}

#[test]
fn many_stopped_readers_do_not_stop_the_server() {
    each_target(|server| {
        let mut other = server.client();
        other.call(&[b"SET".as_slice(), b"part", &vec![b'x'; 16 * 1024]]);
        let mut lazy: Vec<Client> = (0..50).map(|_| server.client()).collect();
        let mut request = Vec::new();
        for _ in 0..64 {
            encode_line(&mut request, "GET part");
        }
        for client in &mut lazy {
            client.raw(&request);
        }
        let started = Instant::now();
        for n in 0..2_000 {
            assert_eq!(other.line(&format!("SET key:{n} value")), Value::ok());
        }
        assert!(started.elapsed() < Duration::from_secs(20), "2,000 SETs took {:?}", started.elapsed());
        for client in &mut lazy {
            assert!(client.read_many(64).iter().all(|reply| reply.as_bytes().is_some_and(|b| b.len() == 16 * 1024)));
        }
    });
}
