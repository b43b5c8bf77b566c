//! Addresses that exist, that may be missing, and that are taken.

use std::os::unix::net::UnixListener;

use super::*;

fn check_error(result: io::Result<impl Sized>, words: &[&str]) {
    let error = result.err().expect("an error").to_string();
    for word in words {
        assert!(error.contains(word), "{error}");
    }
}

/// A path of its own for each test.
fn path(name: &str) -> String {
    let file = format!("net-listen-{}-{name}.sock", std::process::id());
    std::env::temp_dir().join(file).to_str().expect("a path in Unicode").to_owned()
}

#[test]
fn both_families_share_a_port() {
    let four = Listener::tcp(&["127.0.0.1"], 0, 16).expect("a port");
    assert_ne!(four[0].address().expect("TCP").port(), 0);
    let both = Listener::tcp(&["*", "-::*"], 0, 16).expect("any port");
    assert!(!both.is_empty());
}

#[test]
fn a_taken_port_is_named() {
    let first = Listener::tcp(&["127.0.0.1"], 0, 16).expect("a port");
    let port = first[0].address().expect("TCP").port();
    let expected =
        format!("Could not create server TCP listening socket 127.0.0.1:{port}: bind: Address already in use");
    check_error(Listener::tcp(&["127.0.0.1"], port, 16), &[&expected]);
    check_error(Listener::tcp(&["-127.0.0.1"], port, 16), &[&expected]);
}

#[test]
fn optional_addresses_may_be_missing() {
    let found = Listener::tcp(&["127.0.0.1", "-192.0.2.1", "-2001:db8::1"], 0, 16).expect("the first address");
    assert_eq!(found.len(), 1);
    check_error(Listener::tcp(&["192.0.2.1"], 0, 16), &["192.0.2.1:0"]);
    for nothing in [&["-192.0.2.1"][..], &[]] {
        assert!(Listener::tcp(nothing, 0, 16).expect("nothing to listen on is no error").is_empty());
    }
}

#[test]
fn a_dead_servers_socket_is_replaced_and_a_live_ones_is_not() {
    let path = path("stale");
    drop(UnixListener::bind(&path).expect("a socket file that stays behind"));
    let listener = Listener::unix(&path, Some(0o700), 16).expect("the stale file is replaced");
    let mode = std::fs::metadata(&path).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    check_error(Listener::unix(&path, None, 16), &[&path, "another server"]);
    drop(listener);
    assert!(!Path::new(&path).exists(), "the file goes with the listener");
}

#[test]
fn other_files_are_left_alone() {
    let path = path("file");
    std::fs::write(&path, "precious").expect("a file");
    check_error(Listener::unix(&path, None, 16), &["not a socket"]);
    assert_eq!(std::fs::read_to_string(&path).expect("still there"), "precious");
    std::fs::remove_file(&path).expect("cleaning up");
    check_error(Listener::unix(&"x".repeat(200), None, 16), &["shorter than 108 bytes"]);
}
