//! Changes that work, and changes that leave everything as it was. There is no loop here: that the kernel lets somebody
//! connect shows that a socket listens.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use super::*;

/// A set that listens on `addresses`, and its port.
fn listening(addresses: &[&str]) -> (Listeners, u16) {
    let first = Listener::tcp(&addresses[..1], 0, 16).expect("a port");
    let port = first[0].address().expect("TCP").port();
    let listeners = Listeners::new(first);
    listeners.change_tcp(addresses, port, 16).expect("the port is ours");
    (listeners, port)
}

fn check_listens(host: &str, port: u16, expected: bool) {
    assert_eq!(TcpStream::connect((host, port)).is_ok(), expected, "{host}:{port}");
}

/// A port that somebody else listens on.
fn taken() -> (TcpListener, u16) {
    let other = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = other.local_addr().expect("it is bound").port();
    (other, port)
}

fn free_port() -> u16 {
    taken().1
}

#[test]
fn another_port_replaces_the_one_before() {
    let (listeners, port) = listening(&["127.0.0.1"]);
    let version = listeners.version();
    let next = free_port();
    listeners.change_tcp(&["127.0.0.1"], next, 16).expect("a free port");
    assert_ne!(listeners.version(), version, "the loop is to notice");
    check_listens("127.0.0.1", port, false);
    check_listens("127.0.0.1", next, true);
    listeners.change_tcp(&["127.0.0.1"], 0, 16).expect("nowhere is possible");
    check_listens("127.0.0.1", next, false);
    assert!(listeners.is_empty());
}

#[test]
fn an_address_that_stays_keeps_its_socket() {
    let (listeners, port) = listening(&["127.0.0.1"]);
    let before = listeners.open();
    listeners.change_tcp(&["127.0.0.2", "127.0.0.1"], port, 16).expect("more of the same port");
    assert!(listeners.open().iter().any(|listener| Arc::ptr_eq(listener, &before[0])));
    check_listens("127.0.0.2", port, true);
    listeners.change_tcp(&["127.0.0.1"], port, 16).expect("less of the same port");
    assert!(Arc::ptr_eq(&listeners.open()[0], &before[0]));
    check_listens("127.0.0.1", port, true);
    check_listens("127.0.0.2", port, false);
}

#[test]
fn one_for_all_takes_the_place_of_one_and_the_other_way_round() {
    let (listeners, port) = listening(&["127.0.0.1"]);
    // The loop's accept would hold the socket beyond the change.
    let held = listeners.open();
    listeners.change_tcp(&["*"], port, 16).expect("the address in the way is ours");
    check_listens("127.0.0.3", port, true);
    assert!(held[0].is_silenced());
    listeners.change_tcp(&["127.0.0.1"], port, 16).expect("the address in the way is ours");
    check_listens("127.0.0.1", port, true);
    check_listens("127.0.0.3", port, false);
}

#[test]
fn a_change_that_fails_leaves_all_as_it_was() {
    let (listeners, port) = listening(&["127.0.0.1"]);
    let before = listeners.open();
    let (_other, used) = taken();
    let addresses: [(&[&str], u16); 3] =
        [(&["127.0.0.1"], used), (&["127.0.0.2", "192.0.2.1"], port), (&["999.999.999.999"], port)];
    for (addresses, wanted) in addresses {
        listeners.change_tcp(addresses, wanted, 16).expect_err("it is taken, or not there");
        assert_eq!(listeners.addresses(), [([127, 0, 0, 1], port).into()], "{addresses:?} {wanted}");
        check_listens("127.0.0.1", port, true);
        check_listens("127.0.0.2", port, false);
        assert!(Arc::ptr_eq(&listeners.open()[0], &before[0]), "it was not closed in between");
    }
}

#[test]
fn a_socket_that_had_to_go_first_comes_back() {
    let (listeners, port) = listening(&["127.0.0.1"]);
    let other = TcpListener::bind(("127.0.0.2", port)).expect("another address");
    let held = listeners.open();
    listeners.change_tcp(&["*"], port, 16).expect_err("127.0.0.2 is somebody else's");
    assert!(held[0].is_silenced(), "it was tried");
    check_listens("127.0.0.1", port, true);
    assert!(!listeners.open()[0].is_silenced());
    drop(other);
    listeners.change_tcp(&["*"], port, 16).expect("nobody is in the way now");
}

#[test]
fn a_closed_set_stays_closed() {
    let (listeners, port) = listening(&["127.0.0.1"]);
    listeners.close();
    check_listens("127.0.0.1", port, false);
    listeners.change_tcp(&["127.0.0.1"], port, 16).expect_err("the server is going down");
    assert!(listeners.is_empty());
}
