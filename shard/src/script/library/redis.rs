//! `redis`: commands, the log, and what registers functions.

use std::mem::ManuallyDrop;
use std::rc::Rc;

use mlua::{IntoLuaMulti, Lua, RegistryKey, Table, Value, Variadic};
use net::Resp;

use super::argument::text_of;
use super::{Problem, add_of_redis, fact, float};
use crate::script::debugger::texts;
use crate::script::drive::Pause;
use crate::script::flags::ScriptFlags;
use crate::script::native;
use crate::script::number::{write_g, write_integer};
use crate::script::stack::Stack;
use crate::script::to_lua::{Replies, push_error};
use crate::script::vm::Exchange;
use crate::sha1::{hex, sha1};
use crate::spec::CommandTable;

/// The version of Redis whose scripting this is: scripts choose by it what they rely on.
const REDIS_VERSION: &str = "7.0.15";
const REDIS_VERSION_NUM: u32 = 0x0007_000f;

/// Integers up to here are written without a fraction or exponent by `%.17g`, so they need not go through it; zero may have a
/// sign, though.
const PLAIN_INTEGER_MAX: u64 = 10_000_000_000_000_000;

const LOG_ARGUMENTS: &str = "redis.log() requires two arguments or more.";
const NO_COMMAND: &[u8] = b"ERR Please specify at least one argument for this redis lib call";
/// What is left of a script may be called when Lua collects its garbage.
const NO_SCRIPT_RUNS: &[u8] = b"ERR redis.call/pcall can only be called inside a script invocation";
const WRONG_ARGUMENTS: &[u8] = b"ERR wrong number or type of arguments";
const BAD_ARGUMENT: &[u8] = b"ERR Lua redis lib command arguments must be strings or integers";

/// A function that a library has registered.
pub(in crate::script) struct Registered {
    pub(in crate::script) name: Vec<u8>,
    pub(in crate::script) callback: RegistryKey,
    pub(in crate::script) description: Option<Vec<u8>>,
    pub(in crate::script) flags: ScriptFlags,
}

type Arguments = Variadic<Value>;

/// Adds the functions to what the sandbox is built from.
pub(in crate::script) fn add(lua: &Lua, raw: &Table, exchange: &Rc<Exchange>) -> mlua::Result<()> {
    let redis = facts(lua)?;
    let (call, pcall) = native::commands(lua, exchange)?;
    redis.raw_set("call", call)?;
    redis.raw_set("pcall", pcall)?;
    let own = Rc::clone(exchange);
    let error_reply = move |lua: &Lua, args: Arguments| error_reply(lua, &own, &args);
    redis.raw_set("error_reply", lua.create_function(error_reply)?)?;
    redis.raw_set("status_reply", lua.create_function(|lua, args: Arguments| shaped(lua, "ok", &args))?)?;
    add_shown(lua, &redis, exchange, "sha1hex", |_, _, args| match args {
        [text] => Ok(hex(&sha1(&text_of(text).unwrap_or_default()))),
        _ => Err("wrong number of arguments".into()),
    })?;
    add_shown(lua, &redis, exchange, "log", |_, _, args| log(args))?;
    add_shown(lua, &redis, exchange, "setresp", |_, exchange, args| setresp(exchange, args))?;
    add_shown(lua, &redis, exchange, "set_repl", |_, _, args| set_repl(args))?;
    add_shown(lua, &redis, exchange, "breakpoint", |_, exchange, _| Ok(breakpoint(exchange)))?;
    add_shown(lua, &redis, exchange, "debug", |lua, exchange, args| Ok(debug(lua, exchange, args)?))?;
    add_shown(lua, &redis, exchange, "replicate_commands", |_, _, _| Ok(true))?;
    add_shown(lua, &redis, exchange, "acl_check_cmd", |_, exchange, args| acl_check(exchange, args))?;
    let kinds = [("REPL_NONE", 0), ("REPL_AOF", 1), ("REPL_SLAVE", 2), ("REPL_REPLICA", 2), ("REPL_ALL", 3)];
    for (name, value) in kinds {
        fact(&redis, name, value)?;
    }
    raw.raw_set("redis", redis)?;

    let load = facts(lua)?;
    add_of_redis(lua, &load, "log", |_, args: Arguments| log(&args))?;
    let own = Rc::clone(exchange);
    add_of_redis(lua, &load, "register_function", move |lua, args: Arguments| register(lua, &own, &args))?;
    raw.raw_set("load", load)
}

