#![allow(clippy::unwrap_used, reason = "a test that fails loudly is what is wanted")]

use std::sync::Arc;

use super::{Bell, Resource, limits, local_time, set_limits};

#[test]
fn limits_can_be_read_and_set_to_what_they_are() {
    let found = limits(Resource::OpenFiles).unwrap();
    assert!(found.soft > 0 && found.soft <= found.hard);
    set_limits(Resource::OpenFiles, found).unwrap();
    assert_eq!(limits(Resource::OpenFiles).unwrap(), found);
}

#[test]
fn a_bell_is_heard_by_who_waits() {
    let bell = Arc::new(Bell::new().unwrap());
    let ringer = Arc::clone(&bell);
    let thread = std::thread::spawn(move || ringer.ring());
    bell.wait().unwrap();
    thread.join().unwrap();
}

#[test]
fn time_is_broken_down() {
    let time = local_time(1_700_000_000);
    assert_eq!((time.year, time.month), (2023, 10));
    assert!((13..=15).contains(&time.day) && time.second == 20);
}
