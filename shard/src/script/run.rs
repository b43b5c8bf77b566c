//! Running a script: what it may do, the commands that it calls, and how it ends.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mlua::Function;
use net::{Args, Reply};

use super::drive::{Fibre, Pause, Resume};
use super::engine::{self, NO_SCRIPT};
use super::flags::ScriptFlags;
use super::registry::Registry;
use super::running::Running;
use super::vm::{Call, Failure, Kind, Vm};
use super::Host;
use crate::exec::{CommandError, Outcome};
use crate::ids::ShardId;
use crate::spec::table::Row;
use crate::spec::{CommandTable, Flag};

const KEYS_NEGATIVE: CommandError = CommandError::new("ERR Number of keys can't be negative");
const KEYS_TOO_MANY: CommandError = CommandError::new("ERR Number of keys can't be greater than number of args");
const KEYS_BAD: CommandError = CommandError::new("ERR Bad number of keys provided");
const NO_FUNCTION: CommandError = CommandError::new("ERR Function not found");
const WRITES_BY_RO: CommandError =
    CommandError::new("ERR Can not execute a script with write flag using *_ro command.");
const SCRIPT_OOM: CommandError = CommandError::new(
    "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'",
);

const UNKNOWN_COMMAND: &str = "ERR Unknown Redis command called from script";
const WRONG_ARITY: &str = "ERR Wrong number of args calling Redis command from script";
const NOT_ALLOWED: &str = "ERR This Redis command is not allowed from script";
const READ_ONLY: &str = "ERR Write commands are not allowed from read-only scripts.";
const OUT_OF_MEMORY: &str = "OOM command not allowed when used memory > 'maxmemory'.";

const KILLED_SCRIPT: &str = "Script killed by user with SCRIPT KILL.";
const KILLED_FUNCTION: &str = "Script killed by user with FUNCTION KILL.";

/// A script that has run so long is one that others may see and kill.
const LONG: Duration = Duration::from_millis(5);

/// What a script is called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalledBy {
    /// Its source.
    Source,
    /// Its SHA-1.
    Sha,
    /// The function's name.
    Function,
}

/// A call of a script.
pub struct Request<'a> {
    /// The command: name, script, number of keys, keys, arguments.
    pub args: &'a Args<'a>,
    /// What the second argument is.
    pub by: CalledBy,
    /// It must not write.
    pub read_only: bool,
    /// The core on which it runs.
    pub core: ShardId,
}

/// What decides what a script may do.
struct Permissions {
    read_only: bool,
    /// It is not judged by memory.
    any_memory: bool,
}

/// A script about to run.
struct Prepared {
    vm: Rc<Vm>,
    name: Vec<u8>,
    function: Function,
    flags: ScriptFlags,
}

/// Runs the script that `request` calls.
pub fn run(registry: &Arc<Registry>, request: &Request<'_>, host: &mut dyn Host, reply: &mut Reply<'_>) -> Outcome {
    let prepared = prepare(registry, request)?;
    let over_memory = registry.over_memory.load(Ordering::Relaxed);
    let permissions = permit(&prepared, request, over_memory)?;
    let keys = number_of_keys(request)?;
    let tables = prepared
        .vm
        .table_of(request.args.from(3).take(keys))
        .and_then(|table| Ok((table, prepared.vm.table_of(request.args.from(3 + keys))?)))
        .map_err(|_| CommandError::new("OOM script arguments take more memory than there is"))?;
    let vm = Rc::clone(&prepared.vm);
    vm.begin();
    let function = prepared.function.clone();
    let call = if vm.kind() == Kind::Script { Call::Eval } else { Call::Fcall };
    let (own, resp) = (Rc::clone(&vm), reply.resp());
    let fibre = Fibre::new(move || own.run_to_end(&call, &function, tables, resp));
    let mut drive = Drive {
        registry,
        request,
        prepared: &prepared,
        permissions,
        over_memory,
        since: None,
        running: None,
        wrote: false,
    };
    drive.to_the_end(fibre, host);
    if drive.running.is_some() {
        registry.set_running(request.core, None);
    }
    let ended = vm.take_end();
    engine::with(registry, |engine| engine.tell_size(vm.kind(), &vm));
    match ended {
        Ok(()) => {
            reply.raw(&vm.exchange().reply.borrow());
            Ok(())
        }
        Err(failure) => Err(error_of(&failure, &prepared.name)),
    }
}

/// Finds the script, and compiles it if it was not.
fn prepare(registry: &Arc<Registry>, request: &Request<'_>) -> Result<Prepared, CommandError> {
    let what = request.args.at(1);
    if request.by == CalledBy::Function {
        let libraries = registry.libraries();
        let library = libraries.with_function(what).ok_or(NO_FUNCTION)?;
        let (vm, loaded) = engine::with(registry, |engine| {
            let loaded = engine.function(library, what)?;
            Ok::<_, CommandError>((engine.functions(), loaded))
        })?;
        let flags = loaded.info.flags;
        return Ok(Prepared { vm, name: what.to_vec(), function: loaded.function, flags });
    }
    // The number of keys is judged before the script is looked for, except that of one that is not known.
    if request.by == CalledBy::Source {
        number_of_keys(request)?;
    } else if what.len() != 40 {
        return Err(NO_SCRIPT);
    }
    let (vm, compiled) = engine::with(registry, |engine| {
        let compiled = match request.by {
            CalledBy::Source => engine.script_of(what)?,
            _ => engine.script_named(what)?,
        };
        Ok::<_, CommandError>((engine.scripts(), compiled))
    })?;
    let name = compiled.script.sha.clone().into_bytes();
    Ok(Prepared { vm, name, function: compiled.function, flags: compiled.script.flags })
}

