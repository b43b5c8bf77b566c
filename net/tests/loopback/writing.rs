//! Clients that do not read.

use std::io::{Read, Write};
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use net::limits::UNSENT_BYTES_MAX;

use crate::service::{Order, Server};
use crate::{check, command, expect, expect_end};

const MIB: usize = 1 << 20;

/// Fills the key `big` with a mebibyte.
fn store(server: &Server) -> Vec<u8> {
    let value = vec![b'v'; MIB];
    check(&mut server.connect(), &command(&[b"SET", b"big", &value]), b"+OK\r\n");
    [format!("${MIB}\r\n").as_bytes(), &value, b"\r\n"].concat()
}

#[test]
fn a_client_that_does_not_read_is_served_up_to_the_bound() {
    let server = Server::start();
    let reply = store(&server);
    let before = server.seen.commands.load(SeqCst);
    let mut client = server.connect();
    let requests = 200;
    client.write_all(&command(&[b"GET", b"big"]).repeat(requests)).expect("the pipeline is taken");
    server.until("the bound is reached", |seen| seen.unsent.load(SeqCst) > UNSENT_BYTES_MAX - 8 * MIB);
    std::thread::sleep(Duration::from_millis(100));
    let served = server.seen.commands.load(SeqCst) - before;
    assert!(served > 60 && served < 80, "{served} commands were executed");
    assert!(server.seen.unsent.load(SeqCst) <= UNSENT_BYTES_MAX + 2 * MIB);
    for _ in 0..requests {
        expect(&mut client, &reply);
    }
    check(&mut client, b"PING\r\n", b"+PONG\r\n");
    assert_eq!(server.seen.commands.load(SeqCst) - before, requests + 1);
}

#[test]
fn a_whole_pipeline_may_be_written_before_any_reply_is_read() {
    let server = Server::start();
    let mut client = server.connect();
    let value = vec![b'e'; 10_000];
    let requests = 3000;
    client.write_all(&command(&[b"ECHO", &value]).repeat(requests)).expect("30 MB of requests with no reply read");
    for _ in 0..requests {
        expect(&mut client, &[b"$10000\r\n", &value[..], b"\r\n"].concat());
    }
}

#[test]
fn a_client_that_leaves_during_a_send() {
    let server = Server::start();
    store(&server);
    for _ in 0..5 {
        let closed = server.seen.closed.load(SeqCst);
        let mut client = server.connect();
        client.write_all(&command(&[b"GET", b"big"]).repeat(20)).expect("taken");
        server.until("a send is in the ring", |seen| seen.in_flight.load(SeqCst) > 0);
        drop(client);
        server.until("it is closed", |seen| seen.closed.load(SeqCst) > closed);
    }
    assert!(server.seen.largest_slot.load(SeqCst) <= 2, "slots were reused");
}

#[test]
fn a_close_by_the_server_during_a_send() {
    let server = Server::start();
    store(&server);
    let mut client = server.connect();
    client.write_all(&command(&[b"GET", b"big"]).repeat(20)).expect("taken");
    server.until("a send is in the ring", |seen| seen.in_flight.load(SeqCst) > 0);
    let before = server.seen.closed.load(SeqCst);
    server.order(Order::CloseAll);
    server.until("it is closed", |seen| seen.closed.load(SeqCst) > before);
    let mut rest = Vec::new();
    let _ = client.read_to_end(&mut rest);
    assert!(rest.len() < 20 * MIB);
    check(&mut server.connect(), b"PING\r\n", b"+PONG\r\n");
}

#[test]
fn a_reply_is_written_whole_before_a_close() {
    let server = Server::start();
    let reply = store(&server);
    let mut client = server.connect();
    let request = [command(&[b"GET", b"big"]).repeat(20), command(&[b"QUIT"]), command(&[b"PING"])].concat();
    client.write_all(&request).expect("taken");
    std::thread::sleep(Duration::from_millis(50));
    expect_end(&mut client, &[reply.repeat(20), b"+OK\r\n".to_vec()].concat());
}
