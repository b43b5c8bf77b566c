//! A random command that a syntax allows.

use super::Arguments;
use super::syntax::{Argument, Command, Kind};
use super::words;
use crate::support::Random;

/// Writes a command with random options and random words.
pub fn write(command: &Command, random: &mut Random) -> Arguments {
    let words = command.words.iter().map(|word| cased(word, random)).collect();
    let mut writer = Writer { command, random, words, keys: None };
    writer.all(&command.arguments);
    writer.words
}

struct Writer<'a> {
    command: &'a Command,
    random: &'a mut Random,
    words: Arguments,
    /// How many keys were announced, or written: weights and ids are as many.
    keys: Option<usize>,
}

impl Writer<'_> {
    fn all(&mut self, arguments: &[Argument]) {
        for argument in arguments {
            if !argument.optional || self.random.chance(35) {
                self.one(argument);
            }
        }
    }

    fn one(&mut self, argument: &Argument) {
        for index in 0..self.count(argument) {
            if let Some(token) = &argument.token
                && (index == 0 || argument.multiple_token)
            {
                let token = cased(token, self.random);
                self.words.push(token);
            }
            match argument.kind {
                Kind::Token => {}
                Kind::Block => self.all(&argument.inner),
                Kind::OneOf => {
                    let chosen = self.random.below(argument.inner.len() as u64) as usize;
                    self.one(&argument.inner[chosen]);
                }
                _ if argument.name == "numkeys" => self.announce(),
                _ => {
                    let word = words::choose(self.command, argument, self.random);
                    self.words.push(word);
                }
            }
        }
    }

    /// The number of keys that follow; now and then a wrong one.
    fn announce(&mut self) {
        let keys = 1 + self.random.below(3) as usize;
        self.keys = Some(keys);
        let said = if self.random.chance(4) { words::integer(self.random) } else { keys.to_string().into_bytes() };
        self.words.push(said);
    }

    fn count(&mut self, argument: &Argument) -> usize {
        if !argument.multiple {
            return 1;
        }
        let as_keys = argument.kind == Kind::Key || matches!(argument.name.as_str(), "weight" | "id");
        if as_keys && let Some(keys) = self.keys {
            return keys;
        }
        let count = match self.random.below(100) {
            0..70 => 1 + self.random.below(3),
            70..98 => 1 + self.random.below(8),
            _ => 1 + self.random.below(150),
        } as usize;
        if argument.kind == Kind::Key {
            self.keys = Some(count.min(5));
            return count.min(5);
        }
        count
    }
}

/// A token in upper case, lower case, or both.
fn cased(token: &str, random: &mut Random) -> Vec<u8> {
    match random.below(10) {
        0..7 => token.to_ascii_uppercase().into_bytes(),
        7..9 => token.to_ascii_lowercase().into_bytes(),
        _ => {
            let either =
                |byte: u8| if random.chance(50) { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
            token.bytes().map(either).collect()
        }
    }
}
