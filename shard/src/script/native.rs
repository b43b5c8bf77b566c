//! What every call of a script passes, as functions of C that Lua calls without mlua in between: the way into a script, and
//! its way out to commands.
//!
//! ```text
//!   prepare ──► enter, the script, KEYS, ARGV       left on the stack of the state: what is to run
//!   run     ──► enter(script, KEYS, ARGV, entry)    on a stack of its own (drive.rs)
//!                 └─► the script ──► call, pcall    stops there while the command runs
//!                 ◄── its reply or its error is in the entry
//! ```
//!
//! Functions of Rust that are given to Lua through mlua cost several times what the rest of a call does: each value gets a
//! place on a stack of mlua's, and is moved from there to Lua's.

#![allow(unsafe_code, reason = "functions of C for Lua, which work on Lua's stack")]

use std::ffi::{c_int, c_void};
use std::mem::ManuallyDrop;
use std::ptr;
use std::rc::Rc;

use mlua::{Function, Lua, Table, ffi};
use net::{Args, Resp};

use super::library::redis::command;
use super::stack::Stack;
use super::to_reply::{failure, is_counted, write_value};
use super::vm::{Call, Exchange, Failure};

/// A function that a state keeps for as long as it is asked for, as its place in Lua's own registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kept(c_int);

/// The functions of a state that are its way into scripts.
pub(super) struct Native {
    /// The state's main stack.
    state: *mut ffi::lua_State,
    /// [`prepare`] and [`enter`], as closures.
    prepare: Kept,
    enter: Kept,
}

/// What is to run.
struct Wanted<'a> {
    enter: Kept,
    function: Kept,
    args: &'a Args<'a>,
    keys: usize,
}

/// A script that runs, and its end.
struct Entry<'a> {
    exchange: &'a Exchange,
    call: Call,
    /// The version of its reply.
    resp: Resp,
    has_failed: bool,
    failure: Failure,
}

/// `redis.call` and `redis.pcall`. The state is closed before the exchange goes.
pub(super) fn commands(lua: &Lua, exchange: &Rc<Exchange>) -> mlua::Result<(Function, Function)> {
    let exchange = address(exchange);
    // SAFETY: two values are pushed; the address becomes a value of each of the closures that take its place.
    unsafe {
        lua.exec_raw((), |state| {
            ffi::lua_pushlightuserdata(state, exchange);
            ffi::lua_pushcclosure(state, call, 1);
            ffi::lua_pushlightuserdata(state, exchange);
            ffi::lua_pushcclosure(state, pcall, 1);
        })
    }
}

fn address(exchange: &Rc<Exchange>) -> *mut c_void {
    Rc::as_ptr(exchange).cast_mut().cast()
}

/// Keeps a function, in Lua's own memory: of what Rust refers to through mlua there may only be some thousands.
pub(super) fn keep(lua: &Lua, function: Function) -> mlua::Result<Kept> {
    // SAFETY: the function is on top of the stack, and its place in the registry is the result instead.
    let place = unsafe {
        lua.exec_raw::<c_int>(function, |state| {
            let place = ffi::luaL_ref(state, ffi::LUA_REGISTRYINDEX);
            ffi::lua_pushinteger(state, place.into());
        })
    };
    place.map(Kept)
}

/// Gives the place of a function that is kept to others.
pub(super) fn forget(lua: &Lua, function: Kept) -> mlua::Result<()> {
    // SAFETY: the place is one of the registry's, and whoever forgets it uses it no more; the stack is left as it is.
    unsafe { lua.exec_raw((), |state| ffi::luaL_unref(state, ffi::LUA_REGISTRYINDEX, function.0)) }
}

impl Native {
    /// Those of a state whose scripts find `KEYS` and `ARGV` among `globals`, and whose errors pass `failed`.
    pub(super) fn new(lua: &Lua, globals: &Table, failed: &Function) -> mlua::Result<Native> {
        let mut main = ptr::null_mut();
        // SAFETY: nothing is done with the stack. No function runs, so this is the main one.
        unsafe { lua.exec_raw::<()>((), |state| main = state)? };
        // SAFETY: a closure without values is pushed.
        let prepare = unsafe { lua.exec_raw((), |state| ffi::lua_pushcclosure(state, prepare, 0))? };
        // SAFETY: the four values that are on the stack become the closure's, and the closure takes their place.
        let enter =
            unsafe { lua.exec_raw((globals, failed, "KEYS", "ARGV"), |state| ffi::lua_pushcclosure(state, enter, 4))? };
        Ok(Native { state: main, prepare: keep(lua, prepare)?, enter: keep(lua, enter)? })
    }

    /// Puts a function that is to run onto the stack, with some of the arguments of its call as its keys and the others
    /// behind them: [`Self::run`] is to be next. False if there is no memory.
    pub(super) fn prepare(&self, function: Kept, args: &Args<'_>, keys: usize) -> bool {
        let mut wanted = Wanted { enter: self.enter, function, args, keys };
        // SAFETY: the state is live as long as its owner, nothing runs in it, and a stack at rest has room for two values.
        // What is called gets the address of what stays here until it is over, and leaves four values, or an error.
        unsafe {
            ffi::lua_rawgeti_(self.state, ffi::LUA_REGISTRYINDEX, self.prepare.0);
            ffi::lua_pushlightuserdata(self.state, (&raw mut wanted).cast());
            let is_there = ffi::lua_pcall(self.state, 1, 4, 0) == ffi::LUA_OK;
            if !is_there {
                ffi::lua_pop(self.state, 1);
            }
            is_there
        }
    }

