//! Bytes of resident memory for each entry of a stream, all in.
//!
//! usage: `cargo run --release -p storage --example stream_density [-- ENTRIES [STREAMS]]`
//!
//! The entries are those of the density targets: three fields with 30 bytes of text, a thousand or so in a millisecond,
//! dealt out to the streams in turn. Then each stream gets a group that reads all and acknowledges nothing.

#![allow(clippy::print_stdout, reason = "a measuring tool talks to its terminal")]

use std::time::Instant;

use storage::UnixMillis;
use storage::types::stream::{NewId, Stream, StreamId, StreamLimits};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const ENTRIES_PER_MS: u64 = 500;

fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages = text.split_whitespace().nth(1).and_then(|field| field.parse::<usize>().ok());
    pages.expect("its second field is a number") * 4096
}

fn report(what: &str, entries: u64, resident: usize, counted: usize, started: Instant) {
    let each = |bytes: usize| bytes as f64 / entries as f64;
    let nanos = started.elapsed().as_nanos() as f64 / entries as f64;
    println!("{what:<9} {:6.2} bytes each resident, {:6.2} counted, {nanos:5.0} ns", each(resident), each(counted));
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("arguments are counts"));
    let entries = arguments.next().unwrap_or(1_000_000);
    let streams = arguments.next().unwrap_or(10);
    let before = resident_bytes();
    let started = Instant::now();
    let mut all: Vec<Stream> = (0..streams).map(|_| Stream::new()).collect();
    for number in 0..entries {
        let (sensor, temp) = ((number % 100).to_string(), (20 + number % 15).to_string());
        let note = format!("{:08x}", number.wrapping_mul(0x9e37_79b9) as u32);
        let fields = [("sensor", &sensor), ("temp", &temp), ("note", &note)];
        let fields = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let now = UnixMillis(1_700_000_000_000 + (number / ENTRIES_PER_MS) as i64);
        let stream = &mut all[(number % streams) as usize];
        stream.append(NewId::Auto, fields, now, StreamLimits::default()).expect("the clock does not go back");
    }
    let filled = resident_bytes();
    let counted = |all: &[Stream]| all.iter().map(|stream| size_of::<Stream>() + stream.heap_bytes()).sum::<usize>();
    let of_entries = counted(&all);
    report("entries", entries, filled - before, of_entries, started);

    let started = Instant::now();
    let read: usize = all.iter().map(|stream| stream.range(StreamId::MIN, StreamId::MAX).count()).sum();
    assert_eq!(read as u64, entries);
    println!("read      {:5.0} ns", started.elapsed().as_nanos() as f64 / entries as f64);

    let started = Instant::now();
    let now = UnixMillis(1_700_000_000_000);
    for stream in &mut all {
        stream.create_group(b"group", StreamId::MIN, None);
        let consumer = stream.edit_group(b"group", |group| group.create_consumer(b"consumer", now)).flatten();
        let delivery = stream.deliver(b"group", consumer.expect("it is new"), false, now);
        delivery.expect("the group was just created").for_each(drop);
    }
    report("pending", entries, resident_bytes() - filled, counted(&all) - of_entries, started);
}