/// Adds a function, whose errors are shown to whoever steps through the script.
fn add_shown<R: IntoLuaMulti>(
    lua: &Lua,
    table: &Table,
    exchange: &Rc<Exchange>,
    name: &str,
    function: impl Fn(&Lua, &Exchange, &[Value]) -> Result<R, Problem> + 'static,
) -> mlua::Result<()> {
    let own = Rc::clone(exchange);
    add_of_redis(lua, table, name, move |lua, args: Arguments| {
        function(lua, &own, &args).inspect_err(|problem| {
            if let Problem::Text(text) = problem {
                show_problem(&own, text);
            }
        })
    })
}

/// Shows an error to whoever steps through the script, without the code that every error has.
fn show_problem(exchange: &Exchange, text: &[u8]) {
    if let Some(console) = &*exchange.console.borrow() {
        console.show_problem(text.strip_prefix(b"ERR ").unwrap_or(text));
    }
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

/// Takes the arguments of a command from the stack; false if one of them can be none.
fn take_arguments(exchange: &Exchange, stack: &Stack) -> bool {
    let mut to = exchange.args.borrow_mut();
    to.clear();
    for place in 1..=stack.top() {
        if let Some(text) = stack.bytes(place) {
            to.push(text);
            continue;
        }
        let Some(number) = stack.number(place) else { return false };
        let integer = number as i64;
        let is_plain = number.fract() == 0.0
            && integer.unsigned_abs() <= PLAIN_INTEGER_MAX
            && (integer != 0 || number.is_sign_positive());
        to.push_with(|digits| if is_plain { write_integer(digits, integer) } else { write_g(digits, number, 17) });
    }
    true
}

/// Runs the command whose arguments are on the stack; its reply takes their place. False if that is an error.
pub(in crate::script) fn command(exchange: &Exchange, stack: &mut Stack) -> bool {
    if let Err(refused) = run(exchange, stack) {
        if exchange.killed.get().is_none() {
            show_problem(exchange, refused);
        }
        stack.pop(stack.top());
        push_error(stack, refused, false);
        return false;
    }
    // Nothing is owned while values are made, and none of what that may call finds the reply in use.
    let reply = ManuallyDrop::new(exchange.reply.take());
    stack.pop(stack.top());
    Replies::new(&reply).push(stack);
    let is_error = reply.first() == Some(&b'-');
    exchange.reply.replace(ManuallyDrop::into_inner(reply));
    !is_error
}

/// Has a command run; its reply is in the exchange.
fn run(exchange: &Exchange, stack: &Stack) -> Result<(), &'static [u8]> {
    let lane = exchange.lane.get().ok_or(NO_SCRIPT_RUNS)?;
    if !take_arguments(exchange, stack) {
        return Err(BAD_ARGUMENT);
    }
    if exchange.args.borrow().as_args().is_empty() {
        return Err(NO_COMMAND);
    }
    exchange.reply.borrow_mut().clear();
    let Some(message) = lane.pause(Pause::Call) else { return Ok(()) };
    exchange.killed.set(Some(message));
    Err(message.as_bytes())
}

fn error_reply(lua: &Lua, exchange: &Exchange, args: &[Value]) -> mlua::Result<Table> {
    if exchange.console.borrow().is_some() {
        match args {
            [Value::String(text)] => {
                let text = text.as_bytes();
                show_problem(exchange, &[b"-", text.strip_prefix(b"-").unwrap_or(&text)].concat());
            }
            _ => show_problem(exchange, WRONG_ARGUMENTS),
        }
    }
    shaped(lua, "err", args)
}

