//! Requests in all the ways in which they can arrive.

use std::io::Write;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::service::{Options, Order, Server};
use crate::{check, command, expect, expect_end};

#[test]
fn commands_in_all_forms() {
    let server = Server::start();
    let mut client = server.connect();
    check(&mut client, b"PING\r\n", b"+PONG\r\n");
    check(&mut client, b"*1\r\n$4\r\nPING\r\n\r\n*0\r\n*-1\r\nPING\n", b"+PONG\r\n+PONG\r\n");
    check(&mut client, b"ECHO \"a\\x41\"\r\n", b"$2\r\naA\r\n");
    check(&mut client, &command(&[b"SET", b"k", b"v"]), b"+OK\r\n");
    check(&mut client, &command(&[b"GET", b"k"]), b"$1\r\nv\r\n");
}

#[test]
fn a_command_byte_by_byte() {
    let server = Server::start();
    let mut client = server.connect();
    client.set_nodelay(true).expect("an option");
    for byte in command(&[b"ECHO", b"slowly"]).chunks(1) {
        client.write_all(byte).expect("a byte is taken");
        std::thread::sleep(Duration::from_millis(2));
    }
    expect(&mut client, b"$6\r\nslowly\r\n");
    server.until("the query buffer is freed", |seen| seen.query_capacity.load(SeqCst) == 0);
}

#[test]
fn a_pipeline_is_answered_in_order_and_in_turns() {
    let server = Server::start();
    let mut client = server.connect();
    let (mut request, mut reply) = (Vec::new(), Vec::new());
    for number in 0..20_000 {
        let text = number.to_string();
        request.extend_from_slice(&command(&[b"ECHO", text.as_bytes()]));
        reply.extend_from_slice(format!("${}\r\n{text}\r\n", text.len()).as_bytes());
    }
    let mut reader = client.try_clone().expect("a second handle");
    let reading = std::thread::spawn(move || expect(&mut reader, &reply));
    client.write_all(&request).expect("the pipeline is taken");
    reading.join().expect("all replies came in order");
    assert!(server.seen.most_commands_in_a_tick.load(SeqCst) <= 256);
}

#[test]
fn a_long_pipeline_does_not_starve_others() {
    let server = Server::start();
    let mut greedy = server.connect();
    let pipeline = command(&[b"PING"]).repeat(200_000);
    let mut reader = greedy.try_clone().expect("a second handle");
    let reading = std::thread::spawn(move || expect(&mut reader, &b"+PONG\r\n".repeat(200_000)));
    let writing = std::thread::spawn(move || greedy.write_all(&pipeline).expect("the pipeline is taken"));
    let mut other = server.connect();
    for _ in 0..50 {
        check(&mut other, b"PING\r\n", b"+PONG\r\n");
    }
    writing.join().expect("written");
    reading.join().expect("read");
}

#[test]
fn large_values_both_ways() {
    let server = Server::start();
    let mut client = server.connect();
    let value: Vec<u8> = (0..64 << 20).map(|i: u32| (i ^ i >> 11) as u8).collect();
    client.write_all(&command(&[b"SET", b"big", &value])).expect("the value is taken");
    expect(&mut client, b"+OK\r\n");
    assert_eq!(server.seen.query_capacity.load(SeqCst), 0, "the query buffer is freed");
    client.write_all(&command(&[b"GET", b"big"])).expect("the request is taken");
    expect(&mut client, format!("${}\r\n", value.len()).as_bytes());
    expect(&mut client, &value);
    expect(&mut client, b"\r\n");
    check(&mut client, b"PING\r\n", b"+PONG\r\n");
}

