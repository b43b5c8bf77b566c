//! Where a script stops, and does what its client orders.
//!
//! The hook of lines runs on the script's own stack. What it is ordered to do it does there, while Lua stands still: it lets
//! the script stop for commands as if the script had called them. A piece of Lua that is to be run gets a coroutine of its
//! own, since Lua calls no hook from within one: so that it gives way, too, and can be killed.

use std::rc::Rc;

use mlua::{Debug, DebugEvent, Function, Lua, MultiValue, Table, Value, VmState};
use net::OwnedArgs;

use super::Console;
use super::console::Reason;
use super::frames::{locals, texts};
use super::order::Order;
use crate::commands::parse::parse_i64;
use crate::script::drive::{Lane, Pause};
use crate::script::library::argument::text_of;
use crate::script::vm::{Exchange, SANDBOX_NAME, SCRIPT_NAME, end_script, give_way};

/// What pieces of Lua that a client orders are called in errors.
const PIECE_NAME: &str = "@ldb_eval";

const ABORTED: &str = "script aborted for user request";
const LEFT_ALONE: &str = "timeout during Lua debugging with client closing connection";

const NO_VARIABLES: &str = "No local variables in the current context.";
const NO_VARIABLE: &str = "No such variable.";
const UNKNOWN: &str = "<error> Unknown Redis Lua debugger command or wrong number of arguments.";

const HELP: &[&str] = &[
    "Orders of the debugger; the letter in brackets is enough:",
    "[h]elp               Shows the orders.",
    "[s]tep               Runs this line, and stops before the next.",
    "[n]ext               The same.",
    "[c]ontinue           Runs up to the next breakpoint.",
    "[l]ist               Shows the lines around this one.",
    "[l]ist [line]        Shows the lines around that one; 0 is this one.",
    "[l]ist [line] [ctx]  Shows so many lines before and behind it.",
    "[w]hole              Shows all lines.",
    "[p]rint              Shows the local variables of this function.",
    "[p]rint <var>        Shows a local variable of this function or of one",
    "                     that has called it; or KEYS, or ARGV.",
    "[b]reak              Shows the breakpoints.",
    "[b]reak <line>       Sets a breakpoint in that line.",
    "[b]reak -<line>      Removes the breakpoint from that line.",
    "[b]reak 0            Removes all breakpoints.",
    "[t]race              Shows which functions run.",
    "[e]val <code>        Runs a piece of Lua, which sees no local variables.",
    "[r]edis <cmd>        Runs a command.",
    "[m]axlen [len]       Shows how long values and replies may be, or sets",
    "                     it; 0 is as long as they are.",
    "[a]bort              Ends the script. What it has changed stays changed",
    "                     in a session of the mode SYNC.",
    "",
    "In the script:",
    "redis.debug()        Shows its arguments here.",
    "redis.breakpoint()   Stops before the next line.",
];

/// A script with a session, as its hook sees it.
pub struct Debugged {
    pub(in crate::script) exchange: Rc<Exchange>,
    pub(in crate::script) console: Rc<Console>,
    /// The globals of scripts.
    pub(in crate::script) globals: Table,
    /// What makes a compiled piece one that sees them, and what runs it.
    pub(in crate::script) adopt: Function,
    pub(in crate::script) evaluate: Function,
}

/// A line is about to run, or a number of instructions was.
pub fn at_event(lua: &Lua, debug: &Debug<'_>, own: &Debugged) -> mlua::Result<VmState> {
    let is_new = debug.event() == DebugEvent::Line;
    if !is_new {
        give_way(lua, &own.exchange)?;
    }
    if debug.source().source.as_deref() != Some(SCRIPT_NAME) {
        return Ok(VmState::Continue);
    }
    let line = debug.current_line().unwrap_or(0);
    let Some(reason) = own.console.arrive(line, is_new) else { return Ok(VmState::Continue) };
    let Some(lane) = own.exchange.lane.get() else { return Ok(VmState::Continue) };
    own.console.stop(reason);
    match own.listen(lua, lane, reason) {
        Ok(steps) => {
            own.console.go_on(steps);
            Ok(VmState::Continue)
        }
        Err(message) => Err(end_script(lua, &own.exchange, message)),
    }
}

