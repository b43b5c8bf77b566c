//! Values that move between keys of different shards: a key with RENAME, elements with LMOVE, members with SPOP.

use std::collections::BTreeSet;
use std::io;

use super::{Writer, good};
use crate::support::client::encode_line;
use crate::support::{Client, Random, Value};

/// Names that a key goes through.
const NAMES: u64 = 9;
/// Fewer than names, so that the place tells how often it moved.
const DEPTH: u64 = 4;
const ELEMENTS: usize = 20;

pub(super) fn writers() -> Vec<Box<dyn Writer>> {
    let ring = |number| -> Box<dyn Writer> {
        Box::new(Ring { name: format!("ring{number}"), acknowledged: 0, sent: 0, is_there: false })
    };
    let mut writers: Vec<Box<dyn Writer>> = (0..2).map(ring).collect();
    writers.push(Box::new(Lists { is_there: false }));
    writers.push(Box::new(Pops {
        next: 0,
        there: BTreeSet::new(),
        unsure: BTreeSet::new(),
        gone: BTreeSet::new(),
        in_flight: 0,
    }));
    writers
}

/// One key that is renamed again and again.
struct Ring {
    name: String,
    acknowledged: u64,
    sent: u64,
    is_there: bool,
}

impl Ring {
    fn key(&self, place: u64) -> String {
        format!("{}:{}", self.name, place % NAMES)
    }
}

impl Writer for Ring {
    fn step(&mut self, client: &mut Client, random: &mut Random) -> io::Result<()> {
        let count = 1 + random.below(DEPTH);
        let mut request = Vec::new();
        for place in self.sent..self.sent + count {
            encode_line(&mut request, &format!("RENAME {} {}", self.key(place), self.key(place + 1)));
        }
        self.sent += count;
        client.try_raw(&request)?;
        for _ in 0..count {
            good(client)?;
            self.acknowledged += 1;
        }
        Ok(())
    }

    fn check(&mut self, client: &mut Client) {
        if !std::mem::replace(&mut self.is_there, true) {
            client.must(&format!("SET {} token", self.key(0)));
        }
        let places: Vec<u64> =
            (0..NAMES).filter(|&place| client.call(&["GET", &self.key(place)]) == Value::bulk("token")).collect();
        assert_eq!(places.len(), 1, "{} is at {places:?}", self.name);
        let found = (self.acknowledged..=self.sent).find(|place| place % NAMES == places[0]);
        let Some(place) = found else {
            panic!("{} is at {}, moved {} to {} times", self.name, places[0], self.acknowledged, self.sent)
        };
        (self.acknowledged, self.sent) = (place, place);
    }
}

/// Elements that go from list to list.
struct Lists {
    is_there: bool,
}

impl Writer for Lists {
    fn step(&mut self, client: &mut Client, random: &mut Random) -> io::Result<()> {
        let mut request = Vec::new();
        for _ in 0..DEPTH {
            let (from, to) = (random.below(3), random.below(3));
            encode_line(&mut request, &format!("LMOVE moved:{from} moved:{to} LEFT RIGHT"));
        }
        client.try_raw(&request)?;
        (0..DEPTH).try_for_each(|_| good(client).map(drop))
    }

    fn check(&mut self, client: &mut Client) {
        if !std::mem::replace(&mut self.is_there, true) {
            let elements: Vec<String> = (0..ELEMENTS).map(|element| element.to_string()).collect();
            client.must(&format!("RPUSH moved:0 {}", elements.join(" ")));
        }
        let lists: Vec<Value> = (0..3).map(|list| client.must(&format!("LRANGE moved:{list} 0 -1"))).collect();
        let all: Vec<String> = lists.iter().flat_map(|list| list.elements().iter().map(Value::text)).collect();
        let distinct: BTreeSet<&String> = all.iter().collect();
        assert_eq!((all.len(), distinct.len()), (ELEMENTS, ELEMENTS), "elements were lost or doubled: {all:?}");
    }
}

/// Members that are popped by chance, and must not come back.
struct Pops {
    next: u64,
    /// Members that are in the set, unless a pop in flight took them.
    there: BTreeSet<String>,
    /// Members whose addition was not acknowledged.
    unsure: BTreeSet<String>,
    gone: BTreeSet<String>,
    /// Pops in flight.
    in_flight: usize,
}

impl Writer for Pops {
    fn step(&mut self, client: &mut Client, _: &mut Random) -> io::Result<()> {
        let mut request = Vec::new();
        let first = self.next;
        for member in first..first + DEPTH {
            encode_line(&mut request, &format!("SADD popped m{member}"));
            encode_line(&mut request, "SPOP popped");
            self.unsure.insert(format!("m{member}"));
        }
        self.next += DEPTH;
        self.in_flight = DEPTH as usize;
        client.try_raw(&request)?;
        for member in first..first + DEPTH {
            good(client)?;
            let member = format!("m{member}");
            self.unsure.remove(&member);
            self.there.insert(member);
            let popped = good(client)?.text();
            self.there.remove(&popped);
            self.gone.insert(popped);
            self.in_flight -= 1;
        }
        Ok(())
    }

    fn check(&mut self, client: &mut Client) {
        let found = client.must("SMEMBERS popped");
        let found: BTreeSet<String> = found.elements().iter().map(Value::text).collect();
        let back: Vec<&String> = found.intersection(&self.gone).collect();
        assert!(back.is_empty(), "popped members are back: {back:?}");
        let lost = self.there.difference(&found).count();
        assert!(lost <= self.in_flight, "{lost} members are lost, {} may have been popped", self.in_flight);
        assert!(found.iter().all(|member| self.there.contains(member) || self.unsure.contains(member)));
        self.gone.extend(self.there.difference(&found).cloned());
        self.there = found;
        // So that there is something to choose from.
        for _ in self.there.len()..ELEMENTS {
            let member = format!("m{}", self.next);
            self.next += 1;
            client.must(&format!("SADD popped {member}"));
            self.there.insert(member);
        }
        self.unsure.clear();
        self.in_flight = 0;
    }
}
