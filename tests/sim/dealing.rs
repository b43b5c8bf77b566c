//! Random programs: keys on all shards, and requests that are dealt to clients.
//!
//! Every family of random programs has its own commands and weights; how requests come to clients, some in one pipeline
//! and some behind the reply of those before, is the same for many.

use rand::Rng;
use rand::rngs::SmallRng;

use crate::program::{Bytes, Program, Request, Script, key_on};

/// Between two requests of a client in so many of ten cases: the second is sent when the first is answered.
const PAUSES_OF_TEN: f64 = 0.4;

/// What a random program is made from.
pub struct Dealer {
    /// Decides.
    pub rng: SmallRng,
    /// Keys of strings, on one shard after the other.
    pub keys: Vec<Bytes>,
    next_value: u32,
}

/// A key of each of these names, on one shard after the other.
pub fn named(shards: usize, names: &[&str]) -> Vec<Bytes> {
    names.iter().enumerate().map(|(i, name)| key_on(shards, (i % shards) as u16, name)).collect()
}

/// The words of a command.
pub fn words<const N: usize>(name: &str, args: [Bytes; N]) -> Vec<Bytes> {
    std::iter::once(name.as_bytes().to_vec()).chain(args).collect()
}

impl Dealer {
    /// One with three keys for the shards of `program`.
    pub fn new(rng: SmallRng, program: &Program) -> Dealer {
        Dealer { rng, keys: named(program.shards, &["x", "y", "z"]), next_value: 10 }
    }

    /// One of the keys.
    pub fn key(&mut self) -> Bytes {
        let place = self.rng.random_range(0..self.keys.len());
        self.keys[place].clone()
    }

    /// A number of its own.
    pub fn value(&mut self) -> Bytes {
        self.next_value += 1;
        self.next_value.to_string().into_bytes()
    }

    /// SET of one of the keys.
    pub fn set(&mut self) -> Vec<Bytes> {
        words("SET", [self.key(), self.value()])
    }

    /// MSET of the first two keys, in the other order.
    pub fn set_two(&mut self) -> Vec<Bytes> {
        words("MSET", [self.keys[1].clone(), self.value(), self.keys[0].clone(), self.value()])
    }

    /// A command on the first two keys, in their order.
    pub fn on_two(&self, name: &str) -> Vec<Bytes> {
        words(name, [self.keys[0].clone(), self.keys[1].clone()])
    }

    /// One to three of what `command` makes, for a transaction or a script.
    pub fn several(&mut self, mut command: impl FnMut(&mut Dealer) -> Vec<Bytes>) -> Vec<Vec<Bytes>> {
        let count = self.rng.random_range(1..=3);
        (0..count).map(|_| command(self)).collect()
    }

    /// Two or three clients at any core, with up to `requests_max` requests together.
    pub fn deal(&mut self, program: &mut Program, requests_max: usize, request: impl Fn(&mut Dealer) -> Request) {
        let clients = self.rng.random_range(2..=3);
        for _ in 0..clients {
            let home = self.rng.random_range(0..program.shards);
            let requests = self.rng.random_range(1..=requests_max / clients);
            let mut groups: Vec<Vec<Request>> = vec![Vec::new()];
            for _ in 0..requests {
                if self.rng.random_bool(PAUSES_OF_TEN) && !groups[groups.len() - 1].is_empty() {
                    groups.push(Vec::new());
                }
                let request = request(self);
                groups.last_mut().expect("there is one").push(request);
            }
            program.clients.push(Script { home, groups, ..Script::default() });
        }
    }
}