impl Debugged {
    /// Does what is ordered until the script is to go on: up to the next line, or further. An error ends it.
    fn listen(&self, lua: &Lua, lane: Lane, reason: Reason) -> Result<bool, &'static str> {
        loop {
            if let Some(message) = lane.pause(Pause::Listen) {
                return Err(message);
            }
            let Some(order) = self.console.take_order() else {
                self.console.be_alone();
                // What may never end by itself is not left to itself.
                return if reason == Reason::Timeout { Err(LEFT_ALONE) } else { Ok(false) };
            };
            match Order::parse(&order.as_args()) {
                Order::Step => return Ok(true),
                Order::Continue => return Ok(false),
                Order::Abort => return Err(ABORTED),
                order => self.obey(lua, lane, order)?,
            }
        }
    }

    fn obey(&self, lua: &Lua, lane: Lane, order: Order) -> Result<(), &'static str> {
        let console = &self.console;
        match order {
            Order::Step | Order::Continue | Order::Abort => unreachable!("the script does not stay for these"),
            Order::Help => HELP.iter().for_each(|line| console.say(*line)),
            Order::List { around, context } => console.list(around, context),
            Order::Whole => console.list(1, i64::MAX),
            Order::PrintAll => self.print_all(lua),
            Order::Print(name) => self.print(lua, &name),
            Order::Breakpoints => console.show_breakpoints(),
            Order::Break(lines) => lines.iter().for_each(|line| self.set_break(line)),
            Order::Trace => self.trace(lua),
            Order::Evaluate(code) => return self.run_piece(lua, &code),
            Order::Command(command) => return self.run_command(lane, command),
            Order::Limit(bytes) => console.limit(bytes),
            Order::Unknown => console.say(UNKNOWN),
        }
        Ok(())
    }

    fn print_all(&self, lua: &Lua) {
        let variables = locals(lua, 0, self.console.bytes_max()).unwrap_or_default();
        if variables.is_empty() {
            return self.console.say(NO_VARIABLES);
        }
        for (name, text) in variables {
            self.console.say_cut([b"<value> ", name.as_slice(), b" = ", &text].concat());
        }
    }

    /// The innermost function with a variable of that name counts, and of several in one function the first.
    fn print(&self, lua: &Lua, name: &[u8]) {
        let bytes_max = self.console.bytes_max();
        let is_shown = |level| {
            lua.inspect_stack(level, |debug| {
                let source = debug.source();
                source.what != "C" && source.source.as_deref() != Some(SANDBOX_NAME)
            })
        };
        let levels = (0..).map_while(|level| is_shown(level).map(|shown| (level, shown)));
        let frames = levels.filter(|(_, shown)| *shown).filter_map(|(level, _)| locals(lua, level, bytes_max));
        let local = frames.flatten().find(|(other, _)| other == name).map(|(_, text)| text);
        let is_global = matches!(name, b"KEYS" | b"ARGV");
        let text = local.or_else(|| if is_global { self.text_of_global(lua, name) } else { None });
        match text {
            Some(text) => self.console.say_cut([b"<value> ", text.as_slice()].concat()),
            None => self.console.say(NO_VARIABLE),
        }
    }

    fn text_of_global(&self, lua: &Lua, name: &[u8]) -> Option<Vec<u8>> {
        let name = lua.create_string(name).ok()?;
        let value: Value = self.globals.raw_get(name).ok()?;
        texts(lua, value, self.console.bytes_max()).ok()?.pop()
    }

    fn set_break(&self, line: &[u8]) {
        match parse_i64(line) {
            Ok(0) => self.console.remove_breakpoints(),
            Ok(line) if line < 0 => self.console.remove_breakpoint(line.unsigned_abs()),
            Ok(line) => self.console.set_breakpoint(line),
            Err(_) => self.console.say([b"Invalid argument:'", line, b"'"].concat()),
        }
    }

    /// The script's functions that run, the innermost first.
    fn trace(&self, lua: &Lua) {
        for level in 0.. {
            let frame = lua.inspect_stack(level, |debug| {
                let is_own = debug.source().source.as_deref() == Some(SCRIPT_NAME);
                let name = debug.names().name.map(std::borrow::Cow::into_owned);
                is_own.then(|| (name, debug.current_line().unwrap_or(0)))
            });
            match frame {
                None => break,
                Some(None) => {}
                Some(Some((name, line))) => {
                    let place = if level == 0 { "In" } else { "From" };
                    self.console.say(format!("{place} {}:", name.as_deref().unwrap_or("top level")));
                    self.console.show_line(line);
                }
            }
        }
    }

    /// Runs a piece of Lua, which is an expression if it can be read as one.
    fn run_piece(&self, lua: &Lua, code: &[u8]) -> Result<(), &'static str> {
        let compile = |code: &[u8]| lua.load(code).set_name(PIECE_NAME).set_mode(mlua::ChunkMode::Text).into_function();
        let compiled = compile(&[b"return ", code].concat()).or_else(|_| compile(code));
        let adopted = compiled.and_then(|piece| self.adopt.call::<Function>((piece, false)));
        let ran = adopted.and_then(|piece| self.evaluate.call::<(bool, MultiValue)>(piece));
        if let Some(message) = self.exchange.killed.get() {
            return Err(message);
        }
        match ran {
            Ok((true, mut values)) => {
                let text = texts(lua, values.pop_front().unwrap_or(Value::Nil), self.console.bytes_max());
                let text = text.ok().and_then(|mut texts| texts.pop()).unwrap_or_default();
                self.console.say_cut([b"<retval> ", text.as_slice()].concat());
            }
            Ok((false, mut values)) => {
                let problem = values.pop_front().unwrap_or(Value::Nil);
                self.console.show_error(&text_of_problem(&problem));
            }
            Err(mlua::Error::SyntaxError { message, .. }) => self.console.show_error(message.as_bytes()),
            Err(error) => self.console.show_error(error.to_string().as_bytes()),
        }
        Ok(())
    }

    /// Runs a command as if the script had called it.
    fn run_command(&self, lane: Lane, command: OwnedArgs) -> Result<(), &'static str> {
        *self.exchange.args.borrow_mut() = command;
        self.exchange.reply.borrow_mut().clear();
        self.console.runs_order(true);
        let killed = lane.pause(Pause::Call);
        self.console.runs_order(false);
        killed.map_or(Ok(()), Err)
    }
}

/// What a script's error tells.
fn text_of_problem(problem: &Value) -> Vec<u8> {
    let of_table = |table: &Table| table.raw_get::<Option<mlua::String>>("err").ok().flatten();
    match problem {
        Value::Table(table) => of_table(table).map(|text| text.as_bytes().to_vec()),
        other => text_of(other),
    }
    .unwrap_or_else(|| format!("a {} value", problem.type_name()).into_bytes())
}
