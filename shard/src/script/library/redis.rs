//! `redis`: commands, the log, and what registers functions.

use std::rc::Rc;

use mlua::{Function, Lua, MultiValue, Table, Value};
use net::Resp;

use super::argument::text_of;
use super::{Problem, add as add_function, fact};
use crate::script::drive::{self, Pause};
use crate::script::flags::ScriptFlags;
use crate::script::number::{write_g, write_integer};
use crate::script::to_lua::Replies;
use crate::script::vm::Exchange;
use crate::sha1::{hex, sha1};
use crate::spec::CommandTable;

/// The version of Redis whose scripting this is: scripts choose by it what they rely on.
const REDIS_VERSION: &str = "7.0.15";
const REDIS_VERSION_NUM: u32 = 0x0007_000f;

/// Integers up to here are written without a fraction or exponent by `%.17g`, so they need not go through it.
const PLAIN_INTEGER_MAX: u64 = 10_000_000_000_000_000;

const NO_COMMAND: &str = "ERR Please specify at least one argument for this redis lib call";
const BAD_ARGUMENT: &str = "ERR Lua redis lib command arguments must be strings or integers";

/// A function that a library has registered.
#[derive(Clone)]
pub(in crate::script) struct Registered {
    pub(in crate::script) name: Vec<u8>,
    pub(in crate::script) callback: Function,
    pub(in crate::script) description: Option<Vec<u8>>,
    pub(in crate::script) flags: ScriptFlags,
}

/// Adds the functions to what the sandbox is built from.
pub(in crate::script) fn add(lua: &Lua, raw: &Table, exchange: &Rc<Exchange>) -> mlua::Result<()> {
    let own = Rc::clone(exchange);
    raw.raw_set("push", lua.create_function(move |_, args: MultiValue| {
        push(&own, &args);
        Ok(false)
    })?)?;
    let own = Rc::clone(exchange);
    raw.raw_set("call", lua.create_function(move |lua, args: MultiValue| call(lua, &own, &args))?)?;
    raw.raw_set("error_reply", lua.create_function(|lua, args| shaped(lua, "err", &args))?)?;
    raw.raw_set("status_reply", lua.create_function(|lua, args| shaped(lua, "ok", &args))?)?;

    let redis = lua.create_table()?;
    add_function(lua, &redis, "sha1hex", |_, (args, count): (Table, usize)| {
        if count != 1 {
            return Err("wrong number of arguments".into());
        }
        Ok(hex(&sha1(&text_of(&args.raw_get(1)?).unwrap_or_default())))
    })?;
    add_function(lua, &redis, "log", |_, (args, count): (Table, usize)| log(&args, count))?;
    let own = Rc::clone(exchange);
    add_function(lua, &redis, "setresp", move |_, (args, count): (Table, usize)| setresp(&own, &args, count))?;
    add_function(lua, &redis, "set_repl", |_, (args, count): (Table, usize)| set_repl(&args, count))?;
    add_function(lua, &redis, "breakpoint", |_, _: (Table, usize)| Ok(false))?;
    add_function(lua, &redis, "debug", |_, _: (Table, usize)| Ok(()))?;
    add_function(lua, &redis, "replicate_commands", |_, _: (Table, usize)| Ok(true))?;
    add_function(lua, &redis, "acl_check_cmd", |_, (args, count): (Table, usize)| acl_check(&args, count))?;
    raw.raw_set("redis", redis)?;

    let load = lua.create_table()?;
    add_function(lua, &load, "log", |_, (args, count): (Table, usize)| log(&args, count))?;
    let own = Rc::clone(exchange);
    add_function(lua, &load, "register_function", move |_, (args, count): (Table, usize)| {
        register(&own, &args, count)
    })?;
    raw.raw_set("load", load)?;
    raw.raw_set("load_facts", facts(lua)?)?;
    let all = facts(lua)?;
    let kinds = [("REPL_NONE", 0), ("REPL_AOF", 1), ("REPL_SLAVE", 2), ("REPL_REPLICA", 2), ("REPL_ALL", 3)];
    for (name, value) in kinds {
        fact(&all, name, value)?;
    }
    raw.raw_set("redis_facts", all)
}

