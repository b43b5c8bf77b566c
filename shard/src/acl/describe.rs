//! A user as rules, which make the same user when they are followed.

use storage::words;

use super::commands::Commands;
use super::selector::{KeyUse, Selector};
use super::user::{Sanitize, User};
use crate::sha256::hex;
use crate::spec::flags::CATEGORIES;
use crate::spec::{Category, CommandTable};

impl User {
    /// The words for what it is besides its passwords and selectors.
    pub fn flags(&self) -> Vec<&'static str> {
        let mut flags = vec![if self.is_on { "on" } else { "off" }];
        if self.no_password {
            flags.push("nopass");
        }
        match self.sanitize {
            Sanitize::Unsaid => {}
            Sanitize::Yes => flags.push("sanitize-payload"),
            Sanitize::Skip => flags.push("skip-sanitize-payload"),
        }
        flags
    }

    /// All its rules, as ACL LIST shows them behind its name.
    pub fn rules(&self) -> Vec<u8> {
        let mut text = self.flags().join(" ").into_bytes();
        for digest in &self.passwords {
            text.extend_from_slice(format!(" #{}", hex(digest)).as_bytes());
        }
        for (number, selector) in self.selectors.iter().enumerate() {
            let (before, behind) = if number == 0 { (" ", "") } else { (" (", ")") };
            text.extend_from_slice(before.as_bytes());
            let rules = selector.rules();
            text.extend_from_slice(&if number == 0 { rules } else { as_one_rule(&rules) });
            text.extend_from_slice(behind.as_bytes());
        }
        text
    }
}

/// Rules as they stand within parentheses: what could be taken for quotes, or for the end, is quoted.
fn as_one_rule(rules: &[u8]) -> Vec<u8> {
    let is_plain = |word: &[u8]| !word.iter().any(|byte| matches!(byte, b'"' | b'\'')) && word.last() != Some(&b')');
    let written = |word: &[u8]| if is_plain(word) { word.to_vec() } else { words::quoted(word) };
    rules.split(|byte| *byte == b' ').map(written).collect::<Vec<_>>().join(&b' ')
}

impl Selector {
    fn rules(&self) -> Vec<u8> {
        let channels = match self.channel_rules() {
            channels if self.all_channels => channels,
            channels if channels.is_empty() => b"resetchannels".to_vec(),
            channels => [b"resetchannels ", channels.as_slice()].concat(),
        };
        let parts = [self.key_rules(), channels, self.command_rules()];
        let parts: Vec<Vec<u8>> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(&b' ')
    }

    /// Its keys.
    pub fn key_rules(&self) -> Vec<u8> {
        if self.all_keys {
            return b"~*".to_vec();
        }
        let rule = |allows: KeyUse| match (allows.reads, allows.writes) {
            (true, false) => &b"%R~"[..],
            (false, true) => b"%W~",
            _ => b"~",
        };
        self.keys.iter().map(|keys| [rule(keys.allows), &keys.pattern].concat()).collect::<Vec<_>>().join(&b' ')
    }

    /// Its channels.
    pub fn channel_rules(&self) -> Vec<u8> {
        if self.all_channels {
            return b"&*".to_vec();
        }
        self.channels.iter().map(|channel| [b"&", channel.as_slice()].concat()).collect::<Vec<_>>().join(&b' ')
    }

    /// Its commands.
    ///
    /// They are written as a person would have: first the categories that come closest, one after another and each for what
    /// those before have left, then single commands; with as many categories as make the shortest rules.
    pub fn command_rules(&self) -> Vec<u8> {
        let adds = !self.commands.include_future();
        let (sign, mut written) = if adds { ("+", Commands::none()) } else { ("-", Commands::all()) };
        let mut categories = vec![if adds { b"-@all".to_vec() } else { b"+@all".to_vec() }];
        let mut left = self.commands.clone();
        let mut applied: Vec<Category> = Vec::new();
        let mut shortest = self.single_commands(written.clone());
        shortest.splice(0..0, categories.clone());
        while let Some((category, name)) = closest(&left, adds, &applied) {
            categories.push(format!("{sign}@{name}").into_bytes());
            written.set_category(category, adds);
            left.set_category(category, !adds);
            applied.push(category);
            let singles = self.single_commands(written.clone());
            if categories.len() + singles.len() <= shortest.len() {
                shortest = [categories.clone(), singles].concat();
            }
        }
        shortest.join(&b' ')
    }

    /// The rules that make its commands of those of `written`.
    fn single_commands(&self, mut written: Commands) -> Vec<Vec<u8>> {
        let mut rules = Vec::new();
        for row in CommandTable::global().rows() {
            let is_in = self.commands.has(row.id);
            if is_in != written.has(row.id) {
                rules.push(format!("{}{}", if is_in { "+" } else { "-" }, row.full_name).into_bytes());
                written.set(row, is_in);
            }
            let arguments = self.commands.first_arguments(row.id).iter().filter(|_| !is_in);
            rules.extend(arguments.map(|word| [b"+", row.full_name.as_bytes(), b"|", word].concat()));
        }
        rules
    }
}

/// The category that says most of what is left to be said and least else: that has more commands to be named than others.
fn closest(left: &Commands, adds: bool, applied: &[Category]) -> Option<(Category, &'static str)> {
    let mut best: Option<(usize, usize, (Category, &'static str))> = None;
    for (category, name) in CATEGORIES.into_iter().filter(|(category, _)| !applied.contains(category)) {
        let (on, off) = left.count(category);
        let (same, different) = if adds { (on, off) } else { (off, on) };
        let is_better = best.is_none_or(|(least, most, _)| different < least || (different == least && same > most));
        if same > different && is_better {
            best = Some((different, same, (category, name)));
        }
    }
    best.map(|(_, _, category)| category)
}
