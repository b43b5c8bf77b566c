//! A core's Lua states, and what is compiled in them.
//!
//! States are made when they are first needed. What is compiled is kept by the text of a script, so that EVAL of a known
//! script computes no digest; and by its SHA-1, for EVALSHA.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hashbrown::HashMap;
use mlua::{Function, RegistryKey};

use super::functions::{FunctionInfo, Library};
use super::registry::{Registry, Script};
use super::vm::{Failure, Kind, Vm};
use crate::exec::CommandError;
use crate::sha1::{hex, sha1};

/// How long the code of a library may take to be run.
const LOAD_MILLIS_MAX: u64 = 500;

/// So many scripts are compiled between two collections of garbage, since what EVAL compiles once may never run again.
const COMPILED_PER_COLLECTION: u64 = 500;

/// EVALSHA of a script that is not known.
pub const NO_SCRIPT: CommandError = CommandError::new("NOSCRIPT No matching script. Please use EVAL.");

/// FCALL of a function that is not known.
pub const NO_FUNCTION: CommandError = CommandError::new("ERR Function not found");

/// A script as a state runs it.
#[derive(Clone)]
pub(super) struct Compiled {
    pub(super) script: Arc<Script>,
    pub(super) function: Rc<RegistryKey>,
}

/// A function as a state runs it.
#[derive(Clone)]
pub(super) struct Loaded {
    pub(super) info: FunctionInfo,
    pub(super) function: Rc<RegistryKey>,
}

