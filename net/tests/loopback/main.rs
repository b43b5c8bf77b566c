//! The loop on real sockets: what a client sees, and what the loop does when the client misbehaves.
//!
//! One binary; each file tests one side of it against the small server of `service.rs`.

mod closing;
mod descriptors;
mod moving;
mod reading;
mod service;
mod storm;
mod writing;

use std::io::{Read, Write};
use std::net::TcpStream;

/// A command in multibulk form.
fn command(args: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        bytes.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        bytes.extend_from_slice(arg);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// Sends `request` and expects just `reply`.
fn check(stream: &mut TcpStream, request: &[u8], reply: &[u8]) {
    stream.write_all(request).expect("the request is taken");
    expect(stream, reply);
}

/// Expects `reply` next.
fn expect(stream: &mut TcpStream, reply: &[u8]) {
    let mut received = vec![0; reply.len()];
    stream.read_exact(&mut received).expect("a reply");
    assert!(received == reply, "got {}", received[..received.len().min(200)].escape_ascii());
}

/// Expects that the server closes, after `rest`.
fn expect_end(stream: &mut TcpStream, rest: &[u8]) {
    let mut received = Vec::new();
    match stream.read_to_end(&mut received) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "the server closes"),
    }
    assert!(received == rest, "got {}", received[..received.len().min(200)].escape_ascii());
}