fn facts(lua: &Lua) -> mlua::Result<Table> {
    let facts = lua.create_table()?;
    for (name, level) in [("LOG_DEBUG", 0), ("LOG_VERBOSE", 1), ("LOG_NOTICE", 2), ("LOG_WARNING", 3)] {
        fact(&facts, name, level)?;
    }
    fact(&facts, "REDIS_VERSION", REDIS_VERSION)?;
    fact(&facts, "REDIS_VERSION_NUM", REDIS_VERSION_NUM)?;
    Ok(facts)
}

/// Takes some of a command's arguments.
fn push(exchange: &Exchange, args: &MultiValue) {
    let mut to = exchange.args.borrow_mut();
    for value in args {
        match value {
            Value::String(text) => to.push(&text.as_bytes()),
            Value::Integer(_) | Value::Number(_) => {
                let mut digits = Vec::new();
                match value {
                    Value::Integer(number) if number.unsigned_abs() <= PLAIN_INTEGER_MAX => {
                        write_integer(&mut digits, *number);
                    }
                    other => write_g(&mut digits, other.as_f64().unwrap_or_default(), 17),
                }
                to.push(&digits);
            }
            _ => exchange.is_bad.set(true),
        }
    }
}

/// Runs a command whose last arguments are these: whether it failed, and its reply.
fn call(lua: &Lua, exchange: &Exchange, args: &MultiValue) -> mlua::Result<(bool, Value)> {
    push(exchange, args);
    let is_empty = exchange.args.borrow().as_args().is_empty();
    if exchange.is_bad.replace(false) {
        exchange.args.borrow_mut().clear();
        return own_error(lua, BAD_ARGUMENT);
    }
    if is_empty {
        return own_error(lua, NO_COMMAND);
    }
    if let Some(message) = drive::pause(Pause::Call) {
        exchange.killed.set(Some(message));
        return own_error(lua, message);
    }
    exchange.args.borrow_mut().clear();
    let reply = std::mem::take(&mut *exchange.reply.borrow_mut());
    let failed = reply.first() == Some(&b'-');
    let value = Replies::new(lua, &reply).value();
    let mut reply = reply;
    reply.clear();
    *exchange.reply.borrow_mut() = reply;
    Ok((failed, value?))
}

fn own_error(lua: &Lua, text: &str) -> mlua::Result<(bool, Value)> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set("err", text)?;
    Ok((true, Value::Table(table)))
}

/// `error_reply` and `status_reply`: one string in a table.
fn shaped(lua: &Lua, field: &str, (count, value): &(usize, Value)) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, 1)?;
    let (1, Value::String(text)) = (count, value) else {
        table.raw_set("err", "ERR wrong number or type of arguments")?;
        return Ok(table);
    };
    let mut text = text.as_bytes().to_vec();
    if field == "err" {
        // The first word of an error is its code; a text of one word has none.
        let start = usize::from(text.first() == Some(&b'-'));
        text.drain(..start);
        if !text.contains(&b' ') {
            text.splice(..0, *b"ERR ");
        }
    }
    table.raw_set(field, lua.create_string(text)?)?;
    Ok(table)
}

fn log(args: &Table, count: usize) -> Result<(), Problem> {
    if count < 2 {
        return Err("redis.log() requires two arguments or more.".into());
    }
    let level: Value = args.raw_get(1)?;
    let Some(level) = level.as_f64() else {
        return Err("First argument must be a number (log level).".into());
    };
    if !(0.0..=3.0).contains(&level.trunc()) {
        return Err("Invalid debug level.".into());
    }
    let mut words = Vec::new();
    for index in 2..=count {
        let value: Value = args.raw_get(index)?;
        words.extend(text_of(&value).map(|text| String::from_utf8_lossy(&text).into_owned()));
    }
    let text = words.join(" ");
    match level as i64 {
        0 | 1 => tracing::debug!("{text}"),
        2 => tracing::info!("{text}"),
        _ => tracing::warn!("{text}"),
    }
    Ok(())
}

fn setresp(exchange: &Exchange, args: &Table, count: usize) -> Result<(), Problem> {
    if count != 1 {
        return Err("redis.setresp() requires one argument.".into());
    }
    let version: Value = args.raw_get(1)?;
    exchange.resp.set(match version.as_f64() {
        Some(2.0) => Resp::V2,
        Some(3.0) => Resp::V3,
        _ => return Err("RESP version must be 2 or 3.".into()),
    });
    Ok(())
}

