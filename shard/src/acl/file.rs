//! Users of the configuration, and of the file that `aclfile` names.
//!
//! A line is `user <name> <rule> ...`, in either. In the file words are separated by spaces and nothing is quoted, as in
//! Redis's; empty lines are passed over, and anything else that is no such line is an error. A user begins as a new one does,
//! the default user with nothing at all; if no line is about that one, it stays as it is without one.

use std::path::PathBuf;

use storage::words;

use super::rules::{RuleError, is_name, join_selectors};
use super::user::User;
use super::users::{DEFAULT_USER, Users};
use crate::config::error::system_text;
use crate::config::types::choices::AclPubsub;
use crate::config::{Config, LoadError, Reason, WordLine};

const SUFFIX: &str = "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";

impl Config {
    /// The users that its lines describe, and `requirepass`; those of a file are not looked at.
    pub fn described_users(&self) -> Result<Users, LoadError> {
        let mut users = Users::new(&self.requirepass);
        for line in &self.users {
            let described = self.described_user(&users, line);
            users.put(described.map_err(|reason| LoadError::Line { place: line.place.clone(), reason })?);
        }
        Ok(users)
    }

    fn described_user(&self, users: &Users, line: &WordLine) -> Result<User, Reason> {
        let (name, words) = line.words.split_first().expect("a user line has a name");
        let refused = |what: &[u8], why: &str| {
            // What may be part of a password is not for the log.
            let shown = match what.first() {
                Some(kind @ (b'>' | b'<' | b'#' | b'!')) => format!("{}...", char::from(*kind)),
                _ => String::from_utf8_lossy(what).into_owned(),
            };
            Reason::UserRule(shown, why.to_owned())
        };
        if !is_name(name) {
            return Err(refused(name, "Spaces not allowed in ACL usernames"));
        }
        let rules = join_selectors(words.iter().map(Vec::as_slice))
            .map_err(|word| refused(&word, "Unmatched parenthesis in acl selector"))?;
        let mut user = users.to_change(name, self.new_users_hear_all());
        if name == DEFAULT_USER {
            user.follow(b"reset", self.new_users_hear_all()).map_err(|error| refused(name, error.text()))?;
        }
        for rule in rules {
            let followed = user.follow(&rule, self.new_users_hear_all());
            followed.map_err(|error| refused(&rule, error.text()))?;
        }
        Ok(user)
    }

    /// The file of users.
    pub fn users_path(&self) -> PathBuf {
        self.dir.join(&self.aclfile)
    }

    /// The users that the file of users describes, or all that is wrong with it.
    pub fn users_of_file(&self) -> Result<Users, String> {
        let text = std::fs::read(self.users_path())
            .map_err(|error| format!("Error loading ACLs, opening file '{}': {}", self.aclfile, system_text(&error)))?;
        load_file(&self.aclfile, &text, self.new_users_hear_all())
    }

    /// Whether new users may use all channels.
    pub fn new_users_hear_all(&self) -> bool {
        self.acl_pubsub_default == AclPubsub::Allchannels
    }
}

/// The users of a file called `name` that holds `text`, or all that is wrong with it.
pub fn load_file(name: &str, text: &[u8], all_channels: bool) -> Result<Users, String> {
    let mut users = Users::new(b"");
    let mut seen: Vec<&[u8]> = Vec::new();
    let mut errors: Vec<String> = Vec::new();
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let mut words = line.split(|byte| *byte == b' ');
        let (Some(b"user"), Some(user)) = (words.next(), words.next()) else {
            errors.push(format!("{name}:{number} should start with user keyword followed by the username. "));
            continue;
        };
        let shown = String::from_utf8_lossy(user);
        if !is_name(user) {
            errors.push(format!("'{name}:{number}: username '{shown}' contains invalid characters. "));
        } else if seen.contains(&user) {
            errors.push(format!("WARNING: Duplicate user '{shown}' found on line {number}. "));
        } else if let Ok(rules) = join_selectors(words.filter(|word| !word.is_empty())) {
            seen.push(user);
            let mut described = User::new(users.to_change(user, all_channels).id, user, all_channels);
            let wrong = follow_all(&mut described, &rules, all_channels);
            errors.extend(wrong.into_iter().map(|error| format!("{name}:{number}: {error}. ")));
            users.put(described);
        } else {
            errors.push(format!("{name}:{number}: Unmatched parenthesis in selector definition."));
        }
    }
    if errors.is_empty() { Ok(users) } else { Err(errors.concat() + SUFFIX) }
}

/// Follows the rules of a line; returns what is wrong with them: every command that there is not, and of other errors the first.
fn follow_all(user: &mut User, rules: &[Vec<u8>], all_channels: bool) -> Vec<String> {
    let mut errors = Vec::new();
    let mut has_other = false;
    for rule in rules {
        match user.follow(rule, all_channels) {
            Err(error @ RuleError::Unknown) => {
                let rule = String::from_utf8_lossy(rule);
                errors.push(format!("Error in applying operation '{rule}': {}", error.text()));
            }
            Err(error) if !std::mem::replace(&mut has_other, true) => errors.push(error.text().to_owned()),
            _ => {}
        }
    }
    errors
}

impl Users {
    /// The lines of a file that describes these users.
    pub fn file_text(&self) -> Vec<u8> {
        let lines = self.iter().map(|user| [b"user ", user.name.as_slice(), b" ", &user.rules(), b"\n"].concat());
        lines.collect::<Vec<_>>().concat()
    }

    /// What stands behind `user` in the configuration's lines about these users: words that are quoted where they need it.
    pub fn config_lines(&self) -> Vec<Vec<u8>> {
        let line = |rules: &[u8], name: &[u8]| {
            let words = std::iter::once(name).chain(rules.split(|byte| *byte == b' '));
            words.map(words::written).collect::<Vec<_>>().join(&b' ')
        };
        self.iter().map(|user| line(&user.rules(), &user.name)).collect()
    }
}
