//! The messages of tracking.
//!
//! ```text
//!   RESP3, the client itself            >2 $10 invalidate          *1 $3 key      or null, for all keys
//!   RESP2, a subscriber that it named   *3 $7 message
//!                                          $20 __redis__:invalidate   *1 $3 key
//!   RESP3, the named one is gone        >2 $21 tracking-redir-broken :7
//! ```
//!
//! What names the keys is the same in both protocols, so it is made once and shared by all who are told.

use std::collections::BTreeMap;
use std::sync::Arc;

use net::{Reply, Resp};

use crate::ids::ClientId;

/// The channel of those that are told in another client's place, without RESP3.
const CHANNEL: &[u8] = b"__redis__:invalidate";

/// What is no longer true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// These keys: an array in RESP.
    Keys(Arc<[u8]>),
    /// All.
    All,
}

impl Invalid {
    /// These keys.
    pub fn keys<'k>(count: usize, keys: impl Iterator<Item = &'k [u8]>) -> Invalid {
        let mut bytes = Vec::new();
        let mut reply = Reply::new(&mut bytes, Resp::V3);
        reply.array(count);
        for key in keys {
            reply.bulk(key);
        }
        Invalid::Keys(bytes.into())
    }

    fn write(&self, reply: &mut Reply<'_>) {
        match self {
            Invalid::Keys(bytes) => reply.raw(bytes),
            Invalid::All => reply.null(),
        }
    }
}

/// What a connection is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// That its own copies are no longer true.
    Own(Invalid),
    /// That those of the client are which named this one.
    Redirected(Invalid),
    /// That the client which it named is gone.
    Broken,
}

impl Notice {
    /// The keys that it names, as bytes.
    pub const fn keys(&self) -> Option<&Arc<[u8]>> {
        match self {
            Notice::Own(Invalid::Keys(keys)) | Notice::Redirected(Invalid::Keys(keys)) => Some(keys),
            _ => None,
        }
    }
}

impl Invalid {
    /// What a client is sent itself; nothing can be sent without RESP3.
    pub fn push(&self, resp: Resp) -> Option<Vec<u8>> {
        (resp == Resp::V3).then(|| {
            let mut bytes = Vec::new();
            let mut reply = Reply::new(&mut bytes, resp);
            reply.push(2);
            reply.bulk(b"invalidate");
            self.write(&mut reply);
            bytes
        })
    }

    /// What a client is sent in another one's place. Without RESP3 it has to be a subscriber.
    pub fn redirected(&self, resp: Resp, subscribed: bool) -> Option<Vec<u8>> {
        if resp == Resp::V3 {
            return self.push(resp);
        }
        subscribed.then(|| {
            let mut bytes = Vec::new();
            let mut reply = Reply::new(&mut bytes, resp);
            reply.array(3);
            reply.bulk(b"message");
            reply.bulk(CHANNEL);
            self.write(&mut reply);
            bytes
        })
    }
}

/// What a client is sent when `other`, which it named, is gone.
pub fn broken(resp: Resp, other: ClientId) -> Option<Vec<u8>> {
    (resp == Resp::V3).then(|| {
        let mut bytes = Vec::new();
        let mut reply = Reply::new(&mut bytes, resp);
        reply.push(2);
        reply.bulk(b"tracking-redir-broken");
        reply.integer(other.0 as i64);
        bytes
    })
}

/// Changed keys by the prefixes of which clients are told, each with the client that changed it.
#[derive(Debug, Default)]
pub struct Broadcast {
    prefixes: BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, Option<ClientId>>>,
}

impl Broadcast {
    /// Whether nothing is to be told.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.prefixes.is_empty()
    }

    /// `key`, which begins with `prefix`, was changed by `writer`.
    pub fn add(&mut self, prefix: &[u8], key: &[u8], writer: Option<ClientId>) {
        if !self.prefixes.contains_key(prefix) {
            self.prefixes.insert(prefix.to_vec(), BTreeMap::new());
        }
        let keys = self.prefixes.get_mut(prefix).expect("it was put in above");
        keys.entry(key.to_vec()).or_insert(writer);
    }

    /// Takes out what is to be told, by prefixes.
    pub fn take(&mut self) -> impl Iterator<Item = (Vec<u8>, BTreeMap<Vec<u8>, Option<ClientId>>)> + use<> {
        std::mem::take(&mut self.prefixes).into_iter()
    }
}