    /// Runs what was prepared to its end; its reply, in version `resp`, is in [`Exchange::reply`].
    pub(super) fn run(&self, exchange: &Exchange, call: Call, resp: Resp) -> Result<(), Failure> {
        let mut entry = Entry { exchange, call, resp, has_failed: false, failure: Failure::default() };
        // SAFETY: on the stack is what `prepare` has left, and room for one value more. What is called gets the address of
        // what stays here until it is over, and leaves nothing, or an error.
        let status = unsafe {
            ffi::lua_pushlightuserdata(self.state, (&raw mut entry).cast());
            let status = ffi::lua_pcall(self.state, 4, 0, 0);
            if status != ffi::LUA_OK {
                ffi::lua_pop(self.state, 1);
            }
            status
        };
        if status != ffi::LUA_OK {
            return Err(Failure { message: b"ERR not enough memory".to_vec(), place: None });
        }
        if entry.has_failed { Err(entry.failure) } else { Ok(()) }
    }
}

/// Pushes what is to run: how to enter it, the function, its keys, and its arguments.
unsafe extern "C-unwind" fn prepare(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: the one argument is the address of what is wanted, which is there until this is over.
    let wanted = unsafe { &*ffi::lua_touserdata(state, 1).cast::<Wanted<'_>>() };
    // SAFETY: both are kept, as functions, and there is room for some values.
    unsafe {
        ffi::lua_rawgeti_(state, ffi::LUA_REGISTRYINDEX, wanted.enter.0);
        ffi::lua_rawgeti_(state, ffi::LUA_REGISTRYINDEX, wanted.function.0);
    }
    // SAFETY: Lua has called this, in protected mode; nothing is owned here, and a table and a value are pushed at a time.
    let mut stack = unsafe { Stack::of(state) };
    let own = wanted.args.from(3);
    push_list(&mut stack, own.clone().take(wanted.keys));
    push_list(&mut stack, own.skip(wanted.keys));
    4
}

fn push_list<'a>(stack: &mut Stack, values: impl ExactSizeIterator<Item = &'a [u8]>) {
    stack.push_table(values.len(), 0);
    for (value, index) in values.zip(1..) {
        stack.push_bytes(value);
        stack.set_at(-2, index);
    }
}

/// Runs a script: the function, its keys, its arguments, and the entry that is told its end. The closure's values are those
/// of [`Native::new`].
unsafe extern "C-unwind" fn enter(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: the last argument is the address of an entry that is there until this is over, and that nobody else looks at.
    let entry = unsafe { &mut *ffi::lua_touserdata(state, 4).cast::<Entry<'_>>() };
    let parameters = if entry.call == Call::Fcall { 2 } else { 0 };
    // SAFETY: the other arguments are a function and two tables, the closure's values a table, a function and two names, and
    // the stack has room for some values. The handler of errors goes to the bottom; a script has the tables as fields of
    // the first of the closure's values, a function of a library as its parameters, above it.
    let status = unsafe {
        ffi::lua_settop(state, 3);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(2));
        ffi::lua_insert(state, 1);
        if entry.call == Call::Eval {
            ffi::lua_pushvalue(state, ffi::lua_upvalueindex(3));
            ffi::lua_pushvalue(state, 3);
            ffi::lua_rawset(state, ffi::lua_upvalueindex(1));
            ffi::lua_pushvalue(state, ffi::lua_upvalueindex(4));
            ffi::lua_pushvalue(state, 4);
            ffi::lua_rawset(state, ffi::lua_upvalueindex(1));
            ffi::lua_settop(state, 2);
        }
        ffi::lua_pcall(state, parameters, 1, 1)
    };
    // SAFETY: Lua has called this, in protected mode; what is owned here is owned by nobody until it is put back, and what
    // is done with the result asks for room.
    let mut stack = unsafe { Stack::of(state) };
    entry.has_failed = status != ffi::LUA_OK;
    entry.exchange.end_is_counted.set(is_counted(&mut stack));
    if entry.has_failed {
        failure(&mut stack, &mut entry.failure);
    } else {
        // No command runs any more, whose reply would come here.
        let mut out = ManuallyDrop::new(entry.exchange.reply.take());
        out.clear();
        write_value(&mut stack, entry.exchange.resp.get(), entry.resp, &mut out);
        entry.exchange.reply.replace(ManuallyDrop::into_inner(out));
    }
    0
}

/// `redis.call`: runs a command, and raises its error. The closure's value is the address of the exchange.
unsafe extern "C-unwind" fn call(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Lua calls this with its state, and the closure was made with one value.
    if unsafe { ran(state) } {
        return 1;
    }
    // SAFETY: the error is on top of the stack, and nothing is owned here.
    unsafe { ffi::lua_error(state) }
}

/// `redis.pcall`: runs a command, whose error is a value as any other.
unsafe extern "C-unwind" fn pcall(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Lua calls this with its state, and the closure was made with one value.
    unsafe { ran(state) };
    1
}

/// Runs the command that a function of [`commands`] was called with; its reply takes the place of the arguments.
/// False if that is an error.
unsafe fn ran(state: *mut ffi::lua_State) -> bool {
    // SAFETY: the closure's value is the address of the exchange, which is there for as long as the state.
    let exchange = unsafe { &*ffi::lua_touserdata(state, ffi::lua_upvalueindex(1)).cast::<Exchange>() };
    // SAFETY: Lua has called the function in whose name this is done; `command` owns nothing while it pushes.
    command(exchange, &mut unsafe { Stack::of(state) })
}