/// A core's Lua.
pub(super) struct Engine {
    registry: Arc<Registry>,
    scripts: Option<Rc<Vm>>,
    functions: Option<Rc<Vm>>,
    by_source: HashMap<u64, Compiled>,
    by_sha: HashMap<String, Compiled>,
    flushes: u64,
    compiled: u64,
    /// Functions by the number of their library.
    loaded: HashMap<u64, HashMap<Vec<u8>, Loaded>>,
    library_changes: u64,
    /// What this core has said that its states take: for scripts, for functions.
    told_bytes: [usize; 2],
}

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
            scripts: None,
            functions: None,
            by_source: HashMap::new(),
            by_sha: HashMap::new(),
            flushes: registry.flushes(),
            compiled: 0,
            loaded: HashMap::new(),
            library_changes: registry.library_changes(),
            told_bytes: [0; 2],
        }
    }

    /// The state for scripts.
    pub(super) fn scripts(&mut self) -> Rc<Vm> {
        Rc::clone(self.scripts.get_or_insert_with(|| Rc::new(Vm::new(Kind::Script))))
    }

    /// The state for functions.
    pub(super) fn functions(&mut self) -> Rc<Vm> {
        Rc::clone(self.functions.get_or_insert_with(|| Rc::new(Vm::new(Kind::Function))))
    }

    /// The script of this source, compiled, and kept for EVALSHA.
    fn script_of(&mut self, source: &[u8]) -> Result<Arc<Script>, CommandError> {
        self.follow_flushes();
        let hash = storage::key_hash(source);
        if let Some(known) = self.by_source.get(&hash)
            && known.script.source == source
        {
            return Ok(Arc::clone(&known.script));
        }
        let sha = hex(&sha1(source));
        if let Some(known) = self.by_sha.get(&sha).cloned() {
            let script = Arc::clone(&known.script);
            self.registry.keep(&script);
            self.by_source.insert(hash, known);
            return Ok(script);
        }
        let script = match self.registry.script(&sha) {
            Some(script) => script,
            None => Arc::new(Script::new(source).map_err(CommandError::text)?),
        };
        let compiled = self.compile(script)?;
        self.registry.keep(&compiled.script);
        let script = Arc::clone(&compiled.script);
        self.by_source.insert(hash, compiled);
        Ok(script)
    }

    /// The script of this SHA-1.
    fn script_named(&mut self, sha: &[u8]) -> Option<Arc<Script>> {
        const SHA_DIGITS: usize = 40;
        self.follow_flushes();
        let mut lower = [0; SHA_DIGITS];
        lower.copy_from_slice(sha.get(..SHA_DIGITS).filter(|_| sha.len() == SHA_DIGITS)?);
        lower.make_ascii_lowercase();
        let sha = std::str::from_utf8(&lower).ok()?;
        // Not from what is compiled here: a script that was under way when all were flushed may be among that.
        self.registry.script(sha)
    }

    /// A script as this core runs it.
    pub(super) fn compiled(&mut self, script: &Arc<Script>) -> Result<Function, CommandError> {
        if let Some(known) = self.by_sha.get(&script.sha) {
            let key = Rc::clone(&known.function);
            return Ok(self.scripts().kept(&key));
        }
        let compiled = self.compile(Arc::clone(script))?;
        Ok(self.scripts().kept(&compiled.function))
    }

    fn compile(&mut self, script: Arc<Script>) -> Result<Compiled, CommandError> {
        let vm = self.scripts();
        let function = vm.compile(&script.source[script.code_at..]).map_err(|text| {
            CommandError::bytes([b"ERR Error compiling script (new function): ", text.as_slice()].concat())
        })?;
        self.compiled += 1;
        if self.compiled.is_multiple_of(COMPILED_PER_COLLECTION) {
            vm.collect();
        }
        let compiled = Compiled { script, function: Rc::new(vm.keep(function)) };
        self.by_sha.insert(compiled.script.sha.clone(), compiled.clone());
        self.tell_size(Kind::Script, &vm);
        Ok(compiled)
    }

    /// Forgets what others have flushed.
    fn follow_flushes(&mut self) {
        let flushes = self.registry.flushes();
        if self.flushes != flushes {
            self.flushes = flushes;
            self.by_source.clear();
            self.by_sha.clear();
            // The next script gets a fresh state, as after a flush of Redis.
            self.scripts = None;
            self.tell_bytes(Kind::Script, 0);
        }
    }

    /// A function of a library, which is loaded into the state if it was not.
    pub(super) fn function(&mut self, library: &Library, name: &[u8]) -> Result<Function, CommandError> {
        self.follow_libraries();
        if !self.loaded.contains_key(&library.number) {
            let functions = self.load(&library.source[library.code_at..]).map_err(CommandError::bytes)?;
            let by_name = functions.into_iter().map(|loaded| (loaded.info.name.clone(), loaded)).collect();
            self.loaded.insert(library.number, by_name);
        }
        let found = self.loaded[&library.number].get(name).map(|loaded| Rc::clone(&loaded.function));
        found.map(|key| self.functions().kept(&key)).ok_or(NO_FUNCTION)
    }

    /// Forgets the libraries that are no more.
    fn follow_libraries(&mut self) {
        let changes = self.registry.library_changes();
        if self.library_changes != changes {
            self.library_changes = changes;
            let libraries = self.registry.libraries();
            self.loaded.retain(|number, _| libraries.all().any(|library| library.number == *number));
            if let Some(vm) = &self.functions {
                vm.collect();
            }
        }
    }

    /// Runs the code of a library; its functions.
    pub(super) fn load(&mut self, code: &[u8]) -> Result<Vec<Loaded>, Vec<u8>> {
        let vm = self.functions();
        let chunk = vm.compile(code).map_err(|text| [b"ERR Error compiling function: ", text.as_slice()].concat())?;
        vm.begin();
        let until = std::time::Instant::now() + std::time::Duration::from_millis(LOAD_MILLIS_MAX);
        vm.exchange().load_until.set(Some(until));
        let ended = vm.load(&chunk);
        vm.exchange().load_until.set(None);
        let registered = std::mem::take(&mut *vm.exchange().registered.borrow_mut());
        self.tell_size(Kind::Function, &vm);
        if let Err(Failure { message, .. }) = ended {
            return Err([b"ERR Error registering functions: ", message.as_slice()].concat());
        }
        if registered.is_empty() {
            return Err(b"ERR No functions registered".to_vec());
        }
        let loaded = registered.into_iter().map(|function| Loaded {
            info: FunctionInfo { name: function.name, description: function.description, flags: function.flags },
            function: Rc::new(function.callback),
        });
        Ok(loaded.collect())
    }

    /// Notes how much a state takes, for INFO.
    pub(super) fn tell_size(&mut self, kind: Kind, vm: &Vm) {
        self.tell_bytes(kind, vm.used_bytes());
    }

    fn tell_bytes(&mut self, kind: Kind, bytes: usize) {
        let place = usize::from(kind == Kind::Function);
        let told = std::mem::replace(&mut self.told_bytes[place], bytes);
        self.registry.vm_bytes[place].fetch_add(bytes.wrapping_sub(told), Ordering::Relaxed);
    }
}

/// The functions that the code of a library registers, without keeping them.
pub fn functions_of(registry: &Arc<Registry>, code: &[u8]) -> Result<Vec<FunctionInfo>, Vec<u8>> {
    with(registry, |engine| engine.load(code)).map(|loaded| loaded.into_iter().map(|one| one.info).collect())
}

/// The script of this source, compiled, and kept for EVALSHA.
pub fn script_of(registry: &Arc<Registry>, source: &[u8]) -> Result<Arc<Script>, CommandError> {
    with(registry, |engine| engine.script_of(source))
}

/// The script of this SHA-1.
pub fn script_named(registry: &Arc<Registry>, sha: &[u8]) -> Result<Arc<Script>, CommandError> {
    with(registry, |engine| engine.script_named(sha)).ok_or(NO_SCRIPT)
}
