//! What somebody has seen stays: `MSET x y` by one client, `INCR x` by others, and readers beside them.
//!
//! `x` only grows: the `n`-th MSET sets it to `n * STRIDE` and `y` to `n`, and between two of them it is counted up. So
//! whoever was told a value of `x` must not find a lower one later, whoever wrote it and whatever shard it came from.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Writer, good, number};
use crate::support::client::encode_line;
use crate::support::{Client, Random};

/// More than anybody counts between two MSETs.
const STRIDE: u64 = 1_000_000_000;

/// What is known of a pair of keys.
struct Pair {
    x: String,
    y: String,
    /// The highest `x` that somebody was told.
    highest: AtomicU64,
    /// The last number that was sent in an MSET.
    sent: AtomicU64,
}

#[derive(Clone, Copy)]
enum Role {
    Sets,
    Counts,
    ReadsBoth,
    ReadsOne,
}

struct Observer {
    pair: Arc<Pair>,
    role: Role,
}

pub(super) fn writers() -> Vec<Box<dyn Writer>> {
    let mut writers: Vec<Box<dyn Writer>> = Vec::new();
    for number in 0..2 {
        let (x, y) = (format!("x{number}"), format!("y{number}"));
        let pair = Arc::new(Pair { x, y, highest: AtomicU64::new(0), sent: AtomicU64::new(0) });
        for role in [Role::Sets, Role::Counts, Role::ReadsBoth, Role::ReadsOne] {
            writers.push(Box::new(Observer { pair: Arc::clone(&pair), role }));
        }
    }
    writers
}

impl Pair {
    fn saw(&self, x: u64) {
        self.highest.fetch_max(x, Ordering::Relaxed);
    }
}

impl Writer for Observer {
    fn step(&mut self, client: &mut Client, random: &mut Random) -> io::Result<()> {
        let Pair { x, y, sent, .. } = &*self.pair;
        let mut request = Vec::new();
        match self.role {
            Role::Sets => {
                let n = sent.fetch_add(1, Ordering::Relaxed) + 1;
                encode_line(&mut request, &format!("MSET {x} {} {y} {n}", n * STRIDE));
                client.try_raw(&request)?;
                good(client)?;
                self.pair.saw(n * STRIDE);
            }
            Role::Counts => {
                let count = 1 + random.below(5);
                (0..count).for_each(|_| encode_line(&mut request, &format!("INCR {x}")));
                client.try_raw(&request)?;
                for _ in 0..count {
                    let value = good(client)?.integer();
                    self.pair.saw(value as u64);
                }
            }
            Role::ReadsBoth => {
                encode_line(&mut request, &format!("MGET {x} {y}"));
                client.try_raw(&request)?;
                let both = good(client)?;
                let both: Vec<u64> = both
                    .elements()
                    .iter()
                    .map(|v| v.as_bytes().map_or(0, |_| v.text().parse().expect("a number")))
                    .collect();
                assert_eq!(both[0] / STRIDE, both[1], "{x} and {y} do not belong together");
                self.pair.saw(both[0]);
            }
            Role::ReadsOne => {
                encode_line(&mut request, &format!("GET {x}"));
                client.try_raw(&request)?;
                let value = good(client)?;
                self.pair.saw(value.as_bytes().map_or(0, |_| value.text().parse().expect("a number")));
            }
        }
        Ok(())
    }

    fn check(&mut self, client: &mut Client) {
        let Pair { x, y, highest, sent } = &*self.pair;
        let (of_x, of_y) = (number(client, x), number(client, y));
        assert_eq!(of_x / STRIDE, of_y, "{x} and {y} do not belong together: {of_x}, {of_y}");
        let highest = highest.load(Ordering::Relaxed);
        assert!(of_x >= highest, "{x}: {highest} was seen, and {of_x} is there");
        assert!(of_y <= sent.load(Ordering::Relaxed));
        sent.store(of_y, Ordering::Relaxed);
    }
}
