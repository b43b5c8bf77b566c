//! What a client asked for with CLIENT TRACKING.

use std::collections::BTreeSet;

use crate::ids::ClientId;

/// Which reads of the client are remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// All.
    #[default]
    All,
    /// Those behind `CLIENT CACHING YES`.
    OptIn,
    /// All but those behind `CLIENT CACHING NO`.
    OptOut,
}

/// How a client tracks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mode {
    /// It is told of all keys with one of its prefixes, whether it has read them or not.
    pub broadcast: bool,
    /// Those prefixes, of BCAST alone.
    pub prefixes: BTreeSet<Vec<u8>>,
    /// Which of its reads are remembered, without BCAST.
    pub choice: Choice,
    /// It is not told of its own changes.
    pub no_loop: bool,
    /// This other client is told in its place.
    pub redirect: Option<ClientId>,
    /// The other client was found to be gone.
    pub is_broken: bool,
    /// `CLIENT CACHING`, about the next command.
    pub caching: bool,
}

impl Mode {
    /// Bytes of memory that it takes.
    pub fn heap_bytes(&self) -> usize {
        /// What a prefix takes in its tree and in the registry, about, besides its bytes.
        const PREFIX_OVERHEAD_BYTES: usize = 96;
        let prefixes = self.prefixes.iter().map(|prefix| prefix.capacity() + PREFIX_OVERHEAD_BYTES);
        size_of::<Mode>() + prefixes.sum::<usize>()
    }

    /// Whether the reads of the command that is looked at are remembered.
    pub const fn remembers(&self) -> bool {
        !self.broadcast
            && match self.choice {
                Choice::All => true,
                Choice::OptIn => self.caching,
                Choice::OptOut => !self.caching,
            }
    }
}
