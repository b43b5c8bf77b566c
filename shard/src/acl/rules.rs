//! Rules: what ACL SETUSER, `user` lines and the file of users say of a user.
//!
//! ```text
//!   on off nopass resetpass >password <password #digest !digest     the user
//!   sanitize-payload skip-sanitize-payload reset clearselectors
//!   (rule rule ...)                                                  one more selector, of the rules below
//!   +command -command +command|subcommand +@category -@category      a selector; outside of parentheses the first one
//!   allcommands nocommands ~pattern %R~pattern %W~pattern %RW~pattern allkeys resetkeys
//!   &pattern allchannels resetchannels
//! ```
//!
//! Each rule changes what those before it have made. Words are in any case of letters; names of commands are their own, whatever
//! `rename-command` says, so that a file of users means the same everywhere.

use storage::words;

use super::commands::Commands;
use super::selector::{KeyPattern, KeyUse, Selector};
use super::user::{Sanitize, User};
use crate::sha256::{Digest, from_hex, sha256};
use crate::spec::table::Row;
use crate::spec::{Category, CommandTable};

/// Why a rule is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleError {
    /// There is no such command or category.
    Unknown,
    /// It is no rule.
    Syntax,
    /// All keys are allowed already.
    KeysAfterAll,
    /// All channels are allowed already.
    ChannelsAfterAll,
    /// The password that is to be removed is none.
    NoSuchPassword,
    /// A digest is not one.
    BadDigest,
    /// A first argument of a subcommand.
    ArgumentOfSubcommand,
}

impl RuleError {
    /// The words for it.
    pub const fn text(self) -> &'static str {
        match self {
            RuleError::Unknown => "Unknown command or category name in ACL",
            RuleError::Syntax => "Syntax error",
            RuleError::KeysAfterAll => {
                "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any \
                 effect. Try 'resetkeys' to start with an empty list of patterns"
            }
            RuleError::ChannelsAfterAll => {
                "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any \
                 effect. Try 'resetchannels' to start with an empty list of channels"
            }
            RuleError::NoSuchPassword => "The password you are trying to remove from the user does not exist",
            RuleError::BadDigest => {
                "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
            }
            RuleError::ArgumentOfSubcommand => "Allowing first-arg of a subcommand is not supported",
        }
    }
}

type Followed = Result<(), RuleError>;

/// Whether a user may be called so.
pub fn is_name(name: &[u8]) -> bool {
    !has_space(name)
}

/// Neither white space nor a zero byte may stand in a name or in what a rule is about: a line of rules could not be read back.
fn has_space(text: &[u8]) -> bool {
    text.iter().any(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0))
}

/// Rules from words: those of a selector are one rule though spaces may stand between them. An error is the word with the
/// parenthesis that is not closed.
pub fn join_selectors<'a>(words: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Vec<u8>>, Vec<u8>> {
    let mut rules: Vec<Vec<u8>> = Vec::new();
    let mut open: Option<(&[u8], Vec<u8>)> = None;
    for word in words {
        let ends = word.last() == Some(&b')');
        match &mut open {
            Some((_, rule)) => {
                rule.push(b' ');
                rule.extend_from_slice(word);
                if ends {
                    rules.extend(open.take().map(|(_, rule)| rule));
                }
            }
            None if word.first() == Some(&b'(') && !ends => open = Some((word, word.to_vec())),
            None => rules.push(word.to_vec()),
        }
    }
    open.map_or(Ok(rules), |(word, _)| Err(word.to_vec()))
}

impl User {
    /// Follows one rule. `all_channels`: what is new may use all channels (`acl-pubsub-default`).
    pub fn follow(&mut self, rule: &[u8], all_channels: bool) -> Followed {
        match rule.to_ascii_lowercase().as_slice() {
            b"" => {}
            b"on" => self.is_on = true,
            b"off" => self.is_on = false,
            b"nopass" => (self.no_password, self.passwords) = (true, Vec::new()),
            b"resetpass" => (self.no_password, self.passwords) = (false, Vec::new()),
            b"sanitize-payload" => self.sanitize = Sanitize::Yes,
            b"skip-sanitize-payload" => self.sanitize = Sanitize::Skip,
            b"clearselectors" => self.selectors.truncate(1),
            b"reset" => {
                let (id, name) = (self.id, std::mem::take(&mut self.name));
                *self = User::new(id, &name, all_channels);
                self.sanitize = Sanitize::Yes;
            }
            [b'>' | b'#' | b'<' | b'!', ..] => return self.follow_password(rule[0], &rule[1..]),
            [b'(', rules @ .., b')'] => {
                let words = words::split(&rule[1..=rules.len()]).ok_or(RuleError::Syntax)?;
                let mut selector = Selector::new(all_channels);
                words.iter().try_for_each(|rule| selector.follow(rule))?;
                self.selectors.push(selector);
            }
            _ => return self.root().follow(rule),
        }
        Ok(())
    }

