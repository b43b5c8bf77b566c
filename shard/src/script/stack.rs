//! Lua's stack, as a function of Rust sees it that Lua calls by itself.
//!
//! The libraries of scripts talk to Lua through mlua, which hands every value on as one of Rust's, with a place of its own to
//! keep it alive. What every call of every script passes ([`super::native`]) works on Lua's stack instead, where values live
//! anyway: the arguments of a command are read there, and its reply is built there.
//!
//! ```text
//!   1   2   3  ...  top          places count from the bottom of what the function has got; -1 is the topmost value
//!   ▲           ▲
//!   arguments   what was pushed
//! ```
//!
//! An error of Lua's, as when there is no memory, leaves a function by a jump, past all that Rust would have dropped. So
//! whoever works on a stack owns nothing meanwhile.

#![allow(unsafe_code, reason = "calls of Lua, each with what it asks for")]

use std::ffi::c_int;

use mlua::ffi;

/// A value's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Nil,
    Boolean,
    Number,
    String,
    Table,
    Function,
    Thread,
    Userdata,
    LightUserdata,
    Other,
}

/// The stack of a function that runs.
pub(super) struct Stack {
    state: *mut ffi::lua_State,
}

impl Stack {
    /// The stack of the function that runs in `state`.
    ///
    /// # Safety
    ///
    /// Lua has called the function, in protected mode, with this state. Nobody up to there owns, while the stack is worked on,
    /// what a jump must not skip. No more is pushed than there is room for, which is at first for twenty values, and no more
    /// popped than was pushed.
    pub(super) unsafe fn of(state: *mut ffi::lua_State) -> Stack {
        Stack { state }
    }

    /// Number of values.
    pub(super) fn top(&self) -> c_int {
        // SAFETY: the state is live, by the contract of `of`.
        unsafe { ffi::lua_gettop(self.state) }
    }

    /// Whether there is room for so many values more: from now on there is, then.
    pub(super) fn has_room(&mut self, count: c_int) -> bool {
        // SAFETY: the state is live, and may raise an error, by the contract of `of`.
        unsafe { ffi::lua_checkstack(self.state, count) != 0 }
    }

    /// Takes the topmost values away.
    pub(super) fn pop(&mut self, count: c_int) {
        // SAFETY: no more is popped than was pushed, by the contract of `of`.
        unsafe { ffi::lua_pop(self.state, count) }
    }

    /// The type of a value.
    pub(super) fn type_of(&self, at: c_int) -> Type {
        // SAFETY: the state is live; a place without a value is none of the types.
        match unsafe { ffi::lua_type(self.state, at) } {
            ffi::LUA_TNIL => Type::Nil,
            ffi::LUA_TBOOLEAN => Type::Boolean,
            ffi::LUA_TNUMBER => Type::Number,
            ffi::LUA_TSTRING => Type::String,
            ffi::LUA_TTABLE => Type::Table,
            ffi::LUA_TFUNCTION => Type::Function,
            ffi::LUA_TTHREAD => Type::Thread,
            ffi::LUA_TUSERDATA => Type::Userdata,
            ffi::LUA_TLIGHTUSERDATA => Type::LightUserdata,
            _ => Type::Other,
        }
    }

    /// A string's bytes, which stay while nothing changes the stack.
    pub(super) fn bytes(&self, at: c_int) -> Option<&[u8]> {
        if self.type_of(at) != Type::String {
            return None;
        }
        let mut len = 0;
        // SAFETY: it is a string, which is handed out as it is.
        let start = unsafe { ffi::lua_tolstring(self.state, at, &raw mut len) };
        // SAFETY: Lua keeps the string where it is while it is on the stack, which is borrowed for as long; a string's
        // address is never null.
        Some(unsafe { std::slice::from_raw_parts(start.cast(), len) })
    }

    /// A number; what can be made one is none.
    pub(super) fn number(&self, at: c_int) -> Option<f64> {
        // SAFETY: the state is live, and a number is read as it is.
        (self.type_of(at) == Type::Number).then(|| unsafe { ffi::lua_tonumber(self.state, at) })
    }

