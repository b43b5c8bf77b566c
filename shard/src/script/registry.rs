//! The scripts and libraries of a server, as all its cores know them.
//!
//! A change takes effect at once for all cores, under one lock, before the command that made it is answered. A core keeps
//! what it has compiled for as long as the numbers here say that nothing was taken away.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};

use hashbrown::HashMap;

use super::analysis::{self, Touches};
use super::flags::{self, ScriptFlags};
use super::functions::Libraries;
use super::running::{Holds, Running};
use super::vm::Kind;
use crate::sha1::{hex, sha1};

/// A script.
#[derive(Debug)]
pub struct Script {
    /// SHA-1 of its source, in hexadecimal digits.
    pub sha: String,
    /// Its whole source.
    pub source: Vec<u8>,
    /// Where its code begins.
    pub code_at: usize,
    /// What it says of itself.
    pub flags: ScriptFlags,
    /// What keys it touches.
    pub touches: Touches,
}

impl Script {
    /// The script of `source`; the error is what the client is told.
    pub fn new(source: &[u8]) -> Result<Script, String> {
        let (flags, code_at) = flags::of_script(source)?;
        let touches = analysis::of_script(&source[code_at..]);
        Ok(Script { sha: hex(&sha1(source)), source: source.to_vec(), code_at, flags, touches })
    }
}

/// All scripts and libraries, and what runs.
pub struct Registry {
    scripts: RwLock<HashMap<String, Arc<Script>>>,
    /// Counts SCRIPT FLUSH.
    flushes: AtomicU64,
    libraries: RwLock<Arc<Libraries>>,
    /// Counts changes of the libraries.
    library_changes: AtomicU64,
    next_library: AtomicU64,
    running: Mutex<Vec<Arc<Running>>>,
    /// One of them is so for longer than `busy-reply-threshold`.
    is_busy: AtomicBool,
    /// `DEBUG SET-DISABLE-DENY-SCRIPTS`: scripts may call what they may not.
    denies_nothing: AtomicBool,
    /// `lua-enable-deprecated-api`.
    has_deprecated: bool,
    /// Bytes of the Lua states of all cores: for scripts, for functions.
    pub vm_bytes: [AtomicUsize; 2],
}

impl Registry {
    /// Without scripts; `has_deprecated` is `lua-enable-deprecated-api`.
    pub fn new(has_deprecated: bool) -> Registry {
        Registry {
            has_deprecated,
            denies_nothing: AtomicBool::new(false),
            scripts: RwLock::default(),
            flushes: AtomicU64::new(0),
            libraries: RwLock::default(),
            library_changes: AtomicU64::new(0),
            next_library: AtomicU64::new(1),
            running: Mutex::default(),
            is_busy: AtomicBool::new(false),
            vm_bytes: [const { AtomicUsize::new(0) }; 2],
        }
    }
}

const UNPOISONED: &str = "no one panics while holding scripts";

impl Registry {
    /// The script of this SHA-1, in lower case.
    pub fn script(&self, sha: &str) -> Option<Arc<Script>> {
        self.scripts.read().expect(UNPOISONED).get(sha).cloned()
    }

    /// Keeps a script.
    pub fn keep(&self, script: &Arc<Script>) {
        self.scripts.write().expect(UNPOISONED).entry(script.sha.clone()).or_insert_with(|| Arc::clone(script));
    }

    /// Forgets all scripts.
    pub fn flush_scripts(&self) {
        let mut scripts = self.scripts.write().expect(UNPOISONED);
        scripts.clear();
        self.flushes.fetch_add(1, Ordering::Release);
    }

    /// Changes when scripts are forgotten.
    pub fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::Acquire)
    }

    /// Number of scripts, and the bytes of their sources.
    pub fn scripts(&self) -> (usize, usize) {
        let scripts = self.scripts.read().expect(UNPOISONED);
        (scripts.len(), scripts.values().map(|script| script.source.len() + script.sha.len()).sum())
    }

    /// Whether states have what is deprecated of Lua's functions.
    pub(super) fn has_deprecated(&self) -> bool {
        self.has_deprecated
    }

    /// Whether scripts may call what they may not.
    pub fn denies_nothing(&self) -> bool {
        self.denies_nothing.load(Ordering::Relaxed)
    }

    /// Lets scripts call what they may not, or no longer.
    pub fn deny_nothing(&self, nothing: bool) {
        self.denies_nothing.store(nothing, Ordering::Relaxed);
    }

    /// The libraries now.
    pub fn libraries(&self) -> Arc<Libraries> {
        Arc::clone(&self.libraries.read().expect(UNPOISONED))
    }

    /// Changes with every change of the libraries.
    pub fn library_changes(&self) -> u64 {
        self.library_changes.load(Ordering::Acquire)
    }

    /// Changes the libraries; an error leaves them as they were.
    pub fn change_libraries<T, E>(&self, change: impl FnOnce(&mut Libraries) -> Result<T, E>) -> Result<T, E> {
        let mut current = self.libraries.write().expect(UNPOISONED);
        let mut next = (**current).clone();
        let result = change(&mut next)?;
        *current = Arc::new(next);
        self.library_changes.fetch_add(1, Ordering::Release);
        Ok(result)
    }

    /// Removes all libraries.
    pub fn remove_libraries(&self) {
        let mut current = self.libraries.write().expect(UNPOISONED);
        *current = Arc::default();
        self.library_changes.fetch_add(1, Ordering::Release);
    }

    /// A number for a library.
    pub fn next_library(&self) -> u64 {
        self.next_library.fetch_add(1, Ordering::Relaxed)
    }

    /// A script runs for long.
    pub(super) fn add_running(&self, running: &Arc<Running>) {
        self.running.lock().expect(UNPOISONED).push(Arc::clone(running));
    }

    /// It is over.
    pub(super) fn remove_running(&self, running: &Arc<Running>) {
        let mut all = self.running.lock().expect(UNPOISONED);
        all.retain(|other| !Arc::ptr_eq(other, running));
        self.is_busy.store(all.iter().any(|other| other.is_busy()), Ordering::Relaxed);
    }

    /// What runs for long now, on any core.
    pub fn running(&self) -> Vec<Arc<Running>> {
        self.running.lock().expect(UNPOISONED).clone()
    }

    /// A script has run so long that whoever would have to wait for what it holds is refused.
    pub fn set_busy(&self, running: &Running, holds: Holds) {
        let _all = self.running.lock().expect(UNPOISONED);
        running.set_busy(holds);
        self.is_busy.store(true, Ordering::Relaxed);
    }

    /// Whether there may be such a script: the quick look.
    #[inline]
    pub fn is_busy(&self) -> bool {
        self.is_busy.load(Ordering::Relaxed)
    }

    /// What kind of script keeps somebody waiting who would have to wait for `wants` to be free.
    pub fn busy_with(&self, wants: &Holds) -> Option<Kind> {
        let all = self.running.lock().expect(UNPOISONED);
        all.iter().find(|running| running.holds().is_some_and(|held| held.collides(wants))).map(|running| running.kind)
    }
}
