//! Bytes of resident memory for each key, all in, for the string rows of the density targets.
//!
//! usage: `cargo run --release -p storage --example density [-- COUNT...]`
//!
//! Each row fills a fresh database in a child process and reports the growth of the resident set.

#![allow(clippy::print_stdout, reason = "a measuring tool talks to its terminal")]

use std::process::Command;

use storage::{Access, Database, Expiry, StringValue, UnixMillis};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const ROWS: [&str; 6] = ["16", "64", "64-ttl", "256", "int", "churn"];

fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages = text.split_whitespace().nth(1).and_then(|field| field.parse::<usize>().ok());
    pages.expect("its second field is a number") * 4096
}

fn fill(db: &mut Database, row: &str, count: usize) {
    let value_len = match row {
        "256" => 256,
        "64" | "64-ttl" => 64,
        _ => 16,
    };
    let mut state = 7_u64;
    for number in 0..count {
        let key = format!("key:{number:012}");
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let expire = if row == "64-ttl" {
            Expiry::At(UnixMillis(1_700_000_000_000 + 1_000 * (number as i64 % 1_000)))
        } else {
            Expiry::Clear
        };
        if row == "int" {
            let text = number.to_string();
            db.set_string(&key, StringValue::Bytes(text.as_bytes()), expire, Access::default());
        } else {
            let mut value = format!("{state:016x}").repeat(16).into_bytes();
            value.truncate(value_len);
            db.set_string(&key, StringValue::Bytes(&value), expire, Access::default());
        }
    }
}

/// Fill, delete three quarters at random, fill again with values of another size; compared with a fresh fill of the same.
fn churn(count: usize) {
    let before = resident_bytes();
    let mut db = Database::new();
    fill(&mut db, "16", count);
    let full = resident_bytes() - before;
    let mut state = 7_u64;
    for number in 0..count {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        if state >> 62 != 0 {
            db.delete(&format!("key:{number:012}"));
        }
    }
    let deleted = resident_bytes() - before;
    while db.defragment_step(1_000) {}
    for number in count..2 * count - db.len() {
        let value = [b'v'; 24];
        db.set_string(&format!("key:{number:012}"), StringValue::Bytes(&value), Expiry::Clear, Access::default());
    }
    let refilled = resident_bytes() - before;
    println!(
        "churn   {count:>9} keys  full {:.1}  after deletes {:.1}  refilled with 24 B {:.1} bytes a key",
        full as f64 / count as f64,
        deleted as f64 / count as f64,
        refilled as f64 / count as f64
    );
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, row, count] = arguments.as_slice()
        && flag == "--row"
    {
        let count = count.parse().expect("a count is a number");
        if row == "churn" {
            churn(count);
            return;
        }
        let before = resident_bytes();
        let mut db = Database::new();
        fill(&mut db, row, count);
        let grown = resident_bytes() - before;
        let memory = db.memory();
        println!(
            "{row:<7} {count:>9} keys  {:6.2} bytes a key   (table {:.2}, blocks {:.2}, pages {:.2})",
            grown as f64 / count as f64,
            memory.table as f64 / count as f64,
            memory.blocks as f64 / count as f64,
            memory.pages as f64 / count as f64,
        );
        return;
    }
    let program = std::env::current_exe().expect("a program knows its path");
    let default = ["1000000", "1300000", "1700000"].map(String::from).to_vec();
    for row in ROWS {
        for count in if arguments.is_empty() { &default } else { &arguments } {
            let status = Command::new(&program).args(["--row", row, count]).status();
            assert!(status.expect("it can start itself").success());
        }
    }
}
