//! Calling functions of Rust from Lua with any number of arguments.
//!
//! mlua gives each value that a function of Rust gets a place on a stack of its own, which holds some thousands; one value
//! more ends the process. A script can have more, by `unpack` and by `...`. So between a script and such a function stands
//! this one, which counts first:
//!
//! ```text
//!   script ──► guarded ──┬─ up to `arguments_max` ─► function(...)
//!                        └─ more ──────────────────► an error
//! ```
//!
//! It is a C function, since a script that returns what a function of Lua returns is gone from the stack before that begins,
//! and errors could not tell its line any more.

#![allow(unsafe_code, reason = "a C function for Lua, which works on Lua's stack")]

use std::ffi::c_int;

use mlua::{Function, Lua, ffi};

/// `function` for scripts, which is called with `arguments_max` arguments at most.
pub(super) fn guarded(lua: &Lua, function: Function, arguments_max: usize) -> mlua::Result<Function> {
    // SAFETY: the two values that are on the stack of `state` become the closure's, and the closure takes their place.
    unsafe { lua.exec_raw((function, arguments_max), |state| ffi::lua_pushcclosure(state, call_counted, 2)) }
}

/// The function behind [`guarded`]. It owns nothing that an error, which leaves it by a jump, would leave behind.
unsafe extern "C-unwind" fn call_counted(state: *mut ffi::lua_State) -> c_int {
    // SAFETY: Lua calls this with its state, on whose stack are the arguments and room for twenty values more; the
    // closure was made with two values, of which the first is a function.
    unsafe {
        let count = ffi::lua_gettop(state);
        if ffi::lua_Integer::from(count) > ffi::lua_tointeger(state, ffi::lua_upvalueindex(2)) {
            return ffi::luaL_error(state, c"too many arguments".as_ptr());
        }
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1));
        ffi::lua_insert(state, 1);
        ffi::lua_call(state, count, ffi::LUA_MULTRET);
        ffi::lua_gettop(state)
    }
}
