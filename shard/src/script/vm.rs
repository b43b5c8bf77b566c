//! A Lua state with what scripts may see of it, and running a script in it.
//!
//! A core has two states, one for scripts and one for functions, made when they are first needed. `sandbox.lua` builds
//! what scripts see from the functions in Rust that are handed to it here. A state and what its functions in Rust need
//! ([`Exchange`]) belong to one core.
//!
//! Nothing of a script's run outlives it but what Redis lets outlive: compiled functions, the variables of libraries.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use mlua::{Function, HookTriggers, Lua, LuaOptions, RegistryKey, StdLib, Table, Value, VmState};
use net::{Args, OwnedArgs, Resp};

use super::analysis;
use super::debugger::{Console, Debugged, at_event};
use super::drive::{Lane, Pause};
use super::guard::guarded;
use super::library::{bit, cjson, cmsgpack, convert, math, redis, structure};
use super::native::{self, Kept, Native};
use super::random::Rand48;
use crate::acl::Caller;
use crate::spec::table::RecentCommands;

/// A script that runs gives way, or is looked at, after so many instructions: about 100 us.
const INSTRUCTIONS_PER_LOOK: u32 = 10_000;

/// A collection of garbage begins when a state takes so many percent of what it took after the last one. What is there for
/// good is most of it, and would be walked over after every few thousand calls with Lua's own 200.
const GARBAGE_PAUSE_PERCENT: i32 = 400;

/// The vector for replies is kept from script to script up to this many bytes.
const REPLY_BYTES_KEPT: usize = 64 * 1024;

/// What builds what scripts see.
const SANDBOX: &str = include_str!("sandbox.lua");
pub(super) const SANDBOX_NAME: &str = "=sandbox";

/// What scripts are called in errors.
pub(super) const SCRIPT_NAME: &str = "@user_script";

/// A library that takes longer than this to be loaded is not.
const LOAD_TIMEOUT: &str = "FUNCTION LOAD timeout";

/// What kind of script a state is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// EVAL.
    Script,
    /// FCALL.
    Function,
}

/// Between a state's functions in Rust and whoever runs the script.
pub struct Exchange {
    /// The command to run.
    pub(super) args: RefCell<OwnedArgs>,
    /// Its reply; at the end the script's.
    pub(super) reply: RefCell<Vec<u8>>,
    /// Rows of the commands that scripts called last.
    pub(super) recent: RefCell<RecentCommands>,
    /// The version that the script gets replies in (`redis.setresp`).
    pub(super) resp: Cell<Resp>,
    /// The numbers of `math.random`.
    pub(super) random: Cell<Rand48>,
    /// Where the script runs that can be stopped in the middle; the code of a library cannot.
    pub(super) lane: Cell<Option<Lane>>,
    /// The script is to end.
    pub(super) killed: Cell<Option<&'static str>>,
    /// Where it was then.
    pub(super) killed_at: RefCell<Option<(Vec<u8>, i64)>>,
    /// When a library that is being loaded must have come to its end.
    pub(super) load_until: Cell<Option<Instant>>,
    /// How the script ended.
    pub(super) end: RefCell<Option<Result<(), Failure>>>,
    /// That is the error of a command, which counted when the command ran.
    pub(super) end_is_counted: Cell<bool>,
    /// The session of a script that is debugged.
    pub(super) console: RefCell<Option<Rc<Console>>>,
    /// Who calls the script, if that may not do everything.
    pub(super) caller: RefCell<Option<Arc<Caller>>>,
    /// Functions that a library has registered.
    pub(super) registered: RefCell<Vec<redis::Registered>>,
}

/// A Lua state.
pub struct Vm {
    // Closed before the exchange goes, of which its functions know the address.
    lua: Lua,
    exchange: Rc<Exchange>,
    kind: Kind,
    native: Native,
    globals: Table,
    load: Function,
    adopt: Function,
    evaluate: Function,
    has_deprecated: bool,
}

/// How a script is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// With its keys and arguments in globals.
    Eval,
    /// With its keys and arguments as parameters.
    Fcall,
}

/// How a script ended that met an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The error, its code first.
    pub message: Vec<u8>,
    /// Where it happened.
    pub place: Option<(Vec<u8>, i64)>,
}

