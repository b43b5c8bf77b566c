//! Many clients that do anything at all, seeded; the loop checks its books between turns.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::command;
use crate::service::{Options, Order, Server};

/// What a client does with one connection. Returns whether it was answered in full.
fn visit(server: &Server, random: &mut SmallRng) -> bool {
    let mut client = server.connect();
    let _ = client.set_nodelay(true);
    let (mut request, mut reply) = (Vec::new(), Vec::new());
    for number in 0..random.random_range(1..40) {
        let len = match random.random_range(0..30) {
            0 => random.random_range(0..300_000),
            1 if random.random_ratio(1, 5) => random.random_range(0..4_000_000),
            1..5 => random.random_range(0..9_000),
            _ => random.random_range(0..40),
        };
        let value = vec![b'a' + number as u8 % 26; len];
        request.extend_from_slice(&command(&[b"ECHO", &value]));
        reply.extend_from_slice(format!("${len}\r\n").as_bytes());
        reply.extend_from_slice(&value);
        reply.extend_from_slice(b"\r\n");
    }
    if random.random_ratio(1, 4) {
        return misbehave(client, &request, random);
    }
    let mut reader = client.try_clone().expect("a second handle");
    let late = random.random_ratio(1, 3);
    let expected = reply.len();
    let reading = std::thread::spawn(move || {
        if late {
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut received = vec![0; expected];
        reader.read_exact(&mut received).expect("the replies");
        received
    });
    let mut rest = &request[..];
    while !rest.is_empty() {
        let piece = random.random_range(1..=rest.len().min(60_000));
        client.write_all(&rest[..piece]).expect("taken");
        rest = &rest[piece..];
        if random.random_ratio(1, 5) {
            std::thread::sleep(Duration::from_micros(random.random_range(0..800)));
        }
    }
    if random.random_ratio(1, 3) {
        client.shutdown(Shutdown::Write).expect("half closed");
    }
    assert!(reading.join().expect("the reader") == reply, "the replies are right and in order");
    true
}

/// Leaves in one of many rude ways.
fn misbehave(mut client: TcpStream, request: &[u8], random: &mut SmallRng) -> bool {
    let sent = random.random_range(0..=request.len());
    let _ = client.write_all(&request[..sent]);
    match random.random_range(0..4) {
        0 => drop(client.write_all(b"*1\r\n!\r\n")),
        1 => drop(client.write_all(b"\r\nPOST /\r\n")),
        2 => drop(client.shutdown(Shutdown::Both)),
        _ => {}
    }
    if random.random_ratio(1, 2) {
        let mut some = vec![0; random.random_range(1..5000)];
        let _ = client.set_read_timeout(Some(Duration::from_millis(5)));
        let _ = client.read(&mut some);
    }
    false
}

fn storm(options: Options) {
    let server = Server::with(options);
    let deadline = Instant::now() + Duration::from_secs(3);
    let answered: usize = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|seed| {
                let server = &server;
                scope.spawn(move || {
                    let mut random = SmallRng::seed_from_u64(seed);
                    let mut answered = 0;
                    while Instant::now() < deadline {
                        answered += usize::from(visit(server, &mut random));
                    }
                    answered
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().expect("a client")).sum()
    });
    assert!(answered > 50, "{answered} clients were answered in full");
    server.until("all are closed", |seen| seen.closed.load(SeqCst) == seen.opened.load(SeqCst));
    server.order(Order::CloseAll);
}

#[test]
fn clients_that_do_anything() {
    storm(Options::default());
}

#[test]
fn clients_that_do_anything_to_a_loop_that_sleeps_elsewhere() {
    storm(Options { sleep_outside: true, ..Options::default() });
}