/// Where the script's writes are to go: they go everywhere.
fn set_repl(args: &Table, count: usize) -> Result<(), Problem> {
    if count != 1 {
        return Err("redis.set_repl() requires two arguments.".into());
    }
    let flags: Value = args.raw_get(1)?;
    if !(0.0..=3.0).contains(&flags.as_f64().unwrap_or_default()) {
        return Err("Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.".into());
    }
    Ok(())
}

/// There is no user but the one that may do everything: a command that exists is allowed.
fn acl_check(args: &Table, count: usize) -> Result<bool, Problem> {
    if count == 0 {
        return Err("Please specify at least one argument for this redis lib call".into());
    }
    let mut words = net::OwnedArgs::default();
    for index in 1..=count {
        let value: Value = args.raw_get(index)?;
        let Some(word) = text_of(&value) else {
            return Err("Lua redis lib command arguments must be strings or integers".into());
        };
        words.push(&word);
    }
    match CommandTable::global().resolve(&words.as_args()) {
        Ok(Some(_)) => Ok(true),
        _ => Err("Invalid command passed to redis.acl_check_cmd()".into()),
    }
}

fn register(exchange: &Exchange, args: &Table, count: usize) -> Result<(), Problem> {
    if exchange.load_until.get().is_none() {
        return Err("redis.register_function can only be called on FUNCTION LOAD command".into());
    }
    let registered = match count {
        1 => named(&args.raw_get(1)?)?,
        2 => positional(&args.raw_get(1)?, args.raw_get(2)?)?,
        _ => return Err("wrong number of arguments to redis.register_function".into()),
    };
    let fits = !registered.name.is_empty()
        && registered.name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    if !fits {
        return Err(super::super::functions::BAD_NAME.into());
    }
    let mut all = exchange.registered.borrow_mut();
    if all.iter().any(|other| other.name == registered.name) {
        return Err("Function already exists in the library".into());
    }
    all.push(registered);
    Ok(())
}

fn positional(name: &Value, callback: Value) -> Result<Registered, Problem> {
    let Some(name) = text_of(name) else {
        return Err("first argument to redis.register_function must be a string".into());
    };
    let Value::Function(callback) = callback else {
        return Err("second argument to redis.register_function must be a function".into());
    };
    Ok(Registered { name, callback, description: None, flags: ScriptFlags::NONE })
}

fn named(table: &Value) -> Result<Registered, Problem> {
    let Value::Table(table) = table else {
        return Err("calling redis.register_function with a single argument is only applicable to Lua table \
                    (representing named arguments)."
            .into());
    };
    let (mut name, mut callback, mut description, mut flags) = (None, None, None, ScriptFlags::NONE);
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let Some(key) = text_of(&key) else {
            return Err("named argument key given to redis.register_function is not a string".into());
        };
        match (key.as_slice(), value) {
            (b"function_name", value) => {
                name = Some(text_of(&value).ok_or_else(|| {
                    Problem::from("function_name argument given to redis.register_function must be a string")
                })?);
            }
            (b"description", value) => {
                description = Some(text_of(&value).ok_or_else(|| {
                    Problem::from("description argument given to redis.register_function must be a string")
                })?);
            }
            (b"callback", Value::Function(function)) => callback = Some(function),
            (b"callback", _) => {
                return Err("callback argument given to redis.register_function must be a function".into());
            }
            (b"flags", Value::Table(list)) => flags = flags_of(&list)?,
            (b"flags", _) => {
                return Err("flags argument to redis.register_function must be a table representing function flags"
                    .into());
            }
            _ => return Err("unknown argument given to redis.register_function".into()),
        }
    }
    let name = name.ok_or_else(|| Problem::from("redis.register_function must get a function name argument"))?;
    let callback = callback.ok_or_else(|| Problem::from("redis.register_function must get a callback argument"))?;
    Ok(Registered { name, callback, description, flags })
}

fn flags_of(list: &Table) -> Result<ScriptFlags, Problem> {
    let mut flags = ScriptFlags::NONE;
    for index in 1.. {
        let flag: Value = list.raw_get(index)?;
        if flag.is_nil() {
            break;
        }
        let word = if let Value::String(word) = &flag { word.as_bytes().to_vec() } else { Vec::new() };
        flags = flags.with(&word).ok_or_else(|| Problem::from("unknown flag given"))?;
    }
    Ok(flags)
}
