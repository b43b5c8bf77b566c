//! Commands that are not quite right: how a server refuses them is compared as well.

use super::Arguments;
use super::words;
use crate::support::Random;

/// Changes one word of a command, or takes one away, or adds one. `tokens` are words that mean something somewhere.
pub fn spoil(words: &mut Arguments, tokens: &[String], random: &mut Random) {
    let at = 1 + random.below(words.len() as u64) as usize;
    match random.below(8) {
        0 | 1 if at < words.len() => drop(words.remove(at)),
        2 if at < words.len() => {
            let word = words[at].clone();
            words.insert(at, word);
        }
        3 if at + 1 < words.len() => words.swap(at, at + 1),
        4 => words.insert(at, random.pick(tokens).clone().into_bytes()),
        5 if at < words.len() => words[at] = words::text(random),
        6 => words.truncate(at),
        _ if at < words.len() => words[at] = words::integer(random),
        _ => words.push(words::text(random)),
    }
}
