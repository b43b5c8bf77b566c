//! MONITOR: a client sees every command that is run, as one line each.
//!
//! ```text
//!   +1700000000.123456 [0 127.0.0.1:50000] "SET" "key" "a\r\nb"
//!    seconds, micros    db, client           arguments, quoted
//! ```
//!
//! A command is shown by the core of its client, when it is run or sent to where it runs: a core shows the commands of a
//! connection in their order. Lines for clients of other cores travel in the answers to those cores, which leave before
//! any reply of the same tick is written; so of two commands the second of which was sent when the first was answered,
//! the first is shown first, wherever they came from. The commands of a script are shown by the core on which it runs. A
//! line is made once, however many clients monitor. Without one, a command costs one look at a number.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use net::Args;
use net::service::Endpoint;

use crate::ids::{DbId, ShardId};

/// How many clients monitor, on each core.
#[derive(Debug)]
pub struct Monitors {
    all: AtomicUsize,
    cores: Box<[AtomicUsize]>,
}

impl Monitors {
    /// None, on so many cores.
    pub fn new(cores: usize) -> Monitors {
        Monitors { all: AtomicUsize::new(0), cores: (0..cores).map(|_| AtomicUsize::new(0)).collect() }
    }

    /// Whether anybody monitors.
    #[inline]
    pub fn any(&self) -> bool {
        self.all.load(Ordering::Relaxed) > 0
    }

    /// A client of `core` begins.
    pub fn begin(&self, core: ShardId) {
        self.cores[core.index()].fetch_add(1, Ordering::Relaxed);
        self.all.fetch_add(1, Ordering::Relaxed);
    }

    /// A client of `core` ends.
    pub fn end(&self, core: ShardId) {
        self.all.fetch_sub(1, Ordering::Relaxed);
        self.cores[core.index()].fetch_sub(1, Ordering::Relaxed);
    }

    /// The cores of clients that monitor.
    pub fn cores(&self) -> impl Iterator<Item = ShardId> {
        let counts = self.cores.iter().enumerate();
        counts.filter(|(_, count)| count.load(Ordering::Relaxed) > 0).map(|(core, _)| ShardId(core as u16))
    }
}

/// Who runs a command.
#[derive(Clone, Copy, Debug)]
pub enum Runner<'a> {
    /// A client, by its connection.
    Client(&'a Endpoint),
    /// A script.
    Script,
}

/// Room for what stands before the arguments of a line: seconds, microseconds, the database, an address.
const HEAD_BYTES: usize = 80;

/// The line of a command. Arguments at the places `redacted` are not shown.
pub fn line(unix_micros: i64, db: DbId, runner: Runner<'_>, args: &Args<'_>, redacted: &[usize]) -> Vec<u8> {
    let (seconds, micros) = (unix_micros / 1_000_000, unix_micros % 1_000_000);
    // Quotes and a space for each argument; escapes make a line longer, which is seldom.
    let mut line = Vec::with_capacity(HEAD_BYTES + args.total_bytes() + 3 * args.len());
    let written = match runner {
        Runner::Client(Endpoint::Tcp { peer, .. }) => write!(line, "+{seconds}.{micros:06} [{} {peer}]", db.0),
        Runner::Client(Endpoint::Unix(path)) => write!(line, "+{seconds}.{micros:06} [{} unix:{path}]", db.0),
        Runner::Script => write!(line, "+{seconds}.{micros:06} [{} lua]", db.0),
    };
    written.expect("a vector takes what is written to it");
    for (place, arg) in args.from(0).enumerate() {
        line.push(b' ');
        quote(if redacted.contains(&place) { b"(redacted)" } else { arg }, &mut line);
    }
    line.extend_from_slice(b"\r\n");
    line
}

/// Appends `text` in quotes, with escapes for what is no printable ASCII.
fn quote(text: &[u8], line: &mut Vec<u8>) {
    line.push(b'"');
    let mut rest = text;
    loop {
        let plain = rest.iter().take_while(|&&byte| is_plain(byte)).count();
        line.extend_from_slice(&rest[..plain]);
        let Some(&byte) = rest.get(plain) else { break };
        rest = &rest[plain + 1..];
        let escape = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x07 => b'a',
            0x08 => b'b',
            _ => {
                line.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
                continue;
            }
        };
        line.extend_from_slice(&[b'\\', escape]);
    }
    line.push(b'"');
}

/// Whether a byte stands for itself in quotes.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use net::OwnedArgs;

    use super::*;

    #[test]
    fn a_line_is_that_of_redis() {
        let args: OwnedArgs = [&b"SET"[..], b"a\0b\n\r\t\x07\x08\\\"'", b"\xff\x7f ~"].into_iter().collect();
        let line = line(1_795_259_812_001_828, DbId(3), Runner::Script, &args.as_args(), &[]);
        let expected = "+1795259812.001828 [3 lua] \"SET\" \"a\\x00b\\n\\r\\t\\a\\b\\\\\\\"'\" \"\\xff\\x7f ~\"\r\n";
        assert_eq!(String::from_utf8_lossy(&line), expected);
    }

    #[test]
    fn secrets_are_not_shown() {
        let args: OwnedArgs = [&b"AUTH"[..], b"user", b"secret"].into_iter().collect();
        let endpoint = Endpoint::Unix("/tmp/socket".to_owned());
        let line = line(5, DbId(0), Runner::Client(&endpoint), &args.as_args(), &[1, 2]);
        let expected = "+0.000005 [0 unix:/tmp/socket] \"AUTH\" \"(redacted)\" \"(redacted)\"\r\n";
        assert_eq!(String::from_utf8_lossy(&line), expected);
    }

    #[test]
    fn the_cores_of_monitoring_clients_are_known() {
        let monitors = Monitors::new(3);
        assert!(!monitors.any());
        monitors.begin(ShardId(2));
        monitors.begin(ShardId(2));
        monitors.end(ShardId(2));
        assert_eq!(monitors.cores().collect::<Vec<_>>(), [ShardId(2)]);
        monitors.end(ShardId(2));
        assert!(!monitors.any() && monitors.cores().next().is_none());
    }
}
