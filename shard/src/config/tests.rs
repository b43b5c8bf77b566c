#![allow(clippy::unwrap_used, reason = "a test that fails loudly is what is wanted")]

mod deployed;
mod files;
mod grammar;
mod reference;
mod rewriting;
mod setting;

use super::{Config, SetContext};

/// A client that may do everything.
const ANYTHING: SetContext = SetContext { allow_protected: true, loading: false };

fn value_of(config: &Config, name: &str) -> String {
    let found = config.get(&[name]);
    assert_eq!(found.len(), 1, "{name} is one directive");
    String::from_utf8(found[0].1.clone()).unwrap()
}

fn set(config: &mut Config, name: &str, value: &str) -> Result<usize, String> {
    config.set(&[(name, value)], ANYTHING).map(|changes| changes.len()).map_err(|error| error.to_string())
}

/// A directory of its own for a test, removed when dropped.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tessera-config-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path.canonicalize().unwrap())
    }

    fn file(&self, name: &str, text: &str) -> std::path::PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
