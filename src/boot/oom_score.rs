//! `oom-score-adj`: telling the kernel how expendable the server is when memory runs out.
//!
//! As long as the directive is `no` the server writes nothing: the score belongs to whoever started it, and may
//! change. When it is switched on, the score of that moment is kept as the *base*, to which relative values are added
//! and which comes back when it is switched off. A process without the capability `CAP_SYS_RESOURCE` may raise its
//! score, and may lower it no further than to where a process with that capability last set it; the kernel refuses
//! more, and so does `CONFIG SET`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use shard::config::Config;
use shard::config::types::choices::OomScoreAdj;

/// Where the kernel keeps the score of this process.
const SCORE_FILE: &str = "/proc/self/oom_score_adj";
/// The scores the kernel knows lie between this and its negative.
const SCORE_MAX: i32 = 1000;

/// The score of a process.
#[derive(Debug)]
pub(super) struct OomScore {
    file: PathBuf,
    /// The score before the server changed it, while it has.
    base: Mutex<Option<i32>>,
}

impl OomScore {
    /// The score of this process, which the server has not touched yet.
    pub(super) fn own() -> Self {
        Self::in_file(Path::new(SCORE_FILE))
    }

    fn in_file(file: &Path) -> Self {
        Self { file: file.to_owned(), base: Mutex::new(None) }
    }

    /// Sets the score that `config` asks for. If that fails, nothing has changed.
    pub(super) fn adjust(&self, config: &Config) -> io::Result<()> {
        let mut base = self.base.lock().unwrap_or_else(PoisonError::into_inner);
        let own = config.oom_score_adj_values.0[usize::from(config.replicaof.is_some())];
        if config.oom_score_adj == OomScoreAdj::No {
            if let Some(former) = *base {
                self.write(former)?;
                *base = None;
            }
            return Ok(());
        }
        let former = base.map_or_else(|| self.read(), Ok)?;
        self.write(match config.oom_score_adj {
            OomScoreAdj::Relative => former + own,
            OomScoreAdj::Absolute | OomScoreAdj::No => own,
        })?;
        *base = Some(former);
        Ok(())
    }

    fn read(&self) -> io::Result<i32> {
        let text = std::fs::read_to_string(&self.file)?;
        text.trim().parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it holds no number"))
    }

    fn write(&self, score: i32) -> io::Result<()> {
        std::fs::write(&self.file, score.clamp(-SCORE_MAX, SCORE_MAX).to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails loudly is what is wanted")]

    use shard::config::SetContext;

    use super::*;

    /// A score in a file that is removed when dropped.
    struct Scratch(OomScore);

    impl Scratch {
        fn new(name: &str, score: &str) -> Self {
            let file = std::env::temp_dir().join(format!("tessera-oom-{}-{name}", std::process::id()));
            std::fs::write(&file, score).unwrap();
            Self(OomScore::in_file(&file))
        }

        fn adjust(&self, mode: &str, values: &str) -> Result<String, String> {
            let mut config = Config::default();
            let context = SetContext { allow_protected: true, loading: false };
            config.set(&[("oom-score-adj", mode), ("oom-score-adj-values", values)], context).unwrap();
            self.0.adjust(&config).map_err(|error| error.to_string())?;
            Ok(std::fs::read_to_string(&self.0.file).unwrap())
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0.file);
        }
    }

    #[test]
    fn nothing_is_written_before_it_is_switched_on() {
        let score = Scratch::new("untouched", "written by somebody\n");
        assert_eq!(score.adjust("no", "9 9 9").unwrap(), "written by somebody\n");
        assert_eq!(score.adjust("yes", "9 9 9").unwrap_err(), "it holds no number");
        assert_eq!(score.adjust("no", "9 9 9").unwrap(), "written by somebody\n", "nothing is to be taken back");
    }

    #[test]
    fn the_base_is_that_of_the_moment_and_comes_back() {
        let score = Scratch::new("base", "22\n");
        assert_eq!(score.adjust("yes", "9 0 0").unwrap(), "31");
        assert_eq!(score.adjust("relative", "10 0 0").unwrap(), "32", "added to the base, not to the last score");
        assert_eq!(score.adjust("absolute", "7 0 0").unwrap(), "7");
        assert_eq!(score.adjust("no", "7 0 0").unwrap(), "22");
        std::fs::write(&score.0.file, "40\n").unwrap();
        assert_eq!(score.adjust("no", "8 0 0").unwrap(), "40\n");
        assert_eq!(score.adjust("yes", "2000 0 0").unwrap(), "1000");
        assert_eq!(score.adjust("yes", "-2000 0 0").unwrap(), "-1000");
        assert_eq!(score.adjust("no", "0 0 0").unwrap(), "40");
    }
}
