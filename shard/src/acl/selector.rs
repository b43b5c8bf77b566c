//! A selector: commands, the keys that they may touch, and the channels.

use storage::glob::{Case, glob_match};

use super::commands::Commands;
use crate::spec::KeyFlag;

/// What may be done to keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyUse {
    /// Their values may be learnt of.
    pub reads: bool,
    /// They may be changed.
    pub writes: bool,
}

impl KeyUse {
    /// What a command needs that does this with a key. Whoever learns no more than that a key is there needs nothing.
    pub fn needed(flags: &[KeyFlag]) -> KeyUse {
        let has = |wanted: &[KeyFlag]| flags.iter().any(|flag| wanted.contains(flag));
        KeyUse { reads: has(&[KeyFlag::Access]), writes: has(&[KeyFlag::Insert, KeyFlag::Delete, KeyFlag::Update]) }
    }

    fn includes(self, needed: KeyUse) -> bool {
        (self.reads || !needed.reads) && (self.writes || !needed.writes)
    }
}

/// Keys by a pattern, and what may be done to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPattern {
    /// The pattern.
    pub pattern: Vec<u8>,
    /// What may be done.
    pub allows: KeyUse,
}

/// A set of permissions, each of which counts only together with the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// The commands.
    pub commands: Commands,
    /// Any key may be read and written.
    pub all_keys: bool,
    /// Otherwise these.
    pub keys: Vec<KeyPattern>,
    /// Any channel may be used.
    pub all_channels: bool,
    /// Otherwise these.
    pub channels: Vec<Vec<u8>>,
}

impl Selector {
    /// Nothing is allowed, but the channels if `all_channels`.
    pub fn new(all_channels: bool) -> Selector {
        Selector { commands: Commands::none(), all_keys: false, keys: Vec::new(), all_channels, channels: Vec::new() }
    }

    /// Whether everything is allowed.
    pub fn allows_everything(&self) -> bool {
        self.all_keys && self.all_channels && self.commands.are_all()
    }

    /// Whether this may be done to a key.
    pub fn allows_key(&self, key: &[u8], needed: KeyUse) -> bool {
        let fits = |keys: &KeyPattern| glob_match(&keys.pattern, key, Case::Sensitive);
        self.all_keys || self.keys.iter().any(|keys| keys.allows.includes(needed) && fits(keys))
    }

    /// Whether this may be done to any key.
    pub fn allows_any_key(&self, needed: KeyUse) -> bool {
        self.all_keys || self.keys.iter().any(|keys| keys.pattern == b"*" && keys.allows.includes(needed))
    }

    /// Whether a channel may be used. A pattern of channels only if it is one of those that are allowed.
    pub fn allows_channel(&self, channel: &[u8], is_pattern: bool) -> bool {
        self.all_channels || channel_fits(self.channels.iter(), channel, is_pattern)
    }
}

/// Whether a channel is one of those that `patterns` allow.
pub(super) fn channel_fits<'a>(
    mut patterns: impl Iterator<Item = &'a Vec<u8>>,
    channel: &[u8],
    is_pattern: bool,
) -> bool {
    patterns.any(|pattern| if is_pattern { pattern == channel } else { glob_match(pattern, channel, Case::Sensitive) })
}
