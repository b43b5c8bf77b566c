//! The users of this server, as all cores share them, and what was denied to them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

use super::check::Reason;
use super::log::{Denied, Log};
use super::users::Users;

/// How often something was denied (INFO's `acl_access_denied_...`).
#[derive(Debug, Default)]
pub struct Counts {
    /// To be a user.
    pub auth: AtomicU64,
    /// To run a command.
    pub command: AtomicU64,
    /// To touch a key.
    pub key: AtomicU64,
    /// To use a channel.
    pub channel: AtomicU64,
}

impl Counts {
    fn of(&self, reason: Reason) -> &AtomicU64 {
        match reason {
            Reason::Auth => &self.auth,
            Reason::Command => &self.command,
            Reason::Key => &self.key,
            Reason::Channel => &self.channel,
        }
    }

    /// Sets all to zero.
    pub fn reset(&self) {
        for count in [&self.auth, &self.command, &self.key, &self.channel] {
            count.store(0, Ordering::Relaxed);
        }
    }
}

/// The users, and what was denied to them.
pub struct Registry {
    users: RwLock<Arc<Users>>,
    version: AtomicU64,
    log: Mutex<Log>,
    /// How often something was denied.
    pub counts: Counts,
    /// Makes passwords.
    secrets: Mutex<StdRng>,
}

impl Registry {
    /// For a server that begins with these users.
    pub fn new(users: Users) -> Registry {
        Registry {
            users: RwLock::new(Arc::new(users)),
            version: AtomicU64::new(0),
            log: Mutex::default(),
            counts: Counts::default(),
            secrets: Mutex::new(StdRng::from_os_rng()),
        }
    }

    /// The users now.
    pub fn users(&self) -> Arc<Users> {
        Arc::clone(&self.users.read().expect("no one panics while replacing the users"))
    }

    /// Another number with every change of the users.
    #[inline]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Changes the users under their lock, so that two changes at once are one after the other. `change` gets a copy; an
    /// error leaves everything as it was.
    pub fn change<T, E>(&self, change: impl FnOnce(&mut Users) -> Result<T, E>) -> Result<T, E> {
        let mut current = self.users.write().expect("no one panics while replacing the users");
        let mut next = Users::clone(&current);
        let result = change(&mut next)?;
        *current = Arc::new(next);
        self.version.fetch_add(1, Ordering::Release);
        Ok(result)
    }

    /// Puts these users in the place of all others.
    pub fn replace(&self, users: Users) {
        let replaced = self.change(|current| {
            *current = users;
            Ok::<(), std::convert::Infallible>(())
        });
        let Ok(()) = replaced;
    }

    /// The log.
    pub fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().expect("no one panics while adding to the log")
    }

    /// Counts what was denied at `now` and logs it; at most `kept` entries stay.
    pub fn note(&self, denied: Denied, now: storage::UnixMillis, kept: usize) {
        self.counts.of(denied.reason).fetch_add(1, Ordering::Relaxed);
        self.log().add(denied, now, kept);
    }

    /// So many bytes that nobody can guess.
    pub fn secret(&self, bytes: usize) -> Vec<u8> {
        let mut secret = vec![0; bytes];
        self.secrets.lock().expect("filling bytes does not panic").fill_bytes(&mut secret);
        secret
    }
}