    /// Whether a value is neither nil nor false.
    pub(super) fn truth(&self, at: c_int) -> bool {
        // SAFETY: the state is live; a place without a value is false.
        unsafe { ffi::lua_toboolean(self.state, at) != 0 }
    }

    /// Where a function, a table or something of the kind is.
    pub(super) fn address(&self, at: c_int) -> usize {
        // SAFETY: the state is live; what is at no address is at zero.
        unsafe { ffi::lua_topointer(self.state, at) }.addr()
    }

    pub(super) fn push_nil(&mut self) {
        // SAFETY: there is room, by the contract of `of`.
        unsafe { ffi::lua_pushnil(self.state) }
    }

    pub(super) fn push_boolean(&mut self, truth: bool) {
        // SAFETY: there is room, by the contract of `of`.
        unsafe { ffi::lua_pushboolean(self.state, truth.into()) }
    }

    pub(super) fn push_number(&mut self, number: f64) {
        // SAFETY: there is room, by the contract of `of`.
        unsafe { ffi::lua_pushnumber(self.state, number) }
    }

    pub(super) fn push_bytes(&mut self, bytes: &[u8]) {
        // SAFETY: there is room, by the contract of `of`, which admits an error too; Lua copies the bytes.
        unsafe { ffi::lua_pushlstring_(self.state, bytes.as_ptr().cast(), bytes.len()) }
    }

    /// Pushes an empty table with room for values by number and by name.
    pub(super) fn push_table(&mut self, places: usize, fields: usize) {
        let most = |count: usize| c_int::try_from(count).unwrap_or(c_int::MAX);
        // SAFETY: there is room, by the contract of `of`, which admits an error too.
        unsafe { ffi::lua_createtable(self.state, most(places), most(fields)) }
    }

    /// Pushes a value once more.
    pub(super) fn push_copy(&mut self, at: c_int) {
        // SAFETY: there is room, by the contract of `of`; of no value the copy is nil.
        unsafe { ffi::lua_pushvalue(self.state, at) }
    }

    /// Takes a value and, below it, its key from the top into a table. A key that is nil or not a number is none.
    pub(super) fn set(&mut self, table: c_int) {
        self.assert_table(table);
        // SAFETY: it is a table, below a key and a value; an error is admitted by the contract of `of`.
        unsafe { ffi::lua_rawset(self.state, table) }
    }

    /// Takes a value from the top into a table, by its number there.
    pub(super) fn set_at(&mut self, table: c_int, index: c_int) {
        self.assert_table(table);
        // SAFETY: it is a table, below a value; an error is admitted by the contract of `of`.
        unsafe { ffi::lua_rawseti_(self.state, table, index) }
    }

    /// Pushes a table's value by its number.
    pub(super) fn push_at(&mut self, table: c_int, index: c_int) {
        self.assert_table(table);
        // SAFETY: it is a table, and there is room, by the contract of `of`.
        unsafe { ffi::lua_rawgeti_(self.state, table, index) }
    }

    /// Pushes a table's value by its name. The table has a place counted from the top.
    pub(super) fn push_field(&mut self, table: c_int, name: &[u8]) {
        self.assert_table(table);
        self.push_bytes(name);
        // SAFETY: it is a table, one further below now, and the name that is on top gives way to the value.
        unsafe { ffi::lua_rawget_(self.state, table - 1) }
    }

    /// Replaces the key on top by the next key of a table and, above it, its value; takes it away if there is none. The first
    /// key is next to nil.
    pub(super) fn next(&mut self, table: c_int) -> bool {
        self.assert_table(table);
        // SAFETY: it is a table, and on top is nil or a key of its; there is room, by the contract of `of`.
        unsafe { ffi::lua_next(self.state, table) != 0 }
    }

    fn assert_table(&self, at: c_int) {
        assert!(self.type_of(at) == Type::Table, "only tables have fields");
    }
}
