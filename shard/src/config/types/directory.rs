//! `dir`: the working directory, where files with relative names are read and written.
//!
//! The value is always an absolute path without links. A relative path is taken from the current value, as a shell
//! takes it from its working directory; the process itself changes directory when the whole configuration is known.

use std::path::Path;

use crate::config::error::Reason;
use crate::config::value::{How, Words};

/// The absolute path of the working directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory(pub String);

impl Directory {
    /// The working directory of the process.
    pub fn current() -> Self {
        Self(std::env::current_dir().map_or_else(|_| "/".to_owned(), |path| path.to_string_lossy().into_owned()))
    }

    /// `name` as seen from this directory.
    pub fn join(&self, name: &str) -> std::path::PathBuf {
        Path::new(&self.0).join(name)
    }
}

impl Words for Directory {
    const EXPECTS: &'static str = "directory";

    fn read(&mut self, words: &[&[u8]], how: How) -> Result<(), Reason> {
        if how == How::Default {
            *self = Self::current();
            return Ok(());
        }
        let word = std::str::from_utf8(words.concat().as_slice()).map_err(|_| Reason::NotText)?.to_owned();
        if word.is_empty() {
            return Err(Reason::System("No such file or directory".to_owned()));
        }
        let path = self.join(&word).canonicalize().map_err(|error| Reason::system(&error))?;
        if !path.is_dir() {
            return Err(Reason::System("Not a directory".to_owned()));
        }
        path.to_str().ok_or(Reason::NotText)?.clone_into(&mut self.0);
        Ok(())
    }

    fn print(&self) -> String {
        self.0.clone()
    }
}
