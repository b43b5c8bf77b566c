//! What ends: keys whose time is over, and databases that are emptied.

use std::io;
use std::thread;
use std::time::Duration;

use super::{Writer, good};
use crate::support::client::encode_line;
use crate::support::{Client, Random, Value};

pub(super) fn writers() -> Vec<Box<dyn Writer>> {
    vec![Box::new(Expiring { n: 0, told: None }), Box::new(Emptied { acknowledged: 0, sent: 0 })]
}

/// A key that expires, or is made to stay just before.
struct Expiring {
    n: u64,
    /// What the key held when all was answered.
    told: Option<u64>,
}

/// Numbers of this writer are this far from each other.
const STEP: u64 = 10;

impl Writer for Expiring {
    /// The key is counted up behind its SET: from 0 if its time was over by then.
    fn step(&mut self, client: &mut Client, random: &mut Random) -> io::Result<()> {
        self.n += STEP;
        let mut request = Vec::new();
        encode_line(&mut request, &format!("SET expiring {} PX {}", self.n, 1 + random.below(3)));
        client.try_raw(&request)?;
        good(client)?;
        thread::sleep(Duration::from_millis(random.below(4)));
        request.clear();
        encode_line(&mut request, "INCR expiring");
        encode_line(&mut request, "PERSIST expiring");
        encode_line(&mut request, "GET expiring");
        client.try_raw(&request)?;
        let counted = good(client)?.integer() as u64;
        good(client)?;
        let value = good(client)?;
        self.told = value.as_bytes().map(|_| value.text().parse().expect("a number"));
        assert!(self.told.is_none_or(|told| told == counted));
        Ok(())
    }

    fn check(&mut self, client: &mut Client) {
        let found = client.call(&["GET", "expiring"]);
        let found: Option<u64> = found.as_bytes().map(|_| found.text().parse().expect("a number"));
        // As it was told, or as the commands behind that may have left it.
        let may_be = found == self.told || found.is_none_or(|value| value == 1 || value / STEP * STEP == self.n);
        assert!(may_be, "{found:?} is there, {:?} was told, and {} was sent", self.told, self.n);
        self.told = found;
    }
}

/// A database of its own that is filled with one command and emptied with another.
struct Emptied {
    acknowledged: u64,
    sent: u64,
}

const DATABASE: &str = "SELECT 9";

impl Writer for Emptied {
    fn step(&mut self, client: &mut Client, _: &mut Random) -> io::Result<()> {
        let n = self.sent + 1;
        self.sent = n;
        let mut request = Vec::new();
        for line in [DATABASE, "FLUSHDB", &format!("MSET a {n} b {n} c {n}"), "SWAPDB 9 10", "SWAPDB 9 10"] {
            encode_line(&mut request, line);
        }
        client.try_raw(&request)?;
        (0..5).try_for_each(|_| good(client).map(drop))?;
        self.acknowledged = n;
        Ok(())
    }

    fn check(&mut self, client: &mut Client) {
        let mut found: Vec<Vec<u64>> = Vec::new();
        for db in [9, 10] {
            client.must(&format!("SELECT {db}"));
            let values = client.must("MGET a b c");
            let numbers = values.elements().iter().filter(|value| **value != Value::Null);
            found.push(numbers.map(|value| value.text().parse().expect("a number")).collect());
        }
        client.must("SELECT 0");
        let Self { acknowledged, sent } = *self;
        let numbers: Vec<u64> = found.concat();
        assert!(found.iter().all(|numbers| numbers.is_empty() || numbers.len() == 3), "there by halves: {found:?}");
        assert!(numbers.windows(2).all(|pair| pair[0] == pair[1]), "there by halves: {found:?}");
        // An empty one was emptied to be filled anew.
        assert!(!numbers.is_empty() || acknowledged < sent || acknowledged == 0, "{acknowledged} was acknowledged");
        let is_known = |n: &u64| (acknowledged..=sent).contains(n);
        assert!(numbers.first().is_none_or(is_known), "{found:?} is there, {acknowledged} of {sent} were acknowledged");
        self.acknowledged = numbers.first().copied().unwrap_or(0);
        self.sent = sent.max(self.acknowledged);
    }
}
