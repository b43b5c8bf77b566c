//! Where each client is: its core and its connection there.
//!
//! A client is entered when its connection is opened and leaves when it is closed. The map is cut by number, so that
//! cores which open connections at the same time seldom wait for each other.

use std::sync::{Mutex, MutexGuard};

use hashbrown::HashMap;
use net::ConnId;

use crate::ids::{ClientId, ShardId};

const PARTS: usize = 16;

/// A client's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The core that it lives on.
    pub core: ShardId,
    /// The connection there.
    pub conn: ConnId,
}

/// Where all clients are.
#[derive(Debug, Default)]
pub struct Places {
    parts: [Mutex<HashMap<ClientId, Place>>; PARTS],
}

impl Places {
    /// `client` has come.
    pub fn enter(&self, client: ClientId, place: Place) {
        self.part(client).insert(client, place);
    }

    /// `client` has gone. False if it had before.
    pub fn leave(&self, client: ClientId) -> bool {
        self.part(client).remove(&client).is_some()
    }

    /// Where `client` is, if it is there.
    pub fn of(&self, client: ClientId) -> Option<Place> {
        self.part(client).get(&client).copied()
    }

    fn part(&self, client: ClientId) -> MutexGuard<'_, HashMap<ClientId, Place>> {
        let part = &self.parts[client.0 as usize % PARTS];
        part.lock().expect("no one panics while entering a client")
    }
}
