#![allow(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test that fails loudly is what is wanted")]

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::{REQUESTED, Report, Request, take_request};
use std::sync::atomic::Ordering;

#[test]
fn numbers_are_written_without_allocating() {
    let mut ends = [0; 2];
    // SAFETY: the array has room for two descriptors.
    assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
    // SAFETY: the descriptors were just made and nobody else knows them.
    let (reader, writer) = unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) };
    Report { descriptor: writer.as_raw_fd() }
        .text("a ")
        .number(0)
        .text(" ")
        .number(u64::MAX)
        .text(" ")
        .hex(0xdead)
        .text(" ")
        .signed(-6);
    drop(writer);
    let mut text = String::new();
    File::from(reader).read_to_string(&mut text).unwrap();
    assert_eq!(text, "a 0 18446744073709551615 dead -6");
}

#[test]
fn a_request_is_taken_once() {
    REQUESTED.store(libc::SIGINT, Ordering::Release);
    assert_eq!(take_request(), Some(Request::Interrupt));
    assert_eq!(take_request(), None);
}
