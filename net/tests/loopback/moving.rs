//! Listening elsewhere while clients are connected.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::check;
use crate::service::Server;

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("it is bound").port()
}

fn connect(host: [u8; 4], port: u16) -> TcpStream {
    let stream = TcpStream::connect(SocketAddr::from((host, port))).expect("the server accepts");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
    stream
}

#[test]
fn a_loop_accepts_where_it_is_told_to_and_keeps_its_clients() {
    let server = Server::start();
    let mut first = server.connect();
    check(&mut first, b"PING\r\n", b"+PONG\r\n");
    // Places of ended accepts are used again, so that many changes are like few.
    let mut before = server.address.port();
    for _ in 0..20 {
        let port = free_port();
        server.listeners.change_tcp(&["127.0.0.1"], port, 511).expect("a free port");
        check(&mut connect([127, 0, 0, 1], port), b"PING\r\n", b"+PONG\r\n");
        assert!(TcpStream::connect(("127.0.0.1", before)).is_err(), "nobody listens there any more");
        check(&mut first, b"PING\r\n", b"+PONG\r\n");
        before = port;
    }
}

#[test]
fn an_accept_in_the_ring_does_not_hold_the_address() {
    let server = Server::start();
    let port = server.address.port();
    let mut first = server.connect();
    check(&mut first, b"PING\r\n", b"+PONG\r\n");
    for _ in 0..10 {
        server.listeners.change_tcp(&["*"], port, 511).expect("the address in the way is the server's own");
        check(&mut connect([127, 0, 0, 2], port), b"PING\r\n", b"+PONG\r\n");
        server.listeners.change_tcp(&["127.0.0.1"], port, 511).expect("the address in the way is the server's own");
        check(&mut connect([127, 0, 0, 1], port), b"PING\r\n", b"+PONG\r\n");
        check(&mut first, b"PING\r\n", b"+PONG\r\n");
    }
}

#[test]
fn a_failed_change_goes_on_accepting() {
    let server = Server::start();
    let port = server.address.port();
    let _other = TcpListener::bind(("127.0.0.2", port)).expect("another address");
    for _ in 0..10 {
        server.listeners.change_tcp(&["*"], port, 511).expect_err("127.0.0.2 is somebody else's");
        check(&mut connect([127, 0, 0, 1], port), b"PING\r\n", b"+PONG\r\n");
    }
}
