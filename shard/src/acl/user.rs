//! A user.

use super::commands::Commands;
use super::selector::{Selector, channel_fits};
use crate::pubsub::{Kind, Subscriptions};
use crate::sha256::{Digest, is_same, sha256};

/// A user's number, which stays through all changes of its rules and is given once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserId(pub u64);

/// Whether RESTORE is to look at what it is given, which it always does here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sanitize {
    /// Nothing was said.
    Unsaid,
    /// `sanitize-payload`
    Yes,
    /// `skip-sanitize-payload`
    Skip,
}

/// A user.
#[derive(Clone, Debug)]
pub struct User {
    /// Its number.
    pub id: UserId,
    /// Its name.
    pub name: Vec<u8>,
    /// Clients can become this user.
    pub is_on: bool,
    /// With any password.
    pub no_password: bool,
    /// What is said of payloads.
    pub sanitize: Sanitize,
    /// The digests of its passwords.
    pub passwords: Vec<Digest>,
    /// What it may do: the rules outside of parentheses, then each pair of parentheses.
    pub selectors: Vec<Selector>,
    /// It may do everything.
    is_unrestricted: bool,
}

impl User {
    /// A user who is off and may do nothing, but use all channels if `all_channels`.
    pub fn new(id: UserId, name: &[u8], all_channels: bool) -> User {
        User {
            id,
            name: name.to_vec(),
            is_on: false,
            no_password: false,
            sanitize: Sanitize::Unsaid,
            passwords: Vec::new(),
            selectors: vec![Selector::new(all_channels)],
            is_unrestricted: false,
        }
    }

    /// A user who may do everything, with any password.
    pub fn almighty(id: UserId, name: &[u8]) -> User {
        let root = Selector { commands: Commands::all(), all_keys: true, ..Selector::new(true) };
        User { is_on: true, no_password: true, selectors: vec![root], ..User::new(id, name, true) }.settled()
    }

    /// The same when its rules have changed.
    #[must_use]
    pub fn settled(mut self) -> User {
        self.is_unrestricted = self.selectors.iter().any(Selector::allows_everything);
        self
    }

    /// The rules outside of parentheses.
    pub fn root(&mut self) -> &mut Selector {
        &mut self.selectors[0]
    }

    /// Whether it may do everything, so that nothing else need be asked.
    #[inline]
    pub fn is_unrestricted(&self) -> bool {
        self.is_unrestricted
    }

    /// Whether anybody is this user without a word, if it is the default user.
    pub fn is_open(&self) -> bool {
        self.is_on && self.no_password
    }

    /// Whether a client with this password is this user.
    pub fn admits(&self, password: &[u8]) -> bool {
        if !self.is_on {
            return false;
        }
        let given = sha256(password);
        // All are compared, for the time is not to tell which one fits.
        self.no_password | self.passwords.iter().fold(false, |fits, kept| fits | is_same(kept, &given))
    }

    /// Gives it this password and no other, or none if that is empty.
    pub fn set_password(&mut self, password: &[u8]) {
        self.passwords.clear();
        self.no_password = password.is_empty();
        if !self.no_password {
            self.passwords.push(sha256(password));
        }
    }

    /// Whether a client that was this user as `before` must not keep its subscriptions.
    pub fn revokes(&self, before: &User, subscriptions: &Subscriptions) -> bool {
        if self.selectors.iter().any(|selector| selector.all_channels) {
            return false;
        }
        let allowed = || self.selectors.iter().flat_map(|selector| &selector.channels);
        let is_kept = |selector: &Selector| {
            !selector.all_channels && selector.channels.iter().all(|channel| allowed().any(|kept| kept == channel))
        };
        if before.selectors.iter().all(is_kept) {
            return false;
        }
        Kind::ALL
            .into_iter()
            .any(|kind| subscriptions.of(kind).any(|name| !channel_fits(allowed(), name, kind == Kind::Pattern)))
    }
}
