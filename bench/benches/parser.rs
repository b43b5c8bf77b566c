//! Reading requests and writing replies: nanoseconds per command, without a socket.

#![allow(missing_docs, reason = "criterion's macros make public functions without documentation")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use net::resp::{Parsed, Parser, Reply, Resp};
use net::service::InputLimits;

const PIPELINE: usize = 64;

fn limits() -> InputLimits {
    InputLimits { bulk_bytes_max: 512 << 20, query_buffer_bytes_max: 1 << 30, unauthenticated: false }
}

fn request(args: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        bytes.extend_from_slice(format!("${}\r\n{arg}\r\n", arg.len()).as_bytes());
    }
    bytes
}

/// Parses everything in `input`; gives the number of arguments, so that nothing is optimised away.
fn parse_all(parser: &mut Parser, mut input: &[u8]) -> usize {
    let mut arguments = 0;
    while !input.is_empty() {
        match parser.advance(input, limits) {
            Ok(Parsed::Command(len)) => {
                arguments += parser.args(input).len();
                parser.reset();
                input = &input[len..];
            }
            other => panic!("the input is whole commands, but: {other:?}"),
        }
    }
    arguments
}

fn parsing(criterion: &mut Criterion) {
    let value = "x".repeat(64);
    let mset: Vec<&str> =
        std::iter::once("MSET").chain(std::iter::repeat_n(["key:000000000042", &value], 10).flatten()).collect();
    let cases = [
        ("get", request(&["GET", "key:000000000042"])),
        ("set", request(&["SET", "key:000000000042", &value])),
        ("set with options", request(&["SET", "key:000000000042", &value, "EX", "100", "NX"])),
        ("mset of 10", request(&mset)),
        ("inline get", b"GET key:000000000042\r\n".to_vec()),
        ("4 KiB value", request(&["SET", "key:000000000042", &"x".repeat(4096)])),
    ];
    let mut group = criterion.benchmark_group("parse");
    for (name, command) in cases {
        let input = command.repeat(PIPELINE);
        group.throughput(Throughput::Elements(PIPELINE as u64));
        group.bench_function(name, |bencher| {
            let mut parser = Parser::new();
            bencher.iter(|| parse_all(&mut parser, black_box(&input)));
        });
    }
    group.finish();
}

fn replying(criterion: &mut Criterion) {
    let value = vec![b'x'; 64];
    let mut out = Vec::with_capacity(64 * 1024);
    let mut group = criterion.benchmark_group("reply");
    group.throughput(Throughput::Elements(PIPELINE as u64));
    let mut case = |name: &str, write: &dyn Fn(&mut Reply<'_>)| {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                for _ in 0..PIPELINE {
                    write(&mut Reply::new(black_box(&mut out), Resp::V2));
                }
                out.len()
            });
        });
    };
    case("ok", &|reply| reply.ok());
    case("integer", &|reply| reply.integer(black_box(1_234_567)));
    case("bulk of 64 bytes", &|reply| reply.bulk(black_box(&value)));
    case("null", &|reply| reply.null());
    group.finish();
}

criterion_group!(benches, parsing, replying);
criterion_main!(benches);
