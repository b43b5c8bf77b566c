//! How long a second client waits while a collection grows to millions of elements, and while it is deleted.
//!
//! One client adds elements in small batches; another asks for a key over and over and notes its longest wait. Whatever a
//! server does at once that it could do in slices (a table that doubles, a value that is freed) shows here, and so does
//! whatever else runs on the machine: the column `quiet` is the longest wait of some seconds in which nothing grows. On a
//! shared machine that is many milliseconds, so beside each longest wait stands the longest one in terms of the server's
//! CPU time: what the server itself did while a client waited.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::client::{Client, encode};
use crate::cpu::{self, Cores, on_cores};
use crate::server::{Candidate, Server};
use crate::table::Table;
use crate::{Plan, say};

/// Elements of a collection, and with `--quick`.
const ELEMENTS: usize = 10_000_000;
const ELEMENTS_QUICK: usize = 1_000_000;
/// Elements that one command adds, and commands that are sent before their replies are read.
const ELEMENTS_PER_COMMAND: usize = 8;
const COMMANDS_PER_BATCH: usize = 8;
/// How long the watch goes on when a deletion is answered: what is freed later is seen, too.
const AFTERMATH: Duration = Duration::from_secs(3);

/// A kind of collection: its name, the command that adds to it, and how its elements are written.
struct Kind {
    name: &'static str,
    command: &'static str,
    element: fn(usize, &mut Vec<String>),
}

const KINDS: [Kind; 5] = [
    Kind { name: "list", command: "RPUSH", element: |n, words| words.push(format!("element:{n:012}")) },
    Kind { name: "set", command: "SADD", element: |n, words| words.push(format!("element:{n:012}")) },
    Kind {
        name: "hash",
        command: "HSET",
        element: |n, words| words.extend([format!("field:{n:010}"), format!("value:{n:010}")]),
    },
    Kind {
        name: "sorted set",
        command: "ZADD",
        // Scores in no order, as a hash of the number gives them.
        element: |n, words| words.extend([scattered(n).to_string(), format!("element:{n:012}")]),
    },
    Kind {
        name: "stream",
        command: "XADD",
        element: |n, words| {
            if words.len() == 2 {
                words.push(format!("{}-1", n + 1));
            }
            words.extend([format!("field{}", n % ELEMENTS_PER_COMMAND), n.to_string()]);
        },
    },
];

fn scattered(n: usize) -> u64 {
    (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24
}

/// Every kind of collection on every server, in turn.
pub fn compare(plan: &Plan) -> io::Result<()> {
    let elements = if plan.quick { ELEMENTS_QUICK } else { ELEMENTS };
    say(&format!("## The longest wait of a second client, ms, at {elements} elements\n"))?;
    let header = ["collection", "server", "quiet", "while it grows", "while it is deleted", "the deletion's reply"];
    say("Behind a stroke: the most CPU time of the server within a wait.\n")?;
    let mut table = Table::new(header.map(str::to_owned).to_vec());
    for kind in &KINDS {
        for candidate in plan.candidates() {
            let (waits, deletion) = measure(plan, &candidate, kind, elements)?;
            let mut row = vec![kind.name.to_owned(), candidate.name.clone()];
            row.extend(waits.map(|longest| format!("{} / {}", millis(longest.wait), millis(longest.work))));
            row.push(millis(deletion));
            table.row(row);
        }
    }
    say(&table.to_string())
}

fn millis(time: Duration) -> String {
    format!("{:.2}", time.as_secs_f64() * 1000.0)
}

/// The longest waits when nothing happens, while the collection grows, and while it is deleted; and how long the deletion's
/// own reply took.
fn measure(plan: &Plan, candidate: &Candidate, kind: &Kind, elements: usize) -> io::Result<([Longest; 3], Duration)> {
    let cores = Cores::split(1)?;
    let server = candidate.start(plan.port, &cores.server)?;
    on_cores(&cores.load, || {
        let mut client = Client::connect(server.port)?;
        client.call(&["SET", "watched", "value"])?;
        let watch = Watch::start(&server);
        thread::sleep(AFTERMATH);
        let quiet = watch.end()?;
        let watch = Watch::start(&server);
        grow(&mut client, kind, elements)?;
        let growing = watch.end()?;
        let watch = Watch::start(&server);
        let started = Instant::now();
        client.call(&["DEL", "collection"])?;
        let deletion = started.elapsed();
        thread::sleep(AFTERMATH);
        Ok(([quiet, growing, watch.end()?], deletion))
    })
}

fn grow(client: &mut Client, kind: &Kind, elements: usize) -> io::Result<()> {
    let commands = elements / ELEMENTS_PER_COMMAND;
    client.fill_in_batches(commands, COMMANDS_PER_BATCH, |number, request| {
        let mut words = vec![kind.command.to_owned(), "collection".to_owned()];
        let first = number * ELEMENTS_PER_COMMAND;
        (first..first + ELEMENTS_PER_COMMAND).for_each(|element| (kind.element)(element, &mut words));
        encode(request, &words);
    })
}

/// The longest of a client's waits, and the most CPU time that the server used within one (not always the same).
#[derive(Clone, Copy, Default)]
struct Longest {
    wait: Duration,
    work: Duration,
}

/// A client of its own thread that notes its longest wait.
struct Watch {
    ended: Arc<AtomicBool>,
    thread: JoinHandle<io::Result<Longest>>,
}

impl Watch {
    fn start(server: &Server) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        let (port, pid) = (server.port, server.pid());
        let thread = thread::spawn(move || {
            let mut client = Client::connect(port)?;
            let mut longest = Longest::default();
            while !seen.load(Ordering::Relaxed) {
                let (asked, used) = (Instant::now(), cpu::time_of(pid)?);
                client.call(&["GET", "watched"])?;
                let wait = asked.elapsed();
                let work = cpu::time_of(pid)?.saturating_sub(used).min(wait);
                longest = Longest { wait: longest.wait.max(wait), work: longest.work.max(work) };
                thread::sleep(Duration::from_micros(100));
            }
            Ok(longest)
        });
        Self { ended, thread }
    }

    fn end(self) -> io::Result<Longest> {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| io::Error::other("the watching thread panicked"))?
    }
}
