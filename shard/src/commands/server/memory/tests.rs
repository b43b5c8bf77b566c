//! The account and the doctor.

use net::{Reply, Resp};
use storage::Memory;

use super::{Account, CoreMemory, doctor, stats};
use crate::budget::Told;
use crate::memory::AllocatorStats;

fn account() -> Account {
    let mut cores = CoreMemory::default();
    let memory = Memory { table: 1 << 20, blocks: 5 << 20, pages: 6 << 20, outside: 1 << 20 };
    for keys in [600, 400] {
        cores.add(&CoreMemory {
            databases: vec![(keys, memory), Default::default()],
            clients: 10_000,
            held: Told::default(),
        });
    }
    let allocator = AllocatorStats { allocated: 20 << 20, active: 22 << 20, resident: 24 << 20 };
    Account {
        cores,
        allocator,
        used: 20 << 20,
        counted: 0,
        resident: 30 << 20,
        peak: 21 << 20,
        startup: 2 << 20,
        scripts: [0, 0],
    }
}

#[test]
fn cores_add_up() {
    let account = account();
    assert_eq!(account.keys(), 1000);
    assert_eq!(account.overhead(), (2 << 20) + (2 << 20) + 20_000);
    assert_eq!(account.dataset() + account.overhead(), account.used());
    assert_eq!(account.fragmentation(), (1.5, 10 << 20));
}

#[test]
fn stats_name_every_database_that_has_keys() {
    let mut out = Vec::new();
    stats::write(&account(), &mut Reply::new(&mut out, Resp::V3));
    let text = String::from_utf8(out).expect("ASCII");
    assert!(text.starts_with("%28\r\n"), "{text}");
    assert!(text.contains("$4\r\ndb.0\r\n%3\r\n") && !text.contains("db.1"));
    assert!(text.contains("keys.count\r\n:1000\r\n"));
    assert!(text.contains("fragmentation\r\n,1.5\r\n"));
}

#[test]
fn the_doctor_sees_what_is_out_of_the_ordinary() {
    let mut account = account();
    assert!(doctor::report(&account, 2).starts_with("Nothing is wrong"));
    account.peak = 100 << 20;
    account.resident = 100 << 20;
    let text = doctor::report(&account, 0);
    assert!(text.contains("* Peak:") && text.contains("* Process:") && !text.contains("* Clients:"), "{text}");
    account.used = 1 << 20;
    assert!(doctor::report(&account, 2).starts_with("Hardly any"));
}
