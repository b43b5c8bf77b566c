//! Running out of descriptors: in a child process, because the limit is the process's.

use std::fs::File;
use std::process::Command;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use crate::check;
use crate::service::Server;

const CHILD: &str = "NET_TEST_DESCRIPTORS_CHILD";

#[test]
fn accepting_rests_while_descriptors_are_short_and_goes_on_after() {
    let binary = std::env::current_exe().expect("this test's binary");
    let name = "descriptors::storm_in_a_child";
    let status = Command::new(binary).args(["--exact", name, "--ignored"]).env(CHILD, "1").status();
    assert!(status.expect("a child").success());
}

#[test]
#[ignore = "lowers the process's limit: run by the test above"]
fn storm_in_a_child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    // An accept keeps to the limit of the time when it was submitted.
    limit_descriptors(64);
    let server = Server::start();
    let mut first = server.connect();
    check(&mut first, b"PING\r\n", b"+PONG\r\n");
    let mut fillers: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    assert!(!fillers.is_empty(), "there were descriptors left below the limit");

    // The one that is left goes to this end of the connection; there is none for the server's.
    fillers.pop();
    let mut late = server.connect();
    let ticks = server.seen.ticks.load(SeqCst);
    std::thread::sleep(Duration::from_millis(550));
    let turned = server.seen.ticks.load(SeqCst) - ticks;
    assert!((3..30).contains(&turned), "{turned} turns in half a second: it tries again, but not all the time");
    check(&mut first, b"PING\r\n", b"+PONG\r\n");
    drop(fillers);
    check(&mut late, b"PING\r\n", b"+PONG\r\n");

    // A close lets the accept go on before its rest is over.
    let mut fillers: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    fillers.pop();
    let mut later = server.connect();
    check(&mut first, b"PING\r\n", b"+PONG\r\n");
    drop(late);
    check(&mut later, b"PING\r\n", b"+PONG\r\n");
}

/// Forbids the process descriptors from `limit` on.
fn limit_descriptors(limit: u64) {
    let limit = libc::rlimit { rlim_cur: limit, rlim_max: limit };
    // SAFETY: the structure lives through the call.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
}
