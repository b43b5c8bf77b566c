//! All users of a server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::user::{User, UserId};

/// The user that clients are who have not said who they are. It is always there.
pub const DEFAULT_USER: &[u8] = b"default";

/// Users by their names.
#[derive(Clone, Debug)]
pub struct Users {
    by_name: BTreeMap<Vec<u8>, Arc<User>>,
    default: Arc<User>,
}

/// A number that no user of this process has had.
fn next_id() -> UserId {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    UserId(NEXT.fetch_add(1, Ordering::Relaxed))
}

impl Users {
    /// The default user, who may do everything: with this password, or with any if that is empty.
    pub fn new(password: &[u8]) -> Users {
        let mut default = User::almighty(next_id(), DEFAULT_USER);
        default.set_password(password);
        let default = Arc::new(default);
        Users { by_name: BTreeMap::from([(DEFAULT_USER.to_vec(), Arc::clone(&default))]), default }
    }

    /// The default user.
    pub fn default_user(&self) -> &Arc<User> {
        &self.default
    }

    /// The user of this name.
    pub fn get(&self, name: &[u8]) -> Option<&Arc<User>> {
        self.by_name.get(name)
    }

    /// All users, in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<User>> {
        self.by_name.values()
    }

    /// A copy of the user of this name, or a new one, to be changed.
    pub fn to_change(&self, name: &[u8], all_channels: bool) -> User {
        match self.get(name) {
            Some(user) => User::clone(user),
            None => User::new(next_id(), name, all_channels),
        }
    }

    /// Puts a user in the place of the one of its name.
    pub fn put(&mut self, user: User) {
        let user = Arc::new(user.settled());
        if user.name == DEFAULT_USER {
            self.default = Arc::clone(&user);
        }
        self.by_name.insert(user.name.clone(), user);
    }

    /// Takes a user away, who is not the default user; false if there is none of that name.
    pub fn remove(&mut self, name: &[u8]) -> bool {
        debug_assert!(name != DEFAULT_USER, "the default user stays");
        self.by_name.remove(name).is_some()
    }

    /// These users in the place of `before`. The default user stays who it was, all others are others.
    #[must_use]
    pub fn replacing(mut self, before: &Users) -> Users {
        let mut default = User::clone(&self.default);
        default.id = before.default.id;
        self.put(default);
        self
    }
}
