//! `math.random` and `math.randomseed`: numbers that every run of a script gets alike.

use std::rc::Rc;

use mlua::{Lua, Table, Value, Variadic};

use super::argument::{bad, number};
use super::{Problem, add as add_function};
use crate::script::random::Rand48;
use crate::script::vm::Exchange;

/// Adds the functions to what the sandbox is built from.
pub(in crate::script) fn add(lua: &Lua, raw: &Table, exchange: &Rc<Exchange>) -> mlua::Result<()> {
    let math = lua.create_table()?;
    let own = Rc::clone(exchange);
    add_function(lua, &math, "random", move |_, args: Variadic<Value>| random(&own, &args))?;
    let own = Rc::clone(exchange);
    add_function(lua, &math, "randomseed", move |_, args: Variadic<Value>| {
        own.random.set(Rand48::seeded(number(args.first(), 1, "randomseed")? as i64 as i32));
        Ok(())
    })?;
    raw.set("math", math)
}

fn random(exchange: &Exchange, args: &[Value]) -> Result<f64, Problem> {
    let mut generator = exchange.random.get();
    let fraction = generator.fraction();
    exchange.random.set(generator);
    let integer = |place: usize| number(args.get(place - 1), place, "random").map(f64::trunc);
    match args.len() {
        0 => Ok(fraction),
        1 => {
            let upper = integer(1)?;
            if upper < 1.0 {
                return Err(bad(1, "random", "interval is empty"));
            }
            Ok((fraction * upper).floor() + 1.0)
        }
        2 => {
            let (lower, upper) = (integer(1)?, integer(2)?);
            if lower > upper {
                return Err(bad(2, "random", "interval is empty"));
            }
            Ok((fraction * (upper - lower + 1.0)).floor() + lower)
        }
        _ => Err("wrong number of arguments".into()),
    }
}
