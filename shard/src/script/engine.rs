//! A core's Lua: the states that no script is under way in, and the scripts that this core has seen.
//!
//! States are made when they are first needed. A script is known by its text, so that EVAL of a known script computes no
//! digest; and by its SHA-1.

use std::cell::RefCell;
use std::sync::Arc;

use hashbrown::HashMap;

use super::functions::{FunctionInfo, Library};
use super::registry::{Registry, Script};
use super::state::State;
use super::vm::Kind;
use super::{analysis, flags};
use crate::exec::CommandError;
use crate::sha1::{hex, sha1};

/// EVALSHA of a script that is not known.
pub const NO_SCRIPT: CommandError = CommandError::new("NOSCRIPT No matching script. Please use EVAL.");

/// FCALL of a function that is not known.
pub const NO_FUNCTION: CommandError = CommandError::new("ERR Function not found");

/// So many states of a kind are kept while nothing runs in them. More were needed while scripts took long.
const IDLE_STATES_MAX: usize = 2;

/// A core's Lua.
pub(super) struct Engine {
    registry: Arc<Registry>,
    scripts: Vec<State>,
    functions: Vec<State>,
    by_source: HashMap<u64, Arc<Script>>,
    by_sha: HashMap<String, Arc<Script>>,
    /// What the registry knew by these digits since the last flush.
    named: HashMap<[u8; SHA_DIGITS], Arc<Script>>,
    flushes: u64,
}

const SHA_DIGITS: usize = 40;

thread_local! {
    static ENGINE: RefCell<Option<Engine>> = const { RefCell::new(None) };
}

/// Works with this core's Lua. A core is a thread; in a simulation one thread is all cores of a server, which then share a
/// state, as only the variables of libraries could tell.
pub(super) fn with<T>(registry: &Arc<Registry>, work: impl FnOnce(&mut Engine) -> T) -> T {
    ENGINE.with(|engine| {
        let mut engine = engine.borrow_mut();
        let is_other = |engine: &Engine| !Arc::ptr_eq(&engine.registry, registry);
        if engine.as_ref().is_none_or(is_other) {
            *engine = Some(Engine::new(registry));
        }
        work(engine.as_mut().expect("it was made above"))
    })
}

impl Engine {
    fn new(registry: &Arc<Registry>) -> Engine {
        Engine {
            registry: Arc::clone(registry),
            scripts: Vec::new(),
            functions: Vec::new(),
            by_source: HashMap::new(),
            by_sha: HashMap::new(),
            named: HashMap::new(),
            flushes: registry.flushes(),
        }
    }

    /// A state in which nothing is under way, for as long as the caller needs it.
    pub(super) fn take(&mut self, kind: Kind) -> State {
        self.follow_flushes();
        let idle = match kind {
            Kind::Script => &mut self.scripts,
            Kind::Function => &mut self.functions,
        };
        idle.pop().unwrap_or_else(|| State::new(kind, &self.registry))
    }

    /// A state is needed no longer.
    pub(super) fn give_back(&mut self, mut state: State) {
        let idle = match state.vm.kind() {
            // After a flush the next script gets a fresh state, as in Redis.
            Kind::Script if state.flushes != self.registry.flushes() => return,
            Kind::Script => &mut self.scripts,
            Kind::Function => &mut self.functions,
        };
        state.tell_size();
        if idle.len() < IDLE_STATES_MAX {
            idle.push(state);
        }
    }

    /// The script of this source, compiled, and kept for EVALSHA.
    fn script_of(&mut self, source: &[u8]) -> Result<Arc<Script>, CommandError> {
        self.follow_flushes();
        let hash = storage::key_hash(source);
        if let Some(known) = self.by_source.get(&hash)
            && known.source == source
        {
            return Ok(Arc::clone(known));
        }
        let sha = hex(&sha1(source));
        if let Some(known) = self.by_sha.get(&sha).cloned() {
            self.registry.keep(&known);
            self.by_source.insert(hash, Arc::clone(&known));
            return Ok(known);
        }
        let script = match self.registry.script(&sha) {
            Some(script) => script,
            None => Arc::new(Script::new(source).map_err(CommandError::text)?),
        };
        let mut state = self.take(Kind::Script);
        let compiled = state.script(&script);
        self.give_back(state);
        compiled?;
        self.registry.keep(&script);
        self.by_sha.insert(sha, Arc::clone(&script));
        self.by_source.insert(hash, Arc::clone(&script));
        Ok(script)
    }

    /// The script of this SHA-1.
    fn script_named(&mut self, sha: &[u8]) -> Option<Arc<Script>> {
        self.follow_flushes();
        let mut digits: [u8; SHA_DIGITS] = sha.try_into().ok()?;
        digits.make_ascii_lowercase();
        if let Some(known) = self.named.get(&digits) {
            return Some(Arc::clone(known));
        }
        // Not from what EVAL has left here: a script that was under way when all were flushed may be among that.
        let known = self.registry.script(std::str::from_utf8(&digits).ok()?)?;
        self.named.insert(digits, Arc::clone(&known));
        Some(known)
    }

    /// Forgets what others have flushed.
    fn follow_flushes(&mut self) {
        let flushes = self.registry.flushes();
        if self.flushes != flushes {
            self.flushes = flushes;
            self.by_source.clear();
            self.by_sha.clear();
            self.named.clear();
            self.scripts.clear();
        }
    }
}

/// The library of `source`, whose code is run for it.
pub fn library_of(registry: &Arc<Registry>, source: &[u8]) -> Result<Arc<Library>, CommandError> {
    let (name, code_at) = flags::of_library(source).map_err(CommandError::text)?;
    let code = &source[code_at..];
    let functions = functions_of(registry, code).map_err(CommandError::bytes)?;
    Ok(Arc::new(Library {
        name,
        source: source.to_vec(),
        code_at,
        functions,
        touches: analysis::of_library(code),
        number: registry.next_library(),
    }))
}

/// The functions that the code of a library registers, without keeping them.
fn functions_of(registry: &Arc<Registry>, code: &[u8]) -> Result<Vec<FunctionInfo>, Vec<u8>> {
    with(registry, |engine| {
        let mut state = engine.take(Kind::Function);
        let loaded = state.load(code);
        engine.give_back(state);
        Ok(loaded?.into_iter().map(|one| one.info).collect())
    })
}

/// The script of this source, compiled, and kept for EVALSHA.
pub fn script_of(registry: &Arc<Registry>, source: &[u8]) -> Result<Arc<Script>, CommandError> {
    with(registry, |engine| engine.script_of(source))
}

/// The script of this SHA-1.
pub fn script_named(registry: &Arc<Registry>, sha: &[u8]) -> Result<Arc<Script>, CommandError> {
    with(registry, |engine| engine.script_named(sha)).ok_or(NO_SCRIPT)
}