fn number_of_keys(request: &Request<'_>) -> Result<usize, CommandError> {
    let parsed = crate::commands::parse::parse_i64(request.args.at(2));
    let keys = match (parsed, request.by) {
        (Err(_), CalledBy::Function) => return Err(KEYS_BAD),
        (parsed, _) => parsed?,
    };
    if keys > (request.args.len() - 3) as i64 {
        return Err(KEYS_TOO_MANY);
    }
    usize::try_from(keys).map_err(|_| KEYS_NEGATIVE)
}

/// Judges by its flags whether a script may run at all.
fn permit(prepared: &Prepared, request: &Request<'_>, over_memory: bool) -> Result<Permissions, CommandError> {
    let flags = prepared.flags;
    let writes_nothing = flags.has(ScriptFlags::NO_WRITES);
    let any_memory = flags.has(ScriptFlags::ALLOW_OOM) || writes_nothing;
    if !flags.has(ScriptFlags::UNDECLARED) {
        if request.read_only && !writes_nothing {
            return Err(WRITES_BY_RO);
        }
        if over_memory && !any_memory {
            return Err(SCRIPT_OOM);
        }
    }
    let any_memory = any_memory && !flags.has(ScriptFlags::UNDECLARED);
    Ok(Permissions { read_only: request.read_only || writes_nothing, any_memory })
}

/// A script that runs.
struct Drive<'a> {
    registry: &'a Registry,
    request: &'a Request<'a>,
    prepared: &'a Prepared,
    permissions: Permissions,
    over_memory: bool,
    since: Option<Instant>,
    /// Others see it.
    running: Option<Arc<Running>>,
    wrote: bool,
}

impl Drive<'_> {
    fn to_the_end(&mut self, mut fibre: Fibre, host: &mut dyn Host) {
        let mut how = Resume::Go;
        while let Some(pause) = fibre.resume(how) {
            how = match pause {
                Pause::Call => self.call(host),
                Pause::Slice => self.slice(),
            };
        }
    }

    /// Time has passed: after a while others are to see the script, and may have it end.
    fn slice(&mut self) -> Resume {
        let now = Instant::now();
        let since = *self.since.get_or_insert(now);
        if self.running.is_none() && now - since >= LONG {
            let Request { args, core, .. } = self.request;
            let kind = self.prepared.vm.kind();
            let running = Arc::new(Running::new(kind, &self.prepared.name, args.to_owned(), since, self.wrote));
            self.registry.set_running(*core, Some(Arc::clone(&running)));
            self.running = Some(running);
        }
        match &self.running {
            Some(running) if running.is_killed() => self.kill(),
            _ => Resume::Go,
        }
    }

    fn kill(&self) -> Resume {
        Resume::Kill(match self.prepared.vm.kind() {
            Kind::Script => KILLED_SCRIPT,
            Kind::Function => KILLED_FUNCTION,
        })
    }

    /// Runs the command that the script has asked for.
    fn call(&mut self, host: &mut dyn Host) -> Resume {
        let exchange = self.prepared.vm.exchange();
        let args = exchange.args.borrow();
        let args = args.as_args();
        let mut out = exchange.reply.borrow_mut();
        let resp = exchange.resp.get();
        match self.judge(&args) {
            Err(text) => Reply::new(&mut out, resp).error(text.as_bytes()),
            Ok(row) => {
                if row.is_write() && !self.wrote {
                    self.wrote = true;
                    if self.running.as_ref().is_some_and(|running| !running.write()) {
                        return self.kill();
                    }
                }
                host.call(row, &args, resp, &mut out);
            }
        }
        Resume::Go
    }

    /// Whether the script may call this.
    fn judge(&self, args: &Args<'_>) -> Result<&'static Row, &'static str> {
        let Ok(Some(row)) = CommandTable::global().resolve(args) else { return Err(UNKNOWN_COMMAND) };
        if !row.is_callable {
            return Err(UNKNOWN_COMMAND);
        }
        if !row.command.arity.admits(args.len()) || matches!(row.command.run, crate::exec::Run::Container) {
            return Err(WRONG_ARITY);
        }
        let flags = row.command.flags;
        if flags.has(Flag::Noscript) {
            return Err(NOT_ALLOWED);
        }
        if self.permissions.read_only && (flags.has(Flag::Write) || flags.has(Flag::MayReplicate)) {
            return Err(READ_ONLY);
        }
        // A script that has begun to write is let finish.
        if flags.has(Flag::Denyoom) && self.over_memory && !self.permissions.any_memory && !self.wrote {
            return Err(OUT_OF_MEMORY);
        }
        Ok(row)
    }
}

fn error_of(failure: &Failure, name: &[u8]) -> CommandError {
    let mut text = Vec::new();
    let message = failure.message.strip_prefix(b"-").unwrap_or(&failure.message);
    text.extend_from_slice(message);
    if let Some((source, line)) = &failure.place {
        text.extend_from_slice(b" script: ");
        text.extend_from_slice(name);
        text.extend_from_slice(b", on ");
        text.extend_from_slice(source);
        text.extend_from_slice(format!(":{line}.").as_bytes());
    }
    CommandError::bytes(text)
}
