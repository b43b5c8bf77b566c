//! A Lua state with what is compiled in it.
//!
//! A core has one of each kind, and another for as long as a script of that kind is under way: a script that stopped in the
//! middle stands on its state's stack, so nobody else may touch that state until the script is over. Functions in Lua belong
//! to the state in which they were compiled, so each state compiles what it is to run.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use super::engine::NO_FUNCTION;
use super::functions::{FunctionInfo, Library};
use super::native::Kept;
use super::registry::{Registry, Script};
use super::vm::{Failure, Kind, Vm};
use crate::exec::CommandError;

/// How long the code of a library may take to be run.
const LOAD_MILLIS_MAX: u64 = 500;

/// So many scripts are compiled between two collections of garbage, since what EVAL compiles once may never run again.
const COMPILED_PER_COLLECTION: u64 = 500;

/// A function as a state runs it.
pub(super) struct Loaded {
    pub(super) info: FunctionInfo,
    function: Kept,
}

/// A Lua state with what is compiled in it.
pub(super) struct State {
    pub(super) vm: Rc<Vm>,
    registry: Arc<Registry>,
    /// Scripts by SHA-1.
    compiled: HashMap<String, Kept>,
    compilations: u64,
    /// Functions by the number of their library.
    loaded: HashMap<u64, HashMap<Vec<u8>, Loaded>>,
    /// Which scripts were flushed, and which libraries were there, when it was last looked at.
    pub(super) flushes: u64,
    library_changes: u64,
    /// What this core has said that it takes, in bytes.
    told_bytes: usize,
}

impl State {
    /// A fresh one.
    pub(super) fn new(kind: Kind, registry: &Arc<Registry>) -> State {
        State {
            vm: Rc::new(Vm::new(kind, registry.has_deprecated())),
            registry: Arc::clone(registry),
            compiled: HashMap::new(),
            compilations: 0,
            loaded: HashMap::new(),
            flushes: registry.flushes(),
            library_changes: registry.library_changes(),
            told_bytes: 0,
        }
    }

    /// A script as this state runs it.
    pub(super) fn script(&mut self, script: &Script) -> Result<Kept, CommandError> {
        if let Some(known) = self.compiled.get(&script.sha) {
            return Ok(*known);
        }
        let function = self.vm.compile(&script.source[script.code_at..]).map_err(|text| {
            CommandError::bytes([b"ERR Error compiling script (new function): ", text.as_slice()].concat())
        })?;
        self.compilations += 1;
        if self.compilations.is_multiple_of(COMPILED_PER_COLLECTION) {
            self.vm.collect();
        }
        let kept = self.vm.keep(function);
        self.compiled.insert(script.sha.clone(), kept);
        Ok(kept)
    }

    /// A function of a library, which is loaded into the state if it was not.
    pub(super) fn function(&mut self, library: &Library, name: &[u8]) -> Result<Kept, CommandError> {
        self.follow_libraries();
        if !self.loaded.contains_key(&library.number) {
            let functions = self.load(&library.source[library.code_at..]).map_err(CommandError::bytes)?;
            let by_name = functions.into_iter().map(|loaded| (loaded.info.name.clone(), loaded)).collect();
            self.loaded.insert(library.number, by_name);
        }
        let found = self.loaded[&library.number].get(name);
        found.map(|loaded| loaded.function).ok_or(NO_FUNCTION)
    }

    /// Forgets the libraries that are no more.
    fn follow_libraries(&mut self) {
        let changes = self.registry.library_changes();
        if self.library_changes != changes {
            self.library_changes = changes;
            let libraries = self.registry.libraries();
            let vm = &self.vm;
            self.loaded.retain(|number, functions| {
                let stays = libraries.all().any(|library| library.number == *number);
                if !stays {
                    functions.values().for_each(|loaded| vm.forget(loaded.function));
                }
                stays
            });
            self.vm.collect();
        }
    }

    /// Runs the code of a library; its functions.
    pub(super) fn load(&mut self, code: &[u8]) -> Result<Vec<Loaded>, Vec<u8>> {
        let vm = &self.vm;
        let chunk = vm.compile(code).map_err(|text| [b"ERR Error compiling function: ", text.as_slice()].concat())?;
        vm.begin(None);
        let until = Instant::now() + Duration::from_millis(LOAD_MILLIS_MAX);
        vm.exchange().load_until.set(Some(until));
        let ended = vm.load(&chunk);
        vm.exchange().load_until.set(None);
        let registered = std::mem::take(&mut *vm.exchange().registered.borrow_mut());
        if let Err(Failure { message, .. }) = ended {
            return Err([b"ERR Error registering functions: ", message.as_slice()].concat());
        }
        if registered.is_empty() {
            return Err(b"ERR No functions registered".to_vec());
        }
        let loaded = registered.into_iter().map(|function| Loaded {
            info: FunctionInfo { name: function.name, description: function.description, flags: function.flags },
            function: vm.keep_registered(&function.callback),
        });
        Ok(loaded.collect())
    }

    /// Notes how much it takes, for INFO.
    pub(super) fn tell_size(&mut self) {
        let bytes = self.vm.used_bytes();
        let told = std::mem::replace(&mut self.told_bytes, bytes);
        self.registry.vm_bytes[place(self.vm.kind())].fetch_add(bytes.wrapping_sub(told), Ordering::Relaxed);
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.registry.vm_bytes[place(self.vm.kind())].fetch_sub(self.told_bytes, Ordering::Relaxed);
    }
}

/// Where the bytes of a kind of state are counted.
fn place(kind: Kind) -> usize {
    usize::from(kind == Kind::Function)
}
