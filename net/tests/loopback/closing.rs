//! The ends of connections, and of the loop.

use std::io::Write;
use std::net::Shutdown;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use net::{Flow, Listener};

use crate::service::{Options, Order, Server};
use crate::{check, command, expect, expect_end};

#[test]
fn a_half_closed_client_gets_its_replies() {
    let server = Server::start();
    let mut client = server.connect();
    client.write_all(&command(&[b"PING"]).repeat(10_000)).expect("taken");
    client.write_all(b"ECHO unfinished").expect("taken");
    client.shutdown(Shutdown::Write).expect("half closed");
    expect_end(&mut client, &b"+PONG\r\n".repeat(10_000));
    server.until("it is closed", |seen| seen.closed.load(SeqCst) == 1);
}

#[test]
fn a_half_closed_client_that_reads_late_gets_all() {
    let server = Server::start();
    let mut client = server.connect();
    let value = vec![b'e'; 10_000];
    client.write_all(&command(&[b"ECHO", &value]).repeat(3000)).expect("taken");
    client.shutdown(Shutdown::Write).expect("half closed");
    std::thread::sleep(Duration::from_millis(100));
    for _ in 0..3000 {
        expect(&mut client, &[b"$10000\r\n", &value[..], b"\r\n"].concat());
    }
    expect_end(&mut client, b"");
}

#[test]
fn a_held_client_that_leaves_is_closed() {
    let server = Server::start();
    let mut client = server.connect();
    client.write_all(b"HOLD\r\nPING\r\n").expect("taken");
    server.until("it is held", |seen| seen.commands.load(SeqCst) == 1);
    drop(client);
    server.until("it is closed", |seen| seen.closed.load(SeqCst) == 1);
    assert_eq!(server.seen.commands.load(SeqCst), 1);
}

#[test]
fn a_held_client_with_replies_to_come_is_kept_until_they_came() {
    let server = Server::with(Options { end: Flow::Hold, ..Options::default() });
    let mut client = server.connect();
    client.write_all(b"HOLD\r\nPING\r\n").expect("taken");
    client.shutdown(Shutdown::Write).expect("half closed");
    server.until("it is held", |seen| seen.commands.load(SeqCst) == 1);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(server.seen.closed.load(SeqCst), 0);
    server.order(Order::ResumeAll);
    expect_end(&mut client, b"+RESUMED\r\n+PONG\r\n");
}

#[test]
fn the_service_closes() {
    let server = Server::start();
    let mut client = server.connect();
    client.write_all(b"PING\r\nQUIT\r\nPING\r\n").expect("taken");
    expect_end(&mut client, b"+PONG\r\n+OK\r\n");
    let mut client = server.connect();
    client.write_all(b"LATE\r\n").expect("taken");
    expect_end(&mut client, b"+LATE\r\n");
    let mut client = server.connect();
    check(&mut client, b"PING\r\n", b"+PONG\r\n");
    server.order(Order::CloseAll);
    expect_end(&mut client, b"");
}

#[test]
fn a_client_that_leaves_in_the_middle_of_a_large_value() {
    let server = Server::start();
    let request = command(&[b"SET", b"big", &vec![0; 8 << 20]]);
    for (round, sent) in [1 << 20, 3 << 20, 5 << 20, 7 << 20].into_iter().enumerate() {
        let mut client = server.connect();
        client.write_all(&request[..sent]).expect("taken");
        if round % 2 == 0 {
            client.shutdown(Shutdown::Write).expect("half closed");
            expect_end(&mut client, b"");
        }
        drop(client);
        server.until("it is closed", |seen| seen.closed.load(SeqCst) == round + 1);
    }
    let mut client = server.connect();
    client.write_all(&request[..1 << 20]).expect("taken");
    std::thread::sleep(Duration::from_millis(20));
    server.order(Order::CloseAll);
    expect_end(&mut client, b"");
    let mut client = server.connect();
    client.write_all(&request[..1 << 20]).expect("taken");
    assert_eq!(server.seen.commands.load(SeqCst), 0);
}

#[test]
fn slots_are_reused() {
    let server = Server::start();
    for round in 1..=300 {
        let mut client = server.connect();
        check(&mut client, b"PING\r\n", b"+PONG\r\n");
        drop(client);
        server.until("it is closed", |seen| seen.closed.load(SeqCst) == round);
    }
    assert!(server.seen.largest_slot.load(SeqCst) <= 1);
}

#[test]
fn many_clients_come_and_go() {
    let server = Server::start();
    for _ in 0..5 {
        let mut clients: Vec<_> = (0..400).map(|_| server.connect()).collect();
        for client in &mut clients {
            client.write_all(b"PING\r\n").expect("taken");
        }
        for (number, client) in clients.iter_mut().enumerate() {
            if number % 3 != 0 {
                expect(client, b"+PONG\r\n");
            }
        }
    }
    server.until("all are closed", |seen| seen.closed.load(SeqCst) == 2000);
    assert_eq!(server.seen.opened.load(SeqCst), 2000);
    assert!(server.seen.largest_slot.load(SeqCst) < 1200);
}

#[test]
fn a_stop_writes_what_is_to_be_written() {
    let server = Server::start();
    let mut client = server.connect();
    let value = vec![b'e'; 1 << 20];
    client.write_all(&command(&[b"ECHO", &value])).expect("taken");
    expect(&mut client, b"$1048576\r\n");
    server.order(Order::Stop);
    expect_end(&mut client, &[&value[..], b"\r\n"].concat());
}

#[test]
fn unix_sockets_too() {
    use std::os::unix::net::UnixStream;
    let path = std::env::temp_dir().join(format!("net-loopback-{}.sock", std::process::id()));
    let path = path.to_str().expect("a path in Unicode").to_owned();
    let listener = Listener::unix(&path, Some(0o700), 511).expect("a Unix socket");
    let server = Server::on(vec![listener], ([127, 0, 0, 1], 0).into(), Options::default());
    let mut client = UnixStream::connect(&path).expect("the server accepts");
    client.write_all(b"PING\r\n").expect("taken");
    let mut reply = [0; 7];
    std::io::Read::read_exact(&mut client, &mut reply).expect("a reply");
    assert_eq!(&reply, b"+PONG\r\n");
    drop(client);
    server.until("it is closed", |seen| seen.closed.load(SeqCst) == 1);
    drop(server);
    assert!(!std::path::Path::new(&path).exists());
}