/// `error_reply` and `status_reply`: one string in a table.
fn shaped(lua: &Lua, field: &str, args: &[Value]) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, 1)?;
    let [Value::String(text)] = args else {
        table.raw_set("err", lua.create_string(WRONG_ARGUMENTS)?)?;
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

fn log(args: &[Value]) -> Result<(), Problem> {
    let [level, words @ ..] = args else { return Err(LOG_ARGUMENTS.into()) };
    if words.is_empty() {
        return Err(LOG_ARGUMENTS.into());
    }
    let Some(level) = float(level) else {
        return Err("First argument must be a number (log level).".into());
    };
    if !(0.0..=3.0).contains(&level.trunc()) {
        return Err("Invalid debug level.".into());
    }
    let words = words.iter().filter_map(text_of).map(|text| String::from_utf8_lossy(&text).into_owned());
    let text = words.collect::<Vec<_>>().join(" ");
    match level as i64 {
        0 | 1 => tracing::debug!("{text}"),
        2 => tracing::info!("{text}"),
        _ => tracing::warn!("{text}"),
    }
    Ok(())
}

fn setresp(exchange: &Exchange, args: &[Value]) -> Result<(), Problem> {
    let [version] = args else { return Err("redis.setresp() requires one argument.".into()) };
    exchange.resp.set(match float(version) {
        Some(2.0) => Resp::V2,
        Some(3.0) => Resp::V3,
        _ => return Err("RESP version must be 2 or 3.".into()),
    });
    Ok(())
}

/// Stops a script that is debugged before its next line; false if it is not.
fn breakpoint(exchange: &Exchange) -> bool {
    let console = exchange.console.borrow();
    console.as_ref().map(|console| console.call_breakpoint()).is_some()
}

/// Shows values to whoever debugs the script.
fn debug(lua: &Lua, exchange: &Exchange, args: &[Value]) -> mlua::Result<()> {
    let console = exchange.console.borrow().clone();
    let Some(console) = console else { return Ok(()) };
    let values = args.iter().cloned().collect::<Arguments>();
    console.debug(&texts(lua, values, usize::MAX)?);
    Ok(())
}

/// Where the script's writes are to go: they go everywhere.
fn set_repl(args: &[Value]) -> Result<(), Problem> {
    let [flags] = args else { return Err("redis.set_repl() requires two arguments.".into()) };
    if !(0.0..=3.0).contains(&float(flags).unwrap_or_default()) {
        return Err("Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.".into());
    }
    Ok(())
}

/// Whether the user that calls the script may run this command.
fn acl_check(exchange: &Exchange, args: &[Value]) -> Result<bool, Problem> {
    if args.is_empty() {
        return Err("Please specify at least one argument for this redis lib call".into());
    }
    let mut words = net::OwnedArgs::default();
    for value in args {
        let Some(word) = text_of(value) else {
            return Err("Lua redis lib command arguments must be strings or integers".into());
        };
        words.push(&word);
    }
    match CommandTable::global().resolve(&words.as_args()) {
        Ok(Some(row)) => {
            let caller = exchange.caller.borrow();
            Ok(caller.as_ref().is_none_or(|caller| caller.user.check(row, &words.as_args()).is_ok()))
        }
        _ => Err("Invalid command passed to redis.acl_check_cmd()".into()),
    }
}

fn register(lua: &Lua, exchange: &Exchange, args: &[Value]) -> Result<(), Problem> {
    if exchange.load_until.get().is_none() {
        return Err("redis.register_function can only be called on FUNCTION LOAD command".into());
    }
    let registered = match args {
        [table] => named(lua, table)?,
        [name, callback] => positional(lua, name, callback)?,
        _ => return Err("wrong number of arguments to redis.register_function".into()),
    };
    let fits =
        !registered.name.is_empty() && registered.name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
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

fn positional(lua: &Lua, name: &Value, callback: &Value) -> Result<Registered, Problem> {
    let Some(name) = text_of(name) else {
        return Err("first argument to redis.register_function must be a string".into());
    };
    let Value::Function(callback) = callback else {
        return Err("second argument to redis.register_function must be a function".into());
    };
    let callback = lua.create_registry_value(callback.clone())?;
    Ok(Registered { name, callback, description: None, flags: ScriptFlags::NONE })
}

fn named(lua: &Lua, table: &Value) -> Result<Registered, Problem> {
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
                return Err(
                    "flags argument to redis.register_function must be a table representing function flags".into()
                );
            }
            _ => return Err("unknown argument given to redis.register_function".into()),
        }
    }
    let name = name.ok_or_else(|| Problem::from("redis.register_function must get a function name argument"))?;
    let callback = callback.ok_or_else(|| Problem::from("redis.register_function must get a callback argument"))?;
    let callback = lua.create_registry_value(callback)?;
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
