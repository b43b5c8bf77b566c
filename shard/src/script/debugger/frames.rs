//! Variables of functions that run, and other values, on Lua's stack.
//!
//! Lua tells local variables to functions of C alone. What looks at them is one, called in protected mode: an error of Lua's, as
//! when there is no memory, leaves it and comes back as one of mlua's. What is written meanwhile is owned by the caller.

#![allow(unsafe_code, reason = "local variables are told by Lua's own interface alone")]

use std::ffi::{CStr, c_int};
use std::mem::MaybeUninit;

use mlua::{IntoLuaMulti, Lua, ffi};

use super::value;
use crate::script::stack::Stack;

/// What Lua calls a value that belongs to no variable.
const NO_VARIABLE: &CStr = c"(*temporary)";

/// Between what looks at functions that run and those of the script stands the one that looks.
const OWN_FRAMES: c_int = 1;

/// The names and values of the local variables of the function that runs at `level`, that of the hook's being zero, in the
/// order in which they were declared. Of each text no more is written than `bytes_max` bytes and a little.
///
/// Nothing if so many functions do not run, or if Lua has no memory to tell.
pub(super) fn locals(lua: &Lua, level: usize, bytes_max: usize) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut found = Vec::new();
    let mut is_there = false;
    let look = |state: *mut ffi::lua_State| {
        let Ok(level) = c_int::try_from(level) else { return };
        let mut frame = MaybeUninit::<ffi::lua_Debug>::zeroed();
        // SAFETY: the state is live, and the frame is written by this alone.
        if unsafe { ffi::lua_getstack(state, level + OWN_FRAMES, frame.as_mut_ptr()) } == 0 {
            return;
        }
        // SAFETY: Lua has called this, in protected mode, with this state. Until the end nobody up to there owns what a jump
        // must not skip: what is written belongs to the caller of all. There is room for what is pushed, or it ends here.
        let mut stack = unsafe { Stack::of(state) };
        if !stack.has_room(value::PLACES) {
            return;
        }
        is_there = true;
        for number in 1.. {
            // SAFETY: the frame is that of a function that runs, as it was told above, and there is room for a value.
            let name = unsafe { ffi::lua_getlocal(state, frame.as_ptr(), number) };
            if name.is_null() {
                break;
            }
            // SAFETY: the name of a variable is a string of the function's, which ends with a zero byte and stays while it runs.
            let name = unsafe { CStr::from_ptr(name) };
            if name != NO_VARIABLE {
                found.push((name.to_bytes().to_vec(), Vec::new()));
                if let Some((_, text)) = found.last_mut() {
                    value::write_top(&mut stack, text, bytes_max);
                }
            }
            stack.pop(1);
        }
    };
    // SAFETY: what is called leaves the stack as it found it.
    unsafe { lua.exec_raw::<()>((), look) }.ok()?;
    is_there.then_some(found)
}

/// The texts of some values, as [`locals`] writes them.
pub(in crate::script) fn texts(lua: &Lua, values: impl IntoLuaMulti, bytes_max: usize) -> mlua::Result<Vec<Vec<u8>>> {
    let mut texts = Vec::new();
    let look = |state: *mut ffi::lua_State| {
        // SAFETY: as in `locals`.
        let mut stack = unsafe { Stack::of(state) };
        let count = stack.top();
        if stack.has_room(value::PLACES) {
            for place in 1..=count {
                stack.push_copy(place);
                texts.push(Vec::new());
                if let Some(text) = texts.last_mut() {
                    value::write_top(&mut stack, text, bytes_max);
                }
                stack.pop(1);
            }
        }
        stack.pop(count);
    };
    // SAFETY: what is called takes the values away, and leaves nothing.
    unsafe { lua.exec_raw::<()>(values, look) }?;
    Ok(texts)
}