#[test]
fn large_values_of_all_sizes_between_small_commands() {
    let server = Server::start();
    let mut client = server.connect();
    let (mut request, mut reply) = (Vec::new(), Vec::new());
    for size in (1..40).map(|step| step * 37_777).chain([1 << 20, (1 << 20) + 1, 3 << 20]) {
        let value: Vec<u8> = (0..size).map(|i: usize| ((i * 31) >> 7) as u8).collect();
        request.extend_from_slice(&command(&[b"PING"]));
        request.extend_from_slice(&command(&[b"ECHO", &value]));
        reply.extend_from_slice(format!("+PONG\r\n${size}\r\n").as_bytes());
        reply.extend_from_slice(&value);
        reply.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(&command(&[b"COUNT", &vec![1; 300_000], b"x", &vec![2; 2_000_000], b"y"]));
    reply.extend_from_slice(b":5\r\n");
    let mut writer = client.try_clone().expect("a second handle");
    let writing = std::thread::spawn(move || writer.write_all(&request).expect("taken"));
    expect(&mut client, &reply);
    writing.join().expect("written");
}

#[test]
fn a_command_of_many_arguments_between_others() {
    let server = Server::start();
    let mut client = server.connect();
    let args: Vec<&[u8]> = std::iter::once(&b"COUNT"[..]).chain(std::iter::repeat_n(&b"abc"[..], 300_000)).collect();
    let request = [command(&[b"PING"]), command(&args), command(&[b"PING"])].concat();
    let mut writer = client.try_clone().expect("a second handle");
    let writing = std::thread::spawn(move || writer.write_all(&request).expect("taken"));
    expect(&mut client, b"+PONG\r\n:300001\r\n+PONG\r\n");
    writing.join().expect("written");
}

#[test]
fn what_is_not_resp_is_answered_and_closed() {
    let server = Server::start();
    let cases: &[(&[u8], &[u8])] = &[
        (b"PING\r\n*1\r\nx\r\nPING\r\n", b"+PONG\r\n-ERR Protocol error: expected '$', got 'x'\r\n"),
        (b"*\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
        (b"ECHO \"a\r\n", b"-ERR Protocol error: unbalanced quotes in request\r\n"),
        (b"POST / HTTP/1.1\r\nHost: x\r\n\r\n", b""),
        (b"host: x\r\n", b""),
    ];
    for (request, reply) in cases {
        let mut client = server.connect();
        client.write_all(request).expect("the request is taken");
        expect_end(&mut client, reply);
    }
}

#[test]
fn an_unfinished_command_over_the_query_limit_is_cut() {
    let mut options = Options::default();
    options.limits.query_buffer_bytes_max = 1 << 20;
    let server = Server::with(options);
    let mut client = server.connect();
    let _ = client.write_all(&command(&[b"COUNT", &vec![0; 3 << 20]]));
    expect_end(&mut client, b"");
    let mut client = server.connect();
    let big = vec![1; 900_000];
    client.write_all(&command(&[b"COUNT", &big, &big, &big])).expect("complete arguments do not count");
    expect(&mut client, b":4\r\n");
}

#[test]
fn a_held_connection_keeps_its_input() {
    let server = Server::start();
    let mut client = server.connect();
    client.write_all(b"HOLD\r\nPING\r\nHOLD\r\nECHO x\r\n").expect("taken");
    server.until("it is held", |seen| seen.commands.load(SeqCst) == 1);
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(server.seen.commands.load(SeqCst), 1);
    server.order(Order::ResumeAll);
    expect(&mut client, b"+RESUMED\r\n+PONG\r\n");
    server.order(Order::ResumeAll);
    expect(&mut client, b"+RESUMED\r\n$1\r\nx\r\n");
}

#[test]
fn a_held_connection_is_not_read_without_end() {
    let server = Server::start();
    let mut client = server.connect();
    client.write_all(b"HOLD\r\n").expect("taken");
    server.until("it is held", |seen| seen.commands.load(SeqCst) == 1);
    let mut writer = client.try_clone().expect("a second handle");
    let pings = 4_000_000;
    let writing = std::thread::spawn(move || writer.write_all(&b"PING\r\n".repeat(pings)).expect("taken in the end"));
    server.until("it is backed up", |seen| seen.query_capacity.load(SeqCst) > 200_000);
    std::thread::sleep(Duration::from_millis(200));
    let capacity = server.seen.query_capacity.load(SeqCst);
    assert!(capacity < 2 << 20, "{capacity} bytes were buffered");
    server.order(Order::ResumeAll);
    expect(&mut client, b"+RESUMED\r\n");
    expect(&mut client, &b"+PONG\r\n".repeat(pings));
    writing.join().expect("written");
}

#[test]
fn idle_costs_nothing_and_a_wake_ends_a_sleep() {
    let server = Server::start();
    let mut client = server.connect();
    check(&mut client, b"PING\r\n", b"+PONG\r\n");
    std::thread::sleep(Duration::from_millis(50));
    let before = server.seen.ticks.load(SeqCst);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(server.seen.ticks.load(SeqCst), before, "a sleeping loop does not turn");
    for round in 1..20 {
        server.order(Order::ResumeAll);
        server.until("it woke", |seen| seen.ticks.load(SeqCst) >= before + round);
    }
}
