//! Running a script: what it may do, the commands that it calls, and how it ends.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mlua::Function;
use net::{Args, OwnedArgs, Reply};

use super::Host;
use super::drive::{Fibre, Pause, Resume};
use super::engine;
use super::functions::Library;
use super::registry::{Registry, Script};
use super::running::Running;
use super::vm::{Call, Failure, Kind, Vm};
use crate::commands::stream::asks_to_wait;
use crate::exec::error::{MISCONF, OUT_OF_MEMORY};
use crate::exec::{CommandError, Outcome};
use crate::ids::ShardId;
use crate::spec::table::Row;
use crate::spec::{CommandTable, Flag};

const UNKNOWN_COMMAND: CommandError = CommandError::new("ERR Unknown Redis command called from script");
const WRONG_ARITY: CommandError = CommandError::new("ERR Wrong number of args calling Redis command from script");
const NOT_ALLOWED: CommandError = CommandError::new("ERR This Redis command is not allowed from script");
const READ_ONLY: CommandError = CommandError::new("ERR Write commands are not allowed from read-only scripts.");

const KILLED_SCRIPT: &str = "Script killed by user with SCRIPT KILL.";
const KILLED_FUNCTION: &str = "Script killed by user with FUNCTION KILL.";

/// A script that has run so long is one that others may see and kill.
const LONG: Duration = Duration::from_millis(5);

/// A script that is to run.
pub struct Job {
    /// What runs.
    pub target: Target,
    /// The command: name, script, number of keys, keys, arguments.
    pub args: OwnedArgs,
    /// How many of the arguments are keys.
    pub keys: usize,
    /// It must not write.
    pub read_only: bool,
    /// It may not call what takes memory, unless it has begun to write.
    pub short_of_memory: bool,
    /// Nor what writes, since the last snapshot failed.
    pub writes_refused: bool,
}

/// What runs.
#[derive(Clone)]
pub enum Target {
    /// A script.
    Script(Arc<Script>),
    /// The function that the command names, of this library.
    Function(Arc<Library>),
}

/// A script in this core's state.
struct Prepared {
    vm: Rc<Vm>,
    name: Vec<u8>,
    function: Function,
}

/// Runs a script on core `core`.
pub fn run(registry: &Arc<Registry>, core: ShardId, job: &Job, host: &mut dyn Host, reply: &mut Reply<'_>) -> Outcome {
    let prepared = prepare(registry, job)?;
    let args = job.args.as_args();
    let tables = prepared
        .vm
        .table_of(args.from(3).take(job.keys))
        .and_then(|table| Ok((table, prepared.vm.table_of(args.from(3 + job.keys))?)))
        .map_err(|_| CommandError::new("OOM script arguments take more memory than there is"))?;
    let vm = Rc::clone(&prepared.vm);
    vm.begin();
    let function = prepared.function.clone();
    let call = if vm.kind() == Kind::Script { Call::Eval } else { Call::Fcall };
    let (own, resp) = (Rc::clone(&vm), reply.resp());
    let fibre = Fibre::new(move || own.run_to_end(&call, &function, tables, resp));
    let mut drive = Drive { registry, core, job, prepared: &prepared, since: None, running: None, wrote: false };
    drive.finish(fibre, host);
    if drive.running.is_some() {
        registry.set_running(core, None);
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

/// Compiles what is to run, if this core has not.
fn prepare(registry: &Arc<Registry>, job: &Job) -> Result<Prepared, CommandError> {
    engine::with(registry, |engine| match &job.target {
        Target::Script(script) => {
            let function = engine.compiled(script)?;
            Ok(Prepared { vm: engine.scripts(), name: script.sha.clone().into_bytes(), function })
        }
        Target::Function(library) => {
            let name = job.args.as_args().at(1).to_vec();
            let function = engine.function(library, &name)?;
            Ok(Prepared { vm: engine.functions(), name, function })
        }
    })
}

/// A script that runs.
struct Drive<'a> {
    registry: &'a Registry,
    core: ShardId,
    job: &'a Job,
    prepared: &'a Prepared,
    since: Option<Instant>,
    /// Others see it.
    running: Option<Arc<Running>>,
    wrote: bool,
}

impl Drive<'_> {
    fn finish(&mut self, mut fibre: Fibre, host: &mut dyn Host) {
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
            let kind = self.prepared.vm.kind();
            let command = self.job.args.clone();
            let running = Arc::new(Running::new(kind, &self.prepared.name, command, since, self.wrote));
            self.registry.set_running(self.core, Some(Arc::clone(&running)));
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
            Err(error) => Reply::new(&mut out, resp).error(error.as_bytes()),
            Ok(row) => {
                if row.is_write() && !self.wrote {
                    self.wrote = true;
                    if self.running.as_ref().is_some_and(|running| !running.write()) {
                        return self.kill();
                    }
                }
                match refused_to_block(row, &args) {
                    Some(text) => Reply::new(&mut out, resp).error(&text),
                    None => host.call(row, &args, resp, &mut out),
                }
            }
        }
        Resume::Go
    }

    /// Whether the script may call this.
    fn judge(&self, args: &Args<'_>) -> Result<&'static Row, CommandError> {
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
        let writes = flags.has(Flag::Write);
        if self.job.read_only && (writes || flags.has(Flag::MayReplicate) || flags.has(Flag::HeldWithWrites)) {
            return Err(READ_ONLY);
        }
        if writes && self.job.writes_refused && !self.wrote {
            return Err(MISCONF);
        }
        // A script that has begun to write is let finish.
        if flags.has(Flag::Denyoom) && self.job.short_of_memory && !self.wrote {
            return Err(OUT_OF_MEMORY);
        }
        Ok(row)
    }
}

/// The commands that a script may call but for their option to wait say so.
fn refused_to_block(row: &Row, args: &Args<'_>) -> Option<Vec<u8>> {
    if !matches!(row.command.name, "xread" | "xreadgroup") {
        return None;
    }
    asks_to_wait(args).then(|| {
        let name = args.at(0);
        [b"ERR ", name, b" command is not allowed with BLOCK option from scripts"].concat()
    })
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
