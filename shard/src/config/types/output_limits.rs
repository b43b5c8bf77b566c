//! `client-output-buffer-limit`: when a client that does not read its replies is cut off.
//!
//! Each class of clients has a hard limit (cut at once), a soft limit and the seconds it may be exceeded. A line names
//! one or more classes, and leaves the others as they are.

use crate::config::error::Reason;
use crate::config::number;
use crate::config::value::{How, Words};

/// A class of clients with limits of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientClass {
    /// Clients that are nothing else.
    Normal,
    /// Replicas.
    Replica,
    /// Clients with a subscription.
    Pubsub,
}

impl ClientClass {
    /// The classes in the order in which they are printed.
    pub const ALL: [Self; 3] = [Self::Normal, Self::Replica, Self::Pubsub];

    fn name_in_answers(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Replica => "slave",
            Self::Pubsub => "pubsub",
        }
    }

    fn name_in_files(self) -> &'static str {
        if self == Self::Replica { "replica" } else { self.name_in_answers() }
    }

    fn named(word: &[u8]) -> Option<Self> {
        match word.to_ascii_lowercase().as_slice() {
            b"normal" => Some(Self::Normal),
            b"slave" | b"replica" => Some(Self::Replica),
            b"pubsub" => Some(Self::Pubsub),
            _ => None,
        }
    }
}

/// The limits of one class; 0 means none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// Cut off at once when this much is unsent.
    pub hard_bytes: u64,
    /// Cut off when this much has been unsent for `soft_seconds`.
    pub soft_bytes: u64,
    /// How long the soft limit may be exceeded.
    pub soft_seconds: u64,
}

impl OutputLimit {
    fn read(words: [&[u8]; 3]) -> Option<Self> {
        let [hard, soft, seconds] = words;
        Some(Self {
            hard_bytes: number::memory(hard)?,
            soft_bytes: number::memory(soft)?,
            soft_seconds: number::lenient(seconds).and_then(|seconds| u64::try_from(seconds).ok())?,
        })
    }
}

/// The limits of all classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputLimits([OutputLimit; 3]);

impl OutputLimits {
    /// The limits of a class.
    pub fn of(&self, class: ClientClass) -> OutputLimit {
        self.0[class as usize]
    }
}

impl Words for OutputLimits {
    const EXPECTS: &'static str = "groups of: normal|replica|pubsub, hard limit, soft limit, soft seconds";

    fn read(&mut self, words: &[&[u8]], _: How) -> Result<(), Reason> {
        let groups = words.chunks_exact(4);
        if !groups.remainder().is_empty() {
            return Err(Reason::OutputLimitArguments);
        }
        let mut limits = *self;
        for group in groups {
            let [class, hard, soft, seconds] = [group[0], group[1], group[2], group[3]];
            let class = ClientClass::named(class).ok_or(Reason::OutputLimitClass)?;
            let limit = OutputLimit::read([hard, soft, seconds]).ok_or(Reason::OutputLimitValue)?;
            limits.0[class as usize] = limit;
        }
        *self = limits;
        Ok(())
    }

    fn print(&self) -> String {
        let groups = ClientClass::ALL.map(|class| {
            let limit = self.of(class);
            let OutputLimit { hard_bytes, soft_bytes, soft_seconds } = limit;
            format!("{} {hard_bytes} {soft_bytes} {soft_seconds}", class.name_in_answers())
        });
        groups.join(" ")
    }

    fn file_values(&self) -> Vec<String> {
        let line = |class| {
            let limit = self.of(class);
            let (hard, soft) = (limit.hard_bytes, limit.soft_bytes);
            let (hard, soft) = (number::memory_with_unit(hard), number::memory_with_unit(soft));
            format!("{} {hard} {soft} {}", class.name_in_files(), limit.soft_seconds)
        };
        ClientClass::ALL.map(line).to_vec()
    }
}