    fn follow_password(&mut self, kind: u8, text: &[u8]) -> Followed {
        let digest = || from_hex(text).ok_or(RuleError::BadDigest);
        match kind {
            b'>' => self.add_password(sha256(text)),
            b'#' => self.add_password(digest()?),
            b'<' => return self.remove_password(&sha256(text)),
            _ => return self.remove_password(&digest()?),
        }
        Ok(())
    }

    fn add_password(&mut self, digest: Digest) {
        self.no_password = false;
        if !self.passwords.contains(&digest) {
            self.passwords.push(digest);
        }
    }

    fn remove_password(&mut self, digest: &Digest) -> Followed {
        let known = self.passwords.iter().position(|known| known == digest).ok_or(RuleError::NoSuchPassword)?;
        self.passwords.remove(known);
        Ok(())
    }
}

impl Selector {
    /// Follows a rule that is about commands, keys or channels.
    pub fn follow(&mut self, rule: &[u8]) -> Followed {
        match rule.to_ascii_lowercase().as_slice() {
            b"" => {}
            b"allkeys" | b"~*" => (self.all_keys, self.keys) = (true, Vec::new()),
            b"resetkeys" => (self.all_keys, self.keys) = (false, Vec::new()),
            b"allchannels" | b"&*" => (self.all_channels, self.channels) = (true, Vec::new()),
            b"resetchannels" => (self.all_channels, self.channels) = (false, Vec::new()),
            b"allcommands" | b"+@all" => self.commands = Commands::all(),
            b"nocommands" | b"-@all" => self.commands = Commands::none(),
            [b'~', ..] => return self.add_keys(KeyUse { reads: true, writes: true }, &rule[1..]),
            [b'%', ..] => {
                if self.all_keys {
                    return Err(RuleError::KeysAfterAll);
                }
                let (allows, pattern) = key_use(&rule[1..])?;
                return self.add_keys(allows, pattern);
            }
            [b'&', ..] => return self.add_channel(&rule[1..]),
            [sign @ (b'+' | b'-'), b'@', name @ ..] => {
                let category = Category::named(name).ok_or(RuleError::Unknown)?;
                self.commands.set_category(category, *sign == b'+');
            }
            [b'+', ..] => return self.allow(&rule[1..]),
            [b'-', name @ ..] => self.commands.set(command(name).ok_or(RuleError::Unknown)?, false),
            _ => return Err(RuleError::Syntax),
        }
        Ok(())
    }

    fn add_keys(&mut self, allows: KeyUse, pattern: &[u8]) -> Followed {
        if self.all_keys {
            return Err(RuleError::KeysAfterAll);
        }
        if has_space(pattern) {
            return Err(RuleError::Syntax);
        }
        match self.keys.iter_mut().find(|known| known.pattern == pattern) {
            Some(known) => {
                known.allows.reads |= allows.reads;
                known.allows.writes |= allows.writes;
            }
            None => self.keys.push(KeyPattern { pattern: pattern.to_vec(), allows }),
        }
        Ok(())
    }

    fn add_channel(&mut self, pattern: &[u8]) -> Followed {
        if self.all_channels {
            return Err(RuleError::ChannelsAfterAll);
        }
        if has_space(pattern) {
            return Err(RuleError::Syntax);
        }
        if !self.channels.iter().any(|known| known == pattern) {
            self.channels.push(pattern.to_vec());
        }
        Ok(())
    }

    /// `+command`, `+command|subcommand` or `+command|first-argument`.
    fn allow(&mut self, name: &[u8]) -> Followed {
        let Some(bar) = name.iter().rposition(|byte| *byte == b'|') else {
            self.commands.set(command(name).ok_or(RuleError::Unknown)?, true);
            return Ok(());
        };
        let (above, word) = (&name[..bar], &name[bar + 1..]);
        let row = command(above).ok_or(RuleError::Unknown)?;
        if row.parent.is_some() {
            return Err(RuleError::ArgumentOfSubcommand);
        }
        if word.is_empty() || has_space(word) {
            return Err(RuleError::Syntax);
        }
        if row.command.subcommands.is_empty() {
            self.commands.add_first_argument(row.id, word);
        } else {
            self.commands.set(command(name).ok_or(RuleError::Unknown)?, true);
        }
        Ok(())
    }
}

/// What stands between `%` and `~`, and the pattern behind. Without a `~` the pattern is empty.
fn key_use(rule: &[u8]) -> Result<(KeyUse, &[u8]), RuleError> {
    let mut allows = KeyUse::default();
    let mut pattern: &[u8] = &[];
    for (place, letter) in rule.iter().enumerate() {
        match letter.to_ascii_uppercase() {
            b'R' if !allows.reads => allows.reads = true,
            b'W' if !allows.writes => allows.writes = true,
            b'~' => {
                pattern = &rule[place + 1..];
                break;
            }
            _ => return Err(RuleError::Syntax),
        }
    }
    if allows == KeyUse::default() { Err(RuleError::Syntax) } else { Ok((allows, pattern)) }
}

/// The command or subcommand whose own name this is.
fn command(name: &[u8]) -> Option<&'static Row> {
    CommandTable::global().rows().iter().find(|row| row.full_name.as_bytes().eq_ignore_ascii_case(name))
}
