//! `save`: when a snapshot is written without being asked for.
//!
//! Each point is a number of seconds and of changes; a snapshot begins when so many changes are older than so many
//! seconds. In files every line adds points, but the first line of the whole configuration replaces the defaults, and
//! an empty one removes all points before it. `CONFIG SET save` always replaces everything.

use crate::config::error::Reason;
use crate::config::number;
use crate::config::value::{How, Words};

/// One condition for a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavePoint {
    /// So many seconds since the last snapshot.
    pub seconds: u64,
    /// And so many changes.
    pub changes: u64,
}

/// All conditions; any of them is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavePoints {
    /// The conditions in order.
    pub points: Vec<SavePoint>,
    /// Whether these are the defaults, which the first line of a file replaces.
    built_in: bool,
}

impl SavePoints {
    fn read_points(words: &[&[u8]]) -> Option<Vec<SavePoint>> {
        let pairs = words.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return None;
        }
        let point = |pair: &[&[u8]]| {
            let seconds = number::lenient(pair[0]).filter(|seconds| *seconds >= 1)?;
            let changes = number::lenient(pair[1]).filter(|changes| *changes >= 0)?;
            Some(SavePoint { seconds: seconds as u64, changes: changes as u64 })
        };
        pairs.map(point).collect()
    }
}

impl Words for SavePoints {
    const EXPECTS: &'static str = "pairs of seconds and changes, or nothing";

    fn read(&mut self, words: &[&[u8]], how: How) -> Result<(), Reason> {
        let clears = matches!(words, [] | [b""]);
        let points = if clears { Vec::new() } else { Self::read_points(words).ok_or(Reason::SavePoints)? };
        if how != How::Load || self.built_in || clears {
            self.points.clear();
        }
        self.points.extend(points);
        self.built_in = how == How::Default;
        Ok(())
    }

    fn print(&self) -> String {
        let points = self.points.iter().map(|point| format!("{} {}", point.seconds, point.changes));
        points.collect::<Vec<_>>().join(" ")
    }

    fn file_values(&self) -> Vec<String> {
        if self.points.is_empty() {
            return vec!["\"\"".to_owned()];
        }
        self.points.iter().map(|point| format!("{} {}", point.seconds, point.changes)).collect()
    }
}