impl Vm {
    /// A fresh state; whether it has the functions that are deprecated.
    pub fn new(kind: Kind, has_deprecated: bool) -> Vm {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH;
        // The `pcall` with which mlua hands panics on has room for fewer arguments than Lua's own.
        let lua = Lua::new_with(libraries, LuaOptions::new().catch_rust_panics(true))
            .expect("these libraries are safe ones, and a state takes little memory");
        lua.gc_set_pause(GARBAGE_PAUSE_PERCENT);
        let exchange = Rc::new(Exchange {
            args: RefCell::default(),
            reply: RefCell::default(),
            recent: RefCell::default(),
            resp: Cell::new(Resp::V2),
            random: Cell::default(),
            lane: Cell::new(None),
            killed: Cell::new(None),
            killed_at: RefCell::default(),
            load_until: Cell::new(None),
            end: RefCell::default(),
            end_is_counted: Cell::default(),
            console: RefCell::default(),
            caller: RefCell::default(),
            registered: RefCell::default(),
        });
        let environment = environment(&lua, &exchange).expect("the sandbox is a constant, and takes little memory");
        let function = |name: &str| environment.get::<Function>(name).expect("the sandbox returns these functions");
        if has_deprecated {
            function("with_deprecated").call::<()>(()).expect("it sets fields of a table");
        }
        if kind == Kind::Function {
            function("of_functions").call::<()>(()).expect("it sets fields of a table");
        }
        let own = Rc::clone(&exchange);
        lua.set_global_hook(HookTriggers::new().every_nth_instruction(INSTRUCTIONS_PER_LOOK), move |lua, _| {
            look(lua, &own)
        })
        .expect("a count hook can always be set");
        let globals: Table = environment.get("globals").expect("the sandbox returns the globals");
        let native = Native::new(&lua, &globals, &function("failed")).expect("a few functions take little memory");
        let (load, adopt, evaluate) = (function("load"), function("adopt"), function("evaluate"));
        Vm { lua, exchange, kind, native, globals, load, adopt, evaluate, has_deprecated }
    }

    /// What kind of script it is for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Bytes that it takes.
    pub fn used_bytes(&self) -> usize {
        self.lua.used_memory()
    }

    pub(super) fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Compiles a script; the error is Lua's text.
    pub fn compile(&self, source: &[u8]) -> Result<Function, Vec<u8>> {
        let name = match self.kind {
            Kind::Script => SCRIPT_NAME,
            Kind::Function => "@user_function",
        };
        let chunk = self.lua.load(source).set_name(name).set_mode(mlua::ChunkMode::Text);
        let function = chunk.into_function().map_err(|error| match error {
            mlua::Error::SyntaxError { message, .. } => message.into_bytes(),
            other => other.to_string().into_bytes(),
        })?;
        let is_modest = self.kind == Kind::Script && !self.has_deprecated && !analysis::sets_globals(source);
        self.adopt.call((function, is_modest)).map_err(|error| error.to_string().into_bytes())
    }

    /// Keeps a function.
    pub(super) fn keep(&self, function: Function) -> Kept {
        native::keep(&self.lua, function).expect("a slot of a table takes little memory")
    }

    /// Keeps a function that a library has registered.
    pub(super) fn keep_registered(&self, callback: &RegistryKey) -> Kept {
        self.keep(self.lua.registry_value(callback).expect("it was registered in this state, as a function"))
    }

    /// Forgets a function that was kept.
    pub(super) fn forget(&self, function: Kept) {
        native::forget(&self.lua, function).expect("a slot of a table is freed");
    }

    /// Puts what is to run onto the state's stack: a function, with `keys` of the arguments of its call as its keys. It is
    /// to be run next. False if there is no memory for it.
    pub(super) fn prepare(&self, function: Kept, args: &Args<'_>, keys: usize) -> bool {
        self.native.prepare(function, args, keys)
    }

    /// Makes the state as every script finds it that runs in `lane`.
    pub(super) fn begin(&self, lane: Option<Lane>) {
        self.exchange.lane.set(lane);
        self.exchange.resp.set(Resp::V2);
        self.exchange.killed.set(None);
        self.exchange.killed_at.borrow_mut().take();
        self.exchange.args.borrow_mut().clear();
        let mut reply = self.exchange.reply.borrow_mut();
        reply.clear();
        reply.shrink_to(REPLY_BYTES_KEPT);
    }

    /// The script that was prepared has a session: it stops before its first line.
    pub(super) fn debug(&self, console: &Rc<Console>) {
        *self.exchange.console.borrow_mut() = Some(Rc::clone(console));
        let own = Debugged {
            exchange: Rc::clone(&self.exchange),
            console: Rc::clone(console),
            globals: self.globals.clone(),
            adopt: self.adopt.clone(),
            evaluate: self.evaluate.clone(),
        };
        let triggers = HookTriggers::new().every_line().every_nth_instruction(INSTRUCTIONS_PER_LOOK);
        self.lua
            .set_global_hook(triggers, move |lua, debug| at_event(lua, debug, &own))
            .expect("a hook for lines can always be set");
    }

    /// It is over.
    pub(super) fn end_debugging(&self) {
        self.exchange.console.take();
        self.set_pace(INSTRUCTIONS_PER_LOOK);
    }

    /// Runs to its end what was prepared, which [`Self::take_end`] tells; its reply, in version `resp`, is in
    /// [`Exchange::reply`].
    pub(super) fn run_to_end(&self, call: Call, resp: Resp) {
        let mut end = self.native.run(&self.exchange, call, resp);
        if let Some(message) = self.exchange.killed.get() {
            self.set_pace(INSTRUCTIONS_PER_LOOK);
            let place = self.exchange.killed_at.borrow_mut().take();
            end = Err(Failure { message: format!("ERR {message}").into_bytes(), place });
            self.exchange.end_is_counted.set(false);
        }
        *self.exchange.end.borrow_mut() = Some(end);
    }

