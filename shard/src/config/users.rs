//! `user` lines, as far as there are users: `default` alone, who may do everything and has one password or none.
//!
//! That is what a line comes to that Redis's own tools and guides write to protect a server by a password. A line that
//! says less than everything, or names somebody else, is refused: a server that overlooked it would let people in who
//! were to stay out. As in Redis a line describes its user from nothing on, whatever `requirepass` said.

use super::error::{LoadError, Reason};
use super::{Config, WordLine};

/// The only user.
const DEFAULT: &[u8] = b"default";

/// What the rules of a line have come to so far.
#[derive(Default)]
struct User {
    on: bool,
    no_password: bool,
    passwords: Vec<Vec<u8>>,
    all_keys: bool,
    all_channels: bool,
    all_commands: bool,
}

impl User {
    /// Follows one rule; `None` if it is none that can be kept.
    fn follow(&mut self, rule: &[u8]) -> Option<()> {
        if let Some(password) = rule.strip_prefix(b">") {
            self.no_password = false;
            if !self.passwords.iter().any(|known| known == password) {
                self.passwords.push(password.to_vec());
            }
            return Some(());
        }
        if let Some(password) = rule.strip_prefix(b"<") {
            self.passwords.retain(|known| known != password);
            return Some(());
        }
        match rule.to_ascii_lowercase().as_slice() {
            b"on" => self.on = true,
            b"off" => self.on = false,
            b"nopass" => (self.no_password, self.passwords) = (true, Vec::new()),
            b"resetpass" => (self.no_password, self.passwords) = (false, Vec::new()),
            b"~*" | b"allkeys" => self.all_keys = true,
            b"resetkeys" => self.all_keys = false,
            b"&*" | b"allchannels" => self.all_channels = true,
            b"resetchannels" => self.all_channels = false,
            b"+@all" | b"allcommands" => self.all_commands = true,
            b"-@all" | b"nocommands" => self.all_commands = false,
            b"sanitize-payload" | b"skip-sanitize-payload" | b"clearselectors" => {}
            b"reset" => *self = Self::default(),
            _ => return None,
        }
        Some(())
    }

    /// Its password, empty for none, if the user is one that there can be.
    fn password(mut self) -> Option<Vec<u8>> {
        let may_do_everything = self.on && self.all_keys && self.all_channels && self.all_commands;
        let password = match (self.no_password, self.passwords.pop()) {
            (true, None) => Vec::new(),
            (false, Some(only)) if self.passwords.is_empty() && !only.is_empty() => only,
            _ => return None,
        };
        may_do_everything.then_some(password)
    }
}

impl Config {
    /// Takes the password of the default user from its `user` line, if there is one.
    pub fn settle_users(&mut self) -> Result<(), LoadError> {
        for line in &self.users {
            let password = password_of(line);
            let password = password.map_err(|reason| LoadError::Line { place: line.place.clone(), reason })?;
            self.settings.requirepass = password;
        }
        Ok(())
    }
}

fn password_of(line: &WordLine) -> Result<Vec<u8>, Reason> {
    let (name, rules) = line.words.split_first().expect("a user line has a name");
    let refused = |why: String| Reason::UserRule(String::from_utf8_lossy(name).into_owned(), why);
    if name != DEFAULT {
        return Err(refused("this version has no users but 'default'".to_owned()));
    }
    let mut user = User::default();
    for rule in rules {
        user.follow(rule).ok_or_else(|| {
            // What may be part of a password is not for the log.
            let kind = if rule.starts_with(b"#") { b"#<hash>" } else { rule.as_slice() };
            refused(format!("this version does not know the rule '{}'", String::from_utf8_lossy(kind)))
        })?;
    }
    user.password().ok_or_else(|| {
        refused(
            "in this version 'default' is on, may do everything (~* &* +@all), and has one password or nopass"
                .to_owned(),
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn settle(text: &str) -> Result<Vec<u8>, String> {
        let mut config = Config::parse_text(text.as_bytes()).expect("the lines are well formed");
        config.settle_users().map_err(|error| error.to_string())?;
        Ok(config.requirepass.clone())
    }

    #[test]
    fn a_line_for_the_default_user_sets_its_password() {
        assert_eq!(settle("requirepass a"), Ok(b"a".to_vec()));
        assert_eq!(settle("user default on nopass ~* &* +@all"), Ok(Vec::new()));
        assert_eq!(settle("user default on '>two words' allkeys allchannels allcommands"), Ok(b"two words".to_vec()));
        assert_eq!(settle("user default on nopass ~* &* +@all\nrequirepass a"), Ok(Vec::new()), "as in Redis");
        assert_eq!(settle("user default ON >a >b <a ~* &* +@all"), Ok(b"b".to_vec()));
        assert_eq!(settle("user default off reset on resetpass >a ~* &* +@all"), Ok(b"a".to_vec()));
    }

    #[test]
    fn a_user_who_may_less_is_refused_with_the_line() {
        for line in [
            "user default",
            "user default on ~* &* +@all",
            "user default off nopass ~* &* +@all",
            "user default on nopass ~a* &* +@all",
            "user default on nopass ~* +@all",
            "user default on nopass ~* &* +@all -flushall",
            "user default on >a >b ~* &* +@all",
            "user default on > ~* &* +@all",
            "user default on #abcdef ~* &* +@all",
            "user default on nopass ~* &* +@all (+get)",
            "user bob on nopass ~* &* +@all",
        ] {
            let error = settle(&format!("hz 10\n{line}")).expect_err("it cannot be kept");
            assert!(error.contains("option 2") && error.contains("Error in user declaration '"), "{error}");
            assert!(!error.lines().last().is_some_and(|why| why.contains("abcdef")), "{error}");
        }
    }
}
