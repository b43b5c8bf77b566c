//! `notify-keyspace-events`: which keyspace events are published, and on which channels.
//!
//! Each letter is a class of events or a kind of channel:
//!
//! ```text
//! K  __keyspace@<db>__ channels       E  __keyevent@<db>__ channels
//! g  commands of no type (DEL, ...)   $  strings    l  lists    s  sets    h  hashes    z  sorted sets
//! x  expired keys    e  evicted keys    t  streams    d  module types    m  misses    n  new keys
//! A  all of g$lshzxetd
//! ```

use crate::config::error::Reason;
use crate::config::value::{How, Words};

/// A set of event classes and channel kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Events(u32);

/// The classes that `A` stands for, in the order in which they are printed, then the rest.
const LETTERS: [(u8, Events); 14] = [
    (b'g', Events::GENERIC),
    (b'$', Events::STRING),
    (b'l', Events::LIST),
    (b's', Events::SET),
    (b'h', Events::HASH),
    (b'z', Events::ZSET),
    (b'x', Events::EXPIRED),
    (b'e', Events::EVICTED),
    (b't', Events::STREAM),
    (b'd', Events::MODULE),
    (b'n', Events::NEW),
    (b'K', Events::KEYSPACE),
    (b'E', Events::KEYEVENT),
    (b'm', Events::KEY_MISS),
];

impl Events {
    /// Publish on the channel of the key.
    pub const KEYSPACE: Self = Self(1);
    /// Publish on the channel of the event.
    pub const KEYEVENT: Self = Self(1 << 1);
    /// Events of commands for keys of any type.
    pub const GENERIC: Self = Self(1 << 2);
    /// Events of strings.
    pub const STRING: Self = Self(1 << 3);
    /// Events of lists.
    pub const LIST: Self = Self(1 << 4);
    /// Events of sets.
    pub const SET: Self = Self(1 << 5);
    /// Events of hashes.
    pub const HASH: Self = Self(1 << 6);
    /// Events of sorted sets.
    pub const ZSET: Self = Self(1 << 7);
    /// A key expired.
    pub const EXPIRED: Self = Self(1 << 8);
    /// A key was evicted.
    pub const EVICTED: Self = Self(1 << 9);
    /// Events of streams.
    pub const STREAM: Self = Self(1 << 10);
    /// A read found no key.
    pub const KEY_MISS: Self = Self(1 << 11);
    /// Events of types defined by modules.
    pub const MODULE: Self = Self(1 << 13);
    /// A key was created.
    pub const NEW: Self = Self(1 << 14);
    /// What `A` stands for.
    pub const ALL: Self = Self(
        Self::GENERIC.0
            | Self::STRING.0
            | Self::LIST.0
            | Self::SET.0
            | Self::HASH.0
            | Self::ZSET.0
            | Self::EXPIRED.0
            | Self::EVICTED.0
            | Self::STREAM.0
            | Self::MODULE.0,
    );

    /// Whether every class of `other` is in this set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether events of `class` are published at all: the class is on, and so is a kind of channel.
    pub const fn publishes(self, class: Self) -> bool {
        self.0 & class.0 != 0 && self.0 & (Self::KEYSPACE.0 | Self::KEYEVENT.0) != 0
    }

    /// These and those of another set.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl Words for Events {
    const EXPECTS: &'static str = "letters out of Ag$lshzxeKEtmdn";

    fn read(&mut self, words: &[&[u8]], _: How) -> Result<(), Reason> {
        let mut events = Self::default();
        for letter in words.concat() {
            let found = LETTERS.iter().find(|(known, _)| *known == letter).map(|(_, class)| *class);
            let class = if letter == b'A' { Some(Self::ALL) } else { found };
            events = events.with(class.ok_or(Reason::EventClass)?);
        }
        *self = events;
        Ok(())
    }

    fn print(&self) -> String {
        let all = self.contains(Self::ALL);
        let named = LETTERS.iter().filter(|(_, class)| self.contains(*class) && !(all && Self::ALL.contains(*class)));
        let letters = named.map(|(letter, _)| char::from(*letter));
        all.then_some('A').into_iter().chain(letters).collect()
    }
}