    /// How the script ended that ran last.
    pub(super) fn take_end(&self) -> Result<(), Failure> {
        self.exchange.end.borrow_mut().take().expect("it is taken once, when the script is over")
    }

    /// Runs the code of a library; what it registers is in [`Exchange::registered`].
    pub(super) fn load(&self, function: &Function) -> Result<(), Failure> {
        self.exchange.registered.borrow_mut().clear();
        let ended = self.load.call::<(bool, Value)>(function);
        self.set_pace(INSTRUCTIONS_PER_LOOK);
        match ended {
            Ok((true, _)) => Ok(()),
            Ok((false, problem)) => Err(load_failure(&problem)),
            Err(error) => Err(Failure { message: error.to_string().into_bytes(), place: None }),
        }
    }

    /// Collects what the scripts of the last while have left.
    pub fn collect(&self) {
        // An error would be one of a finalizer, and there is none.
        let _ = self.lua.gc_collect();
        self.lua.expire_registry_values();
    }

    fn set_pace(&self, instructions: u32) {
        pace(&self.lua, &self.exchange, instructions);
    }
}

fn pace(lua: &Lua, exchange: &Rc<Exchange>, instructions: u32) {
    let own = Rc::clone(exchange);
    lua.set_global_hook(HookTriggers::new().every_nth_instruction(instructions), move |lua, _| look(lua, &own))
        .expect("a count hook can always be set");
}

/// Looks up from a script that runs: it may have to give way, or to end.
fn look(lua: &Lua, exchange: &Rc<Exchange>) -> mlua::Result<VmState> {
    give_way(lua, exchange).map(|()| VmState::Continue)
}

/// Lets others run, if it is their turn. The error is that of a script that is to end.
pub(super) fn give_way(lua: &Lua, exchange: &Rc<Exchange>) -> mlua::Result<()> {
    if exchange.killed.get().is_none() {
        if exchange.load_until.get().is_some_and(|until| Instant::now() >= until) {
            exchange.killed.set(Some(LOAD_TIMEOUT));
        } else {
            exchange.killed.set(exchange.lane.get().and_then(|lane| lane.pause(Pause::Slice)));
        }
    }
    exchange.killed.get().map_or(Ok(()), |message| Err(end_script(lua, exchange, message)))
}

/// The error with which the script is to end.
pub(super) fn end_script(lua: &Lua, exchange: &Rc<Exchange>, message: &'static str) -> mlua::Error {
    exchange.killed.set(Some(message));
    if exchange.killed_at.borrow().is_none()
        && let (Some(source), Some(line)) = position(lua, 0)
    {
        *exchange.killed_at.borrow_mut() = Some((source.into_bytes(), line as i64));
    }
    // From here on every instruction fails, so that no `pcall` of the script's keeps it going.
    pace(lua, exchange, 1);
    mlua::Error::RuntimeError(message.to_owned())
}

/// What `sandbox.lua` makes of the functions in Rust.
fn environment(lua: &Lua, exchange: &Rc<Exchange>) -> mlua::Result<Table> {
    let raw = lua.create_table()?;
    redis::add(lua, &raw, exchange)?;
    math::add(lua, &raw, exchange)?;
    bit::add(lua, &raw)?;
    structure::add(lua, &raw)?;
    cmsgpack::add(lua, &raw)?;
    cjson::add(lua, &raw)?;
    let own = Rc::clone(exchange);
    raw.set("is_killed", lua.create_function(move |_, ()| Ok(own.killed.get().is_some()))?)?;
    let own = Rc::clone(exchange);
    let message = lua.create_function(move |lua, ()| {
        let table = lua.create_table()?;
        table.raw_set("err", format!("ERR {}", own.killed.get().unwrap_or_default()))?;
        Ok(table)
    })?;
    raw.set("kill_message", message)?;
    raw.set("guarded", lua.create_function(|lua, (function, most)| guarded(lua, function, most))?)?;
    raw.set("convert", lua.create_function(convert)?)?;
    raw.set("position", lua.create_function(|lua, ()| Ok(position(lua, 1)))?)?;
    lua.load(SANDBOX).set_name(SANDBOX_NAME).call(raw)
}

/// Where the script was when an error was raised: the nearest line of its own.
fn position(lua: &Lua, from: usize) -> (Option<String>, Option<usize>) {
    for level in from.. {
        let found = lua.inspect_stack(level, |debug| {
            let source = debug.source();
            let name = source.source?.into_owned();
            (source.what != "C" && name != SANDBOX_NAME && name.starts_with('@')).then(|| (name, debug.current_line()))
        });
        match found {
            None => break,
            Some(None) => {}
            Some(Some((name, line))) => return (Some(name), line),
        }
    }
    (None, None)
}

/// What the sandbox made of an error of a library's code.
fn load_failure(problem: &Value) -> Failure {
    let text = match problem {
        Value::Table(table) => table.raw_get::<Option<mlua::String>>("err").ok().flatten(),
        _ => None,
    };
    let message = text.map_or_else(|| b"ERR unknown error".to_vec(), |text| text.as_bytes().to_vec());
    Failure { message, place: None }
}
