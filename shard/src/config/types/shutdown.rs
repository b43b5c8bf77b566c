//! `shutdown-on-sigterm` and `shutdown-on-sigint`: how the server goes down when it is told to by a signal.

use super::save::SavePoints;
use crate::config::error::Reason;
use crate::config::value::{How, Words};

/// The ways to shut down; none of them means that `save` decides about a last snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShutdownOptions {
    /// Write a snapshot whatever `save` says.
    pub save: bool,
    /// Write no snapshot whatever `save` says.
    pub nosave: bool,
    /// Do not wait for replicas to catch up.
    pub now: bool,
    /// Go down even if the snapshot fails.
    pub force: bool,
}

impl ShutdownOptions {
    /// Whether a server with these save points writes a snapshot before it goes.
    pub fn wants_save(&self, save: &SavePoints) -> bool {
        self.save || (!self.nosave && !save.points.is_empty())
    }
}

/// The names in the order in which errors list them and values are printed.
const NAMES: [&str; 5] = ["default", "save", "nosave", "now", "force"];

impl Words for ShutdownOptions {
    const EXPECTS: &'static str = "default, or any of: save, nosave, now, force";

    fn read(&mut self, words: &[&[u8]], _: How) -> Result<(), Reason> {
        let refused = || Reason::NotOneOf(NAMES.to_vec());
        if words.is_empty() {
            return Err(refused());
        }
        let mut options = Self::default();
        for word in words {
            match word.to_ascii_lowercase().as_slice() {
                b"default" => {}
                b"save" => options.save = true,
                b"nosave" => options.nosave = true,
                b"now" => options.now = true,
                b"force" => options.force = true,
                _ => return Err(refused()),
            }
        }
        if options.save && options.nosave {
            return Err(Reason::ShutdownContradiction);
        }
        *self = options;
        Ok(())
    }

    fn print(&self) -> String {
        let set = [*self == Self::default(), self.save, self.nosave, self.now, self.force];
        let names = NAMES.iter().zip(set).filter(|(_, set)| *set).map(|(name, _)| *name);
        names.collect::<Vec<_>>().join(" ")
    }
}
